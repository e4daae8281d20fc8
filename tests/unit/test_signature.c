/* SPDX-License-Identifier: MIT */
/* Signatures: read from and printed to their text, changed, and refused where they are wrong. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/base/arena.h"
#include "common/base/buf.h"
#include "common/base/err.h"
#include "common/base/mem.h"
#include "common/worker/signature.h"

static struct raw text_of(const char *text)
{
	return (struct raw){ text, strlen(text) };
}

static struct signature *must_read(struct arena *a, const char *text)
{
	struct signature *s = NULL;
	struct err e = { 0 };

	if (signature_read(a, text_of(text), &s, &e) < 0)
		fail_msg("%s: %s", text, e.msg);
	return s;
}

#define TASK(name) "{\"task\": \"" name "\", \"args\": [1], \"kwargs\": {}, \"options\": {}}"

static void a_task_is_read_as_it_stands(void **state)
{
	struct arena a;
	struct signature *s;

	(void)state;
	arena_init(&a);
	s = must_read(&a, "{\"task\": \"t.add\", \"args\": [12345678901234567890, 1.10], "
			  "\"kwargs\": {\"y\": null}, \"options\": {\"task_id\": \"x\", "
			  "\"priority\": null, \"link\": [1]}, \"subtask_type\": null, "
			  "\"immutable\": true, \"chord_size\": 3}");
	assert_int_equal(s->kind, SIGNATURE_TASK);
	assert_string_equal(s->task, "t.add");
	assert_true(s->immutable);
	assert_true(raw_is(s->args, "[12345678901234567890, 1.10]"));
	assert_true(raw_is(s->kwargs, "{\"y\": null}"));
	assert_string_equal(signature_string(&a, s, "task_id"), "x");
	assert_false(signature_has(s, "priority"));
	assert_int_equal(signature_size(s), 1);
	arena_release(&a);
}

static void nulls_and_missing_parts_are_empty(void **state)
{
	struct arena a;
	struct signature *s;

	(void)state;
	arena_init(&a);
	s = must_read(&a, "{\"task\": \"t\", \"args\": null, \"kwargs\": null, \"options\": null}");
	assert_true(raw_is(s->args, "[]") && raw_is(s->kwargs, "{}"));
	s = must_read(&a, "{\"task\": \"t\"}");
	assert_true(raw_is(s->args, "[]") && !s->immutable && s->options.n == 0);
	arena_release(&a);
}

static void wrong_shapes_are_refused(void **state)
{
	static const char *const wrong[] = {
		"7", "[]", "{", "{}", "{\"task\": 7}", "{\"task\": \"\"}",
		"{\"task\": \"t\", \"args\": {}}", "{\"task\": \"t\", \"kwargs\": []}",
		"{\"task\": \"t\", \"options\": 1}", "{\"task\": \"t\", \"subtask_type\": \"map\"}",
		"{\"task\": \"c\", \"subtask_type\": \"chain\"}",
		"{\"task\": \"c\", \"subtask_type\": \"chain\", \"kwargs\": {\"tasks\": [1]}}",
		"{\"task\": \"c\", \"subtask_type\": \"group\", \"kwargs\": {\"tasks\": {}}}",
		"{\"task\": \"c\", \"subtask_type\": \"chord\", \"kwargs\": {\"header\": []}}",
		"{\"task\": \"c\", \"subtask_type\": \"chord\", \"kwargs\": {\"body\": " TASK("t") "}}",
	};
	struct arena a;

	(void)state;
	arena_init(&a);
	for (size_t i = 0; i < COUNT(wrong); i++) {
		struct signature *s;
		struct err e = { 0 };

		if (signature_read(&a, text_of(wrong[i]), &s, &e) != -ERR_PROTOCOL ||
		    !strstr(e.msg, "signature"))
			fail_msg("%s: %s", wrong[i], e.msg);
	}
	arena_release(&a);
}

static char *nested(int depth)
{
	struct buf b;

	buf_init(&b, 1 << 20);
	for (int i = 0; i < depth; i++)
		buf_puts(&b, "{\"task\":\"c\",\"subtask_type\":\"chain\",\"kwargs\":{\"tasks\":[");
	buf_puts(&b, TASK("t"));
	for (int i = 0; i < depth; i++)
		buf_puts(&b, "]}}");
	return buf_take(&b);
}

static char *wide(int members)
{
	struct buf b;

	buf_init(&b, 32 << 20);
	buf_puts(&b, "{\"task\":\"g\",\"subtask_type\":\"group\",\"kwargs\":{\"tasks\":[");
	for (int i = 0; i < members; i++)
		buf_puts(&b, i ? ",{\"task\":\"t\"}" : "{\"task\":\"t\"}");
	buf_puts(&b, "]}}");
	return buf_take(&b);
}

static int read_size(char *text)
{
	struct arena a;
	struct signature *s;
	int r;

	arena_init(&a);
	r = signature_read(&a, text_of(text), &s, NULL);
	if (r >= 0)
		r = (int)signature_size(s);
	arena_release(&a);
	free(text);
	return r;
}

static void depth_and_members_are_bounded(void **state)
{
	(void)state;
	assert_int_equal(read_size(nested(SIGNATURE_DEPTH - 1)), 1);
	assert_int_equal(read_size(nested(SIGNATURE_DEPTH)), -ERR_PROTOCOL);
	assert_int_equal(read_size(wide(SIGNATURE_MEMBERS - 1)), SIGNATURE_MEMBERS - 1);
	assert_int_equal(read_size(wide(SIGNATURE_MEMBERS)), -ERR_PROTOCOL);
}

static void an_unchanged_tree_prints_as_it_came(void **state)
{
	static const char text[] =
		"{ \"subtask_type\" : \"chain\", \"task\": \"celery.chain\",\"x\":1, "
		"\"kwargs\": {\"tasks\": [" TASK("a") ",  " TASK("b") "]}}";
	struct arena a;

	(void)state;
	arena_init(&a);
	assert_string_equal(signature_text(&a, must_read(&a, text)), text);
	arena_release(&a);
}

static void a_changed_tree_prints_what_holds_now(void **state)
{
	struct arena a;
	struct signature *s;

	(void)state;
	arena_init(&a);
	s = must_read(&a, "{\"task\": \"c\", \"subtask_type\": \"chain\", "
			  "\"options\": {\"old\": 1, "
			  "\"gone\": 2}, \"kwargs\": {\"tasks\": [" TASK("a") "]}}");
	signature_set_string(&a, s->steps[0], "task_id", "q\"uoted");
	signature_set_int(&a, s, "priority", 5);
	signature_set(&a, s, "gone", RAW_NONE);
	assert_string_equal(
		signature_text(&a, s),
		"{\"task\": \"celery.chain\", \"args\": [], \"kwargs\": {\"tasks\": [{\"task\": \"a\", "
		"\"args\": [1], \"kwargs\": {}, \"options\": {\"task_id\": \"q\\\"uoted\"}, "
		"\"subtask_type\": null, \"immutable\": false}]}, \"options\": {\"old\": 1, "
		"\"priority\": 5}, \"subtask_type\": \"chain\", \"immutable\": false}");
	arena_release(&a);
}

static void list_options_grow(void **state)
{
	struct arena a;
	struct signature *s;

	(void)state;
	arena_init(&a);
	s = must_read(&a, "{\"task\": \"t\", \"options\": {\"link\": {\"task\": \"a\"}}}");
	signature_extend(&a, s, "link", RAW("[{\"task\": \"b\"}]"));
	signature_extend(&a, s, "link", RAW_NONE);
	signature_extend(&a, s, "link", RAW("[]"));
	signature_extend(&a, s, "link_error", RAW("{\"task\": \"c\"}"));
	assert_true(raw_is(signature_option(s, "link"), "[{\"task\": \"a\"}, {\"task\": \"b\"}]"));
	assert_true(raw_is(signature_option(s, "link_error"), "[{\"task\": \"c\"}]"));
	arena_release(&a);
}

static void the_last_element_of_a_chain_is_taken_off(void **state)
{
	struct raw last, rest;
	struct arena a;

	(void)state;
	arena_init(&a);
	assert_true(signature_pop(&a, RAW("[{\"a\": \",\"} , [1,2], 3 ]"), &last, &rest));
	assert_true(raw_is(last, "3") && raw_is(rest, "[{\"a\": \",\"} , [1,2]]"));
	assert_true(signature_pop(&a, rest, &last, &rest));
	assert_true(raw_is(last, "[1,2]"));
	assert_true(signature_pop(&a, rest, &last, &rest));
	assert_true(raw_is(last, "{\"a\": \",\"}") && raw_is(rest, "[]"));
	assert_false(signature_pop(&a, rest, &last, &rest));
	assert_false(signature_pop(&a, RAW("7"), &last, &rest));
	arena_release(&a);
}

static void a_chord_waits_for_the_ends_of_its_members(void **state)
{
	static const char text[] =
		"{\"task\": \"g\", \"subtask_type\": \"group\", \"kwargs\": {\"tasks\": [" TASK("a")
		", {\"task\": \"c\", \"subtask_type\": \"chain\", \"kwargs\": {\"tasks\": [" TASK("b")
		", {\"task\": \"g\", \"subtask_type\": \"group\", \"kwargs\": {\"tasks\": [" TASK("c")
		"," TASK("d") "]}}]}}, {\"task\": \"x\", \"subtask_type\": \"chord\", \"kwargs\": "
		"{\"header\": [" TASK("e") "," TASK("f") "], \"body\": " TASK("g") "}}]}}";
	struct arena a;

	(void)state;
	arena_init(&a);
	assert_int_equal(signature_size(must_read(&a, text)), 1 + 2 + 1);
	arena_release(&a);
}

static void an_id_that_is_no_string_is_refused(void **state)
{
	static const char *const WRONG[] = { "7", "[\"a\"]", "\"a\\u0000b\"", "\"\\ud800\"" };

	(void)state;
	for (size_t i = 0; i < COUNT(WRONG); i++) {
		char *text = mem_printf("{\"task\": \"t\", \"options\": {\"task_id\": %s}}",
					WRONG[i]);
		struct signature *s;
		struct arena a;
		struct err e = { 0 };

		arena_init(&a);
		assert_int_equal(signature_read(&a, text_of(text), &s, &e), -ERR_TYPE);
		assert_non_null(strstr(e.msg, "\"task_id\" is not a string"));
		arena_release(&a);
		free(text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_task_is_read_as_it_stands),
		cmocka_unit_test(nulls_and_missing_parts_are_empty),
		cmocka_unit_test(wrong_shapes_are_refused),
		cmocka_unit_test(depth_and_members_are_bounded),
		cmocka_unit_test(an_unchanged_tree_prints_as_it_came),
		cmocka_unit_test(a_changed_tree_prints_what_holds_now),
		cmocka_unit_test(list_options_grow),
		cmocka_unit_test(an_id_that_is_no_string_is_refused),
		cmocka_unit_test(the_last_element_of_a_chain_is_taken_off),
		cmocka_unit_test(a_chord_waits_for_the_ends_of_its_members),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
