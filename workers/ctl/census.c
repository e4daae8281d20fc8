/* SPDX-License-Identifier: MIT */
#include "workers/ctl/census.h"

#include "common/base/buf.h"
#include "common/base/clock.h"
#include "common/base/conf.h"
#include "common/base/err.h"
#include "common/base/mem.h"
#include "common/broker/publisher.h"
#include "common/store/pg.h"
#include "workers/ctl/ctl.h"

#define MAILBOX "failed_operations"

enum { ASK_MS = 5000, NAMES_MAX = 1 << 20 };

const char *const CENSUS_KINDS[CENSUS_NKINDS] = {
	"outbox", "enqueued", "eta", "retry", "parked", "claim",
};

/* $1 queue names, $2 seconds after which a silent worker is gone, $3 the window, $4 when the look
 * before was. A sent row counts as lying in its queue unless a later row of its task exists, or a
 * worker reports to run it. */
static const char SQL[] =
	"WITH alive AS (SELECT * FROM jobfleet.workers WHERE state IN ('running', 'draining')"
	"  AND seen_at > now() - $2 * interval '1 s'),"
	" running AS (SELECT a->>'id' AS id FROM alive,"
	"  jsonb_array_elements(CASE WHEN jsonb_typeof(info->'active') = 'array'"
	"   THEN info->'active' ELSE '[]' END) a),"
	" waiting AS (SELECT queue,"
	"  count(*) FILTER (WHERE kind = 'outbox') AS outbox,"
	"  count(*) FILTER (WHERE kind = 'enqueued') AS enqueued,"
	"  count(*) FILTER (WHERE kind = 'eta') AS eta,"
	"  count(*) FILTER (WHERE kind = 'retry') AS retry,"
	"  count(*) FILTER (WHERE kind = 'parked') AS parked,"
	"  count(*) FILTER (WHERE kind = 'claim') AS claim"
	"  FROM jobfleet.pending WHERE state = 'waiting' GROUP BY queue),"
	" sent AS (SELECT p.queue, count(*) AS n, min(p.sent_at) AS oldest FROM jobfleet.pending p"
	"  WHERE p.state = 'sent' AND NOT EXISTS (SELECT FROM running r WHERE r.id = p.task_id)"
	"  AND NOT EXISTS (SELECT FROM jobfleet.pending l WHERE l.task_id = p.task_id"
	"   AND l.generation = p.generation AND l.id > p.id) GROUP BY p.queue),"
	" done AS (SELECT queue, count(*) AS n,"
	"  count(*) FILTER (WHERE settled_at > $4::timestamptz) AS since FROM jobfleet.ledger"
	"  WHERE settled_at > now() - $3 * interval '1 s' GROUP BY queue)"
	" SELECT q.name, coalesce(w.outbox, 0), coalesce(w.enqueued, 0), coalesce(w.eta, 0),"
	" coalesce(w.retry, 0), coalesce(w.parked, 0), coalesce(w.claim, 0), coalesce(s.n, 0),"
	" extract(epoch FROM clock_timestamp() - s.oldest), coalesce(d.n, 0),"
	" (SELECT CASE WHEN bool_and(cardinality(queues) = 1) THEN sum(active + reserved) END"
	"  FROM alive WHERE q.name = ANY(queues)),"
	" extract(epoch FROM clock_timestamp() - (SELECT max(seen_at) FROM jobfleet.workers"
	"  WHERE state = 'running' AND active = 0 AND reserved = 0 AND q.name = ANY(queues))),"
	" EXISTS (SELECT FROM jobfleet.pauses WHERE paused AND kind = 'queue' AND name = q.name),"
	" EXISTS (SELECT FROM jobfleet.pauses WHERE paused AND kind = 'fleet'),"
	" (SELECT reason FROM jobfleet.pauses WHERE paused AND (kind = 'fleet' OR (kind = 'queue'"
	"  AND name = q.name)) ORDER BY kind DESC LIMIT 1),"
	" coalesce(d.since, 0), clock_timestamp()"
	" FROM unnest($1::text[]) WITH ORDINALITY q(name, n)"
	" LEFT JOIN waiting w ON w.queue = q.name LEFT JOIN sent s ON s.queue = q.name"
	" LEFT JOIN done d ON d.queue = q.name ORDER BY q.n";

enum { COL_KINDS = 1, COL_SENT = 7, COL_OLDEST, COL_DONE, COL_UNACKED, COL_IDLE, COL_PAUSED,
       COL_FLEET, COL_REASON, COL_SINCE, COL_NOW };

