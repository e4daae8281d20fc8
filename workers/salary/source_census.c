/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "common/base/buf.h"
#include "common/base/conf.h"
#include "common/base/err.h"
#include "common/base/mem.h"
#include "common/net/http.h"
#include "common/store/redis.h"
#include "common/worker/run.h"
#include "workers/salary/census.h"
#include "workers/salary/source.h"

#define PATH_MAX_BYTES 1024
#define COLUMN_TTL "2592000"		/* 30 days: a vintage's columns do not change */
#define PAY_NOTE "median earnings of the whole occupation group, mean of five years (ACS B24011)"
#define MARKET_NOTE "mean of five years (ACS B23025, B08301)"
#define MARGIN_TO_ERROR 1.645		/* ACS margins hold with 90 %: so many standard errors */

/* What a question is about: the columns of the group, or the table of areas[i]. */
enum { GROUP = 100, TABLE = 0 };

struct state {
	struct source_area areas[SOURCE_AREAS];
	size_t nareas;
	const char *label;
	char column[CENSUS_COLUMN_SIZE], margin[CENSUS_COLUMN_SIZE];
	struct benchmark pay;
	struct market market;
	bool has_pay, has_market;
};

static void put_memory_key(struct run *run, const char *label, char key[160])
{
	snprintf(key, 160, "%.60scensus_column:%d:%.60s", run_conf(run)->fleet.redis_prefix,
		 CENSUS_VINTAGE, label);
	for (char *p = key; *p; p++)
		*p = *p == ' ' ? '_' : *p;
}

/* Which column holds the group is asked once a month, not once a request. */
static bool column_remembered(struct run *run, struct state *s)
{
	struct redis_reply *reply = NULL;
	struct redis *redis;
	char key[160];
	struct err e;
	bool found;

	put_memory_key(run, s->label, key);
	if (run_redis(run, &redis, &e) < 0 || redis_cmd(redis, &reply, &e, "GET", key, NULL) < 0)
		return false;
	found = reply->type == REDIS_STRING && census_is_column(reply->str);
	if (found)
		memcpy(s->column, reply->str, reply->len + 1);
	redis_reply_free(reply);
	return found;
}

static void remember_column(struct run *run, const struct state *s)
{
	struct redis *redis;
	char key[160];
	struct err e;

	put_memory_key(run, s->label, key);
	if (run_redis(run, &redis, &e) >= 0)
		(void)redis_cmd(redis, NULL, &e, "SETEX", key, COLUMN_TTL, s->column, NULL);
}

static void ask_group(struct talk *t)
{
	struct ask what = { .free_of_charge = true };
	struct buf path;

	buf_init(&path, PATH_MAX_BYTES);
	census_group_path(CENSUS_VINTAGE, &path);
	what.path = buf_text(&path);
	talk_ask(t, GROUP, what);
	buf_release(&path);
}

static void ask_table(struct talk *t, size_t which)
{
	struct state *s = t->of;
	const char *columns[] = { s->column, s->margin, CENSUS_LABOUR_FORCE, CENSUS_UNEMPLOYED,
				  CENSUS_WORKERS, CENSUS_AT_HOME };
	struct ask what = { .key_parameter = "key" };
	struct buf path;

	if (which == s->nareas)
		return;
	census_margin_column(s->column, s->margin);
	buf_init(&path, PATH_MAX_BYTES);
	census_table_path(CENSUS_VINTAGE, &s->areas[which].area, columns, COUNT(columns), &path);
	what.path = buf_text(&path);
	talk_ask(t, TABLE + (int)which, what);
	buf_release(&path);
}

static void begin(struct talk *t, const struct request *r)
{
	struct state *s = t->of = mem_zalloc(sizeof *s);

	s->nareas = source_areas(&r->area, s->areas);
	s->label = census_group_label(r->occupation.row);
	if (s->label && column_remembered(t->run, s))
		ask_table(t, 0);
	else if (s->label)
		ask_group(t);
}

