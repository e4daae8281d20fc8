/* SPDX-License-Identifier: MIT */
#include "common/market/reading.h"

#include <ctype.h>
#include <math.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/base/text.h"
#include "common/market/country.h"

enum { CONTEXTS_MAX = 40, PLACES_TRIED = 6 };

/* Weights were set by hand on invented pairs of namesakes; only their order matters. */
#define COUNTRY_NAME 8.0
#define STATE_TOO 1.5		/* less where a state has the name of the country: Georgia */
#define COUNTRY_CODE3 6.0
#define COUNTRY_CODE2 5.0
#define TAIL 0.8		/* a code that no comma parts from the city */
#define REGION_NAME 6.0
#define REGION_CODE 5.0
#define REGION_FAR 2.0		/* less where postings seldom name regions */
#define OF_US 1.0		/* "City, ST" is how most write there */
#define CITY_OF_COUNTRY 1.2	/* less than a city of the region named */
#define CITY_ELSEWHERE 3.0
#define OTHER_COUNTRY 2.0
#define ALIAS 0.5		/* a city's name in another language */
#define HINT 1.4
#define SURE 40.0
#define DOUBT 0.21
#define DOUBT_INHABITANTS 100000

struct context {
	char country[3];
	int region;
	double score;
	unsigned population;		/* of the city that proposed it; 0: no city did */
};

struct contexts {
	struct context at[CONTEXTS_MAX];
	size_t n;
};

static void propose(struct contexts *all, const char *country, int region, unsigned population)
{
	for (size_t i = 0; i < all->n; i++)
		if (all->at[i].region == region && !strcmp(all->at[i].country, country)) {
			if (!population)
				all->at[i].population = 0;
			return;
		}
	if (all->n < CONTEXTS_MAX) {
		struct context *c = &all->at[all->n++];

		*c = (struct context){ .region = region, .population = population };
		memcpy(c->country, country, 3);
	}
}

static void propose_code(struct contexts *all, const char *code, const char *hint)
{
	static const char *const STATES[] = { "US", "CA", "AU", "IN", "DE", "GB" };
	const struct country *c = country_by_code(code);
	int region;

	for (size_t i = 0; i < COUNT(STATES); i++) {
		region = gazetteer_region_by_code(STATES[i], code);
		if (region >= 0)
			propose(all, STATES[i], region, 0);
	}
	region = gazetteer_region_by_code(hint, code);
	if (region >= 0)
		propose(all, hint, region, 0);
	if (c)
		propose(all, c->code, -1, 0);
}

static void propose_names(struct contexts *all, const char *folded)
{
	struct gazetteer_entry e;
	int places = 0;

	for (struct gazetteer_walk w = gazetteer_find(folded); gazetteer_next(&w, &e);) {
		if (e.kind == GAZETTEER_PLACE && places++ == PLACES_TRIED)
			return;
		propose(all, e.country, e.region, e.kind == GAZETTEER_PLACE ? e.population : 0);
	}
}

/* "City, region code" within each country that a piece names: "Pune, MH, IN". */
static void propose_regions_within(struct contexts *all, const struct pieces *p)
{
	size_t named = all->n;

	for (size_t i = 0; i < p->n; i++)
		for (size_t k = 0; p->at[i].code && k < named; k++) {
			const char *country = all->at[k].country;
			int region = gazetteer_region_by_code(country, p->at[i].text);

			if (all->at[k].region < 0 && region >= 0)
				propose(all, country, region, 0);
		}
}

static double of_region(const char *country, double weight)
{
	static const char USUAL[] = "CA AU GB DE FR ES IT IN BR MX NL BE AT PL CN";

	if (!strcmp(country, "US"))
		return weight + OF_US;
	return strstr(USUAL, country) ? weight : weight - REGION_FAR;
}

