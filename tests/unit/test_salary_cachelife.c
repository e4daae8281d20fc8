/* SPDX-License-Identifier: MIT */
/* How long entries live, and what they are called. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants the above first */
#include <cmocka.h>

#include "common/base/err.h"
#include "common/base/json.h"
#include "common/base/mem.h"
#include "workers/salary/cachekey.h"
#include "workers/salary/cachelife.h"
#include "workers/salary/findings.h"

#define NOW INT64_C(1795219200)
#define KEY "salary_data:new_york:software_engineer:ny:us:any:any:any:latest"

static struct cache_life salary_life(double freshness, int64_t now_s)
{
	return cache_life(STRATEGY_STANDARD, CACHE_SALARY, CACHE_FIGURES, freshness, KEY, now_s);
}

static void lives_are_nominal_in_the_middle_bounded_and_jittered(void **state)
{
	static const int64_t NOMINAL[STRATEGY_COUNT][CACHE_KIND_COUNT] = {
		{ 86400, 604800, 3600 }, { 604800, 2592000, 86400 }, { 3600, 86400, 1800 },
	};

	(void)state;
	for (int s = 0; s < STRATEGY_COUNT; s++)
		for (int k = 0; k < CACHE_KIND_COUNT; k++) {
			double sum = 0;

			assert_int_equal(cache_nominal_s(s, k), NOMINAL[s][k]);
			for (int i = 0; i < 1000; i++) {
				char key[32];
				struct cache_life l;

				snprintf(key, sizeof key, "salary_data:%d", i);
				l = cache_life(s, k, CACHE_FIGURES, 0.5, key, NOW);
				assert_in_range(l.fresh_s, NOMINAL[s][k] * 9 / 10 - 1,
						NOMINAL[s][k] * 11 / 10);
				assert_true(l.keep_s > l.fresh_s && l.keep_s <= l.fresh_s + 86400);
				sum += (double)l.fresh_s;
			}
			assert_true(sum / 1000 > 0.99 * (double)NOMINAL[s][k] &&
				    sum / 1000 < 1.01 * (double)NOMINAL[s][k]);
		}
}

static void jitter_is_stable_by_key_and_time(void **state)
{
	struct cache_life a = salary_life(0.5, NOW);
	struct cache_life b = salary_life(0.5, NOW);
	struct cache_life c =
		salary_life(0.5, NOW + 1);

	(void)state;
	assert_int_equal(a.fresh_s, b.fresh_s);
	assert_int_not_equal(a.fresh_s, c.fresh_s);
}

static void what_is_due_lives_half_and_what_is_new_half_as_long_again(void **state)
{
	struct cache_life due = salary_life(-3, NOW),
			  mid = salary_life(0.5, NOW),
			  new = salary_life(7, NOW);

	(void)state;
	assert_in_range(due.fresh_s, mid.fresh_s / 2 - 1, mid.fresh_s / 2 + 1);
	assert_in_range(new.fresh_s, mid.fresh_s * 3 / 2 - 2, mid.fresh_s * 3 / 2 + 2);
}

static void nothing_is_remembered_long_and_a_failure_ten_minutes(void **state)
{
	struct cache_life none = cache_life(STRATEGY_STANDARD, CACHE_SALARY, CACHE_NONE, 0, KEY,
					    NOW),
			  failed = cache_life(STRATEGY_AGGRESSIVE, CACHE_MARKET, CACHE_FAILED, 1,
					      KEY, NOW);

	(void)state;
	assert_in_range(none.fresh_s, 77759, 95040);
	assert_int_equal(none.keep_s, none.fresh_s);
	assert_in_range(failed.fresh_s, 539, 660);
	assert_int_equal(failed.keep_s, failed.fresh_s);
}

static void freshness_is_that_of_the_release_that_comes_first(void **state)
{
	struct findings f;
	struct benchmark *b;

	(void)state;
	findings_init(&f);
	assert_true(cache_freshness(&f, CACHE_SALARY) == CACHE_FRESHNESS_UNKNOWN);
	assert_int_equal(cache_verdict(&f, CACHE_SALARY), CACHE_NONE);
	b = findings_benchmark(&f, "bls");
	b->age_days = 365;
	assert_true(cache_freshness(&f, CACHE_SALARY) == 1);
	assert_int_equal(cache_verdict(&f, CACHE_SALARY), CACHE_FIGURES);
	b = findings_benchmark(&f, "census");
	b->age_days = 345 + 365;
	assert_true(cache_freshness(&f, CACHE_SALARY) == 0);
	assert_true(cache_freshness(&f, CACHE_MARKET) == CACHE_FRESHNESS_UNKNOWN);
	b->age_days = 345;
	findings_note(&f, "fred", "failed", "no answer");
	assert_true(cache_freshness(&f, CACHE_SALARY) == 0);
	assert_int_equal(cache_verdict(&f, CACHE_MARKET), CACHE_FAILED);
	f.fallback = true;
	assert_int_equal(cache_verdict(&f, CACHE_SALARY), CACHE_FAILED);
	findings_release(&f);
}

