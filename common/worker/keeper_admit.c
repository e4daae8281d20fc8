/* SPDX-License-Identifier: MIT */
#include "common/worker/keeper_admit.h"

#include "common/base/clock.h"
#include "common/base/err.h"
#include "common/base/json.h"
#include "common/base/mem.h"
#include "common/base/scan.h"
#include "common/base/uuid.h"
#include "common/broker/message.h"
#include "common/store/limiter.h"
#include "common/store/orders.h"
#include "common/store/pg.h"
#include "common/store/redis.h"
#include "common/worker/bind.h"
#include "common/worker/catalog.h"
#include "common/worker/frame.h"
#include "common/worker/stores.h"

enum { KEY_MAX = 200, BODY_MAX = 64 << 20, LOCK_MS = 5000, PARKED_S = 90 };

/* ---- unique ---- */

static const char SQL_UNIQUE[] =
	"SELECT jobfleet.unique_take($1, $2, $3, $4::bigint * interval '1 ms', $5)";

/* Seconds as a number, or text as queues.conf has it ("10m"). */
static int read_hold(const struct message *m, int64_t *ret_ms, bool *ret_given, struct err *e)
{
	cJSON *v = message_header(m, "x-jobfleet-unique-for");
	int r = 0;

	*ret_given = v && !cJSON_IsNull(v);
	if (cJSON_IsNumber(v) && v->valuedouble > 0 && v->valuedouble < 1e9)
		*ret_ms = (int64_t)(v->valuedouble * 1000);
	else if (cJSON_IsString(v))
		r = scan_duration_ms(v->valuestring, ret_ms, e);
	else if (*ret_given)
		r = err_set(e, ERR_INVALID, "not a duration");
	cJSON_Delete(v);
	return r < 0 ? err_prefix(e, "header x-jobfleet-unique-for") : 0;
}

static int take_unique(struct pg *pg, const struct message *m, const char *key, const char *mode,
		       char **ret_holder, struct err *e)
{
	struct pg_rows *rows = NULL;
	int64_t hold_ms = 0, r;
	bool given;

	r = read_hold(m, &hold_ms, &given, e);
	if (r >= 0)
		r = pg_begin(pg, LOCK_MS, e);
	if (r >= 0) {
		r = pg_run(pg, SQL_UNIQUE,
			   PG_PARAMS(PG_TEXT(m->task), PG_TEXT(m->id), PG_TEXT(key),
				     given ? PG_INT(hold_ms) : PG_NULL, PG_TEXT(mode)), &rows, e);
		if (r >= 0 && pg_cell(rows, 0, 0))
			*ret_holder = mem_strdup(pg_text(rows, 0, 0));
		pg_rows_free(rows);
		if (r >= 0)
			r = pg_commit(pg, e);
		if (r < 0)
			pg_rollback(pg);
	}
	return r < 0 ? (int)r : 0;
}

static int revoke_older(struct stores *stores, struct pg *pg, const char *id,
			const struct message *m, struct err *e)
{
	char *by = mem_printf("replaced by %.200s", m->id);
	struct order o = { .kind = ORDER_REVOKE_ID, .value = id, .by = by, .on = true };
	struct redis *redis = NULL;
	int r;

	if (stores_redis(stores, &redis, NULL) < 0)
		redis = NULL;
	r = orders_write(pg, redis, stores->conf->fleet.redis_prefix, &o, e);
	free(by);
	return r;
}

static int ask_unique(struct stores *stores, const struct message *m, struct admit_answer *ret,
		      struct err *e)
{
	cJSON *key = message_header(m, "x-jobfleet-unique-key");
	cJSON *mode = message_header(m, "x-jobfleet-unique-mode");
	const char *how = cJSON_IsString(mode) ? mode->valuestring : "reject";
	char *holder = NULL;
	struct pg *pg;
	int r;

	if (!cJSON_IsString(key) || (mode && !cJSON_IsString(mode)))
		r = err_set(e, ERR_INVALID, "headers x-jobfleet-unique-key and -mode are texts");
	else
		r = stores_pg(stores, &pg, e);
	if (r >= 0)
		r = take_unique(pg, m, key->valuestring, how, &holder, e);
	if (r >= 0 && holder && strcmp(how, "replace") == 0) {
		r = revoke_older(stores, pg, holder, m, e);
	} else if (r >= 0 && holder) {
		ret->verdict = ADMIT_DUPLICATE;
		ret->text = holder;
		holder = NULL;
	}
	free(holder);
	cJSON_Delete(key);
	cJSON_Delete(mode);
	return r;
}

/* ---- rate ---- */

