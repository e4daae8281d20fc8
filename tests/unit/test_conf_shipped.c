/* SPDX-License-Identifier: MIT */
/* services: none
 *
 * The queues.conf that we ship, and whether it and the manual tell of every key. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "common/base/conf.h"
#include "common/base/conf_schema.h"
#include "common/base/err.h"
#include "common/base/mem.h"

static char *slurp(const char *path)
{
	FILE *f = fopen(path, "r");
	char *text = mem_zalloc(1 << 20);

	assert_non_null(f);
	assert_true(fread(text, 1, (1 << 20) - 1, f) > 0);
	fclose(f);
	return text;
}

static void check_schedules(const struct conf *c)
{
	static const struct {
		const char *name, *cron, *after;
		int64_t delay_s;
		int retries;
		int64_t distance_s, limit_s;
		bool off;
	} want[] = {
		{ "job_collection", "0 2 * * *", "", 0, 3, 1800, 7200, false },
		{ "quality_checks", "0 */4 * * *", "", 0, 1, 900, 1800, false },
		{ "cache_monitoring", "@hourly", "", 0, CONF_UNSET, 0, 0, false },
		{ "cache_cleanup", "30 3 * * *", "", 0, CONF_UNSET, 0, 0, false },
		{ "salary_sync", "0 5 * * SUN", "", 0, CONF_UNSET, 0, 0, false },
		{ "skill_taxonomy", "0 3 * * SUN", "", 0, 2, 3600, 10800, true },
		{ "profile_refresh", "0 */6 * * *", "", 0, 2, 1800, 3600, true },
		{ "model_training", "0 1 * * SAT", "", 0, 1, 7200, 14400, true },
		{ "backup", "0 4 * * *", "", 0, CONF_UNSET, 0, 3600, true },
		{ "daily_collection", "0 9 * * *", "", 0, CONF_UNSET, 0, 0, false },
		{ "processing_batch", "", "daily_collection", 300, CONF_UNSET, 0, 0, false },
		{ "loading_batch", "", "processing_batch", 120, CONF_UNSET, 0, 0, false },
	};

	for (size_t i = 0; i < COUNT(want); i++) {
		const struct conf_schedule *s = conf_schedule(c, want[i].name);

		assert_non_null(s);
		assert_string_equal(s->cron, want[i].cron);
		assert_string_equal(s->after, want[i].after);
		assert_string_equal(s->timezone, "UTC");
		assert_int_equal(s->delay_ms, want[i].delay_s * 1000);
		assert_int_equal(s->max_retries, want[i].retries);
		assert_int_equal(s->retry_distance_ms, want[i].distance_s * 1000);
		assert_int_equal(s->limit_ms, want[i].limit_s * 1000);
		assert_int_equal(s->enabled, !want[i].off);
	}
}

static void the_shipped_file_loads_and_holds_the_contract(void **state)
{
	static const char *const queues[][2] = {
		{ "job_collection_requests", "collection" }, { "raw_data_processing", "processing" },
		{ "processed_data_loading", "loading" }, { "salary_data", "salary" },
		{ "monitoring", "salary" }, { "analytics", "salary" }, { "confidence_scores", "confidence" },
		{ "drill", "drill" }, { "alerts", "alerting" },
	};
	struct conf *c = NULL;

	(void)state;
	if (conf_load(&c, "queues.conf", NULL) < 0)
		fail_msg("%s", conf_errors());
	assert_int_equal(c->nqueues, COUNT(queues));
	for (size_t i = 0; i < COUNT(queues); i++) {
		assert_non_null(conf_queue(c, queues[i][0]));
		assert_string_equal(conf_queue(c, queues[i][0])->program, queues[i][1]);
		assert_int_equal(conf_queue(c, queues[i][0])->max_priority, 10);
		assert_int_equal(conf_queue(c, queues[i][0])->type, CONF_QUEUE_CLASSIC);
	}
	assert_int_equal(conf_source(c, "jsearch")->monthly_quota, 200);
	assert_false(conf_source(c, "indeed")->enabled);
	check_schedules(c);
	conf_close(c);
}

