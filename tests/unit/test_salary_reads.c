/* SPDX-License-Identifier: MIT */
/* Reads from Redis to the tables exactly once, whoever dies; what the monitor makes of them.
 * services: shared
 * timeout: 120 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants the above first */
#include <cmocka.h>

#include "tests/unit/handler_bed.h"
#include "workers/salary/cache.h"
#include "workers/salary/reads.h"
#include "workers/salary/readstats.h"
#include "workers/salary/upkeep.h"

#define MONITOR "backend.tasks.salary_data_tasks.monitor_cache_performance"
#define YORK "salary_data:new_york:software_engineer:ny:us:any:any:any:latest"
#define TOTALS "SELECT sum(cache_hits) || ' ' || sum(cache_misses) FROM salary_data_cache"

static int count_one(const char *key, enum read_outcome outcome, int64_t took_us)
{
	struct read r = { .key = key, .strategy = STRATEGY_STANDARD, .outcome = outcome,
			  .at_us = clock_wall_us(), .took_us = took_us, .origin = "gen1@web",
			  .task_id = "t-1" };
	struct err e = { 0 };
	int n = reads_count(bed.redis, bed.conf, &r, 1, &e);

	bed_must(n, &e, "count");
	return n;
}

static int flush(void)
{
	struct err e = { 0 };
	int n = reads_flush(bed.pg, bed.redis, bed.conf, &e);

	bed_must(n, &e, "flush");
	return n;
}

static bool exists(enum reads_key k)
{
	char key[READS_KEY_SIZE];
	struct redis_reply *reply = NULL;
	struct err e = { 0 };
	bool there;

	reads_key(k, bed.conf, key);
	bed_must(redis_cmd(bed.redis, &reply, &e, "EXISTS", key, NULL), &e, "exists");
	there = reply->integer == 1;
	redis_reply_free(reply);
	return there;
}

static void reads_come_to_both_tables_in_a_batch(void **state)
{
	(void)state;
	assert_int_equal(count_one(YORK, READ_HIT, 900), 1);
	assert_int_equal(count_one(YORK, READ_STALE, 1000), 2);
	assert_int_equal(count_one(YORK, READ_MISS, -1), 3);
	assert_int_equal(count_one("salary_data:boston", READ_MISS, -1), 4);
	bed_expect_sql("SELECT count(*) FROM jobfleet.salary_reads", "0");
	assert_int_equal(flush(), 4);
	assert_int_equal(flush(), 0);
	bed_expect_sql(
		"SELECT string_agg(cache_key || ' ' || cache_hits || ' ' || cache_misses || ' ' ||"
		" hit_rate, ', ' ORDER BY cache_key) FROM salary_data_cache",
		"salary_data:boston 0 1 0.00, " YORK " 2 1 66.67");
	bed_expect_sql("SELECT string_agg(DISTINCT origin || ' ' || task_id, ',') || ' ' ||"
		       " string_agg(outcome, ',' ORDER BY read_at, outcome) FROM jobfleet.salary_reads"
		       " WHERE read_at > now() - interval '1 hour'",
		       "gen1@web t-1 hit,stale,miss,miss");
	/* a key that only missed is no answer that stands in Redis */
	bed_expect_sql("SELECT bool_or(is_active) FROM salary_data_cache", "f");
	assert_false(exists(READS_TAKEN) || exists(READS_TAKEN_ID) || exists(READS_LINES));
}

static void hostile_texts_and_foreign_lines_hold_nothing_up(void **state)
{
	char lines[READS_KEY_SIZE];
	struct read r = { .key = "salary_data:a\"b\\\x01\xff", .origin = "ge\nn\"1@\xc3(",
			  .task_id = NULL, .at_us = clock_wall_us() };
	struct err e = { 0 };

	(void)state;
	bed_must(reads_count(bed.redis, bed.conf, &r, 1, &e), &e, "count");
	reads_key(READS_LINES, bed.conf, lines);
	bed_must(redis_cmd(bed.redis, NULL, &e, "RPUSH", lines, "", "[]", "nonsense", "[1,2,3,4,5]",
			   "[\"x\",\"k\",\"o\",\"t\",\"hit\"]", "[1,\"k\",\"o\",\"t\",\"won\"]", NULL),
		 &e, "push");
	count_one(YORK, READ_HIT, 5);
	assert_int_equal(flush(), 8);
	bed_expect_sql("SELECT count(*) FROM jobfleet.salary_reads", "2");
	assert_int_equal(flush(), 0);
}