static bool ask_rate(struct stores *stores, const char *task, const struct admit_ask *ask,
		     struct admit_answer *ret)
{
	char *name = mem_printf("task:%.255s@%d", task, ask->stamp);
	struct redis *redis = NULL;

	if (stores_redis(stores, &redis, NULL) < 0)
		redis = NULL;
	limiter_take(redis, stores->conf->fleet.redis_prefix, name, ask->rate, ask->burst,
		     INT64_MAX / 4, &ret->wait_ms, NULL);
	free(name);
	if (ret->wait_ms <= 0)
		return true;
	ret->verdict = ADMIT_WAIT;
	return false;
}

/* ---- leases ---- */

/* KEYS: the key's set. ARGV: task id, limit, lease in milliseconds. */
static const char SCRIPT_LEASE[] =
	"local t = redis.call('TIME')\n"
	"local now = t[1] * 1000 + math.floor(t[2] / 1000)\n"
	"redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)\n"
	"if not redis.call('ZSCORE', KEYS[1], ARGV[1])\n"
	"  and redis.call('ZCARD', KEYS[1]) >= tonumber(ARGV[2]) then return 0 end\n"
	"redis.call('ZADD', KEYS[1], string.format('%.0f', now + ARGV[3]), ARGV[1])\n"
	"redis.call('PEXPIRE', KEYS[1], ARGV[3] * 2)\n"
	"return 1\n";

static int take_lease(struct redis *redis, const char *key, const char *id, int limit,
		      int64_t lease_ms, struct err *e)
{
	struct redis_reply *reply = NULL;
	char most[24], lease[24];
	int r;

	snprintf(most, sizeof most, "%d", limit);
	snprintf(lease, sizeof lease, "%lld", (long long)lease_ms);
	r = redis_eval(redis, SCRIPT_LEASE, 1, (const char *const[]){ key, id, most, lease }, NULL,
		       4, &reply, e);
	if (r >= 0)
		r = reply->type == REDIS_INTEGER && reply->integer == 1;
	redis_reply_free(reply);
	return r;
}

static char *text_of(const cJSON *v)
{
	char *text = cJSON_IsString(v) ? mem_strdup(v->valuestring) : json_print(v);
	char digest[UUID_SIZE];

	if (strlen(text) > KEY_MAX) {
		uuid_v5(text, strlen(text), digest);
		mem_replace(&text, mem_strdup(digest));
	}
	return text;
}

int keeper_admit_key(const struct catalog *catalog, const struct message *m, const char *parameter,
		     char **ret)
{
	const struct catalog_task *t = catalog_find(catalog, m->task);
	char *text = NULL, *args = NULL, *kwargs = NULL, *embed = NULL;
	cJSON *bound = NULL;
	const cJSON *v;
	size_t len;
	int r;

	if (strcmp(parameter, "*") == 0) {
		*ret = mem_strdup("*");
		return 1;
	}
	r = t ? message_text(m, BODY_MAX, &text, &len, NULL) : -1;
	if (r >= 0)
		r = message_split(text, len, &args, &kwargs, &embed, NULL);
	if (r >= 0)
		r = bind_arguments(t->task, args, kwargs, &bound, NULL);
	if (r >= 0) {
		v = cJSON_GetObjectItemCaseSensitive(bound, parameter);
		*ret = v ? text_of(v) : mem_strdup("null");
	}
	cJSON_Delete(bound);
	free(text);
	free(args);
	free(kwargs);
	free(embed);
	return r >= 0;
}

static int ask_lease(struct stores *stores, const struct catalog *catalog, const struct message *m,
		     const struct admit_ask *ask, struct admit_answer *ret, struct err *e)
{
	struct redis *redis;
	char *value;
	int r;

	if (!keeper_admit_key(catalog, m, ask->parameter, &value))
		return 0;
	ret->text = mem_printf("%srunning:%.255s:%s", stores->conf->fleet.redis_prefix, m->task,
			       value);
	free(value);
	r = stores_redis(stores, &redis, e);
	if (r >= 0)
		r = take_lease(redis, ret->text, m->id, ask->limit, ask->lease_ms, e);
	if (r >= 0)
		ret->verdict = r ? ADMIT_GO : ADMIT_BUSY;
	return r < 0 ? r : 0;
}

/* ---- requests ---- */

int keeper_admit(struct stores *stores, const struct catalog *catalog, struct message *m,
		 struct frame *f, struct admit_answer *ret, struct err *e)
{
	struct admit_ask ask = { .want = frame_get_u32(f) };
	size_t props_len, body_len;
	const char *task, *props, *body;
	int r = 0;

