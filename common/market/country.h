/* SPDX-License-Identifier: MIT */
/* country: ISO 3166-1 countries with their currencies (ISO 4217), by code or by name in the larger
 * European languages (the names are the gazetteer's). Data in country_table.c. Pure. */
#ifndef COMMON_MARKET_COUNTRY_H
#define COMMON_MARKET_COUNTRY_H

#include <stddef.h>

struct country {
	const char *code, *code3;	/* "US", "USA" */
	const char *currency;		/* "USD"; "" where pay is not stated in its own */
	const char *name;		/* English short name */
};

extern const struct country COUNTRIES[];
extern const size_t COUNTRIES_COUNT;

/* NULL: not one. code: two or three letters, any case; NULL gives NULL. */
const struct country *country_by_code(const char *code);
/* folded: text_fold. */
const struct country *country_by_name(const char *folded);
/* "Germany" of "DE" or "DEU"; "" for what is no country. */
const char *country_name(const char *code);

#endif
