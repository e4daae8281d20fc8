/* SPDX-License-Identifier: MIT */
/* Reading a place. The text is folded and its end peeled off (country, postcode, state) for the
 * names that only statistics and people have: states, counties, metros, nicknames. Everything else
 * is read by the noun place, with the United States as its hint. */
#include "common/market/area_private.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "common/base/err.h"
#include "common/base/mem.h"
#include "common/market/country.h"
#include "common/market/place_private.h"

/* Inhabitants of a city abroad that is meant where none of its name here is worth naming. */
enum { FAMOUS = 100000 };
/* One with this share of them makes the name ambiguous. */
enum { AMBIGUOUS_SHARE = 10 };

static const char *const NATION[] = {
	"united states of america", "united states", "the united states", "usa", "us", "u s a", "u s",
	"america", "nationwide", "national", "nationwide us", "nationwide usa", "anywhere in the us",
	"anywhere in the united states", "all us", "lower 48",
};
static const char *const ANYWHERE[] = {
	"remote", "anywhere", "work from home", "wfh", "fully remote", "remote us", "remote usa",
	"us remote", "usa remote", "remote united states", "united states remote", "work anywhere",
	"remote only", "100 remote", "telecommute", "virtual", "distributed", "home office", "home based",
	"remote in the us", "remote within the us", "remote in usa", "any location", "various",
	"multiple locations", "hybrid remote", "remote worldwide", "worldwide", "global",
};

static bool is_one_of(const char *const *list, size_t n, const char *text)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(list[i], text) == 0)
			return true;
	return false;
}

/* Removes `tail`, whole words at the end of text; true if there was more in front of it. */
static bool peel(char *text, const char *tail)
{
	size_t len = strlen(text), n = strlen(tail);

	if (len <= n || strcmp(text + len - n, tail) != 0 || text[len - n - 1] != ' ')
		return false;
	text[len - n - 1] = '\0';
	return true;
}

static void peel_country(char *text)
{
	for (size_t i = 0; i < COUNT(NATION); i++)
		if (peel(text, NATION[i]))
			return;
}

static void peel_postcode(char *text)
{
	char *last = strrchr(text, ' ');

	if (last && strlen(last + 1) == 4 && strspn(last + 1, "0123456789") == 4 &&
	    last > text + 5 && strspn(last - 5, "0123456789") == 5)
		*last = '\0';		/* the rest of ZIP+4 */
	last = strrchr(text, ' ');
	if (last && strlen(last + 1) == 5 && strspn(last + 1, "0123456789") == 5)
		*last = '\0';
}

static const struct area_state *peel_state(char *text)
{
	char *last = strrchr(text, ' ');
	const struct area_state *s = last ? area_state_of(last + 1) : NULL;

	if (s) {
		*last = '\0';
		return s;
	}
	/* "west virginia" before "virginia": the longest */
	for (char *p = text; (p = strchr(p, ' ')); p++) {
		s = area_state_named(p + 1);
		if (s) {
			*p = '\0';
			return s;
		}
	}
	return NULL;
}

static void set_wider(struct area *a, const char *city, const struct area_state *s)
{
	char title[FOLD_SIZE];

	fold_title(city, title, sizeof title);
	area_set(a, title, s, NULL);
	if (*city)
		snprintf(a->warning, sizeof a->warning,
			 "%s is not known: figures are those of %s", a->city,
			 s ? s->name : "the United States");
}

/* "Texas", "tx", "State of Texas", "Washington State". "New York" and "Washington" are cities. */
static bool read_state(struct area *a, const char *folded)
{
	const struct area_state *s = area_state_of(folded);
	char name[FOLD_SIZE];

	if (s && strcmp(folded, "dc") != 0 && strcmp(folded, "la") != 0) {
		area_set(a, "", s, NULL);
		return true;
	}
	snprintf(name, sizeof name, "%s", folded);
	if (strncmp(folded, "state of ", 9) == 0)
		s = area_state_named(folded + 9);
	else if (peel(name, "state") || peel(name, "state of"))
		s = area_state_named(name);
	else if (strcmp(folded, "new york") != 0 && strcmp(folded, "washington") != 0)
		s = area_state_named(folded);
	if (s)
		area_set(a, "", s, NULL);
	return s != NULL;
}

