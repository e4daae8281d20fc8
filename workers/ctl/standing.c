/* SPDX-License-Identifier: MIT */
#include "workers/ctl/standing.h"

#include <unistd.h>

#include "common/base/buf.h"
#include "common/base/conf.h"
#include "common/base/err.h"
#include "common/base/mem.h"
#include "common/broker/publisher.h"
#include "common/store/pg.h"
#include "common/store/redis.h"
#include "workers/ctl/ctl.h"
#include "workers/ctl/meta.h"

enum { ASK_MS = 5000 };

#define UTC(column) "to_char(" column ", 'YYYY-MM-DD HH24:MI:SS')"

/* $1 task id, $2 seconds after which a silent worker is gone. Always one row. */
static const char SQL[] =
	"WITH alive AS (SELECT node, info, extract(epoch FROM now() - seen_at) AS seen_s"
	"  FROM jobfleet.workers WHERE state <> 'stopped'"
	"  AND seen_at > now() - $2 * interval '1 s'),"
	" last AS (SELECT * FROM jobfleet.ledger WHERE task_id = $1"
	"  ORDER BY generation DESC, nesting DESC, retries DESC LIMIT 1),"
	" row AS (SELECT * FROM jobfleet.pending WHERE task_id = $1"
	"  ORDER BY generation DESC, id DESC LIMIT 1),"
	" letter AS (SELECT * FROM jobfleet.dead_letters WHERE task_id = $1 AND state = 'dead'"
	"  ORDER BY generation DESC, id DESC LIMIT 1),"
	" run AS (SELECT alive.*, a->>'name' AS name, (a->>'since')::float8 AS since FROM alive,"
	"  jsonb_array_elements(CASE WHEN jsonb_typeof(info->'active') = 'array'"
	"   THEN info->'active' ELSE '[]' END) a WHERE a->>'id' = $1 LIMIT 1)"
	" SELECT coalesce(l.task, p.task, d.task, r.name),"
	" coalesce(p.queue, l.queue, d.queue),"
	" CASE WHEN l.final AND l.generation >= coalesce(p.generation, 0) THEN l.outcome END,"
	" l.cause, l.node, " UTC("l.settled_at") ","
	" d.id, d.cause, d.reason, r.node, " UTC("to_timestamp(r.since)") ","
	" extract(epoch FROM now()) - r.since, r.seen_s, h.node, h.seen_s,"
	" " UTC("k.ordered_at") ", k.ordered_by,"
	" p.kind, p.state, " UTC("p.due") ", p.reason, " UTC("p.sent_at") ", NOT isfinite(p.due),"
	" CASE WHEN isfinite(p.due) THEN extract(epoch FROM p.due - clock_timestamp()) END,"
	" p.attempts, s.starts, s.arrivals,"
	" (SELECT string_agg(DISTINCT x, '; ') FROM jsonb_array_elements_text(s.causes) x),"
	" (SELECT count(*) FROM jobfleet.result_backlog WHERE task_id = $1),"
	" z.kind, z.name, z.reason,"
	" EXISTS (SELECT FROM jobfleet.workers WHERE program = 'dispatcher'"
	"  AND state <> 'stopped' AND seen_at > now() - greatest($2::int, 30) * interval '1 s'),"
	" j.join_id, j.state, j.join_id <> $1, greatest(j.parts, (SELECT count(DISTINCT"
	"  coalesce(join_task, task_id)) FROM jobfleet.ledger WHERE join_id = j.join_id AND final)),"
	" coalesce(j.size, -1),"
	" EXISTS (SELECT FROM alive WHERE info->>'truncated' = 'true')"
	" FROM (SELECT 1) one LEFT JOIN last l ON true LEFT JOIN row p ON true"
	" LEFT JOIN letter d ON d.generation >= coalesce(l.generation, 0)"
	" LEFT JOIN run r ON true"
	" LEFT JOIN LATERAL (SELECT node, seen_s FROM alive WHERE info->'reserved' ? $1 LIMIT 1) h"
	"  ON true"
	" LEFT JOIN jobfleet.revokes k ON k.kind = 'id' AND k.value = $1"
	" LEFT JOIN LATERAL (SELECT * FROM jobfleet.starts WHERE task_id = $1"
	"  ORDER BY generation DESC LIMIT 1) s ON true"
	" LEFT JOIN LATERAL (SELECT * FROM jobfleet.pauses WHERE paused AND (kind = 'fleet'"
	"  OR (kind = 'queue' AND name = coalesce(p.queue, l.queue, $3))"
	"  OR (kind = 'task' AND name = coalesce(p.task, l.task))) ORDER BY kind LIMIT 1) z ON true"
	/* as text: a body may hold what PostgreSQL's JSON refuses */
	" LEFT JOIN LATERAL (SELECT * FROM jobfleet.joins WHERE join_id = $1"
	"  OR strpos(body, '\"task_id\": \"' || $1 || '\"') > 0"
	"  OR strpos(body, '\"task_id\":\"' || $1 || '\"') > 0"
	"  ORDER BY join_id <> $1 LIMIT 1) j ON true"
	" LIMIT 1";

