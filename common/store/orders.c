/* SPDX-License-Identifier: MIT */
#include "common/store/orders.h"

#include "common/base/clock.h"
#include "common/base/err.h"
#include "common/base/mem.h"
#include "common/base/scan.h"
#include "common/store/pg.h"
#include "common/store/redis.h"

enum { TEXT_MAX = 255, BATCH = 5000, PARK_BATCH = 1000 };

/* In Redis the parts of a member or field stand behind one another, split by this (unit
 * separator), which no name has that came through orders_write. */
#define SPLIT '\x1f'

static const char *const KINDS[] = {
	[ORDER_REVOKE_ID] = "id", [ORDER_REVOKE_STAMP] = "stamp", [ORDER_PAUSE_QUEUE] = "queue",
	[ORDER_PAUSE_TASK] = "task", [ORDER_PAUSE_FLEET] = "fleet",
};

static bool is_revoke(const struct order *o)
{
	return o->kind == ORDER_REVOKE_ID || o->kind == ORDER_REVOKE_STAMP;
}

static const char *text(const char *s)
{
	return s ? s : "";
}

static int check_text(const char *what, const char *s, bool needed, struct err *e)
{
	if (needed && !*s)
		return err_set(e, ERR_INVALID, "an order without its %s", what);
	if (strlen(s) > TEXT_MAX)
		return err_set(e, ERR_INVALID, "the %s has more than %d bytes", what, TEXT_MAX);
	if (strchr(s, SPLIT))
		return err_set(e, ERR_INVALID, "the %s holds a control character", what);
	return 0;
}

static int check(const struct order *o, struct err *e)
{
	int r = check_text("name", text(o->name),
			   o->kind != ORDER_REVOKE_ID && o->kind != ORDER_PAUSE_FLEET, e);

	if (r == 0)
		r = check_text("value", text(o->value), is_revoke(o), e);
	if (r == 0)
		r = check_text("reason", text(o->reason), false, e);
	return r;
}

/* ---- PostgreSQL ---- */

/* The lock comes first: whoever has a smaller number is visible before we take ours. */
#define LOCKED "WITH l AS MATERIALIZED (SELECT pg_advisory_xact_lock(hashtext('jobfleet.orders')))"

static const char SQL_REVOKE[] =
	LOCKED " INSERT INTO jobfleet.revokes (kind, name, value, ordered_by, ordered_at)"
	" SELECT $1, $2, $3, $4, timestamptz 'epoch' + $5::bigint * interval '1 ms' FROM l"
	" ON CONFLICT (kind, name, value) DO NOTHING";

static const char SQL_PAUSE[] = LOCKED
	" INSERT INTO jobfleet.pauses AS p (kind, name, paused, reason, ordered_by, ordered_at)"
	" SELECT $1, $2, $3::boolean, $4, $5, timestamptz 'epoch' + $6::bigint * interval '1 ms'"
	" FROM l ON CONFLICT (kind, name) DO UPDATE SET paused = excluded.paused,"
	" reason = excluded.reason, ordered_by = excluded.ordered_by,"
	" ordered_at = excluded.ordered_at, seq = excluded.seq"
	" WHERE p.ordered_at <= excluded.ordered_at";

/* The pairs of queue and task that are parked are found by steps through their index: there are
 * few, however many rows they have. */
static const char SQL_RELEASE[] =
	"WITH RECURSIVE pairs AS ((SELECT queue, task FROM jobfleet.pending"
	" WHERE state = 'waiting' AND reason = 'paused' ORDER BY queue, task LIMIT 1)"
	" UNION ALL SELECT n.queue, n.task FROM pairs, LATERAL (SELECT p.queue, p.task"
	" FROM jobfleet.pending p WHERE p.state = 'waiting' AND p.reason = 'paused'"
	" AND (p.queue, p.task) > (pairs.queue, pairs.task) ORDER BY p.queue, p.task LIMIT 1) AS n),"
	" open AS MATERIALIZED (SELECT queue, task FROM pairs"
	" WHERE NOT EXISTS (SELECT 1 FROM jobfleet.pauses s WHERE s.paused"
	" AND (s.kind = 'fleet' OR s.kind = 'queue' AND s.name = pairs.queue"
	" OR s.kind = 'task' AND s.name = pairs.task))),"
	" free AS (UPDATE jobfleet.pending p SET due = clock_timestamp(), reason = NULL FROM open o"
	" WHERE p.queue = o.queue AND p.task = o.task AND p.state = 'waiting'"
	" AND p.reason = 'paused' AND p.due = 'infinity' RETURNING 1)"
	" SELECT pg_notify('jobfleet_pending', '') FROM (SELECT count(*) AS n FROM free) AS c"
	" WHERE c.n > 0";

