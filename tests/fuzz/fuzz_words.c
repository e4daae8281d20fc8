/* SPDX-License-Identifier: MIT */
/* Words of people: a byte chooses what they are taken for (cron, conditions, numbers, durations,
 * sizes, rates, the zone and times of a schedule), the rest is the text. What is taken is in its
 * bounds, what is refused has a reason. */
#include <string.h>

#include "common/base/conf.h"
#include "common/base/cron.h"
#include "common/base/err.h"
#include "common/base/mem.h"
#include "common/base/proviso.h"
#include "common/base/scan.h"
#include "common/base/schedule.h"
#include "common/base/zone.h"
#include "tests/fuzz/fuzz.h"

#define NOW_S INT64_C(1795262400)		/* 2026-11-21 12:00 UTC */
#define YEAR_S (INT64_C(366) * 86400)

static void read_cron(const char *text, struct err *e)
{
	static struct zone *zone;
	int64_t next, last;
	struct cron cron;

	if (!zone)
		fuzz_want(zone_open(&zone, "Europe/Berlin", e) >= 0, "Berlin has a zone");
	if (cron_parse(text, &cron, e) < 0 || cron_next(&cron, zone, NOW_S, &next) == 0)
		return;
	fuzz_want(next > NOW_S, "the next fire is later");
	if (next < NOW_S + YEAR_S)
		fuzz_want(cron_last(&cron, zone, NOW_S, next, &last) == 1 && last == next,
			  "the last until the next is the next");
}

static void read_proviso(const char *text, struct err *e)
{
	struct proviso p;

	if (proviso_parse(text, &p, e) < 0)
		return;
	fuzz_want(p.n <= PROVISO_MOST, "terms fit");
	for (size_t i = 0; i < p.n; i++)
		fuzz_want(p.terms[i].name[0] && p.terms[i].least >= 0, "a term has a name");
}

static void read_numbers(const char *text, struct err *e)
{
	int64_t n;
	double d;
	bool b;

	if (scan_int64(text, -5, 500, &n, e) == 0)
		fuzz_want(n >= -5 && n <= 500, "a number is in its range");
	if (scan_double(text, 0, 1, &d, e) == 0)
		fuzz_want(d >= 0 && d <= 1, "a share is one");
	(void)scan_bool(text, &b, e);
}

static void read_units(const char *text, struct err *e)
{
	int64_t n;
	double d;

	if (scan_duration_ms(text, &n, e) == 0)
		fuzz_want(n >= 0, "a duration is not negative");
	if (scan_size(text, &n, e) == 0)
		fuzz_want(n >= 0, "a size is not negative");
	if (scan_rate(text, &d, e) == 0)
		fuzz_want(d >= 0 && d < 1e12, "a rate is not negative");
}

/* zone, cron, at: a line each. The zone is free behind a "=", which is slow when there is none of
 * that name, as the nearest is looked for. */
static void read_schedule(const char *text, struct err *e)
{
	static const char *const ZONES[] = { "Europe/Berlin", "America/New_York", "UTC",
					     "Australia/Lord_Howe" };
	char *copy = mem_strdup(text), *rest = copy;
	const char *first = strsep(&rest, "\n"), *cron = rest ? strsep(&rest, "\n") : "";
	const char *zone = *first == '=' ? first + 1 : ZONES[(unsigned char)*first % COUNT(ZONES)];
	struct conf_schedule conf = { .name = "s",
				      .timezone = zone,
				      .cron = cron,
				      .task = "t",
				      .at = rest ? rest : "",
				      .every_ms = !*cron && !rest ? 1000 : 0,
				      .after = "" };
	struct schedule s;

	if (schedule_init(&s, &conf, e) == 0) {
		int64_t next = schedule_next(&s, NOW_S * 1000000);

		fuzz_want(!schedule_is_timed(&s) || next > NOW_S * 1000000,
			  "what comes next is later");
		schedule_release(&s);
	}
	free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static void (*const READERS[])(const char *, struct err *) = {
		read_cron, read_proviso, read_numbers, read_units, read_schedule };
	struct err e = { 0 };
	char *text;

	if (size == 0)
		return 0;
	text = mem_strndup((const char *)data + 1, size - 1);
	READERS[data[0] % COUNT(READERS)](text, &e);
	fuzz_want(e.code == ERR_NONE || e.msg[0], "what is refused has a reason");
	free(text);
	return 0;
}
