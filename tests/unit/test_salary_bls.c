/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants the above first */
#include <cmocka.h>

#include "common/base/clock.h"
#include "common/base/err.h"
#include "common/base/json.h"
#include "common/base/mem.h"
#include "tests/unit/spoil.h"
#include "workers/salary/bls.h"

#define SAMPLES "../shared/samples/bls/"

static struct area place(const char *text)
{
	struct area a;

	assert_int_equal(area_resolve(text, &a, NULL), 0);
	return a;
}

static void series_ids_follow_the_published_scheme(void **state)
{
	struct area nation = place("USA"), dallas = place("Dallas, TX"), texas = place("Texas");
	struct area york = place("NYC");
	const struct occupation_row *dev = occupation_by_soc("15-1252");
	char id[BLS_ID_SIZE];

	(void)state;
	bls_wage_id(&nation, dev, BLS_ANNUAL_MEAN, id);
	assert_string_equal(id, "OEUN000000000000015125204");
	bls_wage_id(&dallas, dev, BLS_HOURLY_MEDIAN, id);
	assert_string_equal(id, "OEUM001910000000015125208");
	bls_wage_id(&texas, dev, BLS_ANNUAL_MEDIAN, id);
	assert_string_equal(id, "OEUS480000000000015125213");
	bls_unemployment_id(&york, id);
	assert_string_equal(id, "LAUMT363562000000003");
	bls_unemployment_id(&texas, id);
	assert_string_equal(id, "LASST480000000000003");
	bls_unemployment_id(&nation, id);
	assert_string_equal(id, "LNS14000000");
	bls_employed_id(&york, id);
	assert_string_equal(id, "LAUMT363562000000005");
	bls_employed_id(&texas, id);
	assert_string_equal(id, "LASST480000000000005");
	bls_employed_id(&nation, id);
	assert_string_equal(id, "LNS12000000");
}

static void a_call_carries_no_more_series_than_its_key_allows(void **state)
{
	char ids[51][BLS_ID_SIZE] = { "A", "B" };
	struct buf body;
	struct err e;

	(void)state;
	buf_init(&body, 8192);
	assert_int_equal(bls_body((const char (*)[BLS_ID_SIZE])ids, 2, 0, 0, "k\"1", &body, &e), 0);
	assert_string_equal(buf_text(&body),
			    "{\"seriesid\":[\"A\",\"B\"],\"registrationkey\":\"k\\\"1\"}");
	buf_clear(&body);
	assert_int_equal(bls_body((const char(*)[BLS_ID_SIZE])ids, 2, 2024, 2026, NULL, &body, &e),
			 0);
	assert_string_equal(buf_text(&body),
			    "{\"seriesid\":[\"A\",\"B\"],\"startyear\":\"2024\",\"endyear\":\"2026\"}");
	assert_int_equal(bls_body((const char(*)[BLS_ID_SIZE])ids, 26, 0, 0, NULL, &body, &e),
			 -ERR_TOO_BIG);
	assert_int_equal(bls_body((const char(*)[BLS_ID_SIZE])ids, 51, 0, 0, "k", &body, &e),
			 -ERR_TOO_BIG);
	buf_release(&body);
}

static struct bls_reply *parse(const char *body)
{
	struct bls_reply *r = NULL;
	struct err e;

	if (bls_parse(200, "application/json", body, strlen(body), &r, &e) < 0)
		fail_msg("%s", e.msg);
	return r;
}

#define OK(series) \
	"{\"status\":\"REQUEST_SUCCEEDED\",\"responseTime\":1,\"message\":[],\"Results\":{\n" \
	"\"series\":\n[" series "]\n}}"
#define SERIES(id, rows) "{\"seriesID\":\"" id "\",\"data\":[" rows "]}"
#define YEAR(y, value, notes) "{\"year\":\"" y "\",\"period\":\"A01\",\"periodName\":\"Annual\"," \
	"\"latest\":\"true\",\"value\":\"" value "\",\"footnotes\":[" notes "]}"
#define MONTH(y, m, value) "{\"year\":\"" y "\",\"period\":\"" m "\",\"value\":\"" value "\"}"

static void expect(const char *body, enum amount_kind kind, const char *text, int year, int month)
{
	struct bls_reply *r = parse(body);
	const struct bls_cell *cell = bls_cell(r, "OEUM003562000000015125213");
	char out[AMOUNT_TEXT_SIZE];

	assert_non_null(cell);
	assert_int_equal(cell->value.kind, kind);
	if (text)
		assert_string_equal(amount_text(cell->value, 2, out), text);
	assert_int_equal(cell->year, year);
	assert_int_equal(cell->month, month);
	bls_reply_free(r);
}
#define ID "OEUM003562000000015125213"

