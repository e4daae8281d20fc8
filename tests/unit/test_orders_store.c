/* SPDX-License-Identifier: MIT */
/* orders against a real PostgreSQL and Redis: written to both, read since a number; and the keys of
 * unique enqueues.
 * services: shared */
#include "tests/unit/scratch_db.h"

#include "common/base/clock.h"
#include "common/store/orders.h"
#include "common/store/redis.h"

static const char *redis_url;

struct heard {
	char text[4096];
	int n;
};

static void note(void *ctx, const struct order *o)
{
	struct heard *h = ctx;
	size_t n = strlen(h->text);

	h->n++;
	snprintf(h->text + n, sizeof h->text - n, "%d:%s:%s:%d ", o->kind, o->name, o->value,
		 o->on);
}

static struct redis *open_redis(void)
{
	struct redis *r = NULL;
	struct err e = { 0 };

	if (redis_open(&r, redis_url, 5000, &e) < 0)
		fail_msg("%s", e.msg);
	redis_cmd(r, NULL, NULL, "DEL", "t:revokes", "t:pauses", "t:orders", NULL);
	return r;
}

static void write_order(struct pg *pg, struct redis *redis, struct order o)
{
	struct err e = { 0 };

	if (orders_write(pg, redis, "t:", &o, &e) < 0)
		fail_msg("%s", e.msg);
}

static struct order revoke_of(const char *id)
{
	return (struct order){ .kind = ORDER_REVOKE_ID, .value = id, .by = "a test" };
}

static struct order pause_of(enum order_kind kind, const char *name, bool on)
{
	return (struct order){ .kind = kind, .name = name, .on = on, .reason = "maintenance" };
}

static void expect_pg(struct pg *pg, int64_t *seq, const char *text)
{
	struct heard h = { "", 0 };
	struct err e = { 0 };

	if (orders_read_pg(pg, seq, note, &h, &e) < 0)
		fail_msg("%s", e.msg);
	assert_string_equal(h.text, text);
}

static void expect_redis(struct redis *redis, int64_t *counter, int whole, const char *text)
{
	struct heard h = { "", 0 };
	struct err e = { 0 };
	int r = orders_read_redis(redis, "t:", counter, note, &h, &e);

	if (r < 0)
		fail_msg("%s", e.msg);
	assert_int_equal(r, whole);
	assert_string_equal(h.text, text);
}

static void an_order_is_written_to_both_stores_and_read_once(void **state)
{
	struct fixture *f = *state;
	struct redis *redis = open_redis();
	int64_t seq = 0, counter = 0;

	migrate_shipped(f->pg, NULL);
	expect_pg(f->pg, &seq, "");
	expect_redis(redis, &counter, 1, "");
	write_order(f->pg, redis, revoke_of("one"));
	write_order(f->pg, redis, revoke_of("one"));
	write_order(f->pg, redis, (struct order){ .kind = ORDER_REVOKE_STAMP, .name = "who",
						  .value = "me" });
	expect_pg(f->pg, &seq, "0::one:1 1:who:me:1 ");
	expect_redis(redis, &counter, 1, "0::one:1 1:who:me:1 ");
	expect_pg(f->pg, &seq, "");
	expect_redis(redis, &counter, 0, "");
	write_order(f->pg, redis, pause_of(ORDER_PAUSE_QUEUE, "q", true));
	write_order(f->pg, redis, pause_of(ORDER_PAUSE_QUEUE, "q", false));
	write_order(f->pg, redis, pause_of(ORDER_PAUSE_FLEET, "", true));
	expect_pg(f->pg, &seq, "2:q::0 4:::1 ");
	expect_redis(redis, &counter, 0, "2:q::0 4:::1 ");
	redis_close(redis);
}

static void one_store_is_enough_for_an_answer_and_none_is_an_error(void **state)
{
	struct fixture *f = *state;
	struct redis *redis = open_redis();
	struct order o = revoke_of("two"), empty = revoke_of("");
	int64_t seq = 0, counter = 0;
	struct err e = { 0 };

	migrate_shipped(f->pg, NULL);
	write_order(f->pg, NULL, revoke_of("in-pg"));
	write_order(NULL, redis, revoke_of("in-redis"));
	expect_pg(f->pg, &seq, "0::in-pg:1 ");
	expect_redis(redis, &counter, 1, "0::in-redis:1 ");
	assert_int_equal(orders_write(NULL, NULL, "t:", &o, &e), -ERR_DB);
	assert_int_equal(orders_write(f->pg, redis, "t:", &empty, &e), -ERR_INVALID);
	redis_close(redis);
}

