/* SPDX-License-Identifier: MIT */
#include "workers/processing/place.h"

#include <ctype.h>
#include <math.h>
#include <stddef.h>

#include "common/base/mem.h"
#include "workers/processing/country.h"
#include "workers/processing/text.h"

enum { LINE_SIZE = 512, PIECES_MAX = 12, PIECE_SIZE = 128 };

#define CENTROID_TOLERANCE 0.0005

struct pieces {
	char at[PIECES_MAX][PIECE_SIZE];
	size_t n;
};

static void set(char *out, size_t size, const char *value)
{
	snprintf(out, size, "%s", value);
}
#define SET(array, value) set(array, sizeof(array), value)

/* What follows a bullet, "via X" or "+2 more" is not part of the place. */
static void cut_tail(char *line)
{
	static const char *const MARKS[] = { "•",	  " · ",      " via ",
					     " tramite ", " über ",   " a través de ",
					     "+",	  " ou plus", " and more" };

	for (size_t i = 0; i < COUNT(MARKS); i++) {
		char *p = strstr(line, MARKS[i]);

		if (p && (MARKS[i][0] != '+' || isdigit((unsigned char)p[1])))
			*p = '\0';
	}
}

static bool is_upper_code(const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (!isupper((unsigned char)s[i]))
			return false;
	return len > 0;
}

static void add_piece(struct pieces *p, const char *start, size_t len)
{
	while (len > 0 && strchr(" ()-", *start))
		start++, len--;
	while (len > 0 && strchr(" ()-", start[len - 1]))
		len--;
	if (len == 0 || len >= PIECE_SIZE || p->n == PIECES_MAX)
		return;
	memcpy(p->at[p->n], start, len);
	p->at[p->n++][len] = '\0';
}

/* "US-Texas-San Antonio": hyphens part places only where the first or last part is a country or
 * state. */
static bool hyphens_separate(const char *line)
{
	char head[PIECE_SIZE], folded[PIECE_SIZE];
	size_t n = strcspn(line, "-");

	if (!line[n] || strchr(line, ',') || n >= sizeof head)
		return false;
	snprintf(head, sizeof head, "%.*s", (int)n, line);
	text_fold(head, folded, sizeof folded);
	return country_by_name(folded) || region_by_name("US", folded) ||
		(is_upper_code(head, n) && (n == 2 || n == 3) &&
		 (country_by_code(head) || region_by_code("US", head)));
}

static size_t separator_at(const char *p, bool hyphens)
{
	if (strchr(",|/", *p))
		return 1;
	if (!strncmp(p, " - ", 3))
		return 3;
	if (!strncmp(p, " – ", 5))
		return 5;
	return hyphens && *p == '-' ? 1 : 0;
}

static void split(char *line, struct pieces *ret)
{
	bool hyphens;
	char *start = line;

	line[strcspn(line, ";\n")] = '\0';
	hyphens = hyphens_separate(line);
	ret->n = 0;
	for (char *p = line; *p; p++) {
		size_t n = separator_at(p, hyphens);

		if (!n)
			continue;
		add_piece(ret, start, (size_t)(p - start));
		p += n - 1;
		start = p + 1;
	}
	add_piece(ret, start, strlen(start));
}

static bool is_not_a_place(const char *folded)
{
	static const char WORDS[] =
		" remote anywhere worldwide global hybrid onsite remoto teletrabajo homeoffice "
		"virtual "
		"emea apac latam americas europe eu dach nationwide flexible various multiple "
		"select tbd "
		"any est cst mst pst edt cdt mdt pdt cet cest gmt utc ";
	char padded[PIECE_SIZE + 2];
	size_t n = strcspn(folded, " ");

	if (text_has_word(folded, "utc") || text_has_word(folded, "gmt") ||
	    text_has_word(folded, "time zone") || text_has_word(folded, "multiple locations") ||
	    text_has_word(folded, "work from home") || text_has_word(folded, "home office"))
		return true;
	snprintf(padded, sizeof padded, " %.*s ", (int)n, folded);
	return strstr(WORDS, padded) != NULL;
}

/* "45242", "94520-1251", "M8Z 1B5", "SW1A 1AA": digits in every token. */
static bool is_postal(const char *piece)
{
	bool digit = false;

	for (const char *p = piece; *p; p++) {
		if (islower((unsigned char)*p) || (unsigned char)*p >= 0x80)
			return false;
		digit = digit || isdigit((unsigned char)*p);
	}
	return digit && strlen(piece) <= 10;
}

