/* SPDX-License-Identifier: MIT */
/* The small nouns of the runtime: tagwin, slot, frame, bind, catalog, delivery. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <sys/socket.h>

#include "common/base/err.h"
#include "common/base/json.h"
#include "common/base/mem.h"
#include "common/worker/bind.h"
#include "common/worker/catalog.h"
#include "common/worker/frame.h"
#include "common/worker/slot.h"
#include "common/worker/tagwin.h"

struct acks {
	char text[256];
};

static void note_ack(void *ctx, uint64_t tag, bool multiple)
{
	struct acks *a = ctx;
	size_t n = strlen(a->text);

	snprintf(a->text + n, sizeof a->text - n, "%s%llu ", multiple ? "<=" : "",
		 (unsigned long long)tag);
}

static void finished_tags_from_the_oldest_leave_as_one_ack(void **state)
{
	struct tagwin w;
	struct acks a = { "" };

	(void)state;
	tagwin_init(&w);
	for (uint64_t t = 1; t <= 8; t++)
		tagwin_arrive(&w, t);
	tagwin_finish(&w, 2);
	tagwin_finish(&w, 1);
	tagwin_finish(&w, 3);
	tagwin_finish(&w, 6);
	tagwin_flush(&w, note_ack, &a);
	assert_string_equal(a.text, "<=3 6 ");
	a.text[0] = '\0';
	tagwin_drop(&w, 4);	/* given back: a multiple ack may pass over it */
	tagwin_finish(&w, 5);
	tagwin_finish(&w, 7);
	tagwin_flush(&w, note_ack, &a);
	assert_string_equal(a.text, "<=7 ");
	assert_int_equal(w.unsettled, 1);
	a.text[0] = '\0';
	tagwin_flush(&w, note_ack, &a);
	assert_string_equal(a.text, "");
	tagwin_drop(&w, 8);
	tagwin_flush(&w, note_ack, &a);
	assert_string_equal(a.text, "");
	assert_int_equal(w.n, 0);
	tagwin_release(&w);
}

static void a_slot_is_won_by_one_side_and_one_hand_over_only(void **state)
{
	struct slot *s = &slot_map()[3].slot[1];

	(void)state;
	slot_set(s, 7, SLOT_READY);
	assert_true(slot_move(s, 7, SLOT_READY, SLOT_FREE));	/* parent takes it back */
	assert_false(slot_move(s, 7, SLOT_READY, SLOT_RUNNING));
	slot_set(s, 8, SLOT_READY);				/* and hands over another */
	assert_false(slot_move(s, 7, SLOT_READY, SLOT_RUNNING));	/* the old frame */
	assert_true(slot_move(s, 8, SLOT_READY, SLOT_RUNNING));
	assert_false(slot_move(s, 8, SLOT_READY, SLOT_FREE));
	assert_int_equal(slot_state(s), SLOT_RUNNING);
}

static void frames_arrive_whole_whatever_the_pieces(void **state)
{
	struct frame_port a, b;
	struct frame f;
	int pair[2];
	size_t n;

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	frame_port_init(&a, pair[0]);
	frame_port_init(&b, pair[1]);
	frame_begin(&a, FRAME_TASK);
	frame_put_u32(&a, 7);
	frame_put_i64(&a, -5);
	frame_put_str(&a, NULL);
	frame_put_bytes(&a, "a\0b", 3);
	frame_end(&a);
	for (size_t i = 0; i < a.out.len; i++) {
		assert_int_equal(frame_next(&b, &f), false);
		assert_int_equal(send(pair[0], a.out.data + i, 1, 0), 1);
		assert_int_equal(frame_fill(&b, true), 1);
	}
	assert_true(frame_next(&b, &f));
	assert_int_equal(f.kind, FRAME_TASK);
	assert_int_equal(frame_get_u32(&f), 7);
	assert_int_equal(frame_get_i64(&f), -5);
	assert_null(frame_get_str(&f));
	assert_memory_equal(frame_get_bytes(&f, &n), "a\0b", 4);
	assert_int_equal(n, 3);
	assert_false(frame_next(&b, &f));
	frame_port_release(&a);
	assert_int_equal(frame_fill(&b, true), -1);
	frame_port_release(&b);
}

static const struct task FETCH = { "x.fetch", PARAMS("query", "location?", "page?=1") };
static const struct task TYPED = {
	"x.typed", PARAMS("n:int", "s:str?", "l:list?=[]", "o:object?", "b:bool?=true")
};
static const struct task OPEN = { "x.open", PARAMS("a", "*") };

