/* SPDX-License-Identifier: MIT */
/* Follow-ups and steps of a run: what becomes visible with its commit. */
#include "common/worker/run_private.h"

#include "common/base/clock.h"
#include "common/base/err.h"
#include "common/base/fault.h"
#include "common/base/json.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/base/uuid.h"
#include "common/broker/publisher.h"
#include "common/store/pg.h"

enum { CLAIM_MS = 5000, PUBLISH_MS = 2000, PROPS_MAX = 1 << 20, STEP_LIMIT_MS = 300000 };

/* The same place in the same attempt gives the same id, whatever was repeated before it. */
static void follow_up_id(struct run *run, char out[UUID_SIZE])
{
	char *name = mem_printf("%s/%d/%d/%d/%s/%d", run->id, run->key.generation,
				run->key.nesting, run->key.retries, run->step, run->position++);

	uuid_v5(name, strlen(name), out);
	free(name);
}

static const char *route(const struct run *run, const struct run_enqueue *what)
{
	const struct catalog_task *own = catalog_find(run->catalog, what->task);

	if (what->queue)
		return what->queue;
	return own && *own->queue ? own->queue : conf_route(run->stores->conf, what->task);
}

static int check(const struct run *run, const struct run_enqueue *what, const char *queue,
		 struct err *e)
{
	if (!queue || !*queue)
		return err_set(e, ERR_INVALID, "no queue is known for task %s: name one, or add a "
			       "task block to queues.conf", what->task);
	if (run->nfollow_ups == RUN_MAX_FOLLOW_UPS)
		return err_set(e, ERR_TOO_BIG, "more than %d follow-ups in one run",
			       RUN_MAX_FOLLOW_UPS);
	return 0;
}

static void inherit(struct run *run, struct message *m, const struct run_enqueue *what)
{
	const struct conf_task *t = conf_task(run->stores->conf, what->task);

	m->parent_id = message_strdup(m, run->id);
	m->root_id = message_strdup(m, run->message && run->message->root_id ?
					       run->message->root_id : run->id);
	m->priority = what->priority >= 0 ? what->priority :
		      t && t->priority >= 0 ? t->priority : 0;
	m->hop = 1;	/* as the relay would send its row, which is hop 0 */
	if (run->message) {
		cJSON *trace = message_header(run->message, "traceparent");

		if (trace)
			message_set_header(m, "traceparent", trace, NULL);
		cJSON_Delete(trace);
	}
}

int run_enqueue(struct run *run, const struct run_enqueue *what, char *ret_id, struct err *e)
{
	const char *queue = route(run, what);
	struct follow_up *f;
	char id[UUID_SIZE];
	int r = check(run, what, queue, e);

	if (r < 0)
		return r;
	run->follow_ups = mem_realloc(run->follow_ups,
				      (run->nfollow_ups + 1) * sizeof *run->follow_ups);
	f = &run->follow_ups[run->nfollow_ups];
	*f = (struct follow_up){ .queue = mem_strdup(queue), .delay_ms = what->delay_ms };
	buf_init(&f->props, PROPS_MAX);
	message_init(&f->message);
	follow_up_id(run, id);
	r = message_new(&f->message, what->task, id, what->args, what->kwargs, e);
	if (r >= 0) {
		inherit(run, &f->message, what);
		r = message_encode(&f->message, &f->props, e);
	}
	run->nfollow_ups++;
	if (r < 0) {
		message_release(&f->message);
		buf_release(&f->props);
		free(f->queue);
		run->nfollow_ups--;
		return r;
	}
	run->unstored++;
	if (ret_id)
		memcpy(ret_id, id, UUID_SIZE);
	return 0;
}

static struct pending_row row_of(const struct follow_up *f)
{
	return (struct pending_row){
		.task_id = f->message.id, .kind = f->delay_ms > 0 ? "eta" : "outbox",
		.task = f->message.task, .queue = f->queue, .props = f->props.data,
		.props_len = f->props.len, .body = f->message.body,
		.body_len = f->message.body_len, .delay_ms = f->delay_ms,
		.claim_ms = f->delay_ms > 0 ? 0 : CLAIM_MS,
	};
}

int run_store_follow_ups(struct run *run, struct pg *pg, struct err *e)
{
	int r = 0;

	for (size_t i = run->nfollow_ups - run->unstored; i < run->nfollow_ups && r >= 0; i++) {
		struct pending_row row = row_of(&run->follow_ups[i]);

		r = pending_insert(pg, &row, e);
		run->follow_ups[i].stored = r >= 0;
	}
	if (r >= 0)
		run->unstored = 0;
	return r;
}

