/* SPDX-License-Identifier: MIT */
#include "workers/processing/country.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/base/mem.h"
#include "workers/processing/text.h"

/* Names to countries: open addressing, filled at first use, never changed after. */
enum { SLOTS = 2048, NAME_MAX_BYTES = 64 };

static struct slot {
	char name[NAME_MAX_BYTES];
	const struct country *country;
} *names;

static uint32_t hash(const char *text)
{
	uint32_t h = 2166136261u;

	for (; *text; text++)
		h = (h ^ (unsigned char)*text) * 16777619u;
	return h;
}

static struct slot *slot_of(const char *name)
{
	uint32_t i = hash(name) % SLOTS;

	while (names[i].country && strcmp(names[i].name, name))
		i = (i + 1) % SLOTS;
	return &names[i];
}

static void add(const char *name, size_t len, const struct country *country)
{
	char copy[NAME_MAX_BYTES];
	struct slot *slot;

	if (len == 0 || len >= sizeof copy)
		return;
	snprintf(copy, sizeof copy, "%.*s", (int)len, name);
	slot = slot_of(copy);
	memcpy(slot->name, copy, sizeof copy);
	slot->country = country;
}

static void fill(void)
{
	char folded[NAME_MAX_BYTES];

	names = mem_zalloc(SLOTS * sizeof *names);
	for (size_t i = 0; i < COUNTRIES_COUNT; i++) {
		const char *list = COUNTRIES[i].aliases;

		add(folded, text_fold(COUNTRIES[i].name, folded, sizeof folded), &COUNTRIES[i]);
		while (*list) {
			size_t n = strcspn(list, ",");

			add(list, n, &COUNTRIES[i]);
			list += n + (list[n] == ',');
		}
	}
}

const struct country *country_by_name(const char *folded)
{
	if (!names)
		fill();
	return strlen(folded) < NAME_MAX_BYTES ? slot_of(folded)->country : NULL;
}

static int compare_code(const void *key, const void *row)
{
	return strcasecmp(key, ((const struct country *)row)->code);
}

const struct country *country_by_code(const char *code)
{
	if (!code)
		return NULL;
	if (strlen(code) == 2)
		return bsearch(code, COUNTRIES, COUNTRIES_COUNT, sizeof *COUNTRIES, compare_code);
	for (size_t i = 0; strlen(code) == 3 && i < COUNTRIES_COUNT; i++)
		if (!strcasecmp(COUNTRIES[i].code3, code))
			return &COUNTRIES[i];
	return NULL;
}

const char *country_name(const char *code)
{
	const struct country *c = country_by_code(code);

	return c ? c->name : "";
}

const struct region *region_by_code(const char *country, const char *code)
{
	for (size_t i = 0; i < REGIONS_COUNT; i++)
		if ((!country || !strcmp(REGIONS[i].country, country)) &&
		    !strcasecmp(REGIONS[i].code, code))
			return &REGIONS[i];
	return NULL;
}

/* Equal once case, accents and what is no letter are left out of name. */
static bool same_name(const char *name, const char *folded)
{
	char own[NAME_MAX_BYTES];

	if (tolower((unsigned char)name[0]) != folded[0])
		return false;
	text_fold(name, own, sizeof own);
	return !strcmp(own, folded);
}

const struct region *region_by_name(const char *country, const char *folded)
{
	for (size_t i = 0; i < REGIONS_COUNT; i++)
		if ((!country || !strcmp(REGIONS[i].country, country)) &&
		    same_name(REGIONS[i].name, folded))
			return &REGIONS[i];
	return NULL;
}
