/* SPDX-License-Identifier: MIT */
/* Names that come near one that nobody knows. */
#include "common/market/area_private.h"

#include <string.h>

#include "common/base/mem.h"

/* Inhabitants from which on a city is meant though misspelt, in a state that is named and in the
 * whole country; and is suggested. */
enum { MENDED_IN_STATE = 3000, MENDED = 30000, SUGGESTED = 50000 };
enum { SUGGESTION_LIMIT = 6 };

/* Slips that a name of this length is believed to hold. */
static int slips(size_t len)
{
	return len < 5 ? 0 : len < 8 ? 1 : len < 15 ? 2 : 3;
}

static int distance_to(const char *folded, const struct gazetteer_entry *e, int limit)
{
	char own[FOLD_SIZE];
	size_t len = strlen(folded), n = strlen(e->name);

	if (n > len + 2 * (size_t)limit || len > n + 2 * (size_t)limit)
		return limit + 1;
	fold_text(e->name, own);
	return fold_distance(folded, own, limit);
}

/* The places of a state, largest first; none of one that has no places. */
static struct gazetteer_walk places_of(const struct area_state *s)
{
	int region = gazetteer_region_by_code("US", s->abbr);

	if (region >= 0)
		return gazetteer_places("US", region);
	return (struct gazetteer_walk){ 0, 0 };
}

bool area_mend(const char *folded, const struct area_state *s, struct gazetteer_entry *ret)
{
	int limit = slips(strlen(folded)), best = limit + 1;
	unsigned least = s ? MENDED_IN_STATE : MENDED, population = 0;

	for (size_t i = 0; limit > 0 && i < AREA_STATES_COUNT; i++) {
		struct gazetteer_walk w = places_of(&AREA_STATES[i]);
		struct gazetteer_entry e;

		if (s && s != &AREA_STATES[i])
			continue;
		while (gazetteer_next_place(&w, &e) && e.population >= least) {
			bool begins = (e.name[0] | 0x20) == (folded[0] | 0x20);
			int far = begins ? distance_to(folded, &e, limit) : limit + 1;

			if (far > limit || far > best ||
			    (far == best && e.population <= population))
				continue;
			best = far;
			population = e.population;
			*ret = e;
		}
	}
	return best <= limit;
}

struct candidate {
	int far;
	unsigned population;
	char label[AREA_LABEL_SIZE];
};

static void insert(struct candidate best[AREA_ALTERNATIVES], const struct candidate *c)
{
	for (int k = 0; k < AREA_ALTERNATIVES; k++) {
		if (c->far > best[k].far ||
		    (c->far == best[k].far && c->population <= best[k].population))
			continue;
		memmove(best + k + 1, best + k, (size_t)(AREA_ALTERNATIVES - 1 - k) * sizeof *best);
		best[k] = *c;
		return;
	}
}

void area_suggest(const char *folded, const struct area_state *s,
		  char out[AREA_ALTERNATIVES][AREA_LABEL_SIZE])
{
	struct candidate best[AREA_ALTERNATIVES];
	int half = (int)strlen(folded) / 2,
	    limit = half < SUGGESTION_LIMIT ? half : SUGGESTION_LIMIT;

	for (int k = 0; k < AREA_ALTERNATIVES; k++)
		best[k] = (struct candidate){ .far = limit + 1 };
	for (size_t i = 0; i < AREA_STATES_COUNT; i++) {
		struct gazetteer_walk w = places_of(&AREA_STATES[i]);
		struct gazetteer_entry e;
		struct candidate c;

		if (s && s != &AREA_STATES[i])
			continue;
		while (gazetteer_next_place(&w, &e) && e.population >= SUGGESTED) {
			c.far = distance_to(folded, &e, limit);
			c.population = e.population;
			snprintf(c.label, sizeof c.label, "%s, %s", e.name, AREA_STATES[i].abbr);
			if (c.far <= limit)
				insert(best, &c);
		}
	}
	for (int k = 0; k < AREA_ALTERNATIVES; k++)
		memcpy(out[k], best[k].label, sizeof best[k].label);
}
