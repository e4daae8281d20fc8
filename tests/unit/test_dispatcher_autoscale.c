/* SPDX-License-Identifier: MIT */
/* services: none */
/* How many instances are wanted: single situations as a table, and days of simulated load. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "common/base/mem.h"
#include "workers/dispatcher/autoscale.h"

#define S INT64_C(1000)
#define MIN (60 * S)
#define START (1000 * S)
#define LOOK (5 * S)

/* A queue with these limits, a mean run time, and what is said of it. */
#define Q(least, most, run, ...) \
	{ \
		.min = least, .max = most, .run_ms = run, .target_ms = MIN, .up_ms = 30 * S, \
		.down_ms = 5 * MIN, __VA_ARGS__ \
	}
#define QUEUE(...) Q(1, 8, 1000, .name = "q", __VA_ARGS__)

/* Two instances of four children, seen for an hour without a change. */
static struct autoscale_load load_of(const struct autoscale_queue *queues, size_t n)
{
	return (struct autoscale_load){ .queues = queues, .nqueues = n, .instances = 2,
					.children = 4, .busy = 0 };
}

static int decide_after(const struct autoscale_load *load, int64_t quiet_ms, char *reason)
{
	struct autoscale_history h = { 0 };
	struct autoscale_decision d = { 0 };

	for (int64_t t = START; t <= START + quiet_ms; t += LOOK) {
		autoscale_decide(load, &h, t, &d);
		if (d.wanted != load->instances)
			break;
	}
	if (reason)
		snprintf(reason, AUTOSCALE_REASON, "%s", d.reason);
	return d.wanted;
}

static const struct {
	const char *what;
	struct autoscale_queue q;
	int instances, busy, elsewhere, wanted;
	const char *reason;
} CASES[] = {
	{ "no work", QUEUE(), 2, 0, 0, 1, "for 300 s on end 1 would have done" },
	{ "no work, but at the least", QUEUE(), 1, 0, 0, 1, "nothing is ready" },
	{ "never under its least", Q(2, 8, 1000, .name = "q"), 2, 0, 0, 2, "nothing is ready" },
	{ "too few", Q(3, 8, 1000, .name = "q"), 2, 0, 0, 3, "2 are there, queues.conf asks for 3" },
	{ "none at all", QUEUE(), 0, 0, 0, 1, "0 are there" },
	{ "more than the most", Q(1, 4, 1000, .name = "q"), 6, 24, 0, 4, "4 would have done" },
	{ "all children work", QUEUE(), 2, 8, 0, 2, "nothing is ready" },
	{ "one instance's children work", QUEUE(), 2, 4, 0, 1, "1 would have done" },
	{ "one child more than that", QUEUE(), 2, 5, 0, 2, "nothing is ready" },
	{ "a backlog that drains in time", QUEUE(.ready = 480), 2, 8, 0, 2, "need 60 s" },
	{ "a backlog that does not", QUEUE(.ready = 700), 2, 8, 0, 3,
	  "700 ready on q at 1 s each: 8 children need 87.5 s, wanted are 60 s" },
	{ "at most twice as many", QUEUE(.ready = 100000), 2, 8, 0, 4, "100000 ready" },
	{ "at most the most", Q(1, 3, 1000, .name = "q", .ready = 100000), 2, 8, 0, 3, "100000 ready" },
	{ "at the most already", Q(1, 2, 1000, .name = "q", .ready = 100000), 2, 8, 0, 2, "100000 ready" },
	{ "many short tasks", Q(1, 8, 5, .name = "q", .ready = 90000), 2, 8, 0, 2, "need 56.2 s" },
	{ "paused", QUEUE(.ready = 100000, .paused = true), 1, 0, 0, 1, "is paused" },
	{ "paused, and too many", QUEUE(.ready = 100000, .paused = true), 2, 0, 0, 1,
	  "1 would have done" },
	{ "a rate limit", QUEUE(.ready = 100000, .limit_per_s = 5), 2, 5, 0, 2,
	  "rate limits let 5 a second start: 5 children do that" },
	{ "a rate limit above what there is", QUEUE(.ready = 100000, .limit_per_s = 10), 2, 8, 0,
	  3, "rate limits let 10 a second" },
	{ "a rate limit that asks for fewer", QUEUE(.ready = 100000, .limit_per_s = 2), 2, 2, 0,
	  1, "1 would have done" },
	{ "not measured", Q(1, 8, 0, .name = "q", .ready = 100), 2, 8, 0, 2, "not measured yet" },
	{ "not measured, but old", Q(1, 8, 0, .name = "q", .ready = 100, .oldest_ms = 2 * MIN), 2, 8,
	  0, 3, "the first for 120 s, wanted are 60 s; all 8 children work" },
	{ "measured too short", QUEUE(.ready = 10, .oldest_ms = 2 * MIN), 2, 8, 0, 3,
	  "all 8 children work" },
	{ "old, but children are free", QUEUE(.ready = 10, .oldest_ms = 2 * MIN), 2, 5, 0, 2,
	  "10 ready" },
	{ "others help", QUEUE(.ready = 900), 2, 8, 8, 2, "16 children need 56.2 s" },
	{ "others do it all", QUEUE(), 2, 8, 8, 1, "1 would have done" },
};

