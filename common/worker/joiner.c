/* SPDX-License-Identifier: MIT */
#include "common/worker/joiner.h"

#include "common/base/err.h"
#include "common/base/fault.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/store/join.h"
#include "common/store/pg.h"
#include "common/store/redis.h"
#include "common/store/result.h"
#include "common/worker/answer.h"
#include "common/worker/apply.h"
#include "common/worker/canvas.h"
#include "common/worker/outbox.h"
#include "common/worker/stores.h"

enum { STORE_MS = 10000, META_MAX = 1 << 20 };

/* One end: what it publishes, and what it needs for that. */
struct end {
	const struct joiner *j;
	const struct joiner_join *x;
	struct outbox outbox;
	struct apply apply;
	struct signature *body;
	char *source;
	bool stored;
};

static int end_init(struct end *n, const struct joiner *j, const struct joiner_join *x,
		    struct err *e)
{
	*n = (struct end){ .j = j, .x = x };
	n->source = mem_printf("join/%s/%d", x->join_id, x->generation);
	outbox_init(&n->outbox);
	apply_init(&n->apply, j->stores->conf, &n->outbox, n->source);
	n->apply.catalog = j->catalog;
	n->apply.queue = j->queue ? j->queue : "";
	n->apply.generation = x->generation;
	return signature_read(&n->apply.arena, (struct raw){ x->body, strlen(x->body) }, &n->body,
			      e);
}

static void end_release(struct end *n)
{
	apply_release(&n->apply);
	outbox_release(&n->outbox);
	free(n->source);
}

/* Rows, with the note that nothing is left to do: they outlive a queue that is deleted, and the
 * relay publishes what a broker does not confirm. */
static int store(struct end *n, bool failed, struct err *e)
{
	size_t messages = n->outbox.unstored, joins = n->outbox.unstored_joins;
	struct pg *pg;
	int r = stores_pg(n->j->stores, &pg, e);

	if (r >= 0)
		r = pg_begin(pg, STORE_MS, e);
	if (r >= 0)
		r = outbox_store(&n->outbox, pg, e);
	if (r >= 0)
		r = join_note_done(pg, n->x->join_id, failed, e);
	if (r >= 0)
		r = pg_commit(pg, e);
	else if (n->j->stores->pg)
		pg_rollback(n->j->stores->pg);
	if (r < 0)
		outbox_unstore(&n->outbox, messages, joins);
	n->stored = r >= 0;
	return r;
}

/* While PostgreSQL is away nothing is kept of what the broker confirms. */
static int publish(struct end *n, bool failed, struct err *e)
{
	size_t left;
	int r;

	if (outbox_has_unstored(&n->outbox))
		store(n, failed, NULL);
	r = outbox_start(&n->outbox, n->j->stores, e);
	FAULT_POINT("join-publish");
	left = r >= 0 ? outbox_publish(&n->outbox, n->j->stores) : 0;
	if (r >= 0 && !n->stored &&
	    (left > 0 || outbox_has_delayed(&n->outbox) || n->outbox.njoins > 0))
		r = store(n, failed, e);
	FAULT_POINT("join-published");
	return r;
}

static int drop_keys(struct end *n, bool failed, struct err *e)
{
	struct redis *redis;
	struct pg *pg;
	int r = stores_redis(n->j->stores, &redis, e);

	if (r >= 0)
		r = join_finish(redis, n->x->join_id, failed, e);
	/* A note that stays open costs the sweeper a look at a join that is done. */
	if (r >= 0 && !n->stored && stores_pg(n->j->stores, &pg, NULL) >= 0)
		join_note_done(pg, n->x->join_id, failed, NULL);
	return r;
}

static void set_if_absent(struct end *n, const char *name, const char *value)
{
	if (value && !signature_option(n->body, name).at)
		signature_set_string(&n->apply.arena, n->body, name, value);
}

static int succeed(struct end *n, const char *values, struct err *e)
{
	int r;

	set_if_absent(n, "parent_id", n->x->parent_id);
	set_if_absent(n, "root_id", n->x->root_id);
	r = apply_signature(&n->apply, n->body, (struct raw){ values, strlen(values) }, NULL, NULL,
			    e);
	if (r >= 0)
		r = publish(n, false, e);
	return r < 0 ? r : drop_keys(n, false, e);
}

/* ---- failure ---- */

static char *error_of(const char *text)
{
	struct buf b;

	buf_init(&b, META_MAX);
	result_print_error(&b, "ChordError", text, "celery.exceptions", NULL);
	return buf_take(&b);
}

static int store_loss(struct end *n, const struct canvas_loss *loss, const char *error,
		      struct err *e)
{
	struct result result = { .task_id = loss->id, .status = "FAILURE", .json = error,
				 .group_id = loss->group_id, .generation = n->x->generation };
	struct buf meta;
	int r;

	buf_init(&meta, META_MAX);
	r = result_print(&meta, &result, e);
	if (r >= 0)
		r = answer_store(n->j->stores,
				 &(struct answer){ .task_id = loss->id, .meta = meta.data,
						   .generation = n->x->generation, .final = true },
				 e);
	buf_release(&meta);
	return r;
}

