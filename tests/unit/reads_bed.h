/* SPDX-License-Identifier: MIT */
/* reads_bed: tests/providers/fixtures/SOURCE.json through source and rules, a line a row. */
#ifndef TESTS_UNIT_READS_BED_H
#define TESTS_UNIT_READS_BED_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/base/clock.h"
#include "common/base/mem.h"
#include "workers/processing/employment.h"
#include "workers/processing/posting.h"
#include "workers/processing/transform.h"

static char *read_file(const char *path)
{
	char *text = mem_zalloc(1 << 20);
	FILE *f = fopen(path, "r");

	assert_non_null(f);
	assert_true(fread(text, 1, (1 << 20) - 1, f) > 0);
	fclose(f);
	return text;
}

/* title / company / city, country / remote / pay / employment / posted */
static void describe(const struct posting *p, char *out, size_t size)
{
	static const char *const TYPES[] = { "FULLTIME", "PARTTIME", "CONTRACTOR", "INTERN" };
	char posted[CLOCK_ISO_SIZE] = "", pay[64] = "";
	struct buf b;

	if (p->has_posted)
		clock_iso(p->posted.us, posted);
	if (p->pay.min_cents || p->pay.max_cents)
		snprintf(pay, sizeof pay, "%lld-%lld %s %s%s", (long long)p->pay.min_cents,
			 (long long)p->pay.max_cents, p->pay.currency,
			 pay_period_name(p->pay.period) ? pay_period_name(p->pay.period) : "?",
			 p->pay_estimated ? " guessed" : "");
	buf_init(&b, 4096);
	buf_printf(&b, "%s / %s / %s, %s / %s / %s /", p->title, p->company, p->place.city,
		   p->place.country, remote_name(p->remote), pay);
	for (size_t i = 0; i < COUNT(TYPES); i++)
		if (p->employment & employment_parse(TYPES[i]))
			buf_printf(&b, " %s", TYPES[i]);
	buf_printf(&b, " / %.10s", posted);
	snprintf(out, size, "%s", buf_text(&b));
	buf_release(&b);
}

static void reads_as(const char *source, const char *const *expected, size_t n)
{
	struct transform_context ctx = { .source = source_find(source), .asked_country = "us",
					 .reference_us = INT64_C(1795219200) * 1000000 };
	char *path = mem_printf("tests/providers/fixtures/%s.json", source),
	     *text = read_file(path), got[1024];
	struct raw whole = RAW_NONE, key, row;
	struct raw_walk w;
	struct posting p;
	size_t i = 0;

	assert_true(raw_whole(text, strlen(text), &whole, NULL));
	w = raw_walk(source_rows(ctx.source, whole));
	posting_init(&p);
	for (; raw_next(&w, &key, &row); i++) {
		struct refusal r = { 0 };

		if (transform_row(&ctx, row, &p, &r) == TRANSFORM_POSTING)
			describe(&p, got, sizeof got);
		else
			snprintf(got, sizeof got, "%s", r.message);
		if (i >= n || strcmp(got, expected[i]) != 0)
			fail_msg("%s, row %zu: expected \"%s\", got \"%s\"", source, i,
				 i < n ? expected[i] : "no row", got);
	}
	assert_int_equal(i, n);
	posting_release(&p);
	free(text);
	free(path);
}
#define READS_AS(source, rows) reads_as(source, rows, COUNT(rows))

#endif
