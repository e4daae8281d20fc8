/* SPDX-License-Identifier: MIT */
#include "common/base/measure.h"

#include <ctype.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "common/base/err.h"
#include "common/base/mem.h"
#include "common/base/near.h"
#include "common/base/scan.h"

static const struct measure MEASURES[MEASURE_IDS] = {
	{ MEASURE_QUOTA_USED, "quota_used", "quota_used > 80%", MEASURE_PERCENT, MEASURE_SOURCE,
	  "calls of a source's day or month that are used, the fuller of the two" },
	{ MEASURE_KEY_REFUSED, "key_refused", "key_refused > 0", MEASURE_COUNT, MEASURE_SOURCE,
	  "1 while a source is parked because its key was refused or is missing" },
	{ MEASURE_CIRCUIT_OPEN, "circuit_open", "circuit_open > 0", MEASURE_COUNT, MEASURE_SOURCE,
	  "1 while a source's circuit breaker is open" },
	{ MEASURE_OLDEST_TASK, "oldest_task", "oldest_task > 1h", MEASURE_SECONDS, MEASURE_QUEUE,
	  "how long the task that waits longest in a queue has waited" },
	{ MEASURE_CONSUMERS, "consumers", "consumers < 1", MEASURE_COUNT, MEASURE_QUEUE,
	  "consumers of a queue, as RabbitMQ counts them" },
	{ MEASURE_ERROR_RATE, "error_rate", "error_rate > 5%", MEASURE_PERCENT, MEASURE_TASK,
	  "attempts of a task that failed in the last hour" },
	{ MEASURE_SUCCESS_RATE, "success_rate", "success_rate < 95%", MEASURE_PERCENT, MEASURE_TASK,
	  "runs of a task in the last 24 hours that ended well" },
	{ MEASURE_RUN_LENGTH, "run_length", "run_length > 300%", MEASURE_PERCENT, MEASURE_TASK,
	  "the longest run of a task, of the mean of its own last days" },
	{ MEASURE_VALIDATION_FAILURES, "validation_failures", "validation_failures > 10%",
	  MEASURE_PERCENT, MEASURE_STAGE, "postings of the last 24 hours that validation refused" },
	{ MEASURE_QUALITY_SCORE, "quality_score", "quality_score < 80%", MEASURE_PERCENT,
	  MEASURE_STAGE, "mean quality score of the postings of the last 24 hours" },
	{ MEASURE_POSTINGS_WAITING, "postings_waiting", "postings_waiting > 1h", MEASURE_SECONDS,
	  MEASURE_STAGE, "how long the row that waits longest for a stage has waited" },
	{ MEASURE_RAW_FILES, "raw_files", "raw_files > 0", MEASURE_COUNT, MEASURE_HOST,
	  "raw responses that wait in files because PostgreSQL was away" },
	{ MEASURE_HIT_RATE, "hit_rate", "hit_rate < 70%", MEASURE_PERCENT, MEASURE_CACHE,
	  "questions that the cache answered in the last 24 hours" },
	{ MEASURE_WORKER_RESTARTS, "worker_restarts", "worker_restarts > 5", MEASURE_COUNT,
	  MEASURE_PROGRAM, "starts of a program beyond its first, and deaths of its children, in"
	  " the last hour" },
	{ MEASURE_DISK_USED, "disk_used", "disk_used > 90%", MEASURE_PERCENT, MEASURE_HOST,
	  "of the file system with data_dir" },
	{ MEASURE_AWAY, "away", "away > 30s", MEASURE_SECONDS, MEASURE_SERVICE,
	  "how long a service has been away; 0 while it is there" },
};

#define EXAMPLE "\"quota_used > 80%%\" or \"oldest_task(salary_data) > 1h\""

static const char *const SERVICES[] = { "postgresql", "rabbitmq", "redis", NULL };
static const char *const STAGES[] = { "collection", "processing", "loading", NULL };

const struct measure *measure_at(enum measure_id id)
{
	return &MEASURES[id];
}

const char *const *measure_services(void)
{
	return SERVICES;
}

const char *const *measure_stages(void)
{
	return STAGES;
}

const char *measure_subject_word(const struct measure *m)
{
	static const char *const WORDS[] = {
		[MEASURE_SOURCE] = "source", [MEASURE_QUEUE] = "queue", [MEASURE_TASK] = "task",
		[MEASURE_STAGE] = "stage", [MEASURE_PROGRAM] = "program",
		[MEASURE_SERVICE] = "service", [MEASURE_HOST] = "host", [MEASURE_CACHE] = "cache",
	};

	return WORDS[m->of];
}

