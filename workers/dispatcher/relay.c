/* SPDX-License-Identifier: MIT */
#include "workers/dispatcher/relay.h"

#include <stdbool.h>

#include "common/base/buf.h"
#include "common/base/clock.h"
#include "common/base/conf.h"
#include "common/base/err.h"
#include "common/base/fault.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/broker/message.h"
#include "common/broker/publisher.h"
#include "common/store/orders.h"
#include "common/store/pg.h"
#include "workers/dispatcher/batch.h"
#include "workers/dispatcher/letter.h"
#include "workers/dispatcher/parcel.h"
#include "workers/dispatcher/peers.h"

#define PUBLISH_MS 8000 /* a whole batch; the claim outlives it */
#define DECLARE_MS 3000
#define MAX_QUEUES 1000
#define MAX_PROPS_BYTES (1 << 20)
#define MAX_IDS_BYTES (RELAY_BATCH * 24)
#define MAX_QUEUE_NAME 255
#define DEFAULT_PRIORITY 10
#define SLICE_MS 100
#define TURN_MS 400

/* A claim of a long task whose owner renewed it meanwhile (due lies ahead again) must not become
 * 'sent': the owner would take it for lost, and the copy has been dropped in its favour.
 * Here and below: <> 'sent', for = 'waiting' would offer the index of all that waits. */
static const char SQL_SENT[] =
	"UPDATE jobfleet.pending SET claimed_until = NULL, reason = NULL,"
	" state = CASE WHEN due <= clock_timestamp() THEN 'sent' ELSE 'waiting' END,"
	" sent_at = CASE WHEN due <= clock_timestamp() THEN clock_timestamp() END"
	" FROM (SELECT set_config('synchronous_commit', 'off', true)) AS setting"
	" WHERE id = ANY($1::bigint[]) AND state <> 'sent'";

static const char SQL_FREE[] = "UPDATE jobfleet.pending SET claimed_until = NULL"
			       " WHERE id = ANY($1::bigint[]) AND state <> 'sent'";

static const char SQL_GONE[] = "DELETE FROM jobfleet.pending WHERE id = ANY($1::bigint[])";

static const char SQL_LATER[] =
	"WITH late AS (UPDATE jobfleet.pending SET claimed_until = NULL, reason = $2,"
	" due = now() + least(interval '1 second' * power(2, least(attempts, 12) - 1),"
	" interval '10 minutes') WHERE id = ANY($1::bigint[]) AND state <> 'sent' RETURNING queue)"
	" SELECT jobfleet.raise_alert('relay_returned', q.queue, 'ERROR',"
	" format('%s messages for queue %s: %s', q.n, q.queue, $2))"
	" FROM (SELECT queue, count(*) AS n FROM late GROUP BY queue) AS q";

/* HELD: sent to a broker that an alarm has stopped; it stays claimed, for it may still arrive. */
enum fate { UNSENT, CONFIRMED, RETURNED, NACKED, UNKNOWN, HELD, ALREADY, DEAD };

/* One batch on its way. */
struct sweep {
	struct pg_rows *rows; /* NULL = none */
	size_t count;
	uint64_t first_tag; /* what comes late from an older one is not ours */
	enum fate fates[RELAY_BATCH];
};

struct relay {
	const struct conf *conf;
	struct relay_counts counts;
	char **queues; /* declared on connection number `connection` */
	size_t nqueues;
	unsigned connection;
	struct message message;
	struct buf props;
	struct sweep sweeps[2], *out; /* out: the one whose confirms are awaited */
	uint64_t next_tag;
	char *after;	/* the order key behind which to go on; NULL = from the first */
	bool probing; /* after an alarm: one row at a time until one is confirmed */
};

/* ---- queues, each declared once a connection ---- */

static void forget_queues(struct relay *r)
{
	for (size_t i = 0; i < r->nqueues; i++)
		free(r->queues[i]);
	free(r->queues);
	r->queues = NULL;
	r->nqueues = 0;
}