static void arguments_bind_as_in_python(void **state)
{
	static const struct {
		const struct task *task;
		const char *args, *kwargs, *want;	/* JSON, or the error's text */
	} cases[] = {
		{ &FETCH, "[\"c\"]", "{}", "{\"query\":\"c\",\"page\":1}" },
		{ &FETCH, "[\"c\", null, 3]", "{}", "{\"query\":\"c\",\"location\":null,\"page\":3}" },
		{ &FETCH, "[]", "{\"page\": 2, \"query\": \"d\"}", "{\"page\":2,\"query\":\"d\"}" },
		{ &FETCH, "[]", "{}", "fetch() missing 1 required positional argument: 'query'" },
		{ &FETCH, "[1,2,3,4]", "{}", "fetch() takes 3 positional arguments but 4 were given" },
		{ &FETCH, "[1]", "{\"query\": 2}", "fetch() got multiple values for argument 'query'" },
		{ &FETCH, "[1]", "{\"zz\": 2}", "fetch() got an unexpected keyword argument 'zz'" },
		{ &OPEN, "[1]", "{\"zz\": 2}", "{\"a\":1,\"zz\":2}" },
		{ &TYPED, "[3]", "{}", "{\"n\":3,\"l\":[],\"b\":true}" },
		{ &TYPED, "[3, null]", "{}", "{\"n\":3,\"s\":null,\"l\":[],\"b\":true}" },
		{ &TYPED, "[null]", "{}", "typed() argument 'n' must be int, not NoneType" },
		{ &TYPED, "[3.5]", "{}", "typed() argument 'n' must be int, not float" },
		{ &TYPED, "[true]", "{}", "typed() argument 'n' must be int, not bool" },
		{ &TYPED, "[1, 2]", "{}", "typed() argument 's' must be str, not int" },
		{ &TYPED, "[1]", "{\"l\": {}}", "typed() argument 'l' must be list, not dict" },
		{ &TYPED, "[1]", "{\"o\": \"x\"}", "typed() argument 'o' must be dict, not str" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct err e = { 0 };
		cJSON *bound = NULL;
		int r = bind_arguments(cases[i].task, cases[i].args, cases[i].kwargs, &bound, &e);
		char *text = r < 0 ? mem_strdup(e.msg) : json_print(bound);

		assert_string_equal(text, cases[i].want);
		free(text);
		cJSON_Delete(bound);
	}
}

static void a_malformed_parameter_is_named(void **state)
{
	static const struct task bad = { "x.bad", PARAMS("a", "b?={") };
	static const struct task type = { "x.type", PARAMS("a:integer") };
	static const struct task fallback = { "x.fallback", PARAMS("a:int?=\"x\"") };

	(void)state;
	assert_null(bind_check(&FETCH));
	assert_null(bind_check(&TYPED));
	assert_string_equal(bind_check(&bad), "b?={");
	assert_string_equal(bind_check(&type), "a:integer");
	assert_string_equal(bind_check(&fallback), "a:int?=\"x\"");
}

static void backoff_grows_to_its_bound_and_honours_retry_after(void **state)
{
	struct catalog_task t = { .backoff_ms = 100, .backoff_max_ms = 1000 };
	int64_t most = 0;

	(void)state;
	for (int i = 0; i < 500; i++) {
		int64_t ms = catalog_backoff_ms(&t, 2, 0);

		assert_in_range(ms, 0, 400);
		most = ms > most ? ms : most;
		assert_in_range(catalog_backoff_ms(&t, 60, 0), 0, 1000);
	}
	assert_true(most > 200);	/* full jitter uses the whole range */
	assert_int_equal(catalog_backoff_ms(&t, 0, 5000), 5000);
	t.backoff_fixed = true;
	assert_int_equal(catalog_backoff_ms(&t, 9, 0), 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finished_tags_from_the_oldest_leave_as_one_ack),
		cmocka_unit_test(a_slot_is_won_by_one_side_and_one_hand_over_only),
		cmocka_unit_test(frames_arrive_whole_whatever_the_pieces),
		cmocka_unit_test(arguments_bind_as_in_python),
		cmocka_unit_test(a_malformed_parameter_is_named),
		cmocka_unit_test(backoff_grows_to_its_bound_and_honours_retry_after),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
