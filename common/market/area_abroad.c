/* SPDX-License-Identifier: MIT */
/* What stands behind a place's name: a state in its traditional short form, another country or a
 * province of one. */
#include "common/market/area_private.h"

#include <ctype.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/base/text.h"
#include "common/market/country.h"
#include "common/market/pieces.h"

/* Of the Associated Press and of the Government Publishing Office before 1963; forms such as
 * "N.Y." are read by rule. */
static const struct short_state {
	const char *folded, *abbr;
} SHORT_STATES[] = {
	{ "w va", "WV" }, { "wva", "WV" }, { "west va", "WV" }, { "n car", "NC" }, { "s car", "SC" },
	{ "n dak", "ND" }, { "s dak", "SD" }, { "no dak", "ND" }, { "so dak", "SD" }, { "n mex", "NM" },
	{ "new mex", "NM" }, { "n carolina", "NC" }, { "s carolina", "SC" }, { "n dakota", "ND" },
	{ "s dakota", "SD" }, { "n jersey", "NJ" }, { "n hampshire", "NH" }, { "w virginia", "WV" },
	{ "ala", "AL" }, { "alas", "AK" }, { "ariz", "AZ" }, { "ark", "AR" }, { "cal", "CA" },
	{ "calif", "CA" }, { "cali", "CA" }, { "col", "CO" }, { "colo", "CO" }, { "conn", "CT" },
	{ "del", "DE" }, { "fla", "FL" }, { "haw", "HI" }, { "ida", "ID" }, { "ill", "IL" },
	{ "ills", "IL" }, { "ind", "IN" }, { "kan", "KS" }, { "kans", "KS" }, { "ken", "KY" },
	{ "mass", "MA" }, { "mich", "MI" }, { "minn", "MN" }, { "miss", "MS" }, { "mont", "MT" },
	{ "neb", "NE" }, { "nebr", "NE" }, { "nev", "NV" }, { "okla", "OK" }, { "ore", "OR" },
	{ "oreg", "OR" }, { "penn", "PA" }, { "penna", "PA" }, { "tenn", "TN" }, { "tex", "TX" },
	{ "wash", "WA" }, { "wis", "WI" }, { "wisc", "WI" }, { "wyo", "WY" },
};

/* Short forms that no list of codes has, in capitals or not. */
static const struct short_abroad {
	const char *folded, *name;
} SHORT_ABROAD[] = {
	{ "ont", "Ontario" }, { "que", "Quebec" }, { "alta", "Alberta" }, { "sask", "Saskatchewan" },
	{ "man", "Manitoba" }, { "nfld", "Newfoundland and Labrador" }, { "n b", "New Brunswick" },
	{ "n s", "Nova Scotia" }, { "b c", "British Columbia" }, { "p e i", "Prince Edward Island" },
	{ "vic", "Victoria" }, { "nsw", "New South Wales" }, { "qld", "Queensland" },
	{ "tas", "Tasmania" }, { "eng", "England" }, { "scot", "Scotland" }, { "mex", "Mexico" },
};

/* The short form that ends folded; its state, and where it begins. */
static const struct area_state *short_state_at(const char *folded, size_t *ret_at)
{
	size_t len = strlen(folded);
	const char *end = folded + len;

	for (size_t i = 0; i < COUNT(SHORT_STATES); i++) {
		size_t n = strlen(SHORT_STATES[i].folded);

		if (len < n || strcmp(end - n, SHORT_STATES[i].folded) != 0 ||
		    (len > n && end[-(ptrdiff_t)n - 1] != ' '))
			continue;
		*ret_at = len - n;
		return area_state_of(SHORT_STATES[i].abbr);
	}
	if (len < 3 || end[-2] != ' ' || (len > 3 && end[-4] != ' ') || strcmp(end - 3, "l a") == 0)
		return NULL;
	*ret_at = len - 3;
	return area_state_of((const char[]){ end[-3], end[-1], '\0' });
}

static bool is_known(const char *folded)
{
	struct gazetteer_walk w = gazetteer_find(folded);

	return w.at < w.end;
}

bool area_spell_state(const char *text, const char *city, char out[FOLD_SIZE])
{
	char folded[FOLD_SIZE], rest[FOLD_SIZE];
	size_t at = 0, len = strlen(text);
	const struct area_state *s = short_state_at(city, &at);

	if (at > 0 && is_known(city))	/* Mount Ida */
		return false;
	fold_text(text, folded);
	for (size_t i = len; s && len < FOLD_SIZE - 4 && i-- > 0;) {
		if (!isalpha((unsigned char)text[i]) ||
		    (i > 0 && isalnum((unsigned char)text[i - 1])))
			continue;
		fold_text(text + i, rest);
		if (strcmp(rest, folded + at) != 0)
			continue;
		snprintf(out, FOLD_SIZE, "%.*s%s", (int)i, text, s->abbr);
		return true;
	}
	return false;
}

static bool is_ours(const char *country)
{
	return strcmp(country, "US") == 0 || strcmp(country, "PR") == 0;
}

static bool holds(const char *country, int region, const char *folded, unsigned least)
{
	struct gazetteer_entry e;

	for (struct gazetteer_walk w = gazetteer_find(folded); gazetteer_next(&w, &e);)
		if (e.kind == GAZETTEER_PLACE && strcmp(e.country, country) == 0 &&
		    (region < 0 || e.region == region) && e.population >= least)
			return true;
	return false;
}

/* Provinces of these are written behind a city as states are. */
static bool names_provinces(const char *country)
{
	return strstr("CA AU GB", country) != NULL;
}

