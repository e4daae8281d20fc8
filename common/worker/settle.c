/* SPDX-License-Identifier: MIT */
#include "common/worker/settle.h"

#include "common/base/clock.h"
#include "common/base/err.h"
#include "common/base/fault.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/store/pg.h"
#include "common/store/redis.h"
#include "common/store/result.h"
#include "common/worker/answer.h"
#include "common/worker/run_private.h"
#include "common/worker/settle_plan.h"

enum { SETTLE_LIMIT_MS = 30000, AGAIN_MS = 1000 };

void settle_release(struct settle *s)
{
	free(s->event_text);
	free(s->event_trace);
	s->event_text = s->event_trace = NULL;
}

static struct ledger_entry entry_of(struct run *run, const struct plan *p)
{
	struct ledger_entry entry = {
		.key = run->key, .outcome = p->outcome, .task = run->task->task->name,
		.queue = run->queue, .node = run->node, .cause = p->cause,
		.meta = p->meta.len ? p->meta.data : NULL, .follow_ups = (int)run->outbox.n,
		.runtime_ms = clock_mono_ms() - run->started_ms,
		.traces = run->message && (run->message->hop > 0 || run->asked_ledger),
	};

	settle_note_part(run, &p->end, &entry);
	return entry;
}

static int write_rows(struct run *run, struct plan *p, struct pg *pg,
		      const struct ledger_entry *entry, struct err *e)
{
	int r = outbox_store(&run->outbox, pg, e);

	if (r >= 0 && p->has_next)
		r = pending_insert(pg, &p->next, e);
	if (r >= 0 && p->dead.cause)
		r = dead_letter_insert(pg, &p->dead, e);
	if (r >= 0 && run->ledger && !p->no_row) {
		r = ledger_insert(pg, entry, e);
		FAULT_POINT("ledger-row");
	}
	FAULT_POINT("before-commit");
	return r;
}

/* Statements of the one commit. Where the handler left no transaction open, several go as one
 * batch, which is one of its own: a round trip instead of four. */
static int write_all(struct run *run, struct plan *p, struct pg *pg, struct err *e)
{
	bool several = outbox_has_unstored(&run->outbox) || p->has_next || p->dead.cause;
	bool batch = several && !pg_in_transaction(pg);
	struct ledger_entry entry = entry_of(run, p);
	int r = batch ? pg_batch_begin(pg, e) : 0;

	if (r < 0)
		return r;
	r = write_rows(run, p, pg, &entry, e);
	if (batch && r < 0)
		pg_batch_drop(pg);
	else if (batch)
		r = pg_batch_end(pg, e);
	else if (r >= 0 && pg_in_transaction(pg))
		r = pg_commit(pg, e);
	FAULT_POINT("after-commit");
	return r;
}

/* Without a ledger nothing has to be one with the effects unless a transaction is open: messages go
 * out first, and only what the broker did not confirm becomes rows. */
static bool needs_database(const struct run *run, const struct plan *p)
{
	return run->ledger || outbox_has_delayed(&run->outbox) || p->has_next || p->dead.cause ||
	       (run->stores->pg && pg_in_transaction(run->stores->pg));
}

static int deliver(struct run *run, const char *meta, bool final, int retries, struct err *e)
{
	struct answer a = { .task_id = run->id, .meta = meta, .final = final, .retries = retries,
			    .generation = run->key.generation };

	return answer_store(run->stores, &a, e);
}

static void again(struct settle *ret, const struct err *e)
{
	ret->again = true;
	ret->delay_ms = AGAIN_MS;
	if (ret->why)
		*ret->why = *e;
}

/* What the ledger row says is delivered once more, the canvas included. */
static int deliver_found(struct run *run, const struct ledger_found *found, struct settle *ret,
			 struct err *e)
{
	struct raw meta = { found->meta, found->meta ? strlen(found->meta) : 0 };
	struct settle_end end = { found->outcome, raw_member(meta, "result"),
				  raw_member(meta, "traceback") };
	int r = 0;

	ret->outcome = found->outcome;
	if (found->meta && plan_wants_result(run))
		r = deliver(run, found->meta, ledger_outcome_is_final(found->outcome),
			    found->retries, e);
	if (r >= 0 && found->meta)
		r = settle_deliver_end(run, &end, e);
	return r;
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
	r = deliver_found(run, &found, ret, e);
	ledger_found_release(&found);
	return r < 0 ? r : 1;
}

