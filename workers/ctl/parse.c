/* SPDX-License-Identifier: MIT */
/* parse: the rules of processing on JSON lines, for whoever writes rules. No service is asked. */
#include <errno.h>
#include <inttypes.h>

#include "common/base/buf.h"
#include "common/base/clock.h"
#include "common/base/err.h"
#include "common/base/json.h"
#include "common/base/mem.h"
#include "common/base/text.h"
#include "common/market/country.h"
#include "workers/ctl/args.h"
#include "workers/ctl/ctl.h"
#include "workers/ctl/lines.h"
#include "workers/processing/answer.h"
#include "workers/processing/posting.h"
#include "workers/processing/transform.h"

enum { LINE_BYTES = 4 << 20 };

/* Fills answer from line, an object; -ERR_USAGE: e says what is missing. */
typedef int kind_fn(const cJSON *line, cJSON *answer, struct err *e);

static int need_text(const cJSON *line, const char *name, const char **ret, struct err *e)
{
	*ret = json_str(line, name, NULL);
	if (!*ret)
		return err_set(e, ERR_USAGE, "\"%s\" must be a text", name);
	return 0;
}

static void clean(const char *text, struct buf *out)
{
	buf_init(out, 2 * TEXT_MAX_BYTES);
	text_clean(text, strlen(text), out);
}

/* ---- salary ---- */

static void set_cents(cJSON *o, const char *name, int64_t cents)
{
	char text[32];

	if (cents <= 0)
		snprintf(text, sizeof text, "null");
	else if (cents % 100)
		snprintf(text, sizeof text, "%" PRId64 ".%02d", cents / 100, (int)(cents % 100));
	else
		snprintf(text, sizeof text, "%" PRId64, cents / 100);
	json_set_raw(o, name, text);
}

static void put_pay(cJSON *o, const struct pay *pay)
{
	int64_t min, max;
	const char *interval = pay_interval(pay, &min, &max);

	set_cents(o, "min", min);
	set_cents(o, "max", max);
	json_set_str(o, "currency", pay->currency[0] ? pay->currency : NULL);
	json_set_str(o, "interval", interval);
	json_set_bool(o, "interval_assumed", pay->period_assumed);
	set_cents(o, "annual_min", pay->annual_min_cents);
	set_cents(o, "annual_max", pay->annual_max_cents);
	json_set_num(o, "ranges", pay->ranges);
	json_set_num(o, "salaries_a_year", pay->salaries);
	json_set_bool(o, "open_top", pay->open_top);
	json_set_bool(o, "ote", pay->ote);
	json_set_bool(o, "equity", pay->equity);
	json_set_bool(o, "contractor", pay->contractor);
}

static void put_places(cJSON *o, const struct pay *pay)
{
	cJSON *list = mem_check(cJSON_CreateArray()), *one;

	for (int i = 0; i < pay->nplaces; i++) {
		one = mem_check(cJSON_CreateObject());
		json_set_str(one, "place", pay->places[i].place);
		set_cents(one, "min", pay->places[i].min_cents);
		set_cents(one, "max", pay->places[i].max_cents);
		cJSON_AddItemToArray(list, one);
	}
	json_set(o, "places", list);
}

static int parse_salary(const cJSON *line, cJSON *answer, struct err *e)
{
	struct pay_hint hint = { .country = json_str(line, "country", NULL),
				 .lang = json_str(line, "lang", NULL) };
	const char *text;
	struct pay pay;
	struct buf b;
	int r = need_text(line, "text", &text, e);

	if (r < 0)
		return r;
	clean(text, &b);
	r = b.len ? pay_from_text(buf_text(&b), b.len, &hint, &pay) : 0;
	buf_release(&b);
	if (r <= 0)
		return 0;
	put_pay(answer, &pay);
	put_places(answer, &pay);
	return 0;
}

/* ---- location, level, skills ---- */

static void set_known(cJSON *o, const char *name, const char *text)
{
	json_set_str(o, name, text && *text ? text : NULL);
}

static void set_degrees(cJSON *o, const char *name, bool known, double degrees)
{
	char text[32] = "null";

	if (known)
		snprintf(text, sizeof text, "%.4f", degrees);
	json_set_raw(o, name, text);
}

