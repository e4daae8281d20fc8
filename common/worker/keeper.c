/* SPDX-License-Identifier: MIT */
#include "common/worker/keeper.h"

#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include "common/base/err.h"
#include "common/base/fault.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/store/migrate.h"
#include "common/store/pg.h"
#include "common/worker/frame.h"
#include "common/worker/keeper_admit.h"
#include "common/worker/keeper_claim.h"
#include "common/worker/keeper_orders.h"
#include "common/worker/keeper_parked.h"
#include "common/worker/run_private.h"
#include "common/worker/settle.h"

enum { PROPS_MAX = 1 << 20 };

struct keeper {
	struct program *program;
	struct frame_port port;
	struct stores stores;
	struct catalog catalog;
	struct message message;
	struct keeper_orders orders;
	char host[256];
	pid_t parent;
	bool schema_fits;
};

struct counts {
	int64_t starts, arrivals;
	bool claimed;
};

static void answer(struct keeper *k, uint32_t number, int code, const char *text,
		   const struct counts *counts)
{
	frame_begin(&k->port, FRAME_ANSWER);
	frame_put_u32(&k->port, number);
	frame_put_i64(&k->port, code < 0 ? code : 0);
	frame_put_str(&k->port, text && *text ? text : NULL);
	frame_put_u32(&k->port, (uint32_t)counts->starts);
	frame_put_u32(&k->port, (uint32_t)counts->arrivals);
	frame_put_u32(&k->port, counts->claimed);
	frame_end(&k->port);
}

static int read_message(struct keeper *k, struct frame *f, struct err *e)
{
	size_t props_len, body_len;
	const char *props = frame_get_bytes(f, &props_len);
	const char *body = frame_get_bytes(f, &body_len);

	return message_decode(&k->message, props, props_len, body, body_len, e);
}

static int park(struct keeper *k, struct frame *f, struct err *e)
{
	const char *kind = frame_get_str(f), *queue = frame_get_str(f);
	int64_t due_us = frame_get_i64(f), delay_ms = frame_get_i64(f);
	const char *reason = frame_get_str(f);
	int admitted = (int)frame_get_u32(f);
	int64_t slot_ms = frame_get_i64(f);
	struct pending_row row;
	struct buf props;
	struct pg *pg;
	int r = read_message(k, f, e);

	k->message.admitted = admitted;
	k->message.slot_ms = slot_ms;

	buf_init(&props, PROPS_MAX);
	if (r >= 0)
		r = pending_from_message(&row, &k->message, kind, queue, &props, e);
	if (r >= 0) {
		row.due_us = due_us;
		row.delay_ms = delay_ms;
		row.reason = reason;
		r = stores_pg(&k->stores, &pg, e);
	}
	if (r >= 0)
		r = pending_insert(pg, &row, e);
	buf_release(&props);
	return r;
}

static const char SQL_START[] =
	"INSERT INTO jobfleet.starts (task_id, generation, starts, arrivals, causes)"
	" SELECT $1, $2::int, CASE $3::int WHEN 0 THEN 1 ELSE 0 END, $3::int,"
	" coalesce(nullif(jsonb_build_array($4::text), '[null]'), '[]')"
	" WHERE $3::int >= 0 OR NOT EXISTS (SELECT FROM jobfleet.ledger WHERE task_id = $1"
	" AND generation = $2::int AND final)"
	" ON CONFLICT (task_id, generation) DO UPDATE SET starts = starts.starts + excluded.starts,"
	" arrivals = starts.arrivals + excluded.arrivals, updated_at = now(),"
	" causes = CASE WHEN jsonb_array_length(starts.causes) < 20"
	" THEN starts.causes || excluded.causes ELSE starts.causes END"
	" RETURNING starts, arrivals, EXISTS (SELECT FROM jobfleet.pending WHERE task_id = $1"
	" AND generation = $2 AND retries = $5::int AND kind = 'claim' AND state = 'waiting'"
	" AND due > clock_timestamp())";

static int count_start(struct keeper *k, struct frame *f, struct counts *ret, struct err *e)
{
	const char *id = frame_get_str(f);
	uint32_t generation = frame_get_u32(f), retries = frame_get_u32(f);
	int arrival = (int)frame_get_u32(f);
	const char *cause = frame_get_str(f);
	struct pg_rows *rows = NULL;
	struct pg *pg;
	int64_t r = stores_pg(&k->stores, &pg, e);

	if (r >= 0)
		r = pg_run(pg, SQL_START, PG_PARAMS(PG_TEXT(id), PG_INT(generation),
						    PG_INT(arrival), PG_TEXT(cause),
						    PG_INT(retries)), &rows, e);
	if (r > 0)
		*ret = (struct counts){ pg_int(rows, 0, 0), pg_int(rows, 0, 1),
					pg_bool(rows, 0, 2) };
	pg_rows_free(rows);
	return r < 0 ? (int)r : 0;
}

