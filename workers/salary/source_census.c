/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "common/base/buf.h"
#include "common/base/conf.h"
#include "common/base/err.h"
#include "common/store/redis.h"
#include "common/worker/run.h"
#include "workers/salary/ask.h"
#include "workers/salary/census.h"
#include "workers/salary/source.h"

#define PATH_MAX_BYTES 1024
#define COLUMN_TTL "2592000"		/* 30 days: a vintage's columns do not change */

static int ask_census(struct run *run, const char *path, bool free_of_charge,
		      struct http_response *ret, struct err *e)
{
	struct ask what = { .source = "census", .path = path, .key_parameter = "key",
			    .free_of_charge = free_of_charge };

	if (free_of_charge)
		what.key_parameter = NULL;
	return ask_call(run, &what, ret, e);
}

/* Which column holds the group is asked once a month, not once a request. */
static bool column_remembered(struct run *run, const char *key, char column[CENSUS_COLUMN_SIZE])
{
	struct redis_reply *reply = NULL;
	struct redis *redis;
	struct err e;
	bool found;

	if (run_redis(run, &redis, &e) < 0 || redis_cmd(redis, &reply, &e, "GET", key, NULL) < 0)
		return false;
	found = reply->type == REDIS_STRING && reply->len > 0 && reply->len < CENSUS_COLUMN_SIZE;
	if (found)
		memcpy(column, reply->str, reply->len + 1);
	redis_reply_free(reply);
	return found;
}

static void remember_column(struct run *run, const char *key, const char *column)
{
	struct redis *redis;
	struct err e;

	if (run_redis(run, &redis, &e) >= 0)
		(void)redis_cmd(redis, NULL, &e, "SETEX", key, COLUMN_TTL, column, NULL);
}

static int find_column(struct run *run, const struct request *r, char column[CENSUS_COLUMN_SIZE],
		       struct err *e)
{
	const char *label = census_group_label(r->occupation.row);
	struct http_response answer;
	struct buf path;
	char key[96];
	int code;

	if (!label)
		return err_set(e, ERR_NOT_FOUND, "Census has no group for %s",
			       r->occupation.row->title);
	snprintf(key, sizeof key, "%.60scensus_column:%d:%.2s", run_conf(run)->fleet.redis_prefix,
		 CENSUS_VINTAGE, r->occupation.row->soc);
	if (column_remembered(run, key, column))
		return 0;
	buf_init(&path, PATH_MAX_BYTES);
	code = census_group_path(CENSUS_VINTAGE, &path, e);
	if (code >= 0)
		code = ask_census(run, buf_text(&path), true, &answer, e);
	buf_release(&path);
	if (code < 0)
		return code;
	code = census_judge(answer.status, answer.content_type, buf_text(&answer.body),
			    answer.body.len, e);
	if (code >= 0)
		code = census_find_column(buf_text(&answer.body), answer.body.len, label, column,
					  e);
	http_response_release(&answer);
	ask_settle(run, "census", code, e);
	if (code >= 0)
		remember_column(run, key, column);
	return code;
}

static int ask_table(struct run *run, const struct area *a, const char *column,
		     struct census_table **ret, struct err *e)
{
	const char *columns[] = { column, CENSUS_LABOUR_FORCE, CENSUS_UNEMPLOYED, CENSUS_WORKERS,
				  CENSUS_AT_HOME };
	struct http_response answer;
	struct buf path;
	int r;

	buf_init(&path, PATH_MAX_BYTES);
	r = census_table_path(CENSUS_VINTAGE, a, columns, sizeof columns / sizeof *columns, &path,
			      e);
	if (r >= 0)
		r = ask_census(run, buf_text(&path), false, &answer, e);
	buf_release(&path);
	if (r < 0)
		return r;
	r = census_parse(answer.status, answer.content_type, buf_text(&answer.body),
			 answer.body.len, ret, e);
	http_response_release(&answer);
	ask_settle(run, "census", r, e);
	return r;
}

static struct amount figure(const struct census_table *t, const char *column)
{
	struct amount a = { AMOUNT_ABSENT, 0 };

	if (census_rows(t) > 0)
		(void)census_amount(t, 0, column, &a, NULL);
	return a;
}

static void add_benchmark(const struct census_table *t, const char *column, const struct area *a,
			  int steps, struct findings *f)
{
	struct benchmark *b = findings_benchmark(f, "census");

	if (!b)
		return;
	b->area = *a;
	b->steps_wider = steps;
	b->median = figure(t, column);
	b->year = CENSUS_VINTAGE;
	b->age_days = findings_age_days(CENSUS_VINTAGE, 12, 31);
	b->group = true;
	b->note = "median earnings of the whole occupation group, mean of five years (ACS B24011)";
}

static void add_market(const struct census_table *t, const struct area *a, int steps,
		       struct findings *f)
{
	struct market *m = findings_market(f, "census");

	if (!m)
		return;
	m->area = *a;
	m->steps_wider = steps;
	m->unemployment =
		amount_percent(figure(t, CENSUS_UNEMPLOYED), figure(t, CENSUS_LABOUR_FORCE));
	m->remote = amount_percent(figure(t, CENSUS_AT_HOME), figure(t, CENSUS_WORKERS));
	m->year = CENSUS_VINTAGE;
	m->age_days = findings_age_days(CENSUS_VINTAGE, 12, 31);
	m->note = "mean of five years (ACS B23025, B08301)";
}

/* 1 when this area answered with a median, 0 when the next wider one is to be asked. */
static int ask_area(struct run *run, const struct area *a, int steps, const char *column,
		    struct findings *f, struct err *e)
{
	struct census_table *t = NULL;
	int r = ask_table(run, a, column, &t, e), found = 0;

	if (r == -ERR_NOT_FOUND)
		return 0;
	if (r < 0)
		return r;
	if (amount_is_known(figure(t, column))) {
		add_benchmark(t, column, a, steps, f);
		add_market(t, a, steps, f);
		found = 1;
	}
	census_table_free(t);
	return found;
}

int source_census(struct run *run, const struct request *r, struct findings *f, struct err *e)
{
	char column[CENSUS_COLUMN_SIZE] = "";
	struct area areas[SOURCE_LEVELS];
	size_t n = source_areas(&r->area, areas);
	int code = ask_may(run, "census", e);
	if (code >= 0)
		code = find_column(run, r, column, e);
	for (size_t i = 0; code == 0 && i < n; i++)
		code = ask_area(run, &areas[i], (int)i, column, f, e);
	if (code < 0)
		return source_note(f, "census", code, e);
	findings_note(f, "census", "ok",
		      code == 0 ? "no median is published for this group" : NULL);
	return 0;
}
