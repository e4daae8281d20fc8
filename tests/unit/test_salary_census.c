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
#include "workers/salary/census.h"

#define SAMPLES "../shared/samples/census/"
#define JSON "application/json"

static struct area place(const char *text)
{
	struct area a;

	assert_int_equal(area_resolve(text, &a, NULL), 0);
	return a;
}

static void paths_name_the_geography(void **state)
{
	static const char *const COLUMNS[] = { "B20017_001E", CENSUS_WORKERS };
	struct area york = place("NYC"), texas = place("Texas"), nation = place("USA");
	struct buf path;

	(void)state;
	buf_init(&path, 1024);
	census_table_path(2024, &york, COLUMNS, 2, &path);
	assert_string_equal(buf_text(&path), "/2024/acs/acs5?get=NAME,B20017_001E,B08301_001E&for="
		"metropolitan%20statistical%20area/micropolitan%20statistical%20area:35620");
	buf_clear(&path);
	census_table_path(2024, &texas, COLUMNS, 1, &path);
	assert_string_equal(buf_text(&path), "/2024/acs/acs5?get=NAME,B20017_001E&for=state:48");
	buf_clear(&path);
	census_table_path(2024, &nation, COLUMNS, 0, &path);
	assert_string_equal(buf_text(&path), "/2024/acs/acs5?get=NAME&for=us:1");
	buf_release(&path);
}

#define VARIABLES "{\"variables\":{\"NAME\":{\"label\":\"Geographic Area Name\"}," \
	"\"B24011_001E\":{\"label\":\"Estimate!!Median --!!Civilian employed population 16 years " \
	"and over with earnings:\"}," \
	"\"B24011_009E\":{\"label\":\"Estimate!!Median --!!x:!!Management occupations:\"}," \
	"\"B24011_013E\":{\"label\":\"Estimate!!Median --!!x:!!y:!!Computer and mathematical occupations\"}," \
	"\"B24011_013M\":{\"label\":\"Margin!!Computer and mathematical occupations\"}," \
	"\"B24011_020E\":{\"label\":\"Estimate!!a!!Twice\"},\"B24011_021E\":{\"label\":\"Estimate!!b!!Twice:\"}," \
	"\"C24010_013E\":{\"label\":\"Total!!Computer and mathematical occupations\"}}}"

static void columns_are_found_by_label_or_not_at_all(void **state)
{
	char column[CENSUS_COLUMN_SIZE];
	struct err e;

	(void)state;
	assert_int_equal(census_find_column(VARIABLES, strlen(VARIABLES),
		census_group_label(occupation_by_soc("15-1252")), column, &e), 0);
	assert_string_equal(column, "B24011_013E");
	assert_int_equal(census_find_column(VARIABLES, strlen(VARIABLES),
		census_group_label(occupation_by_soc("00-0000")), column, &e), 0);
	assert_string_equal(column, "B24011_001E");
	assert_int_equal(
		census_find_column(VARIABLES, strlen(VARIABLES), "Legal occupations", column, &e),
		-ERR_NOT_FOUND);
	assert_int_equal(census_find_column(VARIABLES, strlen(VARIABLES), "Twice", column, &e),
			 -ERR_NOT_FOUND);
	assert_true(census_find_column("[]", 2, "x", column, &e) < 0);
	assert_true(census_find_column("{", 1, "x", column, &e) < 0);
}

static void a_column_has_its_margin_beside_it(void **state)
{
	static const char *const NONE[] = { "",
					    "B24011_013M",
					    "B24011_13E",
					    "B24011_013EA",
					    "C24010_013E",
					    "B24011_013E&x=1",
					    "B24011_01300E",
					    "NAME" };
	char margin[CENSUS_COLUMN_SIZE];

	(void)state;
	assert_true(census_is_column("B24011_013E"));
	for (size_t i = 0; i < COUNT(NONE); i++)
		assert_false(census_is_column(NONE[i]));
	census_margin_column("B24011_013E", margin);
	assert_string_equal(margin, "B24011_013M");
}