static double code_worth(const char *code, const struct context *x)
{
	const struct country *c = country_by_code(code);
	double worth = 0;

	if (c && !strcmp(c->code, x->country))
		worth = strlen(code) == 3 ? COUNTRY_CODE3 : COUNTRY_CODE2;
	if (x->region >= 0 && gazetteer_region_by_code(x->country, code) == x->region)
		worth = REGION_CODE + (strstr("US", x->country) ? OF_US :
				       strstr("CA AU", x->country) ? 0 : -REGION_FAR);
	return worth;
}

static bool is_own_name(const struct gazetteer_entry *e, const char *folded)
{
	char own[GAZETTEER_KEY_MAX], given[GAZETTEER_KEY_MAX], name[GAZETTEER_KEY_MAX];

	text_fold(e->name, name, sizeof name);
	gazetteer_key(name, own);
	gazetteer_key(folded, given);
	return !strcmp(own, given);
}

static double place_worth(const struct gazetteer_entry *e, const struct context *x)
{
	double size = log10(e->population + 10.0);

	if (x->region < 0)
		return size - CITY_OF_COUNTRY;
	return e->region == x->region ? size : size - CITY_ELSEWHERE;
}

static double name_worth(const char *folded, const struct context *x, bool alone, bool *ret_abroad)
{
	struct gazetteer_entry e;
	double worth = 0;

	*ret_abroad = false;
	for (struct gazetteer_walk w = gazetteer_find(folded); gazetteer_next(&w, &e);) {
		double this = 0;

		if (strcmp(e.country, x->country) != 0) {
			if (!alone && e.kind == GAZETTEER_REGION && worth >= COUNTRY_NAME)
				worth -= STATE_TOO;
			*ret_abroad = *ret_abroad || e.kind == GAZETTEER_COUNTRY;
			continue;
		}
		if (e.kind == GAZETTEER_COUNTRY)
			this = COUNTRY_NAME;
		else if (e.kind == GAZETTEER_REGION)
			this = e.region == x->region ? of_region(x->country, REGION_NAME)
				: x->region < 0
				? of_region(x->country, REGION_NAME) - CITY_OF_COUNTRY
				: 0;
		else
			this = place_worth(&e, x);
		worth = this > worth ? this : worth;
	}
	return worth;
}

static double worth(const struct piece *p, const struct context *x, bool alone)
{
	bool abroad;
	double name = name_worth(p->folded, x, alone, &abroad), code = 0;

	if (p->tail[0])
		name += code_worth(p->tail, x) * TAIL;
	if (p->code)
		code = code_worth(p->text, x);
	if (code > name)
		return code;
	return name > 0 || !abroad ? name : -OTHER_COUNTRY;
}

/* Where many of the postings come from. */
static double frequency(const char *country)
{
	static const struct {
		const char *countries;
		double weight;
	} WEIGHTS[] = {
		{ "US", 0.7 }, { "GB", 0.4 }, { "CA DE AU ES", 0.3 }, { "FR IT NL IN IE CH SG", 0.15 },
	};

	for (size_t i = 0; i < COUNT(WEIGHTS); i++)
		if (strstr(WEIGHTS[i].countries, country))
			return WEIGHTS[i].weight;
	return 0;
}

static void score(struct context *x, const struct pieces *p, const char *hint, bool sure)
{
	struct gazetteer_walk w = gazetteer_find(p->at[0].folded);
	struct gazetteer_entry e;

	x->score = frequency(x->country);
	for (size_t i = 0; i < p->n; i++)
		x->score += worth(&p->at[i], x, p->n == 1);
	if (hint && !strcmp(hint, x->country))
		x->score += sure ? SURE : HINT;
	if (!x->population)
		return;
	while (gazetteer_next(&w, &e))
		if (e.kind == GAZETTEER_PLACE && e.region == x->region) {
			if (!is_own_name(&e, p->at[0].folded))
				x->score -= ALIAS;
			return;
		}
}

