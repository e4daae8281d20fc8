/* SPDX-License-Identifier: MIT */
#include "workers/dispatcher/joins.h"

#include <stdbool.h>

#include "common/base/clock.h"
#include "common/base/conf.h"
#include "common/base/err.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/base/raw.h"
#include "common/base/scan.h"
#include "common/store/join.h"
#include "common/store/pg.h"
#include "common/store/redis.h"
#include "common/store/result.h"
#include "common/worker/joiner.h"
#include "common/worker/stores.h"
#include "workers/dispatcher/peers.h"

enum {
	BATCH = 20,
	JOIN_MS = 10000,
	SLICE_PARTS = 1000,
	SLICE_BYTES = 8 << 20,
	GRACE_US = 2000000,		/* a part settled so lately may still be on its way to Redis */
	END_GRACE_US = 4000000,		/* a Python worker may be waiting for leaves of a tree: 3 s */
};
#define DAY_US 86400000000LL
#define HOUR_US 3600000000LL

#define US(column) "(extract(epoch FROM " column ") * 1000000)::bigint"

/* Ever less often the longer nothing moves. Whoever takes a join moves its next look, too, so
 * dispatchers divide them among themselves; that two may come across one does no harm. */
static const char SQL_TAKE[] =
	"UPDATE jobfleet.joins SET look_at = now() + least(greatest((now() - moved_at) / 4,"
	" interval '1 second'), interval '1 minute')"
	" WHERE join_id = ANY(ARRAY(SELECT join_id FROM jobfleet.joins WHERE state = 'open'"
	" AND look_at <= now() ORDER BY look_at LIMIT $1::integer FOR UPDATE SKIP LOCKED))"
	" RETURNING join_id, coalesce(size, -1), " US("moved_at") ", " US("created_at") ", "
	US("now()");

static const char SQL_PARTS[] =
	"SELECT count(*), count(*) FILTER (WHERE settled_at < now() - $2::bigint"
	" * interval '1 microsecond'), coalesce(" US("max(settled_at)") ", 0)"
	" FROM jobfleet.ledger WHERE join_id = $1 AND final";

/* A slice by number and by bytes, behind the last part of the slice before. */
static const char SQL_SLICE[] =
	"SELECT coalesce(join_task, task_id), upper(outcome), join_part, coalesce(join_index, -1),"
	" settled_at::text, task_id FROM (SELECT *, sum(octet_length(join_part))"
	" OVER (ORDER BY settled_at, task_id) - octet_length(join_part) AS before"
	" FROM (SELECT * FROM jobfleet.ledger WHERE join_id = $1 AND final"
	" AND (settled_at, task_id) > ($2::timestamptz, $3) ORDER BY settled_at, task_id"
	" LIMIT $4::integer) AS part) AS sized WHERE before < $5::bigint"
	" ORDER BY settled_at, task_id";

static const char SQL_MOVED[] =
	"UPDATE jobfleet.joins SET parts = $2::integer, size = greatest(size, nullif($3::integer, -1)),"
	" moved_at = now(), look_at = now() + interval '2 seconds'"
	" WHERE join_id = $1 AND state = 'open'"
	" AND (parts <> $2::integer OR ($3::integer > coalesce(size, -1)))";

/* One open join, as PostgreSQL and Redis know it. Times are PostgreSQL's, in microseconds. */
struct open_join {
	const char *id;
	int64_t size, moved_us, created_us, now_us;
	int64_t settled, settled_long, last_us;	/* of our parts, in the ledger */
	struct join_state redis;
	int64_t restored;
};

struct sweep {
	struct pg *pg;
	struct redis *redis;
	const struct conf *conf;
	const char *node;
	int64_t since_us;		/* Redis has kept its data since then */
	struct stores stores;		/* connections of its own, opened when a join is ended */
	bool broker;			/* it can take a body */
};

/* ---- since when Redis has its data ---- */

