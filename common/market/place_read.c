/* SPDX-License-Identifier: MIT */
#include "common/market/place_private.h"

#include <ctype.h>
#include <math.h>
#include <utf8proc.h>

#include "common/base/mem.h"
#include "common/base/text.h"
#include "common/market/country.h"
#include "common/market/fold.h"
#include "common/market/gazetteer.h"
#include "common/market/pieces.h"
#include "common/market/reading.h"

enum { GROUPS_MAX = 16 };
/* Inhabitants from which on a city … */
enum {
	LARGE_CITY = 300000,		/* is meant rather than a region of its name elsewhere */
	NAMESAKE_CITY = 10000,		/* is meant rather than the region of its name around it */
	DIVIDED_CITY = 150000,		/* may have its district named behind it */
	ABROAD_CITY = 100000,		/* is listed beside cities of other countries */
	SITE_CITY = 50000,		/* is known by the name of a site alone ("Lyon office") */
	MENDED_CITY = 50000,		/* is recognised though misspelt */
	LISTED_CITY = 15000,		/* is listed beside others of its country */
};

#define NEAR_KM 60.0
#define KM_PER_DEGREE 111.2

static void set(char *out, size_t size, const char *value)
{
	snprintf(out, size, "%s", value);
}
#define SET(array, value) set(array, sizeof(array), value)

static bool is_shouted(const char *s)
{
	bool upper = false;

	for (; *s; s++) {
		if (islower((unsigned char)*s))
			return false;
		upper = upper || isupper((unsigned char)*s);
	}
	return upper;
}

/* "SAINT PAUL" -> "Saint Paul". */
static void unshout(char *s)
{
	utf8proc_int32_t cp;
	utf8proc_uint8_t low[4];

	for (bool first = true; *s;) {
		utf8proc_ssize_t n = utf8proc_iterate((const utf8proc_uint8_t *)s, -1, &cp);

		if (n <= 0)
			return;
		if (!first && utf8proc_encode_char(utf8proc_tolower(cp), low) == n)
			memcpy(s, low, (size_t)n);
		first = *s == ' ' || *s == '-' || *s == '.';
		s += n;
	}
}

static bool same_key(const char *name, const char *folded)
{
	char a[GAZETTEER_KEY_MAX], b[GAZETTEER_KEY_MAX], own[GAZETTEER_KEY_MAX];

	text_fold(name, own, sizeof own);
	gazetteer_key(own, a);
	gazetteer_key(folded, b);
	return !strcmp(a, b);
}

/* Is written the name with "City", "DC" or the like behind it, or an abbreviation of it? */
static bool only_decorates(const char *written, const char *folded, const char *name)
{
	char own[GAZETTEER_KEY_MAX];
	size_t n = text_fold(name, own, sizeof own);

	if (strlen(written) <= 3)
		return true;
	return !strncmp(folded, own, n) &&
		(!strcmp(folded + n, " city") || !strcmp(folded + n, " dc") ||
		 !strcmp(folded + n, " d c"));
}

/* "St Louis" of "St. Louis". */
static bool lacks_dots(const char *written, const char *name)
{
	for (; *name; name++)
		if (*name == *written)
			written++;
		else if (*name != '.')
			return false;
	return !*written;
}

/* The city as written, unless that is an abbreviation or all in capitals. */
static void set_city(struct place *p, const struct piece *piece, const struct gazetteer_entry *e)
{
	SET(p->city, piece->text);
	if (e && text_has_word(piece->folded, "area") && !same_key(e->name, piece->folded))
		SET(p->city, e->name);
	else if (e && (lacks_dots(piece->text, e->name) ||
		       only_decorates(piece->text, piece->folded, e->name) ||
		       (is_shouted(piece->text) && !strcasecmp(e->name, piece->text))))
		SET(p->city, e->name);
	else if (is_shouted(piece->text) &&
		 (strlen(piece->text) > 4 || (e && same_key(e->name, piece->folded))))
		unshout(p->city);
}

static void set_region(struct place *p, int region)
{
	SET(p->region, gazetteer_region_name(region));
	SET(p->region_code, gazetteer_region_code(region));
}

