/* SPDX-License-Identifier: MIT */
#include "workers/dispatcher/watcher.h"

#include <stdint.h>

#include "common/base/buf.h"
#include "common/base/clock.h"
#include "common/base/conf.h"
#include "common/base/err.h"
#include "common/base/json.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/broker/publisher.h"
#include "common/store/pg.h"
#include "common/store/redis.h"
#include "common/store/result.h"
#include "workers/dispatcher/peers.h"

#define ASK_MS 2000
#define LOOK_MS 5000
#define LOOK_LEAST_MS 250
#define MAX_QUEUES 1000
#define LOOSE_BATCH 2000
#define MAX_IDS_BYTES (WATCHER_BATCH * 24)
#define KEY "celery-task-meta-"

/* One queue with old sent rows, and when it was seen empty (PostgreSQL's clock). */
struct seen {
	char *queue;
	int64_t empty_us; /* 0 = it was not */
};

struct watcher {
	struct seen *seen;
	size_t n;
	int64_t look_ms; /* monotonic */
};

/* A loose scan of the index: as many steps as there are queues, however many rows wait. */
static const char SQL_QUEUES[] =
	"WITH RECURSIVE q AS ((SELECT queue FROM jobfleet.pending WHERE state = 'sent'"
	" ORDER BY queue LIMIT 1) UNION ALL SELECT (SELECT p.queue FROM jobfleet.pending p"
	" WHERE p.state = 'sent' AND p.queue > q.queue ORDER BY p.queue LIMIT 1)"
	" FROM q WHERE q.queue IS NOT NULL)"
	" SELECT queue, (extract(epoch FROM clock_timestamp()) * 1000000)::bigint FROM q"
	" WHERE queue IS NOT NULL AND EXISTS (SELECT 1 FROM jobfleet.pending p"
	" WHERE p.state = 'sent' AND p.queue = q.queue"
	" AND p.sent_at < now() - $1::bigint * interval '1 ms') LIMIT $2::integer";

#define LIVE \
	"live AS MATERIALIZED (SELECT queues, seen_at, info FROM jobfleet.workers" \
	" WHERE state <> 'stopped' AND program <> 'dispatcher'" \
	" AND seen_at > now() - $1::integer * interval '3 s')"

static const char SQL_SERVING[] = "WITH " LIVE " SELECT count(*) FROM live"
				  " WHERE queues @> ARRAY[$2::text]";

static const char SQL_LOST[] =
	"WITH " LIVE ", held AS MATERIALIZED ("
	"SELECT jsonb_array_elements_text(info->'reserved') AS id FROM live UNION ALL"
	" SELECT a->>'id' FROM live, jsonb_array_elements(info->'active') AS a)"
	" SELECT p.id, p.task_id, p.generation FROM jobfleet.pending p"
	" WHERE p.state = 'sent' AND p.queue = $2"
	" AND p.sent_at < timestamptz 'epoch' + $3::bigint * interval '1 us'"
	" AND p.sent_at < now() - $4::bigint * interval '1 ms'"
	"  * power(2, least(greatest(p.attempts - 1, 0), 6))"
	" AND NOT EXISTS (SELECT 1 FROM live WHERE"
	"  seen_at <= timestamptz 'epoch' + ($3 + 1000000) * interval '1 us'"
	"  OR info->>'truncated' IS DISTINCT FROM 'false')"
	" AND NOT EXISTS (SELECT 1 FROM held WHERE held.id = p.task_id)"
	" AND NOT EXISTS (SELECT 1 FROM jobfleet.workers w WHERE w.info->'loose' ? p.task)"
	" AND NOT EXISTS (SELECT 1 FROM jobfleet.ledger l WHERE l.task_id = p.task_id"
	"  AND l.generation = p.generation"
	"  AND (l.final OR (l.nesting, l.retries) >= (p.nesting, p.retries)))"
	" AND NOT EXISTS (SELECT 1 FROM jobfleet.dead_letters d WHERE d.task_id = p.task_id"
	"  AND d.generation >= p.generation)"
	" AND NOT EXISTS (SELECT 1 FROM jobfleet.pending o WHERE o.task_id = p.task_id"
	"  AND o.id <> p.id AND (o.state = 'waiting' OR (o.generation, o.nesting, o.retries, o.hop)"
	"  > (p.generation, p.nesting, p.retries, p.hop)))"
	" ORDER BY p.sent_at LIMIT $5::integer";

