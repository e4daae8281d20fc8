/* SPDX-License-Identifier: MIT */
/* feeds: one answer of our own of each feed, through source and rules, to what an analyst reads. */
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

static void adzuna_keeps_its_guesses_apart(void **state)
{
	static const char *const ROWS[] = {
		"Senior Data Engineer / Brackenfold Ltd / Cranleigh, GB / unknown / "
		"6200000-7000000 GBP YEAR / FULLTIME / 2026-11-18",
		"Platform Engineer / Tarn & Thistle / London, GB / unknown / "
		"5861237-5861237 GBP YEAR guessed / FULLTIME / 2026-11-17",
		"Go Developer / Pinyon Loop / Mesa Verde Springs, US / unknown /  / CONTRACTOR / 2026-11-16",
		"Missing required field: company.display_name",
	};

	(void)state;
	READS_AS("adzuna", ROWS);
}

static void usajobs_pays_by_code(void **state)
{
	static const char *const ROWS[] = {
		"IT Specialist (SYSANALYSIS) / Bureau of Lighthouse Keeping / Denver, US / hybrid / "
		"9216600-16160000 USD YEAR / FULLTIME / 2026-11-10",
		"Data Scientist / Department of Coasts / , US / remote / "
		"125000-190000 USD TWO_WEEKS / PARTTIME / 2026-11-12",
		"Student Volunteer / Bureau of Lighthouse Keeping / Astoria, US / onsite /  / / "
		"2026-11-13",
	};

	(void)state;
	READS_AS("usajobs", ROWS);
}

static void themuse_names_several_places(void **state)
{
	static const char *const ROWS[] = {
		"Senior Backend Engineer / Gorsefield / Denver, US / remote /  / / 2026-11-15",
		"Backend Engineer / Gorsefield / ,  / remote /  / / 2026-11-14",
		"Missing required field: company.name",
	};

	(void)state;
	READS_AS("themuse", ROWS);
}

static void remotive_writes_pay_freely(void **state)
{
	static const char *const ROWS[] = {
		"Backend Developer (Python) / Hollowmere Cooperative / , US / remote / "
		"9000000-11000000 USD YEAR / FULLTIME / 2026-11-17",
		"Inside Sales / Hollowmere Cooperative / ,  / remote / "
		"2500000-3500000 USD YEAR / CONTRACTOR / 2026-11-17",
		"Illustrator / Hollowmere Cooperative / ,  / remote /  / / 2026-11-17",
		"Engineer / Hollowmere Cooperative / ,  / remote / 9000-15000 USD HOUR / / 2026-11-17",
	};

	(void)state;
	READS_AS("remotive", ROWS);
}

static void arbeitnow_is_german_whatever_was_asked(void **state)
{
	static const char *const ROWS[] = {
		"Java-Entwickler / Fliederbach Digital GmbH / Hamburg, DE / unknown /  / FULLTIME / 2025-11-17",
		"Marketing Manager / Fliederbach Digital GmbH / Berlin, DE / remote /  / FULLTIME / 2025-11-17",
		"Werkstudent IT / Fliederbach Digital GmbH / ,  / unknown /  / / 2025-11-17",
	};

	(void)state;
	READS_AS("arbeitnow", ROWS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(adzuna_keeps_its_guesses_apart),
		cmocka_unit_test(usajobs_pays_by_code),
		cmocka_unit_test(themuse_names_several_places),
		cmocka_unit_test(remotive_writes_pay_freely),
		cmocka_unit_test(arbeitnow_is_german_whatever_was_asked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