static void set_detail(struct place *p, const struct gazetteer_entry *e)
{
	struct gazetteer_place d;

	gazetteer_detail(e->index, &d);
	p->has_coordinates = true;
	p->latitude = d.latitude;
	p->longitude = d.longitude;
	p->geoname_id = d.geoname_id;
	p->entry = e->index;
	SET(p->metro, d.metro);
	snprintf(p->cbsa, sizeof p->cbsa, "%.5s", d.cbsa);
	if (!p->region[0] && !p->region_code[0])
		set_region(p, e->region);
}

/* What a piece says of the reading that was chosen. */
struct role {
	bool country, region;		/* names it, by name or code */
	bool abroad;			/* names another country */
	bool city;			/* and this is a city in it: */
	bool unsure;
	struct gazetteer_entry place;
};

static struct role role_of(const struct piece *p, const struct reading *r)
{
	const struct country *c = p->code ? country_by_code(p->text) : NULL;
	struct gazetteer_entry e;
	struct role role = { 0 };

	role.country = c && !strcmp(c->code, r->country);
	role.region = p->code && gazetteer_region_by_code(r->country, p->text) >= 0;
	for (struct gazetteer_walk w = gazetteer_find(p->folded);
	     gazetteer_next(&w, &e) && e.kind != GAZETTEER_PLACE;) {
		role.country = role.country ||
			(e.kind == GAZETTEER_COUNTRY && !strcmp(e.country, r->country));
		role.abroad = role.abroad ||
			(e.kind == GAZETTEER_COUNTRY && strcmp(e.country, r->country) != 0);
		role.region = role.region ||
			(e.kind == GAZETTEER_REGION && e.region == r->region) ||
			(e.kind == GAZETTEER_REGION && r->region < 0 &&
			 !strcmp(e.country, r->country));
	}
	role.city = (!role.abroad || r->region >= 0) &&
		reading_place(r, p->folded, &role.place, &role.unsure);
	return role;
}

/* Countries that are a city too: alone they name it. */
static bool is_city_state(const char *country)
{
	static const char STATES[] = "SG HK LU MC MO GI";

	return strstr(STATES, country) != NULL;
}

static bool may_be_name(const struct piece *p)
{
	if (p->code || p->weak || strlen(p->folded) < 2)
		return false;
	for (const char *c = p->text; *c; c++)
		if (isdigit((unsigned char)*c) || strchr("@#$%&*:", *c))
			return false;
	return true;
}

/* "Berlin-Mitte", "Wien 10. Bezirk": a part of a large city, which stands in front; of any country
 * where r knows none. */
static bool shorten(struct piece *p, const struct reading *r, struct role *role)
{
	struct piece head = *p;

	while (!p->code && strpbrk(head.text, " -")) {
		char *last = strrchr(head.text, ' '), *hyphen = strrchr(head.text, '-');

		*(!last || hyphen > last ? hyphen : last) = '\0';
		text_fold(head.text, head.folded, sizeof head.folded);
		if (!reading_place(r, head.folded, &role->place, &role->unsure) ||
		    role->place.population < DIVIDED_CITY)
			continue;
		role->city = true;
		*p = head;
		return true;
	}
	return false;
}

static bool shorten_any(struct pieces *p)
{
	const struct reading anywhere = { .region = -1 };
	struct role role;
	bool shorter = false;

	for (size_t i = 0; i < p->n; i++)
		shorter = shorten(&p->at[i], &anywhere, &role) || shorter;
	return shorter;
}

/* Which piece is the city? -1 none. Known ones win; a name that no list has is taken when the text
 * names the country or region and nothing stands in front of it. */
static int find_city(const struct pieces *p, const struct role roles[], const struct reading *r)
{
	bool country_first = p->n > 1 && roles[0].country && !roles[0].city;
	int unknown = -1, named = 0;

	for (size_t i = 0; i < p->n; i++)
		named += roles[i].region || p->at[i].tail[0] != '\0';
	for (size_t k = 0; k < p->n; k++) {
		size_t i = country_first ? p->n - 1 - k : k;

		if (roles[i].city && !roles[i].country && !roles[i].region)
			return (int)(unknown >= 0 && r->explicit && !country_first ? (size_t)unknown
										   : i);
		if (!roles[i].country && !roles[i].region && !roles[i].city && !roles[i].abroad &&
		    unknown < 0 && may_be_name(&p->at[i]))
			unknown = (int)i;
	}
	for (size_t i = 0; i < p->n; i++)
		if (roles[i].region && roles[i].city && !p->at[i].code &&
		    (named > 1 || roles[i].place.population >= NAMESAKE_CITY))
			return (int)i;
	for (size_t i = 0; i < p->n; i++)
		if (roles[i].country && !p->at[i].code && is_city_state(r->country))
			return (int)i;
	if (country_first && unknown >= 0)
		for (size_t i = p->n - 1; i > 0; i--)
			if (!roles[i].country && !roles[i].region && !roles[i].abroad &&
			    may_be_name(&p->at[i]))
				unknown = (int)i;
	return r->explicit ? unknown : -1;
}

