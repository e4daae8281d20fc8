/* SPDX-License-Identifier: MIT */
#include "common/market/gazetteer.h"

#include <ctype.h>
#include <math.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

#include "common/base/mem.h"

/* The compiled bytes, as the assembler includes them. */
__asm__(".section .rodata\n"
	".balign 8\n"
	".global gazetteer_file\ngazetteer_file:\n.incbin \"" GAZETTEER_FILE "\"\n"
	".previous\n");
extern const unsigned char gazetteer_file[];

enum {
	HEADER_SIZE = 20, COUNTRY_SIZE = 4, REGION_SIZE = 11, PLACE_SIZE = 17, METRO_SIZE = 8,
	BUCKETS = 65537, BUCKET_SIZE = 3, KEY_SIZE = 6,
};

enum part { COUNTRIES_AT, REGIONS_AT, PLACES_AT, METROS_AT, KEYS_AT };

static unsigned u16(const unsigned char *p)
{
	return (unsigned)p[0] | (unsigned)p[1] << 8;
}

static unsigned u24(const unsigned char *p)
{
	return u16(p) | (unsigned)p[2] << 16;
}

static unsigned count_of(enum part part)
{
	const unsigned char *p = gazetteer_file + 4 * part;

	return u24(p) | (unsigned)p[3] << 24;
}

static const unsigned char *country_at(unsigned i)
{
	return gazetteer_file + HEADER_SIZE + (size_t)i * COUNTRY_SIZE;
}

static const unsigned char *region_at(unsigned i)
{
	return country_at(count_of(COUNTRIES_AT) + 1) + (size_t)i * REGION_SIZE;
}

static const unsigned char *place_at(unsigned i)
{
	return region_at(count_of(REGIONS_AT) + 1) + (size_t)i * PLACE_SIZE;
}

static const unsigned char *metro_at(unsigned i)
{
	return place_at(count_of(PLACES_AT)) + (size_t)i * METRO_SIZE;
}

static const unsigned char *bucket_at(unsigned i)
{
	return metro_at(count_of(METROS_AT)) + (size_t)i * BUCKET_SIZE;
}

static const unsigned char *key_at(unsigned i)
{
	return bucket_at(BUCKETS) + (size_t)i * KEY_SIZE;
}

static const char *name_at(unsigned offset)
{
	return (const char *)key_at(count_of(KEYS_AT)) + offset;
}

/* Letters that have no mark to strip, as people write them without. */
static const char *plain_letter(const char *p)
{
	static const char *const LETTERS[][2] = {
		{ "ø", "o" }, { "ł", "l" }, { "æ", "ae" }, { "œ", "oe" }, { "ı", "i" },
		{ "đ", "d" }, { "ð", "d" }, { "þ", "th" }, { "ħ", "h" },
	};

	for (size_t i = 0; i < COUNT(LETTERS); i++)
		if (!memcmp(p, LETTERS[i][0], 2))
			return LETTERS[i][1];
	return NULL;
}

static size_t add(char *out, size_t n, const char *text, size_t len)
{
	if (n + len + 1 >= GAZETTEER_KEY_MAX)
		return n;
	memcpy(out + n, text, len);
	return n + len;
}

static size_t add_word(char *out, size_t n, const char *word, size_t len)
{
	static const char *const SHORT[][2] = {
		{ "saint", "st" }, { "sainte", "ste" }, { "fort", "ft" }, { "mount", "mt" },
	};

	for (size_t i = 0; i < COUNT(SHORT); i++)
		if (len == strlen(SHORT[i][0]) && !memcmp(word, SHORT[i][0], len))
			return add(out, n, SHORT[i][1], strlen(SHORT[i][1]));
	for (size_t i = 0; i < len; i++) {
		const char *plain = (unsigned char)word[i] >= 0x80 && i + 1 < len ?
			plain_letter(word + i) : NULL;

		n = plain ? add(out, n, plain, strlen(plain)) : add(out, n, word + i, 1);
		i += plain != NULL;
	}
	return n;
}

void gazetteer_key(const char *folded, char out[GAZETTEER_KEY_MAX])
{
	size_t n = 0;

	for (const char *p = folded; *p;) {
		size_t len = strcspn(p, " ");

		if (n > 0)
			n = add(out, n, " ", 1);
		n = add_word(out, n, p, len);
		p += len + (p[len] == ' ');
	}
	out[n] = '\0';
}

static uint64_t hash_of(const char *text)
{
	uint64_t hash = UINT64_C(14695981039346656037);

	for (; *text; text++)
		hash = (hash ^ (unsigned char)*text) * UINT64_C(1099511628211);
	return hash;
}