/* "OH 45242" and "Blue Ash OH 45242" lose the postal code. */
static void drop_postal(char *piece)
{
	char *space = strrchr(piece, ' ');

	if (space && isdigit((unsigned char)space[1]) && is_postal(space + 1))
		*space = '\0';
}

static void set_region(struct place *p, const struct region *r)
{
	SET(p->region, r->name);
	SET(p->region_code, r->code);
	if (!p->country[0])
		SET(p->country, r->country);
}

/* Where no country is known, a code is a state of the US, then a province of Canada or a state of
 * Australia; the provinces that are better known as countries (PE, NL) are not meant. */
static const struct region *region_anywhere(const char *code)
{
	static const char *const COUNTRIES_TRIED[] = { "US", "CA", "AU" };

	for (size_t i = 0; i < COUNT(COUNTRIES_TRIED); i++) {
		const struct region *r = region_by_code(COUNTRIES_TRIED[i], code);

		if (r && (i == 0 || !country_by_code(code)))
			return r;
	}
	return NULL;
}

/* Two or three capitals: a region of the country known or hinted, else one of the US, else a
 * country. In "Etobicoke, ON, CA" the second is the country, in "Potsdam, DE, 14469" the one before
 * the postal code (five digits are no Canadian one). */
static bool take_code(struct place *p, const char *code, const char *hint, bool before_postal)
{
	const char *country = p->country[0] ? p->country : hint;
	const struct country *c = country_by_code(code);
	const struct region *r = NULL;

	if (!strcmp(p->region_code, code))
		return true;
	if (before_postal && c && !p->country[0] && strcmp(c->code, "CA")) {
		SET(p->country, c->code);
		return true;
	}
	if (!p->region_code[0])
		r = country ? region_by_code(country, code) : region_anywhere(code);
	if (!r && !p->region_code[0] && !p->country[0] && !c)
		r = region_anywhere(code);
	if (r) {
		set_region(p, r);
		return true;
	}
	if (!c || p->country[0])
		return false;
	SET(p->country, c->code);
	return true;
}

/* "Ivrea TO", "Houston TX": the code behind the city. */
static void take_city(struct place *p, char *piece, const char *hint)
{
	char *space = strrchr(piece, ' ');

	if (space && strlen(space + 1) == 2 && is_upper_code(space + 1, 2) && !p->region_code[0] &&
	    !is_upper_code(piece, 2)) {
		const char *country = p->country[0] ? p->country : hint;
		const struct region *r = country ? region_by_code(country, space + 1) :
			region_anywhere(space + 1);

		*space = '\0';
		if (r)
			set_region(p, r);
		else
			SET(p->region_code, space + 1);
	}
	if (!p->city[0])
		SET(p->city, piece);
}

/* Names that are a city as well as a state or country: alone or in front they are the city. */
static bool is_city_too(const char *code)
{
	static const char *const CODES[] = { "NY", "DC", "BE", "HH", "HB",
					     "SG", "HK", "LU", "MC", "MO" };

	for (size_t i = 0; i < COUNT(CODES); i++)
		if (!strcmp(CODES[i], code))
			return true;
	return false;
}

static bool take_name(struct place *p, const char *folded, const char *piece, bool first)
{
	const struct country *c = country_by_name(folded);
	const struct region *r = region_by_name(p->country[0] ? p->country : NULL, folded);

	/* Georgia behind a city is the state, in front of everything the country. */
	if (r && c && (first || !p->city[0]))
		r = strcmp(p->country, r->country) ? NULL : r;
	if (!r && !c)
		return false;
	if (first && (!strcmp(folded, "washington") || !strcmp(folded, "quebec")))
		return false;
	if (first && is_city_too(r ? r->code : c->code))
		SET(p->city, piece);
	if (r)
		set_region(p, r);
	else if (!p->country[0])
		SET(p->country, c->code);
	return true;
}

static void take_piece(struct place *p, const struct pieces *all, size_t i, const char *hint)
{
	char piece[PIECE_SIZE], folded[PIECE_SIZE];
	size_t len;

	SET(piece, all->at[i]);
	drop_postal(piece);
	len = strlen(piece);
	text_fold(piece, folded, sizeof folded);
	if (!folded[0] || is_not_a_place(folded) || is_postal(piece))
		return;
	if ((len == 2 || len == 3) && is_upper_code(piece, len) &&
	    take_code(p, piece, hint, i + 1 < all->n && is_postal(all->at[i + 1])))
		return;
	if (!take_name(p, folded, piece, i == 0) && !(len <= 3 && is_upper_code(piece, len)))
		take_city(p, piece, hint);
}

