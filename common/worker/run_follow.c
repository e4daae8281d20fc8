/* SPDX-License-Identifier: MIT */
/* Follow-ups and steps of a run: what becomes visible with its commit. */
#include "common/worker/run_private.h"

#include "common/base/err.h"
#include "common/base/fault.h"
#include "common/base/json.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/base/uuid.h"
#include "common/store/pg.h"

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

static void inherit(struct run *run, struct message *m, const struct run_enqueue *what)
{
	const struct conf_task *t = conf_task(run->stores->conf, what->task);

	m->parent_id = message_strdup(m, run->id);
	m->root_id = message_strdup(m, run->message && run->message->root_id ?
					       run->message->root_id : run->id);
	m->priority = what->priority >= 0 ? what->priority :
		      t && t->priority >= 0 ? t->priority :
		      run_heir_priority(run) >= 0 ? run_heir_priority(run) : 0;
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
	struct message m;
	char id[UUID_SIZE];
	int r;

	if (!queue || !*queue)
		return err_set(e, ERR_INVALID, "no queue is known for task %s: name one, or add a "
			       "task block to queues.conf", what->task);
	message_init(&m);
	follow_up_id(run, id);
	r = message_new(&m, what->task, id, what->args, what->kwargs, e);
	if (r >= 0) {
		inherit(run, &m, what);
		r = outbox_add(&run->outbox, &m, queue, NULL, what->delay_ms, e);
	}
	message_release(&m);
	if (r < 0)
		return r;
	run_add_child(run, id);
	if (ret_id)
		memcpy(ret_id, id, UUID_SIZE);
	return 0;
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
	size_t n = run->outbox.unstored, joins = run->outbox.unstored_joins;
	struct pg *pg;
	int64_t r = run_db(run, &pg, e);

	if (r >= 0)
		r = outbox_store(&run->outbox, pg, e);
	if (r >= 0)
		r = pg_run(pg, SQL_STEP_DONE,
			   PG_PARAMS(PG_TEXT(run->id), PG_INT(run->key.generation),
				     PG_INT(run->key.nesting), PG_TEXT(name), PG_TEXT(saved)),
			   NULL, e);
	FAULT_POINT("before-step");
	if (r >= 0)
		r = pg_commit(pg, e);
	FAULT_POINT("after-step");
	if (r < 0)
		outbox_unstore(&run->outbox, n, joins);
	return r < 0 ? (int)r : 0;
}

int run_step_commit(struct run *run, const char *name, const cJSON *saved, struct err *e)
{
	char *text = saved ? json_print(saved) : NULL;
	struct err why = { 0 };
	int r = commit_step(run, name, text, e);

	free(text);
	if (r < 0)
		return r == -ERR_CONFLICT ? err_set(e, ERR_AGAIN, "step %s was done by another run "
						    "of this task meanwhile", name) : r;
	run->committed = true;
	if (outbox_start(&run->outbox, run->stores, &why) < 0)
		log_warn("chord sizes are not in Redis, its parts will find them: %s", why.msg);
	outbox_publish(&run->outbox, run->stores);
	run->step[0] = '\0';
	return 0;
}
