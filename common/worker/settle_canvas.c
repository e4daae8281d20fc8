/* SPDX-License-Identifier: MIT */
#include "common/worker/settle_canvas.h"

#include "common/base/err.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/store/join.h"
#include "common/store/result.h"
#include "common/worker/answer.h"
#include "common/worker/apply.h"
#include "common/worker/canvas.h"
#include "common/worker/joiner.h"
#include "common/worker/run_private.h"

enum { META_MAX = 64 << 20 };

/* Unreadable bodies have none: their own dead letter says so. */
static const struct canvas *canvas_of(struct run *run)
{
	static const struct canvas NONE = { 0 };

	return run->message && run_load(run, NULL) >= 0 ? &run->canvas : &NONE;
}

static struct canvas_task task_of(const struct run *run)
{
	const struct message *m = run->message;

	return (struct canvas_task){
		.id = run->id, .name = m ? m->task : NULL, .root_id = m ? m->root_id : NULL,
		.parent_id = m ? m->parent_id : NULL, .priority = run_heir_priority(run),
	};
}

int settle_follow_success(struct run *run, struct raw result, struct err *e)
{
	const struct canvas *c = canvas_of(run);
	struct canvas_task t = task_of(run);

	if (!c->callbacks.at && !c->chain.at)
		return 0;
	return canvas_succeed(run_apply_of(run), c, &t, result, &run->children, e);
}

void settle_follow_failure(struct run *run, const struct settle_end *end)
{
	const struct canvas *c = canvas_of(run);
	struct outbox_mark mark = outbox_mark(&run->outbox);
	struct canvas_task t = task_of(run);
	struct err e = { 0 };

	if (!c->errbacks.at || canvas_fail(run_apply_of(run), c->errbacks, &t, end->json,
					   end->traceback, &e) >= 0)
		return;
	outbox_forget(&run->outbox, mark);
	log_warn("errbacks of task %s cannot be called: %s", run->id, e.msg);
}

static struct canvas_losses losses_of(struct run *run, enum ledger_outcome outcome)
{
	const struct canvas *c = canvas_of(run);
	struct canvas_losses losses = { 0 };
	struct err e = { 0 };

	if (outcome == LEDGER_FAILURE && c->chain.at &&
	    canvas_lose_chain(run_apply_of(run), c->chain, &losses, &e) < 0)
		log_warn("the chain behind task %s cannot be failed: %s", run->id, e.msg);
	return losses;
}

static bool counts(const struct canvas_loss *loss)
{
	return loss->id && loss->group_id && loss->chord.at;
}

static bool is_part(struct run *run)
{
	return run->message && run->message->group && canvas_of(run)->chord.at;
}

static bool is_end(enum ledger_outcome o)
{
	return o == LEDGER_SUCCESS || o == LEDGER_FAILURE || o == LEDGER_REVOKED;
}

bool settle_has_end(struct run *run, enum ledger_outcome outcome)
{
	return is_end(outcome) &&
	       (is_part(run) || (outcome == LEDGER_FAILURE && canvas_of(run)->chain.at));
}

static const char *kept(struct run *run, struct raw text)
{
	return text.at ? arena_strndup(&run_apply_of(run)->arena, text.at, text.len) : NULL;
}

static void note(struct run *run, const struct settle_end *end, const struct canvas_loss *part,
		 struct ledger_entry *entry)
{
	entry->join_id = part->group_id;
	entry->join_task = part->id;
	entry->join_index = part->group_index;
	entry->join_part = end->json.at ? kept(run, end->json) : "null";
	entry->join_body = kept(run, part->chord);
	entry->join_root = run->message->root_id;
}

void settle_note_part(struct run *run, const struct settle_end *end, struct ledger_entry *entry)
{
	struct canvas_losses losses;

	if (!settle_has_end(run, end->outcome))
		return;
	if (is_part(run)) {
		struct canvas_loss self = { NULL, run->message->group, run->message->group_index,
					    canvas_of(run)->chord };

		note(run, end, &self, entry);
		return;
	}
	losses = losses_of(run, end->outcome);
	for (size_t i = 0; i < losses.n; i++)
		if (counts(&losses.list[i])) {
			note(run, end, &losses.list[i], entry);
			return;
		}
}

static const char *status_of(enum ledger_outcome o)
{
	return o == LEDGER_SUCCESS ? "SUCCESS" : o == LEDGER_REVOKED ? "REVOKED" : "FAILURE";
}

static int count_part(struct run *run, const char *id, const char *gid, int index,
		      struct raw chord, const struct settle_end *end, struct err *e)
{
	const char *json = end->json.at ? kept(run, end->json) : "null";
	struct joiner j = { run->stores, run->catalog, run->queue };
	struct joiner_join x = { .join_id = gid, .body = kept(run, chord),
				 .root_id = run->message->root_id ? run->message->root_id : run->id,
				 .parent_id = run->id, .generation = run->key.generation };
	struct join_part part = { gid, id, status_of(end->outcome), json, index };

	return joiner_count(&j, &x, &part, e);
}

static int store_loss(struct run *run, const struct canvas_loss *loss, const struct settle_end *end,
		      struct err *e)
{
	char *trace = raw_string(end->traceback);
	struct result result = {
		.task_id = loss->id, .status = "FAILURE", .json = kept(run, end->json),
		.traceback = trace, .group_id = loss->group_id, .parent_id = NULL,
		.generation = run->key.generation,
	};
	struct answer a = { .task_id = loss->id, .generation = run->key.generation, .final = true };
	struct buf meta;
	int r;

	buf_init(&meta, META_MAX);
	r = result_print(&meta, &result, e);
	a.meta = meta.data;
	if (r >= 0)
		r = answer_store(run->stores, &a, e);
	buf_release(&meta);
	free(trace);
	return r;
}

int settle_deliver_end(struct run *run, const struct settle_end *end, struct err *e)
{
	struct canvas_losses losses;
	int r = 0;

	if (!settle_has_end(run, end->outcome))
		return 0;
	if (is_part(run))
		r = count_part(run, run->id, run->message->group, run->message->group_index,
			       canvas_of(run)->chord, end, e);
	losses = losses_of(run, end->outcome);
	for (size_t i = 0; i < losses.n && r >= 0; i++) {
		const struct canvas_loss *loss = &losses.list[i];

		if (loss->id)
			r = store_loss(run, loss, end, e);
		if (r >= 0 && counts(loss))
			r = count_part(run, loss->id, loss->group_id, loss->group_index,
				       loss->chord, end, e);
	}
	return r;
}