static int declare(struct relay *r, struct publisher *p, const char *queue, struct err *e)
{
	const struct conf_queue *q = conf_queue(r->conf, queue);
	int rc;

	for (size_t i = 0; i < r->nqueues; i++)
		if (strcmp(r->queues[i], queue) == 0)
			return 0;
	rc = publisher_declare(p, queue, q ? q->max_priority : DEFAULT_PRIORITY,
			       q && q->type == CONF_QUEUE_QUORUM, DECLARE_MS, e);
	if (rc < 0)
		return rc;
	if (rc == 1)
		log_warn("queue stands with other arguments than ours, used as it is queue=%s",
			 queue);
	if (r->nqueues == MAX_QUEUES)
		forget_queues(r);
	r->queues = mem_realloc(r->queues, (r->nqueues + 1) * sizeof *r->queues);
	r->queues[r->nqueues++] = mem_strdup(queue);
	return 0;
}

/* ---- publishing ---- */

static int left_ms(int64_t deadline)
{
	int64_t left = deadline - clock_mono_ms();

	return left > 0 ? (int)left : 0;
}

static void on_done(void *ctx, uint64_t tag, enum publish_outcome outcome)
{
	static const enum fate FATES[] = { [PUBLISH_CONFIRMED] = CONFIRMED,
					   [PUBLISH_RETURNED] = RETURNED,
					   [PUBLISH_NACKED] = NACKED,
					   [PUBLISH_UNKNOWN] = UNKNOWN };
	struct relay *r = ctx;
	struct sweep *s = r->out;

	if (outcome == PUBLISH_CONFIRMED)
		r->probing = false;
	if (tag >= s->first_tag && tag - s->first_tag < s->count)
		s->fates[tag - s->first_tag] = FATES[outcome];
}

static int pack(struct relay *r, const struct pg_rows *rows, size_t i, struct err *e)
{
	struct parcel parcel = {
		.task = pg_text(rows, i, BATCH_TASK),
		.task_id = pg_text(rows, i, BATCH_TASK_ID),
		.generation = (int)pg_int(rows, i, BATCH_GENERATION),
		.nesting = (int)pg_int(rows, i, BATCH_NESTING),
		.retries = (int)pg_int(rows, i, BATCH_RETRIES),
		.hop = (int)pg_int(rows, i, BATCH_HOP),
		.headers = pg_cell(rows, i, BATCH_HEADERS),
		.priority = pg_cell(rows, i, BATCH_PRIORITY) ? (int)pg_int(rows, i, BATCH_PRIORITY)
						       : MESSAGE_NO_PRIORITY,
	};
	void *props = pg_bytea(rows, i, BATCH_PROPS, &parcel.props_len);
	void *body = pg_bytea(rows, i, BATCH_BODY, &parcel.body_len);
	int rc;

	parcel.props = props;
	parcel.body = body;
	buf_clear(&r->props);
	rc = parcel_pack(&parcel, &r->message, &r->props, e);
	free(props);
	free(body);
	return rc;
}

/* Into the dead letters, and out of pending, in one transaction. */
static int bury(struct pg *pg, const struct pg_rows *rows, size_t i, const char *reason,
		struct err *e)
{
	struct letter letter = { .retries = (int)pg_int(rows, i, BATCH_RETRIES) };
	struct dead_letter *dead = &letter.dead;
	char *mail_id = mem_printf("pending:%s", pg_text(rows, i, BATCH_ID));
	void *props = pg_bytea(rows, i, BATCH_PROPS, &dead->props_len);
	void *body = pg_bytea(rows, i, BATCH_BODY, &dead->body_len);
	int r = pg_begin(pg, PUBLISH_MS, e);

