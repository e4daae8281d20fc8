/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/base/json.h"
#include "common/base/mem.h"
#include "common/market/country.h"
#include "common/market/place.h"

static const char CORPUS[] = "../shared/samples/labelled/geo_corpus.jsonl";

static void a_place_is_read_in_either_order(void **state)
{
	static const struct {
		const char *text, *hint, *city, *region, *country;
	} CASES[] = {
		{ "Tulsa, OK", NULL, "Tulsa", "OK", "US" },
		{ "Tulsa, Oklahoma, United States", NULL, "Tulsa", "OK", "US" },
		{ "Tulsa, OK, US, 74103", NULL, "Tulsa", "OK", "US" },
		{ "Tulsa OK", "US", "Tulsa", "OK", "US" },
		{ "US, CA, Fresno", NULL, "Fresno", "CA", "US" },
		{ "US-Ohio-Dayton", NULL, "Dayton", "OH", "US" },
		{ "Guelph, ON, CA, N1G 2W1", NULL, "Guelph", "ON", "CA" },
		{ "Kassel, DE, 34117", NULL, "Kassel", "HE", "DE" },
		{ "Germany", NULL, "", "", "DE" },
		{ "Poland - Gdynia", NULL, "Gdynia", "PM", "PL" },
		{ "Leeds, UK", NULL, "Leeds", "ENG", "GB" },
		{ "Remote, Italy", NULL, "", "", "IT" },
		{ "USA, CST (UTC-6)", NULL, "", "", "US" },
		{ "Novara NO     •  tramite Indeed", "IT", "Novara", "NO", "IT" },
		{ "Berlin", NULL, "Berlin", "BE", "DE" },
		{ "New York, NY", NULL, "New York", "NY", "US" },
		{ "Atlanta, Georgia", NULL, "Atlanta", "GA", "US" },
		{ "Columbus, OH, US+3 more…", NULL, "Columbus", "OH", "US" },
		{ "Anywhere", "US", "", "", "US" },
		{ "Aix-en-Provence", "FR", "Aix-en-Provence", "PAC", "FR" },
		{ "Savannahh, GA", NULL, "Savannah", "GA", "US" },
		{ "Georgia", NULL, "", "", "GE" },
		{ "Macon, Georgia", NULL, "Macon", "GA", "US" },
		{ "Dublin, CA", NULL, "Dublin", "CA", "US" },
		{ "Kitchener, CA", NULL, "Kitchener", "ON", "CA" },
		{ "Medellin, CO", NULL, "Medellin", "ANT", "CO" },
		{ "Pueblo, CO", NULL, "Pueblo", "CO", "US" },
		{ "Wilmington, DE", NULL, "Wilmington", "DE", "US" },
		{ "Bremen, DE", NULL, "Bremen", "HB", "DE" },
		{ "Gera, Thüringen, Allemagne", NULL, "Gera", "TH", "DE" },
		{ "80331 München", NULL, "München", "BY", "DE" },
		{ "Berlin-Kreuzberg", NULL, "Berlin", "BE", "DE" },
		{ "Greater Denver Area", NULL, "Denver", "CO", "US" },
		{ "Remote - US", NULL, "", "", "US" },
		{ "EMEA", NULL, "", "", "" },
		{ "Remote (Spain)", NULL, "", "", "ES" },
		{ "100% Remote in Canada", NULL, "", "", "CA" },
		{ "Hollow Creek, Georgia", NULL, "Hollow Creek", "GA", "US" },
		{ "Batumi, Georgia", NULL, "Batumi", "", "GE" },
		{ "Dorking, Surrey", NULL, "Dorking", "ENG", "GB" },
		{ "Work From Home, GA, US", NULL, "", "GA", "US" },
		{ "Negotiable, United States", NULL, "", "", "US" },
		{ "Guaynabo, PR, US", NULL, "Guaynabo", "PR", "US" },
		{ "EMEA, Israel", NULL, "", "", "IL" },
		{ "Talent Department", NULL, "", "", "" },
		{ "Dayton Headquarters - Dayton, OH 45402", NULL, "Dayton", "OH", "US" },
		{ "MO | Joplin (12 Main St | X1, United States", NULL, "Joplin", "MO", "US" },
		{ "NYC", NULL, "New York", "NY", "US" },
		{ "Washington", NULL, "Washington", "DC", "US" },
		{ "Spokane, Washington, USA", NULL, "Spokane", "WA", "US" },
		{ "PORTLAND, OR", NULL, "Portland", "OR", "US" },
		{ "LODZ, POL", NULL, "Lodz", "LD", "PL" },
		{ "", NULL, "", "", "" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(CASES); i++) {
		struct place p;

		place_parse(CASES[i].text, CASES[i].hint, &p);
		if (strcmp(p.city, CASES[i].city) || strcmp(p.country, CASES[i].country))
			print_error("%s\n", CASES[i].text);
		assert_string_equal(p.city, CASES[i].city);
		assert_string_equal(p.region_code, CASES[i].region);
		assert_string_equal(p.country, CASES[i].country);
	}
}

static void a_text_may_name_several_places(void **state)
{
	static const struct {
		const char *text, *label[4];
	} CASES[] = {
		{ "London or Berlin", { "London, ENG, GB", "Berlin, BE, DE" } },
		{ "Tulsa, OK; Remote; Boise, ID", { "Tulsa, OK, US", "Boise, ID, US" } },
		{ "Dallas, Houston, TX", { "Dallas, TX, US", "Houston, TX, US" } },
		{ "Hamburg / Munich", { "Hamburg, HH, DE", "Munich, BY, DE" } },
		{ "USA-WA-Yakima, USA-GA-Macon", { "Yakima, WA, US", "Macon, GA, US" } },
		{ "Etobicoke, Toronto, ON", { "Etobicoke, ON, CA" } },
		{ "Remote", { NULL } },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(CASES); i++) {
		struct place places[4];
		char label[256];
		size_t n = place_parse_all(CASES[i].text, NULL, places, COUNT(places));

		for (size_t k = 0; k < n; k++) {
			place_label(&places[k], label, sizeof label);
			assert_string_equal(label,
					    CASES[i].label[k] ? CASES[i].label[k] : "nothing");
		}
		if (n < COUNT(places))
			assert_null(CASES[i].label[n]);
	}
	assert_int_equal(place_parse_all("London or Berlin", NULL, &(struct place){ 0 }, 1), 1);
	assert_int_equal(place_parse_all(NULL, NULL, &(struct place){ 0 }, 1), 0);
}

static void a_city_brings_its_coordinates_and_metro(void **state)
{
	struct place p;

	(void)state;
	place_parse("Boulder, CO", NULL, &p);
	assert_true(p.has_coordinates && p.latitude > 39.9 && p.latitude < 40.1);
	assert_string_equal(p.cbsa, "14500");
	assert_string_equal(p.metro, "Boulder");
	place_parse("Springfield, US", NULL, &p);	/* which one? */
	assert_string_equal(p.city, "Springfield");
	assert_string_equal(p.region, "");
	assert_false(p.has_coordinates);
}

static void fields_win_and_the_text_fills_what_they_lack(void **state)
{
	struct place p;

	(void)state;
	place_resolve(&(struct place_fields){ .city = "Dayton",
					      .state = "Ohio",
					      .country = "US",
					      .location = "Dayton, OH",
					      .has_coordinates = true,
					      .latitude = 39.75,
					      .longitude = -84.19 },
		      &p);
	assert_string_equal(p.region_code, "OH");
	assert_string_equal(p.region, "Ohio");
	assert_true(p.has_coordinates);
	place_resolve(&(struct place_fields){ .location = "Novara NO  •  tramite Indeed",
		.asked_country = "it" }, &p);
	assert_string_equal(p.city, "Novara");
	assert_string_equal(p.region_code, "NO");
	assert_string_equal(p.country, "IT");
	place_resolve(&(struct place_fields){ .country = "US", .location = "Anywhere" }, &p);
	assert_string_equal(p.city, "");
	assert_string_equal(p.country, "US");
	place_resolve(&(struct place_fields){ 0 }, &p);
	assert_string_equal(p.country, "");
}

static void the_middle_of_a_country_is_nowhere(void **state)
{
	struct place p;

	(void)state;
	place_resolve(&(struct place_fields){ .country = "US", .has_coordinates = true,
		.latitude = 37.09024, .longitude = -95.71289 }, &p);
	assert_false(p.has_coordinates);
	place_resolve(
		&(struct place_fields){ .has_coordinates = true, .latitude = 991, .longitude = 0 },
		&p);
	assert_false(p.has_coordinates);
}

static void countries_are_found_by_code_and_in_several_languages(void **state)
{
	(void)state;
	assert_string_equal(country_by_code("us")->code, "US");
	assert_string_equal(country_by_code("DEU")->currency, "EUR");
	assert_string_equal(country_by_name("deutschland")->code, "DE");
	assert_string_equal(country_by_name("espana")->code, "ES");
	assert_null(country_by_name("atlantis"));
	assert_null(country_by_code("ZZ"));
	assert_null(country_by_code(NULL));
	for (size_t i = 1; i < COUNTRIES_COUNT; i++)
		assert_true(strcmp(COUNTRIES[i - 1].code, COUNTRIES[i].code) < 0);
}

static void score(const char *path, int country_floor, int city_floor)
{
	FILE *f = fopen(path, "r");
	int total = 0, countries = 0, cities = 0;
	char *line = NULL;
	size_t cap = 0;

	if (!f)
		skip();
	while (getline(&line, &cap, f) > 0) {
		cJSON *row = cJSON_Parse(line);
		struct place p;
		const struct country *c;

		place_parse(json_str(row, "text", json_str(row, "location_raw", "")), NULL, &p);
		c = country_by_code(p.country);
		total++;
		countries += !strcmp(c ? c->name : "", json_str(row, "country", ""));
		cities += !strcasecmp(p.city, json_str(row, "city", ""));
		cJSON_Delete(row);
	}
	free(line);
	fclose(f);
	print_message("place: country %d, city %d of %d right\n", countries, cities, total);
	assert_true(countries * 100 >= total * country_floor && cities * 100 >= total * city_floor);
}

static void our_own_labelled_places_are_read(void **state)
{
	(void)state;
	score("tests/bench/labelled/geo.jsonl", 99, 99);
}

static void the_labelled_places_are_scored(void **state)
{
	(void)state;
	score(CORPUS, 97, 97);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_place_is_read_in_either_order),
		cmocka_unit_test(a_text_may_name_several_places),
		cmocka_unit_test(a_city_brings_its_coordinates_and_metro),
		cmocka_unit_test(fields_win_and_the_text_fills_what_they_lack),
		cmocka_unit_test(the_middle_of_a_country_is_nowhere),
		cmocka_unit_test(countries_are_found_by_code_and_in_several_languages),
		cmocka_unit_test(our_own_labelled_places_are_read),
		cmocka_unit_test(the_labelled_places_are_scored),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
