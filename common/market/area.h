/* SPDX-License-Identifier: MIT */
/* area: free text about a place to what the statistics know: a metro, a state, the nation.
 *
 * "New York, NY", "NYC", "new york city", "Brooklyn", "Austin TX 78701", "Cook County, IL",
 * "Dallas-Fort Worth-Arlington, TX", "Silicon Valley", "Kalifornien", "Texas", "Remote", "USA".
 * Texts are read by the noun place, as those of postings are, so both name the same city and metro.
 * One metro code drives four sources: OEWS, LAUS, ACS and FRED.
 *
 * - What stands behind the comma rules: "Memphis, Egypt" is in Egypt, "Glendale, Calif." in
 *   California.
 * - A city outside the metros, or one that nobody knows in a state or country that is named,
 *   answers from that state or nation with a warning.
 * - A name of several cities is the largest of them unless the text says which; the others are
 *   named, and a warning tells when they are no villages beside it. Where none here is more than a
 *   town, a large city abroad is meant ("Warsaw").
 * - A place in another country is AREA_FOREIGN: the agencies have no figures for it, our own
 *   postings may. It has no codes of the United States, and its label is the one that postings
 *   have ("Toronto, ON, CA").
 * - A slip in a city's name is mended with a warning when little else can be meant.
 * - Everything else is -ERR_NOT_FOUND, with up to three names that come near.
 * Codes: CBSA of the 2023 delineation (OMB 23-01), state FIPS; Puerto Rico counts as a state.
 * Pure functions, some microseconds, a millisecond where spelling is mended; borrowed pointers are
 * static. */
#ifndef COMMON_MARKET_AREA_H
#define COMMON_MARKET_AREA_H

#include <stdbool.h>
#include <stddef.h>

struct err;

/* AREA_FOREIGN is no level: nothing of the others is wider. */
enum area_level { AREA_NATION, AREA_STATE, AREA_METRO, AREA_FOREIGN };

struct area_state {
	const char *abbr, *fips, *name;
};

/* A row of metro.tsv. */
struct area_metro {
	const char *cbsa, *fips;	/* of the principal state, for LAUS */
	const char *name;		/* "New York-Newark-Jersey City" */
	const char *states;		/* "NY-NJ", the principal one first */
	const char *counties;		/* "NY 005 Bronx County,047 Kings County;NJ 003 Bergen County" */
};

#define AREA_LABEL_SIZE 96
enum { AREA_ALTERNATIVES = 3 };

struct area {
	enum area_level level;
	const struct area_metro *metro;	/* NULL unless AREA_METRO */
	const struct area_state *state;	/* NULL for the nation; of a metro: the one asked for or its first */
	char country[3];		/* "US", of a foreign place its own */
	char region[8];			/* of a foreign place: ISO 3166-2 without the country, "ON"; "" */
	char city[64];			/* "New York"; "" when no city was named */
	char label[AREA_LABEL_SIZE];	/* "New York, NY"; "Texas"; "United States": reads as itself */
	char warning[384];		/* "" unless a wider area, or one of several readings, stands in */
	/* Other places that the text may mean ("Portland, ME"), the likeliest first; area_resolve
	 * reads each. "" behind the last. */
	char alternatives[AREA_ALTERNATIVES][AREA_LABEL_SIZE];
};

int area_resolve(const char *text, struct area *ret, struct err *e);
/* The same place one level wider: metro to state, state to nation. The label stays; a foreign place
 * stays as it is. */
struct area area_widen(const struct area *a);
const char *area_level_name(enum area_level level);	/* "nation", "state", "metro", "foreign" */
const char *area_name(const struct area *a);		/* of the level: metro, state or nation; a
						 * foreign place's country */
const char *area_code(const struct area *a);		/* CBSA, FIPS, "US", "CA" */

extern const struct area_state AREA_STATES[];
extern const size_t AREA_STATES_COUNT;
/* Those with the most technology jobs first, then by inhabitants. */
extern const struct area_metro AREA_METROS[];
extern const size_t AREA_METROS_COUNT;

#endif