/* A commit without an answer, or a collision with a twin: the ledger knows what holds. If it knows
 * nothing, and it was not PostgreSQL that went away, the attempt cannot end by itself (it held its
 * transaction too long, say): its starts are counted, so that it does not run for ever. */
static void resolve(struct run *run, const struct err *error, struct settle *ret)
{
	struct err e = { 0 };
	int r = run->ledger ? settle_found(run, ret, &e) : 0;

	if (r < 0)
		again(ret, &e);
	else if (r == 0)
		again(ret, error);
	ret->unended = r == 0 && run->ledger && error->code != ERR_DB;
}

static int commit(struct run *run, struct plan *p, struct err *e)
{
	struct pg *pg;
	int r = stores_pg(run->stores, &pg, e);

	if (r < 0)
		return r;
	pg_set_deadline(pg, clock_mono_ms() + SETTLE_LIMIT_MS);
	r = write_all(run, p, pg, e);
	pg_set_deadline(pg, 0);
	if (r < 0)
		pg_rollback(pg);
	return r;
}

/* Sizes before parts. Of a stored outbox nothing is lost: parts that find no size are joined by
 * whoever reads it in PostgreSQL. */
static int publish(struct run *run, struct plan *p, bool stored, struct err *e)
{
	struct err why = { 0 };
	size_t left;
	int r = outbox_start(&run->outbox, run->stores, &why);

	if (r < 0 && !stored)
		return err_set(e, why.code, "%s", why.msg);
	if (r < 0)
		log_warn("the size of a chord waits for Redis: %s", why.msg);
	left = outbox_publish(&run->outbox, run->stores);
	return left && !stored ? commit(run, p, e) : 0;
}

static int deliver_all(struct run *run, struct plan *p, bool stored, struct err *e)
{
	int r = 0;

	if (p->meta.len > 0 && plan_wants_result(run))
		r = deliver(run, p->meta.data, ledger_outcome_is_final(p->outcome) && !p->no_row,
			    run->key.retries, e);
	FAULT_POINT("after-result");
	if (r < 0)
		return r;
	r = settle_deliver_end(run, &p->end, e);
	if (r < 0 && stored && run->ledger) {
		log_warn("what follows task %s waits for the sweeper: %s", run->id, e->msg);
		r = 0;
	}
	return r;
}

static void carry_out(struct run *run, struct plan *p, struct settle *ret)
{
	bool stored = needs_database(run, p);
	struct err e = { 0 };
	int r = stored ? commit(run, p, &e) : 0;

	ret->outcome = p->outcome;
	if (r < 0) {
		stores_drop_broken(run->stores);
		resolve(run, &e, ret);
		return;
	}
	r = publish(run, p, stored, &e);
	FAULT_POINT("after-follow-ups");
	if (r >= 0)
		r = deliver_all(run, p, stored, &e);
	if (r < 0)
		again(ret, &e);
}

static void roll_back(struct run *run)
{
	if (run->stores->pg)
		pg_rollback(run->stores->pg);
	stores_drop_broken(run->stores);
	/* What no step has committed goes with the effects it belongs to. */
	outbox_forget_unstored(&run->outbox);
	buf_clear(&run->children);
}

void settle_success(struct run *run, const char *result, struct settle *ret)
{
	struct err e = { 0 };
	struct plan p;
	int r = plan_check_result(run, result, &e);

	plan_init(&p, LEDGER_SUCCESS, "SUCCESS");
	p.end.json = (struct raw){ result, strlen(result) };
	if (r >= 0)
		r = settle_follow_success(run, p.end.json, &e);
	if (r >= 0)
		r = plan_meta(&p, run, result, NULL, &e);
	if (r >= 0 && ret->wants_event)
		mem_replace(&ret->event_text, plan_event_of_result(result));
	if (r < 0)
		settle_error(run, &e, ret);
	else
		carry_out(run, &p, ret);
	plan_release(&p);
}