static int read_mark(struct sweep *s, const char *key, struct err *e)
{
	struct redis_reply *reply = NULL;
	int r = redis_cmd(s->redis, &reply, e, "GET", key, NULL);

	if (r < 0)
		return r;
	r = reply->type == REDIS_STRING &&
	    scan_int64(reply->str, 0, INT64_MAX, &s->since_us, NULL) == 0;
	redis_reply_free(reply);
	return r;
}

/* All open joins are looked at once more: what is in the ledger has to go back. */
static int make_mark(struct sweep *s, const char *key, struct err *e)
{
	static const char SQL[] =
		"WITH woken AS (UPDATE jobfleet.joins SET look_at = now() WHERE state = 'open'"
		" RETURNING 1) SELECT " US("clock_timestamp()") ", (SELECT count(*) FROM woken)";
	struct pg_rows *rows = NULL;
	char now[24];
	int64_t r = pg_run(s->pg, SQL, NULL, 0, &rows, e);

	if (r > 0) {
		snprintf(now, sizeof now, "%s", pg_text(rows, 0, 0));
		s->since_us = pg_int(rows, 0, 0);
		r = redis_cmd(s->redis, NULL, e, "SET", key, now, "NX", NULL);
	}
	if (r >= 0)
		log_info("Redis is new or has lost its data, open chords are checked joins=%lld",
			 (long long)pg_int(rows, 0, 1));
	pg_rows_free(rows);
	return r < 0 ? (int)r : 0;
}

static int find_mark(struct sweep *s, struct err *e)
{
	char *key = mem_printf("%sjoins:since", s->conf->fleet.redis_prefix);
	int r = read_mark(s, key, e);

	if (r == 0)
		r = make_mark(s, key, e);
	free(key);
	return r < 0 ? r : 0;
}

/* ---- what there is ---- */

static int count_parts(struct sweep *s, struct open_join *j, struct err *e)
{
	struct pg_rows *rows = NULL;
	int64_t r = pg_run(s->pg, SQL_PARTS, PG_PARAMS(PG_TEXT(j->id), PG_INT(GRACE_US)), &rows, e);

	if (r > 0) {
		j->settled = pg_int(rows, 0, 0);
		j->settled_long = pg_int(rows, 0, 1);
		j->last_us = pg_int(rows, 0, 2);
	}
	pg_rows_free(rows);
	return r < 0 ? (int)r : 0;
}

static int restore_slice(struct sweep *s, struct open_join *j, const struct pg_rows *rows,
			 struct err *e)
{
	size_t n = pg_rows_count(rows);
	struct join_part *parts = mem_zalloc((n + 1) * sizeof *parts);
	int64_t r;

	for (size_t i = 0; i < n; i++)
		parts[i] = (struct join_part){ .join_id = j->id, .task_id = pg_text(rows, i, 0),
					       .status = pg_text(rows, i, 1),
					       .json = pg_cell(rows, i, 2),
					       .index = (int)pg_int(rows, i, 3) };
	r = join_restore(s->redis, j->id, j->size, parts, n, s->conf->fleet.result_expires_s, e);
	free(parts);
	if (r > 0)
		j->restored += r;
	return r < 0 ? (int)r : 0;
}

/* 10,000 parts take a fraction of a second. */
static int restore(struct sweep *s, struct open_join *j, struct err *e)
{
	char *at = mem_strdup("-infinity"), *task = mem_strdup("");
	int64_t n = 1;
	int r = 0;

	while (r >= 0 && n > 0) {
		struct pg_rows *rows = NULL;

		n = pg_run(s->pg, SQL_SLICE, PG_PARAMS(PG_TEXT(j->id), PG_TEXT(at), PG_TEXT(task),
						       PG_INT(SLICE_PARTS), PG_INT(SLICE_BYTES)),
			   &rows, e);
		if (n > 0) {
			mem_replace(&at, mem_strdup(pg_text(rows, (size_t)n - 1, 4)));
			mem_replace(&task, mem_strdup(pg_text(rows, (size_t)n - 1, 5)));
		}
		if (n >= 0)		/* also without a part: the size */
			r = restore_slice(s, j, rows, e);
		pg_rows_free(rows);
	}
	free(at);
	free(task);
	return n < 0 ? (int)n : r;
}