static void foreign_label(const struct gazetteer_entry *e, char out[AREA_LABEL_SIZE])
{
	struct place p = { 0 };

	snprintf(p.city, sizeof p.city, "%s", e->name);
	snprintf(p.region, sizeof p.region, "%s", gazetteer_region_name(e->region));
	snprintf(p.region_code, sizeof p.region_code, "%s", gazetteer_region_code(e->region));
	memcpy(p.country, e->country, sizeof p.country);
	place_label(&p, out, AREA_LABEL_SIZE);
}

/* What else the name of the city means, if the text does not say. */
static void name_namesakes(struct area *a, const char *folded, unsigned population)
{
	const struct area_state *same = area_state_named(folded);
	struct gazetteer_entry e;
	struct area other = { 0 };
	unsigned most = 0;

	if (same && (strcmp(same->abbr, "NY") == 0 || strcmp(same->abbr, "WA") == 0)) {
		area_set(&other, "", same, NULL);
		area_add_alternative(a, other.label);
		most = strcmp(same->abbr, "WA") == 0 ? population : 0;
	}
	for (struct gazetteer_walk w = gazetteer_find(folded); gazetteer_next(&w, &e);) {
		char label[AREA_LABEL_SIZE];

		if (e.kind != GAZETTEER_PLACE || e.population < AREA_NAMESAKE)
			continue;
		if (area_set_city(&other, &e))
			snprintf(label, sizeof label, "%s", other.label);
		else if (e.population > population)
			foreign_label(&e, label);
		else
			continue;
		if (strcmp(label, a->label) == 0)
			continue;
		area_add_alternative(a, label);
		most = e.population > most ? e.population : most;
	}
	if (most > 0 && most >= population / AMBIGUOUS_SHARE)
		snprintf(a->warning, sizeof a->warning,
			 "\"%s\" was read as %s; it may also mean %s%s%s", a->city, a->label,
			 a->alternatives[0], *a->alternatives[1] ? " or " : "", a->alternatives[1]);
}

static void warn_no_metro(struct area *a)
{
	if (a->level != AREA_METRO && !*a->warning)
		snprintf(a->warning, sizeof a->warning,
			 "%s is in no metropolitan area: figures are those of %s", a->city,
			 a->state->name);
}

/* Does the text name the state itself? */
static bool says_state(const char *folded, const struct area_state *s)
{
	char abbr[4], name[FOLD_SIZE];

	snprintf(abbr, sizeof abbr, "%c%c", tolower((unsigned char)s->abbr[0]),
		 tolower((unsigned char)s->abbr[1]));
	fold_text(s->name, name);
	return fold_has_words(folded, abbr) || fold_has_words(folded, name) ||
		(strcmp(abbr, "dc") == 0 && fold_has_words(folded, "d c"));
}

/* The noun place mends a slip by itself: "San Fransisco, CA". */
static bool is_slip(const char *city, const char *own, const struct gazetteer_entry *meant)
{
	struct gazetteer_entry e;

	if (fold_distance(city, own, 3) > 3)
		return false;
	for (struct gazetteer_walk w = gazetteer_find(city); gazetteer_next(&w, &e);)
		if (e.kind == meant->kind && e.index == meant->index)
			return false;
	return true;
}

static void settle_city(struct area *a, const char *folded, const char *city,
			const struct gazetteer_entry *e)
{
	char own[FOLD_SIZE];

	area_set_city(a, e);
	fold_text(e->name, own);
	if (is_slip(city, own, e))
		snprintf(a->warning, sizeof a->warning, "\"%.60s\" was read as %s", city,
			 a->label);
	if (fold_has_words(folded, own) &&
	    (!says_state(folded, a->state) || area_state_named(folded)))
		name_namesakes(a, own, e->population);
	warn_no_metro(a);
}

/* The largest city of that name in the country, or the state if there is one. */
static bool find_city(const char *folded, const struct area_state *s, struct gazetteer_entry *ret)
{
	struct gazetteer_entry e;
	struct area a = { 0 };

	for (struct gazetteer_walk w = gazetteer_find(folded); gazetteer_next(&w, &e);)
		if (area_set_city(&a, &e) && (!s || a.state == s)) {
			*ret = e;
			return true;
		}
	return false;
}

static bool read_misspelt(struct area *a, const char *text, const char *city,
			  const struct area_state *s)
{
	struct gazetteer_entry e;

	if (!area_mend(city, s, &e) || !area_set_city(a, &e))
		return false;
	snprintf(a->warning, sizeof a->warning, "\"%.60s\" was read as %s", text, a->label);
	return true;
}

