/* SPDX-License-Identifier: MIT */
/* autoscale: how many instances a program shall have. Only the reckoning: who measures and who acts
 * stands in scaling.h; times are the caller's, so that days can be simulated.
 *
 * An instance is one worker process with the children that `concurrency` gives it. Wanted are as
 * many as drain the backlog of each queue within its scale_target, and no fewer than the children
 * that are at work. More at once, at most twice as many, and scale_up_after apart, so that each
 * step shows its effect before the next one. Fewer only when for scale_down_after on end fewer
 * would have done, and no sooner after any change; then as few as would have done all that time.
 * So a load that swings faster than scale_down_after changes nothing, and one that swings slower
 * costs a few changes a swing.
 * What more instances do not help does not raise their number: a paused queue, a rate limit, a
 * backlog before children that have nothing to do. */
#ifndef DISPATCHER_AUTOSCALE_H
#define DISPATCHER_AUTOSCALE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct autoscale_queue {
	const char *name;
	int64_t ready;		/* messages that wait in the broker */
	int64_t oldest_ms;	/* how long the first of them waits; 0 = not known */
	double run_ms;		/* mean run time of its tasks; 0 = none has been measured */
	double limit_per_s;	/* no more of its tasks may start; 0 = no limit */
	bool paused;
	int min, max;		/* instances */
	int64_t target_ms, up_ms, down_ms;
};

/* A program, its queues with limits of their own. */
struct autoscale_load {
	const struct autoscale_queue *queues;
	size_t nqueues;
	int instances;		/* there are now */
	int children;		/* of each instance, at most */
	int elsewhere;		/* children of workers that are not ours to scale */
	int busy;		/* children that run a task, theirs included */
};

enum { AUTOSCALE_PEAKS = 32, AUTOSCALE_REASON = 256 };

/* All zero at first, and whenever somebody else may have acted: then nothing is changed for want of
 * work until a whole cool-down has been seen. */
struct autoscale_history {
	int64_t since_ms, changed_ms;		/* first look; last change; 0 = none */
	struct {
		int64_t until_ms;
		int wanted;
	} peaks[AUTOSCALE_PEAKS];		/* most that was wanted in each part of down_ms */
};

struct autoscale_decision {
	int wanted;				/* instances; as many as there are: nothing to do */
	char reason[AUTOSCALE_REASON];		/* for people; why none, too */
};

/* now_ms: steady, above 0. Notes what it sees in h; autoscale_done notes that it was done. */
void autoscale_decide(const struct autoscale_load *load, struct autoscale_history *h,
		      int64_t now_ms, struct autoscale_decision *ret);
void autoscale_done(struct autoscale_history *h, int64_t now_ms);

#endif
