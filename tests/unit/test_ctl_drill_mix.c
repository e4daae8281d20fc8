/* SPDX-License-Identifier: MIT */
/* Which tasks a drill enqueues: the same for a seed, in the shares that a mixture asks for. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/err.h"
#include "common/base/mem.h"
#include "workers/ctl/drill_mix.h"

enum { MANY = 5000 };

static struct drill_mix mix(uint64_t seed, const char *text)
{
	struct drill_mix m;
	struct err e = { 0 };

	if (drill_mix_init(&m, seed, text, &e) < 0)
		fail_msg("%s", e.msg);
	return m;
}

static bool same(const struct drill_task *a, const struct drill_task *b)
{
	return strcmp(a->kind, b->kind) == 0 && a->n == b->n && a->work_ms == b->work_ms &&
	       a->delay_ms == b->delay_ms && a->priority == b->priority && a->by_sql == b->by_sql;
}

static void a_seed_repeats_its_tasks_and_another_has_others(void **state)
{
	struct drill_mix one = mix(7, NULL), again = mix(7, NULL), other = mix(8, NULL);
	int differ = 0;

	(void)state;
	for (int64_t i = 0; i < MANY; i++) {
		struct drill_task a, b, c;

		drill_mix_task(&one, i, &a);
		drill_mix_task(&again, i, &b);
		drill_mix_task(&other, i, &c);
		assert_true(same(&a, &b));
		differ += !same(&a, &c);
	}
	assert_true(differ > MANY / 2);
}

static void shares_hold_and_a_kind_without_one_never_comes(void **state)
{
	struct drill_mix m = mix(1, "short=3,chord=1,long=0");
	int chords = 0, by_sql = 0;

	(void)state;
	for (int64_t i = 0; i < MANY; i++) {
		struct drill_task t;

		drill_mix_task(&m, i, &t);
		by_sql += t.by_sql;
		if (strcmp(t.kind, "chord") == 0) {
			chords++;
			assert_int_equal(t.tasks, t.n + 2);	/* itself, its members, the sum */
		} else {
			assert_string_equal(t.kind, "short");
			assert_int_equal(t.tasks, 1);
		}
		assert_in_range(t.priority, 0, 9);
	}
	assert_in_range(chords, MANY / 4 - MANY / 20, MANY / 4 + MANY / 20);
	assert_in_range(by_sql, MANY / 5 - MANY / 20, MANY / 5 + MANY / 20);
}

static void a_wrong_mixture_says_what_would_be_right(void **state)
{
	static const struct {
		const char *text, *says;
	} wrong[] = {
		{ "shrot=1", "did you mean short?" },
		{ "short", "is no KIND=SHARE" },
		{ "short=x", "the share of short is 0 to 1000" },
		{ "short=0", "at least one kind" },
		{ "", "is no KIND=SHARE" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(wrong); i++) {
		struct drill_mix m;
		struct err e = { 0 };

		assert_int_equal(drill_mix_init(&m, 1, wrong[i].text, &e), -ERR_USAGE);
		if (!strstr(e.msg, wrong[i].says))
			fail_msg("\"%s\": expected \"%s\", got \"%s\"", wrong[i].text,
				 wrong[i].says, e.msg);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_seed_repeats_its_tasks_and_another_has_others),
		cmocka_unit_test(shares_hold_and_a_kind_without_one_never_comes),
		cmocka_unit_test(a_wrong_mixture_says_what_would_be_right),
	};

	return cmocka_run_group_tests_name("drill mix", tests, NULL, NULL);
}