	dead->mail_id = mail_id;
	dead->task_id = pg_text(rows, i, BATCH_TASK_ID);
	dead->task = pg_text(rows, i, BATCH_TASK);
	dead->generation = (int)pg_int(rows, i, BATCH_GENERATION);
	dead->queue = pg_text(rows, i, BATCH_QUEUE);
	dead->cause = "malformed";
	dead->reason = reason;
	dead->props = props;
	dead->body = body;
	if (r == 0)
		r = letter_store(pg, &letter, e);
	if (r >= 0)
		r = (int)pg_run(pg, "DELETE FROM jobfleet.pending WHERE id = $1::bigint",
				PG_PARAMS(PG_TEXT(pg_text(rows, i, BATCH_ID))), NULL, e);
	if (r >= 0)
		r = pg_commit(pg, e);
	if (r < 0)
		pg_rollback(pg);
	free(mail_id);
	free(props);
	free(body);
	return r;
}

/* A queue that cannot be declared on a sound connection (its name, our rights) is the row's
 * trouble alone. */
static int reach_queue(struct relay *r, struct publisher *p, const char *queue, size_t i,
		       struct err *e)
{
	int rc = declare(r, p, queue, e);

	if (rc == 0 || err_is_transient(e->code) || !publisher_is_alive(p))
		return rc;
	log_error("queue cannot be declared queue=%s reason=\"%s\"", queue, e->msg);
	r->out->fates[i] = RETURNED;
	return 0;
}

/* One row. Negative: the rest of the batch has to wait. */
static int send_row(struct relay *r, struct pg *pg, struct publisher *p, const struct pg_rows *rows,
		    size_t i, int64_t deadline, struct err *e)
{
	const char *queue = pg_text(rows, i, BATCH_QUEUE);
	struct err why = { 0 };
	int rc = 0;

	if (pg_bool(rows, i, BATCH_SETTLED)) {
		r->out->fates[i] = ALREADY;
		return 0;
	}
	if (strlen(queue) > MAX_QUEUE_NAME)
		rc = err_set(&why, ERR_INVALID, "the queue's name is longer than %d bytes",
			     MAX_QUEUE_NAME);
	if (rc == 0)
		rc = pack(r, rows, i, &why);
	if (rc < 0) {
		log_error("cannot be published, to the dead letters task_id=%s reason=\"%s\"",
			  pg_text(rows, i, BATCH_TASK_ID), why.msg);
		r->out->fates[i] = bury(pg, rows, i, why.msg, e) < 0 ? UNSENT : DEAD;
		return 0;
	}
	rc = reach_queue(r, p, queue, i, e);
	if (rc < 0 || r->out->fates[i] == RETURNED)
		return rc;
	r->out->fates[i] = UNKNOWN;
	return publisher_send(p, "", queue, r->props.data, r->props.len, r->message.body,
			      r->message.body_len, r->out->first_tag + i, left_ms(deadline), e);
}

/* Until all are settled; gives up at once when the broker announces an alarm. */
static int await(struct publisher *p, int64_t deadline, struct err *e)
{
	int left;

	do {
		left = publisher_wait(p, SLICE_MS, e);
	} while (left > 0 && !publisher_is_blocked(p) && clock_mono_ms() < deadline);
	if (left > 0)
		return err_set(e, ERR_TIMEOUT, "%d messages were not confirmed in time", left);
	return left;
}

/* Hands all of a batch to the connection. Negative: it broke, or the time is over. */
static int send_sweep(struct relay *r, struct pg *pg, struct publisher *p, struct sweep *s,
		      int64_t deadline, struct err *e)
{
	int rc = 0;

	r->out = s;
	s->first_tag = r->next_tag;
	r->next_tag += RELAY_BATCH;
	memset(s->fates, 0, sizeof s->fates);
	publisher_on_done(p, on_done, r);
	for (size_t i = 0; rc >= 0 && i < s->count; i++)
		rc = send_row(r, pg, p, s->rows, i, deadline, e);
	if (rc >= 0)
		publisher_wait(p, 0, NULL); /* out with what is buffered */
	return rc;
}