static const char SQL_AGAIN[] =
	"WITH again AS (UPDATE jobfleet.pending SET state = 'waiting', due = clock_timestamp(),"
	" claimed_until = NULL, reason = 'its queue lost it' WHERE id = ANY($1::bigint[])"
	" AND state = 'sent' RETURNING id), n AS (SELECT count(*) AS n FROM again)"
	" SELECT n, CASE WHEN n > 0 THEN jobfleet.raise_alert('queue_lost', $2::text, 'WARNING',"
	" format('%s messages that queue %s lost are sent again', n, $2::text)) END FROM n";

/* By a worker that keeps no ledger, Python's. */
static const char SQL_DONE[] =
	"DELETE FROM jobfleet.pending WHERE id = ANY($1::bigint[]) AND state = 'sent'";

/* They keep nothing safe, and in great numbers each look would have to pass them. */
static const char SQL_LOOSE[] =
	"DELETE FROM jobfleet.pending WHERE ctid = ANY (ARRAY(SELECT ctid FROM jobfleet.pending"
	" WHERE state = 'sent' AND queue = $1 AND sent_at < now() - interval '1 hour' AND task IN"
	" (SELECT jsonb_array_elements_text(info->'loose') FROM jobfleet.workers)"
	" ORDER BY sent_at LIMIT $2::integer FOR UPDATE SKIP LOCKED))";

struct watcher *watcher_new(void)
{
	return mem_zalloc(sizeof(struct watcher));
}

static void forget(struct watcher *w)
{
	for (size_t i = 0; i < w->n; i++)
		free(w->seen[i].queue);
	free(w->seen);
	w->seen = NULL;
	w->n = 0;
}

void watcher_free(struct watcher *w)
{
	if (!w)
		return;
	forget(w);
	free(w);
}

/* ---- is the queue empty? ---- */

static int count_serving(struct pg *pg, int heartbeat_s, const char *queue, int64_t *ret,
			 struct err *e)
{
	struct pg_rows *rows = NULL;
	int64_t n = pg_run(pg, SQL_SERVING, PG_PARAMS(PG_INT(heartbeat_s), PG_TEXT(queue)), &rows,
			   e);

	if (n > 0)
		*ret = pg_int(rows, 0, 0);
	pg_rows_free(rows);
	return n < 0 ? (int)n : 0;
}

/* 1 = nothing is ready there and nobody unknown consumes it, or there is no such queue. */
static int is_empty(struct pg *pg, struct publisher *p, int heartbeat_s, const char *queue,
		    struct err *e)
{
	int64_t ready = 0, consumers = 0, serving = 0;
	int r = publisher_queue_depth(p, queue, &ready, &consumers, ASK_MS, e);

	if (r == -ERR_NOT_FOUND)
		return 1;
	if (r == 0 && ready == 0)
		r = count_serving(pg, heartbeat_s, queue, &serving, e);
	return r < 0 ? r : ready == 0 && consumers <= serving;
}

/* ---- sending again ---- */

static bool is_final(const struct redis_reply *reply)
{
	cJSON *meta = NULL;
	bool final;

	if (reply->type != REDIS_STRING || json_parse(reply->str, reply->len, &meta, NULL) < 0)
		return false;
	final = result_is_final(json_str(meta, "status", ""));
	cJSON_Delete(meta);
	return final;
}

/* The ids of those rows that have no final result, and of those that have, as arrays for
 * PostgreSQL. A replay's result may be that of the run before it: its row is neither. */
struct found {
	struct buf lost, done;
};

static int look_for_results(struct redis *redis, const struct pg_rows *rows, struct found *out,
			    struct err *e)
{
	struct redis_reply *reply = NULL;
	int r = 0;

	for (size_t i = 0; r == 0 && i < pg_rows_count(rows); i++) {
		char *key = mem_printf(KEY "%s", pg_text(rows, i, 1));
		struct buf *list = &out->lost;

		r = redis_cmd(redis, &reply, e, "GET", key, NULL);
		if (r == 0 && is_final(reply))
			list = pg_int(rows, i, 2) == 0 ? &out->done : NULL;
		if (r == 0 && list)
			buf_printf(list, "%c%s", list->len ? ',' : '{', pg_text(rows, i, 0));
		redis_reply_free(reply);
		reply = NULL;
		free(key);
	}
	return r;
}

static int send_again(struct pg *pg, const char *ids, const char *queue, struct err *e)
{
	struct pg_rows *rows = NULL;
	int64_t n = pg_run(pg, SQL_AGAIN, PG_PARAMS(PG_TEXT(ids), PG_TEXT(queue)), &rows, e);

	if (n > 0 && pg_int(rows, 0, 0) > 0)
		log_warn("a queue lost messages, they are sent again queue=%s n=%lld", queue,
			 (long long)pg_int(rows, 0, 0));
	pg_rows_free(rows);
	return n < 0 ? (int)n : 0;
}