static void values_footnotes_and_periods_are_read(void **state)
{
	(void)state;
	expect(OK(SERIES(ID, YEAR("2025", "152,340", "{}"))), AMOUNT_VALUE, "152340.00", 2025, 0);
	expect(OK(SERIES(ID, YEAR("2025", "152340", "null"))), AMOUNT_VALUE, "152340.00", 2025, 0);
	expect(OK(SERIES(ID, "{\"year\":\"2025\",\"period\":\"A01\",\"value\":\"9\"}")),
	       AMOUNT_VALUE, "9.00", 2025, 0);
	expect(OK(SERIES(ID,
			 YEAR("2025", "-",
			      "{\"code\":\"5\",\"text\":\"This wage is equal to or greater "
			      "than $115.00 per hour or $239,200 per year.\"}"))),
	       AMOUNT_BOUND, "239200.00", 2025, 0);
	expect(OK(SERIES(ID,
			 YEAR("2018", "-",
			      "{\"code\":\"5\",\"text\":\"equal to or greater than $100.00 "
			      "per hour or $208,000 per year\"}"))),
	       AMOUNT_BOUND, "208000.00", 2018, 0);
	expect(OK(SERIES(ID, YEAR("2025", "-", "{\"code\":\"5\"}"))), AMOUNT_BOUND, "239200.00",
	       2025, 0);
	expect(OK(SERIES(ID, YEAR("2025", "#", "{}"))), AMOUNT_BOUND, "239200.00", 2025, 0);
	expect(OK(SERIES(
		       ID,
		       YEAR("2025", "-", "{\"code\":\"8\",\"text\":\"Estimate not released.\"}"))),
	       AMOUNT_SUPPRESSED, NULL, 2025, 0);
	expect(OK(SERIES(ID, YEAR("2025", "**", "{}"))), AMOUNT_ABSENT, NULL, 2025, 0);
	expect(OK(SERIES(ID, YEAR("2025", "junk", "{}"))), AMOUNT_ABSENT, NULL, 2025, 0);
	/* a month that was never collected leaves the one before it; averages are no news */
	expect(OK(SERIES(ID,
			 MONTH("2025", "M10", "-") "," MONTH("2025", "M09", "4.3") "," MONTH(
				 "2024", "M13", "4.0"))),
	       AMOUNT_VALUE, "4.30", 2025, 9);
	expect(OK(SERIES(ID, MONTH("2024", "M01", "4.1") "," MONTH("2024", "M12", "4.2"))),
	       AMOUNT_VALUE, "4.20", 2024, 12);
}

static void a_footnote_5_elsewhere_is_no_top_code(void **state)
{
	struct bls_reply *r = parse(OK(SERIES(
		"LAUMT363562000000003",
		"{\"year\":\"2025\",\"period\":\"M10\",\"value\":\"-\",\"footnotes\":[{\"code\":\"5\"}]}")));

	(void)state;
	assert_false(amount_is_known(bls_cell(r, "LAUMT363562000000003")->value));
	bls_reply_free(r);
}

static void growth_is_from_the_same_month_a_year_before(void **state)
{
	static const struct { const char *body, *growth; } CASES[] = {
		{ OK(SERIES(ID, MONTH("2026", "M09", "1030") "," MONTH("2025", "M10", "900") ","
			    MONTH("2025", "M09", "1000"))), "3.00" },
		{ OK(SERIES(ID, MONTH("2026", "M09", "1030") "," MONTH("2025", "M08", "1000"))), NULL },
		{ OK(SERIES(ID, MONTH("2026", "M10", "-") "," MONTH("2026", "M09", "990") ","
			    MONTH("2025", "M09", "1000"))), "-1.00" },
		{ OK(SERIES(ID, MONTH("2026", "M09", "990") "," MONTH("2025", "M09", "-"))), NULL },
		{ OK(SERIES(ID, YEAR("2025", "1500", "{}") "," YEAR("2024", "1000", "{}"))), "50.00" },
		{ OK(SERIES(ID, YEAR("2025", "1500", "{}"))), NULL },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(CASES); i++) {
		struct bls_reply *r = parse(CASES[i].body);
		char text[AMOUNT_TEXT_SIZE];
		const char *got = amount_text(bls_growth(bls_cell(r, ID)), 2, text);

		if (!got != !CASES[i].growth || (got && strcmp(got, CASES[i].growth) != 0))
			fail_msg("%zu: %s", i, got ? got : "nothing");
		bls_reply_free(r);
	}
}