static int claim(struct keeper *k, struct frame *f, struct err *e)
{
	enum keeper_claim what = (enum keeper_claim)frame_get_u32(f);
	const char *queue = frame_get_str(f);
	int64_t lease_ms = frame_get_i64(f);
	struct ledger_key key = { .task_id = frame_get_str(f) };
	struct pg *pg;
	int hop, r;

	key.generation = (int)frame_get_u32(f);
	key.nesting = (int)frame_get_u32(f);
	key.retries = (int)frame_get_u32(f);
	hop = (int)frame_get_u32(f);
	r = stores_pg(&k->stores, &pg, e);
	if (r >= 0 && what == KEEPER_CLAIM) {
		r = read_message(k, f, e);
		if (r >= 0)
			r = keeper_claim_insert(pg, &k->message, queue, lease_ms, e);
	}
	return r < 0 ? r : keeper_claim_move(pg, what, &key, hop, lease_ms, e);
}

static void describe(enum keeper_verdict v, const char *text, struct err *ret)
{
	static const enum err_code codes[] = {
		[KEEPER_HARD_LIMIT] = ERR_HARD_LIMIT, [KEEPER_LOST] = ERR_LOST,
		[KEEPER_UNREGISTERED] = ERR_NOT_FOUND, [KEEPER_EXPIRED] = ERR_CANCELLED,
		[KEEPER_REVOKED] = ERR_CANCELLED,
	};

	err_set(ret, codes[v], "%s", text);
	if (v == KEEPER_UNREGISTERED)
		snprintf(ret->exc_type, sizeof ret->exc_type, "NotRegistered");
}

static int verdict(struct keeper *k, struct frame *f, struct err *e)
{
	enum keeper_verdict v = (enum keeper_verdict)frame_get_u32(f);
	const char *queue = frame_get_str(f), *text = frame_get_str(f), *dead = frame_get_str(f);
	struct task unknown = { 0 };
	struct catalog_task stranger = { .task = &unknown, .ledger = true };
	struct settle s = { .why = e };
	struct err error;
	struct run run;
	int r = read_message(k, f, e);

	if (r < 0)
		return r;
	unknown.name = k->message.task;
	const struct catalog_task *task = catalog_find(&k->catalog, k->message.task);

	run_init(&run, &k->catalog, task ? task : &stranger, &k->stores);
	run.message = &k->message;
	run.id = k->message.id;
	run.queue = queue;
	run.node = k->program->node;
	run.ledger = run.task->ledger;
	run.key = (struct ledger_key){ run.id, k->message.generation, k->message.nesting,
				       k->message.retries };
	describe(v, text, &error);
	if (v == KEEPER_EXPIRED || v == KEEPER_REVOKED)
		settle_revoked(&run, text, &s);
	else
		settle_verdict(&run, &error, dead, &s);
	run_release(&run);
	return s.again ? -(int)e->code : 0;
}

static const char SQL_BEAT[] =
	"INSERT INTO jobfleet.workers (node, program, host, pid, state, queues, concurrency,"
	" active, reserved, processed, failed, info, version)"
	" VALUES ($1, $2, $3, $4, $5, $6::text[], $7, $8, $9, $10, $11, $12::jsonb, $13)"
	" ON CONFLICT (node) DO UPDATE SET program = excluded.program, host = excluded.host,"
	" pid = excluded.pid, state = excluded.state, queues = excluded.queues,"
	" concurrency = excluded.concurrency, active = excluded.active,"
	" reserved = excluded.reserved, processed = excluded.processed, failed = excluded.failed,"
	" info = excluded.info, version = excluded.version, seen_at = now(),"
	" started_at = CASE WHEN workers.pid = excluded.pid THEN workers.started_at ELSE now() END";

