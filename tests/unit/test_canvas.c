/* SPDX-License-Identifier: MIT */
/* What follows success and failure (celery-wire 3.2 and 3.5). */
#include "tests/unit/canvas_bench.h"

static struct canvas read_canvas(const char *text)
{
	struct canvas c;

	assert_int_equal(canvas_read(text_of(text), &c, NULL), 0);
	return c;
}

static void what_follows_success(void **state)
{
	struct bench *b = *state;
	struct canvas_task t = { .id = "me", .root_id = "root", .priority = 4 };
	struct canvas c = read_canvas(
		"{\"callbacks\": [" SIG("x", "[]", "") ", " SHAPE("group", "", "\"tasks\": ["
		SIG("y", "[]", "") "]") ", " SIG("z", "[]", "")
		"], \"errbacks\": null, \"chain\": ["
		SIG("last", "[]", "") ", " SIG("next", "[]", "") "]}");
	static const char *const order[] = { "y", "x", "z", "next" };

	if (canvas_succeed(&b->apply, &c, &t, text_of("{\"r\": 1}"), &b->tuple, &b->e) < 0)
		fail_msg("%s", b->e.msg);
	assert_int_equal(b->outbox.n, 4);
	for (size_t i = 0; i < 4; i++) {
		struct message m = sent(b, i);
		cJSON *embed = embed_of(&m, "[{\"r\": 1}]");

		assert_string_equal(m.task, order[i]);
		assert_string_equal(m.parent_id, "me");
		assert_string_equal(m.root_id, "root");
		assert_int_equal(m.priority, 4);
		assert_int_equal(cJSON_GetArraySize(json_get(embed, "chain")), i == 3 ? 1 : 0);
		cJSON_Delete(embed);
		message_release(&m);
	}
}

static void plain_embeds_hold_nothing(void **state)
{
	static const char *const plain[] = {
		"{}", "null", "{\"callbacks\": null, \"errbacks\": null, \"chain\": null, "
		"\"chord\": null}", "{\"chain\":null,\"other\":1}",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(plain); i++) {
		struct canvas c = read_canvas(plain[i]);

		assert_null(c.callbacks.at);
		assert_null(c.errbacks.at);
		assert_null(c.chain.at);
		assert_null(c.chord.at);
	}
}

static void errbacks_become_one_group(void **state)
{
	struct bench *b = *state;
	struct canvas_task t = { .id = "me", .priority = -1 };

	assert_int_equal(canvas_fail(&b->apply, RAW("[{\"task\": \"e\", \"args\": [1]}, "
						    "{\"task\": \"f\", \"immutable\": true}]"), &t,
				     RAW("{}"), RAW("null"), &b->e), 0);
	assert_int_equal(b->outbox.n, 2);
	for (size_t i = 0; i < 2; i++) {
		struct message m = sent(b, i);

		cJSON_Delete(embed_of(&m, i ? "[]" : "[\"me\", 1]"));
		assert_string_equal(m.parent_id, "me");
		assert_string_equal(m.root_id, "me");
		assert_non_null(m.group);
		message_release(&m);
	}
}

static void steps_that_never_run_are_found(void **state)
{
	struct bench *b = *state;
	struct canvas_losses losses = { 0 };
	static const char *const ids[] = { "3", "body", "1" };

	assert_int_equal(canvas_lose_chain(
		&b->apply,
		RAW("[{\"task\": \"c\", \"options\": {\"task_id\": \"3\", \"group_id\": \"g\", "
		    "\"group_index\": 2, \"chord\": {\"task\": \"b\"}}}, "
		    "{\"task\": \"x\", \"subtask_type\": \"chord\", \"options\": {\"task_id\": \"gid\"}, "
		    "\"kwargs\": {\"header\": [{\"task\": \"h\"}], \"body\": {\"task\": \"b\", "
		    "\"options\": {\"task_id\": \"body\"}}}}, "
		    "{\"task\": \"a\", \"options\": {\"task_id\": \"1\"}}]"), &losses, &b->e), 0);
	assert_int_equal(losses.n, 3);
	for (size_t i = 0; i < 3; i++)
		assert_string_equal(losses.list[i].id, ids[i]);
	assert_string_equal(losses.list[0].group_id, "g");
	assert_int_equal(losses.list[0].group_index, 2);
	assert_non_null(losses.list[0].chord.at);
	assert_null(losses.list[1].chord.at);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ON_BENCH(what_follows_success),
		ON_BENCH(plain_embeds_hold_nothing),
		ON_BENCH(errbacks_become_one_group),
		ON_BENCH(steps_that_never_run_are_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
