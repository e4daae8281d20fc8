/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "common/base/buf.h"
#include "common/base/mem.h"
#include "workers/ctl/standing.h"

/* Texts that a case does not name are empty. */
static struct standing filled(struct standing s)
{
	const char **texts[] = {
		&s.outcome,	 &s.cause,	   &s.ended_on, &s.ended_at,   &s.letter,
		&s.letter_cause, &s.letter_reason, &s.runs_on,	&s.runs_since, &s.held_by,
		&s.revoked_at,	 &s.revoked_by,	   &s.kind,	&s.state,      &s.due,
		&s.reason,	 &s.sent_at,	   &s.causes,	&s.pause_kind, &s.pause_name,
		&s.pause_reason, &s.redis_status,  &s.join,	&s.join_state,
	};

	s.id = "t";
	s.task = "x.y";
	s.queue = "q";
	for (size_t i = 0; i < COUNT(texts); i++)
		*texts[i] = *texts[i] ? *texts[i] : "";
	return s;
}

static void judged(const struct standing *s, enum standing_state state, const char *says)
{
	struct buf why;
	enum standing_state got;

	buf_init(&why, 65536);
	got = standing_judge(s, &why);
	if (got != state || !strstr(buf_text(&why), says))
		fail_msg("expected %s and \"%s\", got %s and \"%s\"", standing_name(state), says,
			 standing_name(got), buf_text(&why));
	buf_release(&why);
}

static void each_place_of_a_task_has_its_sentence(void **state)
{
	static const struct {
		struct standing s;
		enum standing_state state;
		const char *says;
	} cases[] = {
		{ { .ready = -1 }, STANDING_UNKNOWN, "Nothing is stored" },
		{ { .ready = 7 }, STANDING_UNKNOWN, "has 7 messages ready" },
		{ { .outcome = "success", .ended_on = "n", .redis_status = "SUCCESS" },
		  STANDING_ENDED, "on n: success." },
		{ { .outcome = "success", .backlog = 1 }, STANDING_ENDED,
		  "could not be written" },
		{ { .outcome = "success" }, STANDING_ENDED, "holds no result" },
		{ { .redis_status = "FAILURE" }, STANDING_ENDED, "holds its FAILURE" },
		{ { .outcome = "failure", .letter = "4", .letter_cause = "lost" },
		  STANDING_DEAD, "dlq replay 4" },
		{ { .state = "sent", .runs_on = "a@h" }, STANDING_RUNNING, "runs on a@h" },
		{ { .state = "sent", .held_by = "a@h" }, STANDING_DELIVERED,
		  "delivered to a@h" },
		{ { .state = "waiting", .revoked_at = "now", .revoked_by = "me" },
		  STANDING_REVOKED, "by me" },
		{ { .kind = "claim", .state = "waiting", .due_in_s = 5 }, STANDING_CLAIMED,
		  "lease" },
		{ { .kind = "claim", .state = "waiting", .due_in_s = -5 },
		  STANDING_WAITING, "due since 5.0 s" },
		{ { .kind = "eta", .state = "waiting", .due_in_s = 5 }, STANDING_WAITING,
		  "for its time" },
		{ { .kind = "retry", .state = "waiting", .due_in_s = 5, .reason = "no net" },
		  STANDING_WAITING, "for its retry, due at  UTC, in 5.0 s: no net" },
		{ { .kind = "parked", .state = "waiting", .never_due = true,
		    .reason = "paused" }, STANDING_WAITING, "until it is released: paused" },
		{ { .kind = "eta", .state = "waiting", .dispatcher = false },
		  STANDING_WAITING, "No dispatcher is alive" },
		{ { .state = "sent", .ready = 5, .consumers = 1 }, STANDING_SENT,
		  "at most 4 are ahead" },
		{ { .state = "sent", .truncated = true }, STANDING_SENT, "more tasks than it lists" },
		{ { .state = "waiting", .revoked_at = "now", .due = "2030", .due_in_s = 5 },
		  STANDING_REVOKED, "until 2030 UTC" },
		{ { .state = "sent", .ready = 1 }, STANDING_SENT, "none is ahead" },
		{ { .state = "sent", .ready = 5, .consumers = 0 }, STANDING_SENT,
		  "No worker consumes" },
		{ { .state = "sent", .pause_kind = "queue", .pause_name = "q",
		    .pause_reason = "repair" }, STANDING_SENT, "Queue q is paused: repair" },
		{ { .state = "sent", .pause_kind = "fleet" }, STANDING_SENT,
		  "The fleet is paused." },
		{ { .spooled = true }, STANDING_SPOOLED, "spool of this host" },
		{ { .starts = 2, .causes = "SIGKILL" }, STANDING_INTERRUPTED,
		  "2 of its starts did not end: SIGKILL" },
		{ { .join = "g", .join_state = "open", .join_body = true, .join_parts = 2,
		    .join_size = 5 }, STANDING_CHORD, "body of chord g: 2 of 5 parts" },
		{ { .join = "g", .join_state = "failed", .join_size = -1 }, STANDING_CHORD,
		  "an unknown number of parts have ended.\nThe chord is failed." },
		{ { .redis_status = "STARTED" }, STANDING_REPORTED, "STARTED" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct standing s = filled(cases[i].s);

		judged(&s, cases[i].state, cases[i].says);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_place_of_a_task_has_its_sentence),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