static void read_row(struct census_queue *q, const struct pg_rows *rows, size_t i)
{
	for (int k = 0; k < CENSUS_NKINDS; k++)
		q->waiting[k] = pg_int(rows, i, COL_KINDS + k);
	q->sent = pg_int(rows, i, COL_SENT);
	q->settled = pg_int(rows, i, COL_DONE);
	q->settled_since = pg_int(rows, i, COL_SINCE);
	q->unacked = pg_cell(rows, i, COL_UNACKED) ? pg_int(rows, i, COL_UNACKED) : -1;
	q->own_age_s = pg_cell(rows, i, COL_OLDEST) ? pg_num(rows, i, COL_OLDEST) : -1;
	q->idle_s = pg_cell(rows, i, COL_IDLE) ? pg_num(rows, i, COL_IDLE) : -1;
	q->paused = pg_bool(rows, i, COL_PAUSED);
	q->fleet_paused = pg_bool(rows, i, COL_FLEET);
	q->pause_reason = mem_strdup(pg_text(rows, i, COL_REASON));
}

static void put_name(struct buf *out, const char *name)
{
	buf_puts(out, out->len > 1 ? ",\"" : "\"");
	for (; *name; name++) {
		if (*name == '"' || *name == '\\')
			buf_putc(out, '\\');
		buf_putc(out, *name);
	}
	buf_putc(out, '"');
}

static int look_into_tables(struct census *x, struct ctl *c, const struct census *before,
			    struct err *e)
{
	struct pg_rows *rows = NULL;
	struct buf names;
	int r;

	buf_init(&names, NAMES_MAX);
	buf_putc(&names, '{');
	for (size_t i = 0; i < x->n; i++)
		put_name(&names, x->queues[i].name);
	buf_putc(&names, '}');
	r = ctl_query(c, SQL,
		      PG_PARAMS(PG_TEXT(buf_text(&names)),
				PG_INT(3 * c->conf->fleet.heartbeat_s), PG_INT(CENSUS_WINDOW_S),
				PG_TEXT(before ? before->taken_at : NULL)),
		      &rows, e);
	buf_release(&names);
	for (size_t i = 0; r == 0 && i < x->n; i++)
		read_row(&x->queues[i], rows, i);
	if (r == 0 && x->n > 0)
		snprintf(x->taken_at, sizeof x->taken_at, "%s", pg_text(rows, 0, COL_NOW));
	pg_rows_free(rows);
	return r;
}

static int look_into_queue(struct census_queue *q, struct publisher *p, bool arguments,
			   struct err *e)
{
	int r = publisher_queue_depth(p, q->name, &q->ready, &q->consumers, ASK_MS, e);

	if (r == -ERR_NOT_FOUND) {
		err_clear(e);
		q->ready = q->consumers = -1;
		return 0;
	}
	q->declared = r >= 0;
	if (r < 0 || !q->conf || !arguments)
		return r;
	r = publisher_queue_fits(p, q->conf, ASK_MS, e);
	q->other_arguments = r == 0;
	if (r == -ERR_REFUSED) {	/* who may not declare the queue cannot ask */
		err_clear(e);
		return 0;
	}
	return r < 0 ? r : 0;
}

static void judge_age(struct census_queue *q, int64_t now_ms)
{
	double empty_s = q->empty_ms ? (double)(now_ms - q->empty_ms) / 1000 : -1;
	double bound = q->idle_s < 0 || (empty_s >= 0 && empty_s < q->idle_s) ? empty_s : q->idle_s;

	q->age_s = q->own_age_s;
	if (q->ready <= 0)
		q->age_kind = CENSUS_AGE_NONE;
	else if (q->own_age_s >= 0 && q->sent >= q->ready)
		q->age_kind = CENSUS_AGE_EXACT;
	else if (bound >= 0 && bound >= q->own_age_s)
		q->age_kind = CENSUS_AGE_BOUND;
	else
		q->age_kind = q->own_age_s >= 0 ? CENSUS_AGE_OWN : CENSUS_AGE_UNKNOWN;
	if (q->age_kind == CENSUS_AGE_BOUND)
		q->age_s = bound;
}

