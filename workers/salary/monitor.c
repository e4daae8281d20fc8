/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "common/base/clock.h"
#include "common/base/conf.h"
#include "common/base/err.h"
#include "common/base/json.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/store/pg.h"
#include "common/store/redis.h"
#include "common/worker/run.h"
#include "workers/salary/aims.h"
#include "workers/salary/cache.h"
#include "workers/salary/inventory.h"
#include "workers/salary/reads.h"
#include "workers/salary/readstats.h"
#include "workers/salary/upkeep.h"

#define ALERT "cache_hit_rate"

/* What Redis knows; zeros while it is away. */
struct seen {
	struct readstats stats;
	struct inventory inventory;
	bool away;
};

/* What the tracking table knows of the answers: market_data is read along with them. */
struct totals {
	int64_t hits, misses, active, expired;
};

static double rate(int64_t hits, int64_t misses)
{
	int64_t reads = hits + misses;

	return reads > 0 ? (double)(10000 * hits / reads) / 100 : 0;
}

static double hundredths(double v)
{
	return (double)(int64_t)(v * 100 + 0.5) / 100;
}

static void warn(cJSON *warnings, const char *text)
{
	cJSON_AddItemToArray(warnings, mem_check(cJSON_CreateString(text)));
}

/* ---- Redis ---- */

/* Each batch is a statement of its own. */
static int flush_all(struct run *run, struct redis *redis, struct pg *pg, struct err *e)
{
	int r;

	do {
		r = reads_flush(pg, redis, run_conf(run), e);
	} while (r > 0 && !run_cancelled(run));
	return r;
}

static int look(struct run *run, struct pg *pg, struct seen *seen, struct err *e)
{
	struct redis *redis = NULL;
	int r = run_redis(run, &redis, e);

	if (r >= 0)
		r = flush_all(run, redis, pg, e);
	if (r >= 0)
		r = readstats_load(redis, run_conf(run), clock_wall_us(), &seen->stats, e);
	if (r >= 0)
		r = inventory_take(redis, pg, &seen->inventory, e);
	seen->away = r < 0 && (!redis || !redis_is_alive(redis));
	return seen->away ? 0 : r;
}

static cJSON *times(const struct readstats *stats, enum strategy s)
{
	cJSON *o = mem_check(cJSON_CreateObject());
	int64_t samples = readstats_timed(stats, s);

	json_set_num(o, "samples", (double)samples);
	if (samples > 0) {
		json_set_num(o, "p50", readstats_ms(stats, s, 0.50));
		json_set_num(o, "p95", readstats_ms(stats, s, 0.95));
		json_set_num(o, "p99", readstats_ms(stats, s, 0.99));
	}
	return o;
}

static void put_size(cJSON *o, const struct inventory_part *p)
{
	json_set_num(o, "entries", (double)p->entries);
	json_set_num(o, "size_bytes", (double)p->bytes);
	json_set_num(o, "plain_bytes", (double)p->plain_bytes);
	json_set_num(o, "compression_ratio", hundredths(inventory_ratio(p)));
}

static void put_reads(cJSON *o, const struct readstats *stats, enum strategy s)
{
	int64_t hits = readstats_hits(stats, s), misses = readstats_misses(stats, s), stale = 0;

	for (int i = 0; i < STRATEGY_COUNT; i++)
		if (s == STRATEGY_COUNT || (int)s == i)
			stale += stats->outcomes[i][READ_STALE];
	json_set_num(o, "hits", (double)hits);
	json_set_num(o, "stale", (double)stale);
	json_set_num(o, "misses", (double)misses);
	json_set_num(o, "hit_rate", rate(hits, misses));
}

static void report_seen(const struct seen *seen, cJSON *result)
{
	cJSON *strategies = mem_check(cJSON_CreateObject()), *o = mem_check(cJSON_CreateObject());
	struct inventory_part sum = inventory_sum(&seen->inventory);
	int64_t oldest = seen->inventory.oldest_stored_at_s;

	put_reads(o, &seen->stats, STRATEGY_COUNT);
	json_set_num(o, "hours", READS_STATS_HOURS);
	json_set(result, "recent", o);
	json_set(result, "response_time_ms", times(&seen->stats, STRATEGY_COUNT));
	for (int s = 0; s < STRATEGY_COUNT; s++) {
		o = mem_check(cJSON_CreateObject());
		put_reads(o, &seen->stats, (enum strategy)s);
		put_size(o, &seen->inventory.strategies[s]);
		json_set(o, "response_time_ms", times(&seen->stats, (enum strategy)s));
		json_set(strategies, strategy_name((enum strategy)s), o);
	}
	json_set(result, "by_strategy", strategies);
	o = mem_check(cJSON_CreateObject());
	put_size(o, &sum);
	json_set_bool(o, "whole", seen->inventory.whole);
	json_set(result, "in_redis", o);
	json_set_num(result, "oldest_entry_hours",
		     oldest > 0 ? hundredths((double)(clock_wall_ms() / 1000 - oldest) / 3600) : 0);
	json_set_num(result, "reads_dropped", (double)seen->stats.dropped);
}

/* ---- the tracking table ---- */

static const char SQL_TOTALS[] =
	"SELECT data_type, sum(cache_hits), sum(cache_misses), count(*) FILTER (WHERE is_active AND"
	" expires_at > now()), count(*) FILTER (WHERE NOT is_active OR expires_at <= now())"
	" FROM salary_data_cache GROUP BY data_type ORDER BY data_type";

