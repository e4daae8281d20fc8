/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>

#include "common/base/mem.h"
#include "workers/processing/alike.h"
#include "workers/processing/alike_set.h"
#include "workers/processing/dedupe.h"
#include "workers/processing/tokens.h"

enum { TEXT_WORDS = 300 };

static struct dedupe_keys keys(const char *title, const char *company, const char *place)
{
	struct dedupe_keys k;
	struct place p;

	place_parse(place, "US", &p);
	dedupe_keys_fill(&k, title, company, &p, strcmp(place, "Remote") ? "unknown" : "remote",
			 NULL);
	return k;
}

/* Words from..to of a text that no two seeds have in common. */
static struct tokens text(unsigned seed, int from, int to)
{
	struct tokens t;
	char word[32];

	tokens_init(&t);
	for (int i = from; i < to; i++) {
		snprintf(word, sizeof word, "w%ux%d ", seed, i);
		tokens_add(&t, word, strlen(word));
	}
	return t;
}

static void append(struct tokens *t, struct tokens more)
{
	for (size_t i = 0; i < more.n; i++) {
		char word[16];

		snprintf(word, sizeof word, "m%x ", more.hash[i]);
		tokens_add(t, word, strlen(word));
	}
	tokens_release(&more);
}

static bool share_a_key(const struct alike_keys *asks, const struct alike_keys *has)
{
	for (size_t i = 0; i < asks->nasked; i++)
		for (size_t k = 0; k < has->nstored; k++)
			if (asks->asked[i] == has->stored[k])
				return true;
	return false;
}

static void words_part_at_symbols_and_fold_case(void **state)
{
	static const char A[] = "Don\u2019t stop \u2022 C++ and C# \u2014 node.js\u2026",
			  B[] = "DON'T STOP - c++ AND c# (Node JS)";
	struct tokens a, b;

	(void)state;
	tokens_init(&a);
	tokens_init(&b);
	tokens_add(&a, A, strlen(A));
	tokens_add(&b, B, strlen(B));
	assert_int_equal(a.n, 8);
	assert_int_equal(b.n, 8);
	assert_memory_equal(a.hash, b.hash, 8 * sizeof *a.hash);
	tokens_release(&a);
	tokens_release(&b);
}

static void the_share_of_a_text_is_what_the_longer_one_has_of_it(void **state)
{
	struct tokens whole = text(1, 0, TEXT_WORDS), other = text(2, 0, TEXT_WORDS),
		      cut = text(1, 0, 80), changed = text(1, 0, TEXT_WORDS);

	(void)state;
	assert_true(alike_share(&whole, &whole) == 1);
	assert_true(alike_share(&whole, &cut) == 1 && alike_share(&cut, &whole) == 1);
	assert_true(alike_share(&whole, &other) == 0);
	for (size_t i = 20; i < changed.n; i += 20)
		changed.hash[i]++;	/* 14 of 300 words, none within a run of another */
	assert_true(fabs(alike_share(&whole, &changed) - 286.0 / 300) < 1e-9);
	tokens_release(&whole);
	tokens_release(&other);
	tokens_release(&cut);
	tokens_release(&changed);
}

static void what_a_source_puts_around_a_text_does_not_count_up_to_a_limit(void **state)
{
	struct tokens whole = text(1, 0, TEXT_WORDS), framed = text(3, 0, 30),
		      half = text(4, 0, 200);

	(void)state;
	for (size_t i = 0; i < whole.n; i++) {
		framed.hash = mem_realloc(framed.hash, (framed.n + 1) * sizeof *framed.hash);
		framed.hash[framed.n++] = whole.hash[i];
	}
	framed.cap = framed.n;
	append(&whole, text(5, 0, 25));	/* a frame of its own, so both have one */
	assert_true(alike_share(&whole, &framed) == 1);
	for (size_t i = 0; i < 100; i++) {
		half.hash = mem_realloc(half.hash, (half.n + 1) * sizeof *half.hash);
		half.hash[half.n++] = whole.hash[i];
	}
	half.cap = half.n;
	assert_true(alike_share(&whole, &half) < 0.5);
	tokens_release(&whole);
	tokens_release(&framed);
	tokens_release(&half);
}

