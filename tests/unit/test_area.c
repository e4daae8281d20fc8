/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants the above first */
#include <cmocka.h>

#include "common/base/clock.h"
#include "common/base/err.h"
#include "common/base/mem.h"
#include "common/market/area.h"
#include "common/market/gazetteer.h"

static const struct {
	const char *text;
	enum area_level level;
	const char *label, *code;
	bool warned;
} PLACES[] = {
#include "tests/unit/area_places.inc"
};

static void places_resolve_to_their_codes(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(PLACES); i++) {
		struct area a;
		struct err e;

		if (area_resolve(PLACES[i].text, &a, &e) < 0)
			fail_msg("%s: %s", PLACES[i].text, e.msg);
		if (a.level != PLACES[i].level || strcmp(a.label, PLACES[i].label) != 0 ||
		    strcmp(area_code(&a), PLACES[i].code) != 0 || !!*a.warning != PLACES[i].warned)
			fail_msg("%s: %s %s %s \"%s\", expected %s %s", PLACES[i].text,
				 area_level_name(a.level), a.label, area_code(&a), a.warning,
				 PLACES[i].label, PLACES[i].code);
	}
}

static void a_label_resolves_to_itself(void **state)
{
	struct area a, again;

	(void)state;
	for (size_t i = 0; i < COUNT(PLACES); i++) {
		assert_int_equal(area_resolve(PLACES[i].text, &a, NULL), 0);
		if (area_resolve(a.label, &again, NULL) < 0 || strcmp(again.label, a.label) != 0 ||
		    strcmp(area_code(&again), area_code(&a)) != 0)
			fail_msg("%s: %s becomes %s", PLACES[i].text, a.label, again.label);
		for (size_t k = 0; k < AREA_ALTERNATIVES && *a.alternatives[k]; k++)
			assert_string_not_equal(a.alternatives[k], a.label);
	}
}

static void spellings_of_one_place_meet(void **state)
{
	static const char *const SAME[][6] = {
		{ "NYC", "New York, NY", "new york city", "New York", "NUEVA YORK", "New York, NY 10001" },
		{ "SF", "San Francisco, CA", "SF Bay Area", "San Fran", "San Fransisco", "SAN FRANCISCO" },
		{ "LA", "Los Angeles, CA", "L.A.", "los angeles", "Los Angeles, California", "LA, CA" },
		{ "DC", "Washington, DC", "Washington D.C.", "DMV", "washington dc", "D.C." },
		{ "St. Louis, MO", "Saint Louis, MO", "St Louis", "STL", "st louis missouri", "Saint Louis, MO 63101" },
	};
	struct area first, a;

	(void)state;
	for (size_t i = 0; i < COUNT(SAME); i++) {
		assert_int_equal(area_resolve(SAME[i][0], &first, NULL), 0);
		for (size_t k = 1; k < COUNT(SAME[i]); k++) {
			assert_int_equal(area_resolve(SAME[i][k], &a, NULL), 0);
			if (strcmp(a.label, first.label) != 0)
				fail_msg("%s: %s, expected %s", SAME[i][k], a.label, first.label);
		}
	}
}

static void a_name_of_several_cities_names_the_others(void **state)
{
	static const struct {
		const char *text, *alternative;
	} CASES[] = {
		{ "Portland", "Portland, ME" }, { "Springfield", "Springfield, MA" },
		{ "Kansas City", "Kansas City, KS" },
		{ "Columbus", "Columbus, GA" }, { "Washington", "Washington State" }, { "New York", "New York State" },
		{ "Arlington", "Arlington, VA" }, { "Vancouver", "Vancouver, BC, CA" }, { "Aurora", "Aurora, IL" },
		{ "Orange County", "Orange County, FL" }, { "Rochester", "Rochester, MN" },
		{ "Warsaw", "Warsaw, IN" }, { "San Juan", "San Juan, TX" }, { "South Bay", "Torrance, CA" },
	};
	struct area a;

	(void)state;
	for (size_t i = 0; i < COUNT(CASES); i++) {
		bool named = false;

		assert_int_equal(area_resolve(CASES[i].text, &a, NULL), 0);
		for (size_t k = 0; k < AREA_ALTERNATIVES; k++)
			named = named || strcmp(a.alternatives[k], CASES[i].alternative) == 0;
		if (!named)
			fail_msg("%s: %s, not %s", CASES[i].text, a.alternatives[0],
				 CASES[i].alternative);
	}
	assert_int_equal(area_resolve("Portland, OR", &a, NULL), 0);
	assert_string_equal(a.alternatives[0], "");
}

static void refuses(const char *text, int code, const char *says)
{
	struct area a;
	struct err e;

	assert_int_equal(area_resolve(text, &a, &e), -code);
	if (!strstr(e.msg, says))
		fail_msg("%s: %s", text, e.msg);
}

