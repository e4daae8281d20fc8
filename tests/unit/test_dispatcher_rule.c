/* SPDX-License-Identifier: MIT */
/* services: none
 *
 * How a subject of an alert's rule goes from fine to firing and back, on a clock that is set. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "common/base/measure.h"
#include "workers/dispatcher/rule.h"

#define S 1000000LL
#define MINUTE (60 * S)
#define HOUR (60 * MINUTE)
#define START (1700000000 * S)

static struct condition over(double limit)
{
	struct condition c = { .measure = measure_at(MEASURE_ERROR_RATE), .above = true,
			       .limit = limit };

	return c;
}

static enum rule_event at(struct rule_state *s, int64_t for_us, int64_t after_us, double value)
{
	struct condition c = over(5);

	return rule_step(s, &c, for_us, &value, START + after_us);
}

static enum rule_event miss(struct rule_state *s, int64_t for_us, int64_t after_us)
{
	struct condition c = over(5);

	return rule_step(s, &c, for_us, NULL, START + after_us);
}

static void without_for_it_fires_and_ends_at_once(void **state)
{
	struct rule_state s = { 0 };

	(void)state;
	assert_int_equal(at(&s, 0, 0, 5), RULE_NOTHING);
	assert_int_equal(s.phase, RULE_OK);
	assert_int_equal(at(&s, 0, S, 6), RULE_FIRES);
	assert_int_equal(at(&s, 0, 2 * S, 60), RULE_NOTHING);
	assert_int_equal(at(&s, 0, 3 * S, 5), RULE_RESOLVES);
	assert_int_equal(s.phase, RULE_OK);
}

static void it_fires_only_after_the_condition_held_all_the_time(void **state)
{
	struct rule_state s = { 0 };

	(void)state;
	assert_int_equal(at(&s, MINUTE, 0, 6), RULE_NOTHING);
	assert_int_equal(s.phase, RULE_PENDING);
	assert_int_equal(at(&s, MINUTE, 59 * S, 6), RULE_NOTHING);
	assert_int_equal(at(&s, MINUTE, 59 * S + 1, 4), RULE_NOTHING);	/* once fine: from the start */
	assert_int_equal(s.phase, RULE_OK);
	assert_int_equal(at(&s, MINUTE, 60 * S, 6), RULE_NOTHING);
	assert_int_equal(at(&s, MINUTE, 119 * S, 6), RULE_NOTHING);
	assert_int_equal(at(&s, MINUTE, 120 * S, 6), RULE_FIRES);
	assert_int_equal(at(&s, MINUTE, 121 * S, 6), RULE_NOTHING);
}

static void it_ends_only_after_a_calm_time(void **state)
{
	struct rule_state s = { 0 };

	(void)state;
	at(&s, 10 * S, 0, 6);
	assert_int_equal(at(&s, 10 * S, 10 * S, 6), RULE_FIRES);
	assert_int_equal(at(&s, 10 * S, 20 * S, 1), RULE_NOTHING);
	assert_int_equal(at(&s, 10 * S, 29 * S, 6), RULE_NOTHING);	/* back: no second firing */
	assert_int_equal(at(&s, 10 * S, 30 * S, 1), RULE_NOTHING);
	assert_int_equal(at(&s, 10 * S, 39 * S, 1), RULE_NOTHING);
	assert_int_equal(at(&s, 10 * S, 40 * S, 1), RULE_RESOLVES);
}

static void a_long_for_does_not_keep_it_open_for_as_long(void **state)
{
	struct rule_state s = { 0 };

	(void)state;
	at(&s, HOUR, 0, 6);
	assert_int_equal(at(&s, HOUR, HOUR, 6), RULE_FIRES);
	assert_int_equal(at(&s, HOUR, HOUR + S, 1), RULE_NOTHING);
	assert_int_equal(at(&s, HOUR, HOUR + S + MINUTE, 1), RULE_RESOLVES);
}

static void what_flaps_is_told_less_and_less_often(void **state)
{
	struct rule_state s = { 0 };
	int fires = 0;

	(void)state;
	for (int64_t t = 0; t < 2 * HOUR; t += 5 * S)	/* bad and fine by turns, every 5 s */
		fires += at(&s, 0, t, t / (5 * S) % 2 ? 1 : 6) == RULE_FIRES;
	assert_int_equal(fires, 2);	/* the second one never was fine for half a minute */
	s = (struct rule_state){ 0 };
	fires = 0;
	for (int64_t t = 0; t < 2 * HOUR; t += 5 * S)	/* a minute each: 60 times otherwise */
		fires += at(&s, 0, t, t / MINUTE % 2 ? 1 : 6) == RULE_FIRES;
	assert_in_range(fires, 2, 4);
}

static void one_that_fires_seldom_is_not_flapping(void **state)
{
	struct rule_state s = { 0 };

	(void)state;
	for (int i = 0; i < 5; i++) {
		int64_t t = i * (HOUR + MINUTE);

		assert_int_equal(at(&s, 0, t, 6), RULE_FIRES);
		assert_int_equal(s.fired, 1);
		assert_int_equal(at(&s, 0, t + S, 1), RULE_RESOLVES);
	}
}

