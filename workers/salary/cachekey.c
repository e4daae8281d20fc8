/* SPDX-License-Identifier: MIT */
#include "workers/salary/cachekey.h"

#include <string.h>
#include <xxhash.h>

#include "common/market/fold.h"

#define CITY_SIZE 48
#define OCCUPATION_SIZE 60
#define PART_SIZE 24
#define REGION_SIZE 20
#define HASH_SIZE 9			/* with '_' before it or NUL behind it */

/* Does the slug say all of the folded text? */
static bool is_whole(const char *slug, const char *folded)
{
	while (*slug && (*slug == *folded || (*slug == '_' && *folded == ' '))) {
		slug++;
		folded++;
	}
	return !*slug && !*folded;
}

/* "any" for nothing. A text of signs alone folds to nothing: its own bytes tell it from others. */
static const char *part(const char *text, char *out, size_t size)
{
	char folded[FOLD_SIZE];
	const char *said = fold_text(text, folded) > 0 ? folded : text;
	size_t n = fold_slug(text, out, size);

	if (!*text)
		return "any";
	if (n > 0 && is_whole(out, folded))
		return out;
	n = fold_slug(text, out, size - HASH_SIZE);
	snprintf(out + n, size - n, "%s%08x", n > 0 ? "_" : "",
		 (unsigned int)(XXH64(said, strlen(said), 0) & UINT32_MAX));
	return out;
}

void cachekey_make(const char *kind, const struct request *r, char out[CACHEKEY_SIZE])
{
	const struct area *a = &r->area;
	char city[CITY_SIZE], occupation[OCCUPATION_SIZE], region[REGION_SIZE] = "us";
	char country[4], year[8] = "latest";
	char experience[PART_SIZE], education[PART_SIZE], industry[PART_SIZE];

	if (a->state)
		fold_slug(a->state->abbr, region, sizeof region);
	fold_slug(a->country, country, sizeof country);
	if (r->year > 0)
		snprintf(year, sizeof year, "%d", r->year % 10000);
	snprintf(out, CACHEKEY_SIZE, "%s:%s:%s:%s:%s:%s:%s:%s:%s", kind,
		 part(*a->city ? a->city : a->label, city, sizeof city),
		 part(r->occupation.name, occupation, sizeof occupation),
		 a->level == AREA_FOREIGN ? part(a->region, region, sizeof region) : region,
		 country, part(r->experience, experience, sizeof experience),
		 part(r->education, education, sizeof education),
		 part(r->industry, industry, sizeof industry), year);
}
