/* SPDX-License-Identifier: MIT */
/* What applying signatures publishes (celery-wire 3.1 and 3.3). */
#include "tests/unit/canvas_bench.h"

static void options_become_the_message(void **state)
{
	struct bench *b = *state;
	struct message m;

	apply_text(b, SIG("t.add", "[10]",
			  "\"task_id\": \"me\", \"root_id\": \"r\", \"parent_id\": \"p\", "
			  "\"group_id\": \"g\", \"group_index\": 3, \"priority\": 7, \"shadow\": \"s\", "
			  "\"time_limit\": 9, \"soft_time_limit\": 8.5, \"ignore_result\": true, "
			  "\"reply_to\": \"back\", \"retries\": 2, \"replaced_task_nesting\": 1, "
			  "\"headers\": {\"x\": [1], \"task\": \"other\"}, \"queue\": \"there\", "
			  "\"stamped_headers\": [\"a\"], \"a\": \"b\", \"link\": {\"task\": \"l\"}"),
		   "1, 2");
	m = sent(b, 0);
	assert_string_equal(b->outbox.items[0].queue, "there");
	assert_string_equal(m.task, "t.add");
	assert_string_equal(m.id, "me");
	assert_string_equal(m.correlation_id, "me");
	assert_string_equal(m.root_id, "r");
	assert_string_equal(m.parent_id, "p");
	assert_string_equal(m.group, "g");
	assert_string_equal(m.shadow, "s");
	assert_string_equal(m.reply_to, "back");
	assert_string_equal(m.argsrepr, "(1, 2, 10)");
	assert_int_equal(m.group_index, 3);
	assert_int_equal(m.priority, 7);
	assert_int_equal(m.hard_ms, 9000);
	assert_int_equal(m.soft_ms, 8500);
	assert_int_equal(m.retries, 2);
	assert_int_equal(m.nesting, 1);
	assert_true(m.ignore_result);
	cJSON *x = message_header(&m, "x"), *stamps = message_header(&m, "stamps");

	assert_int_equal(cJSON_GetArraySize(x), 1);
	assert_string_equal(json_str(stamps, "a", ""), "b");
	cJSON *embed = embed_of(&m, "[1, 2, 10]");

	assert_true(cJSON_IsArray(json_get(embed, "callbacks")));
	assert_null(json_get(embed, "chain"));
	cJSON_Delete(x);
	cJSON_Delete(stamps);
	cJSON_Delete(embed);
	message_release(&m);
	assert_string_equal(buf_text(&b->tuple), "[[\"me\", null], null]");
}

static void an_immutable_one_takes_no_arguments(void **state)
{
	struct bench *b = *state;
	struct message m;

	apply_text(b, "{\"task\": \"t\", \"args\": [9], \"immutable\": true}", "1");
	m = sent(b, 0);
	cJSON_Delete(embed_of(&m, "[9]"));
	assert_string_equal(b->outbox.items[0].queue, "here");
	message_release(&m);
}

static void ids_are_the_same_in_every_repeat(void **state)
{
	struct bench *b = *state;
	char first[2][64];

	for (int round = 0; round < 2; round++) {
		apply_text(b, SHAPE("group", "", "\"tasks\": [" SIG("a", "[]", "") "]"), "");
		snprintf(first[round], sizeof first[round], "%s", b->outbox.items[round].id);
		b->apply.position = 0;
	}
	assert_string_equal(first[0], first[1]);
}

static void a_chain_publishes_its_first_step_with_the_rest_behind(void **state)
{
	struct bench *b = *state;
	struct message m;
	const cJSON *chain;
	cJSON *embed;

	apply_text(b, SHAPE("chain",
			    "\"task_id\": \"end\", \"link_error\": [{\"task\": \"oops\"}], "
			    "\"link\": [{\"task\": \"then\"}], \"group_id\": \"g\", \"group_index\": 1, "
			    "\"chord\": {\"task\": \"body\"}, \"chain\": [{\"task\": \"later\"}]",
			    "\"tasks\": [" SIG("a", "[]", "") ", " SHAPE("chain", "", "\"tasks\": ["
			    SIG("b", "[]", "") "]") ", " SIG("c", "[]", "") "]"), "5");
	assert_int_equal(b->outbox.n, 1);
	m = sent(b, 0);
	assert_string_equal(m.task, "a");
	assert_null(m.group);
	embed = embed_of(&m, "[5]");
	chain = json_get(embed, "chain");
	assert_int_equal(cJSON_GetArraySize(chain), 3);
	assert_string_equal(json_str(cJSON_GetArrayItem(chain, 0), "task", ""), "later");
	assert_string_equal(json_str(cJSON_GetArrayItem(chain, 2), "task", ""), "b");
	assert_true(json_str(json_get(cJSON_GetArrayItem(chain, 2), "options"), "task_id", NULL));
	const cJSON *last = json_get(cJSON_GetArrayItem(chain, 1), "options");

	assert_string_equal(json_str(last, "task_id", ""), "end");
	assert_string_equal(json_str(last, "group_id", ""), "g");
	assert_int_equal(cJSON_GetArraySize(json_get(last, "link")), 1);
	assert_int_equal(cJSON_GetArraySize(json_get(last, "link_error")), 1);
	assert_string_equal(json_str(json_get(last, "chord"), "task", ""), "body");
	assert_int_equal(cJSON_GetArraySize(json_get(embed, "errbacks")), 1);
	assert_null(json_get(embed, "chord"));
	cJSON_Delete(embed);
	message_release(&m);
	assert_string_equal(buf_text(&b->tuple) + 2 + 38, ", null], null]");
}