static void confirmed(void *ctx, uint64_t tag, enum publish_outcome outcome)
{
	struct run *run = ctx;

	run->follow_ups[tag].sent = outcome == PUBLISH_CONFIRMED;
}

static void mark_sent(struct run *run)
{
	struct pending_row *rows = mem_alloc((run->nfollow_ups + 1) * sizeof *rows);
	struct err e = { 0 };
	struct pg *pg;
	size_t n = 0;

	for (size_t i = 0; i < run->nfollow_ups; i++)
		if (run->follow_ups[i].sent)
			rows[n++] = row_of(&run->follow_ups[i]);
	/* Not marked means published once more by the relay: the ledger keeps that harmless. */
	if (n > 0 && stores_pg(run->stores, &pg, &e) >= 0 && pending_mark_sent(pg, rows, n, &e) < 0)
		log_debug("follow-ups not marked sent: %s", e.msg);
	free(rows);
}

void run_publish_follow_ups(struct run *run)
{
	struct publisher *p;
	struct err e = { 0 };
	int r = 0;
	bool due = false;

	for (size_t i = 0; i < run->nfollow_ups; i++)
		due = due || (run->follow_ups[i].delay_ms == 0 && !run->follow_ups[i].sent);
	if (!due || stores_publisher(run->stores, &p, &e) < 0)
		return;
	publisher_on_done(p, confirmed, run);
	for (size_t i = 0; i < run->nfollow_ups && r >= 0; i++) {
		const struct follow_up *f = &run->follow_ups[i];

		if (f->stored && !f->sent && f->delay_ms == 0)
			r = publisher_send(p, "", f->queue, f->props.data, f->props.len,
					   f->message.body, f->message.body_len, i, PUBLISH_MS, &e);
	}
	if (r >= 0)
		r = publisher_wait(p, PUBLISH_MS, &e);
	publisher_on_done(p, NULL, NULL);
	if (r != 0) {
		/* A late confirm must not be taken for another run's. */
		publisher_close(run->stores->publisher);
		run->stores->publisher = NULL;
	}
	mark_sent(run);
}

static const char SQL_STEP_FIND[] =
	"SELECT saved FROM jobfleet.steps WHERE task_id = $1 AND generation = $2 AND nesting = $3"
	" AND step = $4";

int run_step_begin(struct run *run, const char *name, cJSON **ret_saved, struct err *e)
{
	struct pg_rows *rows = NULL;
	struct pg *pg;
	int64_t r;

	if (strlen(name) >= RUN_STEP_BYTES)
		return err_set(e, ERR_INVALID, "step name is longer than %d bytes", RUN_STEP_BYTES);
	snprintf(run->step, sizeof run->step, "%s", name);
	run->position = 0;
	r = run_db_read(run, &pg, e);
	if (r >= 0)
		r = pg_run(pg, SQL_STEP_FIND,
			   PG_PARAMS(PG_TEXT(run->id), PG_INT(run->key.generation),
				     PG_INT(run->key.nesting), PG_TEXT(name)), &rows, e);
	if (r > 0 && ret_saved) {
		const char *saved = pg_cell(rows, 0, 0);

		*ret_saved = saved ? cJSON_Parse(saved) : NULL;
	}
	pg_rows_free(rows);
	return r < 0 ? (int)r : r > 0;
}

static const char SQL_STEP_DONE[] =
	"INSERT INTO jobfleet.steps (task_id, generation, nesting, step, saved)"
	" VALUES ($1, $2, $3, $4, $5)";

static int commit_step(struct run *run, const char *name, const char *saved, struct err *e)
{
	struct pg *pg;
	int64_t r = run_db(run, &pg, e);

	if (r >= 0)
		r = run_store_follow_ups(run, pg, e);
	if (r >= 0)
		r = pg_run(pg, SQL_STEP_DONE,
			   PG_PARAMS(PG_TEXT(run->id), PG_INT(run->key.generation),
				     PG_INT(run->key.nesting), PG_TEXT(name), PG_TEXT(saved)),
			   NULL, e);
	FAULT_POINT("before-step");
	if (r >= 0)
		r = pg_commit(pg, e);
	FAULT_POINT("after-step");
	return r < 0 ? (int)r : 0;
}

int run_step_commit(struct run *run, const char *name, const cJSON *saved, struct err *e)
{
	char *text = saved ? json_print(saved) : NULL;
	int r = commit_step(run, name, text, e);

	free(text);
	if (r < 0)
		return r == -ERR_CONFLICT ? err_set(e, ERR_AGAIN, "step %s was done by another run "
						    "of this task meanwhile", name) : r;
	run->committed = true;
	run_publish_follow_ups(run);
	run->step[0] = '\0';
	return 0;
}