static int count_loss(struct end *n, const struct canvas_loss *loss, const char *error,
		      struct err *e)
{
	struct join_part part = { .join_id = loss->group_id, .task_id = loss->id,
				  .status = "FAILURE", .json = error, .index = loss->group_index };
	char *body = raw_dup(loss->chord);
	struct joiner_join outer = { .join_id = loss->group_id, .body = body,
				     .root_id = n->x->root_id, .parent_id = loss->id,
				     .generation = n->x->generation };
	int r = joiner_count(n->j, &outer, &part, e);

	free(body);
	return r;
}

static int lose_body(struct end *n, struct canvas_losses *losses, const char *error, struct err *e)
{
	int r = 0;

	for (size_t i = 0; i < losses->n && r >= 0; i++) {
		const struct canvas_loss *loss = &losses->list[i];

		if (loss->id)
			r = store_loss(n, loss, error, e);
		if (r >= 0 && loss->id && loss->chord.at && loss->group_id)
			r = count_loss(n, loss, error, e);
	}
	return r;
}

static struct raw errbacks_of(const struct signature *body)
{
	struct raw own = signature_option(body, "link_error");

	return own.at || body->kind != SIGNATURE_CHAIN || !body->nsteps ? own :
	       signature_option(body->steps[0], "link_error");
}

static int fail_body(struct end *n, const char *text, struct err *e)
{
	struct raw errbacks = errbacks_of(n->body), chain = signature_option(n->body, "chain");
	struct signature *frozen = signature_copy(&n->apply.arena, n->body);
	struct canvas_losses losses = { 0 };
	struct canvas_task t = { .priority = -1, .name = n->body->task, .root_id = n->x->root_id };
	char *error = error_of(text);
	struct raw json = { error, strlen(error) };
	int r = 0;

	t.id = apply_freeze(&n->apply, frozen);
	canvas_lose(&n->apply, frozen, &losses);
	if (chain.at)
		r = canvas_lose_chain(&n->apply, chain, &losses, e);
	if (r >= 0)
		r = lose_body(n, &losses, error, e);
	if (r >= 0 && errbacks.at && t.id)
		r = canvas_fail(&n->apply, errbacks, &t, json, RAW("null"), e);
	if (r >= 0)
		r = publish(n, true, e);
	free(error);
	return r < 0 ? r : drop_keys(n, true, e);
}

int joiner_fail(const struct joiner *j, const struct joiner_join *x, const char *text,
		struct err *e)
{
	struct end n;
	int r = end_init(&n, j, x, e);

	if (r >= 0)
		r = fail_body(&n, text, e);
	end_release(&n);
	return r < 0 ? r : 1;
}

int joiner_finish(const struct joiner *j, const struct joiner_join *x, struct err *e)
{
	struct join_outcome outcome = { 0 };
	struct redis *redis;
	struct end n;
	int r = end_init(&n, j, x, e);

	if (r >= 0)
		r = stores_redis(j->stores, &redis, e);
	if (r >= 0)
		r = join_collect(redis, x->join_id, &outcome, e);
	if (r == 0 && outcome.args) {
		r = succeed(&n, outcome.args, e);
		if (r < 0 && !err_is_transient(e->code)) {
			/* A body that cannot be applied fails as Celery's does. */
			end_release(&n);
			r = end_init(&n, j, x, e);
			if (r >= 0)
				r = fail_body(&n, e->msg, e);
		}
		r = r < 0 ? r : 1;
	} else if (r == 0) {
		r = fail_body(&n, outcome.failure ? outcome.failure : "a part failed", e);
		r = r < 0 ? r : 1;
	} else if (r > 0) {
		r = 0;
	}
	join_outcome_release(&outcome);
	end_release(&n);
	return r;
}

/* Once a join and process: PostgreSQL keeps the size, should Redis lose it. What is forgotten for
 * want of room here, or fails, costs one more statement, or waits for the next part. */
static void note_size(const struct joiner *j, struct redis *redis, const char *join_id,
		      int64_t size)
{
	static char noted[8][64];
	static unsigned next;
	char *tree = NULL;
	struct pg *pg;

	for (size_t i = 0; i < COUNT(noted); i++)
		if (strcmp(noted[i], join_id) == 0)
			return;
	if (stores_pg(j->stores, &pg, NULL) >= 0 &&
	    join_read_tree(redis, join_id, &tree, NULL) >= 0 &&
	    join_note_size(pg, join_id, size, tree, NULL) >= 0)
		snprintf(noted[next++ % COUNT(noted)], sizeof noted[0], "%s", join_id);
	free(tree);
}

int joiner_count(const struct joiner *j, const struct joiner_join *x, const struct join_part *part,
		 struct err *e)
{
	int64_t size = -1;
	struct redis *redis;
	bool ready = false;
	int r = stores_redis(j->stores, &redis, e);

	if (r >= 0)
		r = join_count(redis, part, j->stores->conf->fleet.result_expires_s, &ready, &size,
			       e);
	FAULT_POINT("join-counted");
	if (r >= 0 && size >= 0 && !ready)
		note_size(j, redis, x->join_id, size);
	if (r < 0 || !ready)
		return r;
	return joiner_finish(j, x, e);
}
