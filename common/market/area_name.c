/* SPDX-License-Identifier: MIT */
/* Names of parts of the country, of counties and of whole metros. */
#include "common/market/area_private.h"

#include <string.h>

#include "common/base/mem.h"

/* What people call a metro, a city or a part of the country beside its name. */
static const struct nickname {
	const char *folded, *city, *state, *cbsa;	/* "" none: a state, the nation */
	const char *also[2];			/* what else is called so */
} NICKNAMES[] = {
	{ "nyc metro", "New York", "NY", "35620" },
	{ "tri state area", "New York", "NY", "35620" },
	{ "five boroughs", "New York", "NY", "35620" },
	{ "long island", "Long Island", "NY", "35620" },
	{ "north jersey", "North Jersey", "NJ", "35620" },
	{ "northern new jersey", "North Jersey", "NJ", "35620" },
	{ "central jersey", "Central Jersey", "NJ", "35620" },
	{ "midtown manhattan", "Manhattan", "NY", "35620" },
	{ "gotham", "New York", "NY", "35620" },
	{ "hudson valley", "Hudson Valley", "NY", "" },
	{ "capital region", "Capital Region", "NY", "10580", { "Washington, DC", "Sacramento, CA" } },
	{ "south jersey", "South Jersey", "NJ", "37980" },
	{ "socal", "", "CA", "" },
	{ "norcal", "", "CA", "" },
	{ "la", "Los Angeles", "CA", "31080" },
	{ "l a", "Los Angeles", "CA", "31080" },
	{ "la area", "Los Angeles", "CA", "31080" },
	{ "silicon beach", "Los Angeles", "CA", "31080" },
	{ "hollywood", "Hollywood", "CA", "31080" },
	{ "the oc", "Orange County", "CA", "31080" },
	{ "inland empire", "Inland Empire", "CA", "40140" },
	{ "san francisco bay", "San Francisco", "CA", "41860" },
	{ "the bay area", "San Francisco", "CA", "41860" },
	{ "east bay", "East Bay", "CA", "41860" },
	{ "south bay", "South Bay", "CA", "41940", { "Torrance, CA", "South Bay, FL" } },
	{ "central valley", "Central Valley", "CA", "", { "Central Valley, NY" } },
	{ "sf peninsula", "San Francisco", "CA", "41860" },
	{ "the city by the bay", "San Francisco", "CA", "41860" },
	{ "la jolla", "La Jolla", "CA", "41740" },
	{ "metroplex", "Dallas", "TX", "19100" },
	{ "dfw metroplex", "Dallas", "TX", "19100" },
	{ "atx", "Austin", "TX", "12420" },
	{ "htx", "Houston", "TX", "26420" },
	{ "satx", "San Antonio", "TX", "41700" },
	{ "rio grande valley", "Rio Grande Valley", "TX", "32580" },
	{ "dc", "Washington", "DC", "47900" },
	{ "d c", "Washington", "DC", "47900" },
	{ "wash dc", "Washington", "DC", "47900" },
	{ "wash d c", "Washington", "DC", "47900" },
	{ "national capital region", "Washington", "DC", "47900" },
	{ "washington metro", "Washington", "DC", "47900" },
	{ "capitol hill", "Washington", "DC", "47900" },
	{ "northern virginia", "Northern Virginia", "VA", "47900" },
	{ "nova", "Northern Virginia", "VA", "47900" },
	{ "tysons", "Tysons", "VA", "47900" },
	{ "rva", "Richmond", "VA", "40060" },
	{ "hampton roads", "Hampton Roads", "VA", "47260" },
	{ "delmarva", "Salisbury", "MD", "41540" },
	{ "bmore", "Baltimore", "MD", "12580" },
	{ "south florida", "Miami", "FL", "33100" },
	{ "space coast", "Space Coast", "FL", "37340" },
	{ "treasure coast", "Treasure Coast", "FL", "38940" },
	{ "tampa bay", "Tampa", "FL", "45300" },
	{ "st pete", "St. Petersburg", "FL", "45300" },
	{ "saint pete", "St. Petersburg", "FL", "45300" },
	{ "jax", "Jacksonville", "FL", "27260" },
	{ "research triangle", "Raleigh", "NC", "39580" },
	{ "raleigh durham", "Raleigh", "NC", "39580" },
	{ "research triangle park", "Research Triangle Park", "NC", "20500" },
	{ "rtp", "Research Triangle Park", "NC", "20500" },
	{ "piedmont triad", "Greensboro", "NC", "24660" },
	{ "clt", "Charlotte", "NC", "16740" },
	{ "lowcountry", "Charleston", "SC", "16700" },
	{ "lehigh valley", "Lehigh Valley", "PA", "10900" },
	{ "steel city", "Pittsburgh", "PA", "38300" },
	{ "beantown", "Boston", "MA", "14460" },
	{ "cape cod", "Cape Cod", "MA", "12700" },
	{ "barnstable town", "Barnstable", "MA", "12700" },
	{ "amherst town", "Amherst", "MA", "11200" },
	{ "motor city", "Detroit", "MI", "19820" },
	{ "metro detroit", "Detroit", "MI", "19820" },
	{ "windy city", "Chicago", "IL", "16980" },
	{ "quad cities", "Quad Cities", "IA", "19340" },
	{ "kc", "Kansas City", "MO", "28140" },
	{ "kcmo", "Kansas City", "MO", "28140" },
	{ "stl", "St. Louis", "MO", "41180" },
	{ "okc", "Oklahoma City", "OK", "36420" },
	{ "cincy", "Cincinnati", "OH", "17140" },
	{ "nola", "New Orleans", "LA", "35380" },
	{ "music city", "Nashville", "TN", "34980" },
	{ "front range", "Denver", "CO", "19740" },
	{ "mile high city", "Denver", "CO", "19740" },
	{ "wasatch front", "Salt Lake City", "UT", "41620" },
	{ "salt lake", "Salt Lake City", "UT", "41620" },
	{ "silicon slopes", "Lehi", "UT", "39340" },
	{ "treasure valley", "Boise", "ID", "14260" },
	{ "valley of the sun", "Phoenix", "AZ", "38060" },
	{ "abq", "Albuquerque", "NM", "10740" },
	{ "puget sound", "Seattle", "WA", "42660" },
	{ "pdx", "Portland", "OR", "38900" },
	{ "oahu", "Oahu", "HI", "46520" },
	{ "urban honolulu", "Honolulu", "HI", "46520" },
	{ "maui", "Maui", "HI", "27980" },
	{ "new england", "", "", "" }, { "midwest", "", "", "" }, { "the midwest", "", "", "" },
	{ "west coast", "", "", "" }, { "east coast", "", "", "" }, { "pacific northwest", "", "", "" },
	{ "pnw", "", "", "" }, { "gulf coast", "", "", "" }, { "mid atlantic", "", "", "" },
	{ "southwest", "", "", "" }, { "southeast", "", "", "" }, { "northeast", "", "", "" },
	{ "great plains", "", "", "" }, { "deep south", "", "", "" }, { "sun belt", "", "", "" },
};

