/* SPDX-License-Identifier: MIT */
#include "workers/salary/fallback.h"

#include <string.h>

#include "common/base/mem.h"

#define YEAR 2023

/* National annual medians, May 2023, dollars. */
static const struct {
	const char *soc;
	int median;
} MEDIANS[] = {
	{ "15-1211", 103800 }, { "15-1212", 120360 }, { "15-1221", 145080 }, { "15-1231", 71530 },
	{ "15-1232", 59240 }, { "15-1241", 129840 }, { "15-1242", 101510 }, { "15-1243", 134700 },
	{ "15-1244", 95360 }, { "15-1251", 99700 }, { "15-1252", 132270 }, { "15-1253", 101800 },
	{ "15-1254", 84960 }, { "15-1255", 98540 }, { "15-2011", 120000 }, { "15-2031", 83640 },
	{ "15-2041", 104110 }, { "15-2051", 108020 }, { "11-3021", 169510 }, { "13-1111", 99410 },
	{ "13-1161", 74680 }, { "17-2061", 138080 }, { "17-2141", 99510 }, { "27-3042", 80050 },
};
#define COMPUTER_GROUP 104420		/* computer and information technology occupations */
#define ALL_OCCUPATIONS 48060

static int find_median(const char *soc, bool *ret_group)
{
	for (size_t i = 0; i < COUNT(MEDIANS); i++)
		if (strcmp(MEDIANS[i].soc, soc) == 0) {
			*ret_group = false;
			return MEDIANS[i].median;
		}
	*ret_group = strcmp(soc, "15-0000") != 0 && strcmp(soc, "00-0000") != 0;
	return strncmp(soc, "15-", 3) == 0 ? COMPUTER_GROUP : ALL_OCCUPATIONS;
}

void fallback_add(const struct request *r, struct findings *f)
{
	struct benchmark *b = findings_benchmark(f, "fallback");

	f->fallback = true;
	if (!b)
		return;
	b->median = AMOUNT_OF(find_median(r->occupation.row->soc, &b->group));
	for (b->area = r->area; b->area.level != AREA_NATION; b->steps_wider++)
		b->area = area_widen(&b->area);
	b->year = YEAR;
	b->age_days = findings_age_days(YEAR, 5, 15);
	b->note = FALLBACK_SOURCE;
	findings_note(f, "fallback", "ok", FALLBACK_SOURCE);
}
