/* SPDX-License-Identifier: MIT */
/* join against a real Redis (JOBFLEET_REDIS_URL) and PostgreSQL (JOBFLEET_DATABASE_URL). What a
 * Python worker would do is done here with its commands (celery-wire 2.6).
 * services: shared */
#include "tests/unit/scratch_db.h"

#include "common/base/clock.h"
#include "common/base/uuid.h"
#include "common/store/join.h"
#include "common/store/ledger.h"
#include "common/store/redis.h"

static struct redis *redis;
static char gid[UUID_SIZE];		/* fresh for each test */

static int fresh_join(void **state)
{
	(void)state;
	uuid_v4(gid);
	return 0;
}

#define WITH_JOIN(test) cmocka_unit_test_setup(test, fresh_join)

static char *key_of(const char *end)
{
	static char key[128];

	snprintf(key, sizeof key, "celery-taskset-meta-%s%s", gid, end);
	return key;
}

static int64_t ask(const char *command, const char *end)
{
	struct redis_reply *reply = NULL;
	struct err e = { 0 };
	int64_t n;

	if (redis_cmd(redis, &reply, &e, command, key_of(end), NULL) < 0)
		fail_msg("%s", e.msg);
	n = reply->integer;
	redis_reply_free(reply);
	return n;
}

/* What a Python worker's part does; returns its count. */
static int64_t count_as_python(const char *score, const char *member)
{
	struct err e = { 0 };

	if (redis_cmd(redis, NULL, &e, "ZADD", key_of(".j"), score, member, NULL) < 0)
		fail_msg("%s", e.msg);
	return ask("ZCARD", ".j");
}

static void start(int64_t size)
{
	struct err e = { 0 };

	if (join_start(redis, gid, size, 60, &e) < 0)
		fail_msg("%s", e.msg);
}

static bool count(const char *id, const char *status, const char *json, int index)
{
	struct join_part part = { .join_id = gid, .task_id = id, .status = status, .json = json,
				  .index = index };
	bool ready = false;
	int64_t size;
	struct err e = { 0 };

	if (join_count(redis, &part, 60, &ready, &size, &e) < 0)
		fail_msg("%s", e.msg);
	return ready;
}

static void expect(const char *args, const char *failure)
{
	struct join_outcome o = { 0 };
	struct err e = { 0 };
	int r = join_collect(redis, gid, &o, &e);

	if (r < 0)
		fail_msg("%s", e.msg);
	assert_int_equal(r, args || failure ? 0 : 1);
	if (args)
		assert_string_equal(o.args ? o.args : o.failure, args);
	if (failure)
		assert_string_equal(o.failure ? o.failure : o.args, failure);
	join_outcome_release(&o);
}

static void the_last_of_the_parts_finishes_with_the_values_in_order(void **state)
{
	struct err e = { 0 };

	(void)state;
	assert_false(count("b", "SUCCESS", "12345678901234567890123", 1));
	start(3);
	assert_false(count("c", "SUCCESS", "NaN", 2));
	assert_true(count("a", "SUCCESS", "{\"x\": [1.10, \"\\u00e9\"]}", 0));
	expect("[{\"x\": [1.10, \"\\u00e9\"]}, 12345678901234567890123, NaN]", NULL);
	assert_int_equal(join_finish(redis, gid, false, &e), 0);
	assert_int_equal(ask("EXISTS", ".j") + ask("EXISTS", ".s") + ask("EXISTS", ".seen"), 0);
	assert_false(count("a", "SUCCESS", "1", 0));
	assert_int_equal(ask("EXISTS", ".j"), 0);
	assert_int_equal(join_claim(redis, gid, "sweeper", &e), 0);
}

static void a_part_that_comes_twice_counts_once(void **state)
{
	(void)state;
	start(3);
	for (int i = 0; i < 3; i++) {
		assert_false(count("a", "SUCCESS", i ? "{\"b\": 2, \"a\": 1}" : "{\"a\": 1}", 0));
		assert_false(count("b", "SUCCESS", i ? "7" : "8", -1));
	}
	assert_int_equal(ask("ZCARD", ".j"), 2);
	assert_true(count("c", "SUCCESS", "3", 2));
	expect("[{\"a\": 1}, 3, 8]", NULL);
}

