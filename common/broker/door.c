/* SPDX-License-Identifier: MIT */
#include "common/broker/door.h"

#include <poll.h>

#include "common/base/clock.h"
#include "common/base/conf.h"
#include "common/base/mem.h"
#include "common/base/spool.h"
#include "common/broker/door_private.h"
#include "common/broker/message.h"

enum {
	BYTES_MOST = 32 << 20,
	PROPS_MOST = 131072,
	QUEUE_NAME_MOST = 255,
	SENDS_MOST = 2,			/* then a message that always breaks the connection is spooled */
	PUT_US = 2000,			/* until measured */
	RESERVE_MS = 20,
};

struct door *door_new(const struct conf *conf, const char *name)
{
	struct door *d = mem_zalloc(sizeof *d);

	d->conf = conf;
	d->name = mem_strdup(name);
	d->put_us = PUT_US;
	d->spool = spool_new(conf->fleet.data_dir, conf->fleet.spool_max_bytes);
	for (size_t i = 0; i < DOOR_WINDOW; i++)
		buf_init(&d->flights[i].props, PROPS_MOST);
	return d;
}

/* ---- the end of a message ---- */

static void finish(struct door *d, struct flight *f, enum door_answer answer, const struct err *e)
{
	f->state = FLIGHT_FREE;
	d->nflights--;
	d->bytes -= f->body_len + f->props.len;
	free(f->id);
	free(f->queue);
	free(f->body);
	f->id = f->queue = f->body = NULL;
	buf_clear(&f->props);
	if (f->done)
		f->done(f->ctx, f->tag, answer, e);
}

void door_on_done(void *ctx, uint64_t tag, enum publish_outcome outcome)
{
	static const struct err none;
	struct door *d = ctx;
	struct flight *f = tag < DOOR_WINDOW ? &d->flights[tag] : NULL;

	if (f && f->state == FLIGHT_SENT && outcome == PUBLISH_CONFIRMED) {
		d->backoff_ms = 0;
		finish(d, f, DOOR_CONFIRMED, &none);
	} else if (f && f->state == FLIGHT_SENT) {
		f->state = outcome == PUBLISH_RETURNED ? FLIGHT_RETURNED : FLIGHT_LOST;
		f->sends += outcome == PUBLISH_NACKED ? SENDS_MOST : 0;
		if (outcome == PUBLISH_NACKED)
			err_set(&d->why, ERR_BROKER, "RabbitMQ refused the message (nack)");
		d->troubled = true;
	} else if (!f && tag - DOOR_WINDOW < d->nreplayed) {
		d->replayed[tag - DOOR_WINDOW] = outcome;
	}
}

/* When to stop hoping for RabbitMQ: the rest of the time is for the disk. */
static int64_t give_up_at(const struct door *d, const struct flight *f)
{
	int64_t reserve = RESERVE_MS + (int64_t)d->nflights * d->put_us / 1000;

	return f->deadline - (reserve < f->timeout_ms / 3 ? reserve : f->timeout_ms / 3);
}

static int spool(struct door *d, const struct flight *f, struct err *e)
{
	struct spool_entry x = { .id = f->id, .queue = f->queue,
				 .props = f->props.data, .props_len = f->props.len,
				 .body = f->body, .body_len = f->body_len };
	int64_t began = clock_mono_us();
	int r = spool_put(d->spool, &x, e);

	d->put_us = (7 * d->put_us + clock_mono_us() - began) / 8;
	return r;
}

/* Not a question of time: neither another try nor a replay would help. */
static bool is_hopeless(const struct err *why)
{
	return why->code != ERR_NONE && !err_is_transient(why->code);
}

static void launch(struct door *d, struct flight *f);