/* The label as postings have it: the noun place makes both. */
static void set_foreign(struct area *a, const struct place *as_read)
{
	struct place p = *as_read;
	struct gazetteer_walk at = { p.entry, p.entry + 1 };
	struct gazetteer_entry e;

	if (p.geoname_id && gazetteer_next_place(&at, &e))
		snprintf(p.city, sizeof p.city, "%s", e.name);
	*a = (struct area){ .level = AREA_FOREIGN };
	memcpy(a->country, p.country, sizeof a->country);
	snprintf(a->region, sizeof a->region, "%s", p.region_code);
	snprintf(a->city, sizeof a->city, "%s", p.city);
	if (*p.city && !*p.region && !*p.region_code && area_state_of(p.country))
		snprintf(a->label, sizeof a->label, "%s, %s", a->city,	/* "CO" is Colorado */
			 country_name(p.country));
	else if (*p.city || *p.region)
		place_label(&p, a->label, sizeof a->label);
	else
		snprintf(a->label, sizeof a->label, "%s", country_name(p.country));
	snprintf(a->warning, sizeof a->warning,
		 "%s is outside the United States, whose agencies (BLS, Census, FRED) are the only official "
		 "sources here: figures are of our own postings alone", a->label);
}

static int unknown(const char *text, const char *city, const struct area_state *s, struct err *e)
{
	char near[AREA_ALTERNATIVES][AREA_LABEL_SIZE];

	area_suggest(city, s, near);
	if (!*near[0])
		return err_set(e, ERR_NOT_FOUND,
			       "location \"%.80s\" is unknown: write \"City, ST\" with a US state, a "
			       "state or \"United States\"",
			       text);
	return err_set(e, ERR_NOT_FOUND,
		       "location \"%.80s\" is unknown: did you mean \"%s\"%s%s%s%s%s%s? Write \"City, ST\" "
		       "with a US state, a state or \"United States\"",
		       text, near[0], *near[1] ? ", \"" : "", near[1], *near[1] ? "\"" : "",
		       *near[2] ? " or \"" : "", near[2], *near[2] ? "\"" : "");
}

static const struct area_state *state_of_place(const struct place *p)
{
	return area_state_of(strcmp(p->country, "PR") == 0 ? "PR" : p->region_code);
}

static bool is_ours(const char *country)
{
	return !*country || strcmp(country, "US") == 0 || strcmp(country, "PR") == 0;
}

/* "Warsaw": the one abroad, if those here are no more than towns. */
static bool read_famous(struct area *a, const char *city)
{
	struct gazetteer_entry e, ours, best = { .population = FAMOUS - 1 };
	struct area here = { 0 };
	char label[AREA_LABEL_SIZE], own[FOLD_SIZE];
	struct place p;
	size_t len;

	if (!find_city(city, NULL, &ours) || ours.population >= AREA_NAMESAKE)
		return false;
	for (struct gazetteer_walk w = gazetteer_find(city); gazetteer_next(&w, &e);) {
		fold_text(e.name, own);
		if (e.kind == GAZETTEER_PLACE && e.population > best.population &&
		    strcmp(own, city) == 0)
			best = e;
	}
	if (best.population < FAMOUS || best.population / AMBIGUOUS_SHARE < ours.population)
		return false;
	foreign_label(&best, label);
	if (place_read(label, best.country, true, &p, 1) == 0)
		return false;
	set_foreign(a, &p);
	area_set_city(&here, &ours);
	area_add_alternative(a, here.label);
	len = strlen(a->warning);
	snprintf(a->warning + len, sizeof a->warning - len, "; it may also mean %s", here.label);
	return true;
}

