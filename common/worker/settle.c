/* SPDX-License-Identifier: MIT */
#include "common/worker/settle.h"

#include "common/base/clock.h"
#include "common/base/err.h"
#include "common/base/fault.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/store/dead_letter.h"
#include "common/store/pg.h"
#include "common/store/redis.h"
#include "common/store/result.h"
#include "common/worker/run_private.h"

enum {
	META_MAX = 64 << 20,
	SETTLE_LIMIT_MS = 30000,
	AGAIN_MS = 1000,
	PARK_MS = 60000,		/* a source that did not say when to come back */
	PROPS_MAX = 1 << 20,
};

/* What one settle writes. */
struct plan {
	enum ledger_outcome outcome;
	const char *status;		/* in Redis */
	const char *cause;
	struct buf meta;		/* result JSON; empty = none wanted */
	struct buf props;
	struct pending_row next;	/* retry or parked copy, when has_next */
	bool has_next, no_row;		/* no_row: parked, the attempt itself is not settled */
	struct dead_letter dead;	/* when dead.cause is set */
};

void settle_release(struct settle *s)
{
	free(s->event_text);
	free(s->event_trace);
	s->event_text = s->event_trace = NULL;
}

static bool wants_result(const struct run *run)
{
	return run->message && !run->message->ignore_result && !run->task->ignore_result;
}

static void plan_init(struct plan *p, enum ledger_outcome outcome, const char *status)
{
	*p = (struct plan){ .outcome = outcome, .status = status };
	buf_init(&p->meta, META_MAX);
	buf_init(&p->props, PROPS_MAX);
}

static void plan_release(struct plan *p)
{
	buf_release(&p->meta);
	buf_release(&p->props);
}

static int plan_meta(struct plan *p, const struct run *run, const char *json,
		     const char *traceback, struct err *e)
{
	struct result r = {
		.task_id = run->id, .status = p->status, .json = json, .traceback = traceback,
		.group_id = run->message ? run->message->group : NULL,
		.parent_id = run->message ? run->message->parent_id : NULL,
		.generation = run->key.generation, .retries = run->key.retries,
	};

	return wants_result(run) ? result_print(&p->meta, &r, e) : 0;
}

static int plan_error(struct plan *p, const struct run *run, const struct err *error, struct err *e)
{
	struct buf json;
	char *trace = mem_printf("Traceback (most recent call last):\n  File \"%s\", in %s\n    "
				 "task %s, attempt %d, queue %s, node %s\n%s.%s: %s\n",
				 run->stores->name, run->task->task->name, run->id,
				 run->key.retries + 1, run->queue, run->node,
				 err_exc_module(error), err_exc_type(error), error->msg);
	int r;

	buf_init(&json, META_MAX);
	r = result_print_error(&json, err_exc_type(error), error->msg, err_exc_module(error), e);
	if (r >= 0)
		r = plan_meta(p, run, buf_text(&json), trace, e);
	p->cause = err_name(error->code);
	buf_release(&json);
	free(trace);
	return r;
}

static struct ledger_entry entry_of(const struct run *run, const struct plan *p)
{
	return (struct ledger_entry){
		.key = run->key, .outcome = p->outcome, .task = run->task->task->name,
		.queue = run->queue, .node = run->node, .cause = p->cause,
		.meta = p->meta.len ? p->meta.data : NULL, .follow_ups = (int)run->nfollow_ups,
		.runtime_ms = clock_mono_ms() - run->started_ms,
		.traces = run->message && (run->message->hop > 0 || run->asked_ledger),
	};
}

/* Statements of the one commit; a transaction is opened unless the row stands alone. */
static int write_all(struct run *run, struct plan *p, struct pg *pg, struct err *e)
{
	struct ledger_entry entry = entry_of(run, p);
	bool several = run->unstored > 0 || p->has_next || p->dead.cause;
	int r = 0;

	if (several && !pg_in_transaction(pg))
		r = pg_begin(pg, SETTLE_LIMIT_MS, e);
	if (r >= 0)
		r = run_store_follow_ups(run, pg, e);
	if (r >= 0 && p->has_next)
		r = pending_insert(pg, &p->next, e);
	if (r >= 0 && p->dead.cause)
		r = dead_letter_insert(pg, &p->dead, e);
	if (r >= 0 && run->ledger && !p->no_row) {
		r = ledger_insert(pg, &entry, e);
		FAULT_POINT("ledger-row");
	}
	FAULT_POINT("before-commit");
	if (r >= 0 && pg_in_transaction(pg))
		r = pg_commit(pg, e);
	FAULT_POINT("after-commit");
	return r;
}