static void each_situation_has_its_number_and_reason(void **state)
{
	int wrong = 0;

	(void)state;
	for (size_t i = 0; i < COUNT(CASES); i++) {
		struct autoscale_load load = load_of(&CASES[i].q, 1);
		char reason[AUTOSCALE_REASON];
		int wanted;

		load.instances = CASES[i].instances;
		load.busy = CASES[i].busy;
		load.elsewhere = CASES[i].elsewhere;
		wanted = decide_after(&load, 10 * MIN, reason);
		if (wanted == CASES[i].wanted && strstr(reason, CASES[i].reason))
			continue;
		print_message("%s: expected %d \"%s\", got %d \"%s\"\n", CASES[i].what,
			      CASES[i].wanted, CASES[i].reason, wanted, reason);
		wrong++;
	}
	assert_int_equal(wrong, 0);
}

static void the_queues_of_a_program_add_up_within_their_own_limits(void **state)
{
	struct autoscale_queue queues[] = {
		Q(1, 2, 1000, .name = "q", .ready = 240),
		Q(1, 4, 1000, .name = "other", .ready = 960),
		Q(1, 1, 1000, .name = "small", .ready = 100000),
	};
	struct autoscale_load load = load_of(queues, 1);
	char reason[AUTOSCALE_REASON];

	(void)state;
	load.busy = 8;
	assert_int_equal(decide_after(&load, 10 * MIN, NULL), 2);
	load.nqueues = 2;		/* 4 + 16 children */
	assert_int_equal(decide_after(&load, 10 * MIN, reason), 4);
	assert_non_null(strstr(reason, "960 ready on other"));
	load.nqueues = 3;		/* 4 + 16 + 4, and no more than 4 instances */
	assert_int_equal(decide_after(&load, 10 * MIN, NULL), 4);
}

static void who_comes_new_waits_before_it_changes_anything(void **state)
{
	struct autoscale_queue q = QUEUE(.ready = 700);
	struct autoscale_load load = load_of(&q, 1);

	(void)state;
	load.busy = 8;
	assert_int_equal(decide_after(&load, 25 * S, NULL), 2);
	assert_int_equal(decide_after(&load, 30 * S, NULL), 3);
	q.ready = 0;
	load.busy = 0;
	assert_int_equal(decide_after(&load, 5 * MIN - LOOK, NULL), 2);
	assert_int_equal(decide_after(&load, 6 * MIN, NULL), 1);
	load.instances = 0;		/* but what has to be there is not waited for */
	assert_int_equal(decide_after(&load, 0, NULL), 1);
}

/* ---- days ---- */

struct day {
	double (*rate)(int64_t ms);	/* tasks a second */
	double run_s;
	int64_t lasts_ms, settle_ms;	/* changes count from there on */
	int changes, reversals, most;	/* reversals: up after down or down after up */
	double longest_s;		/* that a task which comes last has waited */
};

static unsigned noise_seed = 20261122;