/* city: what is left of the text without state, country and postcode; named: that state. */
static int read_place(struct area *a, const char *text, const char *folded, const char *city,
		      const struct area_state *named, struct err *e)
{
	struct place p = { 0 };
	struct gazetteer_entry found;
	struct gazetteer_walk at;
	const struct area_state *s;
	char own[FOLD_SIZE];
	size_t n;

	if (named && find_city(city, named, &found)) {	/* "Malta, MT" is no island */
		settle_city(a, folded, city, &found);
		return 0;
	}
	if (!named && strcmp(folded, city) == 0 && read_famous(a, city))
		return 0;
	n = place_read(text, "US", false, &p, 1);
	s = n && is_ours(p.country) ? state_of_place(&p) : NULL;
	s = s ? s : named;
	fold_text(p.city, own);
	if (n && p.geoname_id && is_ours(p.country)) {
		at = (struct gazetteer_walk){ p.entry, p.entry + 1 };
		gazetteer_next_place(&at, &found);
		if (!named && strcmp(city, own) == 0)	/* Puerto Rico's are ours, too */
			find_city(own, NULL, &found);
		settle_city(a, folded, city, &found);
		return 0;
	}
	if (n && is_ours(p.country) && *own && find_city(own, s, &found)) {
		settle_city(a, folded, city, &found);
		return 0;
	}
	if (n && !is_ours(p.country)) {
		set_foreign(a, &p);
		return 0;
	}
	if (s && !*own && (n || !*city)) {
		area_set(a, "", s, NULL);
		return 0;
	}
	if (read_misspelt(a, text, *own ? own : city, s))
		return 0;
	if (s)
		set_wider(a, *own ? own : city, s);
	else if (n && *p.country)
		set_wider(a, own, NULL);
	else
		return unknown(text, *own ? own : city, s, e);
	return 0;
}

/* What is behind the comma rules: "Memphis, Egypt" is not in Tennessee. */
static int read_abroad(struct area *a, const char *text, const char *written,
		       const struct area_abroad *abroad, struct err *e)
{
	struct gazetteer_entry ours;
	struct place p = { 0 };
	char own[FOLD_SIZE];
	size_t len;

	if (place_read(written, abroad->country, true, &p, 1) == 0 || is_ours(p.country))
		return err_set(e, ERR_NOT_FOUND,
			       "location \"%.80s\" is unknown: no such place is known in %s", text,
			       country_name(abroad->country));
	fold_text(abroad->head, own);
	if (!abroad->held && p.geoname_id && find_city(own, NULL, &ours)) {
		/* "Boston, Mexico" is not Mexico City */
		p.geoname_id = 0;
		if (abroad->whole)
			*p.region = *p.region_code = '\0';
		snprintf(p.city, sizeof p.city, "%s", abroad->head);
	}
	set_foreign(a, &p);
	len = strlen(a->warning);
	if (*p.city && !p.geoname_id && !abroad->held)
		snprintf(a->warning + len, sizeof a->warning - len,
			 "; no %s is known there", a->city);
	return 0;
}

static bool read_nation(struct area *a, const char *text, const char *folded)
{
	bool anywhere = is_one_of(ANYWHERE, COUNT(ANYWHERE), folded);

	if (!anywhere && !is_one_of(NATION, COUNT(NATION), folded))
		return false;
	area_set(a, "", NULL, NULL);
	if (anywhere)
		snprintf(a->warning, sizeof a->warning,
			 "\"%.60s\" is no place: figures are those of the United States", text);
	return true;
}

/* Neither a state nor a name that only people have: a place. */
static int read_elsewhere(struct area *a, const char *text, const char *folded, char *city,
			  struct err *e)
{
	struct area_abroad abroad;
	char written[FOLD_SIZE];
	const struct area_state *s;

	if (area_find_abroad(text, &abroad, written))
		return read_abroad(a, text, written, &abroad, e);
	s = peel_state(city);
	if (s && area_read_name(a, text, city, s))
		return 0;
	return read_place(a, text, folded, city, s, e);
}

/* folded: text; city: that without country and postcode. */
static size_t fold_parts(const char *text, char folded[FOLD_SIZE], char city[FOLD_SIZE])
{
	size_t len = fold_text(text, folded);

	memcpy(city, folded, FOLD_SIZE);
	peel_country(city);
	peel_postcode(city);
	return len;
}

int area_resolve(const char *text, struct area *ret, struct err *e)
{
	struct area a = { .level = AREA_NATION };
	char folded[FOLD_SIZE], city[FOLD_SIZE], plain[FOLD_SIZE];
	int r = 0;

	if (fold_parts(text, folded, city) == 0)
		return err_set(e, ERR_INVALID,
			       "location is empty: give a place such as \"New York, NY\"");
	if (area_spell_state(text, city, plain)) {
		text = plain;
		fold_parts(text, folded, city);
	}
	if (!read_nation(&a, text, folded) && !read_state(&a, city) &&
	    !area_read_name(&a, text, city, NULL))
		r = read_elsewhere(&a, text, folded, city, e);
	if (r == 0)
		*ret = a;
	return r;
}