static void redis_that_lost_its_data_is_read_whole_and_numbers_go_on_growing(void **state)
{
	struct redis *redis = open_redis();
	int64_t counter = 0, before;

	(void)state;
	write_order(NULL, redis, revoke_of("one"));
	expect_redis(redis, &counter, 1, "0::one:1 ");
	before = counter;
	redis_cmd(redis, NULL, NULL, "DEL", "t:revokes", "t:orders", NULL);
	expect_redis(redis, &counter, 1, "");
	while (clock_wall_ms() <= before)
		;
	write_order(NULL, redis, revoke_of("two"));
	expect_redis(redis, &counter, 1, "0::two:1 ");
	assert_true(counter > before);
	redis_close(redis);
}

static void an_older_pause_does_not_undo_a_newer_resume(void **state)
{
	struct fixture *f = *state;
	struct redis *redis = open_redis();
	struct order on = pause_of(ORDER_PAUSE_TASK, "t", true);
	int64_t seq = 0, counter = 0;

	migrate_shipped(f->pg, NULL);
	write_order(f->pg, redis, pause_of(ORDER_PAUSE_TASK, "t", false));
	on.at_ms = 1000;
	write_order(f->pg, redis, on);
	expect_pg(f->pg, &seq, "3:t::0 ");
	expect_redis(redis, &counter, 1, "3:t::0 ");
	redis_close(redis);
}

static void a_resume_makes_due_what_was_parked_unless_another_pause_holds_it(void **state)
{
	struct fixture *f = *state;

	migrate_shipped(f->pg, NULL);
	must(f->pg, "INSERT INTO jobfleet.pending (task_id, kind, task, queue, headers, body, due,"
	     " reason) VALUES ('1', 'parked', 'a', 'q', '{}', '', 'infinity', 'paused'),"
	     " ('2', 'parked', 'b', 'q', '{}', '', 'infinity', 'paused')");
	write_order(f->pg, NULL, pause_of(ORDER_PAUSE_QUEUE, "q", true));
	write_order(f->pg, NULL, pause_of(ORDER_PAUSE_TASK, "b", true));
	assert_int_equal(number(f->pg, "SELECT count(*) FROM jobfleet.pending WHERE due < now()"),
			 0);
	write_order(f->pg, NULL, pause_of(ORDER_PAUSE_QUEUE, "q", false));
	assert_int_equal(number(f->pg, "SELECT sum(task_id::int) FROM jobfleet.pending"
				       " WHERE due < now() AND reason IS NULL"), 1);
	write_order(f->pg, NULL, pause_of(ORDER_PAUSE_TASK, "b", false));
	assert_int_equal(number(f->pg, "SELECT count(*) FROM jobfleet.pending WHERE due < now()"),
			 2);
}

static void a_unique_key_lets_one_task_through(void **state)
{
	struct fixture *f = *state;

	migrate_shipped(f->pg, NULL);
	must(f->pg,
	     "SELECT jobfleet.enqueue('t', queue => 'q', task_id => 'a', unique_key => 'k')");
	assert_int_equal(number(f->pg, "SELECT (jobfleet.enqueue('t', queue => 'q', unique_key =>"
				       " 'k') IS NULL)::int"), 1);
	must(f->pg,
	     "SELECT jobfleet.enqueue('u', queue => 'q', task_id => 'b', unique_key => 'k')");
	must(f->pg, "INSERT INTO jobfleet.ledger (task_id, outcome, final, task, queue, node)"
	     " VALUES ('a', 'success', true, 't', 'q', 'n')");
	must(f->pg,
	     "SELECT jobfleet.enqueue('t', queue => 'q', task_id => 'c', unique_key => 'k')");
	assert_int_equal(number(f->pg, "SELECT count(*) FROM jobfleet.pending"), 3);
	assert_int_equal(number(f->pg, "SELECT count(*) FROM jobfleet.unique_keys WHERE"
				       " (key, task_id) IN (('t/k', 'c'), ('u/k', 'b'))"), 2);
}