static void name_queues(struct census *x, const struct conf *conf, char *const *names)
{
	size_t n = 0;

	while (names && names[n])
		n++;
	x->n = n ? n : conf->nqueues + 1;
	x->queues = mem_zalloc(x->n * sizeof *x->queues);
	for (size_t i = 0; i < x->n; i++) {
		struct census_queue *q = &x->queues[i];

		q->name = n ? names[i] : i < conf->nqueues ? conf->queues[i].name : MAILBOX;
		q->conf = conf_queue(conf, q->name);
		q->in_per_s = q->settled_per_s = -1;
	}
}

int census_take(struct census *ret, struct ctl *c, char *const *names, bool arguments,
		const struct census *before, struct err *e)
{
	const struct conf *conf = NULL;
	struct publisher *p = NULL;
	struct census x = { 0 };
	int r = ctl_conf(c, &conf, e);

	if (r == 0)
		r = ctl_publisher(c, &p, e);
	if (r < 0)
		return r;
	name_queues(&x, conf, names);
	for (size_t i = 0; r == 0 && i < x.n; i++)
		r = look_into_queue(&x.queues[i], p, arguments, e);
	x.taken_ms = clock_mono_ms();
	if (r == 0)
		r = look_into_tables(&x, c, before, e);
	if (r < 0) {
		census_release(&x);
		return r;
	}
	if (before)
		census_compare(&x, before);
	for (size_t i = 0; i < x.n; i++) {
		if (x.queues[i].ready == 0)
			x.queues[i].empty_ms = x.taken_ms;
		judge_age(&x.queues[i], x.taken_ms);
	}
	*ret = x;
	return 0;
}

static const struct census_queue *find(const struct census *x, const char *name)
{
	for (size_t i = 0; i < x->n; i++) {
		if (strcmp(x->queues[i].name, name) == 0)
			return &x->queues[i];
	}
	return NULL;
}

void census_compare(struct census *now, const struct census *before)
{
	double s = (double)(now->taken_ms - before->taken_ms) / 1000;

	for (size_t i = 0; s > 0 && i < now->n; i++) {
		struct census_queue *q = &now->queues[i];
		const struct census_queue *old = find(before, q->name);
		double came = old ? (double)(q->ready - old->ready + q->settled_since) : 0;

		if (!old || !q->declared || !old->declared)
			continue;
		q->in_per_s = came > 0 ? came / s : 0;
		q->settled_per_s = (double)q->settled_since / s;
		q->other_arguments = q->other_arguments || old->other_arguments;
		q->empty_ms = old->empty_ms;
	}
}

void census_release(struct census *x)
{
	for (size_t i = 0; i < x->n; i++)
		free(x->queues[i].pause_reason);
	free(x->queues);
	*x = (struct census){ 0 };
}

int64_t census_waiting(const struct census_queue *q)
{
	int64_t n = 0;

	for (int k = 0; k < CENSUS_NKINDS; k++)
		n += q->waiting[k];
	return n;
}

void census_age_text(const struct census_queue *q, char *out, size_t size)
{
	static const char *const before[] = {
		[CENSUS_AGE_EXACT] = "", [CENSUS_AGE_OWN] = "own ", [CENSUS_AGE_BOUND] = "<= ",
	};

	if (q->age_kind == CENSUS_AGE_NONE || q->age_kind == CENSUS_AGE_UNKNOWN)
		snprintf(out, size, "-");
	else if (q->age_s < 10)
		snprintf(out, size, "%s%.1fs", before[q->age_kind], q->age_s);
	else
		snprintf(out, size, "%s%.0fs", before[q->age_kind], q->age_s);
}

const char *census_age_note(const struct census_queue *q)
{
	switch (q->age_kind) {
	case CENSUS_AGE_OWN:
		return "of what went through jobfleet.pending; others have no date";
	case CENSUS_AGE_BOUND:
		return "an upper bound: the queue was empty then (what came back may be older)";
	case CENSUS_AGE_UNKNOWN:
		return "messages have no date, and nobody has seen this queue empty yet";
	default:
		return "";
	}
}

void census_state(const struct census_queue *q, char *out, size_t size)
{
	struct buf b;

	buf_init(&b, size - 1);
	if (!q->declared)
		buf_puts(&b, ", not declared");
	if (q->paused || q->fleet_paused)
		buf_puts(&b, q->paused ? ", paused" : ", fleet paused");
	if (q->declared && q->consumers == 0 && q->conf && *q->conf->program)
		buf_puts(&b, ", nobody consumes");
	if (q->other_arguments)
		buf_puts(&b, ", other arguments");
	snprintf(out, size, "%s", b.len ? b.data + 2 : "ok");
	buf_release(&b);
}
