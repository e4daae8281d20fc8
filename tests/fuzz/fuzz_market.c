/* SPDX-License-Identifier: MIT */
/* Any bytes as a place and as a job title: the input is the text. Whatever is understood has a
 * label and codes that fit, and its label is understood again. */
#include <string.h>

#include "common/base/mem.h"
#include "common/market/area.h"
#include "common/market/occupation.h"
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
	check_job(text);
	free(text);
	return 0;
}