static void warn_wider(struct area *a, const char *text)
{
	if (a->level != AREA_METRO)
		snprintf(a->warning, sizeof a->warning,
			 "no figures are kept for \"%.60s\" as a whole: they are those of %s", text,
			 a->state ? a->state->name : "the United States");
}

static void warn_others(struct area *a, const struct nickname *n)
{
	size_t len = strlen(a->warning);

	for (size_t i = 0; i < COUNT(n->also) && n->also[i]; i++)
		area_add_alternative(a, n->also[i]);
	if (*a->alternatives[0])
		snprintf(a->warning + len, sizeof a->warning - len,
			 "%s\"%s\" was read as %s; it may also mean %s%s%s", len ? "; " : "", a->city,
			 a->label, a->alternatives[0], *a->alternatives[1] ? " or " : "",
			 a->alternatives[1]);
}

static bool read_nickname(struct area *a, const char *text, const char *folded,
			  const struct area_state *s)
{
	for (size_t i = 0; i < COUNT(NICKNAMES); i++) {
		const struct nickname *n = &NICKNAMES[i];

		if (strcmp(n->folded, folded) != 0 || (s && strcmp(n->state, s->abbr) != 0))
			continue;
		area_set(a, n->city, area_state_of(n->state), area_metro_of(n->cbsa));
		warn_wider(a, text);
		if (!s)
			warn_others(a, n);
		return true;
	}
	return false;
}

/* "Upstate New York", "Southern California": the state, as far as figures go. */
static bool read_part_of_state(struct area *a, const char *text, const char *folded)
{
	static const char *const PARTS[] = {
		"upstate ", "downstate ", "northern ", "southern ", "eastern ", "western ", "central ",
		"north ", "south ", "east ", "west ", "northwest ", "northeast ", "southwest ", "southeast ",
		"greater ", "rural ", "all of ", "anywhere in ",
	};

	for (size_t i = 0; i < COUNT(PARTS); i++) {
		size_t n = strlen(PARTS[i]);
		const struct area_state *s =
			strncmp(folded, PARTS[i], n) == 0 ? area_state_named(folded + n) : NULL;

		if (!s)
			continue;
		area_set(a, "", s, NULL);
		warn_wider(a, text);
		return true;
	}
	return false;
}

