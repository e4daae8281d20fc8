/* SPDX-License-Identifier: MIT */
#include "workers/ctl/drill_page.h"

#include <string.h>

#include "common/base/clock.h"
#include "common/base/err.h"
#include "common/base/json.h"
#include "common/base/mem.h"
#include "common/store/pg.h"
#include "common/store/redis.h"
#include "workers/ctl/ctl.h"
#include "workers/ctl/drill_mix.h"

enum { SHOWN_MOST = 5, COUNT_MS = 600000 };

/* What breaks a promise; dead, gone and foreign are accounted for. */
static const char *const BROKEN[] = { "lost", "unexpected", "twice", "wrong", "early" };

static const char RESULTS[] =
	"SELECT i.task_id, i.n FROM jobfleet.drill_intents i JOIN jobfleet.drill_runs r USING (run)"
	" JOIN jobfleet.ledger l ON l.task_id = i.task_id AND l.final AND l.outcome = 'success'"
	" WHERE i.run = $1 AND i.door IN ('broker', 'sql')"
	" AND l.settled_at >= coalesce(r.results_since, '-infinity')";

struct results {
	int64_t right, wrong, missing;
};

static int check_result(struct redis *redis, const char *id, int64_t n, struct results *to,
			struct err *e)
{
	char *key = mem_printf("celery-task-meta-%s", id);
	struct redis_reply *reply = NULL;
	cJSON *meta = NULL;
	int r = redis_cmd(redis, &reply, e, "GET", key, NULL);

	free(key);
	if (r < 0)
		return r;
	if (reply->type != REDIS_STRING)
		to->missing++;
	else if (json_parse(reply->str, reply->len, &meta, NULL) == 0 &&
		 strcmp(json_str(meta, "status", ""), "SUCCESS") == 0 &&
		 json_int(meta, "result", -1) == n)
		to->right++;
	else
		to->wrong++;
	cJSON_Delete(meta);
	redis_reply_free(reply);
	return 0;
}

static int count_results(struct ctl *c, const char *run, cJSON *account, struct err *e)
{
	struct results got = { 0 };
	struct pg_rows *rows = NULL;
	struct redis *redis;
	cJSON *o;
	int r = ctl_redis(c, &redis, e);

	if (r == 0)
		r = ctl_query(c, RESULTS, PG_PARAMS(PG_TEXT(run)), &rows, e);
	for (size_t i = 0; r == 0 && i < pg_rows_count(rows); i++)
		r = check_result(redis, pg_text(rows, i, 0), pg_int(rows, i, 1), &got, e);
	pg_rows_free(rows);
	if (r < 0)
		return r;
	o = mem_check(cJSON_CreateObject());
	json_set_num(o, "right", (double)got.right);
	json_set_num(o, "wrong", (double)got.wrong);
	json_set_num(o, "missing", (double)got.missing);
	json_set(account, "results", o);
	return 0;
}

bool drill_page_is_kept(const cJSON *account)
{
	return strcmp(json_str(account, "verdict", ""), "kept") == 0;
}

static void judge(cJSON *account)
{
	const cJSON *faults = json_get(account, "faults"), *results = json_get(account, "results");
	int64_t broken = json_int(results, "wrong", 0) + json_int(results, "missing", 0);

	for (size_t i = 0; i < COUNT(BROKEN); i++)
		broken += json_int(faults, BROKEN[i], 0);
	json_set_str(account, "verdict", broken ? "broken" : "kept");
}

int drill_page_read(struct ctl *c, const char *run, cJSON **ret, struct err *e)
{
	struct pg_rows *rows = NULL;
	cJSON *account = NULL;
	struct pg *pg = NULL;
	int r = ctl_pg(c, &pg, e);

	/* a look at a hundred thousand tasks on a busy machine takes its time */
	if (r == 0)
		pg_set_deadline(pg, clock_mono_ms() + COUNT_MS);
	if (r == 0)
		r = ctl_query(c, "SELECT jobfleet.drill_account($1)", PG_PARAMS(PG_TEXT(run)),
			      &rows, e);
	if (r == 0 && (pg_rows_count(rows) == 0 || !pg_cell(rows, 0, 0)))
		r = err_set(e, ERR_NOT_FOUND, "no drill \"%.40s\" has been run", run);
	if (r == 0)
		r = json_parse(pg_text(rows, 0, 0), strlen(pg_text(rows, 0, 0)), &account, e);
	pg_rows_free(rows);
	if (r == 0)
		r = count_results(c, run, account, e);
	if (r < 0) {
		cJSON_Delete(account);
		return r;
	}
	judge(account);
	*ret = account;
	return 0;
}

