/* SPDX-License-Identifier: MIT */
#include "common/base/conf.h"
#include "common/base/err.h"
#include "common/base/json.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/store/pg.h"
#include "workers/processing/pipeline.h"

/* What a check compares: a share from 0 to 1, on which side of its threshold it should be, and what
 * it should come to. */
struct check {
	const char *name;
	enum { COMPLETENESS, CONSISTENCY, DUPLICATES, ERRORS } threshold;	/* whose key */
	bool at_most, judged;
	double target;
};

/* Targets as contracts.md states them. The order is that of SQL_FIGURES. Freshness is shown, not
 * judged: it depends on how often somebody collects. */
static const struct check CHECKS[] = {
	{ "completeness", COMPLETENESS, false, true, 0.99 },
	{ "consistency", CONSISTENCY, false, true, 0.95 },
	{ "duplicates", DUPLICATES, true, true, 0.05 },
	{ "errors", ERRORS, true, true, 0.05 },
	{ "fresh_within_24h", COMPLETENESS, false, false, 1.00 },
};

static double threshold(const struct conf *conf, const struct check *c)
{
	const double keys[] = {
		[COMPLETENESS] = conf->fleet.quality_completeness,
		[CONSISTENCY] = conf->fleet.quality_consistency,
		[DUPLICATES] = conf->fleet.quality_duplicates,
		[ERRORS] = conf->fleet.quality_errors,
	};

	return keys[c->threshold];
}

/* Duplicates are counted within collections: that a posting is met again tomorrow is no fault.
 * Postings are those loaded or seen again in the time; a share of nothing is null. Consistent is a
 * posting whose bounds are in order, whose pay has a currency and a plausible year's worth, and
 * which is not dated in the future. */
static const char SQL_FIGURES[] =
	"WITH jobs AS (SELECT * FROM public.enhanced_jobs WHERE id IN (SELECT o.job_id"
	"  FROM public.job_processing_log l JOIN public.job_sources o USING (processing_id)"
	"  WHERE l.loaded_at > now() - $1::int * interval '1 hour')),"
	" logs AS (SELECT coalesce(sum(jobs_processed), 0) AS processed, "
	"coalesce(sum(jobs_failed), 0) AS failed,"
	"  coalesce(sum((metrics->>'duplicates_within')::int), 0) AS duplicates"
	"  FROM public.job_processing_log WHERE started_at > now() - $1::int * interval '1 hour')"
	" SELECT (SELECT count(*) FROM jobs), (SELECT processed FROM logs),"
	" (SELECT avg(quality_score) FROM jobs),"
	" (SELECT avg((coalesce(salary_min <= salary_max, true)"
	"   AND (salary_min IS NULL AND salary_max IS NULL OR salary_currency IS NOT NULL)"
	"   AND coalesce(coalesce(salary_annual_min, salary_annual_max) BETWEEN 1000 AND "
	"100000000, true)"
	"   AND coalesce(posted_at <= now() + interval '1 day', true))::int) FROM jobs),"
	" (SELECT duplicates::numeric / nullif(processed, 0) FROM logs),"
	" (SELECT failed::numeric / nullif(processed + failed, 0) FROM logs),"
	" (SELECT avg((posted_at > now() - interval '24 hours')::int) FROM jobs WHERE posted_at "
	"IS NOT NULL)";

static int alert(struct pg *pg, const struct check *c, double value, double limit, struct err *e)
{
	char text[200];

	snprintf(text, sizeof text, "%s is %.1f %%, %s %.1f %% is asked for", c->name, value * 100,
		 c->at_most ? "at most" : "at least", limit * 100);
	log_warn("quality %s", text);
	return (int)pg_run(pg, "SELECT jobfleet.raise_alert('data_quality', $1, 'WARNING', $2)",
			   PG_PARAMS(PG_TEXT(c->name), PG_TEXT(text)), NULL, e);
}

/* One figure into the answer; raises the alert when it is missed. */
static int judge(struct pg *pg, const struct check *c, const char *text, double value,
		 double limit, cJSON *figures, int *ret_missed, struct err *e)
{
	cJSON *one = mem_check(cJSON_CreateObject());
	bool good = !text || !c->judged || (c->at_most ? value <= limit : value >= limit);

	json_set_raw(one, "value", text ? text : "null");
	json_set_num(one, "threshold", limit);
	json_set_num(one, "target", c->target);
	json_set_bool(one, "ok", good);
	json_set(figures, c->name, one);
	*ret_missed += !good;
	return good ? 0 : alert(pg, c, value, limit, e);
}

int check_quality(struct run *run, const cJSON *args, cJSON **ret_result, struct err *e)
{
	int64_t hours = json_int(args, "hours", 24);
	cJSON *figures;
	struct pg_rows *rows = NULL;
	struct pg *pg;
	int missed = 0, r = run_db(run, &pg, e);
	int64_t n;

	if (r < 0)
		return r;
	if (hours < 1 || hours > 24 * 366)
		return err_set(e, ERR_INVALID, "hours must be 1 to 8784, not %lld",
			       (long long)hours);
	n = pg_run(pg, SQL_FIGURES, PG_PARAMS(PG_INT(hours)), &rows, e);
	if (n < 0)
		return (int)n;
	figures = mem_check(cJSON_CreateObject());
	for (size_t i = 0; r >= 0 && i < COUNT(CHECKS); i++)
		r = judge(pg, &CHECKS[i], pg_cell(rows, 0, (int)i + 2), pg_num(rows, 0, (int)i + 2),
			  threshold(run_conf(run), &CHECKS[i]), figures, &missed, e);
	*ret_result = mem_check(cJSON_CreateObject());
	json_set_str(*ret_result, "status", "success");
	json_set_num(*ret_result, "hours", (double)hours);
	json_set_num(*ret_result, "postings", (double)pg_int(rows, 0, 0));
	json_set_num(*ret_result, "processed", (double)pg_int(rows, 0, 1));
	json_set_num(*ret_result, "missed", missed);
	json_set(*ret_result, "figures", figures);
	pg_rows_free(rows);
	return r < 0 ? r : 0;
}
