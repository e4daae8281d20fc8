/* SPDX-License-Identifier: MIT */
/* The gate: what happens to a message when it arrives, before any child sees it. */
#include "common/base/clock.h"
#include "common/base/err.h"
#include "common/base/fault.h"
#include "common/base/json.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/base/uuid.h"
#include "common/broker/link.h"
#include "common/worker/admit.h"
#include "common/worker/obey.h"
#include "common/worker/plain.h"
#include "common/worker/worker_private.h"

static const int64_t DAY_US = 86400000000;

enum {
	STORE_AWAY_MS = 1000,		/* a store did not take it: ask again after this */
	MAX_FORWARDS = 3,
	NO_QUEUE_MS = 30000,		/* parked so long, doubled each time, if there is no queue */
	MAX_PARKS = 4,
	PROPS_MAX = 1 << 18,
	/* Properties travel in one frame of 131072 bytes, and we add headers of our own. */
	PROPS_TAKEN = 120000, PROPS_SENT = 130000,
	ID_KEPT = 255,
};

void gate_hold(struct worker *w, struct delivery *d, int64_t delay_ms)
{
	feed_end_solo(w, d);
	d->wake_ms = clock_mono_ms() + (delay_ms > 0 ? delay_ms : 0);
	delivery_push(&w->held, d);
	if (!uv_is_active((uv_handle_t *)&w->held_timer) ||
	    uv_timer_get_due_in(&w->held_timer) > (uint64_t)delay_ms)
		uv_timer_start(&w->held_timer, w->held_timer.timer_cb, (uint64_t)delay_ms, 0);
}

void gate_wake(struct worker *w)
{
	int64_t now = clock_mono_ms(), next = INT64_MAX;
	struct delivery_list due = { 0 };
	struct delivery *d, *after;

	for (d = w->held.first; d; d = after) {
		after = d->next;
		if (d->wake_ms <= now) {
			delivery_remove(&w->held, d);
			delivery_push(&due, d);
		} else if (d->wake_ms < next) {
			next = d->wake_ms;
		}
	}
	if (next != INT64_MAX)
		uv_timer_start(&w->held_timer, w->held_timer.timer_cb, (uint64_t)(next - now), 0);
	while ((d = delivery_pop(&due)))
		gate_decide(w, d);
}

static void tell_verdict(struct worker *w, const struct delivery *d)
{
	static const char *const NAMES[] = {
		[KEEPER_HARD_LIMIT] = "TimeLimitExceeded", [KEEPER_LOST] = "WorkerLostError",
		[KEEPER_UNREGISTERED] = "NotRegistered",
	};
	enum keeper_verdict v = (enum keeper_verdict)(d->judged - 1);
	char *text;

	if (!events_on(w))
		return;
	if (v == KEEPER_REVOKED || v == KEEPER_EXPIRED) {
		events_revoked(w, d, d->terminated > 0, d->terminated, v == KEEPER_EXPIRED);
		return;
	}
	text = mem_printf(v == KEEPER_HARD_LIMIT ? "%s(%s)" : "%s('%s')", NAMES[v], d->cause);
	events_failed(w, d, text, NULL);
	free(text);
}

static void stored(void *ctx, struct delivery *d, const struct desk_answer *a)
{
	struct worker *w = ctx;

	delivery_remove(&w->outside, d);
	if (a->code == 0) {
		if (d->judged) {
			tell_verdict(w, d);
			meter_verdict(w, d, (enum keeper_verdict)(d->judged - 1));
			admit_end(w, d, true);
		}
		feed_ack(w, d);
		return;
	}
	log_about(LOG_LEVEL_WARNING, worker_log_task(w, d), "task %s waits for its store: %s",
		  d->id, a->text);
	gate_hold(w, d, STORE_AWAY_MS);
}

void gate_verdict(struct worker *w, struct delivery *d, enum keeper_verdict v, const char *text,
		  const char *dead_cause)
{
	char *copy = mem_strdup(text);	/* text may be the old cause */

	feed_end_solo(w, d);
	mem_replace(&d->cause, copy);
	d->judged = (int)v + 1;
	d->dead_cause = dead_cause;
	delivery_push(&w->outside, d);
	desk_verdict(w->desk, d, v, w->queues[d->queue].name, d->cause, dead_cause, stored, w);
}