static void read_row(struct standing *s, const struct pg_rows *rows)
{
	int col = 0;

	s->task = pg_text(rows, 0, col++);
	s->queue = pg_text(rows, 0, col++);
	s->outcome = pg_text(rows, 0, col++);
	s->cause = pg_text(rows, 0, col++);
	s->ended_on = pg_text(rows, 0, col++);
	s->ended_at = pg_text(rows, 0, col++);
	s->letter = pg_text(rows, 0, col++);
	s->letter_cause = pg_text(rows, 0, col++);
	s->letter_reason = pg_text(rows, 0, col++);
	s->runs_on = pg_text(rows, 0, col++);
	s->runs_since = pg_text(rows, 0, col++);
	s->runs_s = pg_num(rows, 0, col++);
	s->runs_seen_s = pg_num(rows, 0, col++);
	s->held_by = pg_text(rows, 0, col++);
	s->held_seen_s = pg_num(rows, 0, col++);
	s->revoked_at = pg_text(rows, 0, col++);
	s->revoked_by = pg_text(rows, 0, col++);
	s->kind = pg_text(rows, 0, col++);
	s->state = pg_text(rows, 0, col++);
	s->due = pg_text(rows, 0, col++);
	s->reason = pg_text(rows, 0, col++);
	s->sent_at = pg_text(rows, 0, col++);
	s->never_due = pg_bool(rows, 0, col++);
	s->due_in_s = pg_num(rows, 0, col++);
	s->attempts = pg_int(rows, 0, col++);
	s->starts = pg_int(rows, 0, col++);
	s->arrivals = pg_int(rows, 0, col++);
	s->causes = pg_text(rows, 0, col++);
	s->backlog = pg_int(rows, 0, col++);
	s->pause_kind = pg_text(rows, 0, col++);
	s->pause_name = pg_text(rows, 0, col++);
	s->pause_reason = pg_text(rows, 0, col++);
	s->dispatcher = pg_bool(rows, 0, col++);
	s->join = pg_text(rows, 0, col++);
	s->join_state = pg_text(rows, 0, col++);
	s->join_body = pg_bool(rows, 0, col++);
	s->join_parts = pg_int(rows, 0, col++);
	s->join_size = pg_int(rows, 0, col++);
	s->truncated = pg_bool(rows, 0, col++);
}

/* Redis and RabbitMQ add to the story; without them it is told with what there is. */
static void ask_redis(struct standing *s, struct ctl *c)
{
	char *key = mem_printf("celery-task-meta-%s", s->id);
	struct redis_reply *reply = NULL;
	struct redis *redis = NULL;
	struct meta m = { 0 };
	int r = ctl_redis(c, &redis, NULL);

	if (r == 0)
		r = redis_cmd(redis, &reply, NULL, "GET", key, NULL);
	free(key);
	if (r == 0 && reply->type == REDIS_STRING &&
	    meta_parse(&m, reply->str, reply->len, NULL) == 0) {
		s->status = mem_strdup(m.status);
		s->redis_status = s->status;
	}
	meta_release(&m);
	redis_reply_free(reply);
}

static void ask_broker(struct standing *s, struct ctl *c)
{
	struct publisher *p = NULL;

	s->ready = s->consumers = -1;
	if (*s->queue && ctl_publisher(c, &p, NULL) == 0)
		publisher_queue_depth(p, s->queue, &s->ready, &s->consumers, ASK_MS, NULL);
}

/* A file named like the task (common/base/spool.h); an id with a slash is named otherwise there. */
static bool is_spooled(const struct conf *conf, const char *id)
{
	char *path = mem_printf("%s/spool/%s", conf->fleet.data_dir, id);
	bool there = *id && *id != '.' && !strchr(id, '/') && access(path, F_OK) == 0;

	free(path);
	return there;
}

int standing_load(struct standing *ret, struct ctl *c, const char *id, const char *queue,
		  struct err *e)
{
	struct standing s = { .id = id, .redis_status = "" };
	const struct conf *conf = NULL;
	int r = ctl_conf(c, &conf, e);

	if (r == 0)
		r = ctl_query(c, SQL, PG_PARAMS(PG_TEXT(id),
						PG_INT(3 * conf->fleet.heartbeat_s),
						PG_TEXT(queue)), &s.rows, e);
	if (r < 0)
		return r;
	read_row(&s, s.rows);
	if (queue)
		s.queue = queue;
	s.spooled = is_spooled(conf, id);
	ask_redis(&s, c);
	ask_broker(&s, c);
	*ret = s;
	return 0;
}