static void past_the_limit_lines_are_counted_only(void **state)
{
	char lines[READS_KEY_SIZE];
	static const char FILL[] = "for i = 1, 50000 do redis.call('RPUSH', KEYS[1], 'x') end";
	struct readstats stats;
	struct err e = { 0 };

	(void)state;
	reads_key(READS_LINES, bed.conf, lines);
	bed_must(redis_cmd(bed.redis, NULL, &e, "EVAL", FILL, "1", lines, NULL), &e, "fill");
	assert_int_equal(count_one(YORK, READ_HIT, 100), READS_WAITING_MAX);
	bed_must(readstats_load(bed.redis, bed.conf, clock_wall_us(), &stats, &e), &e, "stats");
	assert_int_equal(stats.dropped, 1);
	assert_int_equal(readstats_hits(&stats, STRATEGY_STANDARD), 1);
}

static void statistics_are_by_strategy_and_forget_after_a_day(void **state)
{
	struct read r = { .key = YORK, .strategy = STRATEGY_AGGRESSIVE, .outcome = READ_HIT };
	int64_t now = clock_wall_us();
	struct readstats stats;
	struct err e = { 0 };

	(void)state;
	for (int i = 1; i <= 100; i++) {
		r.at_us = now;
		r.took_us = i * 1000;
		bed_must(reads_count(bed.redis, bed.conf, &r, 1, &e), &e, "count");
	}
	r.at_us = now - INT64_C(26) * 3600 * 1000000;
	r.outcome = READ_MISS;
	bed_must(reads_count(bed.redis, bed.conf, &r, 1, &e), &e, "count");
	bed_must(readstats_load(bed.redis, bed.conf, now, &stats, &e), &e, "stats");
	assert_int_equal(readstats_hits(&stats, STRATEGY_AGGRESSIVE), 100);
	assert_int_equal(readstats_hits(&stats, STRATEGY_STANDARD), 0);
	assert_int_equal(readstats_misses(&stats, STRATEGY_COUNT), 0);
	assert_in_range((int)(1000 * readstats_ms(&stats, STRATEGY_AGGRESSIVE, 0.50)), 47000,
			53000);
	assert_in_range((int)(1000 * readstats_ms(&stats, STRATEGY_COUNT, 0.99)), 94000, 104000);
	assert_true(readstats_ms(&stats, STRATEGY_STANDARD, 0.99) == 0);
}

static void buckets_hold_what_falls_into_them(void **state)
{
	(void)state;
	assert_int_equal(reads_bucket(-5), 0);
	assert_int_equal(reads_bucket(0), 0);
	assert_int_equal(reads_bucket(INT64_MAX), READS_BUCKETS - 1);
	for (int64_t us = 2; us < 200000000; us = us * 5 / 4 + 1) {
		double middle = reads_bucket_us(reads_bucket(us));

		assert_true(middle > 0.95 * (double)us && middle < 1.05 * (double)us);
	}
}

/* ---- death ---- */

/* A child that flushes for ever on connections of its own. */
static pid_t start_flusher(void)
{
	pid_t child = fork();

	if (child != 0)
		return child;
	struct err e = { 0 };
	struct redis *redis;
	struct pg *pg;

	if (pg_open(&pg, bed.conf->fleet.database_url, "flusher", 10000, &e) < 0 ||
	    redis_open(&redis, bed.conf->fleet.redis_url, 5000, &e) < 0)
		_exit(1);
	while (reads_flush(pg, redis, bed.conf, &e) >= 0)
		;
	_exit(2);
}

static void kill_flusher(pid_t child)
{
	int status;

	kill(child, SIGKILL);
	waitpid(child, &status, 0);
	assert_true(WIFSIGNALED(status));
}

static void wait_for_sql(const char *sql)
{
	int64_t end = clock_mono_ms() + 30000;

	for (;;) {
		char *got = bed_sql(sql);
		bool there = strcmp(got, "t") == 0;

		free(got);
		if (there)
			return;
		if (clock_mono_ms() > end)
			fail_msg("not within 30 s: %s", sql);
		usleep(5000);
	}
}

#define BLOCKED \
	"SELECT count(*) > 0 FROM pg_stat_activity WHERE application_name = 'flusher'" \
	" AND wait_event_type = 'Lock' AND datname = current_database()"