static void the_salary_tasks_have_the_options_that_their_callers_know(void **state)
{
	static const struct {
		const char *name, *queue;
		int priority, a_minute, burst;
		int64_t soft_s, hard_s;
		int retries;
		int64_t backoff_s;
		enum conf_retry_on on;
	} known[] = {
		{ "fetch_salary_data", "salary_data", 5, 10, 10, 240, 300, 3, 60, CONF_RETRY_ANY },
		{ "refresh_salary_cache", "salary_data", 3, 5, 5, 540, 600, 2, 120, CONF_RETRY_ANY },
		{ "update_confidence_scores", "confidence_scores", 4, 15, 15, 1500, 1800, 2, 300,
		  CONF_RETRY_ANY },
		{ "cleanup_expired_cache", "monitoring", 2, 0, 1, 240, 300, 2, 300,
		  CONF_RETRY_TRANSIENT },
		{ "monitor_cache_performance", "monitoring", 6, 0, 1, 50, 60, 1, 10,
		  CONF_RETRY_TRANSIENT },
		{ "sync_salary_data", "analytics", 1, 0, 1, 1500, 1560, 3, 300,
		  CONF_RETRY_TRANSIENT },
	};
	struct conf *c = NULL;

	(void)state;
	if (conf_load(&c, "queues.conf", NULL) < 0)
		fail_msg("%s", conf_errors());
	for (size_t i = 0; i < COUNT(known); i++) {
		char *name = mem_printf("backend.tasks.salary_data_tasks.%s", known[i].name);
		const struct conf_task *t = conf_task(c, name);

		assert_non_null(t);
		assert_string_equal(t->queue, known[i].queue);
		assert_int_equal(t->priority, known[i].priority);
		assert_int_equal(t->rate_per_s > 0 ? (int)(t->rate_per_s * 60 + 0.5) : 0,
				 known[i].a_minute);
		assert_int_equal(t->rate_burst, known[i].burst);
		assert_int_equal(t->rate_at_fetch, i == 0);
		assert_int_equal(t->soft_ms, known[i].soft_s * 1000);
		assert_int_equal(t->hard_ms, known[i].hard_s * 1000);
		assert_int_equal(t->max_retries, known[i].retries);
		assert_int_equal(t->retry_backoff_ms, known[i].backoff_s * 1000);
		assert_false(t->retry_fixed);	/* doubled and jittered */
		assert_int_equal(t->retry_on, known[i].on);
		free(name);
	}
	conf_close(c);
}

/* As a setting of its own ("key = …", maybe commented out) in the part of the text that speaks of
 * the block. */
static bool shipped_has(const char *text, const struct conf_kind *kind, const char *key)
{
	const char *titled =
		kind->titled ? mem_printf("\n# %s NAME {", kind->name) : mem_printf("\nfleet {");
	const char *at = strstr(text, titled),
		   *end = at ? strstr(at, kind->titled ? "\n# }" : "\n}") : NULL;
	char *want = mem_printf("\t%s = ", key), *want_commented = mem_printf("\t# %s = ", key);
	bool found = false;

	for (const char *p = at; p && p < end && !found; p = strchr(p + 1, '\n')) {
		const char *line = p + 1 + (p[1] == '#');

		found = strncmp(line, want, strlen(want)) == 0 ||
			strncmp(line, want_commented, strlen(want_commented)) == 0;
	}
	free((char *)titled);
	free(want);
	free(want_commented);
	return found;
}

static bool manual_has(const char *text, const struct conf_kind *kind, const char *key)
{
	char *section = mem_printf("\n.SH %s\n", kind->name), *want = mem_printf("\n.B %s\n", key);
	const char *at, *end, *found;

	for (char *p = section + 5; *p; p++)
		*p = (char)(*p >= 'a' && *p <= 'z' ? *p - 'a' + 'A' : *p);
	at = strstr(text, section);
	end = at ? strstr(at + 1, "\n.SH ") : NULL;
	found = at ? strstr(at, want) : NULL;
	free(section);
	free(want);
	return found && end && found < end;
}

static void every_key_is_documented_in_the_shipped_file_and_in_the_manual(void **state)
{
	char *shipped = slurp("queues.conf"), *manual = slurp("common/base/queues.conf.5");
	size_t missing = 0;

	(void)state;
	for (size_t k = 0; k < CONF_KINDS; k++) {
		const struct conf_kind *kind = &CONF_SCHEMA[k];

		for (size_t i = 0; i < kind->nkeys; i++) {
			const char *key = kind->keys[i].name;

			if (!shipped_has(shipped, kind, key)) {
				print_error("queues.conf says nothing of %s: %s\n", kind->name,
					    key);
				missing++;
			}
			if (!manual_has(manual, kind, key)) {
				print_error("queues.conf.5 says nothing of %s: %s\n", kind->name,
					    key);
				missing++;
			}
		}
	}
	free(shipped);
	free(manual);
	assert_int_equal(missing, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_shipped_file_loads_and_holds_the_contract),
		cmocka_unit_test(the_salary_tasks_have_the_options_that_their_callers_know),
		cmocka_unit_test(every_key_is_documented_in_the_shipped_file_and_in_the_manual),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
