/* SPDX-License-Identifier: MIT */
/* reading: which country and region the pieces of a text about a place agree on.
 *
 * Every country, region or city that a piece can mean is tried as the place of the whole, and the
 * one that explains most wins: "Dublin, CA" is California (there is a Dublin), "Palmira, CO" is
 * Colombia (there is none in Colorado), "Toronto, ON, CA" Canada. A name of a country counts more
 * than its code, a region's name or code nearly as much, a city by the logarithm of its
 * inhabitants, more in countries with many postings. A hint outweighs what is about as likely.
 * Pure; no allocation. */
#ifndef COMMON_MARKET_READING_H
#define COMMON_MARKET_READING_H

#include <stdbool.h>

#include "common/market/gazetteer.h"
#include "common/market/pieces.h"

struct reading {
	char country[3];		/* "" nothing known */
	int region;			/* -1 unknown; only if a piece names it */
	bool explicit;			/* a piece names the country or region itself */
	bool territory;			/* Puerto Rico and the like, given as a state of the US */
	bool doubtful;			/* only a small city, and another country has one as likely */
};

/* hint: country code or NULL. sure: the hint is known to be right. */
void reading_choose(const struct pieces *p, const char *hint, bool sure, struct reading *ret);
/* The largest place of that name within the reading, anywhere if it knows no country.
 * *ret_unsure: another one is about as large. */
bool reading_place(const struct reading *r, const char *folded, struct gazetteer_entry *ret,
		   bool *ret_unsure);

#endif