static void results_may_be_an_object_or_an_array(void **state)
{
	struct bls_reply *r =
		parse("{\"status\":\"REQUEST_SUCCEEDED\",\"message\":[\"No Data Available for "
		      "Series X Year: 2016\"],\"Results\":[{\"series\":[" SERIES(
			      ID, YEAR("2025", "7", "{}")) "]}]}");

	(void)state;
	assert_true(bls_cell(r, ID)->exists);
	bls_reply_free(r);
}

static void a_series_that_does_not_exist_is_told_apart(void **state)
{
	struct bls_reply *r =
		parse("{\"status\":\"REQUEST_SUCCEEDED\",\"message\":[\"Series does not exist for "
		      "Series " ID "\"],\"Results\":{\"series\":[{\"seriesID\":\"" ID
		      "\",\"data\":[]}]}}");

	(void)state;
	assert_false(bls_cell(r, ID)->exists);
	assert_null(bls_cell(r, "OEUN000000000000015125204"));
	bls_reply_free(r);
}

static const struct {
	int status;
	const char *type, *body;
	enum err_code code;
} TROUBLES[] = {
	{ 200, "application/json", "{\"status\":\"REQUEST_NOT_PROCESSED\",\"message\":[\"Request could not be "
	  "serviced, as the daily threshold for total number of requests allocated to the user with "
	  "registration key sEcReT has been reached.\"],\"Results\":{}}", ERR_QUOTA },
	{ 200, "application/json", "{\"status\":\"REQUEST_NOT_PROCESSED\",\"message\":[\"Daily threshold of 25 "
	  "queries has been reached.\"],\"Results\":{}}", ERR_QUOTA },
	{ 200, "application/json", "{\"status\":\"REQUEST_NOT_PROCESSED\",\"message\":[\"The key:sEcReT "
	  "provided by the User is invalid. Please provide a proper key\"],\"Results\":{}}", ERR_REFUSED },
	{ 200, "application/json", "{\"status\":\"REQUEST_NOT_PROCESSED\",\"message\":[\"calculations not "
	  "supported for this survey\"],\"Results\":{}}", ERR_INVALID },
	{ 200, "application/json", "{\"status\":\"REQUEST_FAILED\",\"message\":[\"x sEcReT\"]}", ERR_HTTP },
	{ 200, "application/json", "{\"status\":\"REQUEST_FAILED_INVALID_PARAMETERS\",\"message\":[]}", ERR_INVALID },
	{ 200, "application/json", "{}", ERR_HTTP },
	{ 200, "application/json", "null", ERR_HTTP },
	{ 200, "application/json", "", ERR_HTTP },
	{ 200, "application/json", "<html><body>Scheduled maintenance.</body></html>", ERR_HTTP },
	{ 200, "application/json", "{\"status\":\"REQUEST_SUCC", ERR_HTTP },
	{ 200, "text/html", "<html>Sorry sEcReT</html>", ERR_HTTP },
	{ 200, "", "", ERR_HTTP },
	{ 503, "text/html", "<html></html>", ERR_HTTP },
	{ 500, "application/json", "{}", ERR_HTTP },
	{ 202, "application/json", "{}", ERR_HTTP },
	{ 429, "text/html", "", ERR_LIMITED },
	{ 401, "application/json", "{}", ERR_REFUSED },
	{ 403, "text/html", "", ERR_REFUSED },
	{ 404, "text/html", "", ERR_REFUSED },
	{ 408, "text/html", "", ERR_HTTP },
	{ 400, "application/json", "{}", ERR_INVALID },
	{ 415, "text/html", "", ERR_INVALID },
};

static void every_error_form_has_its_code_and_repeats_no_key(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(TROUBLES); i++) {
		struct bls_reply *r = NULL;
		struct err e;

		if (bls_parse(TROUBLES[i].status, TROUBLES[i].type, TROUBLES[i].body,
			      strlen(TROUBLES[i].body), &r, &e) != -(int)TROUBLES[i].code)
			fail_msg("trouble %zu: %s %s", i, err_name(e.code), e.msg);
		assert_null(strstr(e.msg, "sEcReT"));
		assert_null(r);
	}
}

