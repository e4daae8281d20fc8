/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants the above first */
#include <cmocka.h>

#include "common/base/err.h"
#include "common/base/mem.h"
#include "tests/unit/spoil.h"
#include "workers/salary/fred.h"

#define SAMPLES "../shared/samples/fred/"

static void ids_are_built_from_codes(void **state)
{
	struct area a;
	char id[FRED_ID_SIZE];
	struct buf path;

	(void)state;
	assert_int_equal(area_resolve("Seattle, WA", &a, NULL), 0);
	assert_int_equal(fred_parity_id(&a, id), 1);
	assert_string_equal(id, "RPPALL42660");
	fred_unemployment_id(&a, id);
	assert_string_equal(id, "WAUR");
	a = area_widen(&a);
	assert_int_equal(fred_parity_id(&a, id), 1);
	assert_string_equal(id, "WARPPALL");
	a = area_widen(&a);
	assert_int_equal(fred_parity_id(&a, id), 0);
	fred_unemployment_id(&a, id);
	assert_string_equal(id, "UNRATE");
	buf_init(&path, 256);
	fred_path(id, &path);
	assert_string_equal(buf_text(&path),
			    "/series/observations?series_id=UNRATE&file_type=json&sort_order=desc&limit=24");
	buf_release(&path);
}

#define ROW(date, value) "{\"realtime_start\":\"x\",\"date\":\"" date "\",\"value\":\"" value "\"}"

static void the_newest_value_that_is_there_is_taken(void **state)
{
	static const char BODY[] = "{\"count\":4,\"observations\":[" ROW("2026-09-01", ".") "," ROW(
		"2026-08-01",
		"4.3") "," ROW("2025-10-01",
			       "4.1") "," ROW("2026-07-01",
					      "4.4") ",{},7," ROW("bad", "9") "," ROW("2026-13-01",
										      "8") "]}";
	static const char EMPTY[] = "{\"observations\":[" ROW("1946-01-01", ".") "]}";
	struct fred_point p;
	char text[AMOUNT_TEXT_SIZE];

	(void)state;
	assert_int_equal(fred_parse(200, BODY, strlen(BODY), &p, NULL), 0);
	assert_string_equal(amount_text(p.value, 2, text), "4.30");
	assert_int_equal(p.year * 100 + p.month, 202608);
	assert_int_equal(fred_parse(200, EMPTY, strlen(EMPTY), &p, NULL), 0);
	assert_false(amount_is_known(p.value));
}

static void all_observations_that_are_not_missing_come_as_they_stand(void **state)
{
	static const char BODY[] = "{\"observations\":[" ROW("2025-09-01", "324.368") ","
		ROW("2025-10-01", ".") "," ROW("2025-11-01", "325.0") "," ROW("soon", "1") "]}";
	struct fred_point points[4];
	size_t n = 0;

	(void)state;
	assert_int_equal(fred_parse_all(200, BODY, strlen(BODY), points, 4, &n, NULL), 0);
	assert_int_equal(n, 2);
	assert_int_equal(points[0].value.e4, 3243680);
	assert_int_equal(points[1].month, 11);
	assert_int_equal(fred_parse_all(200, BODY, strlen(BODY), points, 1, &n, NULL), 0);
	assert_int_equal(n, 1);
}

static void a_metro_is_asked_for_by_its_former_code_too(void **state)
{
	struct area cleveland, boston, ohio;
	char id[FRED_ID_SIZE];

	(void)state;
	assert_int_equal(area_resolve("Cleveland, OH", &cleveland, NULL), 0);
	assert_int_equal(area_resolve("Boston, MA", &boston, NULL), 0);
	assert_int_equal(area_resolve("Ohio", &ohio, NULL), 0);
	assert_int_equal(fred_parity_id(&cleveland, id), 1);
	assert_string_equal(id, "RPPALL17410");
	assert_int_equal(fred_former_parity_id(&cleveland, id), 1);
	assert_string_equal(id, "RPPALL17460");
	assert_int_equal(fred_former_parity_id(&boston, id), 0);
	assert_int_equal(fred_former_parity_id(&ohio, id), 0);
}