void gate_park(struct worker *w, struct delivery *d, const char *kind, int64_t due_us,
	       int64_t delay_ms, const char *reason)
{
	feed_end_solo(w, d);
	delivery_push(&w->outside, d);
	desk_park(w->desk, d, kind, w->queues[d->queue].name, due_us, delay_ms, reason, stored, w);
}

/* What it is routed to does not exist: a worker that makes it may be on its way. */
static void no_queue(struct worker *w, struct delivery *d)
{
	if (d->hop >= MAX_PARKS) {
		gate_verdict(w, d, KEEPER_UNREGISTERED, d->name, "unregistered");
		return;
	}
	gate_park(w, d, "parked", 0, (int64_t)NO_QUEUE_MS << d->hop,
		  "the queue it is routed to does not exist");
}

void gate_published(void *ctx, void *item, enum publish_outcome outcome)
{
	struct worker *w = ctx;
	struct delivery *d = item;

	delivery_remove(&w->outside, d);
	if (outcome == PUBLISH_CONFIRMED)
		feed_ack(w, d);
	else if (outcome == PUBLISH_RETURNED && d->task == DELIVERY_UNKNOWN_TASK && *d->name)
		no_queue(w, d);
	else
		gate_hold(w, d, STORE_AWAY_MS);
}

static void set_text(struct message *m, const char *name, const char *text)
{
	cJSON *v = mem_check(cJSON_CreateString(text));

	message_set_header(m, name, v, NULL);
	cJSON_Delete(v);
}

/* The same message of the same day has the same name, so that the copy of one that was delivered
 * again after a crash adds nothing. */
static void name_mail(const struct worker *w, const struct delivery *d, char out[UUID_SIZE])
{
	const char *queue = w->queues[d->queue].name;
	struct buf text;

	if (!d->body) {
		uuid_v4(out);
		return;
	}
	buf_init(&text, SIZE_MAX);
	buf_printf(&text, "%s %lld ", queue, (long long)(clock_wall_us() / DAY_US));
	buf_append(&text, d->props, d->props_len);
	buf_append(&text, d->body, d->body_len);
	uuid_v5(text.data, text.len, out);
	buf_release(&text);
}

static int label_dead(struct worker *w, const struct delivery *d, const char *cause,
		      const char *reason, struct buf *out)
{
	char mail_id[UUID_SIZE];
	struct message *m = &w->scratch;
	struct err e = { 0 };

	name_mail(w, d, mail_id);
	set_text(m, "x-jobfleet-cause", cause);
	set_text(m, "x-jobfleet-reason", reason);
	set_text(m, "x-jobfleet-queue", w->queues[d->queue].name);
	set_text(m, "x-jobfleet-node", w->program.node);
	set_text(m, "x-jobfleet-mail-id", mail_id);
	m->expiration = NULL;
	m->priority = MESSAGE_NO_PRIORITY;
	return message_encode(m, out, &e);
}

/* The original headers and ours; a message that could not be decoded keeps what could be read, one
 * whose headers leave no room for ours loses all but its id. */
static int dead_props(struct worker *w, const struct delivery *d, const char *cause,
		      const char *reason, struct buf *out)
{
	int r;

	message_decode(&w->scratch, d->props, d->props_len, "", 0, NULL);
	r = label_dead(w, d, cause, reason, out);
	if (r >= 0 && out->len <= PROPS_SENT)
		return r;
	buf_clear(out);
	message_clear(&w->scratch);
	if (*d->id && strlen(d->id) <= ID_KEPT)
		w->scratch.id = message_strdup(&w->scratch, d->id);
	return label_dead(w, d, cause, reason, out);
}

void gate_dead(struct worker *w, struct delivery *d, const char *cause, const char *reason)
{
	struct buf props;
	bool taken;

	mem_replace(&d->cause, mem_strdup(reason));	/* reason may be the old one */
	reason = d->cause;
	buf_init(&props, PROPS_MAX);
	delivery_push(&w->outside, d);
	taken = dead_props(w, d, cause, reason, &props) >= 0 &&
		outlet_publish(w->outlet, OUTLET_MAILBOX, props.data, props.len, d->body,
			       d->body_len, d);
	buf_release(&props);
	if (taken) {
		log_about(LOG_LEVEL_WARNING, worker_log_task(w, d),
			  "dead letter id=%s task=%s cause=%s reason=\"%s\"", d->id, d->name, cause,
			  reason);
		return;
	}
	delivery_remove(&w->outside, d);
	gate_hold(w, d, STORE_AWAY_MS);
}