/* One county of "NY 005 Bronx County,047 Kings County;NJ 003 …" at *p; moves it behind. */
static bool next_county(const char **p, char state[3], char name[64])
{
	const char *at = *p;
	size_t len;

	if (!*at)
		return false;
	if (at[2] == ' ') {
		snprintf(state, 3, "%.2s", at);
		at += 3;
	}
	at += 4;
	len = strcspn(at, ",;");
	snprintf(name, 64, "%.*s", (int)len, at);
	*p = at + len + (at[len] != '\0');
	return true;
}

static bool is_county(const char *folded)
{
	static const char *const WORDS[] = { "county", "parish", "borough", "municipio",
					     "planning region", "municipality" };

	for (size_t i = 0; i < COUNT(WORDS); i++)
		if (fold_has_words(folded, WORDS[i]))
			return true;
	return false;
}

/* The largest metro's stands for a county of several states; the others are named. */
static bool read_county(struct area *a, const char *folded, const struct area_state *s)
{
	char name[64], state[3] = "", own[FOLD_SIZE], label[AREA_LABEL_SIZE];
	bool found = false;

	for (size_t i = 0; is_county(folded) && i < AREA_METROS_COUNT; i++)
		for (const char *p = AREA_METROS[i].counties; next_county(&p, state, name);) {
			if ((s && strcmp(s->abbr, state) != 0) || (name[0] | 0x20) != folded[0])
				continue;
			fold_text(name, own);
			if (strcmp(own, folded) != 0)
				continue;
			snprintf(label, sizeof label, "%s, %s", name, state);
			if (found)
				area_add_alternative(a, label);
			else
				area_set(a, name, area_state_of(state), &AREA_METROS[i]);
			found = true;
		}
	if (found && *a->alternatives[0])
		snprintf(a->warning, sizeof a->warning,
			 "\"%s\" was read as %s; it may also mean %s", a->city, a->label,
			 a->alternatives[0]);
	return found;
}

/* "ny nj", "tx metro area", "" */
static bool is_rest_of_metro(const char *folded)
{
	static const char *const WORDS[] = { "metro", "area", "msa", "metropolitan",
					     "statistical" };

	while (*folded) {
		char word[16];
		size_t len = strcspn(folded, " ");
		bool known;

		snprintf(word, sizeof word, "%.*s", (int)len, folded);
		known = area_state_of(word) != NULL;
		for (size_t i = 0; i < COUNT(WORDS); i++)
			known = known || strcmp(word, WORDS[i]) == 0;
		if (!known)
			return false;
		folded += len;
		folded += strspn(folded, " ");
	}
	return true;
}

/* The first of the metro's names that is a city in it: not "Winston" of "Winston-Salem". */
static bool first_city(const struct area_metro *m, struct gazetteer_entry *ret)
{
	char part[FOLD_SIZE], folded[FOLD_SIZE];
	struct gazetteer_place d;

	for (size_t len = strcspn(m->name, "-/");; len += 1 + strcspn(m->name + len + 1, "-/")) {
		snprintf(part, sizeof part, "%.*s", (int)len, m->name);
		fold_text(part, folded);
		for (struct gazetteer_walk w = gazetteer_find(folded); gazetteer_next(&w, ret);) {
			if (ret->kind == GAZETTEER_PLACE)
				gazetteer_detail(ret->index, &d);
			if (ret->kind == GAZETTEER_PLACE && strncmp(d.cbsa, m->cbsa, 5) == 0)
				return true;
		}
		if (!m->name[len])
			return false;
	}
}

/* "Dallas-Fort Worth-Arlington, TX", "Urban Honolulu" */
static bool read_metro(struct area *a, const char *text, const char *folded)
{
	char own[FOLD_SIZE], state[3];
	struct gazetteer_entry e;

	for (size_t i = 0; strpbrk(text, "-/") && i < AREA_METROS_COUNT; i++) {
		const struct area_metro *m = &AREA_METROS[i];
		size_t len;

		if ((m->name[0] | 0x20) != folded[0] || !strpbrk(m->name, "-/"))
			continue;
		len = fold_text(m->name, own);
		if (strncmp(folded, own, len) != 0 || (folded[len] && folded[len] != ' ') ||
		    !is_rest_of_metro(folded + len + (folded[len] == ' ')))
			continue;
		if (!first_city(m, &e) || !area_set_city(a, &e)) {
			snprintf(own, sizeof own, "%.*s", (int)strcspn(m->name, "-/"), m->name);
			snprintf(state, sizeof state, "%.2s", m->states);
			area_set(a, own, area_state_of(state), m);
		}
		return true;
	}
	return false;
}

bool area_read_name(struct area *a, const char *text, const char *folded,
		    const struct area_state *s)
{
	return read_nickname(a, text, folded, s) || (!s && read_part_of_state(a, text, folded)) ||
		read_county(a, folded, s) || read_metro(a, text, folded);
}
