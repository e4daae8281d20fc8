/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants the above first */
#include <cmocka.h>

#include "common/base/err.h"
#include "common/base/mem.h"
#include "common/market/area.h"

static const struct {
	const char *text;
	enum area_level level;
	const char *label, *code;
	bool warned;
} PLACES[] = {
	{ "New York, NY", AREA_METRO, "New York, NY", "35620", false },
	{ "NYC", AREA_METRO, "New York, NY", "35620", false },
	{ "new york city", AREA_METRO, "New York, NY", "35620", false },
	{ "New York", AREA_METRO, "New York, NY", "35620", false },
	{ " New  York , New York, USA ", AREA_METRO, "New York, NY", "35620", false },
	{ "New York, NY 10001", AREA_METRO, "New York, NY", "35620", false },
	{ "Brooklyn, NY", AREA_METRO, "Brooklyn, NY", "35620", false },
	{ "Newark, NJ", AREA_METRO, "Newark, NJ", "35620", false },
	{ "New York State", AREA_STATE, "New York State", "36", false },
	{ "Washington, DC", AREA_METRO, "Washington, DC", "47900", false },
	{ "Washington D.C.", AREA_METRO, "Washington, DC", "47900", false },
	{ "Washington", AREA_METRO, "Washington, DC", "47900", true },
	{ "Washington State", AREA_STATE, "Washington State", "53", false },
	{ "Arlington, VA", AREA_METRO, "Arlington, VA", "47900", false },
	{ "Arlington, TX", AREA_METRO, "Arlington, TX", "19100", false },
	{ "Arlington", AREA_METRO, "Arlington, TX", "19100", true },
	{ "SF Bay Area", AREA_METRO, "San Francisco, CA", "41860", false },
	{ "Greater Boston Area", AREA_METRO, "Boston, MA", "14460", false },
	{ "San José, CA", AREA_METRO, "San Jose, CA", "41940", false },
	{ "Saint Louis, MO", AREA_METRO, "St. Louis, MO", "41180", false },
	{ "Kansas City, KS", AREA_METRO, "Kansas City, KS", "28140", false },
	{ "Cleveland, OH", AREA_METRO, "Cleveland, OH", "17410", false },
	{ "Nashville, TN", AREA_METRO, "Nashville, TN", "34980", false },
	{ "Boise", AREA_METRO, "Boise, ID", "14260", false },
	{ "San Fransisco, CA", AREA_METRO, "San Francisco, CA", "41860", true },
	{ "Portland", AREA_METRO, "Portland, OR", "38900", true },
	{ "Portland, ME", AREA_METRO, "Portland, ME", "38860", false },
	{ "Aurora, IL", AREA_METRO, "Aurora, IL", "16980", false },
	{ "Paris, TX", AREA_STATE, "Paris, TX", "48", true },
	{ "Albuquerque, New Mexico", AREA_METRO, "Albuquerque, NM", "10740", false },
	{ "Texas", AREA_STATE, "Texas", "48", false },
	{ "tx", AREA_STATE, "Texas", "48", false },
	{ "New Mexico", AREA_STATE, "New Mexico", "35", false },
	{ "United States", AREA_NATION, "United States", "US", false },
	{ "U.S.A.", AREA_NATION, "United States", "US", false },
	{ "Remote", AREA_NATION, "United States", "US", true },
	{ "Smallville, USA", AREA_NATION, "Smallville, US", "US", true },
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
			fail_msg("%s: %s %s %s \"%s\"", PLACES[i].text, area_level_name(a.level),
				 a.label, area_code(&a), a.warning);
	}
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
	refuses("Xyzzyville", ERR_NOT_FOUND, "City, ST");
	refuses("Sietle", ERR_NOT_FOUND, "Seattle, WA");
	refuses("London, UK", ERR_NOT_FOUND, "outside the United States");
	refuses("Toronto, Canada", ERR_NOT_FOUND, "outside the United States");
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
		assert_string_equal(a.state->fips, m->fips);
	}
	assert_int_equal(AREA_STATES_COUNT, 52);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(places_resolve_to_their_codes),
		cmocka_unit_test(what_cannot_be_a_place_is_refused_with_advice),
		cmocka_unit_test(any_bytes_are_survived),
		cmocka_unit_test(a_place_widens_from_metro_to_state_to_nation),
		cmocka_unit_test(every_metro_names_known_states_and_well_formed_codes),
	};

	return cmocka_run_group_tests_name("area", tests, NULL, NULL);
}