static void live(struct day *day)
{
	struct autoscale_queue q = QUEUE();
	struct autoscale_load load = { .queues = &q, .nqueues = 1, .instances = 1, .children = 2 };
	struct autoscale_history h = { 0 };
	struct autoscale_decision d;
	double backlog = 0;
	int last = 0;

	for (int64_t t = START; t < START + day->lasts_ms; t += LOOK) {
		double rate = day->rate(t), can = load.instances * load.children / day->run_s;
		double waits;

		backlog = fmax(0, backlog + (rate - can) * LOOK / 1e3);
		waits = backlog / can;
		day->longest_s = waits > day->longest_s ? waits : day->longest_s;
		q.ready = (int64_t)backlog;
		q.oldest_ms = (int64_t)(waits * 1e3);
		/* what is measured is never quite what is */
		q.run_ms = day->run_s * 1e3 * (0.9 + 0.2 * rand_r(&noise_seed) / RAND_MAX);
		load.busy = (int)fmin(ceil(rate * day->run_s), load.instances * load.children);
		if (backlog >= 1)
			load.busy = load.instances * load.children;
		autoscale_decide(&load, &h, t, &d);
		assert_in_range(d.wanted, 1, 8);
		if (d.wanted == load.instances)
			continue;
		if (t >= START + day->settle_ms) {
			day->changes++;
			day->reversals += last && (last > 0) != (d.wanted > load.instances);
		}
		last = d.wanted > load.instances ? 1 : -1;
		load.instances = d.wanted;
		day->most = d.wanted > day->most ? d.wanted : day->most;
		autoscale_done(&h, t);
	}
	print_message("# %d changes, %d reversals, up to %d instances, longest wait %.0f s\n",
		      day->changes, day->reversals, day->most, day->longest_s);
}

static double sawtooth(int64_t ms)		/* 0 to 28 a second, every four hours */
{
	return 28.0 * (double)(ms % (240 * MIN)) / (240 * MIN);
}

static double noisy(int64_t ms)			/* around 9 a second */
{
	(void)ms;
	return 9 + 4.0 * rand_r(&noise_seed) / RAND_MAX - 2;
}

static double fast_swing(int64_t ms)		/* two minutes on, two off */
{
	return ms % (4 * MIN) < 2 * MIN ? 14 : 0.1;
}

static double bursts(int64_t ms)		/* 3,000 in five seconds, once an hour */
{
	return ms % (60 * MIN) < LOOK ? 600 : 0.5;
}

static void a_day_of_sawtooth_load_is_followed_without_flapping(void **state)
{
	struct day day = { .rate = sawtooth, .run_s = 0.5, .lasts_ms = 1440 * MIN };

	(void)state;
	live(&day);
	assert_int_equal(day.most, 7);		/* 28 a second at 0.5 s are 14 children, two each */
	assert_true(day.longest_s < 90);	/* the target and the time that the next step needs */
	assert_in_range(day.changes, 30, 6 * 9);	/* six steps up a tooth and three down */
	assert_true(day.reversals <= 2 * 6);
}

static void a_load_that_swings_faster_than_the_cool_down_changes_nothing(void **state)
{
	struct day steady = { .rate = noisy, .run_s = 0.5, .lasts_ms = 1440 * MIN,
			      .settle_ms = 30 * MIN };
	struct day swing = { .rate = fast_swing, .run_s = 0.5, .lasts_ms = 1440 * MIN,
			     .settle_ms = 30 * MIN };

	(void)state;
	live(&steady);
	assert_true(steady.changes <= 2 && steady.reversals == 0);
	assert_true(steady.longest_s < 120);
	live(&swing);
	assert_true(swing.changes <= 2 && swing.reversals == 0);
	assert_true(swing.longest_s < 120);
}

static void bursts_are_drained_in_the_stated_time_and_cost_a_few_changes_each(void **state)
{
	struct day day = { .rate = bursts, .run_s = 0.5, .lasts_ms = 1440 * MIN };

	(void)state;
	live(&day);
	assert_true(day.longest_s <= 750);	/* as it stands there in front of one instance */
	assert_true(day.changes <= 24 * 5 && day.reversals <= 24 * 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_situation_has_its_number_and_reason),
		cmocka_unit_test(the_queues_of_a_program_add_up_within_their_own_limits),
		cmocka_unit_test(who_comes_new_waits_before_it_changes_anything),
		cmocka_unit_test(a_day_of_sawtooth_load_is_followed_without_flapping),
		cmocka_unit_test(a_load_that_swings_faster_than_the_cool_down_changes_nothing),
		cmocka_unit_test(bursts_are_drained_in_the_stated_time_and_cost_a_few_changes_each),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
