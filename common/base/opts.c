/* SPDX-License-Identifier: MIT */
#include "common/base/opts.h"

#include <ctype.h>
#include <getopt.h>

#include "common/base/err.h"
#include "common/base/json.h"
#include "common/base/mem.h"
#include "common/base/near.h"
#include "common/base/scan.h"

enum { QUEUES_MAX = 64, CONCURRENCY_MAX = 1000, HOSTNAME_MAX = 200, NAME_MAX_BYTES = 255 };

typedef int set_fn(struct opts *o, const char *text, struct err *e);

static bool is_name(const char *text)
{
	size_t n = strlen(text);

	for (const char *p = text; *p; p++) {
		if (!isalnum((unsigned char)*p) && !strchr("._-", *p))
			return false;
	}
	return n > 0 && n <= NAME_MAX_BYTES;
}

static bool has_queue(const struct opts *o, const char *name)
{
	for (size_t i = 0; i < o->nqueues; i++) {
		if (strcmp(o->queues[i], name) == 0)
			return true;
	}
	return false;
}

static int set_queues(struct opts *o, const char *text, struct err *e)
{
	char *copy = mem_strdup(text), *rest = copy, *item;
	int r = 0;

	while (r == 0 && (item = strsep(&rest, ","))) {
		if (!is_name(item))
			r = err_set(e, ERR_USAGE, "\"%.60s\" is not a queue's name; several are "
				    "separated by commas: --queues=salary_data,monitoring", item);
		else if (has_queue(o, item))
			r = err_set(e, ERR_USAGE, "queue %.60s is named twice", item);
		else if (o->nqueues == QUEUES_MAX)
			r = err_set(e, ERR_USAGE, "more than %d queues", QUEUES_MAX);
		if (r < 0)
			break;
		o->queues = mem_realloc(o->queues, (o->nqueues + 1) * sizeof *o->queues);
		o->queues[o->nqueues++] = mem_strdup(item);
	}
	free(copy);
	return r;
}

static int set_concurrency(struct opts *o, const char *text, struct err *e)
{
	const char *comma = strchr(text, ',');
	char *least = mem_strndup(text, comma ? (size_t)(comma - text) : strlen(text));
	int min = 0, max = 0;
	int r = scan_int(least, 1, CONCURRENCY_MAX, &min, e);

	free(least);
	if (r == 0)
		r = scan_int(comma ? comma + 1 : text, 1, CONCURRENCY_MAX, &max, e);
	if (r < 0)
		return r;
	if (min > max)
		return err_set(e, ERR_USAGE, "the minimum %d is above the maximum %d", min, max);
	o->concurrency_min = min;
	o->concurrency_max = max;
	return 0;
}

static int set_loglevel(struct opts *o, const char *text, struct err *e)
{
	o->has_loglevel = true;
	return log_parse_level(text, &o->loglevel, e);
}

static int set_hostname(struct opts *o, const char *text, struct err *e)
{
	size_t n = strlen(text);

	for (const char *p = text; *p; p++) {
		if (!isgraph((unsigned char)*p))
			n = 0;
	}
	if (n == 0 || n > HOSTNAME_MAX)
		return err_set(e, ERR_USAGE,
			       "\"%.60s\" is not a node name such as salary@host1: at most "
			       "%d visible ASCII characters",
			       text, HOSTNAME_MAX);
	o->hostname = text;
	return 0;
}

static int set_config(struct opts *o, const char *text, struct err *e)
{
	if (!*text)
		return err_set(e, ERR_USAGE, "needs the path of a queues.conf");
	o->config = text;
	return 0;
}

static int set_run(struct opts *o, const char *text, struct err *e)
{
	if (!is_name(text))
		return err_set(e, ERR_USAGE, "\"%.60s\" is not a task's name", text);
	o->run_name = text;
	return 0;
}

enum { SHORT_HELP = 'h', SHORT_VERSION = 'V' };

static const struct row {
	const char *name;
	char letter;
	const char *arg;		/* NULL: none */
	const char *help;
	set_fn *set;
	enum opts_kind least;		/* the kinds from this one on take it */
} ROWS[] = {
	{ "queues", 'Q', "A,B", "serve only these of the program's queues", set_queues, OPTS_WORKER },
	{ "concurrency", 'c', "MIN,MAX", "children at least and at most (or one number); default by "
	  "queues.conf", set_concurrency, OPTS_WORKER },
	{ "loglevel", 'l', "LEVEL", "DEBUG, INFO, WARNING, ERROR or CRITICAL", set_loglevel, OPTS_SERVICE },
	{ "hostname", 'n', "NAME", "node name; default PROGRAM@HOST", set_hostname, OPTS_SERVICE },
	{ "config", 'C', "FILE", "settings; default $JOBFLEET_CONFIG, ./queues.conf, "
	  "/etc/jobfleet/queues.conf", set_config, OPTS_SERVICE },
	{ "run", 'r', "NAME", "run one task in the foreground and print its result; its arguments "
	  "follow as JSON", set_run, OPTS_WORKER },
	{ "help", SHORT_HELP, NULL, "show this and leave", NULL, OPTS_SERVICE },
	{ "version", SHORT_VERSION, NULL, "show the version and leave", NULL, OPTS_SERVICE },
};