static void copies_share_a_key_whichever_comes_first(void **state)
{
	int found = 0, strangers = 0;

	(void)state;
	for (unsigned seed = 0; seed < 200; seed++) {
		struct tokens whole = text(seed, 0, TEXT_WORDS), cut = text(seed, 0, 80);
		struct dedupe_keys a = keys("Java Developer", "Acme", "Austin, TX"),
				   b = keys("Java Developer", "Acme Careers", "Austin, TX"),
				   c = keys("Java Developer, Payments", "Acme", "Austin, TX"),
				   d = keys("Painter", "Other", "Austin, TX");
		struct alike_keys wa, wb, cb, cc, wd;

		alike_keys_fill(&wa, &a, &whole, false);
		alike_keys_fill(&wb, &b, &whole, false);
		alike_keys_fill(&cb, &b, &cut, false);
		alike_keys_fill(&cc, &c, &cut, false);
		alike_keys_fill(&wd, &d, &whole, false);
		found += share_a_key(&wa, &wb) && share_a_key(&cb, &wa) && share_a_key(&wa, &cb) &&
			share_a_key(&cc, &wa) && share_a_key(&wa, &cc);
		strangers += share_a_key(&wd, &wa);
		alike_keys_fill(&wb, &b, &whole, true);
		assert_false(share_a_key(&wb, &wa));	/* sample data and real postings */
		tokens_release(&whole);
		tokens_release(&cut);
	}
	assert_true(found >= 199);
	assert_int_equal(strangers, 0);
}