static void a_long_rest_is_packed(void **state)
{
	struct bench *b = *state;
	struct message m;
	struct buf text;
	cJSON *embed;

	buf_init(&text, 1 << 20);
	buf_puts(&text, "{\"task\": \"c\", \"subtask_type\": \"chain\", \"kwargs\": {\"tasks\": [");
	for (int i = 0; i < 200; i++)
		buf_printf(&text, "%s{\"task\": \"t%d\"}", i ? "," : "", i);
	buf_puts(&text, "]}}");
	apply_text(b, buf_text(&text), "");
	m = sent(b, 0);
	assert_string_equal(m.compression, "application/x-gzip");
	assert_true(m.body_len < 16384);
	embed = embed_of(&m, "[]");
	assert_int_equal(cJSON_GetArraySize(json_get(embed, "chain")), 199);
	cJSON_Delete(embed);
	message_release(&m);
	buf_release(&text);
}

static void a_group_publishes_its_members_flat(void **state)
{
	struct bench *b = *state;
	static const char *const tasks[] = { "a", "b", "c" };

	apply_text(b, SHAPE("group", "\"task_id\": \"gid\"",
			    "\"tasks\": [" SIG("a", "[]", "\"task_id\": \"1\"") ", "
			    SHAPE("group", "",
				  "\"tasks\": [" SIG("b", "[]", "\"task_id\": \"2\"") "]")
			    ", " SIG("c", "[7]", "\"task_id\": \"3\", \"group_index\": 9") "]"), "5");
	assert_int_equal(b->outbox.n, 3);
	assert_int_equal(b->outbox.njoins, 0);
	for (int i = 0; i < 3; i++) {
		struct message m = sent(b, (size_t)i);

		assert_string_equal(m.task, tasks[i]);
		assert_string_equal(m.group, "gid");
		assert_int_equal(m.group_index, i == 2 ? 9 : i);
		message_release(&m);
	}
	assert_string_equal(buf_text(&b->tuple),
			    "[[\"gid\", null], [[[\"1\", null], null], [[\"2\", null], null], "
			    "[[\"3\", null], null]]]");
	assert_int_equal(try_apply(b, SHAPE("group", "\"link\": [1]", "\"tasks\": []"), ""),
			 -ERR_TYPE);
}

static void a_chord_begins_a_join_and_tells_its_body(void **state)
{
	struct bench *b = *state;
	struct message m;
	cJSON *embed;
	const cJSON *chord;

	apply_text(b, SHAPE("chord",
			    "\"chain\": [{\"task\": \"later\"}], \"parent_id\": \"p\", \"root_id\": \"r\"",
			    "\"header\": [" SIG("a", "[]", "") ", " SHAPE("chain", "", "\"tasks\": ["
			    SIG("b", "[]", "") "," SIG("c", "[]", "") "]") "], \"body\": "
			    SIG("sum", "[]", "\"task_id\": \"body\"")), "5");
	assert_int_equal(b->outbox.n, 2);
	assert_int_equal(b->outbox.njoins, 1);
	assert_int_equal(b->outbox.joins[0].size, 2);
	assert_null(b->outbox.joins[0].tree);
	m = sent(b, 0);
	assert_string_equal(m.group, b->outbox.joins[0].id);
	assert_string_equal(m.parent_id, "p");
	assert_string_equal(m.root_id, "r");
	embed = embed_of(&m, "[5]");
	assert_null(json_get(embed, "chain"));
	chord = json_get(json_get(embed, "chord"), "options");
	assert_string_equal(json_str(chord, "task_id", ""), "body");
	assert_string_equal(json_str(chord, "parent_id", ""), "p");
	assert_int_equal(cJSON_GetArraySize(json_get(chord, "chain")), 1);
	cJSON_Delete(embed);
	message_release(&m);
	m = sent(b, 1);
	assert_null(m.group);	/* its end is the part */
	embed = embed_of(&m, "[5]");
	chord = json_get(cJSON_GetArrayItem(json_get(embed, "chain"), 0), "options");
	assert_string_equal(json_str(chord, "group_id", ""), b->outbox.joins[0].id);
	assert_int_equal(json_int(chord, "group_index", -1), 1);
	assert_true(json_get(chord, "chord"));
	cJSON_Delete(embed);
	message_release(&m);
}