static void what_cannot_be_a_place_is_refused_with_advice(void **state)
{
	(void)state;
	refuses("", ERR_INVALID, "location is empty");
	refuses(" ,;- ", ERR_INVALID, "location is empty");
	refuses(NULL, ERR_INVALID, "location is empty");
	refuses("Xqzvw", ERR_NOT_FOUND, "City, ST");
	refuses("Sietle", ERR_NOT_FOUND, "Seattle, WA");
	refuses("Chigaco", ERR_NOT_FOUND, "\"Chicago, IL\", \"");
}

static void a_place_in_another_country_has_no_codes_of_the_united_states(void **state)
{
	static const struct {
		const char *text, *label, *country;
	} CASES[] = {
		{ "London", "London, ENG, GB", "GB" }, { "London, UK", "London, ENG, GB", "GB" },
		{ "Toronto, Canada", "Toronto, ON, CA", "CA" }, { "Toronto, ON", "Toronto, ON, CA", "CA" },
		{ "Vancouver, BC", "Vancouver, BC, CA", "CA" }, { "Berlin", "Berlin, BE, DE", "DE" },
		{ "München, Deutschland", "Munich, BY, DE", "DE" }, { "Paris, France", "Paris, IDF, FR", "FR" },
		{ "Bangalore", "Bengaluru, KA, IN", "IN" }, { "Mumbai, India", "Mumbai, MH, IN", "IN" },
		{ "Zürich", "Zürich, ZH, CH", "CH" }, { "Tel Aviv", "Tel Aviv, TA, IL", "IL" },
		{ "Sydney, Australia", "Sydney, NSW, AU", "AU" }, { "Canada", "Canada", "CA" },
		{ "Ontario, Canada", "ON, CA", "CA" }, { "Mexico City", "Mexico City, CMX, MX", "MX" },
		{ "São Paulo", "São Paulo, SP, BR", "BR" }, { "Nowheretown, France", "Nowheretown, FR", "FR" },
		{ "Memphis, Egypt", "Memphis, EG", "EG" }, { "Memphis Egypt", "Memphis, EG", "EG" },
		{ "Boston, Mexico", "Boston, MX", "MX" }, { "Boston (Mexico)", "Boston, MX", "MX" },
		{ "Springfield, Ontario", "Springfield, ON, CA", "CA" },
		{ "Springfield, Quebec", "Springfield, QC, CA", "CA" },
		{ "Hamilton, Ont.", "Hamilton, ON, CA", "CA" }, { "London, Ont.", "London, ON, CA", "CA" },
		{ "Portland, Victoria", "Portland, VIC, AU", "AU" },
		{ "Melbourne VIC", "Melbourne, VIC, AU", "AU" },
		{ "Melbourne, Victoria 3000", "Melbourne, VIC, AU", "AU" },
		{ "Boston, Eng.", "Boston, ENG, GB", "GB" }, { "Seattle, Brazil", "Seattle, BR", "BR" },
		{ "Tbilisi, Georgia", "Tbilisi, TB, GE", "GE" }, { "Naples, Italy", "Naples, 72, IT", "IT" },
		{ "Denver, Colombia", "Denver, Colombia", "CO" }, { "Boston, Canada", "Boston, Canada", "CA" },
		{ "Warsaw", "Warsaw, MZ, PL", "PL" }, { "Halifax", "Halifax, NS, CA", "CA" },
	};
	struct area a, again;

	(void)state;
	for (size_t i = 0; i < COUNT(CASES); i++) {
		assert_int_equal(area_resolve(CASES[i].text, &a, NULL), 0);
		if (a.level != AREA_FOREIGN || strcmp(a.label, CASES[i].label) != 0 ||
		    strcmp(area_code(&a), CASES[i].country) != 0 || !*a.warning || a.metro ||
		    a.state)
			fail_msg("%s: %s %s %s", CASES[i].text, area_level_name(a.level), a.label,
				 area_code(&a));
		if (area_resolve(a.label, &again, NULL) < 0 || strcmp(again.label, a.label) != 0)
			fail_msg("%s becomes %s", a.label, again.label);
		again = area_widen(&a);
		assert_int_equal(again.level, AREA_FOREIGN);
	}
}

static void any_bytes_are_survived(void **state)
{
	char junk[2000];
	struct area a;
	unsigned seed = 7;

	(void)state;
	for (int round = 0; round < 2000; round++) {
		for (size_t i = 0; i + 1 < sizeof junk; i++) {
			seed = seed * 1103515245u + 12345u;
			junk[i] = (char)(seed >> 16 | 1);
		}
		junk[(size_t)round % sizeof junk] = '\0';
		junk[sizeof junk - 1] = '\0';
		(void)area_resolve(junk, &a, NULL);
	}
	memset(junk, 'a', sizeof junk - 1);
	(void)area_resolve(junk, &a, NULL);
	for (size_t i = 0; i + 3 < sizeof junk; i += 3)
		memcpy(junk + i, "a, ", 3);
	(void)area_resolve(junk, &a, NULL);
}

static void a_place_widens_from_metro_to_state_to_nation(void **state)
{
	struct area a, wider;

	(void)state;
	assert_int_equal(area_resolve("Newark, NJ", &a, NULL), 0);
	wider = area_widen(&a);
	assert_string_equal(area_name(&wider), "New Jersey");
	assert_string_equal(wider.label, "Newark, NJ");
	wider = area_widen(&wider);
	assert_string_equal(area_code(&wider), "US");
}