/* Waits for the confirms, unless sending failed (rc). Unless an alarm holds it up, a connection
 * with unsettled messages goes: their confirms could come when nobody waits for them any more. */
static int end_sweep(struct relay *r, struct peers *peers, struct publisher *p, struct sweep *s,
		     int64_t deadline, int rc, struct err *e)
{
	if (rc >= 0)
		rc = await(p, deadline, e);
	if (rc >= 0)
		return 0;
	r->probing = true;
	if (!publisher_is_alive(p) || !publisher_is_blocked(p)) {
		peers_drop(peers, PEER_BROKER, e);
		return rc;
	}
	log_warn("RabbitMQ takes no messages (alarm), holding back");
	for (size_t i = 0; i < s->count; i++)
		if (s->fates[i] == UNKNOWN)
			s->fates[i] = HELD;
	return rc;
}

/* ---- writing down what became of them ---- */

static size_t list_ids(struct buf *out, const struct sweep *s, enum fate fate)
{
	size_t n = 0;

	buf_clear(out);
	buf_putc(out, '{');
	for (size_t i = 0; i < s->count; i++)
		if (s->fates[i] == fate)
			buf_printf(out, "%s%s", n++ ? "," : "", pg_text(s->rows, i, BATCH_ID));
	buf_putc(out, '}');
	return n;
}

static int record_fates(struct relay *r, struct pg *pg, const struct sweep *s, struct err *e)
{
	static const struct {
		enum fate fate;
		const char *sql, *reason; /* reason: the statement's $2 */
		size_t counter;
	} RECORDS[] = {
		{ CONFIRMED, SQL_SENT, NULL, offsetof(struct relay_counts, sent) },
		{ ALREADY, SQL_GONE, NULL, offsetof(struct relay_counts, settled) },
		{ RETURNED, SQL_LATER, "no queue takes it",
		  offsetof(struct relay_counts, returned) },
		{ NACKED, SQL_LATER, "the broker refused it (nack)",
		  offsetof(struct relay_counts, returned) },
		{ UNKNOWN, SQL_FREE, NULL, offsetof(struct relay_counts, unknown) },
		{ UNSENT, SQL_FREE, NULL, offsetof(struct relay_counts, unknown) },
	};
	struct buf ids;
	int64_t rc = 0;

	buf_init(&ids, MAX_IDS_BYTES);
	for (size_t i = 0; rc >= 0 && i < COUNT(RECORDS); i++) {
		size_t n = list_ids(&ids, s, RECORDS[i].fate);
		struct pg_param params[] = { PG_TEXT(buf_text(&ids)), PG_TEXT(RECORDS[i].reason) };

		if (n == 0)
			continue;
		rc = pg_run(pg, RECORDS[i].sql, params, RECORDS[i].reason ? 2 : 1, NULL, e);
		*(int64_t *)((char *)&r->counts + RECORDS[i].counter) += (int64_t)n;
	}
	buf_release(&ids);
	for (size_t i = 0; i < s->count; i++) {
		r->counts.dead += s->fates[i] == DEAD;
		if (s->fates[i] == RETURNED)
			forget_queues(r);
	}
	return rc < 0 ? (int)rc : 0;
}

/* And forgets the batch. Without PostgreSQL its claims run out by themselves. */
static int record(struct relay *r, struct peers *peers, struct sweep *s, struct err *e)
{
	struct pg *pg = s->rows ? peers_database(peers) : NULL;
	int rc = pg ? record_fates(r, pg, s, e) : 0;

	pg_rows_free(s->rows);
	s->rows = NULL;
	s->count = 0;
	return rc;
}

/* ---- the sweep ---- */

static struct publisher *ready_broker(struct relay *r, struct peers *peers)
{
	struct publisher *p = peers_broker(peers);

