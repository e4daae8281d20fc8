/* SPDX-License-Identifier: MIT */
/* prune: old revokes go unless what they stop still waits; unique keys go when they are free.
 * services: shared */
#include "tests/unit/scratch_db.h"

#include "workers/dispatcher/prune.h"

/* A whole round, and more: every table gets its turn. */
static void prune_all(struct pg *pg)
{
	struct prune p = { 0 };
	struct err e = { 0 };

	for (int i = 0; i < 40; i++) {
		p.next_ms = 0;
		if (prune_turn(&p, pg, 7, &e) < 0)
			fail_msg("%s", e.msg);
	}
}

static void an_old_revoke_goes_when_nothing_waits_for_it(void **state)
{
	struct fixture *f = *state;

	migrate_shipped(f->pg, NULL);
	must(f->pg, "INSERT INTO jobfleet.revokes (kind, name, value, ordered_at) VALUES"
	     " ('id', '', 'old', now() - interval '8 days'),"
	     " ('id', '', 'waits', now() - interval '8 days'),"
	     " ('id', '', 'young', now() - interval '6 days'),"
	     " ('stamp', 'who', 'stamped', now() - interval '8 days'),"
	     " ('stamp', 'who', 'older', now() - interval '20 days')");
	must(f->pg, "INSERT INTO jobfleet.pending (task_id, kind, task, queue, headers, body, due,"
	     " created_at) VALUES ('waits', 'eta', 't', 'q', '{}', '', now() + interval '30 days',"
	     " now() - interval '9 days')");
	prune_all(f->pg);
	assert_int_equal(number(f->pg, "SELECT count(*) FROM jobfleet.revokes"), 3);
	assert_int_equal(number(f->pg, "SELECT count(*) FROM jobfleet.revokes WHERE value IN"
				       " ('waits', 'young', 'stamped')"), 3);
}

static void a_unique_key_goes_when_its_time_or_its_task_has_ended(void **state)
{
	struct fixture *f = *state;

	migrate_shipped(f->pg, NULL);
	must(f->pg,
	     "INSERT INTO jobfleet.unique_keys (key, task_id, expires_at, until_final) VALUES"
	     " ('t/past', '1', now() - interval '1 s', true),"
	     " ('t/ended', '2', now() + interval '1 day', true),"
	     " ('t/throttled', '2', now() + interval '1 day', false),"
	     " ('t/runs', '3', now() + interval '1 day', true)");
	must(f->pg, "INSERT INTO jobfleet.ledger (task_id, outcome, final, task, queue, node)"
	     " VALUES ('2', 'success', true, 't', 'q', 'n')");
	prune_all(f->pg);
	assert_int_equal(number(f->pg, "SELECT count(*) FROM jobfleet.unique_keys"), 2);
	assert_int_equal(number(f->pg, "SELECT count(*) FROM jobfleet.unique_keys WHERE key IN"
				       " ('t/throttled', 't/runs')"), 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_DATABASE(an_old_revoke_goes_when_nothing_waits_for_it),
		WITH_DATABASE(a_unique_key_goes_when_its_time_or_its_task_has_ended),
	};

	url = getenv("JOBFLEET_DATABASE_URL");
	assert_non_null(url);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