static void a_member_that_ends_with_a_group_saves_the_tree(void **state)
{
	struct bench *b = *state;

	apply_text(b, SHAPE("chord", "",
			    "\"header\": [" SHAPE("chain", "", "\"tasks\": [" SIG("a", "[]", "") ", "
			    SHAPE("group", "",
				  "\"tasks\": [" SIG("b", "[]", "\"task_id\": \"2\"") ","
			    SIG("c", "[]", "\"task_id\": \"3\"") "]") "]") ", "
			    SIG("d", "[]", "\"task_id\": \"4\"") "], \"body\": "
			    SIG("sum", "[]", "")),
		   "");
	assert_int_equal(b->outbox.joins[0].size, 3);
	assert_non_null(strstr(b->outbox.joins[0].tree,
			       "[[[\"2\", null], null], [[\"3\", null], null]]], [[\"4\", null], null]"));
}

static void an_inner_group_begins_no_join_of_its_own(void **state)
{
	struct bench *b = *state;
	struct message m;

	apply_text(b, SHAPE("group", "\"task_id\": \"inner\", \"group_id\": \"outer\", "
			    "\"chord\": {\"task\": \"body\"}",
			    "\"tasks\": [" SIG("a", "[]", "") "]"), "");
	assert_int_equal(b->outbox.njoins, 0);
	m = sent(b, 0);
	assert_string_equal(m.group, "outer");
	message_release(&m);
}

static void an_empty_header_is_its_body(void **state)
{
	struct bench *b = *state;
	struct message m;

	apply_text(b, SHAPE("chord", "", "\"header\": [], \"body\": " SIG("sum", "[1]", "")), "5");
	m = sent(b, 0);
	assert_string_equal(m.task, "sum");
	cJSON_Delete(embed_of(&m, "[[], 1]"));
	message_release(&m);
}

static void wrong_options_are_type_errors(void **state)
{
	static const char *const wrong[] = {
		"\"priority\": \"high\"", "\"shadow\": 7", "\"eta\": \"soon\"", "\"expires\": {}",
		"\"time_limit\": []", "\"headers\": 3", "\"stamped_headers\": {}", "\"queue\": 1",
		"\"group_index\": -2", "\"retries\": 1.5", "\"countdown\": 1e300",
	};
	struct bench *b = *state;

	for (size_t i = 0; i < COUNT(wrong); i++) {
		char *text = mem_printf("{\"task\": \"t\", \"options\": {%s}}", wrong[i]);

		if (try_apply(b, text, "") != -ERR_TYPE)
			fail_msg("%s: %s", wrong[i], b->e.msg);
		free(text);
	}
	assert_int_equal(b->outbox.n, 0);
	assert_int_equal(try_apply(b, SHAPE("chain", "", "\"tasks\": []"), ""), -ERR_TYPE);
}

static void times_become_delays(void **state)
{
	struct bench *b = *state;
	struct message m;

	apply_text(b, SIG("t", "[]", "\"countdown\": 60, \"expires\": 120.5"), "");
	apply_text(b, SIG("t", "[]", "\"eta\": \"2001-01-01T00:00:00+00:00\""), "");
	assert_in_range(b->outbox.items[0].delay_ms, 59000, 60000);
	assert_int_equal(b->outbox.items[1].delay_ms, 0);
	m = sent(b, 0);
	assert_non_null(m.eta);
	assert_non_null(m.expires);
	message_release(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ON_BENCH(options_become_the_message),
		ON_BENCH(an_immutable_one_takes_no_arguments),
		ON_BENCH(ids_are_the_same_in_every_repeat),
		ON_BENCH(a_chain_publishes_its_first_step_with_the_rest_behind),
		ON_BENCH(a_long_rest_is_packed),
		ON_BENCH(a_group_publishes_its_members_flat),
		ON_BENCH(a_chord_begins_a_join_and_tells_its_body),
		ON_BENCH(a_member_that_ends_with_a_group_saves_the_tree),
		ON_BENCH(an_inner_group_begins_no_join_of_its_own),
		ON_BENCH(an_empty_header_is_its_body),
		ON_BENCH(wrong_options_are_type_errors),
		ON_BENCH(times_become_delays),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
