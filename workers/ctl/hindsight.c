/* SPDX-License-Identifier: MIT */
#include "workers/ctl/hindsight.h"

#include <string.h>

#include "common/base/buf.h"
#include "common/base/clock.h"
#include "common/base/err.h"
#include "common/base/json.h"
#include "common/base/mem.h"
#include "common/store/pg.h"
#include "common/store/redis.h"
#include "common/store/result.h"
#include "workers/ctl/account.h"
#include "workers/ctl/ctl.h"
#include "workers/ctl/suspects.h"

enum { BATCH = 500, LIST_MAX = 1 << 20 };

static const char KEY[] = "celery-task-meta-", COUNT_WORD[] = "1000";

/* What waits, the oldest first: $1 since, $2 task, $3 queue, $4 how many */
static const char SQL_OPEN[] =
	"SELECT task_id FROM jobfleet.open_tasks WHERE state = 'waiting' AND retries = 0"
	" AND generation = 0 AND ($1::timestamptz IS NULL OR created_at >= $1)"
	" AND jobfleet.task_matches(task, $2) AND ($3::text IS NULL OR queue = $3)"
	" ORDER BY created_at LIMIT $4::integer";

static const char SQL_UNRECORDED[] =
	"SELECT u, EXISTS (SELECT FROM jobfleet.pending p WHERE p.task_id = u)"
	" FROM jobfleet.audit_unrecorded($1::text[]) u";

/* ---- results ---- */

struct found {
	char *status, *done;	/* "" */
	bool ours;
};

static bool read_meta(const struct redis_reply *reply, struct found *f)
{
	cJSON *meta = NULL;

	*f = (struct found){ 0 };
	if (reply->type != REDIS_STRING || json_parse(reply->str, reply->len, &meta, NULL) < 0)
		return false;
	f->ours = json_get(meta, "jobfleet_generation") != NULL;
	if (result_is_final(json_str(meta, "status", ""))) {
		f->status = mem_strdup(json_str(meta, "status", ""));
		f->done = mem_strdup(json_str(meta, "date_done", ""));
	}
	cJSON_Delete(meta);
	return f->status != NULL;
}

static void add(struct hindsight *h, const char *id, struct found *f, bool open)
{
	if (h->n == HINDSIGHT_MAX) {
		h->cut = true;
		free(f->status);
		free(f->done);
		return;
	}
	h->items = mem_realloc(h->items, (h->n + 1) * sizeof *h->items);
	h->items[h->n++] = (struct hindsight_item){ mem_strdup(id), f->status, f->done, open };
}

/* The replies to a batch of ids, each asked by its key. */
static int ask(struct redis *redis, const char *const *ids, size_t n, struct redis_reply **ret,
	       struct err *e)
{
	const char *words[BATCH + 1] = { "MGET" };
	size_t lens[BATCH + 1] = { strlen("MGET") };
	int r;

	for (size_t i = 0; i < n; i++) {
		words[i + 1] = mem_printf("%s%s", KEY, ids[i]);
		lens[i + 1] = strlen(words[i + 1]);
	}
	r = redis_run(redis, words, lens, n + 1, ret, e);
	for (size_t i = 0; i < n; i++)
		free((char *)words[i + 1]);
	if (r == 0 && ((*ret)->type != REDIS_ARRAY || (*ret)->nitems != n)) {
		redis_reply_free(*ret);
		r = err_set(e, ERR_PROTOCOL, "Redis: an odd answer to MGET");
	}
	return r;
}

/* ---- what is open ---- */

static int judge_open(struct hindsight *h, struct redis *redis, const char *const *ids, size_t n,
		      struct err *e)
{
	struct redis_reply *reply = NULL;
	int r = ask(redis, ids, n, &reply, e);

	for (size_t i = 0; r == 0 && i < n; i++) {
		struct found f;

		if (read_meta(reply->items[i], &f))
			add(h, ids[i], &f, true);
	}
	if (r == 0)
		redis_reply_free(reply);
	return r;
}

static int open_tasks(struct hindsight *h, struct redis *redis, struct ctl *c,
		      const struct account_filter *f, struct err *e)
{
	const char *ids[BATCH];
	struct pg_rows *rows = NULL;
	size_t n = 0, count;
	int r = ctl_query(c, SQL_OPEN, PG_PARAMS(PG_TEXT(f->since), PG_TEXT(f->task),
						 PG_TEXT(f->queue), PG_INT(HINDSIGHT_MAX)),
			  &rows, e);

	count = r == 0 ? pg_rows_count(rows) : 0;
	for (size_t i = 0; r == 0 && i < count; i++) {
		ids[n++] = pg_text(rows, i, 0);
		if (n == BATCH || i + 1 == count) {
			r = judge_open(h, redis, ids, n, e);
			n = 0;
		}
	}
	pg_rows_free(rows);
	return r;
}

/* A suspect with a final result is not missing: it ran. */
static int clear_suspects(struct hindsight *h, struct suspects *s, struct redis *redis,
			  struct err *e)
{
	for (size_t i = s->n; i-- > 0;) {
		const char *id = s->items[i].id;
		struct redis_reply *reply = NULL;
		struct found f = { 0 };
		int r = ask(redis, &id, 1, &reply, e);

		if (r < 0)
			return r;
		if (read_meta(reply->items[0], &f)) {
			add(h, id, &f, false);
			suspects_drop(s, i);
		}
		redis_reply_free(reply);
	}
	return 0;
}