static void print_seconds(double value, char *out, size_t size)
{
	int64_t s = value < 0 ? 0 : (int64_t)value;

	if (s >= 2 * 86400)
		snprintf(out, size, "%lld d %lld h", (long long)(s / 86400),
			 (long long)(s % 86400 / 3600));
	else if (s >= 3600)
		snprintf(out, size, "%lld h %lld min", (long long)(s / 3600),
			 (long long)(s % 3600 / 60));
	else if (s >= 120)
		snprintf(out, size, "%lld min", (long long)(s / 60));
	else
		snprintf(out, size, "%lld s", (long long)s);
}

void measure_print(const struct measure *m, double value, char *out, size_t size)
{
	if (m->unit == MEASURE_SECONDS)
		print_seconds(value, out, size);
	else
		snprintf(out, size, m->unit == MEASURE_PERCENT ? "%.4g %%" : "%.10g", value);
}

static int find(const char *name, const struct measure **ret, struct err *e)
{
	struct near near;

	near_init(&near, name);
	for (size_t i = 0; i < COUNT(MEASURES); i++) {
		near_offer(&near, MEASURES[i].name);
		if (strcmp(MEASURES[i].name, name) == 0) {
			*ret = &MEASURES[i];
			return 0;
		}
	}
	if (near.word)
		return err_set(e, ERR_INVALID, "unknown measure \"%.60s\"; did you mean \"%s\"?",
			       name, near.word);
	return err_set(e, ERR_INVALID, "unknown measure \"%.60s\"; queues.conf(5) lists them",
		       name);
}

static int parse_limit(const struct measure *m, const char *text, double *ret, struct err *e)
{
	static const char *const UNITS[] = { [MEASURE_PERCENT] = "a percentage",
					     [MEASURE_SECONDS] = "a duration",
					     [MEASURE_COUNT] = "a number" };
	size_t n = strlen(text);
	char *bare = mem_strndup(text, n && text[n - 1] == '%' && m->unit == MEASURE_PERCENT ? n - 1
											     : n);
	int64_t ms = 0;
	int r;

	if (m->unit == MEASURE_SECONDS) {
		r = scan_duration_ms(bare, &ms, NULL);
		*ret = (double)ms / 1000;
	} else {
		r = scan_double(bare, 0, m->unit == MEASURE_PERCENT ? 1e6 : 1e15, ret, NULL);
	}
	free(bare);
	return r < 0 ? err_set(e, ERR_INVALID, "\"%.40s\" is not %s; write for example \"%s\"",
			       text, UNITS[m->unit], m->example)
		     : 0;
}

static char *trim(char *text)
{
	size_t n;

	text += strspn(text, " \t");
	n = strlen(text);
	while (n > 0 && isspace((unsigned char)text[n - 1]))
		text[--n] = '\0';
	return text;
}

/* "oldest_task(salary_data)"; text is cut up. */
static int parse_left(char *text, struct condition *c, struct err *e)
{
	char *open = strchr(text, '('), *close = open ? strrchr(open, ')') : NULL;
	const char *subject;

	c->subject[0] = '\0';
	if (open) {
		if (!close || close[1] || close == open + 1)
			return err_set(e, ERR_INVALID, "\"%.60s\" names nothing between (), as in "
				       EXAMPLE, text);
		*open = *close = '\0';
		subject = trim(open + 1);
		if (!*subject || strlen(subject) >= sizeof c->subject)
			return err_set(e, ERR_INVALID, "%s() names nothing, as in " EXAMPLE, text);
		snprintf(c->subject, sizeof c->subject, "%s", subject);
	}
	return find(trim(text), &c->measure, e);
}

int condition_parse(const char *text, struct condition *ret, struct err *e)
{
	char *copy = mem_strdup(text), *op = strpbrk(copy, "<>");
	struct condition c = { 0 };
	int r;

	if (!op || !*trim(op + 1) || strpbrk(op + 1, "<>=")) {
		free(copy);
		return err_set(e, ERR_INVALID, "\"%.60s\" is not a condition such as " EXAMPLE,
			       text);
	}
	c.above = *op == '>';
	*op = '\0';
	r = parse_left(trim(copy), &c, e);
	if (r == 0)
		r = parse_limit(c.measure, trim(op + 1), &c.limit, e);
	free(copy);
	if (r == 0)
		*ret = c;
	return r;
}

bool condition_holds(const struct condition *c, double value)
{
	return c->above ? value > c->limit : value < c->limit;
}

void condition_say(const struct condition *c, const char *subject, double value, char *out,
		   size_t size)
{
	char is[48], limit[48];

	measure_print(c->measure, value, is, sizeof is);
	measure_print(c->measure, c->limit, limit, sizeof limit);
	snprintf(out, size, "%s of %s %s is %s, %s%s %s", c->measure->name,
		 measure_subject_word(c->measure), subject, is,
		 condition_holds(c, value) ? "" : "not ", c->above ? "over" : "under", limit);
}