/* Leaves a flusher dead whose batch the database has not taken, or has, as end says. */
static void die_in_a_flush(const char *end)
{
	struct err e = { 0 };
	pid_t child;

	bed_must(pg_begin(bed.pg, 0, &e), &e, "begin");
	free(bed_sql("LOCK TABLE jobfleet.salary_reads IN ACCESS EXCLUSIVE MODE"));
	child = start_flusher();
	/* a snapshot of the activity stands still inside a transaction */
	int64_t limit = clock_mono_ms() + 30000;
	for (bool there = false; !there;) {
		char *got;

		free(bed_sql("SELECT pg_stat_clear_snapshot()"));
		got = bed_sql(BLOCKED);
		there = strcmp(got, "t") == 0;
		free(got);
		if (!there && clock_mono_ms() > limit)
			fail_msg("the flusher does not come to the table");
		usleep(5000);
	}
	kill_flusher(child);
	free(bed_sql(end));
	bed_must(pg_commit(bed.pg, &e), &e, "commit");
	wait_for_sql("SELECT count(*) = 0 FROM pg_stat_activity WHERE application_name = 'flusher'"
		     " AND datname = current_database()");
}

static void killed_after_the_commit_a_batch_counts_once(void **state)
{
	(void)state;
	for (int i = 0; i < 10; i++)
		count_one(YORK, i < 7 ? READ_HIT : READ_MISS, 10);
	/* its server process finishes the statement and commits, and nobody tells Redis */
	die_in_a_flush("SELECT 1");
	bed_expect_sql(TOTALS, "7 3");
	assert_true(exists(READS_TAKEN_ID));
	count_one(YORK, READ_HIT, 10);
	assert_int_equal(flush(), 10);
	bed_expect_sql(TOTALS, "7 3");
	assert_int_equal(flush(), 1);
	bed_expect_sql(TOTALS, "8 3");
	bed_expect_sql("SELECT count(*) FROM jobfleet.salary_reads", "11");
}

static void killed_before_the_commit_a_batch_is_handed_in_again(void **state)
{
	(void)state;
	for (int i = 0; i < 10; i++)
		count_one(YORK, READ_HIT, 10);
	die_in_a_flush("SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
		       " WHERE application_name = 'flusher'");
	bed_expect_sql("SELECT count(*) FROM salary_data_cache", "0");
	assert_true(exists(READS_TAKEN));
	assert_int_equal(flush(), 10);
	bed_expect_sql(TOTALS, "10 0");
	assert_int_equal(flush(), 0);
}

static void killed_again_and_again_and_two_at_once_count_each_read_once(void **state)
{
	char *got;
	unsigned seed = 4711;
	int counted = 0;

	(void)state;
	for (int round = 0; round < 8; round++) {
		pid_t a = start_flusher(), b = start_flusher();

		for (int i = 0; i < 200; i++, counted++)
			count_one(YORK, READ_HIT, 10);
		usleep((useconds_t)(rand_r(&seed) % 30000));
		kill_flusher(a);
		kill_flusher(b);
	}
	wait_for_sql("SELECT count(*) = 0 FROM pg_stat_activity WHERE application_name = 'flusher'"
		     " AND datname = current_database()");
	while (flush() > 0)
		;
	got = mem_printf("%d", counted);
	bed_expect_sql("SELECT sum(cache_hits) FROM salary_data_cache", got);
	bed_expect_sql("SELECT count(*) FROM jobfleet.salary_reads", got);
	bed_expect_sql("SELECT sum(reads) FROM jobfleet.salary_read_batches", got);
	free(got);
}

/* ---- the monitor ---- */

static cJSON *monitor(void)
{
	struct err e = { 0 };
	cJSON *o = NULL;

	bed_must(bed_call(MONITOR, monitor_cache_performance, NULL, "{}", &o, &e), &e, "monitor");
	return o;
}

static const cJSON *aim(const cJSON *answer, const char *name)
{
	const cJSON *a;

	cJSON_ArrayForEach(a, json_get(answer, "aims"))
		if (strcmp(json_str(a, "name", ""), name) == 0)
			return a;
	fail_msg("no aim %s", name);
	return NULL;
}

static void a_low_hit_rate_raises_an_alert_that_a_better_one_resolves(void **state)
{
	cJSON *a;

	(void)state;
	for (int i = 0; i < 99; i++)
		count_one(YORK, READ_MISS, -1);
	cJSON_Delete(monitor());
	bed_expect_sql("SELECT count(*) FROM jobfleet.alerts", "0");
	count_one(YORK, READ_MISS, -1);
	a = monitor();
	assert_int_equal(cJSON_GetArraySize(json_get(a, "warnings")), 1);
	assert_true(cJSON_IsFalse(json_get(aim(a, "hit_rate_percent"), "met")));
	cJSON_Delete(a);
	bed_expect_sql("SELECT name || ' ' || level FROM jobfleet.alerts WHERE resolved_at IS NULL",
		       "cache_hit_rate WARNING");
	for (int i = 0; i < 300; i++)
		count_one(YORK, READ_HIT, 1000);
	a = monitor();
	assert_int_equal(json_num(json_get(a, "recent"), "hit_rate", 0), 75);
	assert_int_equal(json_num(a, "hit_rate", 0), 75);
	assert_true(json_bool(aim(a, "hit_rate_percent"), "met", false));
	assert_true(json_bool(aim(a, "cached_answer_p99_ms"), "met", false));
	assert_int_equal(cJSON_GetArraySize(json_get(a, "warnings")), 0);
	cJSON_Delete(a);
	bed_expect_sql("SELECT count(*) FROM jobfleet.alerts WHERE resolved_at IS NULL", "0");
	bed_expect_sql("SELECT count(*) FROM jobfleet.salary_reads", "400");
}

