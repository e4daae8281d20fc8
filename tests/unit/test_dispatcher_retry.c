/* SPDX-License-Identifier: MIT */
/* retry: dead letters of transient causes go again when their time has come, and not for ever.
 * services: shared */
#include "tests/unit/scratch_db.h"

#include "common/broker/message.h"
#include "common/store/dead_letter.h"
#include "workers/dispatcher/retry.h"

enum { HOUR_MS = 3600000, TIMES = 3 };

static void put(struct pg *pg, const char *id, const char *cause, int generation, bool readable)
{
	struct dead_letter d = { .task_id = id, .task = "t.fetch", .generation = generation,
				 .queue = "work", .cause = cause, .reason = "source down" };
	struct err e = { 0 };
	struct message m;
	struct buf props;

	message_init(&m);
	buf_init(&props, 1 << 18);
	assert_int_equal(message_new(&m, "t.fetch", id, "[1]", NULL, &e), 0);
	m.generation = generation;
	m.retries = 3;
	assert_int_equal(message_encode(&m, &props, &e), 0);
	d.props = readable ? props.data : "x";
	d.props_len = readable ? props.len : 1;
	d.body = m.body;
	d.body_len = m.body_len;
	if (dead_letter_insert(pg, &d, &e) < 0)
		fail_msg("%s", e.msg);
	buf_release(&props);
	message_release(&m);
}

static void turn(struct pg *pg, int retries)
{
	struct err e = { 0 };

	if (retry_turn(pg, HOUR_MS, retries, &e) != 0)
		fail_msg("%s", e.msg);
}

static void age(struct pg *pg, const char *interval)
{
	char *sql = mem_printf("UPDATE jobfleet.dead_letters SET died_at = died_at - interval '%s',"
			       " updated_at = updated_at - interval '%s'", interval, interval);

	must(pg, sql);
	free(sql);
}

static void a_transient_cause_is_retried_after_its_time(void **state)
{
	struct fixture *f = *state;

	migrate_shipped(f->pg, NULL);
	put(f->pg, "a", "exhausted", 0, true);
	age(f->pg, "59 minutes");
	turn(f->pg, TIMES);
	assert_int_equal(number(f->pg, "SELECT count(*) FROM jobfleet.pending"), 0);
	age(f->pg, "1 minute");
	turn(f->pg, TIMES);
	assert_int_equal(number(f->pg, "SELECT count(*) FROM jobfleet.pending WHERE task_id = 'a'"
			       " AND generation = 1 AND retries = 0 AND queue = 'work'"), 1);
	assert_int_equal(number(f->pg, "SELECT count(*) FROM jobfleet.dead_letters WHERE state ="
			       " 'replayed'"), 1);
	turn(f->pg, TIMES);
	assert_int_equal(number(f->pg, "SELECT count(*) FROM jobfleet.pending"), 1);
}

static void three_times_are_enough(void **state)
{
	struct fixture *f = *state;

	migrate_shipped(f->pg, NULL);
	put(f->pg, "b", "exhausted", 2, true);
	put(f->pg, "c", "exhausted", 3, true);
	age(f->pg, "2 hours");
	turn(f->pg, TIMES);
	assert_int_equal(number(f->pg, "SELECT count(*) FROM jobfleet.pending WHERE task_id = 'b'"
			       " AND generation = 3"), 1);
	assert_int_equal(number(f->pg, "SELECT count(*) FROM jobfleet.pending"), 1);
}

static void permanent_causes_wait_for_a_hand(void **state)
{
	static const char *const causes[] = { "malformed", "lost", "hard_limit", "unregistered",
					      "rejected", "too_big", "delivery_limit" };
	struct fixture *f = *state;

	migrate_shipped(f->pg, NULL);
	for (size_t i = 0; i < COUNT(causes); i++)
		put(f->pg, causes[i], causes[i], 0, true);
	put(f->pg, "unreadable", "exhausted", 0, false);
	put(f->pg, "full", "maxlen", 0, true);
	age(f->pg, "2 hours");
	turn(f->pg, TIMES);
	assert_int_equal(number(f->pg, "SELECT count(*) FROM jobfleet.pending"), 1);
	assert_int_equal(number(f->pg, "SELECT count(*) FROM jobfleet.pending WHERE task_id ="
			       " 'full'"), 1);
	assert_int_equal(number(f->pg, "SELECT count(*) FROM jobfleet.dead_letters WHERE task_id ="
			       " 'unreadable' AND cause = 'malformed' AND state = 'dead'"), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_DATABASE(a_transient_cause_is_retried_after_its_time),
		WITH_DATABASE(three_times_are_enough),
		WITH_DATABASE(permanent_causes_wait_for_a_hand),
	};

	url = getenv("JOBFLEET_DATABASE_URL");
	assert_non_null(url);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