static void settle_lost(struct door *d, struct flight *f)
{
	int64_t now = clock_mono_ms(), until = give_up_at(d, f);
	struct err why, disk = { 0 };

	if (f->sends < SENDS_MOST && now < until && now >= d->retry_at && door_ready(d, until)) {
		launch(d, f);
		return;
	}
	why = d->why;
	if (is_hopeless(&why)) {
		finish(d, f, DOOR_REJECTED, &why);
	} else if (spool(d, f, &disk) == 0) {
		finish(d, f, DOOR_SPOOLED, &why);
	} else if (now < until) {
		f->sends = 0;		/* nothing but RabbitMQ is left to hope for */
		d->troubled = d->stalled = true;
	} else {
		err_set(&why, why.code == ERR_NONE ? ERR_BROKER : why.code, "%.500s; %.400s",
			why.msg, disk.msg);
		finish(d, f, DOOR_REJECTED, &why);
	}
}

/* A queue can vanish again, so twice returned is enough. */
static void settle_returned(struct door *d, struct flight *f)
{
	struct err e = { 0 };
	int r;

	if (f->sends < SENDS_MOST)
		r = door_declare(d, f->queue, give_up_at(d, f), &e);
	else
		r = err_set(&e, ERR_UNROUTED, "queue %s takes no messages", f->queue);
	if (r == 0) {
		launch(d, f);
	} else if (!d->p && e.code != ERR_UNROUTED) {
		f->state = FLIGHT_LOST;
		d->troubled = true;
	} else {
		finish(d, f, DOOR_REJECTED, &e);
	}
}

/* ---- under way ---- */

static void launch(struct door *d, struct flight *f)
{
	int64_t until = give_up_at(d, f);
	struct publisher *p = door_ready(d, until);
	struct err e = { 0 };
	int r;

	if (!p) {
		f->state = FLIGHT_LOST;
		d->troubled = true;
		return;
	}
	f->state = FLIGHT_SENT;
	f->sends++;
	r = publisher_send(p, "", f->queue, f->props.data, f->props.len, f->body, f->body_len,
			   (uint64_t)(f - d->flights), (int)(until - clock_mono_ms()), &e);
	if (r == 0)
		return;
	door_drop(d, &e, r != -ERR_TIMEOUT);
	f->state = FLIGHT_LOST;
	d->troubled = true;
}

/* A connection that let one message wait for too long is given up, with all that it holds: a
 * confirm that came later could not be told from another's. Blocked by an alarm it may stay so for
 * hours; without a spool that is still the best hope. */
static void look_at_time(struct door *d)
{
	bool blocked = d->p && publisher_is_blocked(d->p);
	int64_t now = clock_mono_ms();
	struct err why = { 0 };

	d->look_at = now + DOOR_SLICE_MS;
	if (blocked && d->nflights && d->conf->fleet.spool_max_bytes > 0)
		err_set(&why, ERR_TIMEOUT, "RabbitMQ takes no messages: it is blocked by an alarm");
	for (size_t i = 0; i < DOOR_WINDOW && why.code == ERR_NONE; i++) {
		const struct flight *f = &d->flights[i];

		if (f->state == FLIGHT_SENT && now >= give_up_at(d, f))
			err_set(&why, ERR_TIMEOUT, "RabbitMQ did not confirm in %d ms%s",
				f->timeout_ms, blocked ? " (it is blocked by an alarm)" : "");
	}
	if (why.code != ERR_NONE)
		door_drop(d, &why, false);
}

static void sweep(struct door *d)
{
	look_at_time(d);
	if (!d->troubled)
		return;
	d->troubled = d->stalled = false;
	for (size_t i = 0; i < DOOR_WINDOW; i++) {
		struct flight *f = &d->flights[i];

		if (f->state == FLIGHT_RETURNED)
			settle_returned(d, f);
		if (f->state == FLIGHT_LOST)
			settle_lost(d, f);
	}
}

static void pump(struct door *d, int64_t until)
{
	int64_t left = until - clock_mono_ms(), ms = left < DOOR_SLICE_MS ? left : DOOR_SLICE_MS;
	struct err e = { 0 };

	if (ms < 0 || (d->troubled && !d->stalled))
		ms = 0;
	if (d->p && publisher_wait(d->p, (int)ms, &e) < 0)
		door_drop(d, &e, true);
	else if (!d->p && d->nflights)
		poll(NULL, 0, (int)ms);
	sweep(d);
}

/* ---- messages in ---- */

