/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <glob.h>

#include "common/base/json.h"
#include "common/base/mem.h"
#include "workers/processing/answer.h"
#include "workers/processing/transform.h"

enum { MUTATIONS = 300, FILE_MAX_BYTES = 1 << 20 };

static const char DATA[] = "tests/providers/data/jsearch/*_[deis]*.json";

static int count(struct raw rows)
{
	struct raw_walk w = raw_walk(rows);
	struct raw row;
	int n = 0;

	while (raw_next(&w, NULL, &row))
		n++;
	return rows.at ? n : -1;
}

static void the_rows_of_every_generation_are_found(void **state)
{
	static const struct {
		const char *text;
		int rows;			/* -1: none */
		const char *type;
	} CASES[] = {
		{ "{\"status\":\"OK\",\"data\":[{},{}]}", 2, "" },
		{ "{\"status\":\"OK\",\"data\":{\"jobs\":[{}],\"cursor\":\"x\"}}", 1, "" },
		{ "[{},{},{}]", 3, "" },
		{ "{\"data\":[]}", 0, "" },
		{ "{\"data\":null}", -1, "unknown_format" },
		{ "{\"data\":{\"jobs\":{}}}", -1, "unknown_format" },
		{ "{\"message\":\"no\"}", -1, "unknown_format" },
		{ "7", -1, "unknown_format" },
		{ "", -1, "invalid_json" },
		{ "<html>", -1, "invalid_json" },
		{ "{\"data\":[{\"job_title\":\"cut o", -1, "invalid_json" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(CASES); i++) {
		struct answer a = { .source = source_find("jsearch") };

		answer_parse(&a, CASES[i].text, strlen(CASES[i].text));
		assert_string_equal(refusal_name(a.refusal.type), CASES[i].type);
		assert_int_equal(count(a.rows), CASES[i].rows);
		answer_close(&a);
	}
}

static void half_a_character_costs_one_character_and_not_the_answer(void **state)
{
	static const char TEXT[] =
		"[\"a\\ud83db\", \"\\ude00\", \"\\ud83d\\ude00\", \"\\\\ud83d\", \"\\u0000\"]";
	static const char *const WANT[] = { "a\xEF\xBF\xBD" "b", "\xEF\xBF\xBD", "😀", "\\ud83d",
					    "\xEF\xBF\xBD" };
	struct answer a = { .source = source_find("jsearch") };
	struct raw_walk w;
	struct raw row;

	(void)state;
	answer_parse(&a, TEXT, strlen(TEXT));
	w = raw_walk(a.rows);
	for (size_t i = 0; i < COUNT(WANT); i++) {
		char *text;

		assert_true(raw_next(&w, NULL, &row));
		text = raw_string(row);
		assert_string_equal(text, WANT[i]);
		free(text);
	}
	answer_close(&a);
}

static void depth_and_noise_crash_nothing(void **state)
{
	char *deep = mem_alloc(2000001);
	struct answer a = { .source = source_find("jsearch") };

	(void)state;
	memset(deep, '[', 2000000);
	deep[2000000] = '\0';
	answer_parse(&a, deep, 2000000);
	assert_null(a.rows.at);
	answer_close(&a);
	free(deep);
}

/* Changes some bytes of every string below; never to NUL. */
static void mutate(cJSON *value, uint32_t *seed)
{
	static const char BYTES[] = "0.,$k€%-<&;\xC3\xE2\xF0\x80\\u0ab (|)\n5";
	size_t n = cJSON_IsString(value) ? strlen(value->valuestring) : 0;

	for (size_t k = 0; k < n / 30 + (n > 0); k++) {
		*seed = *seed * 1664525u + 1013904223u;
		value->valuestring[(*seed >> 8) % n] = BYTES[(*seed >> 4) % (sizeof BYTES - 1)];
	}
	for (cJSON *child = value->child; child; child = child->next)
		mutate(child, seed);
}

static void take_all(struct raw rows, uint32_t *seed)
{
	struct transform_context ctx = { .source = source_find("jsearch"),
					 .reference_us = INT64_C(1795219200000000),
					 .skills = true };
	struct raw_walk w = raw_walk(rows);
	struct posting p;
	struct buf out;
	struct raw text;

	posting_init(&p);
	buf_init(&out, 8 << 20);
	while (raw_next(&w, NULL, &text)) {
		struct refusal r = { 0 };
		cJSON *row = cJSON_ParseWithLength(text.at, text.len), *read_back = NULL;
		char *mutated;

		mutate(row, seed);
		mutated = json_print(row);
		cJSON_Delete(row);
		buf_clear(&out);
		if (transform_row(&ctx, (struct raw){ mutated, strlen(mutated) }, &p, &r) ==
		    TRANSFORM_POSTING) {
			posting_json(&p, NULL, &out);
			assert_int_equal(json_parse(buf_text(&out), out.len, &read_back, NULL), 0);
			cJSON_Delete(read_back);
		}
		free(mutated);
	}
	buf_release(&out);
	posting_release(&p);
}

static void mutated_rows_crash_nothing_and_stay_json(void **state)
{
	char *text = mem_alloc(FILE_MAX_BYTES);
	uint32_t seed = 1;
	glob_t files;

	(void)state;
	assert_int_equal(glob(DATA, 0, NULL, &files), 0);
	for (size_t i = 0; i < MUTATIONS; i++) {
		FILE *f = fopen(files.gl_pathv[i % files.gl_pathc], "r");
		struct answer a = { .source = source_find("jsearch") };
		size_t n;

		assert_non_null(f);
		n = fread(text, 1, FILE_MAX_BYTES, f);
		fclose(f);
		answer_parse(&a, text, n);
		assert_non_null(a.rows.at);
		take_all(a.rows, &seed);
		answer_close(&a);
	}
	globfree(&files);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_rows_of_every_generation_are_found),
		cmocka_unit_test(half_a_character_costs_one_character_and_not_the_answer),
		cmocka_unit_test(depth_and_noise_crash_nothing),
		cmocka_unit_test(mutated_rows_crash_nothing_and_stay_json),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
