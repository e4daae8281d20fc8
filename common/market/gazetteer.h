/* SPDX-License-Identifier: MIT */
/* gazetteer: what a name can mean: a country, a region of one, a city with its coordinates.
 *
 * GeoNames (geonames.org, CC BY 4.0) with names of countries and regions from iso-codes, cut into
 * gazetteer.tsv by tools/gazetteer-cut and compiled at build time by tools/gazetteer-compile, which
 * tells the form. Places from 1,000 inhabitants in Europe, North America and Australia (all of the
 * United States that GeoNames counts), from 5,000 elsewhere, with their names in the larger
 * European languages; the metropolitan areas of the United States (CBSA) from metro.tsv.
 *
 * The data is constant and free of pointers: processes share its pages, nothing is allocated, and
 * a look-up touches a few of them (below a microsecond). Pure. */
#ifndef COMMON_MARKET_GAZETTEER_H
#define COMMON_MARKET_GAZETTEER_H

#include <stdbool.h>
#include <stddef.h>

enum gazetteer_kind { GAZETTEER_COUNTRY, GAZETTEER_REGION, GAZETTEER_PLACE };

/* One meaning of a name. Texts are static. */
struct gazetteer_entry {
	enum gazetteer_kind kind;
	unsigned index;			/* among its kind */
	char country[3];
	int region;			/* index; of the region itself or the place's; -1 none */
	const char *name;		/* of the place or region as GeoNames writes it; "" country */
	unsigned population;		/* of a place, to about a tenth */
};

struct gazetteer_place {
	double latitude, longitude;
	unsigned geoname_id;
	const char *cbsa, *metro;	/* "" outside the known metros; cbsa has five characters and
					 * no NUL behind them */
};

/* All meanings of a folded name (text_fold), countries first, then regions, then places from the
 * largest on. Spelling of "saint", "fort", "mount" and of Nordic and Polish letters is free.
 *     for (struct gazetteer_walk w = gazetteer_find(folded); gazetteer_next(&w, &entry);) */
struct gazetteer_walk {
	unsigned at, end;
};
struct gazetteer_walk gazetteer_find(const char *folded);
bool gazetteer_next(struct gazetteer_walk *walk, struct gazetteer_entry *ret);

/* The places of a region, largest first; of a country with region -1, region by region. */
struct gazetteer_walk gazetteer_places(const char *country, int region);
bool gazetteer_next_place(struct gazetteer_walk *walk, struct gazetteer_entry *ret);

void gazetteer_detail(unsigned place, struct gazetteer_place *ret);
/* ISO 3166-2 code without the country ("TX"); "" where none is known. */
const char *gazetteer_region_code(int region);
const char *gazetteer_region_name(int region);
/* -1: no such region. code is compared without case. */
int gazetteer_region_by_code(const char *country, const char *code);

enum { GAZETTEER_KEY_MAX = 160 };
/* The spelling that names are compared by; both folded. */
void gazetteer_key(const char *folded, char out[GAZETTEER_KEY_MAX]);

#endif
