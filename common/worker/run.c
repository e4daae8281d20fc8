/* SPDX-License-Identifier: MIT */
#include "common/worker/run_private.h"

#include <stdarg.h>

#include "common/base/clock.h"
#include "common/base/err.h"
#include "common/base/json.h"
#include "common/base/mem.h"
#include "common/base/uuid.h"
#include "common/net/http.h"
#include "common/store/pg.h"
#include "common/store/redis.h"
#include "common/store/result.h"
#include "common/worker/bind.h"

enum { PROGRESS_MS = 200, DB_LIMIT_MS = 300000, META_MAX = 65536 };

void run_init(struct run *run, const struct catalog *catalog, const struct catalog_task *task,
	      struct stores *stores)
{
	*run = (struct run){
		.task = task, .catalog = catalog, .stores = stores, .started_ms = clock_mono_ms(),
		.soft_at_ms = INT64_MAX, .hard_at_ms = INT64_MAX,
	};
}

void run_release(struct run *run)
{
	for (size_t i = 0; i < run->nfollow_ups; i++) {
		message_release(&run->follow_ups[i].message);
		buf_release(&run->follow_ups[i].props);
		free(run->follow_ups[i].queue);
	}
	free(run->follow_ups);
	free(run->idempotency);
	run->follow_ups = NULL;
	run->nfollow_ups = 0;
}

const char *run_id(const struct run *run)
{
	return run->id;
}

const char *run_task(const struct run *run)
{
	return run->task->task->name;
}

int run_retries(const struct run *run)
{
	return run->key.retries;
}

const struct conf *run_conf(const struct run *run)
{
	return run->stores->conf;
}

const struct message *run_message(const struct run *run)
{
	return run->message;
}

const char *run_idempotency_key(struct run *run, const char *name)
{
	char *text = mem_printf("%s/%d/%s", run->id, run->key.generation, name);
	char id[UUID_SIZE];

	uuid_v5(text, strlen(text), id);
	free(text);
	mem_replace(&run->idempotency, mem_strdup(id));
	return run->idempotency;
}

int64_t run_left_ms(const struct run *run)
{
	int64_t end = run->soft_at_ms != INT64_MAX ? run->soft_at_ms : run->hard_at_ms;

	return end == INT64_MAX ? INT64_MAX : end - clock_mono_ms();
}

bool run_cancelled(const struct run *run)
{
	return run_left_ms(run) <= 0;
}

int run_cancel_error(const struct run *run, struct err *e)
{
	return err_set(e, ERR_SOFT_LIMIT, "stopped by its soft time limit after %lld ms",
		       (long long)(clock_mono_ms() - run->started_ms));
}

int run_retry(struct run *run, int64_t delay_ms, struct err *e, const char *fmt, ...)
{
	char text[ERR_MSG_SIZE];
	va_list ap;

	(void)run;
	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	err_set(e, ERR_AGAIN, "%s", text);
	e->retry_after_ms = delay_ms;
	return -ERR_AGAIN;
}

/* A twin may have done the work already: know before the first effect that cannot be undone. */
static int ask_ledger(struct run *run, struct err *e)
{
	struct ledger_found found;
	struct pg *pg;
	int r;

	if (!run->ledger || run->asked_ledger)
		return 0;
	r = stores_pg(run->stores, &pg, e);
	if (r >= 0)
		r = ledger_find(pg, &run->key, &found, e);
	if (r < 0)
		return r;
	run->asked_ledger = true;
	if (r == 0)
		return 0;
	ledger_found_release(&found);
	run->settled_before = true;
	return err_set(e, ERR_CANCELLED, "already settled by another run of this task");
}

/* To the soft limit; past it, what a handler still writes has until the hard one. */
static int64_t db_limit_ms(const struct run *run)
{
	int64_t left = run_left_ms(run);

	if (left <= 0)
		left = run->hard_at_ms == INT64_MAX ? DB_LIMIT_MS :
		       run->hard_at_ms - clock_mono_ms();

	return left < 1 ? 1 : left > DB_LIMIT_MS ? DB_LIMIT_MS : left;
}