/* ---- what the ledger does not know ---- */

static bool is_since(const char *done, const char *since)
{
	int64_t a = 0, b = 0;

	return !since || !*since || clock_parse_iso(since, &b, NULL) < 0 ||
	       clock_parse_iso(done, &a, NULL) < 0 || a >= b;
}

static bool is_known(const struct hindsight *h, const char *id)
{
	for (size_t i = 0; i < h->n; i++) {
		if (strcmp(h->items[i].id, id) == 0)
			return true;
	}
	return false;
}

/* Those of a batch that ended since, by their ids; founds are of the same order. */
static int unrecorded(struct hindsight *h, struct ctl *c, const char *const *ids,
		      struct redis_reply *reply, const char *since, struct err *e)
{
	cJSON *by_id = mem_check(cJSON_CreateObject());
	struct pg_rows *rows = NULL;
	struct buf list;
	int r, n = 0;

	buf_init(&list, LIST_MAX);
	buf_putc(&list, '{');
	for (size_t i = 0; i < reply->nitems; i++) {
		struct found f;

		if (!read_meta(reply->items[i], &f))
			continue;
		if (f.ours && is_since(f.done, since) && !strpbrk(ids[i], "\"\\{},")) {
			cJSON *x = mem_check(cJSON_CreateObject());

			json_set_str(x, "status", f.status);
			json_set_str(x, "done", f.done);
			json_set(by_id, ids[i], x);
			buf_printf(&list, "%s\"%s\"", n++ ? "," : "", ids[i]);
		}
		free(f.status);
		free(f.done);
	}
	buf_putc(&list, '}');
	r = n ? ctl_query(c, SQL_UNRECORDED, PG_PARAMS(PG_TEXT(buf_text(&list))), &rows, e) : 0;
	for (size_t i = 0; r == 0 && n && i < pg_rows_count(rows); i++) {
		const char *id = pg_text(rows, i, 0);
		const cJSON *x = json_get(by_id, id);
		struct found f = { mem_strdup(json_str(x, "status", "")),
				   mem_strdup(json_str(x, "done", "")), true };

		if (!is_known(h, id)) {
			add(h, id, &f, pg_bool(rows, i, 1));
		} else {
			free(f.status);
			free(f.done);
		}
	}
	pg_rows_free(rows);
	buf_release(&list);
	cJSON_Delete(by_id);
	return r;
}

static int judge_keys(struct hindsight *h, struct redis *redis, struct ctl *c,
		      const struct redis_reply *keys, const char *since, struct err *e)
{
	const char *ids[BATCH];
	int r = 0;

	for (size_t from = 0; r == 0 && from < keys->nitems; from += BATCH) {
		struct redis_reply *reply = NULL;
		size_t n = 0;

		for (size_t i = from; i < keys->nitems && n < BATCH; i++)
			ids[n++] = keys->items[i]->str + strlen(KEY);
		r = ask(redis, ids, n, &reply, e);
		if (r == 0) {
			r = unrecorded(h, c, ids, reply, since, e);
			redis_reply_free(reply);
		}
	}
	return r;
}

static int all_results(struct hindsight *h, struct redis *redis, struct ctl *c, const char *since,
		       struct err *e)
{
	char *pattern = mem_printf("%s*", KEY), *cursor = mem_strdup("0");
	int r = 0;

	do {
		struct redis_reply *reply = NULL;

		r = redis_cmd(redis, &reply, e, "SCAN", cursor, "MATCH", pattern, "COUNT",
			      COUNT_WORD, NULL);
		if (r == 0 && (reply->type != REDIS_ARRAY || reply->nitems != 2))
			r = err_set(e, ERR_PROTOCOL, "Redis: an odd answer to SCAN");
		if (r == 0)
			r = judge_keys(h, redis, c, reply->items[1], since, e);
		if (r == 0)
			mem_replace(&cursor, mem_strdup(reply->items[0]->str));
		redis_reply_free(reply);
	} while (r == 0 && strcmp(cursor, "0") != 0);
	free(pattern);
	free(cursor);
	return r;
}

int hindsight_take(struct hindsight *ret, struct suspects *s, struct ctl *c,
		   const struct account_filter *f, bool all, const char *since, struct err *e)
{
	struct hindsight h = { 0 };
	struct redis *redis = NULL;
	int r = ctl_redis(c, &redis, e);

	if (r == 0)
		r = open_tasks(&h, redis, c, f, e);
	if (r == 0)
		r = clear_suspects(&h, s, redis, e);
	if (r == 0 && all)
		r = all_results(&h, redis, c, since, e);
	if (r < 0) {
		hindsight_release(&h);
		return r;
	}
	*ret = h;
	return 0;
}

void hindsight_release(struct hindsight *h)
{
	for (size_t i = 0; i < h->n; i++) {
		free(h->items[i].id);
		free(h->items[i].status);
		free(h->items[i].done);
	}
	free(h->items);
	*h = (struct hindsight){ 0 };
}
