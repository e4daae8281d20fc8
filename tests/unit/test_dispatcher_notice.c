/* SPDX-License-Identifier: MIT */
/* services: none
 *
 * Who is told what of an alert and when, on a clock that is set. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "common/base/json.h"
#include "common/base/uuid.h"
#include "workers/dispatcher/alert_notice.h"

#define S 1000000LL
#define HOUR (3600 * S)
#define START (1700000000 * S)

static const struct alert_policy ONCE = { .to = "log" };
static const struct alert_policy NAGGING = { .to = "log", .repeat_us = HOUR,
					     .escalate_after_us = 2 * HOUR };

static void a_new_one_is_told_once(void **state)
{
	struct alert a = { .first_us = START };

	(void)state;
	assert_int_equal(alert_due(&a, &ONCE, START), NOTICE_FIRING);
	a.told_us = a.last_told_us = START;
	for (int64_t t = 0; t < 1000 * HOUR; t += HOUR)
		assert_int_equal(alert_due(&a, &ONCE, START + t), NOTICE_NONE);
}

static void one_that_stays_is_repeated_and_escalated_once(void **state)
{
	struct alert a = { .first_us = START, .told_us = START, .last_told_us = START };

	(void)state;
	assert_int_equal(alert_due(&a, &NAGGING, START + HOUR - 1), NOTICE_NONE);
	assert_int_equal(alert_due(&a, &NAGGING, START + HOUR), NOTICE_REPEATED);
	a.last_told_us = START + HOUR;
	assert_int_equal(alert_due(&a, &NAGGING, START + 2 * HOUR), NOTICE_ESCALATED);
	a.escalated_us = START + 2 * HOUR;
	assert_int_equal(alert_due(&a, &NAGGING, START + 2 * HOUR), NOTICE_REPEATED);
	a.last_told_us = START + 2 * HOUR;
	assert_int_equal(alert_due(&a, &NAGGING, START + 3 * HOUR - 1), NOTICE_NONE);
}

static void an_acknowledged_one_is_told_no_more_until_it_is_over(void **state)
{
	struct alert a = { .first_us = START, .told_us = START, .last_told_us = START,
			   .acked_us = START + S };

	(void)state;
	assert_int_equal(alert_due(&a, &NAGGING, START + 100 * HOUR), NOTICE_NONE);
	a.resolved_us = START + 101 * HOUR;
	assert_int_equal(alert_due(&a, &NAGGING, START + 101 * HOUR), NOTICE_RESOLVED);
	a.end_told_us = START + 101 * HOUR;
	assert_int_equal(alert_due(&a, &NAGGING, START + 102 * HOUR), NOTICE_NONE);
}

static void a_silenced_one_waits_for_the_end_of_the_silence(void **state)
{
	struct alert a = { .first_us = START, .silenced = true };

	(void)state;
	assert_int_equal(alert_due(&a, &NAGGING, START + 100 * HOUR), NOTICE_NONE);
	a.silenced = false;
	assert_int_equal(alert_due(&a, &NAGGING, START + 100 * HOUR), NOTICE_FIRING);
}

static void what_came_and_went_in_a_silence_is_told_to_nobody(void **state)
{
	struct alert a = { .first_us = START, .silenced = true, .resolved_us = START + S };

	(void)state;
	assert_int_equal(alert_due(&a, &NAGGING, START + S), NOTICE_NONE);
	a.told_us = START;	/* told before the silence: its end closes the matter */
	assert_int_equal(alert_due(&a, &NAGGING, START + S), NOTICE_RESOLVED);
}

static void a_rule_goes_before_its_level_and_its_level_before_nothing(void **state)
{
	struct conf conf = { .fleet = { .alert_to = { "i", "w", "e", "c" }, .alert_repeat_ms = 5,
					.alert_escalate_to = "boss",
					.alert_escalate_after_ms = 7 } };
	struct conf_alert rule = { .to = "", .escalate_to = "", .repeat_ms = CONF_UNSET,
				   .escalate_after_ms = CONF_UNSET };
	struct alert_policy p;

	(void)state;
	alert_policy_of(&conf, "CRITICAL", NULL, &p);
	assert_string_equal(p.to, "c");
	alert_policy_of(&conf, "INFO", &rule, &p);
	assert_string_equal(p.to, "i");
	assert_string_equal(p.escalate_to, "boss");
	assert_int_equal(p.repeat_us, 5000);
	assert_int_equal(p.escalate_after_us, 7000);
	rule = (struct conf_alert){ .to = "t", .escalate_to = "x", .repeat_ms = 0,
				    .escalate_after_ms = 1 };
	alert_policy_of(&conf, "INFO", &rule, &p);
	assert_string_equal(p.to, "t");
	assert_string_equal(p.escalate_to, "x");
	assert_int_equal(p.repeat_us, 0);
	assert_int_equal(p.escalate_after_us, 1000);
}

static void each_notice_has_one_id_and_every_other_another(void **state)
{
	struct alert a = { .id = 7, .told = 1 }, b = { .id = 8, .told = 1 };
	char one[UUID_SIZE], same[UUID_SIZE], other[UUID_SIZE];

	(void)state;
	alert_notice_id(&a, NOTICE_FIRING, "log", one);
	alert_notice_id(&a, NOTICE_FIRING, "log", same);
	assert_string_equal(one, same);
	alert_notice_id(&b, NOTICE_FIRING, "log", other);
	assert_string_not_equal(one, other);
	alert_notice_id(&a, NOTICE_RESOLVED, "log", other);
	assert_string_not_equal(one, other);
	alert_notice_id(&a, NOTICE_FIRING, "mailto:a@b.org", other);
	assert_string_not_equal(one, other);
	a.told = 2;
	alert_notice_id(&a, NOTICE_FIRING, "log", other);
	assert_string_not_equal(one, other);
	a.told = 1;
	a.first_us++;	/* another one of that number, after a backup was restored */
	alert_notice_id(&a, NOTICE_FIRING, "log", other);
	assert_string_not_equal(one, other);
}

static void the_end_is_told_in_its_own_words(void **state)
{
	struct alert a = { .id = 7, .name = "n", .subject = "s \"quoted\"", .level = "ERROR",
			   .message = "is 93 %", .resolution = "is 10 %", .first_us = START };
	char *text = alert_notice_json(&a, NOTICE_RESOLVED, "log", "id", "node", START + S);
	cJSON *o = NULL;

	(void)state;
	assert_int_equal(json_parse(text, strlen(text), &o, NULL), 0);
	assert_string_equal(json_str(o, "message", ""), "is 10 %");
	assert_string_equal(json_str(o, "kind", ""), "resolved");
	assert_string_equal(json_str(o, "subject", ""), "s \"quoted\"");
	assert_string_equal(json_str(o, "since", ""), "2023-11-14T22:13:20.000000+00:00");
	cJSON_Delete(o);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_new_one_is_told_once),
		cmocka_unit_test(one_that_stays_is_repeated_and_escalated_once),
		cmocka_unit_test(an_acknowledged_one_is_told_no_more_until_it_is_over),
		cmocka_unit_test(a_silenced_one_waits_for_the_end_of_the_silence),
		cmocka_unit_test(what_came_and_went_in_a_silence_is_told_to_nobody),
		cmocka_unit_test(a_rule_goes_before_its_level_and_its_level_before_nothing),
		cmocka_unit_test(each_notice_has_one_id_and_every_other_another),
		cmocka_unit_test(the_end_is_told_in_its_own_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