static int beat(struct keeper *k, struct frame *f, struct err *e)
{
	const char *state = frame_get_str(f), *queues = frame_get_str(f);
	uint32_t concurrency = frame_get_u32(f), active = frame_get_u32(f);
	uint32_t reserved = frame_get_u32(f);
	int64_t processed = frame_get_i64(f), failed = frame_get_i64(f);
	const char *info = frame_get_str(f);
	struct pg *pg;
	int64_t r = stores_pg(&k->stores, &pg, e);

	if (r >= 0 && !k->schema_fits)
		r = migrate_check(pg, e);
	k->schema_fits = r >= 0;
	if (r >= 0)
		r = pg_run(pg, SQL_BEAT,
			   PG_PARAMS(PG_TEXT(k->program->node), PG_TEXT(k->program->name),
				     PG_TEXT(k->host), PG_INT(k->parent), PG_TEXT(state),
				     PG_TEXT(queues), PG_INT(concurrency), PG_INT(active),
				     PG_INT(reserved), PG_INT(processed), PG_INT(failed),
				     PG_TEXT(info), PG_TEXT(JOBFLEET_VERSION)), NULL, e);
	return r < 0 ? (int)r : 0;
}

static void admit(struct keeper *k, uint32_t number, struct frame *f)
{
	struct admit_answer a = { .verdict = ADMIT_GO };
	struct err e = { 0 };
	int r = keeper_admit(&k->stores, &k->catalog, &k->message, f, &a, &e);

	frame_begin(&k->port, FRAME_ADMITTED);
	frame_put_u32(&k->port, number);
	frame_put_i64(&k->port, r < 0 ? r : 0);
	frame_put_u32(&k->port, a.verdict);
	frame_put_i64(&k->port, a.wait_ms);
	frame_put_str(&k->port, r < 0 ? e.msg : a.text);
	frame_end(&k->port);
	free(a.text);
}

static void parked(struct keeper *k, uint32_t number, struct frame *f)
{
	struct counts counts = { 0 };
	char *list = NULL;
	struct err e = { 0 };
	int r = keeper_parked(&k->stores, frame_get_str(f), k->program->node, &list, &e);

	answer(k, number, r, r < 0 ? e.msg : list, &counts);
	free(list);
}

static bool handle(struct keeper *k, struct frame *f)
{
	uint32_t number = f->kind == FRAME_CONF || f->kind == FRAME_QUIT ? 0 : frame_get_u32(f);
	struct counts counts = { 0 };
	struct err e = { 0 };
	int r;

	FAULT_POINT("keeper-asked");
	switch (f->kind) {
	case FRAME_PARK: r = park(k, f, &e); break;
	case FRAME_START: r = count_start(k, f, &counts, &e); break;
	case FRAME_VERDICT: r = verdict(k, f, &e); break;
	case FRAME_CLAIM: r = claim(k, f, &e); break;
	case FRAME_BEAT: r = beat(k, f, &e); break;
	case FRAME_RELEASE: r = keeper_release(&k->stores, f, &e); break;
	case FRAME_RENEW: r = keeper_renew(&k->stores, f, &e); break;
	case FRAME_RATE: r = keeper_rate(&k->stores, f, &e); break;
	case FRAME_ADMIT: admit(k, number, f); return true;
	case FRAME_PARKED: parked(k, number, f); return true;
	case FRAME_ORDER_WRITE: r = keeper_orders_write(&k->stores, f, &e); break;
	default: return f->kind == FRAME_CONF;	/* its URLs are those it was started with */
	}
	FAULT_POINT("keeper-done");
	answer(k, number, r, r < 0 ? e.msg : NULL, &counts);
	return true;
}

/* Waits for the parent, looking for orders meanwhile; -1: the parent is gone. */
static int fill(struct keeper *k)
{
	struct pollfd pfd = { .fd = k->port.fd, .events = POLLIN };

	for (;;) {
		int r = poll(&pfd, 1, keeper_orders_due_ms(&k->orders));

		if (r > 0)
			return frame_fill(&k->port, false);
		keeper_orders_poll(&k->orders, &k->stores, &k->port);
		if (frame_flush(&k->port, true) < 0)
			return -1;
	}
}

int keeper_main(struct program *program, int fd)
{
	struct keeper k = { .program = program };
	bool going = true;

	signal(SIGINT, SIG_IGN);
	signal(SIGTERM, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	signal(SIGQUIT, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	gethostname(k.host, sizeof k.host - 1);
	k.parent = program->parent;
	frame_port_init(&k.port, fd);
	stores_init(&k.stores, program->conf, program->process);
	catalog_init(&k.catalog, program->conf, program->name, program->tasks, program->ntasks);
	message_init(&k.message);
	while (going && fill(&k) >= 0) {
		struct frame f;

		while (going && frame_next(&k.port, &f)) {
			going = handle(&k, &f);
			keeper_orders_poll(&k.orders, &k.stores, &k.port);
		}
		if (frame_flush(&k.port, true) < 0)
			break;
	}
	message_release(&k.message);
	stores_release(&k.stores);
	catalog_release(&k.catalog);
	frame_port_release(&k.port);
	return 0;
}
