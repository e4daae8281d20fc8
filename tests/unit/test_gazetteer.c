/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/base/mem.h"
#include "common/base/text.h"
#include "common/market/country.h"
#include "common/market/gazetteer.h"

static bool first(const char *name, enum gazetteer_kind kind, struct gazetteer_entry *ret)
{
	char folded[GAZETTEER_KEY_MAX];

	text_fold(name, folded, sizeof folded);
	for (struct gazetteer_walk w = gazetteer_find(folded); gazetteer_next(&w, ret);)
		if (ret->kind == kind)
			return true;
	return false;
}

static void a_city_is_found_by_its_names_in_several_languages(void **state)
{
	static const struct {
		const char *name, *country, *region;
	} CASES[] = {
		{ "Köln", "DE", "NW" },	      { "Koeln", "DE", "NW" },	     { "Cologne", "DE", "NW" },
		{ "München", "DE", "BY" },    { "Monaco di Baviera", "DE", "BY" },
		{ "Warszawa", "PL", "MZ" },   { "Łódź", "PL", "LD" },	     { "Lodz", "PL", "LD" },
		{ "NYC", "US", "NY" },	      { "St. Louis", "US", "MO" },   { "Saint Louis", "US", "MO" },
		{ "Bangalore", "IN", "KA" },  { "Bengaluru", "IN", "KA" },   { "Genf", "CH", "GE" },
		{ "København", "DK", "84" },  { "Kobenhavn", "DK", "84" },   { "Ft Worth", "US", "TX" },
		{ "Ho Chi Minh", "VN", "SG" }, { "Washington, DC", "US", "DC" },
	};
	struct gazetteer_entry e;

	(void)state;
	for (size_t i = 0; i < COUNT(CASES); i++) {
		if (!first(CASES[i].name, GAZETTEER_PLACE, &e))
			fail_msg("%s is unknown", CASES[i].name);
		assert_string_equal(e.country, CASES[i].country);
		assert_string_equal(gazetteer_region_code(e.region), CASES[i].region);
	}
	assert_false(first("Xyzzyville", GAZETTEER_PLACE, &e));
	assert_false(first("", GAZETTEER_PLACE, &e));
}

static void a_city_has_coordinates_and_a_large_american_one_its_metro(void **state)
{
	struct gazetteer_entry e;
	struct gazetteer_place d;

	(void)state;
	assert_true(first("Aurora", GAZETTEER_PLACE, &e));
	gazetteer_detail(e.index, &d);
	assert_true(d.latitude > 39.6 && d.latitude < 39.9);
	assert_true(d.longitude > -105 && d.longitude < -104.6);
	assert_memory_equal(d.cbsa, "19740", 5);
	assert_string_equal(d.metro, "Denver-Aurora-Centennial");
	assert_true(first("Lyon", GAZETTEER_PLACE, &e));
	gazetteer_detail(e.index, &d);
	assert_string_equal(d.cbsa, "");
	assert_int_equal(d.geoname_id, 2996944);
}

static void every_country_and_state_is_known_by_name_and_code(void **state)
{
	struct gazetteer_entry e;
	int texas = gazetteer_region_by_code("US", "tx");

	(void)state;
	for (size_t i = 0; i < COUNTRIES_COUNT; i++) {
		if (!first(COUNTRIES[i].name, GAZETTEER_COUNTRY, &e))
			fail_msg("%s is unknown", COUNTRIES[i].name);
		assert_string_equal(e.country, COUNTRIES[i].code);
	}
	assert_string_equal(gazetteer_region_name(texas), "Texas");
	assert_int_equal(gazetteer_region_by_code("US", "ZZ"), -1);
	assert_int_equal(gazetteer_region_by_code(NULL, "TX"), -1);
	assert_true(first("Baviera", GAZETTEER_REGION, &e));
	assert_string_equal(e.country, "DE");
	assert_true(first("Bayern", GAZETTEER_REGION, &e));
	assert_string_equal(e.name, "Bavaria");
}

static void the_places_of_a_region_come_with_the_largest_first(void **state)
{
	struct gazetteer_walk w = gazetteer_places("US", gazetteer_region_by_code("US", "IL"));
	struct gazetteer_entry e;
	int n = 0;

	(void)state;
	assert_true(gazetteer_next_place(&w, &e));
	assert_string_equal(e.name, "Chicago");
	while (gazetteer_next_place(&w, &e))
		n++;
	assert_true(n > 300);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_city_is_found_by_its_names_in_several_languages),
		cmocka_unit_test(a_city_has_coordinates_and_a_large_american_one_its_metro),
		cmocka_unit_test(every_country_and_state_is_known_by_name_and_code),
		cmocka_unit_test(the_places_of_a_region_come_with_the_largest_first),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