	ask.rate = (double)frame_get_i64(f) / 1e6;
	ask.burst = (int)frame_get_u32(f);
	ask.stamp = (int)frame_get_u32(f);
	ask.parameter = frame_get_str(f);
	ask.limit = (int)frame_get_u32(f);
	ask.lease_ms = frame_get_i64(f);
	task = frame_get_str(f);
	props = frame_get_bytes(f, &props_len);
	body = frame_get_bytes(f, &body_len);
	if (ask.want & (ADMIT_UNIQUE | ADMIT_LEASE))
		r = message_decode(m, props, props_len, body, body_len, e);
	if (r >= 0 && (ask.want & ADMIT_UNIQUE))
		return ask_unique(stores, m, ret, e);
	if (r >= 0 && (ask.want & ADMIT_RATE) && !ask_rate(stores, task, &ask, ret))
		return 0;
	if (r >= 0 && (ask.want & ADMIT_LEASE)) {
		r = ask_lease(stores, catalog, m, &ask, ret, e);
		/* A slot that was taken is not to be taken twice. */
		if (r < 0 && (ask.want & ADMIT_RATE)) {
			ret->verdict = ADMIT_BUSY;
			r = 0;
		}
	}
	return r;
}

/* Parked for at most PARKED_S, so few rows are looked at. */
static const char SQL_WAKE[] =
	"WITH one AS (SELECT id FROM jobfleet.pending WHERE state = 'waiting' AND kind = 'parked'"
	" AND due < now() + $2::integer * interval '1 second' AND reason = $1"
	" ORDER BY due LIMIT 1 FOR UPDATE SKIP LOCKED),"
	" back AS (UPDATE jobfleet.pending p SET due = clock_timestamp() FROM one"
	" WHERE p.id = one.id RETURNING 1)"
	" SELECT pg_notify('jobfleet_pending', '') FROM back";

static int wake_parked(struct stores *stores, const char *key, struct err *e)
{
	char *reason = mem_printf(ADMIT_BUSY_REASON "%s", key);
	struct pg *pg;
	int64_t r = stores_pg(stores, &pg, e);

	if (r >= 0)
		r = pg_run(pg, SQL_WAKE, PG_PARAMS(PG_TEXT(reason), PG_INT(PARKED_S)), NULL, e);
	free(reason);
	return r < 0 ? (int)r : 0;
}

int keeper_release(struct stores *stores, struct frame *f, struct err *e)
{
	const char *key = frame_get_str(f), *id = frame_get_str(f);
	bool unique = frame_get_u32(f) != 0, wake = frame_get_u32(f) != 0;
	struct redis *redis;
	struct pg *pg;
	int64_t r = 0;

	if (key)
		r = stores_redis(stores, &redis, e);
	if (key && r >= 0)
		r = redis_cmd(redis, NULL, e, "ZREM", key, id, NULL);
	if (key && wake && r >= 0)
		r = wake_parked(stores, key, e);
	if (unique && stores_pg(stores, &pg, e) >= 0)
		r = pg_run(pg,
			   "DELETE FROM jobfleet.unique_keys WHERE task_id = $1 AND until_final",
			   PG_PARAMS(PG_TEXT(id)), NULL, e);
	return r < 0 ? (int)r : 0;
}

int keeper_renew(struct stores *stores, struct frame *f, struct err *e)
{
	int64_t lease_ms = frame_get_i64(f);
	uint32_t n = frame_get_u32(f);
	struct redis *redis;
	int r = stores_redis(stores, &redis, e);

	for (uint32_t i = 0; i < n && r >= 0; i++) {
		const char *key = frame_get_str(f), *id = frame_get_str(f);

		r = take_lease(redis, key, id, INT32_MAX, lease_ms, e);
	}
	return r < 0 ? r : 0;
}

static const char SQL_RATE[] =
	"WITH back AS (UPDATE jobfleet.pending SET due = clock_timestamp(), reason = NULL"
	" WHERE state = 'waiting' AND kind = 'parked' AND task = $1 AND reason = '" ADMIT_SLOT_REASON "' RETURNING 1)"
	" SELECT pg_notify('jobfleet_pending', '') FROM (SELECT count(*) AS n FROM back) AS c"
	" WHERE c.n > 0";

int keeper_rate(struct stores *stores, struct frame *f, struct err *e)
{
	const char *task = frame_get_str(f);
	struct pg *pg;
	int64_t r = stores_pg(stores, &pg, e);

	if (r >= 0)
		r = pg_run(pg, SQL_RATE, PG_PARAMS(PG_TEXT(task)), NULL, e);
	return r < 0 ? (int)r : 0;
}