/* "Indy Branch - Indianapolis": the name of a site yields to the city's own behind it; so does one
 * with a code that is no state of the country ("Downtown BA - Mason, OH"). */
static void skip_sites(const struct pieces *p, struct role roles[], const struct reading *r)
{
	for (size_t i = 0; i < p->n; i++) {
		const char *tail = p->at[i].tail;

		if (!p->at[i].weak || !roles[i].city)
			continue;
		if (!r->explicit && roles[i].place.population < SITE_CITY)
			roles[i].city = false;
		if (tail[0] && r->region >= 0 &&
		    gazetteer_region_by_code(r->country, tail) != r->region)
			roles[i].city = false;
		for (size_t k = i + 1; k < p->n; k++)
			if (roles[k].city && roles[k].place.index == roles[i].place.index)
				roles[i].city = false;
	}
}

/* A slip in the name of a larger city of the region: "Savann", "Washignton". */
static bool mend(const struct reading *r, const char *folded, struct gazetteer_entry *ret)
{
	struct gazetteer_walk w = gazetteer_places(r->country, r->region);
	char own[GAZETTEER_KEY_MAX];
	size_t len = strlen(folded);

	if (r->region < 0 || len < 6)
		return false;
	while (gazetteer_next_place(&w, ret) && ret->population >= MENDED_CITY) {
		size_t n = text_fold(ret->name, own, sizeof own);

		if ((n > len && n - len <= 2 && !strncmp(own, folded, len)) ||
		    (len >= 7 && own[0] == folded[0] && fold_distance(own, folded, 1) <= 1))
			return true;
	}
	return false;
}

/* "Washington" and "Quebec" in front name the city, though the state or province is meant by the
 * same name: a large city elsewhere in the country. */
static void prefer_large_city(const struct pieces *p, struct reading *r)
{
	struct reading wide = *r;
	struct gazetteer_entry e;
	bool unsure;

	wide.region = -1;
	if (r->region < 0 || p->n == 0 || p->at[0].code ||
	    !reading_place(&wide, p->at[0].folded, &e, &unsure) || e.population < LARGE_CITY ||
	    !same_key(gazetteer_region_name(r->region), p->at[0].folded))
		return;
	for (size_t i = 1; i < p->n; i++) {
		struct role role = role_of(&p->at[i], r);

		if (role.region || (role.city && !role.country))
			return;
	}
	r->region = e.region;
}

/* What the pieces beside the city say: "Hamburg, Munich" does not place both in Hamburg. */
static void widen(struct reading *r, const struct pieces *p, const struct role roles[], int city)
{
	bool country = false, region = false;

	for (size_t i = 0; i < p->n; i++) {
		country = country || ((int)i != city && roles[i].country);
		region = region || ((int)i != city && roles[i].region) || p->at[i].tail[0];
	}
	if (!region)
		r->region = -1;
	r->explicit = country || region;
}

static void read_pieces(struct pieces *p, const char *hint, bool sure, struct reading *ret_reading,
			struct place *ret)
{
	struct role roles[PIECES_MAX];
	struct gazetteer_entry mended;
	struct reading r;
	int city;