static void store(const char *key, const char *strategy, const char *status, bool fallback)
{
	static const struct cache_life LIFE = { 3600, 7200 };
	cJSON *meta = cJSON_CreateObject(), *details = cJSON_CreateObject(), *bls;
	int64_t now_s = clock_wall_ms() / 1000;
	struct err e = { 0 };

	bls = cJSON_CreateObject();
	json_set_str(bls, "status", status);
	json_set(details, "bls", bls);
	json_set_num(meta, "stored_at", (double)now_s);
	json_set_num(meta, "count", 1);
	json_set_str(meta, "strategy", strategy);
	json_set_bool(meta, "fallback", fallback);
	json_set(meta, "source_details", details);
	bed_must(cache_track(bed.pg, CACHE_SALARY, key, meta, LIFE, &e), &e, "track");
	bed_must(cache_put(bed.redis, key, meta,
			   "[{\"median_salary\": 1.00, \"median_salary\": 1.00}]", now_s, LIFE,
			   strcmp(strategy, "conservative") != 0, &e),
		 &e, "put");
	cJSON_Delete(meta);
}

static void it_reports_sizes_by_strategy_and_kind_and_the_aims(void **state)
{
	const cJSON *o;
	cJSON *a;

	(void)state;
	a = monitor();
	assert_true(cJSON_IsNull(cJSON_GetObjectItem((cJSON *)aim(a, "source_error_rate_percent"),
						     "value")));
	cJSON_Delete(a);
	store("salary_data:a", "standard", "ok", false);
	store("salary_data:b", "standard", "failed", true);
	store("salary_data:c", "conservative", "ok", false);
	store("salary_data:d", "aggressive", "ok", false);
	count_one("salary_data:a", READ_HIT, 2000);
	a = monitor();
	o = json_get(json_get(a, "by_strategy"), "standard");
	assert_int_equal(json_num(o, "entries", 0), 2);
	assert_true(json_num(o, "compression_ratio", 0) > 1);
	assert_int_equal(json_num(json_get(o, "response_time_ms"), "samples", 0), 1);
	o = json_get(json_get(a, "by_strategy"), "conservative");
	assert_true(json_num(o, "compression_ratio", 2) <= 1);
	o = json_get(json_get(a, "by_data_type"), "salary_data");
	assert_int_equal(json_num(o, "entries", 0), 4);
	assert_int_equal(json_num(json_get(a, "in_redis"), "entries", 0), 4);
	assert_int_equal(json_num(aim(a, "source_error_rate_percent"), "value", 0), 25);
	assert_true(cJSON_IsFalse(json_get(aim(a, "source_error_rate_percent"), "met")));
	assert_int_equal(json_num(aim(a, "fallback_share_percent"), "value", 0), 100);
	assert_true(json_bool(aim(a, "critical_data_age_days"), "met", false));
	assert_true(json_num(aim(a, "indexed_query_ms"), "value", -1) >= 0);
	cJSON_Delete(a);
}

#define TEST(f) cmocka_unit_test_setup(f, bed_clean_before)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(reads_come_to_both_tables_in_a_batch),
		TEST(hostile_texts_and_foreign_lines_hold_nothing_up),
		TEST(past_the_limit_lines_are_counted_only),
		TEST(statistics_are_by_strategy_and_forget_after_a_day),
		TEST(buckets_hold_what_falls_into_them),
		TEST(killed_after_the_commit_a_batch_counts_once),
		TEST(killed_before_the_commit_a_batch_is_handed_in_again),
		TEST(killed_again_and_again_and_two_at_once_count_each_read_once),
		TEST(a_low_hit_rate_raises_an_alert_that_a_better_one_resolves),
		TEST(it_reports_sizes_by_strategy_and_kind_and_the_aims),
	};

	return cmocka_run_group_tests_name("salary reads", tests, bed_start_alone, bed_stop);
}
