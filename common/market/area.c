/* SPDX-License-Identifier: MIT */
#include "common/market/area.h"

#include <string.h>
#include <strings.h>

#include "common/base/mem.h"
#include "common/market/area_private.h"
#include "common/market/country.h"

const struct area_state *area_state_of(const char *abbr)
{
	for (size_t i = 0; strlen(abbr) == 2 && i < AREA_STATES_COUNT; i++)
		if (strcasecmp(AREA_STATES[i].abbr, abbr) == 0)
			return &AREA_STATES[i];
	return NULL;
}

static bool same_folded(const char *name, const char *folded)
{
	for (; *name && *folded; name++, folded++)
		if ((*name | 0x20) != (*folded | 0x20))
			return false;
	return !*name && !*folded;
}

const struct area_state *area_state_named(const char *folded)
{
	for (size_t i = 0; i < AREA_STATES_COUNT; i++)
		if (same_folded(AREA_STATES[i].name, folded))
			return &AREA_STATES[i];
	return NULL;
}

const struct area_metro *area_metro_of(const char *cbsa)
{
	for (size_t i = 0; *cbsa && i < AREA_METROS_COUNT; i++)
		if (memcmp(AREA_METROS[i].cbsa, cbsa, 5) == 0)
			return &AREA_METROS[i];
	return NULL;
}

/* Two states have the name of a city that is meant by it alone. */
static bool is_city_too(const struct area_state *s)
{
	return strcmp(s->abbr, "NY") == 0 || strcmp(s->abbr, "WA") == 0;
}

static void set_label(struct area *a)
{
	if (*a->city && a->state)
		snprintf(a->label, sizeof a->label, "%s, %s", a->city, a->state->abbr);
	else if (a->state)
		snprintf(a->label, sizeof a->label, "%s%s", a->state->name,
			 is_city_too(a->state) ? " State" : "");
	else if (*a->city)
		snprintf(a->label, sizeof a->label, "%s, US", a->city);
	else
		snprintf(a->label, sizeof a->label, "United States");
}

void area_set(struct area *a, const char *city, const struct area_state *s,
	      const struct area_metro *m)
{
	a->level = m ? AREA_METRO : s ? AREA_STATE : AREA_NATION;
	memcpy(a->country, "US", sizeof a->country);
	a->metro = m;
	a->state = s;
	snprintf(a->city, sizeof a->city, "%.*s", (int)strcspn(city, "("), city);
	for (size_t n = strlen(a->city); n > 0 && a->city[n - 1] == ' '; n--)
		a->city[n - 1] = '\0';
	set_label(a);
}

bool area_set_city(struct area *a, const struct gazetteer_entry *e)
{
	bool island = strcmp(e->country, "PR") == 0;
	const char *code = island ? "PR" : gazetteer_region_code(e->region);
	const struct area_state *s = area_state_of(code);
	struct gazetteer_place d;

	if (!s || e->kind != GAZETTEER_PLACE || (!island && strcmp(e->country, "US") != 0))
		return false;
	gazetteer_detail(e->index, &d);
	area_set(a, e->name, s, area_metro_of(d.cbsa));
	return true;
}

void area_add_alternative(struct area *a, const char *label)
{
	for (size_t i = 0; i < AREA_ALTERNATIVES; i++) {
		if (strcmp(a->alternatives[i], label) == 0)
			return;
		if (!*a->alternatives[i]) {
			snprintf(a->alternatives[i], AREA_LABEL_SIZE, "%s", label);
			return;
		}
	}
}

struct area area_widen(const struct area *a)
{
	struct area wider = *a;

	if (a->level == AREA_FOREIGN)
		return wider;
	wider.level = a->level == AREA_METRO ? AREA_STATE : AREA_NATION;
	wider.metro = NULL;
	return wider;
}

const char *area_level_name(enum area_level level)
{
	static const char *const NAMES[] = { "nation", "state", "metro", "foreign" };

	return NAMES[level];
}

const char *area_name(const struct area *a)
{
	if (a->level == AREA_METRO)
		return a->metro->name;
	if (a->level == AREA_FOREIGN)
		return country_name(a->country);
	return a->level == AREA_STATE ? a->state->name : "United States";
}

const char *area_code(const struct area *a)
{
	if (a->level == AREA_METRO)
		return a->metro->cbsa;
	if (a->level == AREA_FOREIGN)
		return a->country;
	return a->level == AREA_STATE ? a->state->fips : "US";
}