static cJSON *describe(const struct pg_rows *rows, size_t i, const struct inventory *inventory)
{
	cJSON *o = mem_check(cJSON_CreateObject());

	for (int k = 0; k < CACHE_KIND_COUNT; k++)
		if (strcmp(pg_text(rows, i, 0), cache_kind_name((enum cache_kind)k)) == 0)
			put_size(o, &inventory->kinds[k]);
	json_set_num(o, "hits", (double)pg_int(rows, i, 1));
	json_set_num(o, "misses", (double)pg_int(rows, i, 2));
	json_set_num(o, "hit_rate", rate(pg_int(rows, i, 1), pg_int(rows, i, 2)));
	json_set_num(o, "active_entries", (double)pg_int(rows, i, 3));
	json_set_num(o, "expired_entries", (double)pg_int(rows, i, 4));
	return o;
}

static int report_table(struct pg *pg, const struct seen *seen, cJSON *result, struct totals *t,
			struct err *e)
{
	cJSON *kinds = mem_check(cJSON_CreateObject());
	struct pg_rows *rows = NULL;
	int64_t n = pg_run(pg, SQL_TOTALS, NULL, 0, &rows, e);

	for (size_t i = 0; n >= 0 && i < pg_rows_count(rows); i++) {
		json_set(kinds, pg_text(rows, i, 0), describe(rows, i, &seen->inventory));
		t->active += pg_int(rows, i, 3);
		t->expired += pg_int(rows, i, 4);
		if (strcmp(pg_text(rows, i, 0), cache_kind_name(CACHE_SALARY)) == 0) {
			t->hits = pg_int(rows, i, 1);
			t->misses = pg_int(rows, i, 2);
		}
	}
	pg_rows_free(rows);
	json_set_num(result, "total_hits", (double)t->hits);
	json_set_num(result, "total_misses", (double)t->misses);
	json_set_num(result, "hit_rate", rate(t->hits, t->misses));
	json_set_num(result, "active_entries", (double)t->active);
	json_set_num(result, "expired_entries", (double)t->expired);
	json_set(result, "by_data_type", kinds);
	return n < 0 ? (int)n : 0;
}

/* ---- judging ---- */

/* A bad hour shows in the last hours, not in the sum of a year. -1: too few reads to say. */
static double judged_rate(const struct seen *seen, const struct totals *t)
{
	int64_t hits = readstats_hits(&seen->stats, STRATEGY_COUNT),
		misses = readstats_misses(&seen->stats, STRATEGY_COUNT);

	if (hits + misses >= AIMS_READS_TO_JUDGE)
		return rate(hits, misses);
	return t->hits + t->misses >= AIMS_READS_TO_JUDGE ? rate(t->hits, t->misses) : -1;
}

static int sound_alert(struct pg *pg, double hit_rate, cJSON *warnings, struct err *e)
{
	char text[128];
	int64_t r;

	if (hit_rate < 0)
		return 0;
	if (hit_rate >= AIMS_HIT_RATE) {
		r = pg_run(pg, "UPDATE jobfleet.alerts SET resolved_at = now() WHERE name = '" ALERT
			       "' AND resolved_at IS NULL AND NOT ruled", NULL, 0, NULL, e);
		return r < 0 ? (int)r : 0;
	}
	snprintf(text, sizeof text, "hit rate %.2f %% is under %.0f %%", hit_rate, AIMS_HIT_RATE);
	warn(warnings, text);
	r = pg_run(pg, "SELECT jobfleet.raise_alert('" ALERT "', 'salary_data', 'WARNING', $1)",
		   PG_PARAMS(PG_TEXT(text)), NULL, e);
	return r < 0 ? (int)r : 0;
}

static void warn_of(const struct seen *seen, cJSON *warnings)
{
	char text[160];

	if (seen->away)
		warn(warnings, "the cache is away: its latest counters are left out");
	if (seen->stats.dropped > 0) {
		snprintf(text, sizeof text, "%lld reads found %d waiting and were counted only",
			 (long long)seen->stats.dropped, READS_WAITING_MAX);
		warn(warnings, text);
	}
}

static int measure(struct run *run, cJSON *result, cJSON *warnings, struct err *e)
{
	struct seen seen = { 0 };
	struct totals totals = { 0 };
	cJSON *aims = NULL;
	double hit_rate;
	struct pg *pg;
	int r = run_db_read(run, &pg, e);

	if (r >= 0)
		r = look(run, pg, &seen, e);
	if (r < 0)
		return r;
	if (seen.away)
		log_warn("cache is away, its counters are left out: %s", e->msg);
	warn_of(&seen, warnings);
	report_seen(&seen, result);
	r = report_table(pg, &seen, result, &totals, e);
	if (r < 0)
		return r;
	hit_rate = judged_rate(&seen, &totals);
	r = aims_judge(pg, &seen.stats, hit_rate, &aims, e);
	if (r < 0)
		return r;
	json_set(result, "aims", aims);
	return sound_alert(pg, hit_rate, warnings, e);
}

int monitor_cache_performance(struct run *run, const cJSON *args, cJSON **ret_result, struct err *e)
{
	cJSON *result = mem_check(cJSON_CreateObject()), *warnings = mem_check(cJSON_CreateArray());
	int r;

	(void)args;
	json_set_str(result, "status", "success");
	r = measure(run, result, warnings, e);
	json_set(result, "warnings", warnings);
	if (r < 0)
		cJSON_Delete(result);
	else
		*ret_result = result;
	return r < 0 ? r : 0;
}
