/* SPDX-License-Identifier: MIT */
/* The signature reader: the input is its JSON text, as UTF-8, which the message's text was checked
 * to be. What is read must print to a text that reads as the same tree, also after a change; a list
 * of signatures is read as well. */
#include <string.h>
#include <utf8proc.h>

#include "common/base/arena.h"
#include "common/base/err.h"
#include "common/base/mem.h"
#include "common/worker/signature.h"
#include "tests/fuzz/fuzz.h"

static void compare(const struct signature *a, const struct signature *b)
{
	fuzz_want(a->kind == b->kind && a->immutable == b->immutable, "kinds survive");
	fuzz_want(a->nsteps == b->nsteps, "steps survive");
	fuzz_want(a->kind != SIGNATURE_TASK || strcmp(a->task, b->task) == 0, "tasks survive");
	for (size_t i = 0; i < a->nsteps; i++)
		compare(a->steps[i], b->steps[i]);
	if (a->kind == SIGNATURE_CHORD) {
		compare(a->header, b->header);
		compare(a->body, b->body);
	}
}

static void print_and_read(struct arena *a, const struct signature *s)
{
	struct signature *again;
	struct err e = { 0 };
	struct raw whole;
	char *text = signature_text(a, s);

	fuzz_want(raw_whole(text, strlen(text), &whole, NULL), "what is printed is JSON");
	fuzz_want(signature_read(a, whole, &again, &e) >= 0, e.msg);
	compare(s, again);
	fuzz_want(signature_size(s) == signature_size(again), "sizes survive");
}

static void change(struct arena *a, struct signature *s)
{
	signature_set_string(a, s, "task_id", "fuzz \"1\" \xc3\xbc");
	signature_set_int(a, s, "group_index", -7);
	fuzz_want(signature_has(s, "task_id"), "an option that was set is there");
	fuzz_want(strcmp(signature_string(a, s, "task_id"), "fuzz \"1\" \xc3\xbc") == 0,
		  "a string option comes back");
	signature_extend(a, s, "link_error", RAW("{\"task\": \"t.err\"}"));
	print_and_read(a, s);
	print_and_read(a, signature_copy(a, s));
}

/* Found from the end, the last element is the one that a walk ends with. */
static void last_by_walk(struct raw list, struct raw last)
{
	struct raw_walk w = raw_walk(list);
	struct raw item = RAW_NONE;

	while (raw_next(&w, NULL, &item))
		;
	fuzz_want(!w.bad && item.at == last.at && item.len == last.len, "the last is the last");
}

static void pop_all(struct arena *a, struct raw list)
{
	struct raw last, rest;

	for (int i = 0; i < 100 && signature_pop(a, list, &last, &rest); i++) {
		fuzz_want(rest.len < list.len, "a chain gets shorter");
		last_by_walk(list, last);
		list = rest;
	}
}

static bool is_utf8(const uint8_t *data, size_t size)
{
	utf8proc_ssize_t used = 0;
	utf8proc_int32_t cp;

	for (size_t i = 0; i < size; i += (size_t)used) {
		used = utf8proc_iterate(data + i, (utf8proc_ssize_t)(size - i), &cp);
		if (used <= 0)
			return false;
	}
	return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text;
	struct signature *s, **list;
	struct err e = { 0 };
	struct arena arena;
	struct raw whole;
	size_t n, bad;

	if (!is_utf8(data, size))
		return 0;
	text = mem_dup(data, size);
	arena_init(&arena);
	if (!raw_whole(text, size, &whole, &bad)) {
		fuzz_want(bad <= size, "the wrong byte is inside");
	} else {
		if (signature_read(&arena, whole, &s, &e) >= 0) {
			print_and_read(&arena, s);
			change(&arena, s);
		} else {
			fuzz_want(e.msg[0], "what is refused has a reason");
		}
		signature_read_list(&arena, whole, &list, &n, &e);
		pop_all(&arena, whole);
	}
	arena_release(&arena);
	free(text);
	return 0;
}