static void the_part_that_completed_a_join_is_ready_again_and_no_other(void **state)
{
	struct err e = { 0 };

	(void)state;
	start(2);
	assert_false(count("a", "SUCCESS", "1", 0));
	assert_true(count("b", "SUCCESS", "2", 1));
	assert_false(count("a", "SUCCESS", "1", 0));
	assert_true(count("b", "SUCCESS", "2", 1));
	assert_int_equal(join_claim(redis, gid, "b", &e), 1);
	assert_int_equal(join_claim(redis, gid, "sweeper", &e), 0);
	assert_int_equal(ask("DEL", ".claim"), 1);	/* ten seconds later */
	assert_true(count("b", "SUCCESS", "2", 1));
	assert_int_equal(ask("DEL", ".claim"), 1);
	assert_int_equal(join_claim(redis, gid, "sweeper", &e), 1);
	assert_false(count("b", "SUCCESS", "2", 1));
}

static void keys_are_as_celerys_and_expire(void **state)
{
	struct redis_reply *reply = NULL;
	struct err e = { 0 };

	(void)state;
	start(2);
	start(5);
	count("a\"b", "FAILURE", "{\"exc_type\": \"X\"}", 4);
	assert_int_equal(redis_cmd(redis, &reply, &e, "ZRANGE", key_of(".j"), "0", "-1",
				   "WITHSCORES", NULL), 0);
	assert_int_equal(reply->nitems, 2);
	assert_string_equal(reply->items[0]->str,
			    "[1, \"a\\\"b\", \"FAILURE\", {\"exc_type\": \"X\"}]");
	assert_string_equal(reply->items[1]->str, "4");
	redis_reply_free(reply);
	assert_int_equal(redis_cmd(redis, &reply, &e, "GET", key_of(".s"), NULL), 0);
	assert_string_equal(reply->str, "2");
	redis_reply_free(reply);
	assert_in_range(ask("TTL", ".j"), 50, 60);
	assert_in_range(ask("TTL", ".s"), 50, 60);
	assert_in_range(ask("TTL", ".seen"), 50, 60);
}

static void python_parts_and_an_adjusted_size_count(void **state)
{
	(void)state;
	start(2);
	assert_int_equal(count_as_python("0", "[1, \"p\", \"SUCCESS\", \"from Python\"]"), 1);
	assert_int_equal(ask("INCR", ".t"), 1);
	assert_false(count("a", "SUCCESS", "1", 1));
	assert_int_equal(count_as_python("inf", "[1, \"q\", \"SUCCESS\", null]"), 3);
	assert_false(count("a", "SUCCESS", "1", 1));	/* the Python worker finishes */
	expect("[\"from Python\", 1, null]", NULL);
}

static void a_part_that_ran_on_python_before_counts_once(void **state)
{
	(void)state;
	start(2);
	count_as_python("0", "[1, \"a\", \"SUCCESS\", 1]");
	assert_false(count("a", "SUCCESS", "1.0", 0));
	assert_int_equal(ask("ZCARD", ".j"), 1);
	assert_true(count("b", "SUCCESS", "2", 1));
	expect("[1, 2]", NULL);
}

static void a_part_that_python_counted_twice_is_waited_for(void **state)
{
	struct err e = { 0 };

	(void)state;
	start(3);
	count_as_python("0", "[1, \"a\", \"SUCCESS\", 1]");
	count_as_python("0", "[1, \"a\", \"SUCCESS\", 99]");
	assert_true(count("b", "SUCCESS", "2", 1));
	expect(NULL, NULL);
	assert_int_equal(ask("EXISTS", ".claim"), 0);
	assert_int_equal(join_claim(redis, gid, "sweeper", &e), 1);
	assert_int_equal(ask("DEL", ".claim"), 1);
	assert_true(count("c", "SUCCESS", "3", 2));
	expect("[1, 2, 3]", NULL);
}