void settle_revoked(struct run *run, const char *reason, struct settle *ret)
{
	struct err e = { 0 };
	struct plan p;

	plan_init(&p, LEDGER_REVOKED, "REVOKED");
	result_print_error(&p.json, "TaskRevokedError", reason, "celery.exceptions", &e);
	p.end.json = (struct raw){ p.json.data, p.json.len };
	p.cause = reason;
	plan_meta(&p, run, buf_text(&p.json), NULL, &e);
	carry_out(run, &p, ret);
	plan_release(&p);
}

static bool is_wait(const struct err *error)
{
	return error->code == ERR_LIMITED || error->code == ERR_QUOTA || error->code == ERR_PARKED;
}

/* What a schedule gave this run in a header, over the task's; fallback without one. */
static int64_t schedule_says(const struct run *run, const char *header, int64_t fallback)
{
	cJSON *v = message_header(run->message, header);
	int64_t n = fallback;

	if (cJSON_IsNumber(v) && v->valuedouble >= 0 && v->valuedouble < INT32_MAX)
		n = (int64_t)v->valuedouble;
	cJSON_Delete(v);
	return n;
}

static bool may_retry(const struct run *run, const struct err *error)
{
	bool wrong_call = error->code == ERR_TYPE || error->code == ERR_INVALID ||
			  error->code == ERR_NOT_FOUND;

	if (!run->message || run->last_try)
		return false;
	if (run->key.retries >=
	    schedule_says(run, "x-jobfleet-max-retries", run->task->max_retries))
		return false;
	switch (run->task->retry_on) {
	case CONF_RETRY_ANY: return !wrong_call;
	case CONF_RETRY_NEVER: return error->code == ERR_AGAIN;
	default: return err_is_transient(error->code);
	}
}

/* What run_retry asks for is meant; what a peer asks for (Retry-After) is the least. */
static int64_t retry_delay_ms(const struct run *run, const struct err *error)
{
	int64_t fixed_ms = schedule_says(run, "x-jobfleet-retry-distance", 0);

	if (error->code == ERR_AGAIN && error->retry_after_ms > 0)
		return error->retry_after_ms;
	if (fixed_ms > 0)
		return fixed_ms > error->retry_after_ms ? fixed_ms : error->retry_after_ms;
	return catalog_backoff_ms(run->task, run->key.retries, error->retry_after_ms);
}

void settle_verdict(struct run *run, const struct err *error, const char *dead_cause,
		    struct settle *ret)
{
	struct err e = { 0 };
	struct plan p;
	int r;

	plan_init(&p, LEDGER_FAILURE, "FAILURE");
	r = plan_error(&p, run, error, ret, &e);
	if (r >= 0)
		settle_follow_failure(run, &p.end);
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
	r = plan_error(&p, run, error, ret, &e);
	if (r >= 0 && !wait && !retry)
		settle_follow_failure(run, &p.end);
	if (r >= 0 && retry)
		r = plan_retry(&p, run, retry_delay_ms(run, error), &e);
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

void settle_ignored(struct run *run, struct settle *ret)
{
	struct plan p;

	plan_init(&p, LEDGER_IGNORED, "IGNORED");
	carry_out(run, &p, ret);
	plan_release(&p);
}

void settle_replaced(struct run *run, struct settle *ret)
{
	struct plan p;

	plan_init(&p, LEDGER_REPLACED, "REPLACED");
	carry_out(run, &p, ret);
	plan_release(&p);
}

void settle_rejected(struct run *run, const struct err *error, struct settle *ret)
{
	struct err e = { 0 };
	struct plan p;

	roll_back(run);
	plan_init(&p, LEDGER_REJECTED, "REJECTED");
	p.cause = "rejected";
	if (run->message && plan_dead(&p, run, "rejected", error, &e) < 0)
		again(ret, &e);
	else
		carry_out(run, &p, ret);
	plan_release(&p);
}

void settle_requeued(struct run *run)
{
	static const char SQL[] =
		"DELETE FROM jobfleet.starts WHERE task_id = $1 AND generation = $2";
	struct pg *pg;

	roll_back(run);
	/* The start has ended: as one that did not it would count against the task. */
	if (run->asked_ledger && stores_pg(run->stores, &pg, NULL) >= 0)
		pg_run(pg, SQL, PG_PARAMS(PG_TEXT(run->id), PG_INT(run->key.generation)), NULL,
		       NULL);
}
