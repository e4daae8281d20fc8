/* SPDX-License-Identifier: MIT */
/* services: none
 *
 * Conditions of alerts and the addresses that they go to. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "common/base/address.h"
#include "common/base/err.h"
#include "common/base/measure.h"
#include "common/base/mem.h"

static void conditions_are_read_in_the_unit_of_their_measure(void **state)
{
	static const struct {
		const char *text, *name, *subject;
		bool above;
		double limit;
	} known[] = {
		{ "quota_used > 80%", "quota_used", "", true, 80 },
		{ "quota_used>80", "quota_used", "", true, 80 },
		{ "hit_rate < 70%", "hit_rate", "", false, 70 },
		{ "oldest_task(salary_data) > 1h", "oldest_task", "salary_data", true, 3600 },
		{ "  away( postgresql )  >  500ms ", "away", "postgresql", true, 0.5 },
		{ "consumers < 1", "consumers", "", false, 1 },
		{ "error_rate(jobfleet.load_processed) > 5%", "error_rate",
		  "jobfleet.load_processed", true, 5 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(known); i++) {
		struct condition c;
		struct err e = { 0 };

		if (condition_parse(known[i].text, &c, &e) < 0)
			fail_msg("%s: %s", known[i].text, e.msg);
		assert_string_equal(c.measure->name, known[i].name);
		assert_string_equal(c.subject, known[i].subject);
		assert_int_equal(c.above, known[i].above);
		assert_float_equal(c.limit, known[i].limit, 1e-9);
	}
}

static void each_measure_reads_its_own_example(void **state)
{
	(void)state;
	for (int i = 0; i < MEASURE_IDS; i++) {
		const struct measure *m = measure_at((enum measure_id)i);
		struct condition c;

		assert_int_equal(m->id, i);
		assert_int_equal(condition_parse(m->example, &c, NULL), 0);
		assert_ptr_equal(c.measure, m);
	}
}

static void wrong_conditions_say_what_would_be_right(void **state)
{
	static const char *const wrong[][2] = {
		{ "", "is not a condition such as" },
		{ "quota_used", "is not a condition such as" },
		{ "quota_used >", "is not a condition such as" },
		{ "quota_used >= 80%", "is not a condition such as" },
		{ "quota_used > 80% > 90%", "is not a condition such as" },
		{ "quota_usd > 80%", "did you mean \"quota_used\"?" },
		{ "weather > 3", "queues.conf(5) lists them" },
		{ "quota_used > 1h", "\"1h\" is not a percentage; write for example \"quota_used > 80%\"" },
		{ "oldest_task > 80%", "is not a duration; write for example \"oldest_task > 1h\"" },
		{ "consumers < none", "is not a number" },
		{ "consumers < 1%", "is not a number" },
		{ "oldest_task() > 1h", "names nothing" },
		{ "oldest_task(a > 1h", "names nothing" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(wrong); i++) {
		struct condition c;
		struct err e = { 0 };

		assert_int_equal(condition_parse(wrong[i][0], &c, &e), -ERR_INVALID);
		if (!strstr(e.msg, wrong[i][1]))
			fail_msg("%s: expected \"%s\", got \"%s\"", wrong[i][0], wrong[i][1],
				 e.msg);
	}
}

static void values_are_printed_for_people(void **state)
{
	static const struct {
		enum measure_id id;
		double value;
		const char *want;
	} known[] = {
		{ MEASURE_QUOTA_USED, 83.25, "83.25 %" }, { MEASURE_OLDEST_TASK, 59.9, "59 s" },
		{ MEASURE_OLDEST_TASK, 600, "10 min" }, { MEASURE_OLDEST_TASK, 3900, "1 h 5 min" },
		{ MEASURE_AWAY, 200000, "2 d 7 h" }, { MEASURE_CONSUMERS, 0, "0" },
		{ MEASURE_RAW_FILES, 12345678, "12345678" },
	};
	char text[64];

	(void)state;
	for (size_t i = 0; i < COUNT(known); i++) {
		measure_print(measure_at(known[i].id), known[i].value, text, sizeof text);
		assert_string_equal(text, known[i].want);
	}
}

static void addresses_are_told_apart(void **state)
{
	static const struct {
		const char *text;
		enum address_kind kind;
	} known[] = {
		{ "log", ADDRESS_LOG }, { "https://example.org/hook?a=1", ADDRESS_WEBHOOK },
		{ "http://127.0.0.1:8080/x", ADDRESS_WEBHOOK },
		{ "mailto:ops@example.org", ADDRESS_MAIL }, { "env:ALERT_HOOK", ADDRESS_VARIABLE },
	};
	enum address_kind kind;

	(void)state;
	for (size_t i = 0; i < COUNT(known); i++) {
		assert_int_equal(address_parse(known[i].text, &kind, NULL), 0);
		assert_int_equal(kind, known[i].kind);
	}
}

static void wrong_addresses_say_what_would_be_right(void **state)
{
	static const char *const wrong[][2] = {
		{ "", "names no address" }, { " , ", "names no address" },
		{ "syslog", "is no address; write log, https://host/path" },
		{ "log https://example.org", "parted by commas" },
		{ "http://example.org/hook", "plain http" },
		{ "https://me:secret@example.org/hook", "write env:VARIABLE" },
		{ "mailto:nobody", "names no mailbox" },
		{ "mailto:a@b.org?cc=c@d.org", "names no mailbox" },
		{ "log, env:lower", "name of a variable" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(wrong); i++) {
		struct err e = { 0 };

		assert_int_equal(address_check(wrong[i][0], &e), -ERR_INVALID);
		if (!strstr(e.msg, wrong[i][1]))
			fail_msg("%s: expected \"%s\", got \"%s\"", wrong[i][0], wrong[i][1],
				 e.msg);
		assert_null(strstr(e.msg, "secret@"));
	}
}

static void a_list_is_read_one_by_one(void **state)
{
	const char *list = " log , mailto:ops@example.org,https://example.org/x ,";
	static const char *const want[] = { "log", "mailto:ops@example.org",
					    "https://example.org/x" };
	char one[ADDRESS_MAX];

	(void)state;
	for (size_t i = 0; i < COUNT(want); i++) {
		assert_int_equal(address_next(&list, one, NULL), 1);
		assert_string_equal(one, want[i]);
	}
	assert_int_equal(address_next(&list, one, NULL), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(conditions_are_read_in_the_unit_of_their_measure),
		cmocka_unit_test(each_measure_reads_its_own_example),
		cmocka_unit_test(wrong_conditions_say_what_would_be_right),
		cmocka_unit_test(values_are_printed_for_people),
		cmocka_unit_test(addresses_are_told_apart),
		cmocka_unit_test(wrong_addresses_say_what_would_be_right),
		cmocka_unit_test(a_list_is_read_one_by_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