/* "Central" and "North" are regions somewhere. */
static bool is_vague(const char *folded)
{
	static const char *const WORDS[] = { "north", "south", "east", "west", "central", "center",
					     "northern", "southern", "eastern", "western",
					     "capital", "midlands", "coast", "metro" };
	size_t len = strcspn(folded, " ");

	for (size_t i = 0; i < COUNT(WORDS); i++)
		if (strlen(WORDS[i]) == len && strncmp(WORDS[i], folded, len) == 0)
			return true;
	return false;
}

static void take(struct area_abroad *a, const char *country, int region, const char *head)
{
	bool held = holds(country, region, head, 0);

	if (*a->country && (a->held || !held))
		return;
	memcpy(a->country, country, sizeof a->country);
	a->held = held;
	a->whole = region < 0;
}

/* A country's or region's name behind head, both folded. */
static bool find_name(const char *folded, const char *head, struct area_abroad *a)
{
	struct gazetteer_entry e;

	if (area_state_named(folded))
		return false;
	for (struct gazetteer_walk w = gazetteer_find(folded);
	     gazetteer_next(&w, &e) && e.kind != GAZETTEER_PLACE;) {
		if (is_ours(e.country))
			return false;
		if (e.kind == GAZETTEER_REGION && !names_provinces(e.country) &&
		    (is_vague(folded) || holds("US", -1, folded, AREA_NAMESAKE)))
			continue;
		take(a, e.country, e.kind == GAZETTEER_REGION ? e.region : -1, head);
		if (e.kind == GAZETTEER_COUNTRY)
			return true;
	}
	return *a->country != '\0';
}

static bool find_code(const char *code, const char *head, struct area_abroad *a)
{
	static const char *const STATES[] = { "CA", "AU", "GB" };
	const struct country *c = country_by_code(code);

	if (area_state_of(code) || (c && is_ours(c->code)))
		return false;
	for (size_t i = 0; i < COUNT(STATES); i++) {
		int region = gazetteer_region_by_code(STATES[i], code);

		if (region >= 0)
			take(a, STATES[i], region, head);
	}
	if (c)
		take(a, c->code, -1, head);
	return *a->country != '\0';
}

/* "Toronto, ON, CA": the state's code is a country's where a region of that stands before it. */
static bool find_code_behind(const struct piece *region, const struct piece *code,
			     struct area_abroad *a)
{
	const struct country *c = country_by_code(code->text);

	if (!region->code || !code->code || !c || is_ours(c->code) || area_state_of(region->text) ||
	    gazetteer_region_by_code(c->code, region->text) < 0)
		return false;
	memcpy(a->country, c->code, sizeof a->country);
	return a->held = a->whole = true;
}

static const char *spelled(const char *folded)
{
	for (size_t i = 0; i < COUNT(SHORT_ABROAD); i++)
		if (strcmp(SHORT_ABROAD[i].folded, folded) == 0)
			return SHORT_ABROAD[i].name;
	return NULL;
}

/* The last words of "Melbourne VIC", "Memphis Egypt", which no comma parts: only if the rest is a
 * city there, or a large one here with a whole country behind it. */
static bool find_last_words(const struct piece *p, struct area_abroad *a, char out[FOLD_SIZE])
{
	char head[PIECE_SIZE], name[FOLD_SIZE];
	const char *full;

	if (is_known(p->folded))
		return false;
	for (const char *blank = p->folded; (blank = strchr(blank, ' ')); blank++) {
		*a = (struct area_abroad){ 0 };
		snprintf(head, sizeof head, "%.*s", (int)(blank - p->folded), p->folded);
		full = spelled(blank + 1);
		fold_text(full ? full : blank + 1, name);
		if (!find_name(name, head, a) ||
		    !(a->held || (a->whole && holds("US", -1, head, AREA_NAMESAKE))))
			continue;
		fold_title(head, a->head, sizeof a->head);
		snprintf(out, FOLD_SIZE, "%s, %s", a->head, full ? full : blank + 1);
		return true;
	}
	return false;
}

static void write_pieces(const struct pieces *p, const char *last, char out[FOLD_SIZE])
{
	size_t len = 0;

	for (size_t i = 0; i < p->n && len < FOLD_SIZE; i++)
		len += (size_t)snprintf(out + len, FOLD_SIZE - len, "%s%s", i ? ", " : "",
					i + 1 == p->n ? last : p->at[i].text);
}

bool area_find_abroad(const char *text, struct area_abroad *ret, char out[FOLD_SIZE])
{
	char line[PIECES_LINE], name[FOLD_SIZE], *rest = line, *group, *more;
	struct area_abroad a = { 0 };
	struct pieces p;
	const struct piece *last;
	const char *full;

	pieces_line(text, line);
	if (!pieces_next_group(&rest, &group) || pieces_next_group(&rest, &more))
		return false;
	pieces_split(group, &p);
	if (p.n == 0)
		return false;
	last = &p.at[p.n - 1];
	full = spelled(last->folded);
	fold_text(full ? full : last->folded, name);
	if (p.n == 1) {
		if (*last->tail || !find_last_words(last, &a, out))
			return false;
	} else {
		const char *head = p.at[p.n - 2].code && p.n > 2 ? p.at[p.n - 3].folded
								 : p.at[p.n - 2].folded;

		if (*last->tail || (country_by_name(p.at[0].folded) && p.n > 2) ||
		    !((p.n > 2 && find_code_behind(last - 1, last, &a)) ||
		      find_name(name, head, &a) ||
		      (last->code && find_code(last->text, head, &a))))
			return false;
		snprintf(a.head, sizeof a.head, "%s", p.at[p.n - 2].text);
		write_pieces(&p, full ? full : last->text, out);
	}
	*ret = a;
	return true;
}