void standing_release(struct standing *s)
{
	pg_rows_free(s->rows);
	free(s->status);
	*s = (struct standing){ 0 };
}

const char *standing_name(enum standing_state state)
{
	static const char *const names[] = {
		[STANDING_UNKNOWN] = "unknown", [STANDING_ENDED] = "ended",
		[STANDING_DEAD] = "dead letter", [STANDING_RUNNING] = "running",
		[STANDING_DELIVERED] = "delivered", [STANDING_REVOKED] = "revoked",
		[STANDING_SPOOLED] = "spooled",
		[STANDING_WAITING] = "waiting", [STANDING_CLAIMED] = "claimed",
		[STANDING_SENT] = "sent", [STANDING_INTERRUPTED] = "interrupted",
		[STANDING_REPORTED] = "reported",
		[STANDING_CHORD] = "chord",
	};

	return names[state];
}

/* ---- the sentences ---- */

static bool status_is_final(const char *status)
{
	return strcmp(status, "SUCCESS") == 0 || strcmp(status, "FAILURE") == 0 ||
	       strcmp(status, "REVOKED") == 0;
}

static void say_end(const struct standing *s, struct buf *why)
{
	bool caused = *s->cause && strcmp(s->cause, s->outcome) != 0;

	if (*s->outcome)
		buf_printf(why, "It ended at %s UTC on %s: %s%s%s.\n", s->ended_at, s->ended_on,
			   s->outcome, caused ? ", " : "", caused ? s->cause : "");
	else
		buf_printf(why, "It ended: Redis holds its %s. The ledger has no row of it (a task"
			   " without a ledger, another worker's, or older than ledger_keep).\n",
			   s->redis_status);
	if (s->backlog > 0)
		buf_puts(why, "Its result could not be written to Redis; the dispatcher delivers"
			 " it.\n");
	else if (*s->outcome && !*s->redis_status)
		buf_puts(why, "Redis holds no result: none was wanted, or it expired.\n");
}

static void say_waiting(const struct standing *s, struct buf *why)
{
	const char *what = strcmp(s->kind, "retry") == 0 ? "for its retry" :
			   strcmp(s->kind, "parked") == 0 ? "where it was parked" : "for its time";

	if (s->never_due)
		buf_printf(why, "It waits in jobfleet.pending until it is released%s%s.\n",
			   *s->reason ? ": " : "", s->reason);
	else if (s->due_in_s > 0)
		buf_printf(why, "It waits in jobfleet.pending %s, due at %s UTC, in %.1f s%s%s.\n",
			   what, s->due, s->due_in_s, *s->reason ? ": " : "", s->reason);
	else
		buf_printf(why, "It is due since %.1f s and not sent yet%s%s.\n", -s->due_in_s,
			   *s->reason ? ": " : "", s->reason);
	if (s->attempts > 0)
		buf_printf(why, "Sending it failed %lld times so far.\n", (long long)s->attempts);
	if (!s->dispatcher)
		buf_puts(why, "No dispatcher is alive: nobody sends what is due.\n");
}

static void say_queue(const struct standing *s, struct buf *why)
{
	if (s->ready == 1)
		buf_printf(why, "Queue %s has 1 message ready: none is ahead of it.\n", s->queue);
	else if (s->ready > 1)
		buf_printf(why, "Queue %s has %lld messages ready: at most %lld are ahead of"
			   " it.\n", s->queue, (long long)s->ready, (long long)s->ready - 1);
	else if (s->ready == 0)
		buf_printf(why, "Queue %s has nothing ready: a worker has got it, or it was"
			   " lost with a deleted or purged queue.\n", s->queue);
	if (s->consumers == 0)
		buf_printf(why, "No worker consumes queue %s.\n", s->queue);
	if (*s->queue && s->ready < 0)
		buf_printf(why, "Queue %s is not there, or RabbitMQ does not answer.\n", s->queue);
}

static void say_pause(const struct standing *s, struct buf *why)
{
	if (!*s->pause_kind)
		return;
	buf_printf(why, "%s%s%s is paused%s%s.\n",
		   strcmp(s->pause_kind, "fleet") == 0 ? "The fleet" :
		   strcmp(s->pause_kind, "queue") == 0 ? "Queue" : "Task",
		   *s->pause_name ? " " : "", s->pause_name, *s->pause_reason ? ": " : "",
		   s->pause_reason);
}

