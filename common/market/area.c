/* SPDX-License-Identifier: MIT */
/* Reading a place: the text is folded and its end peeled off (country, postcode, state); what is
 * left is the city. A city is looked for among the parts of each metro's name ("Newark" in "New
 * York-Newark-Jersey City") and its further cities; the state, if named, must be one of the
 * metro's. */
#include "common/market/area.h"

#include <ctype.h>

#include "common/base/err.h"
#include "common/base/mem.h"
#include "common/market/fold.h"

static const char *const NATION[] = {
	"united states of america", "united states", "usa", "us", "u s a", "u s", "america",
	"nationwide", "national",
};
static const char *const ANYWHERE[] = {
	"remote", "anywhere", "work from home", "wfh", "fully remote", "remote us", "remote usa",
	"us remote", "usa remote", "remote united states", "united states remote",
};
static const char *const ABROAD[] = {
	"uk", "united kingdom", "england", "scotland", "wales", "ireland", "canada", "germany",
	"deutschland", "france", "spain", "italy", "india", "china", "japan", "australia", "brazil",
	"mexico", "netherlands", "switzerland", "austria", "poland", "singapore", "israel", "sweden",
	"norway", "denmark", "finland", "portugal", "belgium", "philippines", "pakistan", "ukraine",
	"europe", "london", "berlin", "toronto", "vancouver canada", "bangalore", "bengaluru", "paris",
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

static bool peel_country(char *text)
{
	for (size_t i = 0; i < COUNT(NATION); i++)
		if (peel(text, NATION[i]))
			return true;
	return false;
}

static void peel_postcode(char *text)
{
	char *last = strrchr(text, ' ');

	if (last && strlen(last + 1) == 5 && strspn(last + 1, "0123456789") == 5)
		*last = '\0';
}

static const struct area_state *state_named(const char *folded)
{
	char name[FOLD_SIZE];

	for (size_t i = 0; i < AREA_STATES_COUNT; i++) {
		fold_text(AREA_STATES[i].name, name);
		if (strcmp(name, folded) == 0)
			return &AREA_STATES[i];
	}
	return NULL;
}

static const struct area_state *state_by_abbr(const char *abbr, size_t len)
{
	for (size_t i = 0; len == 2 && i < AREA_STATES_COUNT; i++)
		if (strncasecmp(AREA_STATES[i].abbr, abbr, 2) == 0)
			return &AREA_STATES[i];
	return NULL;
}

static const struct area_state *peel_state(char *text)
{
	char *last = strrchr(text, ' ');
	const struct area_state *s = last ? state_by_abbr(last + 1, strlen(last + 1)) : NULL;
	char name[FOLD_SIZE];

	if (s) {
		*last = '\0';
		return s;
	}
	for (size_t i = 0; i < AREA_STATES_COUNT; i++) {
		fold_text(AREA_STATES[i].name, name);
		if (peel(text, name))
			return &AREA_STATES[i];
	}
	return NULL;
}

static void peel_ornaments(char *text)
{
	static const char *const HEADS[] = { "greater ", "city of ", "downtown ", "remote " };
	static const char *const TAILS[] = { "metropolitan area", "metro area", "metro", "area",
					     "region" };

	for (size_t i = 0; i < COUNT(HEADS); i++)
		if (strncmp(text, HEADS[i], strlen(HEADS[i])) == 0)
			memmove(text, text + strlen(HEADS[i]), strlen(text + strlen(HEADS[i])) + 1);
	if (strcmp(text, "bay area") == 0 || strcmp(text, "san francisco bay area") == 0 ||
	    strcmp(text, "sf bay area") == 0)
		return;
	for (size_t i = 0; i < COUNT(TAILS); i++)
		if (peel(text, TAILS[i]))
			return;
}

static bool metro_in_state(const struct area_metro *m, const struct area_state *s)
{
	return !s || strstr(m->states, s->abbr);
}

/* Is `city` one of the parts of the metro's name? Gives the part as written. */
static bool name_part(const struct area_metro *m, const char *city, char out[64])
{
	char part[FOLD_SIZE], folded[FOLD_SIZE];

	for (const char *p = m->name; *p;) {
		size_t len = strcspn(p, "-/");

		memcpy(part, p, len);
		part[len] = '\0';
		fold_text(part, folded);
		if (len > 0 && strcmp(folded, city) == 0) {
			snprintf(out, 64, "%.63s", part);
			return true;
		}
		p += len + (p[len] != '\0');
	}
	return false;
}

static bool further_city(const struct area_metro *m, const char *city, char out[64])
{
	char entry[FOLD_SIZE];

	for (const char *p = m->also; *p;) {
		size_t len = strcspn(p, "|"), name = strcspn(p, ":|");

		if (strlen(city) == name && memcmp(p, city, name) == 0) {
			const char *display = name < len ? p + name + 1 : p;

			snprintf(entry, sizeof entry, "%.*s", (int)(len - (size_t)(display - p)),
				 display);
			fold_title(entry, out, 64);
			return true;
		}
		p += len + (p[len] == '|');
	}
	return false;
}

static const struct area_metro *find_metro(const char *city, const struct area_state *s,
					   char out[64], const struct area_metro **ret_other)
{
	const struct area_metro *found = NULL;
	char spare[64];

	*ret_other = NULL;
	for (size_t i = 0; i < AREA_METROS_COUNT; i++) {
		const struct area_metro *m = &AREA_METROS[i];

		if (!metro_in_state(m, s))
			continue;
		if (!name_part(m, city, found ? spare : out) &&
		    !further_city(m, city, found ? spare : out))
			continue;
		if (found) {
			*ret_other = m;
			break;
		}
		found = m;
	}
	return found;
}

static void label_place(struct area *a)
{
	if (*a->city && a->state)
		snprintf(a->label, sizeof a->label, "%s, %s", a->city, a->state->abbr);
	else if (a->state)
		snprintf(a->label, sizeof a->label, "%s", a->state->name);
	else if (*a->city)
		snprintf(a->label, sizeof a->label, "%s, US", a->city);
	else
		snprintf(a->label, sizeof a->label, "United States");
}

/* New York, Washington: also a state; Arlington: in two metros. The city is the better guess. */
static void name_alternatives(struct area *a, const char *city, const struct area_metro *other)
{
	const struct area_state *s = state_named(city);

	if (other) {
		snprintf(a->warning, sizeof a->warning,
			 "\"%s\" was read as %s (%s); it may also mean %s (%s)", a->city, a->label,
			 a->metro->name, a->city, other->name);
		snprintf(a->alternatives[0], AREA_LABEL_SIZE, "%.63s, %.2s", a->city, other->states);
	} else if (s && strcmp(a->label, "New York, NY") != 0) {
		snprintf(a->warning, sizeof a->warning,
			 "\"%s\" was read as %s; for the state write \"%s State\"", a->city, a->label,
			 s->name);
	}
}

static bool read_city(struct area *a, const char *city, const struct area_state *s)
{
	const struct area_metro *other, *m = find_metro(city, s, a->city, &other);

	if (!m)
		return false;
	a->level = AREA_METRO;
	a->metro = m;
	a->state = s ? s : state_by_abbr(m->states, 2);
	label_place(a);
	if (!s)
		name_alternatives(a, city, other);
	return true;
}

static void read_wider(struct area *a, const char *city, const struct area_state *s)
{
	a->level = s ? AREA_STATE : AREA_NATION;
	a->state = s;
	fold_title(city, a->city, sizeof a->city);
	label_place(a);
	if (*city)
		snprintf(a->warning, sizeof a->warning,
			 "%s is in no metropolitan area of the table: figures are those of %s", a->city,
			 s ? s->name : "the United States");
}

static int unknown(const char *text, const char *city, struct err *e)
{
	const char *best = AREA_METROS[0].name;
	int near = 100;
	char folded[FOLD_SIZE];

	for (size_t i = 0; i < AREA_METROS_COUNT; i++) {
		char first[64];

		snprintf(first, sizeof first, "%.*s", (int)strcspn(AREA_METROS[i].name, "-/"),
			 AREA_METROS[i].name);
		fold_text(first, folded);
		if (fold_distance(city, folded, 60) < near) {
			near = fold_distance(city, folded, 60);
			best = AREA_METROS[i].name;
		}
	}
	return err_set(e, ERR_NOT_FOUND,
		       "location \"%.80s\" is unknown: write \"City, ST\" with a US state, a state or "
		       "\"United States\"; the nearest name is \"%.*s\"", text, (int)strcspn(best, "-/"), best);
}

static int abroad(const char *text, struct err *e)
{
	return err_set(e, ERR_NOT_FOUND,
		       "location \"%.80s\" is outside the United States: the sources "
		       "(BLS, Census, FRED) have no figures for it",
		       text);
}

static bool is_abroad(const char *folded)
{
	char copy[FOLD_SIZE];

	snprintf(copy, sizeof copy, "%s", folded);
	if (state_named(folded) || peel_state(copy))	/* "Albuquerque, New Mexico" */
		return false;
	for (size_t i = 0; i < COUNT(ABROAD); i++)
		if (strcmp(folded, ABROAD[i]) == 0 || peel(copy, ABROAD[i]))
			return true;
	return false;
}

/* A small slip in a city's name is mended when it leaves one metro only ("San Fransisco"). */
static bool read_misspelt(struct area *a, const char *city, const struct area_state *s)
{
	char first[64], folded[FOLD_SIZE], found[FOLD_SIZE] = "";
	int limit = strlen(city) < 6 ? 0 : strlen(city) < 10 ? 1 : 2;

	for (size_t i = 0; limit > 0 && i < AREA_METROS_COUNT; i++) {
		if (!metro_in_state(&AREA_METROS[i], s))
			continue;
		snprintf(first, sizeof first, "%.*s", (int)strcspn(AREA_METROS[i].name, "-/"),
			 AREA_METROS[i].name);
		fold_text(first, folded);
		if (fold_distance(city, folded, limit) <= limit) {
			if (*found)
				return false;
			snprintf(found, sizeof found, "%s", folded);
		}
	}
	if (!*found || !read_city(a, found, s))
		return false;
	snprintf(a->warning, sizeof a->warning, "\"%.60s\" was read as %s", city, a->label);
	return true;
}

int area_resolve(const char *text, struct area *ret, struct err *e)
{
	struct area a = { .level = AREA_NATION };
	const struct area_state *s;
	char city[FOLD_SIZE];
	bool country;

	if (fold_text(text, city) == 0)
		return err_set(e, ERR_INVALID,
			       "location is empty: give a place such as \"New York, NY\"");
	if (is_one_of(ANYWHERE, COUNT(ANYWHERE), city))
		snprintf(a.warning, sizeof a.warning,
			 "\"%.60s\" is no place: figures are those of the "
			 "United States",
			 text);
	if (*a.warning || is_one_of(NATION, COUNT(NATION), city)) {
		label_place(&a);
		*ret = a;
		return 0;
	}
	if (is_abroad(city))
		return abroad(text, e);
	country = peel_country(city);
	peel_postcode(city);
	peel_ornaments(city);
	if (read_city(&a, city, NULL)) {
		*ret = a;
		return 0;
	}
	s = state_by_abbr(city, strlen(city));
	if (s || (s = state_named(city))) {
		read_wider(&a, "", s);
		*ret = a;
		return 0;
	}
	if (peel(city, "state") && (s = state_named(city))) {
		read_wider(&a, "", s);
		*ret = a;
		return 0;
	}
	s = peel_state(city);
	peel_ornaments(city);
	if (!read_city(&a, city, s) && !read_misspelt(&a, city, s)) {
		if (!s && !country)
			return unknown(text, city, e);
		read_wider(&a, city, s);
	}
	*ret = a;
	return 0;
}

struct area area_widen(const struct area *a)
{
	struct area wider = *a;

	if (a->level == AREA_METRO)
		wider.level = AREA_STATE;
	else
		wider.level = AREA_NATION;
	wider.metro = NULL;
	return wider;
}

const char *area_level_name(enum area_level level)
{
	return level == AREA_METRO ? "metro" : level == AREA_STATE ? "state" : "nation";
}

const char *area_name(const struct area *a)
{
	if (a->level == AREA_METRO)
		return a->metro->name;
	return a->level == AREA_STATE ? a->state->name : "United States";
}

const char *area_code(const struct area *a)
{
	if (a->level == AREA_METRO)
		return a->metro->cbsa;
	return a->level == AREA_STATE ? a->state->fips : "US";
}