int orders_release_parked(struct pg *pg, struct err *e)
{
	int64_t r = pg_run(pg, SQL_RELEASE, NULL, 0, NULL, e);

	return r < 0 ? (int)r : 0;
}

/* What is due but paused waits for its resume . Without any pause nothing is read. */
static const char SQL_PAUSED[] =
	"WITH held AS (SELECT coalesce(bool_or(kind = 'fleet'), false) AS fleet,"
	" array_agg(name) FILTER (WHERE kind = 'queue') AS queues,"
	" array_agg(name) FILTER (WHERE kind = 'task') AS tasks FROM jobfleet.pauses WHERE paused),"
	" due AS (SELECT m.id FROM jobfleet.pending m, held h"
	" WHERE (SELECT EXISTS (SELECT 1 FROM jobfleet.pauses WHERE paused))"
	" AND m.state = 'waiting' AND m.due <= now()"
	" AND (m.claimed_until IS NULL OR m.claimed_until <= now())"
	" AND (h.fleet OR m.queue = ANY(h.queues) OR m.task = ANY(h.tasks))"
	" LIMIT $1::integer FOR UPDATE OF m SKIP LOCKED)"
	" UPDATE jobfleet.pending SET due = 'infinity', reason = 'paused'"
	" WHERE id = ANY (ARRAY(SELECT id FROM due))";

int orders_park_due(struct pg *pg, struct err *e)
{
	int64_t n;

	do {
		n = pg_run(pg, SQL_PAUSED, PG_PARAMS(PG_INT(PARK_BATCH)), NULL, e);
	} while (n == PARK_BATCH);
	return n < 0 ? (int)n : 0;
}

static int write_pg(struct pg *pg, const struct order *o, int64_t at_ms, struct err *e)
{
	const char *kind = KINDS[o->kind];
	const char *name = o->kind == ORDER_PAUSE_FLEET ? "" : text(o->name);
	int64_t r;

	if (is_revoke(o))
		r = pg_run(pg, SQL_REVOKE,
			   PG_PARAMS(PG_TEXT(kind), PG_TEXT(name), PG_TEXT(text(o->value)),
				     PG_TEXT(text(o->by)), PG_INT(at_ms)), NULL, e);
	else
		r = pg_run(pg, SQL_PAUSE,
			   PG_PARAMS(PG_TEXT(kind), PG_TEXT(name), PG_TEXT(o->on ? "t" : "f"),
				     PG_TEXT(text(o->reason)), PG_TEXT(text(o->by)),
				     PG_INT(at_ms)), NULL, e);
	if (r >= 0 && !is_revoke(o) && !o->on)
		r = orders_release_parked(pg, e);
	return r < 0 ? (int)r : 0;
}

int orders_number(struct pg *pg, struct err *e)
{
	static const char SQL[] =
		LOCKED " UPDATE jobfleet.revokes SET seq = nextval('jobfleet.order_seq')"
		" FROM l WHERE seq IS NULL";
	struct pg_rows *rows = NULL;
	int64_t r = pg_run(pg, "SELECT 1 FROM jobfleet.revokes WHERE seq IS NULL LIMIT 1", NULL, 0,
			   &rows, e);

	pg_rows_free(rows);
	if (r > 0)
		r = pg_run(pg, SQL, NULL, 0, NULL, e);
	return r < 0 ? (int)r : 0;
}

static const char SQL_READ[] =
	"SELECT seq, kind, name, value, true, (extract(epoch FROM ordered_at) * 1000)::bigint"
	" FROM jobfleet.revokes WHERE seq > $1::bigint UNION ALL"
	" SELECT seq, kind, name, '', paused, (extract(epoch FROM ordered_at) * 1000)::bigint"
	" FROM jobfleet.pauses WHERE seq > $1::bigint ORDER BY 1 LIMIT $2::integer";