static void without_the_leading_source_an_answer_is_no_certain_one(void **state)
{
	struct findings f;

	(void)state;
	findings_init(&f);
	findings_benchmark(&f, "census")->age_days = 345;
	assert_int_equal(cache_verdict(&f, CACHE_SALARY), CACHE_FIGURES);
	findings_note(&f, "bls", "skipped", "circuit open");
	assert_true(cache_misses(&f, "bls"));
	assert_int_equal(cache_verdict(&f, CACHE_SALARY), CACHE_FAILED);
	json_set_bool(cJSON_GetObjectItem(f.sources, "bls"), "key_missing", true);
	assert_false(cache_misses(&f, "bls"));
	assert_int_equal(cache_verdict(&f, CACHE_SALARY), CACHE_FIGURES);
	findings_note(&f, "bls", "ok", NULL);
	findings_benchmark(&f, "bls")->age_days = 365;
	findings_note(&f, "fred", "skipped", "circuit open");
	assert_int_equal(cache_verdict(&f, CACHE_SALARY), CACHE_FIGURES);
	assert_true(cache_freshness(&f, CACHE_SALARY) == 0);
	findings_release(&f);
}

static void a_reader_without_max_age_takes_no_older_entry_than_his_strategy_keeps(void **state)
{
	(void)state;
	assert_int_equal(cache_age_limit_s(STRATEGY_STANDARD, CACHE_SALARY, 0), 0);
	assert_int_equal(cache_age_limit_s(STRATEGY_STANDARD, CACHE_SALARY, 99), 99);
	for (int s = 0; s < STRATEGY_COUNT; s++)
		for (int k = 0; k < CACHE_KIND_COUNT; k++) {
			struct cache_life l = cache_life(s, k, CACHE_FIGURES, 1, KEY, NOW);

			assert_true(cache_age_limit_s(s, k, -1) >= l.keep_s);
			assert_true(cache_age_limit_s(s, k, -1) <= 3 * cache_nominal_s(s, k));
		}
}

static void key_of(const char *location, const char *experience, char out[CACHEKEY_SIZE])
{
	cJSON *o = cJSON_CreateObject();
	struct request r;
	struct err e = { 0 };

	json_set_str(o, "location", location);
	json_set_str(o, "occupation", "Software Engineer");
	json_set_str(o, "experience_level", experience);
	if (request_read(o, &r, &e) < 0)
		fail_msg("%s: %s", location, e.msg);
	cachekey_make(CACHEKEY_SALARY, &r, out);
	request_release(&r);
	cJSON_Delete(o);
}

static void spellings_of_one_place_meet_and_others_do_not(void **state)
{
	static const char *const SAME[] = { "NYC", "new york city", "New York, NY",
					    "  NEW YORK ,ny" };
	char key[CACHEKEY_SIZE], other[CACHEKEY_SIZE];

	(void)state;
	for (size_t i = 0; i < COUNT(SAME); i++) {
		key_of(SAME[i], "", key);
		assert_string_equal(key, KEY);
	}
	key_of("Portland, ME", "", key);
	key_of("Portland, OR", "", other);
	assert_string_not_equal(key, other);
}

static void hostile_texts_make_decent_keys(void **state)
{
	static const char *const HOSTILE[] = {
		"a:b:*?[x]\r\nFLUSHALL", "\xff\xfe\x80", "résumé \xf0\x9f\x92\xa9 ЖЖ 薪水",
		"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", ":::::", "\\", "%s%n", "'; DROP",
	};
	char key[CACHEKEY_SIZE];

	(void)state;
	for (size_t i = 0; i < COUNT(HOSTILE); i++) {
		int colons = 0;

		key_of("New York, NY", HOSTILE[i], key);
		assert_true(strlen(key) <= 255);
		if (strspn(key, "abcdefghijklmnopqrstuvwxyz0123456789_:") != strlen(key))
			fail_msg("key %s", key);
		for (const char *p = key; *p; p++)
			colons += *p == ':';
		assert_int_equal(colons, 8);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lives_are_nominal_in_the_middle_bounded_and_jittered),
		cmocka_unit_test(jitter_is_stable_by_key_and_time),
		cmocka_unit_test(what_is_due_lives_half_and_what_is_new_half_as_long_again),
		cmocka_unit_test(nothing_is_remembered_long_and_a_failure_ten_minutes),
		cmocka_unit_test(freshness_is_that_of_the_release_that_comes_first),
		cmocka_unit_test(without_the_leading_source_an_answer_is_no_certain_one),
		cmocka_unit_test(
			a_reader_without_max_age_takes_no_older_entry_than_his_strategy_keeps),
		cmocka_unit_test(spellings_of_one_place_meet_and_others_do_not),
		cmocka_unit_test(hostile_texts_make_decent_keys),
	};

	return cmocka_run_group_tests_name("salary cache life", tests, NULL, NULL);
}