int run_db_read(struct run *run, struct pg **ret, struct err *e)
{
	int r = stores_pg(run->stores, ret, e);

	if (r >= 0)
		pg_set_deadline(*ret, clock_mono_ms() + db_limit_ms(run));
	return r;
}

int run_db(struct run *run, struct pg **ret, struct err *e)
{
	int r = run_db_read(run, ret, e);

	if (r >= 0 && !pg_in_transaction(*ret))
		r = pg_begin(*ret, db_limit_ms(run), e);
	return r;
}

int run_redis(struct run *run, struct redis **ret, struct err *e)
{
	return stores_redis(run->stores, ret, e);
}

static bool http_cancelled(void *ctx)
{
	return run_cancelled(ctx);
}

int run_http(struct run *run, struct http **ret, struct err *e)
{
	int r = ask_ledger(run, e);

	if (r >= 0)
		r = stores_http(run->stores, ret, e);
	if (r >= 0)
		http_set_cancel(*ret, http_cancelled, run);
	return r;
}

static void put_progress(struct buf *out, int64_t done, int64_t total, const char *step)
{
	buf_printf(out, "{\"current\": %lld, \"total\": %lld, \"step\": ", (long long)done,
		   (long long)total);
	buf_put_json_string(out, step ? step : "");
	buf_putc(out, '}');
}

void run_progress(struct run *run, int64_t done, int64_t total, const char *step)
{
	struct buf value, meta;
	struct redis *redis;
	int64_t now = clock_mono_ms();

	if (!run->message || run->message->ignore_result || run->task->ignore_result ||
	    (now - run->progress_ms < PROGRESS_MS && run->progress_ms))
		return;
	run->progress_ms = now;
	buf_init(&value, META_MAX);
	buf_init(&meta, META_MAX);
	put_progress(&value, done, total, step);
	struct result r = { .task_id = run->id, .status = "PROGRESS", .json = buf_text(&value),
			    .generation = run->key.generation, .retries = run->key.retries };

	/* Progress is for the eye: without Redis the work goes on. */
	if (result_print(&meta, &r, NULL) == 0 && stores_redis(run->stores, &redis, NULL) >= 0)
		result_store(redis, run->id, meta.data, run->key.generation, run->key.retries,
			     run->stores->conf->fleet.result_expires_s, NULL);
	buf_release(&value);
	buf_release(&meta);
}

int run_open(struct run **ret, const struct conf *conf, const struct task *task, const char *id,
	     struct err *e)
{
	struct run *run = mem_zalloc(sizeof *run);
	const char *wrong = bind_check(task);

	if (wrong) {
		free(run);
		return err_set(e, ERR_INTERNAL, "task %s: parameter \"%s\"", task->name, wrong);
	}
	catalog_init(&run->own_catalog, conf, "", task, 1);
	stores_init(&run->own_stores, conf, "jobfleet-run");
	struct catalog catalog = run->own_catalog;
	struct stores stores = run->own_stores;

	run_init(run, NULL, NULL, NULL);
	run->own_catalog = catalog;
	run->own_stores = stores;
	run->catalog = &run->own_catalog;
	run->task = &run->own_catalog.tasks[0];
	run->stores = &run->own_stores;
	run->id = run->key.task_id = mem_strdup(id);
	run->queue = run->task->queue;
	run->node = "run";
	*ret = run;
	return 0;
}

int run_close(struct run *run, bool keep, struct err *e)
{
	struct pg *pg = run->own_stores.pg;
	int r = 0;

	if (keep && run->unstored > 0 && !pg)
		r = stores_pg(run->stores, &pg, e);
	if (keep && r >= 0 && pg) {
		if (run->unstored > 0 && !pg_in_transaction(pg))
			r = pg_begin(pg, DB_LIMIT_MS, e);
		if (r >= 0)
			r = run_store_follow_ups(run, pg, e);
		if (r >= 0 && pg_in_transaction(pg))
			r = pg_commit(pg, e);
		if (r >= 0)
			run_publish_follow_ups(run);
	}
	if (pg)
		pg_rollback(pg);
	run_release(run);
	stores_release(&run->own_stores);
	catalog_release(&run->own_catalog);
	free((char *)run->id);
	free(run);
	return r;
}
