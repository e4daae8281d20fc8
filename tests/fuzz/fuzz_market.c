/* SPDX-License-Identifier: MIT */
/* Any bytes as a place and as a job title: the input is the text. Whatever is understood has a
 * label and codes that fit, and its label is understood again. */
#include <string.h>

#include "common/base/mem.h"
#include "common/market/area.h"
#include "common/market/occupation.h"
#include "common/market/place.h"
#include "tests/fuzz/fuzz.h"

static void check_place(const char *text)
{
	struct area a, again;

	if (area_resolve(text, &a, NULL) < 0)
		return;
	fuzz_want(*a.label && strlen(a.country) == 2, "a place has a label and a country");
	fuzz_want((a.level == AREA_METRO) == (a.metro != NULL), "a metro has its row");
	fuzz_want(a.level == AREA_NATION || a.level == AREA_FOREIGN || a.state != NULL,
		  "a metro and a state have a state");
	fuzz_want(*area_name(&a) && *area_code(&a), "an area has a name and a code");
	again = area_widen(&a);
	again = area_widen(&again);
	fuzz_want(again.level == AREA_NATION || again.level == AREA_FOREIGN,
		  "two steps are the widest");
	(void)area_resolve(a.label, &again, NULL);
}

static void check_position(const struct place *p)
{
	char label[256];

	fuzz_want(strlen(p->country) == 0 || strlen(p->country) == 2, "a country is a code");
	fuzz_want(!p->has_coordinates || (p->latitude >= -90 && p->latitude <= 90 &&
					  p->longitude >= -180 && p->longitude <= 180),
		  "coordinates lie on the earth");
	place_label(p, label, sizeof label);
	fuzz_want(strlen(label) < sizeof label, "a label ends");
}

/* As free text, and its lines as the fields of a provider. */
static void check_places(const char *text)
{
	struct place places[8], one;
	char *copy = mem_strdup(text), *rest = copy;
	size_t n = place_parse_all(text, "US", places, COUNT(places));

	fuzz_want(n <= COUNT(places), "places fit");
	for (size_t i = 0; i < n; i++)
		check_position(&places[i]);
	place_parse(text, NULL, &one);
	check_position(&one);
	place_resolve(&(struct place_fields){ .city = strsep(&rest, "\n"),
					      .state = strsep(&rest, "\n"),
					      .country = strsep(&rest, "\n"),
					      .location = strsep(&rest, "\n"),
					      .asked_country = "DE" }, &one);
	check_position(&one);
	free(copy);
}

static void check_job(const char *text)
{
	struct occupation o, again;
	char digits[7];

	if (occupation_resolve(text, &o, NULL) < 0)
		return;
	fuzz_want(*o.name && o.row, "an occupation has a name and a row");
	occupation_digits(o.row, digits);
	fuzz_want(strlen(digits) == 6, "a code has six digits");
	fuzz_want(occupation_resolve(o.name, &again, NULL) == 0 && again.row == o.row,
		  "a name is understood as its own occupation");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = mem_strndup((const char *)data, size);

	check_place(text);
	check_places(text);
	check_job(text);
	free(text);
	return 0;
}