static void the_calm_time_doubles_up_to_an_hour(void **state)
{
	struct rule_state s = { .fired = 1 };

	(void)state;
	assert_int_equal(rule_calm_us(&s, 10 * S), 10 * S);
	assert_int_equal(rule_calm_us(&s, HOUR), MINUTE);
	s.fired = 2;
	assert_int_equal(rule_calm_us(&s, 0), 30 * S);
	s.fired = 4;
	assert_int_equal(rule_calm_us(&s, 0), 120 * S);
	s.fired = 1000;
	assert_int_equal(rule_calm_us(&s, HOUR), HOUR);
}

static void a_missing_value_is_not_fine(void **state)
{
	struct rule_state s = { 0 };

	(void)state;
	assert_int_equal(miss(&s, 0, 0), RULE_NOTHING);
	assert_int_equal(s.phase, RULE_OK);
	assert_int_equal(at(&s, MINUTE, 0, 6), RULE_NOTHING);
	assert_int_equal(miss(&s, MINUTE, 2 * MINUTE), RULE_NOTHING);	/* nothing fires unseen */
	assert_int_equal(s.phase, RULE_PENDING);
	assert_int_equal(at(&s, MINUTE, 3 * MINUTE, 6), RULE_FIRES);
	for (int64_t t = 0; t < 23 * HOUR; t += HOUR)
		assert_int_equal(miss(&s, MINUTE, 4 * MINUTE + t), RULE_NOTHING);
	assert_int_equal(s.phase, RULE_FIRING);
}

static void a_gap_takes_no_part_in_the_calm_time(void **state)
{
	struct rule_state s = { 0 };

	(void)state;
	at(&s, 10 * S, 0, 6);
	assert_int_equal(at(&s, 10 * S, 10 * S, 6), RULE_FIRES);
	assert_int_equal(at(&s, 10 * S, 11 * S, 1), RULE_NOTHING);
	assert_int_equal(miss(&s, 10 * S, 15 * S), RULE_NOTHING);
	assert_int_equal(at(&s, 10 * S, 30 * S, 1), RULE_NOTHING);
	assert_int_equal(at(&s, 10 * S, 40 * S, 1), RULE_RESOLVES);
}

static void what_was_not_seen_for_a_day_is_let_go(void **state)
{
	struct rule_state s = { 0 };

	(void)state;
	assert_int_equal(at(&s, 0, 0, 6), RULE_FIRES);
	assert_int_equal(miss(&s, 0, 24 * HOUR - S), RULE_NOTHING);
	assert_int_equal(miss(&s, 0, 24 * HOUR), RULE_FORGETS);
	assert_int_equal(s.phase, RULE_OK);
	assert_int_equal(miss(&s, 0, 25 * HOUR), RULE_NOTHING);
}

static void a_state_that_was_stored_goes_on_where_it_was(void **state)
{
	struct rule_state s = { 0 }, again;

	(void)state;
	at(&s, MINUTE, 0, 6);
	again = s;	/* another dispatcher reads what this one wrote */
	assert_int_equal(at(&again, MINUTE, MINUTE, 6), RULE_FIRES);
	s = again;
	assert_int_equal(at(&s, MINUTE, MINUTE + S, 6), RULE_NOTHING);
	for (int i = RULE_OK; i <= RULE_FIRING; i++)
		assert_int_equal(rule_phase_read(rule_phase_word((enum rule_phase)i)), i);
}

static void a_clock_that_is_set_back_delays_by_the_times_of_the_rule(void **state)
{
	struct rule_state s = { 0 };

	(void)state;
	assert_int_equal(at(&s, MINUTE, 10 * HOUR, 6), RULE_NOTHING);
	assert_int_equal(at(&s, MINUTE, 0, 6), RULE_NOTHING);
	assert_int_equal(at(&s, MINUTE, MINUTE, 6), RULE_FIRES);
	assert_int_equal(at(&s, MINUTE, 10 * HOUR, 1), RULE_NOTHING);
	assert_int_equal(at(&s, MINUTE, 2 * MINUTE, 1), RULE_NOTHING);
	assert_int_equal(at(&s, MINUTE, 3 * MINUTE, 1), RULE_RESOLVES);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_for_it_fires_and_ends_at_once),
		cmocka_unit_test(it_fires_only_after_the_condition_held_all_the_time),
		cmocka_unit_test(it_ends_only_after_a_calm_time),
		cmocka_unit_test(a_long_for_does_not_keep_it_open_for_as_long),
		cmocka_unit_test(what_flaps_is_told_less_and_less_often),
		cmocka_unit_test(one_that_fires_seldom_is_not_flapping),
		cmocka_unit_test(the_calm_time_doubles_up_to_an_hour),
		cmocka_unit_test(a_missing_value_is_not_fine),
		cmocka_unit_test(a_gap_takes_no_part_in_the_calm_time),
		cmocka_unit_test(what_was_not_seen_for_a_day_is_let_go),
		cmocka_unit_test(a_state_that_was_stored_goes_on_where_it_was),
		cmocka_unit_test(a_clock_that_is_set_back_delays_by_the_times_of_the_rule),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
