/* SPDX-License-Identifier: MIT */
#include "workers/salary/cachekey.h"

#include <string.h>
#include <strings.h>

#include "common/market/fold.h"

#define CITY_SIZE 48
#define OCCUPATION_SIZE 60
#define PART_SIZE 24

static const char *part(const char *text, char *out, size_t size)
{
	return fold_slug(text, out, size) > 0 ? out : "any";
}

void cachekey_make(const char *kind, const struct request *r, char out[CACHEKEY_SIZE])
{
	const struct area *a = &r->area;
	char city[CITY_SIZE], occupation[OCCUPATION_SIZE], region[9] = "us", year[8] = "latest";
	char country[4];
	char experience[PART_SIZE], education[PART_SIZE], industry[PART_SIZE];

	fold_slug(r->occupation.name, occupation, sizeof occupation);
	if (a->state)
		fold_slug(a->state->abbr, region, sizeof region);
	fold_slug(a->country, country, sizeof country);
	if (r->year > 0)
		snprintf(year, sizeof year, "%d", r->year % 10000);
	snprintf(out, CACHEKEY_SIZE, "%s:%s:%s:%s:%s:%s:%s:%s:%s", kind,
		 part(*a->city ? a->city : a->label, city, sizeof city), occupation,
		 a->level == AREA_FOREIGN ? part(a->region, region, sizeof region) : region,
		 country, part(r->experience, experience, sizeof experience),
		 part(r->education, education, sizeof education),
		 part(r->industry, industry, sizeof industry), year);
}