static bool needs_database(const struct run *run, const struct plan *p)
{
	return run->ledger || run->unstored > 0 || p->has_next || p->dead.cause ||
	       (run->stores->pg && pg_in_transaction(run->stores->pg));
}

/* Redis, else the backlog in PostgreSQL; both away is an error: the message must stay. */
static int deliver(struct run *run, const char *meta, bool final, int retries, struct err *e)
{
	static const char SQL[] = "INSERT INTO jobfleet.result_backlog (task_id, generation,"
				  " retries, final, meta) VALUES ($1, $2, $3, $4, $5)";
	struct redis *redis;
	struct pg *pg;
	struct err why = { 0 };
	int64_t r = stores_redis(run->stores, &redis, &why);

	if (r >= 0)
		r = result_store(redis, run->id, meta, run->key.generation, retries,
				 run->stores->conf->fleet.result_expires_s, &why);
	if (r >= 0)
		return 0;
	r = stores_pg(run->stores, &pg, e);
	if (r >= 0)
		r = pg_run(pg, SQL, PG_PARAMS(PG_TEXT(run->id), PG_INT(run->key.generation),
					      PG_INT(retries), PG_TEXT(final ? "true" : "false"),
					      PG_TEXT(meta)), NULL, e);
	return r < 0 ? (int)r : 0;
}

static void again(struct settle *ret, const struct err *e)
{
	ret->again = true;
	ret->delay_ms = AGAIN_MS;
	if (ret->why)
		*ret->why = *e;
}

int settle_found(struct run *run, struct settle *ret, struct err *e)
{
	struct ledger_found found;
	struct pg *pg;
	int r = stores_pg(run->stores, &pg, e);

	if (r >= 0)
		r = ledger_find(pg, &run->key, &found, e);
	run->asked_ledger = r >= 0;
	if (r <= 0)
		return r;
	ret->outcome = found.outcome;
	if (found.meta && wants_result(run))
		r = deliver(run, found.meta, ledger_outcome_is_final(found.outcome), found.retries,
			    e);
	ledger_found_release(&found);
	return r < 0 ? r : 1;
}

/* A commit without an answer, or a collision with a twin: the ledger knows what holds. */
static void resolve(struct run *run, const struct err *error, struct settle *ret)
{
	struct err e = { 0 };
	int r = run->ledger ? settle_found(run, ret, &e) : 0;

	if (r < 0)
		again(ret, &e);
	else if (r == 0)
		again(ret, error);
}

static void carry_out(struct run *run, struct plan *p, struct settle *ret)
{
	struct err e = { 0 };
	struct pg *pg;
	int r = 0;

	ret->outcome = p->outcome;
	if (needs_database(run, p)) {
		r = stores_pg(run->stores, &pg, &e);
		if (r >= 0) {
			pg_set_deadline(pg, clock_mono_ms() + SETTLE_LIMIT_MS);
			r = write_all(run, p, pg, &e);
			pg_set_deadline(pg, 0);
			if (r < 0)
				pg_rollback(pg);
		}
		if (r < 0) {
			stores_drop_broken(run->stores);
			resolve(run, &e, ret);
			return;
		}
	}
	run_publish_follow_ups(run);
	FAULT_POINT("after-follow-ups");
	if (p->meta.len > 0)
		r = deliver(run, p->meta.data, ledger_outcome_is_final(p->outcome) && !p->no_row,
			    run->key.retries, &e);
	FAULT_POINT("after-result");
	if (r < 0)
		again(ret, &e);
}

static void roll_back(struct run *run)
{
	if (run->stores->pg)
		pg_rollback(run->stores->pg);
	stores_drop_broken(run->stores);
	/* What no step has committed goes with the effects it belongs to. */
	for (; run->unstored > 0; run->unstored--, run->nfollow_ups--) {
		struct follow_up *f = &run->follow_ups[run->nfollow_ups - 1];

		message_release(&f->message);
		buf_release(&f->props);
		free(f->queue);
	}
}

void settle_success(struct run *run, const char *result, struct settle *ret)
{
	struct err e = { 0 };
	struct plan p;

	plan_init(&p, LEDGER_SUCCESS, "SUCCESS");
	if (plan_meta(&p, run, result, NULL, &e) < 0)
		settle_error(run, &e, ret);
	else
		carry_out(run, &p, ret);
	plan_release(&p);
}