/* How the values nest; before the parts, which nobody may join without it. */
static int restore_tree(struct sweep *s, const struct open_join *j, struct err *e)
{
	static const char SQL[] =
		"SELECT tree FROM jobfleet.joins WHERE join_id = $1 AND tree IS NOT NULL";
	struct pg_rows *rows = NULL;
	int64_t r = pg_run(s->pg, SQL, PG_PARAMS(PG_TEXT(j->id)), &rows, e);

	if (r > 0)
		r = join_save_tree(s->redis, j->id, pg_text(rows, 0, 0),
				   s->conf->fleet.result_expires_s, e);
	pg_rows_free(rows);
	return r < 0 ? (int)r : 0;
}

static int keep_tree(struct sweep *s, const struct open_join *j, struct err *e)
{
	char *tree = NULL;
	int r = j->redis.size < 0 ? 0 : join_read_tree(s->redis, j->id, &tree, e);

	if (r > 0)
		r = join_note_size(s->pg, j->id, j->redis.size, tree, e);
	free(tree);
	return r;
}

static bool is_short(const struct open_join *j)
{
	return j->settled_long > j->redis.ours || (j->redis.size < 0 && j->size >= 0);
}

static int look(struct sweep *s, struct open_join *j, struct err *e)
{
	int r = count_parts(s, j, e);

	if (r >= 0)
		r = join_look(s->redis, j->id, &j->redis, e);
	return r;
}

/* Puts back what Redis lacks, and keeps what it says in PostgreSQL. */
static int mend(struct sweep *s, struct open_join *j, struct err *e)
{
	int64_t r = 0;

	if (is_short(j)) {
		r = restore_tree(s, j, e);
		if (r >= 0)
			r = restore(s, j, e);
		if (r >= 0)
			r = join_look(s->redis, j->id, &j->redis, e);
	}
	if (r >= 0 && j->restored > 0)
		log_warn("chord parts put back into Redis join_id=%s parts=%lld", j->id,
			 (long long)j->restored);
	if (r >= 0)
		r = pg_run(s->pg, SQL_MOVED, PG_PARAMS(PG_TEXT(j->id), PG_INT(j->redis.parts),
						       PG_INT(j->redis.size)), NULL, e);
	if (r > 0) {
		j->moved_us = j->now_us;
		r = keep_tree(s, j, e);
	}
	return r < 0 ? (int)r : 0;
}

/* ---- what to do ---- */

static int64_t quiet_us(const struct sweep *s, const struct open_join *j)
{
	int64_t last = j->moved_us;

	if (j->last_us > last)
		last = j->last_us;
	if (j->created_us < s->since_us && s->since_us > last)
		last = s->since_us;
	return j->now_us - last;
}

/* Why a join can never be complete, malloc'ed; NULL: it can. */
static char *why_hopeless(const struct sweep *s, const struct open_join *j)
{
	int64_t quiet = quiet_us(s, j), days = s->conf->fleet.ledger_days;
	char since[CLOCK_ISO_SIZE];

	if (quiet > days * DAY_US - HOUR_US)
		return mem_printf("Join error: %lld of %lld parts came, and none in %lld days",
				  (long long)j->redis.parts, (long long)j->redis.size,
				  (long long)days);
	if (quiet <= s->conf->fleet.join_timeout_ms * 1000)
		return NULL;
	if (j->redis.size < 0)
		return mem_printf(
			"Join error: %lld parts came, but nobody knows how many there are:"
			" whoever started the chord ended too early, or Redis lost it",
			(long long)j->redis.parts);
	if (j->created_us >= s->since_us)
		return NULL;
	clock_iso(s->since_us, since);
	return mem_printf("Join error: Redis lost its data before %s; %lld of %lld parts are known,"
			  " the results of the others are lost (only parts that ran on jobfleet's"
			  " workers can be restored)", since, (long long)j->redis.parts,
			  (long long)j->redis.size);
}

/* ---- ending it ---- */