static const struct {
	int status;
	const char *body;
	enum err_code code;
} TROUBLES[] = {
	{ 400,
	  "{\"error_code\":400,\"error_message\":\"Bad Request.  The value for variable api_key is not "
	  "registered.  Read https://fred.stlouisfed.org/docs/api/api_key.html for more information.\"}",
	  ERR_REFUSED },
	{ 400,
	  "<?xml version=\"1.0\"?><error code=\"400\" message=\"Bad Request.  Variable api_key is not set.\"/>",
	  ERR_REFUSED },
	{ 400,
	  "{\"error_code\":400,\"error_message\":\"Bad Request.  The series does not exist.\"}",
	  ERR_NOT_FOUND },
	{ 400, "{\"error_code\":400,\"error_message\":\"Bad Request.  units is not one of ...\"}",
	  ERR_INVALID },
	{ 404, "", ERR_REFUSED },
	{ 423, "{\"error_code\":423,\"error_message\":\"Locked\"}", ERR_AGAIN },
	{ 429, "{\"error_code\":429,\"error_message\":\"Too Many Requests.  Exceeded Rate Limit\"}", ERR_LIMITED },
	{ 500, "{\"error_code\":500,\"error_message\":\"Internal Server Error\"}", ERR_HTTP },
	{ 502, "<html></html>", ERR_HTTP },
	{ 200, "<html></html>", ERR_HTTP },
	{ 200, "", ERR_HTTP },
	{ 200, "{\"observations\":[", ERR_HTTP },
	{ 200, "{}", ERR_PROTOCOL },
	{ 200, "null", ERR_PROTOCOL },
	{ 200, "{\"observations\":7}", ERR_PROTOCOL },
};

static void every_error_form_has_its_code(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(TROUBLES); i++) {
		struct fred_point p;
		struct err e;

		if (fred_parse(TROUBLES[i].status, TROUBLES[i].body, strlen(TROUBLES[i].body), &p,
			       &e) != -(int)TROUBLES[i].code)
			fail_msg("trouble %zu: %s %s", i, err_name(e.code), e.msg);
		if (e.code == ERR_LIMITED)
			assert_int_equal(e.retry_after_ms, 20000);
	}
}

static void spoilt_answers_are_survived(void **state)
{
	static const char BODY[] = "{\"count\":2,\"observations\":[" ROW("2026-09-01", ".") ","
		ROW("2026-08-01", "4.3") "]}";
	unsigned seed = 13;

	(void)state;
	for (int i = 0; i < 20000; i++) {
		struct fred_point p;
		size_t len;
		char *s = spoil(BODY, &seed, &len);

		(void)fred_parse(200, s, len, &p, NULL);
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
	char *gdp = sample("1_observations_gdp.json"), *key = sample("e1_400_bad_key.json");
	char *series = sample("e2_400_no_series.json"), *v2 = sample("e3_v2_400.json");
	struct fred_point p;

	(void)state;
	if (!gdp || !key || !series || !v2)
		skip();
	assert_int_equal(fred_parse(200, gdp, strlen(gdp), &p, NULL), 0);
	assert_true(amount_is_known(p.value));
	assert_int_equal(p.year, 2024);
	assert_int_equal(fred_parse(400, key, strlen(key), &p, NULL), -ERR_REFUSED);
	assert_int_equal(fred_parse(400, series, strlen(series), &p, NULL), -ERR_NOT_FOUND);
	assert_int_equal(fred_parse(400, v2, strlen(v2), &p, NULL), -ERR_INVALID);
	free(gdp);
	free(key);
	free(series);
	free(v2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ids_are_built_from_codes),
		cmocka_unit_test(the_newest_value_that_is_there_is_taken),
		cmocka_unit_test(all_observations_that_are_not_missing_come_as_they_stand),
		cmocka_unit_test(a_metro_is_asked_for_by_its_former_code_too),
		cmocka_unit_test(every_error_form_has_its_code),
		cmocka_unit_test(spoilt_answers_are_survived),
		cmocka_unit_test(recorded_answers_are_read),
	};

	return cmocka_run_group_tests_name("salary fred", tests, NULL, NULL);
}