static void a_used_up_day_is_parked_until_midnight_eastern(void **state)
{
	struct bls_reply *r = NULL;
	int64_t now;
	struct err e;

	(void)state;
	assert_int_equal(clock_parse_iso("2026-11-21T22:00:00Z", &now, NULL), 0);
	clock_fix_wall(now);
	assert_int_equal(bls_parse(200, TROUBLES[1].type, TROUBLES[1].body,
				   strlen(TROUBLES[1].body), &r, &e),
			 -ERR_QUOTA);
	assert_int_equal(e.retry_after_ms, 7 * 3600 * 1000);
	clock_fix_wall(0);
}

static void spoilt_answers_are_survived(void **state)
{
	static const char BODY[] =
		OK(SERIES(ID,
			  YEAR("2025", "-",
			       "{\"code\":\"5\",\"text\":\"$115.00 per hour or $239,200 per "
			       "year\"}")) "," SERIES("LNS14000000",
						      MONTH("2026", "M09", "4.3") "," MONTH(
							      "2025", "M13", "4.1")));
	unsigned seed = 11;

	(void)state;
	for (int i = 0; i < 20000; i++) {
		struct bls_reply *r = NULL;
		size_t len;
		char *s = spoil(BODY, &seed, &len);

		if (bls_parse(200, "application/json", s, len, &r, NULL) == 0) {
			const struct bls_cell *cell = bls_cell(r, ID);

			assert_true(!cell || cell->value.e4 >= 0 ||
				    cell->value.kind == AMOUNT_VALUE);
			bls_reply_free(r);
		}
		free(s);
	}
}

static char *sample(const char *name)
{
	char path[256], *text = mem_zalloc(1 << 20);
	FILE *f;

	snprintf(path, sizeof path, SAMPLES "%s", name);
	f = fopen(path, "r");
	if (!f) {
		free(text);
		return NULL;
	}
	(void)!fread(text, 1, (1 << 20) - 1, f);
	fclose(f);
	return text;
}

static void recorded_answers_are_read(void **state)
{
	char *wages = sample("1.json"), *labour = sample("2.json"),
	     *missing = sample("e3_series_missing.json");
	struct bls_reply *r;
	char text[AMOUNT_TEXT_SIZE];

	(void)state;
	if (!wages || !labour || !missing)
		skip();
	r = parse(wages);
	assert_string_equal(amount_text(bls_cell(r, "OEUN000000000000015125204")->value, 0, text),
			    "148100");
	assert_string_equal(amount_text(bls_cell(r, "OEUM001910000000015125208")->value, 2, text),
			    "64.08");
	bls_reply_free(r);
	r = parse(labour);
	assert_string_equal(amount_text(bls_cell(r, "LAUST080000000000006")->value, 0, text),
			    "3178070");
	assert_int_equal(bls_cell(r, "LAUST080000000000006")->month, 10);
	assert_true(bls_cell(r, "LAUST080000000000006")->preliminary);
	bls_reply_free(r);
	r = parse(missing);
	assert_false(bls_cell(r, "OEUM001746000000015125204")->exists);
	bls_reply_free(r);
	free(wages);
	free(labour);
	free(missing);
}

static void recorded_refusals_are_understood(void **state)
{
	static const struct { const char *name; enum err_code code; } FILES[] = {
		{ "e1_threshold_v1.json", ERR_QUOTA }, { "e2_threshold_key.json", ERR_QUOTA },
		{ "e4_invalid_key.json", ERR_REFUSED },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(FILES); i++) {
		char *text = sample(FILES[i].name);
		struct bls_reply *r = NULL;

		if (!text)
			skip();
		assert_int_equal(bls_parse(200, "application/json", text, strlen(text), &r, NULL),
				 -(int)FILES[i].code);
		free(text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(series_ids_follow_the_published_scheme),
		cmocka_unit_test(a_call_carries_no_more_series_than_its_key_allows),
		cmocka_unit_test(values_footnotes_and_periods_are_read),
		cmocka_unit_test(a_footnote_5_elsewhere_is_no_top_code),
		cmocka_unit_test(growth_is_from_the_same_month_a_year_before),
		cmocka_unit_test(results_may_be_an_object_or_an_array),
		cmocka_unit_test(a_series_that_does_not_exist_is_told_apart),
		cmocka_unit_test(every_error_form_has_its_code_and_repeats_no_key),
		cmocka_unit_test(a_used_up_day_is_parked_until_midnight_eastern),
		cmocka_unit_test(spoilt_answers_are_survived),
		cmocka_unit_test(recorded_answers_are_read),
		cmocka_unit_test(recorded_refusals_are_understood),
	};

	return cmocka_run_group_tests_name("salary bls", tests, NULL, NULL);
}
