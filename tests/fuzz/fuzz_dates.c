/* SPDX-License-Identifier: MIT */
/* Any text as a date: the input is the text. What is taken lies in the years that dates.h names. */
#include "common/base/mem.h"
#include "tests/fuzz/fuzz.h"
#include "workers/processing/dates.h"

#define REFERENCE_US INT64_C(1795262400000000)		/* 2026-11-21 12:00 UTC */
#define YEAR_2000_US INT64_C(946684800000000)
#define TEN_YEARS_US (INT64_C(3650) * 86400 * 1000000)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = mem_strndup((const char *)data, size);
	struct date date;

	if (!dates_parse(text, REFERENCE_US, &date, NULL))
		fuzz_want(date.us >= YEAR_2000_US && date.us <= REFERENCE_US + TEN_YEARS_US,
			  "a date is in its range");
	free(text);
	return 0;
}