static bool forward(struct worker *w, struct delivery *d, const char *queue)
{
	struct message *m = &w->scratch;
	struct buf props;
	bool taken = false;

	buf_init(&props, PROPS_MAX);
	if (message_decode(m, d->props, d->props_len, d->body, d->body_len, NULL) >= 0) {
		m->forwards++;
		taken = message_encode(m, &props, NULL) >= 0 &&
			outlet_publish(w->outlet, queue, props.data, props.len, m->body,
				       m->body_len, d);
	}
	buf_release(&props);
	return taken;
}

static void not_ours(struct worker *w, struct delivery *d)
{
	const char *queue = conf_route(w->program.conf, d->name);
	char text[512];

	if (queue && strcmp(queue, w->queues[d->queue].name) != 0 && d->forwards < MAX_FORWARDS) {
		delivery_push(&w->outside, d);
		if (forward(w, d, queue))
			return;
		delivery_remove(&w->outside, d);
		gate_hold(w, d, STORE_AWAY_MS);
		return;
	}
	snprintf(text, sizeof text, "%.255s", d->name);
	gate_verdict(w, d, KEEPER_UNREGISTERED, text, "unregistered");
}

bool gate_owns(const struct worker *w, const struct delivery *d)
{
	return d->claimed || consumer_owns(w->consumer, d);
}

static void uncounted(void *ctx, struct delivery *none, const struct desk_answer *a)
{
	(void)ctx;
	(void)none;
	(void)a;	/* without a store nothing was counted either */
}

void gate_give_back(struct worker *w, struct delivery *d)
{
	const struct catalog_task *t = feed_spec(w, d);

	feed_end_solo(w, d);
	admit_end(w, d, false);
	if (d->claimed)
		claim_end(w, d, true);
	else
		consumer_give_back(w->consumer, d);
	if (!d->claimed && t && t->ledger && *d->id)
		desk_uncount(w->desk, d, uncounted, NULL);
	delivery_free(d);
}

void gate_decide(struct worker *w, struct delivery *d)
{
	int64_t now_us = clock_wall_us();

	if (!gate_owns(w, d)) {
		admit_end(w, d, false);
		delivery_free(d);
	} else if (d->judged) {
		gate_verdict(w, d, (enum keeper_verdict)(d->judged - 1), d->cause, d->dead_cause);
	} else if (obey_stops(w, d)) {
		return;
	} else if (w->state >= WORKER_DRAINING || !d->body) {
		gate_give_back(w, d);
	} else if (d->plain) {
		plain_send(w, d);
	} else if (d->cause && !*d->name) {
		gate_dead(w, d, "malformed", d->cause);
	} else if (d->expires_us && now_us >= d->expires_us) {
		gate_verdict(w, d, KEEPER_EXPIRED, "expired", NULL);
	} else if (d->task == DELIVERY_UNKNOWN_TASK) {
		not_ours(w, d);
	} else if (admit_arrival(w, d)) {
		return;
	} else if (d->hop == 0 && d->eta_us - now_us > w->program.conf->fleet.eta_hold_ms * 1000) {
		gate_park(w, d, "eta", d->eta_us, 0, NULL);
	} else if (d->hop == 0 && d->eta_us > now_us) {
		gate_hold(w, d, (d->eta_us - now_us + 999) / 1000);
	} else {
		buffer_put(&w->buffer, d);
	}
}

static int read_times(struct delivery *d, const struct message *m, struct err *e)
{
	int r = 0;

	if (m->eta)
		r = clock_parse_iso(m->eta, &d->eta_us, e);
	if (r < 0)
		return err_prefix(e, "header eta");
	if (m->expires)
		r = clock_parse_iso(m->expires, &d->expires_us, e);
	return r < 0 ? err_prefix(e, "header expires") : 0;
}