static enum order_kind kind_of(const char *name)
{
	for (enum order_kind k = ORDER_REVOKE_ID; k < ORDER_PAUSE_FLEET; k++)
		if (strcmp(KINDS[k], name) == 0)
			return k;
	return ORDER_PAUSE_FLEET;
}

int orders_read_pg(struct pg *pg, int64_t *seq, order_fn *fn, void *ctx, struct err *e)
{
	int64_t n;

	do {
		struct pg_rows *rows = NULL;

		n = pg_run(pg, SQL_READ, PG_PARAMS(PG_INT(*seq), PG_INT(BATCH)), &rows, e);
		for (int64_t i = 0; i < n; i++) {
			size_t at = (size_t)i;

			fn(ctx, &(struct order){ .kind = kind_of(pg_text(rows, at, 1)),
						 .name = pg_text(rows, at, 2),
						 .value = pg_text(rows, at, 3), .reason = "",
						 .by = "", .on = pg_bool(rows, at, 4),
						 .at_ms = pg_int(rows, at, 5) });
			*seq = pg_int(rows, at, 0);
		}
		pg_rows_free(rows);
	} while (n == BATCH);
	return n < 0 ? (int)n : 0;
}

/* ---- Redis ---- */

#define NUMBERED(body) \
	"local t = redis.call('TIME')\n" \
	"local n = math.max(tonumber(redis.call('GET', KEYS[2]) or 0) + 1,\n" \
	"  t[1] * 1000 + math.floor(t[2] / 1000))\n" body \
	"redis.call('SET', KEYS[2], string.format('%.0f', n))\nreturn 1\n"

static const char SCRIPT_REVOKE[] = NUMBERED(
	"if redis.call('ZSCORE', KEYS[1], ARGV[1]) then return 0 end\n"
	"redis.call('ZADD', KEYS[1], string.format('%.0f', n), ARGV[1])\n"
	"redis.call('ZREMRANGEBYRANK', KEYS[1], 0, -tonumber(ARGV[2]) - 1)\n");

static const char SCRIPT_PAUSE[] = NUMBERED(
	"local was = redis.call('HGET', KEYS[1], ARGV[1])\n"
	"if was and tonumber(string.match(was, '^%d (%d+)') or 0) > tonumber(ARGV[3]) then return 0 end\n"
	"redis.call('HSET', KEYS[1], ARGV[1], ARGV[2] .. ' ' .. ARGV[3])\n");

static int write_redis(struct redis *redis, const char *prefix, const struct order *o,
		       int64_t at_ms, struct err *e)
{
	char *set = mem_printf("%s%s", prefix, is_revoke(o) ? "revokes" : "pauses");
	char *counter = mem_printf("%sorders", prefix), at[24], most[24];
	char *what = is_revoke(o) ? mem_printf("%s%c%s%c%s", KINDS[o->kind], SPLIT, text(o->name),
					       SPLIT, o->value)
		   : mem_printf("%s%c%s", KINDS[o->kind], SPLIT,
				o->kind == ORDER_PAUSE_FLEET ? "" : o->name);
	int r;

	pg_int_text(at, at_ms);
	pg_int_text(most, ORDERS_MAX);
	if (is_revoke(o))
		r = redis_eval(redis, SCRIPT_REVOKE, 2,
			       (const char *const[]){ set, counter, what, most }, NULL, 4, NULL, e);
	else
		r = redis_eval(redis, SCRIPT_PAUSE, 2,
			       (const char *const[]){ set, counter, what, o->on ? "1" : "0", at },
			       NULL, 5, NULL, e);
	free(set);
	free(counter);
	free(what);
	return r;
}

int orders_write(struct pg *pg, struct redis *redis, const char *prefix, const struct order *o,
		 struct err *e)
{
	int64_t at_ms = o->at_ms ? o->at_ms : clock_wall_ms();
	struct err first = { 0 }, second = { 0 };
	int r = check(o, e), in_pg = -1, in_redis = -1;

