/* SPDX-License-Identifier: MIT */
/* Pay as Indeed's postings advertise it, in the shape that sources/indeed.c asks and reads for the
 * collection. A posting counts when its title means the occupation, its place the area, and its
 * employer states both ends of a range in dollars by a period: then with the middle of the
 * annualised range. */
#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/conf.h"
#include "common/base/err.h"
#include "common/base/json.h"
#include "common/base/mem.h"
#include "common/base/scan.h"
#include "sources/listing.h"
#include "sources/source.h"
#include "workers/salary/source.h"

#define ENOUGH 30
#define OFFERS_MAX 500
#define PAGES_MAX 5
#define NOTE "pay as advertised on Indeed: the middle of each offer's annualised range"
#define NOT_SPLIT "pay as advertised on Indeed for all levels, degrees and industries together"
#define TOO_FEW "fewer than 30 offers whose employer states the pay"

struct state {
	const struct request *request;
	struct source_request sent;	/* the page under way: its headers must stay */
	bool asked;
	int page;
	char *cursor;
	int64_t offers[OFFERS_MAX];	/* dollars a year, in ten-thousandths */
	size_t n;
};

static int ask_page(struct talk *t, struct err *e)
{
	struct state *s = t->of;
	const struct conf_source *conf = ask_source(t->run, t->source);
	struct source_ask ask = {
		.query = s->request->occupation.name, .location = s->request->area.label,
		.country = "us", .language = "en", .date_posted = "", .employment_types = "",
		.board = "", .key = ask_key(t->run, t->source),
		.id = *conf->id_variable ? conf_secret(conf->id_variable) : NULL,
	};
	struct source_place at = { .page = ++s->page, .token = s->cursor };
	struct ask what = { .method = "POST" };
	int r;

	if (s->asked)
		source_request_release(&s->sent);
	s->asked = false;
	r = source_find("indeed")->build(conf, &ask, &at, &s->sent, e);
	if (r < 0)
		return r;
	s->asked = true;
	what.path = source_path(conf, "/graphql");
	what.headers = (const char *const *)s->sent.headers;
	what.body = s->sent.body.data;
	what.body_len = s->sent.body.len;
	talk_ask(t, s->page, what);
	return 0;
}

static void begin(struct talk *t, const struct request *r)
{
	struct state *s = t->of = mem_zalloc(sizeof *s);

	s->request = r;
	if (ask_page(t, &t->err) < 0)
		t->code = -(int)t->err.code;
}

/* The words of the verdict are Indeed's, and might repeat what was sent: they are not. */
static int code_of(const struct source_verdict *v, struct err *e)
{
	static const enum err_code CODES[SOURCE_CLASS_COUNT] = {
		[SOURCE_UNCHANGED] = ERR_HTTP,	    [SOURCE_RETRY] = ERR_HTTP,
		[SOURCE_LIMITED] = ERR_LIMITED,	    [SOURCE_USED_UP] = ERR_QUOTA,
		[SOURCE_KEY_REFUSED] = ERR_REFUSED, [SOURCE_MOVED] = ERR_REFUSED,
		[SOURCE_BAD_REQUEST] = ERR_INVALID,
	};
	int r;

	if (v->class == SOURCE_OK)
		return 0;
	r = err_set(e, CODES[v->class], "Indeed's answer: %s", source_class_name(v->class));
	if (e)
		e->retry_after_ms = v->wait_s * 1000;
	return r;
}

/* 0: of no period that is known. */
static int times_a_year(const char *period)
{
	static const struct { const char *name; int times; } PERIODS[] = {
		{ "HOUR", 2080 }, { "DAY", 260 }, { "WEEK", 52 }, { "MONTH", 12 }, { "YEAR", 1 },
	};

	for (size_t i = 0; period && i < COUNT(PERIODS); i++)
		if (strcmp(PERIODS[i].name, period) == 0)
			return PERIODS[i].times;
	return 0;
}

static bool read_end(const cJSON *number, int64_t *ret_e4)
{
	struct amount a;
	char text[32];

	if (!cJSON_IsNumber(number) || !(number->valuedouble > 0 && number->valuedouble < 1e8))
		return false;
	snprintf(text, sizeof text, "%.2f", number->valuedouble);	/* to the cent it is exact */
	if (amount_parse(text, &a, NULL) < 0 || a.kind != AMOUNT_VALUE)
		return false;
	*ret_e4 = a.e4;
	return true;
}