static void failures_have_celerys_text(void **state)
{
	static const struct {
		const char *json, *text;
	} CASES[] = {
		{ "{\"exc_type\": \"MyError\", \"exc_message\": [\"boom\", 7], \"exc_module\": \"m\"}",
		  "MyError('boom', 7)" },
		{ "{\"exc_type\": \"ValueError\", \"exc_message\": [\"it's\"]}",
		  "ValueError(\"it's\")" },
		{ "{\"exc_type\": \"a.B\", \"exc_message\": []}", "B()" },
		{ "{\"exc_type\": \"KeyError\", \"exc_message\": \"k\"}", "KeyError('k')" },
		{ "{\"exc_type\": \"E\", \"exc_message\": [[1, null], {\"a\": true}]}",
		  "E([1, None], {'a': True})" },
		{ "{\"exc_type\": \"E\", \"exc_message\": [[1]]}", "E([1])" },
		{ "7", "Exception()" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(CASES); i++) {
		char *text = mem_printf("Dependency bad raised %s", CASES[i].text);
		struct err e = { 0 };

		fresh_join(NULL);
		start(3);
		count("late", "REVOKED", "{\"exc_type\": \"TaskRevokedError\", \"exc_message\":"
		      " [\"revoked\"]}", 2);
		count("bad", "FAILURE", CASES[i].json, 0);
		assert_true(count("good", "SUCCESS", "1", 1));
		expect(NULL, text);
		assert_int_equal(join_finish(redis, gid, true, &e), 0);
		assert_int_equal(ask("EXISTS", ".j") + ask("EXISTS", ".s"), 2);
		assert_int_equal(join_claim(redis, gid, "sweeper", &e), 0);
		free(text);
	}
}

static void set(const char *key, const char *value)
{
	struct err e = { 0 };

	if (redis_cmd(redis, NULL, &e, "SETEX", key, "60", value, NULL) < 0)
		fail_msg("%s", e.msg);
}

static void a_saved_tree_gives_the_nesting_and_waits_for_its_leaves(void **state)
{
	char meta[80];

	(void)state;
	snprintf(meta, sizeof meta, "celery-task-meta-c-%s", gid);
	{
		char *tree = mem_printf("{\"result\": [[\"%s\", null], [[[\"g\", null], [[[\"b\","
					" null], null], [[\"c-%s\", null], null]]], [[\"d\","
					" [[\"a\", null], null]], null]]]}", gid, gid);

		set(key_of(""), tree);
		free(tree);
	}
	start(2);			/* as Python overwrites it */
	assert_false(count("b", "SUCCESS", "[1]", 0));
	assert_true(count("d", "SUCCESS", "4", 1));
	expect(NULL, NULL);
	set(meta, "{\"status\": \"STARTED\", \"result\": null}");
	expect(NULL, NULL);
	set(meta, "{\"status\": \"SUCCESS\", \"result\": {\"n\": 9007199254740993}}");
	expect("[[[1], {\"n\": 9007199254740993}], 4]", NULL);
	set(meta, "{\"status\": \"FAILURE\", \"result\": {\"exc_type\": \"E\", \"exc_message\":"
	    " [1]}}");
	expect(NULL, "Join error: E(1)");
}

static void ten_thousand_parts_are_collected_in_well_under_a_second(void **state)
{
	enum { N = 10000 };
	struct join_part *parts = mem_zalloc(N * sizeof *parts);
	struct join_outcome o = { 0 };
	struct err e = { 0 };
	int64_t began;

	(void)state;
	for (int i = 0; i < N; i++)
		parts[i] = (struct join_part){ .join_id = gid, .status = "SUCCESS", .json = "42",
					       .index = i, .task_id = mem_printf("t%d", i) };
	for (int i = 0; i < N; i += 500)
		assert_int_equal(join_restore(redis, gid, N, parts + i, 500, 60, &e), 500);
	assert_int_equal(join_restore(redis, gid, N, parts, 500, 60, &e), 0);
	began = clock_mono_ms();
	assert_int_equal(join_collect(redis, gid, &o, &e), 0);
	print_message("collected in %d ms\n", (int)(clock_mono_ms() - began));
	assert_in_range(clock_mono_ms() - began, 0, 2000);
	assert_int_equal(strlen(o.args), N * 4);
	join_outcome_release(&o);
	for (int i = 0; i < N; i++)
		free((char *)parts[i].task_id);
	free(parts);
}

static void what_redis_lost_is_restored_once(void **state)
{
	struct join_part parts[] = {
		{ .task_id = "a", .status = "SUCCESS", .json = "1", .index = 0 },
		{ .task_id = "b", .status = "FAILURE", .json = "{\"exc_type\": \"E\"}", .index = -1 },
	};
	struct join_state s;
	struct join_outcome o = { 0 };
	struct err e = { 0 };

	(void)state;
	assert_int_equal(join_look(redis, gid, &s, &e), 0);
	assert_int_equal(s.size, -1);
	assert_int_equal(s.parts + s.ours + s.claimed + s.done, 0);
	count("a", "SUCCESS", "1", 0);
	assert_int_equal(join_restore(redis, gid, -1, parts, 2, 60, &e), 1);
	assert_int_equal(join_restore(redis, gid, 3, parts, 0, 60, &e), 0);
	assert_int_equal(join_look(redis, gid, &s, &e), 0);
	assert_int_equal(s.size, 3);
	assert_int_equal(s.parts, 2);
	assert_int_equal(s.ours, 2);
	assert_int_equal(join_find_failure(redis, gid, &o, &e), 1);
	assert_string_equal(o.failure, "Dependency b raised E()");
	join_outcome_release(&o);
}

/* ---- PostgreSQL ---- */

static void insert_part(struct pg *pg, const char *id, const char *body)
{
	struct ledger_entry x = { .key.task_id = id, .outcome = LEDGER_SUCCESS, .task = "t",
				  .queue = "q", .node = "n", .join_id = "g", .join_index = 2,
				  .join_part = "{\"v\": 1}", .join_body = body,
				  .join_root = "r" };
	struct err e = { 0 };

	if (ledger_insert(pg, &x, &e) < 0)
		fail_msg("%s", e.msg);
}

static void the_ledger_row_of_a_part_notes_its_join_once(void **state)
{
	struct fixture *f = *state;
	struct err e = { 0 };

	migrate_shipped(f->pg, NULL);
	insert_part(f->pg, "a", "{\"task\": \"body\"}");
	insert_part(f->pg, "b", "{\"task\": \"other\"}");
	assert_int_equal(number(f->pg, "SELECT count(*) FROM jobfleet.joins WHERE join_id = 'g'"
				" AND body = '{\"task\": \"body\"}' AND root_id = 'r'"
				" AND size IS NULL AND state = 'open'"), 1);
	assert_int_equal(number(f->pg, "SELECT count(*) FROM jobfleet.ledger WHERE join_id = 'g'"
				" AND join_index = 2 AND join_part = '{\"v\": 1}'"
				" AND join_task IS NULL"), 2);
	assert_int_equal(join_note_size(f->pg, "g", 5, NULL, &e), 0);
	assert_int_equal(join_note_size(f->pg, "g", 6, "{\"result\": 1}", &e), 0);
	assert_int_equal(join_note(f->pg, "g", 7, "{}", "{}", &e), 0);
	assert_int_equal(number(f->pg, "SELECT size FROM jobfleet.joins"
				" WHERE tree = '{\"result\": 1}'"), 5);
	assert_int_equal(join_note(f->pg, "h", 7, "{}", NULL, &e), 0);
	assert_int_equal(join_note_done(f->pg, "h", true, &e), 0);
	assert_int_equal(join_note_done(f->pg, "g", false, &e), 0);
	assert_int_equal(join_note_done(f->pg, "g", true, &e), 0);
	assert_int_equal(number(f->pg, "SELECT count(*) FROM jobfleet.joins WHERE (join_id, state,"
				" size) IN (('g', 'done', 5), ('h', 'failed', 7))"), 2);
}

static void parts_of_one_join_do_not_wait_for_each_other(void **state)
{
	struct fixture *f = *state;
	struct pg *other = must_open(f->url);
	struct err e = { 0 };

	migrate_shipped(f->pg, NULL);
	insert_part(f->pg, "a", "{}");
	assert_int_equal(pg_begin(f->pg, 5000, &e), 0);
	insert_part(f->pg, "b", "{}");
	must(other, "SET lock_timeout = 100");
	insert_part(other, "c", "{}");
	assert_int_equal(pg_commit(f->pg, &e), 0);
	assert_int_equal(number(f->pg, "SELECT count(*) FROM jobfleet.ledger"), 3);
	pg_close(other);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_JOIN(the_last_of_the_parts_finishes_with_the_values_in_order),
		WITH_JOIN(a_part_that_comes_twice_counts_once),
		WITH_JOIN(the_part_that_completed_a_join_is_ready_again_and_no_other),
		WITH_JOIN(keys_are_as_celerys_and_expire),
		WITH_JOIN(python_parts_and_an_adjusted_size_count),
		WITH_JOIN(a_part_that_ran_on_python_before_counts_once),
		WITH_JOIN(a_part_that_python_counted_twice_is_waited_for),
		WITH_JOIN(failures_have_celerys_text),
		WITH_JOIN(a_saved_tree_gives_the_nesting_and_waits_for_its_leaves),
		WITH_JOIN(ten_thousand_parts_are_collected_in_well_under_a_second),
		WITH_JOIN(what_redis_lost_is_restored_once),
		WITH_DATABASE(the_ledger_row_of_a_part_notes_its_join_once),
		WITH_DATABASE(parts_of_one_join_do_not_wait_for_each_other),
	};
	const char *redis_url = getenv("JOBFLEET_REDIS_URL");
	struct err e = { 0 };
	int r;

	url = getenv("JOBFLEET_DATABASE_URL");
	if (!url || !redis_url) {
		fprintf(stderr, "test_join: JOBFLEET_..._URL are not set; use tests/run\n");
		return 1;
	}
	if (redis_open(&redis, redis_url, 5000, &e) < 0) {
		fprintf(stderr, "test_join: %s\n", e.msg);
		return 1;
	}
	r = cmocka_run_group_tests(tests, NULL, NULL);
	redis_close(redis);
	return r;
}
