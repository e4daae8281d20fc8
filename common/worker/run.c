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
#include "common/worker/apply.h"
#include "common/worker/bind.h"

enum {
	PROGRESS_MS = 200, DB_LIMIT_MS = 300000, META_MAX = 65536,
	CHILDREN_MAX = 16 << 20,
	PARTS = 3,			/* of a body */
	INFLATED = 4,			/* a compressed body may be so many times its limit */
};

void run_init(struct run *run, const struct catalog *catalog, const struct catalog_task *task,
	      struct stores *stores)
{
	*run = (struct run){
		.task = task, .catalog = catalog, .stores = stores, .started_ms = clock_mono_ms(),
		.soft_at_ms = INT64_MAX, .hard_at_ms = INT64_MAX,
	};
	outbox_init(&run->outbox);
	buf_init(&run->children, CHILDREN_MAX);
}

void run_release(struct run *run)
{
	if (run->apply)
		apply_release(run->apply);
	free(run->apply);
	free(run->source);
	outbox_release(&run->outbox);
	buf_release(&run->children);
	free(run->text);
	free(run->args_text);
	free(run->kwargs_text);
	free(run->idempotency);
	run->apply = NULL;
	run->source = run->text = run->args_text = run->kwargs_text = run->idempotency = NULL;
	run->loaded = false;
}

static int load_part(struct raw r, bool list, const char *what, char **ret, struct err *e)
{
	if (raw_is_null(r))
		r = list ? RAW("[]") : RAW("{}");
	if (list ? !raw_is_array(r) : !raw_is_object(r))
		return err_set(e, ERR_PROTOCOL, "%s is not a JSON %s", what,
			       list ? "array" : "object");
	*ret = raw_dup(r);
	return 0;
}

static struct raw trimmed(const char *text, size_t len)
{
	size_t from = strspn(text, " \t\r\n");

	while (len > from && strchr(" \t\r\n", text[len - 1]))
		len--;
	return (struct raw){ text + from, len - from };
}

static int find_parts(const struct run *run, struct raw body, struct raw part[PARTS], struct err *e)
{
	struct raw_walk w = raw_walk(body);
	struct raw item;
	size_t n = 0;

	if (raw_is_object(body))
		return err_set(e, ERR_PROTOCOL, "body is not [args, kwargs, embed]: an object");
	for (; raw_next(&w, NULL, &item); n++)
		if (n < PARTS)
			part[n] = item;
	if (w.bad || w.at + 1 != w.end)
		return err_set(e, ERR_PROTOCOL, "body is not [args, kwargs, embed]: not valid JSON "
			       "at byte %zu", (size_t)(w.at - run->text));
	if (n != PARTS)
		return err_set(e, ERR_PROTOCOL, "body has %zu parts, not [args, kwargs, embed]", n);
	if (!raw_is_null(part[2]) && !raw_is_object(part[2]))
		return err_set(e, ERR_PROTOCOL, "embed is not a JSON object");
	return 0;
}

/* The embed may hold a long chain, and is gone over once: what is left of the body behind the other
 * two parts is a whole object, or the body is not as it should be. */
static bool find_embed_last(struct raw body, struct raw part[PARTS], struct canvas *ret)
{
	struct raw_walk w = raw_walk(body);

	if (!raw_is_array(body) || !raw_next(&w, NULL, &part[0]) ||
	    !raw_next(&w, NULL, &part[1]) || !w.close || w.end[-1] != ']')
		return false;
	part[2] = trimmed(w.at, (size_t)(w.end - 1 - w.at));
	return raw_is_object(part[2]) && canvas_read(part[2], ret, NULL) >= 0;
}

static int split_body(struct run *run, size_t len, struct err *e)
{
	struct raw part[PARTS] = { RAW_NONE }, body = trimmed(run->text, len);
	int r = 0;

	if (!find_embed_last(body, part, &run->canvas)) {
		r = find_parts(run, body, part, e);
		if (r >= 0)
			r = canvas_read(part[2], &run->canvas, e);
	}
	if (r >= 0)
		r = load_part(part[0], true, "args", &run->args_text, e);
	if (r >= 0)
		r = load_part(part[1], false, "kwargs", &run->kwargs_text, e);
	return r;
}

int run_load(struct run *run, struct err *e)
{
	size_t most = (size_t)run->stores->conf->fleet.max_message_bytes * INFLATED, len;
	int r;

	if (run->loaded || !run->message)
		return 0;
	if (run->text)
		return err_set(e, ERR_PROTOCOL, "the body was not understood");
	r = message_text(run->message, most, &run->text, &len, e);
	if (r >= 0)
		r = split_body(run, len, e);
	run->loaded = r >= 0;
	return r;
}

struct apply *run_apply_of(struct run *run)
{
	if (run->apply)
		return run->apply;
	run->source = mem_printf("%s/%d/%d/%d", run->id, run->key.generation, run->key.nesting,
				 run->key.retries);
	run->apply = mem_alloc(sizeof *run->apply);
	apply_init(run->apply, run->stores->conf, &run->outbox, run->source);
	run->apply->catalog = run->catalog;
	run->apply->queue = run->queue ? run->queue : "";
	run->apply->from = run->message;
	run->apply->generation = run->key.generation;
	return run->apply;
}

int run_heir_priority(const struct run *run)
{
	return run->stores->conf->fleet.inherit_priority && run->message ? run->message->priority :
									   -1;
}

void run_add_child(struct run *run, const char *id)
{
	buf_puts(&run->children, run->children.len ? ", [[" : "[[");
	buf_put_json_string(&run->children, id);
	buf_puts(&run->children, ", null], null]");
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
	e->retry_after_ms = delay_ms > 0 ? delay_ms : 1;
	return -ERR_AGAIN;
}

void run_last_try(struct run *run)
{
	run->last_try = true;
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
		r = pg_begin_for(*ret, db_limit_ms(run), run->id, e);
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
	int64_t now = clock_mono_ms();
	struct buf value;

	if (now - run->progress_ms < PROGRESS_MS && run->progress_ms)
		return;
	run->progress_ms = now;
	buf_init(&value, META_MAX);
	put_progress(&value, done, total, step);
	run_show_state(run, "PROGRESS", buf_text(&value));
	buf_release(&value);
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

static int keep_effects(struct run *run, struct err *e)
{
	struct pg *pg = run->own_stores.pg;
	int r = 0;

	if (outbox_has_unstored(&run->outbox) && !pg)
		r = stores_pg(run->stores, &pg, e);
	if (r >= 0 && pg && outbox_has_unstored(&run->outbox) && !pg_in_transaction(pg))
		r = pg_begin(pg, DB_LIMIT_MS, e);
	if (r >= 0 && pg)
		r = outbox_store(&run->outbox, pg, e);
	if (r >= 0 && pg && pg_in_transaction(pg))
		r = pg_commit(pg, e);
	if (r >= 0)
		r = outbox_start(&run->outbox, run->stores, e);
	if (r >= 0)
		outbox_publish(&run->outbox, run->stores);
	return r;
}

int run_close(struct run *run, bool keep, struct err *e)
{
	int r = keep ? keep_effects(run, e) : 0;

	if (run->own_stores.pg)
		pg_rollback(run->own_stores.pg);
	run_release(run);
	stores_release(&run->own_stores);
	catalog_release(&run->own_catalog);
	free((char *)run->id);
	free(run);
	return r;
}