static int hear_group(struct talk *t, const struct http_response *a, struct err *e)
{
	struct state *s = t->of;
	int r = census_judge(a->status, a->content_type, buf_text(&a->body), a->body.len, e);

	if (r >= 0)
		r = census_find_column(buf_text(&a->body), a->body.len, s->label, s->column, e);
	if (r < 0)
		return r;
	remember_column(t->run, s);
	ask_table(t, 0);
	return 0;
}

static struct amount figure(const struct census_table *t, const char *column)
{
	struct amount a = { AMOUNT_ABSENT, 0 };

	if (census_rows(t) > 0)
		(void)census_amount(t, 0, column, &a, NULL);
	return a;
}

static double relative_error(struct amount median, struct amount margin)
{
	if (median.kind != AMOUNT_VALUE || median.e4 <= 0 || margin.kind != AMOUNT_VALUE ||
	    margin.e4 < 0)
		return -1;
	return 100 * amount_number(margin) / MARGIN_TO_ERROR / amount_number(median);
}

static void read_pay(struct state *s, const struct census_table *t, const struct source_area *at)
{
	struct benchmark b = benchmark_empty("census");

	b.median = figure(t, s->column);
	if (s->has_pay || !amount_is_known(b.median) || b.median.e4 <= 0)
		return;
	b.area = at->area;
	b.steps_wider = at->steps;
	b.error_percent = relative_error(b.median, figure(t, s->margin));
	b.year = CENSUS_VINTAGE;
	b.age_days = findings_age_days(CENSUS_VINTAGE, 12, 31);
	b.group = true;
	b.note = PAY_NOTE;
	s->pay = b;
	s->has_pay = true;
}

static void read_market(struct state *s, const struct census_table *t, const struct source_area *at)
{
	struct market m = { .source = "census", .area = at->area, .steps_wider = at->steps,
			    .year = CENSUS_VINTAGE, .note = MARKET_NOTE };

	m.unemployment =
		amount_percent(figure(t, CENSUS_UNEMPLOYED), figure(t, CENSUS_LABOUR_FORCE));
	m.remote = amount_percent(figure(t, CENSUS_AT_HOME), figure(t, CENSUS_WORKERS));
	m.age_days = findings_age_days(CENSUS_VINTAGE, 12, 31);
	if (s->has_market || (!amount_is_known(m.unemployment) && !amount_is_known(m.remote)))
		return;
	s->market = m;
	s->has_market = true;
}

/* A wider area is asked when this one has no median; what of the market it told stands. */
static int hear(struct talk *t, int question, const struct http_response *a, struct err *e)
{
	struct state *s = t->of;
	struct census_table *table = NULL;
	int r;

	if (question == GROUP)
		return hear_group(t, a, e);
	r = census_parse(a->status, a->content_type, buf_text(&a->body), a->body.len, &table, e);
	if (r == 0 && census_rows(table) > 0 && !census_is_of(table, &s->areas[question].area))
		r = err_set(e, ERR_PROTOCOL, "Census answers for another place");
	if (r == 0) {
		read_pay(s, table, &s->areas[question]);
		read_market(s, table, &s->areas[question]);
	}
	census_table_free(table);
	if (r < 0 && r != -ERR_NOT_FOUND)
		return r;
	if (!s->has_pay)
		ask_table(t, (size_t)question + 1);
	return 0;
}

static void end(struct talk *t, const struct request *r, struct findings *f)
{
	struct state *s = t->of;
	struct benchmark *b = s->has_pay ? findings_benchmark(f, "census") : NULL;
	struct market *m = s->has_market ? findings_market(f, "census") : NULL;

	(void)r;
	if (b)
		*b = s->pay;
	if (m)
		*m = s->market;
	source_note(t, f, b || m,
		    !s->label   ? "ACS has no group for this occupation" :
		    !s->has_pay ? "no median is published for this group" :
				  NULL);
	free(s);
}

const struct source_side SOURCE_CENSUS = {
	.name = "census", .hear = hear, .begin = begin, .end = end
};
