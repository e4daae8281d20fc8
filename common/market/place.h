/* SPDX-License-Identifier: MIT */
/* place: where a job is: city, region, country, metro, coordinates.
 *
 * Fields win over free text, free text over the country that was asked for. Texts may be in either
 * order ("Reading, United Kingdom", "US, CA, Santa Clara"), with postal codes, several places,
 * "+2 more", a publisher behind a bullet ("Ivrea TO  •  tramite X"), in several languages. Names
 * are looked up in the gazetteer; which namesake is meant, the noun reading decides.
 *
 * - city: as written, without ornaments ("Greater", "Area", "Campus"), capitals mended, common
 *   abbreviations spelled out (NYC); the first of several. "" when the text names only a country or
 *   region, for remote work, and for words that are no known place unless the text also names the
 *   country or region ("Heaters, WV" is taken, "Temporary Services" is not).
 * - country: "" when nothing says it, or the city is a small one and another country has one that
 *   is as likely (Carlisle).
 * - coordinates and metro only where it is certain which place is meant. Remote words, continents
 *   and time-zone limits are not places. The middle of a country (37.09024, -95.71289 for the US)
 *   is no coordinate of a job.
 * Pure; a few microseconds. */
#ifndef COMMON_MARKET_PLACE_H
#define COMMON_MARKET_PLACE_H

#include <stdbool.h>
#include <stddef.h>

struct place {
	char city[128];
	char region[96];		/* English name where known, else as given */
	char region_code[8];		/* ISO 3166-2 without the country, "TX"; "" unknown */
	char country[3];		/* ISO 3166-1 alpha-2; "" unknown */
	char metro[64];			/* "Denver-Aurora-Centennial"; "" outside the known metros */
	char cbsa[6];			/* its CBSA code (2023 delineation), "19740" */
	unsigned geoname_id;		/* of the city; 0 unknown */
	unsigned entry;			/* its index in the gazetteer, if it is known */
	bool has_coordinates;
	double latitude, longitude;	/* as given, else of the city's middle */
};

struct place_fields {
	const char *city, *state, *country, *location;	/* as the provider has them; NULL: absent */
	const char *asked_country;			/* code in the request; NULL: none */
	bool has_coordinates;
	double latitude, longitude;
};

void place_resolve(const struct place_fields *in, struct place *ret);
/* hint: country code that the text is likely about, or NULL; stands in where the text has none. */
void place_parse(const char *text, const char *hint, struct place *ret);
/* All places that the text names ("London or Berlin", "Austin, TX; Remote", "Pune, Chennai"), in
 * their order; the first is the one that place_parse gives. Returns how many, 0 to max. */
size_t place_parse_all(const char *text, const char *hint, struct place places[], size_t max);
/* "Austin, TX, US" from what is known; "" for nothing. */
void place_label(const struct place *place, char *out, unsigned long size);

#endif