struct gazetteer_walk gazetteer_find(const char *folded)
{
	struct gazetteer_walk w;
	char key[GAZETTEER_KEY_MAX];
	uint64_t hash;
	unsigned rest;

	gazetteer_key(folded, key);
	hash = hash_of(key);
	rest = (unsigned)(hash >> 24 & 0xffffff);
	w.at = u24(bucket_at((unsigned)(hash >> 48)));
	w.end = u24(bucket_at((unsigned)(hash >> 48) + 1));
	while (w.at < w.end && u24(key_at(w.at)) != rest)
		w.at++;
	for (unsigned i = w.at; i < w.end; i++)
		if (u24(key_at(i)) != rest)
			w.end = i;
	return w;
}

static void read_country(unsigned i, char out[3])
{
	memcpy(out, country_at(i), 2);
	out[2] = '\0';
}

static void read_region(unsigned i, struct gazetteer_entry *ret)
{
	*ret = (struct gazetteer_entry){ .kind = GAZETTEER_REGION, .index = i, .region = (int)i };
	read_country(u16(region_at(i)), ret->country);
	ret->name = name_at(u24(region_at(i) + 5));
}

static void read_place(unsigned i, struct gazetteer_entry *ret)
{
	const unsigned char *p = place_at(i);

	*ret = (struct gazetteer_entry){ .kind = GAZETTEER_PLACE, .index = i };
	ret->region = (int)u16(p + 12);
	read_country(u16(region_at((unsigned)ret->region)), ret->country);
	ret->name = name_at(u24(p));
	ret->population = (unsigned)exp2(p[16] / 8.0);
}

bool gazetteer_next(struct gazetteer_walk *walk, struct gazetteer_entry *ret)
{
	unsigned what, places = count_of(PLACES_AT), regions = count_of(REGIONS_AT);

	if (walk->at >= walk->end)
		return false;
	what = u24(key_at(walk->at++) + 3);
	if (what < places) {
		read_place(what, ret);
	} else if (what < places + regions) {
		read_region(what - places, ret);
	} else {
		*ret = (struct gazetteer_entry){ .region = -1, .name = "" };
		ret->kind = GAZETTEER_COUNTRY;
		ret->index = what - places - regions;
		read_country(ret->index, ret->country);
	}
	return true;
}

/* The regions of a country stand in a row. */
static struct gazetteer_walk regions_of(const char *country)
{
	unsigned low = 0, high = count_of(COUNTRIES_AT);

	while (low < high) {
		unsigned middle = (low + high) / 2;
		int order = memcmp(country_at(middle), country, 2);

		if (order == 0)
			return (struct gazetteer_walk){ u16(country_at(middle) + 2),
							u16(country_at(middle + 1) + 2) };
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return (struct gazetteer_walk){ 0, 0 };
}

struct gazetteer_walk gazetteer_places(const char *country, int region)
{
	struct gazetteer_walk w = { 0, 0 };

	if (region >= 0)
		w = (struct gazetteer_walk){ (unsigned)region, (unsigned)region + 1 };
	else if (strlen(country) == 2)
		w = regions_of(country);
	return (struct gazetteer_walk){ u24(region_at(w.at) + 8), u24(region_at(w.end) + 8) };
}

bool gazetteer_next_place(struct gazetteer_walk *walk, struct gazetteer_entry *ret)
{
	if (walk->at >= walk->end)
		return false;
	read_place(walk->at++, ret);
	return true;
}

void gazetteer_detail(unsigned place, struct gazetteer_place *ret)
{
	const unsigned char *p = place_at(place);
	unsigned metro = u16(p + 14);

	ret->latitude = u24(p + 3) / 1000.0 - 90;
	ret->longitude = u24(p + 6) / 1000.0 - 180;
	ret->geoname_id = u24(p + 9);
	ret->cbsa = metro ? (const char *)metro_at(metro - 1) : "";
	ret->metro = metro ? name_at(u24(metro_at(metro - 1) + 5)) : "";
}

const char *gazetteer_region_code(int region)
{
	return region < 0 ? "" : name_at(u24(region_at((unsigned)region) + 2));
}

const char *gazetteer_region_name(int region)
{
	return region < 0 ? "" : name_at(u24(region_at((unsigned)region) + 5));
}

int gazetteer_region_by_code(const char *country, const char *code)
{
	struct gazetteer_walk w = { 0, 0 };

	if (country && strlen(country) == 2)
		w = regions_of(country);
	for (; code[0] && w.at < w.end; w.at++) {
		const char *own = gazetteer_region_code((int)w.at);

		if (toupper((unsigned char)own[0]) == toupper((unsigned char)code[0]) &&
		    !strcasecmp(own, code))
			return (int)w.at;
	}
	return -1;
}