static const char SQL_END[] =
	"SELECT j.body, coalesce(j.root_id, l.task_id), l.task_id, l.queue,"
	" coalesce(l.generation, 0) FROM jobfleet.joins j LEFT JOIN LATERAL (SELECT * FROM"
	" jobfleet.ledger WHERE join_id = j.join_id AND final ORDER BY settled_at DESC LIMIT 1) l"
	" ON true WHERE j.join_id = $1";

/* Has the body a final result, 1 = of success, 2 = of failure? Then the join was ended, by a Python
 * worker which leaves its keys when a part failed, or by one of ours that died next. */
static int body_has_ended(struct sweep *s, const char *body, struct err *e)
{
	struct raw whole, meta, options;
	struct redis_reply *reply = NULL;
	char *id = NULL, *key, *status = NULL;
	int r = 0;

	if (raw_whole(body, strlen(body), &whole, NULL) && raw_is_object(whole)) {
		options = raw_member(whole, "options");
		id = raw_is_object(options) ? raw_string(raw_member(options, "task_id")) : NULL;
	}
	if (!id)
		return 0;
	key = mem_printf("celery-task-meta-%s", id);
	r = redis_cmd(s->redis, &reply, e, "GET", key, NULL);
	if (r >= 0 && reply->type == REDIS_STRING &&
	    raw_whole(reply->str, reply->len, &meta, NULL) && raw_is_object(meta))
		status = raw_string(raw_member(meta, "status"));
	if (r >= 0)
		r = !status || !result_is_final(status) ? 0 : strcmp(status, "SUCCESS") ? 2 : 1;
	redis_reply_free(reply);
	free(status);
	free(key);
	free(id);
	return r;
}

/* failure NULL: with the values of its parts. 1 = ended, 0 = parts are missing. */
static int end(struct sweep *s, const struct open_join *j, const char *failure, struct err *e)
{
	struct pg_rows *rows = NULL;
	int64_t r = pg_run(s->pg, SQL_END, PG_PARAMS(PG_TEXT(j->id)), &rows, e);

	if (r > 0) {
		struct joiner joiner = { .stores = &s->stores, .queue = pg_text(rows, 0, 3) };
		struct joiner_join x = { .join_id = j->id, .body = pg_text(rows, 0, 0),
					 .root_id = pg_cell(rows, 0, 1),
					 .parent_id = pg_cell(rows, 0, 2),
					 .generation = (int)pg_int(rows, 0, 4) };

		r = body_has_ended(s, x.body, e);
		if (r > 0) {
			bool failed = r == 2;

			r = join_note_done(s->pg, j->id, failed, e);
			if (r >= 0)
				r = join_finish(s->redis, j->id, failed, e);
			r = r < 0 ? r : 1;
		} else if (r == 0) {
			r = failure ? joiner_fail(&joiner, &x, failure, e)
				    : joiner_finish(&joiner, &x, e);
		}
	}
	pg_rows_free(rows);
	return (int)r;
}

static int fail(struct sweep *s, const struct open_join *j, const char *text, struct err *e)
{
	int r = s->broker ? join_claim(s->redis, j->id, s->node, e) : 0;

	if (r > 0)
		r = end(s, j, text, e);
	if (r > 0)
		log_warn("chord failed by the sweeper join_id=%s parts=%lld size=%lld"
			 " reason=\"%s\"", j->id, (long long)j->redis.parts, (long long)j->redis.size, text);
	return r;
}

static int give_up_if_hopeless(struct sweep *s, const struct open_join *j, struct err *e)
{
	struct join_outcome o = { 0 };
	int r = 0;

	if (quiet_us(s, j) > s->conf->fleet.join_timeout_ms * 1000)
		r = join_find_failure(s->redis, j->id, &o, e);
	if (r == 0)
		o.failure = why_hopeless(s, j);
	if (r >= 0 && o.failure)
		r = fail(s, j, o.failure, e);
	join_outcome_release(&o);
	return r;
}