static void say_interrupted(const struct standing *s, struct buf *why)
{
	if (s->starts > 0)
		buf_printf(why, "%lld of its starts did not end%s%s.\n", (long long)s->starts,
			   *s->causes ? ": " : "", s->causes);
	if (s->arrivals > 0)
		buf_printf(why, "%lld times it came back without having been started.\n",
			   (long long)s->arrivals);
}

/* A chord has no message of its own, and its body none before the last part has ended. */
static enum standing_state judge_join(const struct standing *s, struct buf *why)
{
	char size[32] = "an unknown number of";

	if (s->join_size >= 0)
		snprintf(size, sizeof size, "%lld", (long long)s->join_size);
	buf_printf(why, "%s%s: %lld of %s parts have ended.\n", s->join_body ?
		   "It is, or follows, the body of chord " : "It is chord ", s->join, (long long)s->join_parts,
		   size);
	if (strcmp(s->join_state, "open") == 0)
		buf_puts(why, "The body is sent when all have.\n");
	else
		buf_printf(why, "The chord is %s.\n", s->join_state);
	return STANDING_CHORD;
}

static enum standing_state judge_open(const struct standing *s, struct buf *why)
{
	bool waits = strcmp(s->state, "waiting") == 0;

	if (waits && strcmp(s->kind, "claim") == 0 && s->due_in_s > 0) {
		buf_printf(why, "A worker has claimed it as a long task; its lease ends at %s UTC"
			   " unless it is renewed.\n", s->due);
		return STANDING_CLAIMED;
	}
	if (waits) {
		say_waiting(s, why);
		return STANDING_WAITING;
	}
	if (*s->state) {
		buf_printf(why, "It was sent to queue %s at %s UTC, and no worker has reported it"
			   " since.\n", s->queue, s->sent_at);
		if (s->truncated)
			buf_puts(why, "A worker holds more tasks than it lists; this may be one of"
				 " them.\n");
		say_queue(s, why);
		return STANDING_SENT;
	}
	if (s->spooled) {
		buf_puts(why, "It waits in the spool of this host: RabbitMQ could not be reached"
			 " when it was enqueued. A dispatcher here, or the next jobfleet enqueue,"
			 " sends it.\n");
		return STANDING_SPOOLED;
	}
	if (*s->redis_status) {
		buf_printf(why, "Its last reported state is %s; nobody reports to hold it now.\n",
			   s->redis_status);
		return STANDING_REPORTED;
	}
	if (s->starts > 0 || s->arrivals > 0) {
		buf_puts(why, "It was interrupted and waits to be delivered again.\n");
		return STANDING_INTERRUPTED;
	}
	if (*s->join)
		return judge_join(s, why);
	buf_puts(why, "Nothing is stored about it. A message that another client sent leaves no"
		 " trace before a worker has it: it may lie in its queue, or never have been"
		 " sent.\n");
	if (*s->queue && s->ready >= 0)
		buf_printf(why, "Queue %s has %lld messages ready.\n", s->queue,
			   (long long)s->ready);
	return STANDING_UNKNOWN;
}

enum standing_state standing_judge(const struct standing *s, struct buf *why)
{
	enum standing_state state;

	if (*s->outcome || status_is_final(s->redis_status))
		say_end(s, why);
	if (*s->letter) {
		buf_printf(why, "It is dead letter %s (%s): %s. jobfleet dlq show %s tells all;"
			   " jobfleet dlq replay %s sends it again.\n", s->letter,
			   s->letter_cause, s->letter_reason, s->letter, s->letter);
		return STANDING_DEAD;
	}
	if (*s->outcome || status_is_final(s->redis_status))
		return STANDING_ENDED;
	if (*s->runs_on) {
		buf_printf(why, "It runs on %s since %s UTC, for %.1f s (reported %.0f s ago).\n",
			   s->runs_on, s->runs_since, s->runs_s, s->runs_seen_s);
		state = STANDING_RUNNING;
	} else if (*s->held_by) {
		buf_printf(why, "It was delivered to %s and waits there for a free child (reported"
			   " %.0f s ago).\n", s->held_by, s->held_seen_s);
		state = STANDING_DELIVERED;
	} else if (*s->revoked_at) {
		buf_printf(why, "It was revoked at %s UTC%s%s: whoever gets it drops it.\n",
			   s->revoked_at, *s->revoked_by ? " by " : "", s->revoked_by);
		if (strcmp(s->state, "waiting") == 0 && s->due_in_s > 0)
			buf_printf(why, "It waits in jobfleet.pending until %s UTC.\n", s->due);
		state = STANDING_REVOKED;
	} else {
		state = judge_open(s, why);
	}
	say_interrupted(s, why);
	if (state != STANDING_RUNNING && state != STANDING_CLAIMED)
		say_pause(s, why);
	return state;
}