	if (!p)
		return NULL;
	publisher_wait(p, 0, NULL); /* hears of an alarm, or that the connection is gone */
	if (!publisher_is_alive(p) || publisher_is_blocked(p))
		return NULL;
	if (r->connection != peers_count(peers, PEER_BROKER)) {
		forget_queues(r);
		r->connection = peers_count(peers, PEER_BROKER);
	}
	return p;
}

/* Into a free sweep. What an operator paused or revoked meanwhile is left where it is. */
static int claim(struct relay *r, struct peers *peers, bool ordered, struct sweep *s,
		 struct err *e)
{
	struct pg *pg = peers_database(peers);
	int rc = pg ? orders_park_due(pg, e) : 0;

	if (pg && rc == 0)
		rc = batch_claim(pg, ordered ? &r->after : NULL, r->probing ? 1 : RELAY_BATCH,
				 RELAY_BATCH_BYTES, RELAY_CLAIM_MS, &s->rows, e);
	s->count = s->rows ? pg_rows_count(s->rows) : 0;
	memset(s->fates, 0, sizeof s->fates);
	return rc;
}

/* Batch after batch while until_ms has not come: while RabbitMQ confirms one, the one before it is
 * written down and the next is claimed. 1 = there were some. */
static int pass_on(struct relay *r, struct peers *peers, struct publisher *p, bool ordered,
		   int64_t until_ms, struct err *e)
{
	struct sweep *now = &r->sweeps[0], *other = &r->sweeps[1], *done;
	int rc = claim(r, peers, ordered, now, e), sent = 0;
	int any = now->count > 0;

	while (rc >= 0 && sent >= 0 && now->count > 0) {
		int64_t deadline = clock_mono_ms() + PUBLISH_MS;
		struct pg *pg = peers_database(peers);
		struct err why = { 0 };

		if (!pg)
			break;
		FAULT_POINT("relay-claimed");
		sent = send_sweep(r, pg, p, now, deadline, &why);
		rc = record(r, peers, other, e);
		if (rc >= 0 && sent >= 0 && clock_mono_ms() < until_ms)
			rc = claim(r, peers, ordered, other, e);
		sent = end_sweep(r, peers, p, now, deadline, sent, &why);
		done = now;
		now = other;
		other = done;
	}
	if (record(r, peers, other, e) < 0)
		rc = -(int)e->code;
	if (record(r, peers, now, e) < 0) /* claimed and not sent: free again */
		rc = -(int)e->code;
	return rc < 0 ? rc : any;
}

/* Rows in order go by themselves: were one returned, the next of its key must not be out yet. */
int relay_turn(struct relay *r, struct peers *peers, struct err *e)
{
	struct publisher *p = ready_broker(r, peers);
	int64_t until_ms = clock_mono_ms() + TURN_MS;
	int rc, more;

	if (!p || !peers_database(peers))
		return 0;
	rc = pass_on(r, peers, p, false, until_ms, e);
	p = rc < 0 ? NULL : ready_broker(r, peers);
	if (!p || !peers_database(peers))
		return rc;
	more = pass_on(r, peers, p, true, 0, e);
	return more < 0 ? more : rc > 0 || more > 0;
}

int relay_next_ms(struct relay *r, struct peers *peers, int most_ms)
{
	struct pg *pg = ready_broker(r, peers) ? peers_database(peers) : NULL;

	return pg ? batch_next_ms(pg, most_ms) : most_ms;
}

const struct relay_counts *relay_counts(const struct relay *r)
{
	return &r->counts;
}

void relay_open(struct relay **ret, const struct conf *conf)
{
	struct relay *r = mem_zalloc(sizeof *r);

	r->conf = conf;
	message_init(&r->message);
	buf_init(&r->props, MAX_PROPS_BYTES);
	*ret = r;
}

void relay_use(struct relay *r, const struct conf *conf)
{
	r->conf = conf;
	forget_queues(r);
}

void relay_close(struct relay *r)
{
	if (!r)
		return;
	forget_queues(r);
	free(r->after);
	message_release(&r->message);
	buf_release(&r->props);
	free(r);
}