static bool is_ours(const struct request *r, const struct listing *l)
{
	struct occupation o;
	struct area a;

	if (!cJSON_IsString(l->title) || l->nplaces == 0 || !l->place[0].text ||
	    occupation_resolve(l->title->valuestring, &o, NULL) < 0 || o.row != r->occupation.row ||
	    area_resolve(l->place[0].text, &a, NULL) < 0)
		return false;
	if (r->area.level == AREA_METRO)
		return a.level == AREA_METRO && a.metro == r->area.metro;
	return r->area.level == AREA_NATION || a.state == r->area.state;
}

static void take_offer(struct state *s, const struct listing *l)
{
	int times = times_a_year(l->pay_period);
	int64_t min, max;

	if (s->n == OFFERS_MAX || times == 0 || l->pay_estimated || !l->pay_currency ||
	    strcmp(l->pay_currency, "USD") != 0 || !read_end(l->pay_min, &min) ||
	    !read_end(l->pay_max, &max) || min > max || !is_ours(s->request, l))
		return;
	s->offers[s->n++] = (min + max) * times / 2;
}

static int hear(struct talk *t, int question, const struct http_response *a, struct err *e)
{
	const struct source *indeed = source_find("indeed");
	const struct conf_source *conf = ask_source(t->run, t->source);
	struct source_place at = { .page = question };
	struct state *s = t->of;
	struct source_verdict verdict = { 0 };
	struct source_page page = { 0 };
	cJSON *body = NULL;
	const cJSON *row;
	int r;

	(void)json_parse(buf_text(&a->body), a->body.len, &body, NULL);
	indeed->judge(a, body, &verdict);
	r = code_of(&verdict, e);
	if (r == 0) {
		indeed->read_page(conf, &at, body, &page);
		cJSON_ArrayForEach(row, page.rows) {
			struct source_answer from = { 0 };
			struct listing l;

			listing_init(&l);
			if (indeed->read_row(&from, row, &l))
				take_offer(s, &l);
		}
		mem_replace(&s->cursor, page.last ? NULL : mem_strdup(page.token));
		if (s->cursor && s->page < PAGES_MAX && s->page < conf->page_budget)
			r = ask_page(t, e);
	}
	cJSON_Delete(body);
	return r;
}

static int by_size(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

/* Between neighbours in proportion, as jobfleet.percentile does it. */
static struct amount percentile(const struct state *s, size_t percent)
{
	size_t place = (s->n - 1) * percent, below = place / 100;
	int64_t low = s->offers[below], high = s->offers[below + (below + 1 < s->n)];

	return (struct amount){ AMOUNT_VALUE, low + (high - low) * (int64_t)(place % 100) / 100 };
}

static void add_benchmark(struct state *s, const struct request *r, struct findings *f)
{
	struct benchmark *b = findings_benchmark(f, "indeed");
	char year[CLOCK_ISO_SIZE];
	int64_t sum = 0;

	if (!b)
		return;
	qsort(s->offers, s->n, sizeof *s->offers, by_size);
	for (size_t i = 0; i < s->n; i++)
		sum += s->offers[i];
	b->area = r->area;
	b->median = percentile(s, 50);
	b->mean = (struct amount){ AMOUNT_VALUE, sum / (int64_t)s->n };
	b->p25 = percentile(s, 25);
	b->p75 = percentile(s, 75);
	b->p90 = percentile(s, 90);
	b->sample = (int64_t)s->n;
	clock_iso(clock_wall_us(), year);
	year[4] = '\0';
	(void)scan_int(year, 1970, 9999, &b->year, NULL);
	b->age_days = 0;		/* they are open now */
	b->unsplit = *r->experience || *r->education || *r->industry;
	b->note = b->unsplit ? NOT_SPLIT : NOTE;
}

static void end(struct talk *t, const struct request *r, struct findings *f)
{
	struct state *s = t->of;
	bool found = s->n >= ENOUGH;

	if (found)
		add_benchmark(s, r, f);
	source_note(t, f, found, found ? NULL : TOO_FEW);
	if (s->asked)
		source_request_release(&s->sent);
	free(s->cursor);
	free(s);
}

const struct source_side SOURCE_INDEED = {
	.name = "indeed", .hear = hear, .begin = begin, .end = end, .single = true
};