static void every_group_of_the_classification_has_its_label(void **state)
{
	static const struct { const char *soc, *label; } CASES[] = {
		{ "29-1141", "Healthcare practitioners and technical occupations" },
		{ "53-3032", "Transportation occupations" },
		{ "53-7065", "Material moving occupations" }, { "55-1011", NULL },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(CASES); i++) {
		const char *got = census_group_label(
			&(struct occupation_row){ CASES[i].soc, "", "" });

		if (!got != !CASES[i].label || (got && strcmp(got, CASES[i].label) != 0))
			fail_msg("%s: %s", CASES[i].soc, got ? got : "nothing");
	}
}

static void a_row_of_another_place_is_noticed(void **state)
{
	static const char BODY[] = "[[\"NAME\",\"A\",\"state\"],[\"Texas\",\"5\",\"48\"]]";
	struct area texas, ohio, nation;
	struct census_table *t;

	(void)state;
	assert_int_equal(area_resolve("Texas", &texas, NULL), 0);
	assert_int_equal(area_resolve("Ohio", &ohio, NULL), 0);
	assert_int_equal(area_resolve("USA", &nation, NULL), 0);
	assert_int_equal(census_parse(200, JSON, BODY, strlen(BODY), &t, NULL), 0);
	assert_true(census_is_of(t, &texas));
	assert_false(census_is_of(t, &ohio));
	assert_false(census_is_of(t, &nation));
	census_table_free(t);
}

static void sentinels_are_absent_and_top_codes_are_bounds(void **state)
{
	static const char BODY[] =
		"[[\"NAME\",\"A\",\"B\",\"C\",\"D\",\"E\",\"F\",\"us\"],\n[\"San Sebasti?n\","
		"\"-666666666\",\"-666666666.0\",\"250001\",null,\"61917\",\"-222222222\",\"1\"]]";
	static const struct { const char *column; enum amount_kind kind; } CELLS[] = {
		{ "A", AMOUNT_ABSENT }, { "B", AMOUNT_ABSENT }, { "C", AMOUNT_BOUND }, { "D", AMOUNT_ABSENT },
		{ "E", AMOUNT_VALUE }, { "F", AMOUNT_ABSENT },
	};
	struct census_table *t;
	struct amount a;

	(void)state;
	assert_int_equal(census_parse(200, JSON, BODY, strlen(BODY), &t, NULL), 0);
	assert_int_equal(census_rows(t), 1);
	assert_string_equal(census_text(t, 0, "NAME"), "San Sebasti?n");
	assert_null(census_text(t, 1, "NAME"));
	for (size_t i = 0; i < COUNT(CELLS); i++) {
		assert_int_equal(census_amount(t, 0, CELLS[i].column, &a, NULL), 0);
		assert_int_equal(a.kind, CELLS[i].kind);
	}
	assert_int_equal(census_amount(t, 0, "Z", &a, NULL), -ERR_NOT_FOUND);
	census_table_free(t);
	census_table_free(NULL);
}

static const struct {
	int status;
	const char *type, *body;
	enum err_code code;
} TROUBLES[] = {
	{ 302, "", "", ERR_REFUSED },
	{ 200, "text/html", "<html>\n<head><title>Missing Key</title></head></html>", ERR_REFUSED },
	{ 200, "text/html", "<html>\n<head><title>Invalid Key</title></head></html>", ERR_REFUSED },
	{ 204, "", "", ERR_NOT_FOUND },
	{ 400, "text/plain", "error: error: unknown variable 'B250301_001E'", ERR_NOT_FOUND },
	{ 400, "text/plain", "error: unknown/unsupported geography hierarchy", ERR_NOT_FOUND },
	{ 400, "text/plain", "error: missing 'for' argument", ERR_INVALID },
	{ 400, "text/plain", "There was an error while running your query. We've logged the error", ERR_HTTP },
	{ 500, "text/plain", "There was an error while running your query. We've logged the error", ERR_HTTP },
	{ 404, "text/html", "<html></html>", ERR_REFUSED },
	{ 429, "text/html", "", ERR_LIMITED },
	{ 503, "text/html", "", ERR_HTTP },
	{ 200, "text/html", "<html>maintenance</html>", ERR_HTTP },
	{ 200, JSON, "", ERR_HTTP },
	{ 200, JSON, "[[\"NAME\"", ERR_HTTP },
	{ 200, JSON, "{}", ERR_PROTOCOL },
	{ 200, JSON, "[]", ERR_PROTOCOL },
	{ 200, JSON, "[[]]", ERR_PROTOCOL },
	{ 200, JSON, "[[\"A\"],[\"1\",\"2\"]]", ERR_PROTOCOL },
	{ 200, JSON, "[[\"A\"],[7]]", ERR_PROTOCOL },
};