static int parse_location(const cJSON *line, cJSON *answer, struct err *e)
{
	const struct country *country;
	char shown[512];
	struct place place;
	enum remote remote;
	const char *text;
	int r = need_text(line, "text", &text, e);

	if (r < 0)
		return r;
	text_line(text, shown, sizeof shown);
	place_parse(shown, json_str(line, "country", NULL), &place);
	remote = remote_combine(false, NULL, shown, NULL, 0);
	country = country_by_code(place.country[0] ? place.country : NULL);
	set_known(answer, "country", country ? country->name : NULL);
	set_known(answer, "country_code", place.country);
	set_known(answer, "region", place.region);
	set_known(answer, "region_code", place.region_code);
	set_known(answer, "city", place.city);
	json_set_bool(answer, "remote", remote == REMOTE_REMOTE);
	json_set_str(answer, "workplace", remote_name(remote));
	set_known(answer, "metro", place.metro);
	set_known(answer, "cbsa", place.cbsa);
	set_degrees(answer, "latitude", place.has_coordinates, place.latitude);
	set_degrees(answer, "longitude", place.has_coordinates, place.longitude);
	return 0;
}

static int parse_level(const cJSON *line, cJSON *answer, struct err *e)
{
	char title[1024];
	const char *text;
	int r = need_text(line, "title", &text, e);

	if (r < 0)
		return r;
	text_line(text, title, sizeof title);
	json_set_str(answer, "level", level_name(level_parse(title)));
	return 0;
}

static int parse_skills(const cJSON *line, cJSON *answer, struct err *e)
{
	cJSON *list = mem_check(cJSON_CreateArray());
	static struct skills skills;
	const char *text;
	struct buf b;
	int r = need_text(line, "text", &text, e);

	if (r == 0) {
		clean(text, &b);
		skills_init(&skills);
		skills_find(&skills, buf_text(&b), b.len);
		buf_release(&b);
		for (size_t i = 0; i < skills.n; i++)
			cJSON_AddItemToArray(list, mem_check(cJSON_CreateString(skills.names[i])));
	}
	json_set(answer, "skills", list);
	return r;
}

/* ---- lines ---- */

static const struct kind {
	const char *name;
	kind_fn *fn;
} KINDS[] = {
	{ "salary", parse_salary }, { "location", parse_location }, { "level", parse_level },
	{ "skills", parse_skills },
};

static int flush(void *ctx)
{
	(void)ctx;
	return fflush(stdout) != 0;
}

static void print_answer(cJSON *answer)
{
	char *text = json_print(answer);

	puts(text);
	free(text);
	cJSON_Delete(answer);
}

static void print_error(const char *what, int64_t number, const char *why)
{
	cJSON *o = mem_check(cJSON_CreateObject());
	char *text = number < 0 ? mem_printf("%s: %s", what, why) :
		mem_printf("%s %" PRId64 ": %s", what, number, why);

	json_set_str(o, "error", text);
	free(text);
	print_answer(o);
}

static int answer_line(const struct kind *k, const char *text, size_t len, struct err *e)
{
	cJSON *line = NULL, *answer;
	int r;

	if (!text)
		return err_set(e, ERR_USAGE, "longer than %d bytes", LINE_BYTES);
	if (strspn(text, " \t\r") >= len)
		return err_set(e, ERR_USAGE, "empty");
	r = json_parse(text, len, &line, e);
	if (r < 0)
		return r;
	answer = mem_check(cJSON_CreateObject());
	r = cJSON_IsObject(line) ? k->fn(line, answer, e) :
		err_set(e, ERR_USAGE, "must be a JSON object");
	cJSON_Delete(line);
	if (r < 0)
		cJSON_Delete(answer);
	else
		print_answer(answer);
	return r;
}

/* Every line is answered by one, a wrong one by its error; the exit status tells of any. */
static int parse_lines(const struct kind *k, const char *path, struct err *e)
{
	struct lines *in = NULL;
	const char *text;
	int64_t line = 0;
	size_t len;
	int wrong = 0, r = lines_open(&in, path, LINE_BYTES, flush, NULL, e);

	while (r >= 0 && (r = lines_next(in, &text, &len, e)) > 0) {
		struct err why = { 0 };

		line++;
		if (answer_line(k, text, len, &why) < 0) {
			print_error("line", line, why.msg);
			wrong++;
		}
	}
	lines_close(in);
	return r < 0 ? r : wrong ? CTL_FAILED : CTL_OK;
}

/* ---- posting ---- */

