/* SPDX-License-Identifier: MIT */
#include "common/market/country.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "common/base/mem.h"
#include "common/market/gazetteer.h"

const struct country *country_by_name(const char *folded)
{
	struct gazetteer_walk w = gazetteer_find(folded);
	struct gazetteer_entry e;

	return gazetteer_next(&w, &e) && e.kind == GAZETTEER_COUNTRY ?
		country_by_code(e.country) : NULL;
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
		if (COUNTRIES[i].code3[0] == toupper((unsigned char)code[0]) &&
		    !strcasecmp(COUNTRIES[i].code3, code))
			return &COUNTRIES[i];
	return NULL;
}

const char *country_name(const char *code)
{
	const struct country *c = country_by_code(code);

	return c ? c->name : "";
}