static void replace_revokes_the_older_one_and_throttle_holds_for_its_time(void **state)
{
	struct fixture *f = *state;
	int64_t seq = 0;
	struct err e = { 0 };

	migrate_shipped(f->pg, NULL);
	must(f->pg,
	     "SELECT jobfleet.enqueue('t', queue => 'q', task_id => 'a', unique_key => 'k')");
	must(f->pg,
	     "SELECT jobfleet.enqueue('t', queue => 'q', task_id => 'b', unique_key => 'k',"
	     " unique_mode => 'replace')");
	expect_pg(f->pg, &seq, "");
	assert_int_equal(orders_number(f->pg, &e), 0);
	expect_pg(f->pg, &seq, "0::a:1 ");
	must(f->pg,
	     "SELECT jobfleet.enqueue('t', queue => 'q', task_id => 'c', unique_key => 'x',"
	     " unique_mode => 'throttle', unique_for => '1 hour')");
	must(f->pg, "INSERT INTO jobfleet.ledger (task_id, outcome, final, task, queue, node)"
	     " VALUES ('c', 'success', true, 't', 'q', 'n')");
	assert_int_equal(number(f->pg, "SELECT (jobfleet.enqueue('t', queue => 'q', unique_key =>"
				       " 'x', unique_mode => 'throttle', unique_for => '1 hour')"
				       " IS NULL)::int"), 1);
	expect_refused(f->pg, "SELECT jobfleet.enqueue('t', queue => 'q', unique_key => 'y',"
		       " unique_mode => 'throttle')", ERR_INVALID, "throttle needs it");
	expect_refused(f->pg, "SELECT jobfleet.enqueue('t', queue => 'q', unique_key => 'y',"
		       " unique_mode => 'sometimes')", ERR_INVALID, "sometimes");
}

static void an_enqueue_keeps_the_time_limits_of_its_headers(void **state)
{
	struct fixture *f = *state;

	migrate_shipped(f->pg, NULL);
	must(f->pg,
	     "SELECT jobfleet.enqueue('t', queue => 'q', headers =>"
	     " '{\"timelimit\": [9, 5], \"task\": \"other\"}')");
	assert_int_equal(number(f->pg,
				"SELECT (headers->'timelimit'->>0)::int FROM jobfleet.pending"
				" WHERE headers->>'task' = 't'"),
			 9);
}

static void workers_and_dispatchers_have_the_rights_that_orders_need(void **state)
{
	static const char *const ROLES[] = { "jobfleet_worker", "jobfleet_dispatcher" };
	struct fixture *f = *state;
	struct err e = { 0 };
	int64_t seq = 0;

	migrate_shipped(f->pg, NULL);
	for (size_t i = 0; i < COUNT(ROLES); i++) {
		char sql[64];

		snprintf(sql, sizeof sql, "SET ROLE %s", ROLES[i]);
		must(f->pg, sql);
		write_order(f->pg, NULL, revoke_of(ROLES[i]));
		write_order(f->pg, NULL, pause_of(ORDER_PAUSE_TASK, "t", i == 0));
		if (orders_number(f->pg, &e) < 0 || orders_park_due(f->pg, &e) < 0 ||
		    orders_release_parked(f->pg, &e) < 0)
			fail_msg("%s", e.msg);
	}
	expect_pg(f->pg, &seq, "0::jobfleet_worker:1 0::jobfleet_dispatcher:1 3:t::0 ");
	must(f->pg, "SET ROLE jobfleet_worker; SELECT jobfleet.unique_take('t', 'id', 'k')");
	must(f->pg, "SET ROLE jobfleet_enqueue; SELECT jobfleet.enqueue('t', queue => 'q',"
	     " unique_key => 'other')");
	expect_refused(f->pg, "SELECT jobfleet.unique_take('t', 'id', 'k')", ERR_REFUSED,
		       "permission denied");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_DATABASE(an_order_is_written_to_both_stores_and_read_once),
		WITH_DATABASE(one_store_is_enough_for_an_answer_and_none_is_an_error),
		cmocka_unit_test(redis_that_lost_its_data_is_read_whole_and_numbers_go_on_growing),
		WITH_DATABASE(an_older_pause_does_not_undo_a_newer_resume),
		WITH_DATABASE(a_resume_makes_due_what_was_parked_unless_another_pause_holds_it),
		WITH_DATABASE(a_unique_key_lets_one_task_through),
		WITH_DATABASE(replace_revokes_the_older_one_and_throttle_holds_for_its_time),
		WITH_DATABASE(workers_and_dispatchers_have_the_rights_that_orders_need),
		WITH_DATABASE(an_enqueue_keeps_the_time_limits_of_its_headers),
	};

	url = getenv("JOBFLEET_DATABASE_URL");
	redis_url = getenv("JOBFLEET_REDIS_URL");
	assert_non_null(url);
	assert_non_null(redis_url);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