static int complete(struct sweep *s, const struct open_join *j, struct err *e)
{
	int r = s->broker ? join_claim(s->redis, j->id, s->node, e) : 0;

	if (r <= 0)
		return r;
	r = end(s, j, NULL, e);
	if (r == 0)
		return give_up_if_hopeless(s, j, e);
	if (r > 0)
		log_info("chord finished by the sweeper join_id=%s parts=%lld", j->id,
			 (long long)j->redis.parts);
	return r;
}

/* A Python worker deletes the parts and leaves .seen, a Redis that lost its data has neither. */
static bool ended_elsewhere(const struct open_join *j)
{
	return j->redis.done || (j->redis.parts < j->redis.ours && !j->redis.claimed);
}

static int sweep_one(struct sweep *s, struct open_join *j, struct err *e)
{
	int r = look(s, j, e);

	if (r >= 0 && ended_elsewhere(j)) {
		r = join_note_done(s->pg, j->id, false, e);
		return r < 0 ? r : join_finish(s->redis, j->id, false, e);
	}
	if (r >= 0)
		r = mend(s, j, e);
	if (r < 0 || j->redis.claimed)
		return r;
	if (j->redis.size < 0 || j->redis.parts < j->redis.size)
		return give_up_if_hopeless(s, j, e);
	return j->restored > 0 || quiet_us(s, j) > END_GRACE_US ? complete(s, j, e) : 0;
}

/* Its body is no signature, whatever client wrote it: nobody can be told, and no later turn knows
 * more. */
static int bury(struct sweep *s, const struct open_join *j, const struct err *why, struct err *e)
{
	int r = join_note_done(s->pg, j->id, true, e);

	if (r >= 0)
		r = join_finish(s->redis, j->id, true, e);
	if (r >= 0)
		log_warn("chord given up, its body cannot be applied join_id=%s reason=\"%s\"",
			 j->id, why->msg);
	return r;
}

static bool is_hopeless(enum err_code code)
{
	return code == ERR_PROTOCOL || code == ERR_TYPE || code == ERR_TOO_BIG;
}

/* One that fails does not keep the others waiting. */
static int sweep_all(struct sweep *s, const struct pg_rows *rows, struct err *e)
{
	int r = 0;

	for (size_t i = 0; i < pg_rows_count(rows); i++) {
		struct open_join j = {
			.id = pg_text(rows, i, 0), .size = pg_int(rows, i, 1),
			.moved_us = pg_int(rows, i, 2), .created_us = pg_int(rows, i, 3),
			.now_us = pg_int(rows, i, 4),
		};
		struct err why = { 0 };
		int got;

		pg_set_deadline(s->pg, clock_mono_ms() + JOIN_MS);
		got = sweep_one(s, &j, &why);
		if (got < 0 && is_hopeless(why.code)) {
			struct err cause = why;

			got = bury(s, &j, &cause, &why);
		}
		if (got < 0)
			r = err_set(e, why.code, "chord %s: %s", j.id, why.msg);
		if (!pg_is_alive(s->pg) || !redis_is_alive(s->redis))
			return r;
	}
	return r;
}

int joins_turn(struct peers *peers, const struct conf *conf, const char *node, struct err *e)
{
	struct sweep s = { .pg = peers_database(peers), .conf = conf, .node = node };
	struct pg_rows *rows = NULL;
	int64_t n;
	int r;

	s.redis = s.pg ? peers_redis(peers) : NULL;
	if (!s.redis)
		return 0;
	s.broker = peers_is_up(peers, PEER_BROKER);
	stores_init(&s.stores, conf, "jobfleet-dispatcher");
	r = find_mark(&s, e);
	n = r < 0 ? r : pg_run(s.pg, SQL_TAKE, PG_PARAMS(PG_INT(BATCH)), &rows, e);
	if (n > 0)
		r = sweep_all(&s, rows, e);
	pg_rows_free(rows);
	stores_release(&s.stores);
	if (!redis_is_alive(s.redis))
		peers_drop(peers, PEER_REDIS, e);
	return n < 0 ? (int)n : r < 0 ? r : n == BATCH;
}
