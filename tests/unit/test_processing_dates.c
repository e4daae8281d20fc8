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
		{ "2026-11-01T08:33:45+02", "2026-11-01T06:33:45Z", true },
		{ "2026-11-01T08:33:45.1234Z", "2026-11-01T08:33:45.1234Z", true },
		{ "2026-11-01 08:33:45", "2026-11-01T08:33:45Z", true },
		{ "Sat, 21 Nov 2026 10:00:00 GMT", "2026-11-21T10:00:00Z", true },
		{ "Sat, 21 Nov 2026 10:00:00 +0200", "2026-11-21T08:00:00Z", true },
		{ "November 1, 2026", "2026-11-01T00:00:00Z", false },
		{ "Nov 1st, 2026", "2026-11-01T00:00:00Z", false },
		{ "1. November 2026", "2026-11-01T00:00:00Z", false },
		{ "12. März 2026", "2026-03-12T00:00:00Z", false },
		{ "1er août 2026", "2026-08-01T00:00:00Z", false },
		{ "12 décembre 2025", "2025-12-12T00:00:00Z", false },
		{ "21 de octubre de 2026", "2026-10-21T00:00:00Z", false },
		{ "3 luglio 2026", "2026-07-03T00:00:00Z", false },
		{ "01.11.2026", "2026-11-01T00:00:00Z", false },
		{ "2026/11/01", "2026-11-01T00:00:00Z", false },
		{ "10/31/2026", "2026-10-31T00:00:00Z", false },
		{ "31/10/2026", "2026-10-31T00:00:00Z", false },
		{ "Just posted", "2026-11-21T12:00:00Z", false },
		{ "Posted 30+ Days Ago", "2026-10-22T12:00:00Z", false },
		{ "Posted Yesterday", "2026-11-20T12:00:00Z", false },
		{ "the day before yesterday", "2026-11-19T12:00:00Z", false },
		{ "Active 2 weeks ago", "2026-11-07T12:00:00Z", false },
		{ "3 months ago", "2026-08-23T12:00:00Z", false },
		{ "last week", "2026-11-14T12:00:00Z", false },
		{ "a few hours ago", "2026-11-21T10:00:00Z", false },
		{ "45 minutes ago", "2026-11-21T11:15:00Z", false },
		{ "vor über 30 Tagen", "2026-10-22T12:00:00Z", false },
		{ "vor 2 Std.", "2026-11-21T10:00:00Z", false },
		{ "vorgestern", "2026-11-19T12:00:00Z", false },
		{ "letzte Woche", "2026-11-14T12:00:00Z", false },
		{ "vor einem Monat", "2026-10-22T12:00:00Z", false },
		{ "heute", "2026-11-21T12:00:00Z", false },
		{ "hier", "2026-11-20T12:00:00Z", false },
		{ "avant-hier", "2026-11-19T12:00:00Z", false },
		{ "il y a plus de 30 jours", "2026-10-22T12:00:00Z", false },
		{ "la semaine dernière", "2026-11-14T12:00:00Z", false },
		{ "à l’instant", "2026-11-21T12:00:00Z", false },
		{ "hace más de 30 días", "2026-10-22T12:00:00Z", false },
		{ "hace un mes", "2026-10-22T12:00:00Z", false },
		{ "ayer", "2026-11-20T12:00:00Z", false },
		{ "anteayer", "2026-11-19T12:00:00Z", false },
		{ "hoy", "2026-11-21T12:00:00Z", false },
		{ "ieri", "2026-11-20T12:00:00Z", false },
		{ "l'altro ieri", "2026-11-19T12:00:00Z", false },
		{ "una settimana fa", "2026-11-14T12:00:00Z", false },
		{ "2 mesi fa", "2026-09-22T12:00:00Z", false },
		{ "più di 30 giorni fa", "2026-10-22T12:00:00Z", false },
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
		"", "soon", "5", "days", "1899-01-01", "2099-01-01", "0", "03/04/2026", "31.02.2026",
		"32 Nov 2026", "Nov 2026", "2026-13-01", "99/99/2026"
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