static void arrival_counted(void *ctx, struct delivery *d, const struct desk_answer *a)
{
	struct worker *w = ctx;
	enum { ARRIVALS_MAX = 50 };

	delivery_remove(&w->outside, d);
	if (a->code == 0)
		feed_suspect(d, a->starts);
	if (a->code == 0 && a->claimed)
		feed_ack(w, d);
	else if (a->code == 0 && a->arrivals > ARRIVALS_MAX)
		gate_verdict(w, d, KEEPER_LOST, "redelivered more than 50 times without an end",
			     "lost");
	else
		gate_decide(w, d);
}

static void admit(struct worker *w, struct delivery *d, const struct message *m, int decoded,
		   struct err *e)
{
	const struct catalog_task *t;

	d->plain = decoded < 0 && plain_is(w, d, m);
	if (d->plain) {
		gate_decide(w, d);
		return;
	}
	if (decoded >= 0 && d->hop == 0 && d->props_len > PROPS_TAKEN)
		decoded = err_set(e, ERR_PROTOCOL, "headers of %zu bytes, at most %d are taken",
				  d->props_len, PROPS_TAKEN);
	if (decoded >= 0)
		decoded = read_times(d, m, e);
	if (decoded < 0) {
		mem_replace(&d->cause, mem_strdup(e->msg));
		d->name[0] = '\0';	/* whatever it calls: it goes to the dead letters */
		gate_dead(w, d, "malformed", d->cause);
		return;
	}
	t = catalog_find(&w->catalog, d->name);
	d->task = t ? (int)(t - w->catalog.tasks) : DELIVERY_UNKNOWN_TASK;
	if (!d->ask_ledger || !t || !t->ledger) {
		gate_decide(w, d);
		return;
	}
	delivery_push(&w->outside, d);
	desk_count(w->desk, d, true, "redelivered", arrival_counted, w);
}

/* Too large to hold: the parts go on to failed_operations as they come. */
static void begin_huge(struct worker *w, struct delivery *d, size_t size)
{
	char reason[128];
	struct buf props;

	snprintf(reason, sizeof reason, "message of %zu bytes is over max_message (%lld)", size,
		 (long long)w->program.conf->fleet.max_message_bytes);
	buf_init(&props, PROPS_MAX);
	w->huge = d;
	delivery_push(&w->outside, d);
	if (dead_props(w, d, "too_big", reason, &props) < 0 ||
	    !outlet_stream_begin(w->outlet, OUTLET_MAILBOX, props.data, props.len, size, d)) {
		delivery_remove(&w->outside, d);
		gate_hold(w, d, STORE_AWAY_MS);
		w->huge = NULL;
	} else {
		log_about(LOG_LEVEL_WARNING, worker_log_task(w, d),
			  "dead letter id=%s task=%s cause=too_big reason=\"%s\"", d->id, d->name,
			  reason);
	}
	buf_release(&props);
}

static void pass_part(struct worker *w, const struct link_event *ev)
{
	if (!w->huge)
		return;
	outlet_stream_part(w->outlet, ev->body, ev->body_len);
	if (ev->last) {
		outlet_stream_end(w->outlet);
		w->huge = NULL;
	}
}

void gate_arrive(struct worker *w, int queue, uint64_t generation, const struct link_event *ev)
{
	struct message *m = &w->scratch;
	struct err e = { 0 };
	struct delivery *d;
	int r;

	FAULT_POINT("delivered");
	if (ev->kind == LINK_PART) {
		pass_part(w, ev);
		return;
	}
	r = message_decode(m, ev->props, ev->props_len, ev->body ? ev->body : "",
			   ev->body ? ev->body_len : 0, &e);
	d = delivery_new(ev, m);
	d->queue = queue;
	d->link_generation = generation;
	feed_weigh(w, d);
	if (r >= 0)
		events_received(w, d);
	if (!ev->body)
		begin_huge(w, d, ev->body_len);
	else
		admit(w, d, m, r, &e);
}

void gate_give_back_queue(struct worker *w, int queue)
{
	struct delivery *d;

	while ((d = buffer_pop(&w->buffer, queue)))
		gate_give_back(w, d);
}

void gate_give_back_all(struct worker *w)
{
	struct delivery *d;

	for (int i = 0; i < (int)w->nqueues; i++)
		gate_give_back_queue(w, i);
	while ((d = delivery_pop(&w->held)))
		gate_give_back(w, d);
}