static void print_help(const char *program, enum opts_kind kind)
{
	printf("Usage: jobfleet-%s [OPTION]…\n", program);
	if (kind >= OPTS_WORKER)
		printf("       jobfleet-%s --run NAME [ARGS]\n", program);
	putchar('\n');
	for (size_t i = 0; i < COUNT(ROWS); i++) {
		const struct row *row = &ROWS[i];
		char left[64];

		if (row->least > kind)
			continue;
		snprintf(left, sizeof left, "--%s%s%s", row->name, row->arg ? "=" : "",
			 row->arg ? row->arg : "");
		printf("  -%c, %-22s %s\n", row->letter, left, row->help);
	}
	printf("\nExit codes: 0 done, %d wrong usage or configuration, %d try again later.\n"
	       "Settings: queues.conf(5).\n", OPTS_EXIT_USAGE, OPTS_EXIT_AGAIN);
}

/* getopt_long's two tables, from ROWS. */
static void make_tables(enum opts_kind kind, struct option longs[COUNT(ROWS) + 1],
			char shorts[2 * COUNT(ROWS) + 3])
{
	size_t n = 0;
	char *s = shorts;

	*s++ = '+';		/* stop at the first other word */
	*s++ = ':';		/* tell a missing argument from an unknown option */
	for (size_t i = 0; i < COUNT(ROWS); i++) {
		if (ROWS[i].least > kind)
			continue;
		longs[n++] = (struct option){ ROWS[i].name,
					      ROWS[i].arg ? required_argument : no_argument, NULL,
					      ROWS[i].letter };
		*s++ = ROWS[i].letter;
		if (ROWS[i].arg)
			*s++ = ':';
	}
	longs[n] = (struct option){ 0 };
	*s = '\0';
}

static int refuse_unknown(const char *word, enum opts_kind kind, struct err *e)
{
	char *name = mem_strndup(word + strspn(word, "-"), strcspn(word + strspn(word, "-"), "="));
	struct near near;
	int r;

	near_init(&near, name);
	for (size_t i = 0; i < COUNT(ROWS); i++) {
		if (ROWS[i].least <= kind)
			near_offer(&near, ROWS[i].name);
	}
	if (near.word)
		r = err_set(e, ERR_USAGE, "unknown option \"%.60s\"; did you mean --%s?", word,
			    near.word);
	else
		r = err_set(e, ERR_USAGE, "unknown option \"%.60s\"", word);
	free(name);
	return r;
}

static const struct row *row_of(int letter)
{
	for (size_t i = 0; i < COUNT(ROWS); i++) {
		if (ROWS[i].letter == letter)
			return &ROWS[i];
	}
	return NULL;
}

static int take_option(struct opts *o, int letter, char **argv, enum opts_kind kind, struct err *e)
{
	const struct row *given = row_of(optopt), *row = letter == ':' ? given : row_of(letter);
	char word[3] = { '-', (char)optopt, '\0' };

	if (letter == '?' && given && given->least <= kind)
		return err_set(e, ERR_USAGE, "--%s takes no value", given->name);
	if (letter == '?' || !row)
		return refuse_unknown(optopt ? word : argv[optind - 1], kind, e);
	if (letter == ':')
		return err_set(e, ERR_USAGE, "--%s needs a value: --%s=%s", row->name, row->name,
			       row->arg);
	if (row->set(o, optarg, e) < 0) {
		err_prefix(e, "--%s", row->name);
		if (e)
			e->code = ERR_USAGE;
		return -ERR_USAGE;
	}
	return 0;
}

/* What stands behind the options: the arguments of --run, or nothing. */
static int take_rest(struct opts *o, char *const *rest, int n, struct err *e)
{
	cJSON *v = NULL;
	bool good;

	if (!o->run_name && n > 0)
		return err_set(e, ERR_USAGE, "unexpected argument \"%.60s\"", rest[0]);
	if (n > 1)
		return err_set(e, ERR_USAGE,
			       "--run takes one JSON value as arguments; quote it: --run "
			       "NAME '[1, \"two\"]'");
	o->run_args = n ? rest[0] : "[]";
	if (!o->run_name)
		return 0;
	good = json_parse(o->run_args, strlen(o->run_args), &v, NULL) == 0 &&
	       (cJSON_IsArray(v) || cJSON_IsObject(v));
	cJSON_Delete(v);
	return good ? 0
		    : err_set(e, ERR_USAGE,
			      "--run: the arguments are no JSON array or object, such as "
			      "'[1, \"two\"]' or '{\"query\": \"engineer\"}'");
}

int opts_parse(struct opts *ret, int argc, char **argv, const char *program, enum opts_kind kind,
	       struct err *e)
{
	char shorts[2 * COUNT(ROWS) + 3];
	struct option longs[COUNT(ROWS) + 1];
	struct opts o = { 0 };
	int letter, r = 0;

	make_tables(kind, longs, shorts);
	optind = 0;		/* glibc: begin anew, for tests that parse several lines */
	opterr = 0;
	while (r == 0 && (letter = getopt_long(argc, argv, shorts, longs, NULL)) != -1) {
		if (letter == SHORT_HELP) {
			print_help(program, kind);
			r = 1;
		} else if (letter == SHORT_VERSION) {
			printf("jobfleet-%s %s\n", program, JOBFLEET_VERSION);
			r = 1;
		} else {
			r = take_option(&o, letter, argv, kind, e);
		}
	}
	if (r == 0)
		r = take_rest(&o, argv + optind, argc - optind, e);
	if (r == 0)
		*ret = o;
	else
		opts_release(&o);
	return r;
}

void opts_release(struct opts *o)
{
	for (size_t i = 0; i < o->nqueues; i++)
		free(o->queues[i]);
	free(o->queues);
	memset(o, 0, sizeof *o);
}

int opts_leave(int parsed, const char *program, const struct err *e)
{
	if (parsed >= 0)
		return 0;
	fprintf(stderr, "jobfleet-%s: %s\nTry: jobfleet-%s --help\n", program, e->msg, program);
	return OPTS_EXIT_USAGE;
}