static void print_times(FILE *out, const char *label, const cJSON *times)
{
	if (json_int(times, "count", 0) > 0)
		fprintf(out, "%-28s p50 %.3f s, p99 %.3f s, max %.3f s, of %lld\n", label,
			json_num(times, "p50", 0), json_num(times, "p99", 0),
			json_num(times, "max", 0), (long long)json_int(times, "count", 0));
}

/* An object of numbers: "lost 0, twice 0". */
static void print_counts(FILE *out, const char *label, const cJSON *counts)
{
	const char *comma = "";
	const cJSON *n;

	fprintf(out, "%-28s ", label);
	cJSON_ArrayForEach(n, counts) {
		fprintf(out, "%s%s %.0f", comma, n->string, n->valuedouble);
		comma = ", ";
	}
	fputc('\n', out);
}

static void print_injections(FILE *out, const cJSON *injections)
{
	const cJSON *i;

	cJSON_ArrayForEach(i, injections) {
		char label[64];

		snprintf(label, sizeof label, "  %lld x %.40s", (long long)json_int(i, "times", 0),
			 json_str(i, "what", ""));
		if (json_int(json_get(i, "health_s"), "count", 0) > 0)
			print_times(out, label, json_get(i, "health_s"));
		else
			fprintf(out, "%s\n", label);
	}
}

void drill_page_print(const cJSON *account, FILE *out)
{
	fprintf(out, "%-28s %s, seed %.0f, %s\n", "drill", json_str(account, "run", ""),
		json_num(account, "seed", 0), json_str(account, "started_at", ""));
	fprintf(out, "%-28s %lld tasks started %lld times in %.1f s, %lld of them again\n", "load",
		(long long)json_int(account, "tasks", 0), (long long)json_int(account, "starts", 0),
		json_num(account, "seconds", 0),
		(long long)json_int(account, "started_again", 0));
	print_counts(out, "enqueued", json_get(account, "intents"));
	print_counts(out, "by", json_get(account, "doors"));
	print_counts(out, "kinds", json_get(account, "kinds"));
	fprintf(out, "%-28s %lld, meant %lld\n", "effects",
		(long long)json_int(account, "effects", 0),
		(long long)json_int(account, "effects_meant", 0));
	print_counts(out, "faults", json_get(account, "faults"));
	print_counts(out, "results", json_get(account, "results"));
	print_times(out, "answer of the door", json_get(account, "answer_s"));
	print_times(out, "after its due time", json_get(account, "late_s"));
	print_times(out, "killed to elsewhere", json_get(account, "recovery_s"));
	print_times(out, "  by its lease", json_get(account, "recovery_claimed_s"));
	print_times(out, "to full health", json_get(account, "health_s"));
	print_injections(out, json_get(account, "injections"));
	fprintf(out, "%-28s %s\n", "promises", json_str(account, "verdict", ""));
}

int drill_page_print_faults(struct ctl *c, const char *run, FILE *out, struct err *e)
{
	struct pg_rows *rows = NULL;
	int r = ctl_query(c,
			  "SELECT fault, root, part, kind, door, times FROM (SELECT *, row_number()"
			  " OVER (PARTITION BY fault ORDER BY root) AS place"
			  " FROM jobfleet.drill_faults($1)) AS f WHERE place <= $2"
			  " ORDER BY fault, root, part",
			  PG_PARAMS(PG_TEXT(run), PG_INT(SHOWN_MOST)), &rows, e);

	for (size_t i = 0; r == 0 && i < pg_rows_count(rows); i++)
		fprintf(out, "%s: task %s, part %s (kind %s, door %s, %lld times)\n",
			pg_text(rows, i, 0), pg_text(rows, i, 1), pg_text(rows, i, 2),
			pg_text(rows, i, 3), pg_text(rows, i, 4), (long long)pg_int(rows, i, 5));
	pg_rows_free(rows);
	return r;
}