void settle_revoked(struct run *run, const char *reason, struct settle *ret)
{
	struct err e = { 0 };
	struct plan p;
	struct buf json;

	plan_init(&p, LEDGER_REVOKED, "REVOKED");
	buf_init(&json, 4096);
	result_print_error(&json, "TaskRevokedError", reason, "celery.exceptions", &e);
	p.cause = reason;
	plan_meta(&p, run, buf_text(&json), NULL, &e);
	carry_out(run, &p, ret);
	buf_release(&json);
	plan_release(&p);
}

static bool is_wait(const struct err *error)
{
	return error->code == ERR_LIMITED || error->code == ERR_QUOTA || error->code == ERR_PARKED;
}

static bool may_retry(const struct run *run, const struct err *error)
{
	bool wrong_call = error->code == ERR_TYPE || error->code == ERR_INVALID ||
			  error->code == ERR_NOT_FOUND;

	if (!run->message || run->key.retries >= run->task->max_retries)
		return false;
	switch (run->task->retry_on) {
	case CONF_RETRY_ANY: return !wrong_call;
	case CONF_RETRY_NEVER: return error->code == ERR_AGAIN;
	default: return err_is_transient(error->code);
	}
}

static void eta_in(int64_t delay_ms, char out[CLOCK_ISO_SIZE])
{
	clock_iso(clock_wall_us() + delay_ms * 1000, out);
}

/* The same message once more, one attempt further. Its broker expiration goes: the broker would
 * drop it without a word, while the gate honours the expires header. */
static int plan_retry(struct plan *p, struct run *run, int64_t delay_ms, struct err *e)
{
	struct message m = *run->message;
	char eta[CLOCK_ISO_SIZE];
	int r;

	eta_in(delay_ms, eta);
	m.retries++;
	m.hop = 0;
	m.parent_id = m.id;
	m.expiration = NULL;
	m.eta = eta;
	r = pending_from_message(&p->next, &m, "retry", run->queue, &p->props, e);
	p->next.delay_ms = delay_ms;
	p->next.reason = p->cause;
	p->has_next = true;
	return r;
}

static int plan_park(struct plan *p, struct run *run, const struct err *error, struct err *e)
{
	int r = pending_from_message(&p->next, run->message, "parked", run->queue, &p->props, e);

	p->next.delay_ms = error->retry_after_ms > 0 ? error->retry_after_ms : PARK_MS;
	p->next.reason = error->msg;
	p->has_next = p->no_row = true;
	return r;
}

static int plan_dead(struct plan *p, const struct run *run, const char *cause,
		     const struct err *error, struct err *e)
{
	const struct message *m = run->message;
	int r = message_encode(m, &p->props, e);

	p->dead = (struct dead_letter){
		.task_id = m->id, .generation = m->generation, .task = m->task,
		.queue = run->queue, .cause = cause, .reason = error->msg,
		.props = p->props.data, .props_len = p->props.len, .body = m->body,
		.body_len = m->body_len,
	};
	return r;
}

void settle_verdict(struct run *run, const struct err *error, const char *dead_cause,
		    struct settle *ret)
{
	struct err e = { 0 };
	struct plan p;
	int r;

	plan_init(&p, LEDGER_FAILURE, "FAILURE");
	r = plan_error(&p, run, error, &e);
	if (r >= 0 && dead_cause)
		r = plan_dead(&p, run, dead_cause, error, &e);
	if (r < 0)
		again(ret, &e);
	else
		carry_out(run, &p, ret);
	plan_release(&p);
}

void settle_error(struct run *run, const struct err *error, struct settle *ret)
{
	bool wait = run->message && is_wait(error), retry = !wait && may_retry(run, error);
	struct err e = { 0 };
	struct plan p;
	int r;

	roll_back(run);
	if (run->settled_before) {
		resolve(run, error, ret);
		return;
	}
	plan_init(&p, wait || retry ? LEDGER_RETRY : LEDGER_FAILURE,
		  wait || retry ? "RETRY" : "FAILURE");
	r = plan_error(&p, run, error, &e);
	if (r >= 0 && retry)
		r = plan_retry(&p, run, catalog_backoff_ms(run->task, run->key.retries,
							   error->retry_after_ms), &e);
	else if (r >= 0 && wait)
		r = plan_park(&p, run, error, &e);
	else if (r >= 0 && run->message && err_is_transient(error->code))
		r = plan_dead(&p, run, "exhausted", error, &e);
	if (r < 0)
		again(ret, &e);
	else
		carry_out(run, &p, ret);
	plan_release(&p);
}