static int check(const struct door *d, const char *queue, const struct message *m, struct err *e)
{
	if (!queue || !*queue || strlen(queue) > QUEUE_NAME_MOST)
		return err_set(e, ERR_INVALID, "a queue's name has 1 to %d bytes", QUEUE_NAME_MOST);
	if (!m->id || !m->task)
		return err_set(e, ERR_INVALID, "a message needs a task and an id");
	if ((int64_t)m->body_len > d->conf->fleet.max_message_bytes)
		return err_set(e, ERR_TOO_BIG, "the message has %zu bytes, max_message is %lld",
			       m->body_len, (long long)d->conf->fleet.max_message_bytes);
	return 0;
}

/* There is one. */
static struct flight *free_flight(struct door *d)
{
	while (d->flights[d->next % DOOR_WINDOW].state != FLIGHT_FREE)
		d->next++;
	return &d->flights[d->next++ % DOOR_WINDOW];
}

static void wait_for_room(struct door *d, size_t bytes)
{
	while (d->nflights == DOOR_WINDOW || (d->nflights && d->bytes + bytes > BYTES_MOST))
		pump(d, clock_mono_ms() + 1);
}

int door_send(struct door *d, const char *queue, const struct message *m, uint64_t tag,
	      door_done *done, void *ctx, int timeout_ms, struct err *e)
{
	int64_t began = clock_mono_ms();
	struct flight *f;
	int r = check(d, queue, m, e);

	if (r < 0)
		return r;
	wait_for_room(d, m->body_len);
	if (d->troubled || clock_mono_ms() >= d->look_at)
		pump(d, 0);
	f = free_flight(d);
	r = message_encode(m, &f->props, e);
	if (r < 0) {
		buf_clear(&f->props);
		return r;
	}
	f->state = FLIGHT_LOST;
	f->sends = 0;
	f->tag = tag;
	f->timeout_ms = timeout_ms > 0 ? timeout_ms : (int)d->conf->fleet.enqueue_timeout_ms;
	f->deadline = began + f->timeout_ms;
	f->id = mem_strdup(m->id);
	f->queue = mem_strdup(queue);
	f->body = mem_dup(m->body, m->body_len);
	f->body_len = m->body_len;
	f->done = done;
	f->ctx = ctx;
	d->nflights++;
	d->bytes += f->body_len + f->props.len;
	launch(d, f);
	return 0;
}

void door_poll(struct door *d)
{
	pump(d, 0);
}

void door_drain(struct door *d, int timeout_ms)
{
	int64_t until = clock_mono_ms() + timeout_ms;

	while (d->nflights) {
		if (clock_mono_ms() >= until) {
			for (size_t i = 0; i < DOOR_WINDOW; i++)
				d->flights[i].deadline = 0;
		}
		pump(d, until);
	}
}

struct answer {
	bool there;
	enum door_answer answer;
	struct err why;
};

static void take_answer(void *ctx, uint64_t tag, enum door_answer answer, const struct err *e)
{
	struct answer *a = ctx;

	(void)tag;
	a->there = true;
	a->answer = answer;
	a->why = *e;
}

enum door_answer door_enqueue(struct door *d, const char *queue, const struct message *m,
			      int timeout_ms, struct err *e)
{
	int ms = timeout_ms > 0 ? timeout_ms : (int)d->conf->fleet.enqueue_timeout_ms;
	struct answer a = { 0 };

	if (door_send(d, queue, m, 0, take_answer, &a, ms, e) < 0)
		return DOOR_REJECTED;
	while (!a.there)
		pump(d, clock_mono_ms() + ms);
	if (e && a.answer != DOOR_CONFIRMED)
		*e = a.why;
	return a.answer;
}

void door_free(struct door *d)
{
	if (!d)
		return;
	for (size_t i = 0; i < DOOR_WINDOW; i++)
		d->flights[i].done = NULL;
	door_drain(d, 0);
	publisher_close(d->p);
	spool_free(d->spool);
	for (size_t i = 0; i < DOOR_WINDOW; i++)
		buf_release(&d->flights[i].props);
	free(d->name);
	free(d);
}
