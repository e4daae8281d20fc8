/* SPDX-License-Identifier: MIT */
#include "workers/dispatcher/autoscale.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>

#include "common/base/mem.h"

#define CHILDREN_MAX 1e6

/* What all queues of a program agree on. */
struct bounds {
	int min, max;
	int64_t up_ms, down_ms;
};

static struct bounds bounds_of(const struct autoscale_load *load)
{
	struct bounds b = { .min = 1, .max = 1 };

	for (size_t i = 0; i < load->nqueues; i++) {
		const struct autoscale_queue *q = &load->queues[i];

		b.min = q->min > b.min ? q->min : b.min;
		b.max = q->max > b.max ? q->max : b.max;
		b.up_ms = i == 0 || q->up_ms < b.up_ms ? q->up_ms : b.up_ms;
		b.down_ms = q->down_ms > b.down_ms ? q->down_ms : b.down_ms;
	}
	return b;
}

__attribute__((format(printf, 2, 3))) static void say(char *out, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(out, AUTOSCALE_REASON, fmt, ap);
	va_end(ap);
}

static int capacity(const struct autoscale_load *load)
{
	return load->instances * load->children + load->elsewhere;
}

/* ---- what one queue needs, in children ---- */

/* By what is measured. */
static double by_backlog(const struct autoscale_load *load, const struct autoscale_queue *q,
			 char *reason)
{
	double work_ms = (double)q->ready * q->run_ms;

	if (q->run_ms <= 0) {
		say(reason, "%lld ready on %s, whose run time is not measured yet",
		    (long long)q->ready, q->name);
		return 0;
	}
	say(reason, "%lld ready on %s at %.3g s each: %d children need %.3g s, wanted are %.3g s",
	    (long long)q->ready, q->name, q->run_ms / 1e3, capacity(load),
	    work_ms / 1e3 / fmax(capacity(load), 1), (double)q->target_ms / 1e3);
	return work_ms / (double)q->target_ms;
}

/* The measure is wrong or missing when tasks wait longer than it says, and everybody is at work. */
static double by_age(const struct autoscale_load *load, const struct autoscale_queue *q,
		     char *reason)
{
	say(reason,
	    "%lld ready on %s, the first for %.3g s, wanted are %.3g s; all %d children work",
	    (long long)q->ready, q->name, (double)q->oldest_ms / 1e3,
	    (double)q->target_ms / 1e3, capacity(load));
	return capacity(load) + 1;
}

static double need_of(const struct autoscale_load *load, const struct autoscale_queue *q,
		      char *reason)
{
	double most = (double)q->max * load->children + load->elsewhere, need;
	double useful = q->limit_per_s * q->run_ms / 1e3;

	if (q->ready <= 0)
		return 0;
	if (q->paused) {
		say(reason, "%lld ready on %s, which is paused", (long long)q->ready, q->name);
		return 0;
	}
	need = by_backlog(load, q, reason);
	if (need <= capacity(load) && load->busy >= capacity(load) && q->oldest_ms > q->target_ms)
		need = by_age(load, q, reason);
	if (useful > 0 && need > useful) {
		say(reason,
		    "%lld ready on %s, whose rate limits let %.3g a second start: %.3g children do"
		    " that", (long long)q->ready, q->name, q->limit_per_s, ceil(useful));
		need = ceil(useful);
	}
	return need < most ? need : most;
}

/* ---- what the program needs, in instances ---- */

/* The reason is that of the queue which needs most. */
static int wanted_now(const struct autoscale_load *load, const struct bounds *b, char *reason)
{
	double need = 0, most = -1;
	int wanted;

	say(reason, "nothing is ready");
	for (size_t i = 0; i < load->nqueues; i++) {
		char why[AUTOSCALE_REASON] = "";
		double one = need_of(load, &load->queues[i], why);

		need += one;
		if (*why && one > most) {
			most = one;
			say(reason, "%s", why);
		}
	}
	need = fmax(ceil(fmin(need, CHILDREN_MAX)), load->busy) - load->elsewhere;
	wanted = need > 0 ? (int)ceil(need / fmax(load->children, 1)) : 0;
	return wanted < b->min ? b->min : wanted > b->max ? b->max : wanted;
}

/* ---- the past ---- */

static void note(struct autoscale_history *h, const struct bounds *b, int64_t now_ms, int wanted)
{
	int64_t part = b->down_ms / (AUTOSCALE_PEAKS - 1) + 1;
	size_t at = (size_t)(now_ms / part) % AUTOSCALE_PEAKS;
	int64_t until = (now_ms / part + 1) * part + b->down_ms;

	if (h->peaks[at].until_ms != until)
		h->peaks[at].wanted = 0;
	h->peaks[at].until_ms = until;
	if (wanted > h->peaks[at].wanted)
		h->peaks[at].wanted = wanted;
}

static int peak(const struct autoscale_history *h, int64_t now_ms)
{
	int most = 0;

	for (size_t i = 0; i < AUTOSCALE_PEAKS; i++)
		if (h->peaks[i].until_ms > now_ms && h->peaks[i].wanted > most)
			most = h->peaks[i].wanted;
	return most;
}

/* Since when nothing was changed, as far as anybody here knows. */
static int64_t quiet_ms(const struct autoscale_history *h, int64_t now_ms)
{
	return now_ms - (h->changed_ms > h->since_ms ? h->changed_ms : h->since_ms);
}

static void decide_more(const struct autoscale_load *load, int wanted,
			struct autoscale_decision *ret)
{
	ret->wanted = wanted > 2 * load->instances ? 2 * load->instances : wanted;
}

static void decide_fewer(const struct autoscale_load *load, int most, int64_t down_ms,
			 struct autoscale_decision *ret)
{
	ret->wanted = most;
	say(ret->reason, "for %.3g s on end %d would have done, now %d children of %d are at work",
	    (double)down_ms / 1e3, most, load->busy, capacity(load));
}

void autoscale_decide(const struct autoscale_load *load, struct autoscale_history *h,
		      int64_t now_ms, struct autoscale_decision *ret)
{
	struct bounds b = bounds_of(load);
	int wanted = wanted_now(load, &b, ret->reason), most;

	if (!h->since_ms)
		h->since_ms = now_ms;
	note(h, &b, now_ms, wanted);
	most = peak(h, now_ms);
	ret->wanted = load->instances;
	if (load->instances < b.min && (!h->changed_ms || now_ms - h->changed_ms >= b.up_ms)) {
		ret->wanted = b.min;
		say(ret->reason, "%d are there, queues.conf asks for %d at least", load->instances,
		    b.min);
	} else if (wanted > load->instances && quiet_ms(h, now_ms) >= b.up_ms) {
		decide_more(load, wanted, ret);
	} else if (most < load->instances && quiet_ms(h, now_ms) >= b.down_ms) {
		decide_fewer(load, most, b.down_ms, ret);
	}
}

void autoscale_done(struct autoscale_history *h, int64_t now_ms)
{
	h->changed_ms = now_ms;
}