void place_parse(const char *text, const char *hint, struct place *ret)
{
	struct pieces pieces;
	char line[LINE_SIZE];

	*ret = (struct place){ 0 };
	text_line(text, line, sizeof line);
	cut_tail(line);
	split(line, &pieces);
	for (size_t i = 0; i < pieces.n; i++)
		take_piece(ret, &pieces, i, hint);
	if (!ret->country[0] && hint)
		SET(ret->country, hint);
}

static bool names_something(const struct place *p)
{
	return p->city[0] || p->region[0] || p->region_code[0] || p->country[0];
}

size_t place_parse_all(const char *text, const char *hint, struct place places[], size_t max)
{
	size_t n = 0;

	while (text && *text && n < max) {
		size_t len = strcspn(text, ";\n|");
		char part[LINE_SIZE];

		snprintf(part, sizeof part, "%.*s", (int)len, text);
		place_parse(part, hint, &places[n]);
		n += names_something(&places[n]);
		text += len + (text[len] != '\0');
	}
	return n;
}

static bool is_nowhere(double latitude, double longitude)
{
	static const double CENTROIDS[][2] = { { 37.09024, -95.71289 }, { 39.78373, -100.445882 },
					       { 0, 0 } };

	for (size_t i = 0; i < COUNT(CENTROIDS); i++)
		if (fabs(latitude - CENTROIDS[i][0]) < CENTROID_TOLERANCE &&
		    fabs(longitude - CENTROIDS[i][1]) < CENTROID_TOLERANCE)
			return true;
	return fabs(latitude) > 90 || fabs(longitude) > 180;
}

static const struct country *country_of(const char *text)
{
	char line[PIECE_SIZE], folded[PIECE_SIZE];
	const struct country *c;

	text_line(text, line, sizeof line);
	c = country_by_code(line);
	if (c)
		return c;
	text_fold(line, folded, sizeof folded);
	return folded[0] ? country_by_name(folded) : NULL;
}

static void take_state(struct place *p, const char *state)
{
	char line[PIECE_SIZE], folded[PIECE_SIZE];
	const char *country = p->country[0] ? p->country : NULL;
	const struct region *r;

	text_line(state, line, sizeof line);
	text_fold(line, folded, sizeof folded);
	if (!folded[0])
		return;
	r = region_by_code(country, line);
	if (!r)
		r = region_by_name(country, folded);
	if (r) {
		set_region(p, r);
		return;
	}
	SET(p->region, line);
	SET(p->region_code, strlen(line) <= 3 && is_upper_code(line, strlen(line)) ? line : "");
}

static void take_city_field(struct place *p, const char *city)
{
	char line[PIECE_SIZE], folded[PIECE_SIZE];

	text_line(city, line, sizeof line);
	text_fold(line, folded, sizeof folded);
	if (folded[0] && !is_not_a_place(folded))
		SET(p->city, line);
}

void place_resolve(const struct place_fields *in, struct place *ret)
{
	const struct country *c = country_of(in->country), *asked = country_of(in->asked_country);
	struct place text;

	*ret = (struct place){ 0 };
	if (c)
		SET(ret->country, c->code);
	place_parse(in->location, c ? c->code : asked ? asked->code : NULL, &text);
	take_city_field(ret, in->city);
	take_state(ret, in->state);
	if (!ret->country[0])
		SET(ret->country, text.country);
	if (!ret->city[0] && !strcmp(ret->country, text.country))
		SET(ret->city, text.city);
	if (!ret->region[0] && !ret->region_code[0] && !strcmp(ret->country, text.country)) {
		SET(ret->region, text.region);
		SET(ret->region_code, text.region_code);
	}
	if (in->has_coordinates && !is_nowhere(in->latitude, in->longitude)) {
		ret->has_coordinates = true;
		ret->latitude = in->latitude;
		ret->longitude = in->longitude;
	}
}

void place_label(const struct place *p, char *out, unsigned long size)
{
	const char *parts[] = { p->city, p->region_code[0] ? p->region_code : p->region,
				p->country };
	size_t n = 0;

	out[0] = '\0';
	for (size_t i = 0; i < COUNT(parts); i++)
		if (parts[i][0] && n < size)
			n += (size_t)snprintf(out + n, size - n, "%s%s", n ? ", " : "", parts[i]);
}