static int read_all(const char *path, struct buf *ret, struct err *e)
{
	FILE *f = strcmp(path, "-") == 0 ? stdin : fopen(path, "re");
	char chunk[65536];
	size_t n;
	bool good;

	if (!f)
		return err_set(e, ERR_USAGE, "cannot read %s: %s", path, strerror(errno));
	buf_init(ret, ANSWER_MAX_BYTES);
	while ((n = fread(chunk, 1, sizeof chunk, f)) > 0 && !buf_overflowed(ret))
		buf_append(ret, chunk, n);
	good = !ferror(f);
	if (f != stdin)
		fclose(f);
	if (good && !buf_overflowed(ret))
		return 0;
	buf_release(ret);
	return err_set(e, ERR_USAGE, good ? "%s is larger than 64 MiB" : "%s cannot be read", path);
}

static bool print_row(const struct transform_context *ctx, int64_t index, struct raw row,
		      struct posting *p, struct buf *out)
{
	struct refusal why = { 0 };
	enum transformed t = transform_row(ctx, row, p, &why);

	if (t == TRANSFORM_REFUSED)
		print_error("row", index, why.message);
	if (t != TRANSFORM_POSTING)
		return t == TRANSFORM_NOTICE;
	buf_clear(out);
	posting_json(p, NULL, out);
	fwrite(out->data, 1, out->len, stdout);
	putchar('\n');
	return true;
}

static int print_rows(const struct transform_context *ctx, const struct answer *a)
{
	struct raw_walk w = raw_walk(a->rows);
	struct posting p;
	struct buf out;
	struct raw row;
	int refused = 0;

	if (!a->rows.at) {
		print_error("answer", -1, a->refusal.message);
		return CTL_FAILED;
	}
	posting_init(&p);
	buf_init(&out, 8 << 20);
	for (int64_t index = 0; raw_next(&w, NULL, &row); index++)
		refused += !print_row(ctx, index, row, &p, &out);
	buf_release(&out);
	posting_release(&p);
	return refused ? CTL_FAILED : CTL_OK;
}

static int parse_posting(const char *path, const char *source, const char *country, struct err *e)
{
	struct transform_context ctx = { .source = source ? source_find(source) : NULL,
					 .asked_country = country,
					 .reference_us = clock_wall_us(), .skills = true };
	struct answer a = { .source = ctx.source };
	struct buf text;
	int r;

	if (!ctx.source)
		return source ? err_set(e, ERR_USAGE, "no source is called \"%.60s\"", source) :
			err_set(e, ERR_USAGE, "whose answer is it? give --source=NAME");
	r = read_all(path, &text, e);
	if (r < 0)
		return r;
	answer_parse(&a, buf_text(&text), text.len);
	buf_release(&text);
	r = print_rows(&ctx, &a);
	answer_close(&a);
	return r;
}

static int parse_kind(const char *kind, const char *path, const char *source, const char *country,
		      struct err *e)
{
	if (strcmp(kind, "posting") == 0)
		return parse_posting(path, source, country, e);
	for (size_t i = 0; i < COUNT(KINDS); i++)
		if (strcmp(kind, KINDS[i].name) == 0)
			return parse_lines(&KINDS[i], path, e);
	return err_set(e, ERR_USAGE,
		       "nothing parses \"%.40s\"; salary, location, level, skills or posting", kind);
}

int parse_main(struct ctl *c, int argc, char **argv, struct err *e)
{
	const char *source = NULL, *country = NULL;
	const struct args_option options[] = {
		{ "source", "NAME", "posting: whose answer it is (jsearch, lever ...)", &source, NULL },
		{ "country", "CC", "posting: ISO code of the country that was asked for", &country,
		  NULL },
		CTL_CONFIG_OPTION(c),
	};
	const struct args args = {
		.usage = "parse KIND [FILE] [OPTION...]",
		.about =
			"Runs the rules of processing on FILE or standard input, without any service."
			" KIND is\n"
			"  salary    {\"text\", \"lang\"?, \"country\"?} -> {\"min\", \"max\", "
			"\"currency\", \"interval\", ...}; {} without pay\n"
			"  location  {\"text\", \"country\"?} -> {\"country\", \"country_code\", \"region\", "
			"\"city\", ...}\n"
			"  level     {\"title\"} -> {\"level\"}\n"
			"  skills    {\"text\"} -> {\"skills\"}\n"
			"  posting   one whole answer of a source -> its postings, normalised\n"
			"JSON lines in, JSON lines out, in the same order; a line or row that is refused"
			" is answered\nby {\"error\": ...}, and the exit status is 1 then.",
		.options = options, .noptions = COUNT(options), .least = 1, .most = 2,
	};
	char **operands;
	int r = args_parse(&args, argc, argv, &operands, e);

	if (r != 0)
		return r < 0 ? r : CTL_OK;
	return parse_kind(operands[0], operands[1] ? operands[1] : "-", source, country, e);
}