	*ret = (struct place){ 0 };
	reading_choose(p, hint, sure, &r);
	if (!r.country[0] && shorten_any(p))
		reading_choose(p, hint, sure, &r);
	*ret_reading = r;
	if (!r.country[0])
		return;
	prefer_large_city(p, &r);
	for (size_t i = 0; i < p->n; i++) {
		roles[i] = role_of(&p->at[i], &r);
		if (!roles[i].city && !roles[i].country && !roles[i].region)
			shorten(&p->at[i], &r, &roles[i]);
	}
	skip_sites(p, roles, &r);
	city = find_city(p, roles, &r);
	if (r.territory) {
		SET(ret->region, country_name(r.country));
		SET(ret->region_code, r.country);
	}
	widen(ret_reading, p, roles, city);
	if (city < 0 && !r.explicit)
		return;
	SET(ret->country, r.territory ? "US" : r.country);
	if (r.region >= 0 && !r.territory)
		set_region(ret, r.region);
	if (city < 0)
		return;
	set_city(ret, &p->at[city], roles[city].city ? &roles[city].place : NULL);
	if (r.doubtful)
		ret->country[0] = '\0';
	else if (roles[city].city && !roles[city].unsure)
		set_detail(ret, &roles[city].place);
	else if (!roles[city].city && mend(&r, p->at[city].folded, &mended)) {
		SET(ret->city, mended.name);
		set_detail(ret, &mended);
	}
	if (p->at[city].tail[0] && r.region < 0 && strcmp(p->at[city].tail, r.country) != 0 &&
	    strcmp(p->at[city].tail, "UK") != 0) {
		SET(ret->region_code, p->at[city].tail);
		ret->region[0] = '\0';
	}
}

static bool names_something(const struct place *p)
{
	return p->city[0] || p->region[0] || p->country[0];
}

static double km_between(const struct place *a, const struct place *b)
{
	double north = (a->latitude - b->latitude) * KM_PER_DEGREE;
	double east = (a->longitude - b->longitude) * KM_PER_DEGREE *
		cos((a->latitude + b->latitude) * 0.5 * 0.017453292519943295);

	return sqrt(north * north + east * east);
}

/* A further city of a list such as "Pune, Chennai, India": known, not small, and not around the
 * corner of one that was named. */
static bool is_further(const struct place *p, const struct place places[], size_t n)
{
	if (!p->city[0] || !p->has_coordinates)
		return false;
	for (size_t i = 0; i < n; i++)
		if (!places[i].has_coordinates || km_between(p, &places[i]) < NEAR_KM)
			return false;
	return true;
}

/* One piece of a list read by itself, within what the whole list says of country and region. */
static bool read_listed(const struct piece *piece, const struct reading *list, struct place *ret)
{
	struct pieces one = { .n = 1 };
	struct role role = role_of(piece, list);
	struct reading r = *list;

	one.at[0] = *piece;
	if (piece->code || piece->weak || role.country || (role.region && !role.city))
		return false;
	if (role.city && role.place.population >= LISTED_CITY) {
		*ret = (struct place){ 0 };
		SET(ret->country, r.country);
		set_city(ret, piece, &role.place);
		if (!role.unsure)
			set_detail(ret, &role.place);
		return true;
	}
	if (list->explicit)
		return false;
	reading_choose(&one, NULL, false, &r);
	role = role_of(piece, &r);
	if (!role.city || role.place.population < ABROAD_CITY)
		return false;
	read_pieces(&one, NULL, false, &r, ret);
	return true;
}

static size_t add_listed(const struct pieces *all, const struct reading *r, struct place places[],
			 size_t max)
{
	size_t n = 1;

	for (size_t i = 1; i < all->n && n < max; i++)
		if (read_listed(&all->at[i], r, &places[n]))
			n += is_further(&places[n], places, n);
	return n;
}

static size_t read_group(char *group, const char *hint, bool sure, struct place places[],
			 size_t max)
{
	struct pieces pieces;
	struct reading r;

	pieces_split(group, &pieces);
	read_pieces(&pieces, hint, sure, &r, &places[0]);
	if (!names_something(&places[0]))
		return 0;
	return places[0].city[0] && places[0].has_coordinates ?
		add_listed(&pieces, &r, places, max) : 1;
}

size_t place_read(const char *text, const char *hint, bool sure, struct place places[], size_t max)
{
	char line[PIECES_LINE], *rest = line, *groups[GROUPS_MAX];
	size_t n = 0, ngroups = 0;

	pieces_line(text, line);
	while (ngroups < GROUPS_MAX && pieces_next_group(&rest, &groups[ngroups]))
		ngroups++;
	for (size_t i = 0; i < ngroups && n < max; i++)
		n += read_group(groups[i], hint, sure, places + n, max - n);
	return n;
}
