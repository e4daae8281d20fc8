/* SPDX-License-Identifier: MIT */
#include "workers/salary/fallback.h"

#include <string.h>

#include "common/base/mem.h"
#include "common/base/scan.h"

#define SURVEY_MONTH 5			/* OEWS estimates are those of May */
#define SURVEY "national median, BLS OEWS, May 2024"
#define GROUP 10000			/* codes of one major group: 150000 to 159999 */

struct median {
	struct fallback_median of;
	int year;
	const char *note;
};

/* Of a later survey than the table's, as its series has it: OEUN000000000000015125213. */
static const struct median NEWER[] = {
	{ { 151252, 135980 }, 2025, "national median, BLS OEWS, May 2025" },
};

static bool find(int code, const char *note, struct median *ret)
{
	for (size_t i = 0; i < COUNT(NEWER); i++)
		if (NEWER[i].of.code == code) {
			*ret = NEWER[i];
			return true;
		}
	for (size_t i = 0; i < FALLBACK_MEDIANS_COUNT; i++)
		if (FALLBACK_MEDIANS[i].code == code) {
			*ret = (struct median){ FALLBACK_MEDIANS[i], FALLBACK_YEAR, note };
			return true;
		}
	return false;
}

/* Of the occupation, else of its major group, else of all of them; whether it is the first. */
static bool find_median(const struct occupation_row *o, struct median *ret)
{
	char digits[7];
	int code = 0;

	occupation_digits(o, digits);
	(void)scan_int(digits, 0, 999999, &code, NULL);
	if (find(code, SURVEY, ret))
		return true;
	if (!find(code - code % GROUP, SURVEY " (its major group of occupations together)", ret))
		(void)find(0, SURVEY " (all occupations together)", ret);
	return false;
}

void fallback_add(const struct request *r, struct findings *f)
{
	struct benchmark *b = findings_benchmark(f, "fallback");
	struct median m = { 0 };

	f->fallback = true;
	if (!b)
		return;
	b->group = !find_median(r->occupation.row, &m);
	b->median = AMOUNT_OF(m.of.dollars);
	if (m.of.dollars == 0)
		b->median = (struct amount){ AMOUNT_BOUND, AMOUNT_OF(FALLBACK_CEILING).e4 };
	for (b->area = r->area; b->area.level != AREA_NATION; b->steps_wider++)
		b->area = area_widen(&b->area);
	b->year = m.year;
	b->age_days = findings_age_days(m.year, SURVEY_MONTH, 15);
	b->note = m.note;
	findings_note(f, "fallback", "ok", m.note);
}
