/* SPDX-License-Identifier: MIT */
/* country: ISO 3166-1 countries by code or name, with their currencies (ISO 4217), and the states
 * and provinces that postings spell both ways ("TX", "Texas"). Data in country_table.c and
 * region_table.c. Lookups are hashed once per process and take folded names (text_fold). */
#ifndef WORKERS_PROCESSING_COUNTRY_H
#define WORKERS_PROCESSING_COUNTRY_H

#include <stddef.h>

struct country {
	const char *code, *code3;	/* "US", "USA" */
	const char *currency;		/* "USD"; "" where pay is not stated in its own */
	const char *name;		/* English short name */
	const char *aliases;		/* folded, comma list: other names and languages */
};

struct region {
	const char *country;		/* "US" */
	const char *code;		/* "TX" */
	const char *name;		/* "Texas" */
};

extern const struct country COUNTRIES[];
extern const size_t COUNTRIES_COUNT;
extern const struct region REGIONS[];
extern const size_t REGIONS_COUNT;

/* NULL: not one. code: two or three letters, any case; NULL gives NULL. */
const struct country *country_by_code(const char *code);
const struct country *country_by_name(const char *folded);
/* "Germany" of "DE" or "DEU"; "" for what is no country. */
const char *country_name(const char *code);
/* country NULL: any, the first in table order (United States, Canada, Australia). */
const struct region *region_by_code(const char *country, const char *code);
const struct region *region_by_name(const char *country, const char *folded);

#endif
