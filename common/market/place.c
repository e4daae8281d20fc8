/* SPDX-License-Identifier: MIT */
#include <ctype.h>
#include <math.h>

#include "common/base/mem.h"
#include "common/base/text.h"
#include "common/market/country.h"
#include "common/market/pieces.h"
#include "common/market/place_private.h"

#define CENTROID_TOLERANCE 0.0005

static void set(char *out, size_t size, const char *value)
{
	snprintf(out, size, "%s", value);
}
#define SET(array, value) set(array, sizeof(array), value)

size_t place_parse_all(const char *text, const char *hint, struct place places[], size_t max)
{
	const struct country *c = country_by_code(hint);

	return place_read(text, c ? c->code : NULL, false, places, max);
}

static void parse_one(const char *text, const char *hint, bool sure, struct place *ret)
{
	if (!place_read(text, hint, sure, ret, 1))
		*ret = (struct place){ 0 };
	if (!ret->country[0] && hint)
		SET(ret->country, hint);
}

void place_parse(const char *text, const char *hint, struct place *ret)
{
	const struct country *c = country_by_code(hint);

	parse_one(text, c ? c->code : NULL, false, ret);
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

/* "Waco" and "Texas" as one text; what the fields say stays as they say it. */
static void read_fields(const struct place_fields *in, const char *hint, bool sure,
			struct place *ret)
{
	char both[2 * PIECE_SIZE + 4], city[PIECE_SIZE], state[PIECE_SIZE];
	struct place p;

	text_line(in->city, city, sizeof city);
	text_line(in->state, state, sizeof state);
	*ret = (struct place){ 0 };
	if (!city[0] && !state[0])
		return;
	snprintf(both, sizeof both, "%s%s%s", city, city[0] && state[0] ? ", " : "", state);
	parse_one(both, hint, sure, &p);
	if (p.city[0] && city[0])
		*ret = p;
	else
		SET(ret->country, p.country);
	SET(ret->region, p.region);
	SET(ret->region_code, p.region_code);
	if (state[0] && !ret->region[0]) {
		SET(ret->region, state);
		SET(ret->region_code,
		    strlen(state) <= 3 && isupper((unsigned char)state[0]) ? state : "");
	}
}

static void fill_from_text(struct place *p, const struct place *text)
{
	char region[sizeof p->region], code[sizeof p->region_code];

	if (p->city[0] || strcmp(p->country, text->country) != 0)
		return;
	SET(region, p->region);
	SET(code, p->region_code);
	if (code[0] && text->region_code[0] && strcmp(code, text->region_code) != 0)
		return;
	*p = *text;
	if (region[0]) {
		SET(p->region, region);
		SET(p->region_code, code);
	}
}

void place_resolve(const struct place_fields *in, struct place *ret)
{
	const struct country *c = country_of(in->country), *asked = country_of(in->asked_country);
	const char *hint = c ? c->code : asked ? asked->code : NULL;
	struct place text;

	parse_one(in->location, hint, c != NULL, &text);
	read_fields(in, hint ? hint : text.country[0] ? text.country : NULL, c != NULL, ret);
	if (!ret->country[0])
		SET(ret->country, c ? c->code : text.country);
	fill_from_text(ret, &text);
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