	if (r < 0)
		return r;
	if (pg)
		in_pg = write_pg(pg, o, at_ms, &first);
	if (redis)
		in_redis = write_redis(redis, prefix, o, at_ms, &second);
	if (in_pg >= 0 || in_redis >= 0)
		return 0;
	if (!pg && !redis)
		return err_set(e, ERR_DB, "neither PostgreSQL nor Redis is there");
	return err_set(e, pg ? first.code : second.code, "%s", pg ? first.msg : second.msg);
}

/* Cuts "a<SPLIT>b<SPLIT>c" in place. */
static void cut(char *s, const char *ret[3])
{
	for (int i = 0; i < 3; i++) {
		char *end = s ? strchr(s, SPLIT) : NULL;

		ret[i] = s ? s : "";
		if (end)
			*end++ = '\0';
		s = end;
	}
}

static void tell_revokes(const struct redis_reply *members, order_fn *fn, void *ctx)
{
	for (size_t i = 0; i < members->nitems; i++) {
		const char *part[3];

		if (members->items[i]->type != REDIS_STRING)
			continue;
		cut(members->items[i]->str, part);
		fn(ctx, &(struct order){ .kind = kind_of(part[0]), .name = part[1],
					 .value = part[2], .reason = "", .by = "", .on = true });
	}
}

static void tell_pauses(const struct redis_reply *pairs, order_fn *fn, void *ctx)
{
	for (size_t i = 0; i + 1 < pairs->nitems; i += 2) {
		const char *part[3], *state;
		int64_t at_ms = 0;

		if (pairs->items[i]->type != REDIS_STRING ||
		    pairs->items[i + 1]->type != REDIS_STRING || pairs->items[i + 1]->len < 3)
			continue;
		cut(pairs->items[i]->str, part);
		state = pairs->items[i + 1]->str;
		if (scan_int64(state + 2, 0, INT64_MAX, &at_ms, NULL) < 0)
			continue;
		fn(ctx, &(struct order){ .kind = kind_of(part[0]), .name = part[1], .value = "",
					 .reason = "", .by = "", .on = state[0] == '1',
					 .at_ms = at_ms });
	}
}

static int read_counter(struct redis *redis, const char *key, int64_t *ret, struct err *e)
{
	struct redis_reply *reply = NULL;
	int r = redis_cmd(redis, &reply, e, "GET", key, NULL);

	if (r >= 0) {
		*ret = 0;
		if (reply->type == REDIS_STRING)
			r = scan_int64(reply->str, 0, INT64_MAX, ret, e);
	}
	redis_reply_free(reply);
	return r;
}

static int read_changes(struct redis *redis, const char *prefix, int64_t since, order_fn *fn,
			void *ctx, struct err *e)
{
	char *revokes = mem_printf("%srevokes", prefix), *pauses = mem_printf("%spauses", prefix);
	char from[32];
	struct redis_reply *members = NULL, *pairs = NULL;
	int r;

	snprintf(from, sizeof from, "(%lld", (long long)since);
	r = redis_cmd(redis, &members, e, "ZRANGEBYSCORE", revokes, from, "+inf", NULL);
	if (r >= 0)
		r = redis_cmd(redis, &pairs, e, "HGETALL", pauses, NULL);
	if (r >= 0) {
		tell_revokes(members, fn, ctx);
		tell_pauses(pairs, fn, ctx);
	}
	redis_reply_free(members);
	redis_reply_free(pairs);
	free(revokes);
	free(pauses);
	return r < 0 ? r : 0;
}

int orders_read_redis(struct redis *redis, const char *prefix, int64_t *counter, order_fn *fn,
		      void *ctx, struct err *e)
{
	char *key = mem_printf("%sorders", prefix);
	int64_t now = 0;
	int r = read_counter(redis, key, &now, e);
	bool whole = *counter == 0 || now < *counter;

	free(key);
	if (r < 0)
		return r;
	if (now != *counter || now == 0) {
		r = now ? read_changes(redis, prefix, whole ? 0 : *counter, fn, ctx, e) : 0;
		if (r >= 0)
			*counter = now;
	}
	return r < 0 ? r : whole;
}
