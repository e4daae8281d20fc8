/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/base/clock.h"
#include "common/base/err.h"
#include "common/base/mem.h"
#include "workers/processing/dates.h"

static const char REFERENCE[] = "2026-11-21T12:00:00Z";

static int64_t at(const char *iso)
{
	int64_t us;

	assert_int_equal(clock_parse_iso(iso, &us, NULL), 0);
	return us;
}

static void dates_of_all_forms_are_read(void **state)
{
	static const struct {
		const char *text, *want;
		bool exact;
	} CASES[] = {
		{ "2026-11-01T08:33:45Z", "2026-11-01T08:33:45Z", true },
		{ "2026-11-01T08:33:45.1234", "2026-11-01T08:33:45.1234Z", true },
		{ "2026-11-01T08:33:45+02:00", "2026-11-01T06:33:45Z", true },
		{ "2026-11-01", "2026-11-01T00:00:00Z", false },
		{ "1782000000", "2026-06-21T00:00:00Z", true },
		{ "1782000000000", "2026-06-21T00:00:00Z", true },
		{ "15 days ago", "2026-11-06T12:00:00Z", false },
		{ "Posted Today", "2026-11-21T12:00:00Z", false },
		{ "Posted 8 Days Ago", "2026-11-13T12:00:00Z", false },
		{ "30+ days ago", "2026-10-22T12:00:00Z", false },
		{ "an hour ago", "2026-11-21T11:00:00Z", false },
		{ "3d ago", "2026-11-18T12:00:00Z", false },
		{ "2w", "2026-11-07T12:00:00Z", false },
		{ "Yesterday", "2026-11-20T12:00:00Z", false },
		{ "vor 3 Tagen", "2026-11-18T12:00:00Z", false },
		{ "vor einer Woche", "2026-11-14T12:00:00Z", false },
		{ "gestern", "2026-11-20T12:00:00Z", false },
		{ "il y a 5 jours", "2026-11-16T12:00:00Z", false },
		{ "il y a un mois", "2026-10-22T12:00:00Z", false },
		{ "aujourd’hui", "2026-11-21T12:00:00Z", false },
		{ "hace 5 días", "2026-11-16T12:00:00Z", false },
		{ "hace una semana", "2026-11-14T12:00:00Z", false },
		{ "4 giorni fa", "2026-11-17T12:00:00Z", false },
		{ "un'ora fa", "2026-11-21T11:00:00Z", false },
		{ "oggi", "2026-11-21T12:00:00Z", false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(CASES); i++) {
		struct date date;
		int r = dates_parse(CASES[i].text, at(REFERENCE), &date, NULL);

		if (r < 0 || date.us != at(CASES[i].want))
			print_error("%s\n", CASES[i].text);
		assert_int_equal(r, 0);
		assert_int_equal(date.us, at(CASES[i].want));
		assert_int_equal(date.exact, CASES[i].exact);
	}
}

static void what_is_no_date_is_refused_by_name(void **state)
{
	static const char *const BAD[] = {
		"", "soon", "5", "days", "1899-01-01", "2099-01-01", "0"
	};
	struct date date = { 0 };
	struct err e;

	(void)state;
	for (size_t i = 0; i < COUNT(BAD); i++)
		assert_int_equal(dates_parse(BAD[i], at(REFERENCE), &date, &e), -ERR_INVALID);
	assert_int_equal(dates_parse("eventually", at(REFERENCE), &date, &e), -ERR_INVALID);
	assert_string_equal(e.msg, "not a date: \"eventually\"");
	assert_int_equal(date.us, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(dates_of_all_forms_are_read),
		cmocka_unit_test(what_is_no_date_is_refused_by_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
