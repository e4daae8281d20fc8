/* SPDX-License-Identifier: MIT */
/* What the files of area share. Texts are folded (fold.h). */
#ifndef COMMON_MARKET_AREA_PRIVATE_H
#define COMMON_MARKET_AREA_PRIVATE_H

#include "common/market/area.h"
#include "common/market/fold.h"
#include "common/market/gazetteer.h"

const struct area_state *area_state_of(const char *abbr);	/* "TX", any case; NULL */
const struct area_state *area_state_named(const char *folded);	/* "new mexico"; NULL */
const struct area_metro *area_metro_of(const char *cbsa);	/* its first five bytes; NULL */

/* A city of the gazetteer as the place asked for; false: not one of a state. */
bool area_set_city(struct area *a, const struct gazetteer_entry *e);
/* Sets city, level and label; a metro or state that is known, "" for no city. */
void area_set(struct area *a, const char *city, const struct area_state *s,
	      const struct area_metro *m);
void area_add_alternative(struct area *a, const char *label);

/* Names that no list of places has: of parts of the country, counties, whole metros. text is as
 * given; s the state that stands behind the name, or NULL. */
bool area_read_name(struct area *a, const char *text, const char *folded,
		    const struct area_state *s);

/* Inhabitants from which on a namesake is worth naming. */
enum { AREA_NAMESAKE = 20000 };

/* text with the traditional short form of a state at the end of city ("glendale calif", folded,
 * text without country and postcode) as its code: "Glendale, CA". False: there is none. */
bool area_spell_state(const char *text, const char *city, char out[FOLD_SIZE]);

/* Another country that stands behind the name of the place, itself or by a region of it. */
struct area_abroad {
	char country[3];
	bool held;			/* a place of that name is known there */
	bool whole;			/* the country itself is named */
	char head[AREA_LABEL_SIZE];	/* what stands in front of it, as written */
};
/* out: text with short forms of provinces spelled out. Lists of places name none. */
bool area_find_abroad(const char *text, struct area_abroad *ret, char out[FOLD_SIZE]);

/* The city of s, of the whole country if NULL, that folded may be a slip of. */
bool area_mend(const char *folded, const struct area_state *s, struct gazetteer_entry *ret);
/* Labels of up to AREA_ALTERNATIVES cities whose names come nearest. */
void area_suggest(const char *folded, const struct area_state *s,
		  char out[AREA_ALTERNATIVES][AREA_LABEL_SIZE]);

#endif
