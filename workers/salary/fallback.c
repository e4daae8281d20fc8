/* SPDX-License-Identifier: MIT */
#include "workers/salary/fallback.h"

#include <string.h>

#include "common/base/mem.h"

#define SURVEY_MONTH 5			/* OEWS estimates are those of May */
#define OOH "national median, BLS Occupational Outlook Handbook, May 2023"

/* Annual medians in dollars. The last two stand in for occupations without a row. */
struct median {
	const char *soc;
	int dollars, year;
	const char *note;
};
static const struct median MEDIANS[] = {
	{ "15-1252", 135980, 2025, "national median, BLS OEWS, May 2025" },
	{ "15-1221", 145080, 2023, OOH },
	{ "15-1241", 129840, 2023, OOH },
	{ "15-1251", 99700, 2023, OOH },
};
static const struct median COMPUTER_GROUP = {
	"15-0000", 104420, 2023, OOH " (computer and information technology occupations together)"
};
static const struct median ALL_OCCUPATIONS = {
	"00-0000", 48060, 2023, OOH " (all occupations together)"
};

static const struct median *find_median(const char *soc)
{
	for (size_t i = 0; i < COUNT(MEDIANS); i++)
		if (strcmp(MEDIANS[i].soc, soc) == 0)
			return &MEDIANS[i];
	return strncmp(soc, "15-", 3) == 0 ? &COMPUTER_GROUP : &ALL_OCCUPATIONS;
}

void fallback_add(const struct request *r, struct findings *f)
{
	const struct median *m = find_median(r->occupation.row->soc);
	struct benchmark *b = findings_benchmark(f, "fallback");

	f->fallback = true;
	if (!b)
		return;
	b->median = AMOUNT_OF(m->dollars);
	b->group = strcmp(m->soc, r->occupation.row->soc) != 0;
	for (b->area = r->area; b->area.level != AREA_NATION; b->steps_wider++)
		b->area = area_widen(&b->area);
	b->year = m->year;
	b->age_days = findings_age_days(m->year, SURVEY_MONTH, 15);
	b->note = m->note;
	findings_note(f, "fallback", "ok", m->note);
}