static void every_error_form_has_its_code(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(TROUBLES); i++) {
		struct census_table *t = NULL;
		struct err e;

		if (census_parse(TROUBLES[i].status, TROUBLES[i].type, TROUBLES[i].body,
				 strlen(TROUBLES[i].body), &t, &e) != -(int)TROUBLES[i].code)
			fail_msg("trouble %zu: %s %s", i, err_name(e.code), e.msg);
		assert_null(t);
	}
}

static void spoilt_answers_are_survived(void **state)
{
	static const char BODY[] =
		"[[\"NAME\",\"B24011_013E\",\"us\"],[\"United States\",\"101234\",\"1\"],"
		"[\"x\",\"-666666666.0\",null]]";
	unsigned seed = 12;

	(void)state;
	for (int i = 0; i < 20000; i++) {
		char column[CENSUS_COLUMN_SIZE];
		struct census_table *t = NULL;
		struct amount a;
		size_t len;
		char *s = spoil(BODY, &seed, &len);

		if (census_parse(200, JSON, s, len, &t, NULL) == 0) {
			for (size_t row = 0; row < census_rows(t); row++)
				(void)census_amount(t, row, "B24011_013E", &a, NULL);
			census_table_free(t);
		}
		free(s);
		s = spoil(VARIABLES, &seed, &len);
		(void)census_find_column(s, len, "Management occupations", column, NULL);
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
	static const struct {
		const char *name;
		size_t rows;
		const char *column, *cell;
	} FILES[] = {
		{ "1.json", 3, "B19013_001E", "61917" },
		{ "2.json", 3, "S2403_C01_001E", "21896" },
		{ "5_metro_dp02_2019.json", 10, "DP02_0068PE", "15.7" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(FILES); i++) {
		char *text = sample(FILES[i].name);
		struct census_table *t;

		if (!text)
			skip();
		assert_int_equal(census_parse(200, JSON, text, strlen(text), &t, NULL), 0);
		assert_int_equal(census_rows(t), FILES[i].rows);
		assert_string_equal(census_text(t, 0, FILES[i].column), FILES[i].cell);
		census_table_free(t);
		free(text);
	}
}

static void recorded_refusals_are_understood(void **state)
{
	static const struct { const char *name, *type; int status; enum err_code code; } FILES[] = {
		{ "e1_400_unknown_variable.txt", "text/plain", 400, ERR_NOT_FOUND },
		{ "e2_400_missing_for.txt", "text/plain", 400, ERR_INVALID },
		{ "e3_400_geography.txt", "text/plain", 400, ERR_NOT_FOUND },
		{ "e4_missing_key.html", "text/html", 200, ERR_REFUSED },
		{ "e5_invalid_key.html", "text/html", 200, ERR_REFUSED },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(FILES); i++) {
		char *text = sample(FILES[i].name);
		struct census_table *t = NULL;

		if (!text)
			skip();
		assert_int_equal(
			census_parse(FILES[i].status, FILES[i].type, text, strlen(text), &t, NULL),
			-(int)FILES[i].code);
		free(text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(paths_name_the_geography),
		cmocka_unit_test(columns_are_found_by_label_or_not_at_all),
		cmocka_unit_test(a_column_has_its_margin_beside_it),
		cmocka_unit_test(every_group_of_the_classification_has_its_label),
		cmocka_unit_test(a_row_of_another_place_is_noticed),
		cmocka_unit_test(sentinels_are_absent_and_top_codes_are_bounds),
		cmocka_unit_test(every_error_form_has_its_code),
		cmocka_unit_test(spoilt_answers_are_survived),
		cmocka_unit_test(recorded_answers_are_read),
		cmocka_unit_test(recorded_refusals_are_understood),
	};

	return cmocka_run_group_tests_name("salary census", tests, NULL, NULL);
}