static void titles_companies_and_places_may_say_less_but_not_another_thing(void **state)
{
	static const struct {
		const char *a[3], *b[3];
		bool may;
	} CASES[] = {
		{ { "Clerk", "Acme", "Austin, TX" }, { "Clerk", "Acme Careers", "Austin, TX" }, true },
		{ { "Clerk", "Acme", "Austin, TX" }, { "Clerk", "Acme", "" }, true },
		{ { "Clerk", "Acme", "Austin, TX" }, { "Clerk - Payroll", "Acme", "Austin, TX" }, true },
		{ { "Clerk", "Pay Pal", "Austin, TX" }, { "Clerk", "PayPal", "Austin, TX" }, true },
		{ { "Clerk", "Acme", "Texas" }, { "Clerk", "Acme", "Austin, TX" }, true },
		{ { "Clerk", "Acme", "Ohio" }, { "Clerk", "Acme", "Austin, TX" }, false },
		{ { "Clerk", "Acme", "Dallas, TX" }, { "Clerk", "Acme", "Austin, TX" }, false },
		{ { "Clerk", "Acme", "Remote" }, { "Clerk", "Acme", "Austin, TX" }, false },
		{ { "Clerk", "Acme", "London, UK" }, { "Clerk", "Acme", "United States" }, false },
		{ { "Clerk", "Acme", "Austin, TX" }, { "Senior Clerk", "Acme", "Austin, TX" }, false },
		{ { "Clerk Intern", "Acme", "Ohio" }, { "Senior Clerk Intern", "Acme", "Ohio" }, false },
		{ { "Clerk", "Acme", "Austin, TX" }, { "Painter", "Acme", "Austin, TX" }, false },
		{ { "Clerk", "Acme", "Austin, TX" }, { "Clerk", "Acme Careers", "" }, false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(CASES); i++) {
		struct dedupe_keys a = keys(CASES[i].a[0], CASES[i].a[1], CASES[i].a[2]),
				   b = keys(CASES[i].b[0], CASES[i].b[1], CASES[i].b[2]);

		if (alike_may_be(&a, &b) != CASES[i].may || alike_may_be(&b, &a) != CASES[i].may)
			fail_msg("%s | %s: expected %d", a.key, b.key, CASES[i].may);
	}
}

static void a_cut_text_needs_equal_titles(void **state)
{
	struct tokens whole = text(1, 0, TEXT_WORDS), cut = text(1, 0, 80);
	struct dedupe_keys a = keys("Clerk", "Acme", "Austin, TX"),
			   team = keys("Clerk, Payroll", "Acme", "Austin, TX"),
			   at = keys("Clerk at Acme, Austin", "Acme", "Austin, TX");

	(void)state;
	assert_true(alike_same(&a, &whole, &team, &whole) == 1);
	assert_true(alike_same(&a, &whole, &team, &cut) == 0);
	assert_true(alike_same(&at, &cut, &a, &whole) == 1);
	tokens_release(&whole);
	tokens_release(&cut);
}

static void another_company_is_the_same_only_where_a_text_names_it(void **state)
{
	struct tokens a = text(1, 0, TEXT_WORDS), b = text(1, 0, TEXT_WORDS);
	struct dedupe_keys acme = keys("Clerk", "Acme Foods", "Austin, TX"),
			   bolt = keys("Clerk", "Bolt", "Austin, TX");

	(void)state;
	assert_true(alike_same(&acme, &a, &bolt, &b) == 0);
	tokens_add(&b, "we hire for ACME foods", 22);
	assert_true(alike_same(&acme, &a, &bolt, &b) == 1);
	assert_true(alike_same(&bolt, &b, &acme, &a) == 1);
	assert_true(alike_same(&acme, &b, &bolt, &a) == 0);	/* it names only itself */
	tokens_release(&a);
	tokens_release(&b);
}

static void one_board_that_shows_a_job_for_each_place_means_it(void **state)
{
	struct dedupe_keys a = keys("Clerk", "Acme", "Austin, TX"), b = keys("Clerk", "Acme", "");

	(void)state;
	assert_true(alike_may_be(&a, &b));
	snprintf(a.link, sizeof a.link, "boards.example/acme/1234");
	snprintf(b.link, sizeof b.link, "other.example/acme/1235");
	assert_true(alike_may_be(&a, &b));
	snprintf(b.link, sizeof b.link, "boards.example/acme/1235");
	assert_false(alike_may_be(&a, &b));
}

static void a_set_finds_what_repeats_and_doubts_what_could_be_several(void **state)
{
	struct alike_set *set = alike_set_open();
	struct tokens t = text(1, 0, TEXT_WORDS), brief = text(1, 0, ALIKE_WORDS - 1);
	struct dedupe_keys austin = keys("Clerk", "Acme", "Austin, TX"),
			   dallas = keys("Clerk", "Acme", "Dallas, TX"),
			   nowhere = keys("Clerk", "Acme", ""),
			   careers = keys("Clerk", "Acme Careers", "Dallas, TX");
	struct alike_keys near;

	(void)state;
	alike_keys_fill(&near, &austin, &brief, false);
	assert_int_equal(near.nstored + near.nasked, 0);
	alike_keys_fill(&near, &austin, &t, false);
	alike_set_add(set, 7, &austin, &t, &near);
	alike_keys_fill(&near, &nowhere, &t, false);
	assert_int_equal(alike_set_find(set, &nowhere, &t, &near), 7);
	alike_keys_fill(&near, &dallas, &t, false);
	assert_int_equal(alike_set_find(set, &dallas, &t, &near), -1);
	alike_set_add(set, 8, &dallas, &t, &near);
	alike_keys_fill(&near, &nowhere, &t, false);
	assert_int_equal(alike_set_find(set, &nowhere, &t, &near), -1);
	alike_keys_fill(&near, &careers, &t, false);
	assert_int_equal(alike_set_find(set, &careers, &t, &near), 8);
	alike_set_close(set);
	alike_set_close(NULL);
	tokens_release(&t);
	tokens_release(&brief);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words_part_at_symbols_and_fold_case),
		cmocka_unit_test(the_share_of_a_text_is_what_the_longer_one_has_of_it),
		cmocka_unit_test(what_a_source_puts_around_a_text_does_not_count_up_to_a_limit),
		cmocka_unit_test(copies_share_a_key_whichever_comes_first),
		cmocka_unit_test(titles_companies_and_places_may_say_less_but_not_another_thing),
		cmocka_unit_test(a_cut_text_needs_equal_titles),
		cmocka_unit_test(another_company_is_the_same_only_where_a_text_names_it),
		cmocka_unit_test(one_board_that_shows_a_job_for_each_place_means_it),
		cmocka_unit_test(a_set_finds_what_repeats_and_doubts_what_could_be_several),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
