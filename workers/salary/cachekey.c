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
	char city[CITY_SIZE], occupation[OCCUPATION_SIZE], region[4] = "us", year[8] = "latest";
	char experience[PART_SIZE], education[PART_SIZE], industry[PART_SIZE];

	fold_slug(*a->city	     ? a->city
			  : a->state ? a->state->name
				     : "United States",
		  city, sizeof city);
	fold_slug(r->occupation.name, occupation, sizeof occupation);
	if (a->state)
		fold_slug(a->state->abbr, region, sizeof region);
	if (r->year > 0)
		snprintf(year, sizeof year, "%d", r->year % 10000);
	snprintf(out, CACHEKEY_SIZE, "%s:%s:%s:%s:us:%s:%s:%s:%s", kind, city, occupation, region,
		 part(r->experience, experience, sizeof experience),
		 part(r->education, education, sizeof education),
		 part(r->industry, industry, sizeof industry), year);
}