/* Does a piece name the region, or the country, rather than a city in it? */
static bool names_region(const struct pieces *p, const struct context *x)
{
	struct gazetteer_entry e;

	for (size_t i = 0; i < p->n; i++) {
		const struct piece *piece = &p->at[i];
		const char *code = piece->code ? piece->text : piece->tail;

		if (code[0] && gazetteer_region_by_code(x->country, code) == x->region)
			return true;
		for (struct gazetteer_walk w = gazetteer_find(piece->folded);
		     gazetteer_next(&w, &e) && e.kind != GAZETTEER_PLACE;)
			if (e.kind == GAZETTEER_REGION && e.region == x->region)
				return true;
	}
	return false;
}

static bool names_country(const struct pieces *p, const char *country)
{
	struct gazetteer_entry e;

	for (size_t i = 0; i < p->n; i++) {
		const struct piece *piece = &p->at[i];
		const struct country *c = country_by_code(piece->code ? piece->text : NULL);

		if (c && !strcmp(c->code, country))
			return true;
		for (struct gazetteer_walk w = gazetteer_find(piece->folded);
		     gazetteer_next(&w, &e) && e.kind == GAZETTEER_COUNTRY;)
			if (!strcmp(e.country, country))
				return true;
	}
	return false;
}

static bool is_doubtful(const struct contexts *all, const struct context *best)
{
	if (!best->population || best->population >= DOUBT_INHABITANTS)
		return false;
	for (size_t i = 0; i < all->n; i++)
		if (strcmp(all->at[i].country, best->country) != 0 &&
		    all->at[i].score > best->score - DOUBT)
			return true;
	return false;
}

/* "San Juan, PR, US": a country of its own for ISO, a state of the US for whoever writes so. */
static bool find_territory(const struct pieces *p, struct reading *ret)
{
	static const char *const TERRITORIES[] = { "PR", "GU", "VI", "AS", "MP" };

	for (size_t i = 0; i < COUNT(TERRITORIES); i++) {
		if (!names_country(p, TERRITORIES[i]))
			continue;
		memcpy(ret->country, TERRITORIES[i], 3);
		ret->territory = ret->explicit = true;
		return true;
	}
	return false;
}

void reading_choose(const struct pieces *p, const char *hint, bool sure, struct reading *ret)
{
	struct contexts all = { .n = 0 };
	const struct context *best = NULL;

	*ret = (struct reading){ .region = -1 };
	if (hint && sure)
		propose(&all, hint, -1, 0);
	for (size_t i = 0; i < p->n; i++) {
		if (p->at[i].code || p->at[i].tail[0])
			propose_code(&all, p->at[i].code ? p->at[i].text : p->at[i].tail, hint);
		propose_names(&all, p->at[i].folded);
	}
	propose_regions_within(&all, p);
	for (size_t i = 0; i < all.n && p->n > 0; i++) {
		score(&all.at[i], p, hint, sure);
		if (!best || all.at[i].score > best->score)
			best = &all.at[i];
	}
	if (!best)
		return;
	memcpy(ret->country, best->country, 3);
	if (!strcmp(ret->country, "US") && find_territory(p, ret))
		return;
	if (best->region >= 0 && names_region(p, best))
		ret->region = best->region;
	ret->explicit = ret->region >= 0 || names_country(p, best->country);
	ret->doubtful = !ret->explicit && p->n == 1 && is_doubtful(&all, best);
}

bool reading_place(const struct reading *r, const char *folded, struct gazetteer_entry *ret,
		   bool *ret_unsure)
{
	struct gazetteer_entry e;
	unsigned first = 0;

	for (struct gazetteer_walk w = gazetteer_find(folded); gazetteer_next(&w, &e);) {
		if (e.kind != GAZETTEER_PLACE ||
		    (r->country[0] && strcmp(e.country, r->country) != 0) ||
		    (r->region >= 0 && e.region != r->region))
			continue;
		if (first) {
			*ret_unsure = e.population > first / 3;
			return true;
		}
		first = e.population + 1;
		*ret = e;
		*ret_unsure = false;
	}
	return first > 0;
}
