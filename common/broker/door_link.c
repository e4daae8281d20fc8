/* SPDX-License-Identifier: MIT */
#include <netinet/in.h>
#include <resolv.h>

#include "common/base/clock.h"
#include "common/base/conf.h"
#include "common/base/mem.h"
#include "common/base/spool.h"
#include "common/broker/door_private.h"

enum {
	WINDOW = DOOR_WINDOW - 32,	/* a send waits for room there, until the first confirm */
	BACKOFF_FIRST_MS = 250,
	BACKOFF_MOST_MS = 5000,
	AGAIN_MS = 1000,		/* what another try after a failure may cost a caller */
	REPLAY_BATCH = 128,
	REPLAY_BYTES = 16 << 20,
};

static void back_off(struct door *d)
{
	int ms = d->backoff_ms ? 2 * d->backoff_ms : BACKOFF_FIRST_MS;

	d->backoff_ms = ms < BACKOFF_MOST_MS ? ms : BACKOFF_MOST_MS;
	d->retry_at = clock_mono_ms() + d->backoff_ms;
}

void door_drop(struct door *d, const struct err *why, bool at_once)
{
	struct publisher *p = d->p;

	d->p = NULL;
	d->why = *why;
	publisher_close(p);		/* answers for what it holds */
	if (!at_once || d->backoff_ms)
		back_off(d);
	else
		d->backoff_ms = BACKOFF_FIRST_MS;	/* unless the next one confirms something */
}

/* The resolver's own patience (5 s twice, for each server) would outlive most deadlines. */
static void hurry_resolver(void)
{
	if (_res.retrans != 1 && res_init() == 0)
		_res.retrans = _res.retry = 1;
}

struct publisher *door_ready(struct door *d, int64_t until)
{
	int64_t now = clock_mono_ms(), ms = until - now;
	struct err e = { 0 };

	if (d->p && !publisher_is_alive(d->p)) {
		publisher_wait(d->p, 0, &e);
		door_drop(d, &e, true);
	}
	if (d->p || now < d->retry_at)
		return d->p;
	if (d->backoff_ms && ms > AGAIN_MS)
		ms = AGAIN_MS;
	hurry_resolver();
	if (publisher_open(&d->p, d->conf->fleet.broker_url, d->name, WINDOW, ms > 0 ? (int)ms : 0,
			   &e) < 0) {
		d->p = NULL;
		d->why = e;
		back_off(d);
		return NULL;
	}
	publisher_on_done(d->p, door_on_done, d);
	err_clear(&d->why);
	return d->p;
}

int door_declare(struct door *d, const char *queue, int64_t until, struct err *e)
{
	const struct conf_queue *q = conf_queue(d->conf, queue);
	struct publisher *p = q ? door_ready(d, until) : NULL;
	int r;

	if (!q)
		return err_set(e, ERR_UNROUTED, "there is no queue %s at the broker", queue);
	if (!p) {
		*e = d->why;
		return -(int)e->code;
	}
	r = publisher_declare(p, queue, q->max_priority, q->type == CONF_QUEUE_QUORUM,
			      (int)(until - clock_mono_ms()), e);
	if (r < 0 && (err_is_transient(e->code) || !publisher_is_alive(p)))
		door_drop(d, e, r != -ERR_TIMEOUT);
	return r < 0 ? r : 0;
}

/* ---- replay ---- */

static void publish_entry(struct door *d, size_t i, const struct spool_entry *x, int64_t until)
{
	struct err e = { 0 };
	int r;

	d->replayed[i] = PUBLISH_UNKNOWN;
	if (!d->p)
		return;
	r = publisher_send(d->p, "", x->queue, x->props, x->props_len, x->body, x->body_len,
			   DOOR_WINDOW + i, (int)(until - clock_mono_ms()), &e);
	if (r < 0)
		door_drop(d, &e, r != -ERR_TIMEOUT);
}

static void await_batch(struct door *d, int64_t until)
{
	struct err e = { 0 };
	int left = d->p ? 1 : 0;

	while (d->p && left > 0) {
		left = publisher_wait(d->p, DOOR_SLICE_MS, &e);
		if (left > 0 && (publisher_is_blocked(d->p) || clock_mono_ms() >= until))
			left = err_set(&e, ERR_TIMEOUT, "RabbitMQ took no spooled message%s",
				       publisher_is_blocked(d->p) ?
				       " (it is blocked by an alarm)" : " in time");
		if (left < 0)
			door_drop(d, &e, left != -ERR_TIMEOUT);
	}
}

/* What was returned is tried once more with its queue declared. */
static void try_again(struct door *d, struct spool_held **held, size_t n, int64_t until,
		      struct err *e)
{
	bool again = false;

	for (size_t i = 0; i < n; i++) {
		if (d->replayed[i] != PUBLISH_RETURNED)
			continue;
		if (door_declare(d, spool_entry(held[i])->queue, until, e) < 0)
			continue;
		publish_entry(d, i, spool_entry(held[i]), until);
		again = true;
	}
	if (again)
		await_batch(d, until);
}

static int replay_batch(struct door *d, struct spool_held **held, size_t n, int64_t until,
			struct err *e)
{
	enum publish_outcome outcomes[REPLAY_BATCH] = { 0 };	/* publish_entry sets it */
	int confirmed = 0;

	d->replayed = outcomes;
	d->nreplayed = n;
	for (size_t i = 0; i < n; i++)
		publish_entry(d, i, spool_entry(held[i]), until);
	await_batch(d, until);
	try_again(d, held, n, until, e);
	for (size_t i = 0; i < n; i++) {
		confirmed += outcomes[i] == PUBLISH_CONFIRMED;
		spool_settle(d->spool, held[i], outcomes[i] == PUBLISH_CONFIRMED);
	}
	d->replayed = NULL;
	d->nreplayed = 0;
	return confirmed;
}

int door_replay(struct door *d, int most, int timeout_ms, struct err *e)
{
	int64_t until = clock_mono_ms() + timeout_ms;
	struct spool_held *held[REPLAY_BATCH];
	int done = 0, n = 0;

	if (!door_ready(d, until) || publisher_is_blocked(d->p)) {
		err_set(e, d->p ? ERR_TIMEOUT : d->why.code, "%s",
			d->p ? "RabbitMQ is blocked by an alarm" : d->why.msg);
		return -(int)e->code;
	}
	while (d->p && done < most && clock_mono_ms() < until) {
		size_t want = (size_t)(most - done);

		n = spool_take(d->spool, want < REPLAY_BATCH ? want : REPLAY_BATCH, REPLAY_BYTES,
			       held, e);
		if (n <= 0)
			break;
		done += replay_batch(d, held, (size_t)n, until, e);
	}
	if (n < 0 || (!d->p && done == 0)) {
		if (n >= 0 && e)
			*e = d->why;
		return e ? -(int)e->code : -ERR_BROKER;
	}
	return done;
}