static int deal_with(struct pg *pg, const char *queue, struct found *f, struct err *e)
{
	int r = 0;

	if (f->lost.len) {
		buf_putc(&f->lost, '}');
		r = send_again(pg, buf_text(&f->lost), queue, e);
	}
	if (r >= 0 && f->done.len) {
		buf_putc(&f->done, '}');
		r = (int)pg_run(pg, SQL_DONE, PG_PARAMS(PG_TEXT(buf_text(&f->done))), NULL, e);
	}
	return r;
}

static int find_lost(struct pg *pg, struct redis *redis, const struct conf *conf,
		     const struct seen *s, struct err *e)
{
	struct pg_rows *rows = NULL;
	struct found found;
	int64_t n = pg_run(pg, SQL_LOST,
			   PG_PARAMS(PG_INT(conf->fleet.heartbeat_s), PG_TEXT(s->queue),
				     PG_INT(s->empty_us), PG_INT(conf->fleet.lost_after_ms),
				     PG_INT(WATCHER_BATCH)),
			   &rows, e);
	int r = n < 0 ? (int)n : 0;

	if (r == 0)
		r = (int)pg_run(pg, SQL_LOOSE, PG_PARAMS(PG_TEXT(s->queue), PG_INT(LOOSE_BATCH)),
				NULL, e);
	buf_init(&found.lost, MAX_IDS_BYTES);
	buf_init(&found.done, MAX_IDS_BYTES);
	if (r >= 0 && n > 0)
		r = look_for_results(redis, rows, &found, e);
	if (r >= 0)
		r = deal_with(pg, s->queue, &found, e);
	buf_release(&found.lost);
	buf_release(&found.done);
	pg_rows_free(rows);
	return r;
}

/* ---- the round ---- */

static int64_t empty_before(const struct watcher *w, const char *queue)
{
	for (size_t i = 0; i < w->n; i++)
		if (strcmp(w->seen[i].queue, queue) == 0)
			return w->seen[i].empty_us;
	return 0;
}

/* T stays where it was while the workers' reports are awaited: two lost_after later a new one is
 * taken, for rows that were sent meanwhile. */
static int look_at(struct watcher *w, struct seen *s, int64_t now_us, const struct conf *conf,
		   struct pg *pg, struct publisher *p, struct redis *redis, struct err *e)
{
	int64_t before = empty_before(w, s->queue);
	int r = is_empty(pg, p, conf->fleet.heartbeat_s, s->queue, e);

	if (r <= 0)
		return r;
	s->empty_us = before ? before : now_us;
	if (!before)
		return 0;
	r = find_lost(pg, redis, conf, s, e);
	if (now_us - before > 2000 * conf->fleet.lost_after_ms)
		s->empty_us = now_us;
	return r;
}

static int look_round(struct watcher *w, const struct conf *conf, struct pg *pg,
		      struct publisher *p, struct redis *redis, struct err *e)
{
	struct pg_rows *rows = NULL;
	struct watcher fresh = { 0 };
	int64_t n = pg_run(pg, SQL_QUEUES,
			   PG_PARAMS(PG_INT(conf->fleet.lost_after_ms), PG_INT(MAX_QUEUES)), &rows,
			   e);
	int r = n < 0 ? (int)n : 0;

	if (n > 0)
		fresh.seen = mem_zalloc((size_t)n * sizeof *fresh.seen);
	for (size_t i = 0; r >= 0 && n > 0 && i < (size_t)n; i++) {
		struct seen *s = &fresh.seen[fresh.n++];

		s->queue = mem_strdup(pg_text(rows, i, 0));
		r = look_at(w, s, pg_int(rows, i, 1), conf, pg, p, redis, e);
	}
	pg_rows_free(rows);
	forget(w);
	w->seen = fresh.seen;
	w->n = fresh.n;
	return r < 0 ? r : 0;
}

int watcher_turn(struct watcher *w, const struct conf *conf, struct peers *peers, struct err *e)
{
	int64_t now = clock_mono_ms(), pace = conf->fleet.lost_after_ms / 4;
	struct publisher *p;
	struct redis *redis;
	struct pg *pg;

	if (now < w->look_ms)
		return 0;
	pace = pace > LOOK_MS ? LOOK_MS : pace < LOOK_LEAST_MS ? LOOK_LEAST_MS : pace;
	w->look_ms = now + pace;
	p = peers_broker(peers);
	redis = peers_redis(peers);
	pg = peers_database(peers);
	if (!p || !redis || !pg || !publisher_is_alive(p) || publisher_is_blocked(p))
		return 0;
	return look_round(w, conf, pg, p, redis, e);
}