static void every_metro_names_known_states_and_well_formed_codes(void **state)
{
	(void)state;
	for (size_t i = 0; i < AREA_METROS_COUNT; i++) {
		const struct area_metro *m = &AREA_METROS[i];
		char text[128];
		struct area a;

		assert_int_equal(strlen(m->cbsa), 5);
		snprintf(text, sizeof text, "%s, %s", m->name, m->states);
		assert_int_equal(area_resolve(text, &a, NULL), 0);
		if (a.metro != m)
			fail_msg("%s: %s %s, expected %s", text, a.label, area_code(&a), m->cbsa);
		assert_non_null(a.state);
	}
	assert_int_equal(AREA_METROS_COUNT, 393);
	assert_int_equal(AREA_STATES_COUNT, 52);
}

/* CBSA and the state of LAUS series, as apis.md has them of the agencies. */
static void codes_are_those_of_the_agencies(void **state)
{
	static const char *const METROS[][3] = {
		{ "New York-Newark-Jersey City", "35620", "36" }, { "Los Angeles-Long Beach-Anaheim", "31080", "06" },
		{ "Washington-Arlington-Alexandria", "47900", "11" }, { "Cleveland", "17410", "39" },
		{ "Boston-Cambridge-Newton", "14460", "25" }, { "St. Louis", "41180", "29" },
		{ "Houston-Pasadena-The Woodlands", "26420", "48" }, { "Louisville/Jefferson County", "31140", "21" },
		{ "Dayton-Kettering-Beavercreek", "19430", "39" }, { "Urban Honolulu", "46520", "15" },
		{ "Bridgeport-Stamford-Danbury", "14860", "09" }, { "Waterbury-Shelton", "47930", "09" },
		{ "Kiryas Joel-Poughkeepsie-Newburgh", "28880", "36" }, { "Durham-Chapel Hill", "20500", "37" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(METROS); i++)
		for (size_t k = 0; k <= AREA_METROS_COUNT; k++) {
			if (k == AREA_METROS_COUNT)
				fail_msg("no metro %s", METROS[i][0]);
			if (strcmp(AREA_METROS[k].name, METROS[i][0]) != 0)
				continue;
			assert_string_equal(AREA_METROS[k].cbsa, METROS[i][1]);
			assert_string_equal(AREA_METROS[k].fips, METROS[i][2]);
			break;
		}
}

/* Of 16,000 places some hundred have a larger namesake in their state. */
static void nearly_every_place_of_the_gazetteer_has_its_own_metro(void **state)
{
	int other = 0, all = 0;
	struct gazetteer_place d;
	struct gazetteer_entry e;
	struct area a;

	(void)state;
	for (size_t i = 0; i < AREA_STATES_COUNT; i++) {
		int region = gazetteer_region_by_code("US", AREA_STATES[i].abbr);
		struct gazetteer_walk w = gazetteer_places("US", region);

		while (region >= 0 && gazetteer_next_place(&w, &e)) {
			char text[160];

			snprintf(text, sizeof text, "%s, %s", e.name, AREA_STATES[i].abbr);
			gazetteer_detail(e.index, &d);
			all++;
			if (area_resolve(text, &a, NULL) < 0)
				fail_msg("%s is refused", text);
			if (a.metro ? memcmp(a.metro->cbsa, d.cbsa, 5) != 0 : *d.cbsa != '\0')
				other++;
		}
	}
	print_message("%d places, %d of them stand for another\n", all, other);
	assert_true(all > 16000 && other < 250);
}

static void a_place_costs_microseconds(void **state)
{
	int64_t start;
	struct area a;

	(void)state;
	(void)area_resolve("Boston, MA", &a, NULL);
	start = clock_mono_us();
	for (size_t i = 0; i < COUNT(PLACES); i++)
		(void)area_resolve(PLACES[i].text, &a, NULL);
	print_message("%.1f us a place\n", (double)(clock_mono_us() - start) / COUNT(PLACES));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(places_resolve_to_their_codes),
		cmocka_unit_test(a_label_resolves_to_itself),
		cmocka_unit_test(spellings_of_one_place_meet),
		cmocka_unit_test(a_name_of_several_cities_names_the_others),
		cmocka_unit_test(what_cannot_be_a_place_is_refused_with_advice),
		cmocka_unit_test(a_place_in_another_country_has_no_codes_of_the_united_states),
		cmocka_unit_test(any_bytes_are_survived),
		cmocka_unit_test(a_place_widens_from_metro_to_state_to_nation),
		cmocka_unit_test(every_metro_names_known_states_and_well_formed_codes),
		cmocka_unit_test(codes_are_those_of_the_agencies),
		cmocka_unit_test(nearly_every_place_of_the_gazetteer_has_its_own_metro),
		cmocka_unit_test(a_place_costs_microseconds),
	};

	return cmocka_run_group_tests_name("area", tests, NULL, NULL);
}
