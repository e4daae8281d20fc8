/* SPDX-License-Identifier: MIT */
/* No step looks at more than a batch, and each batch is a statement of its own: a million rows hold
 * no lock for longer than a thousand do, and whoever dies leaves nothing half-done. What has been
 * looked at may have changed until it is acted on, so each act checks once more: a row is touched
 * only if it was stored before the walk began, an entry deleted only if it still is the one seen.
 * */
#include <string.h>

#include "common/base/err.h"
#include "common/base/json.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/store/pg.h"
#include "common/store/redis.h"
#include "common/worker/run.h"
#include "workers/salary/cache.h"
#include "workers/salary/keys.h"
#include "workers/salary/upkeep.h"

#define BATCH "1000"
#define LEAST_LEFT_MS 5000
/* Retention goes on with the next run after so many batches. */
#define BATCHES_MOST 20
#define STRING_OF(number) #number
#define TEXT_OF(number) STRING_OF(number)

static const char *const PATTERNS[] = { "salary_data:*", "market_data:*" };

struct cleanup {
	struct run *run;
	struct pg *pg;
	struct redis *redis;		/* NULL: away */
	int64_t expired, vanished, restored, untracked;
};

static bool is_late(const struct cleanup *c)
{
	return run_left_ms(c->run) < LEAST_LEFT_MS;
}

/* ---- what is over ---- */

static const char SQL_EXPIRE[] =
	"UPDATE salary_data_cache SET is_active = false WHERE id IN (SELECT id FROM salary_data_cache"
	" WHERE is_active AND expires_at <= now() LIMIT " BATCH " FOR UPDATE SKIP LOCKED)";

static int expire(struct cleanup *c, struct err *e)
{
	int64_t n;

	do {
		n = pg_run(c->pg, SQL_EXPIRE, NULL, 0, NULL, e);
		c->expired += n > 0 ? n : 0;
	} while (n > 0 && !is_late(c));
	return n < 0 ? (int)n : 0;
}

/* ---- rows that Redis has nothing for ---- */

static const char SQL_PAGE[] =
	"SELECT cache_key, redis_key FROM salary_data_cache WHERE is_active AND cache_key > $1"
	" ORDER BY cache_key LIMIT " BATCH;
/* A row is committed a moment before its entry is put: the minute. */
static const char SQL_VANISHED[] =
	"UPDATE salary_data_cache SET is_active = false WHERE id IN (SELECT c.id FROM salary_data_cache c"
	" WHERE c.is_active AND c.cache_key IN (SELECT jsonb_array_elements_text($1::jsonb)) AND c.expires_at"
	" - make_interval(secs => " CACHE_SQL_KEEP ") < $2::timestamptz - interval '1 minute'"
	" FOR UPDATE SKIP LOCKED)";
static const char EXIST[] =
	"local found = {}"
	" for i, key in ipairs(KEYS) do found[i] = redis.call('EXISTS', key) end"
	" return found";

/* JSON array of the cache keys of rows whose redis_key is not there. */
static int find_vanished(struct cleanup *c, const struct pg_rows *rows, cJSON *ret, struct err *e)
{
	size_t n = pg_rows_count(rows);
	const char **keys = mem_alloc((n + 1) * sizeof *keys);
	struct redis_reply *reply = NULL;
	int r;

	for (size_t i = 0; i < n; i++)
		keys[i] = pg_text(rows, i, 1);
	r = keys_eval(c->redis, EXIST, keys, n, &reply, e);
	for (size_t i = 0; r >= 0 && i < n; i++)
		if (reply->items[i]->type == REDIS_INTEGER && reply->items[i]->integer == 0)
			cJSON_AddItemToArray(ret,
					     mem_check(cJSON_CreateString(pg_text(rows, i, 0))));
	redis_reply_free(reply);
	free(keys);
	return r;
}

static int retire(struct cleanup *c, const struct pg_rows *rows, const char *began, struct err *e)
{
	cJSON *gone = mem_check(cJSON_CreateArray());
	int64_t r = find_vanished(c, rows, gone, e);
	char *text = json_print(gone);

	if (r >= 0 && gone->child)
		r = pg_run(c->pg, SQL_VANISHED, PG_PARAMS(PG_TEXT(text), PG_TEXT(began)), NULL, e);
	c->vanished += r > 0 && gone->child ? r : 0;
	free(text);
	cJSON_Delete(gone);
	return r < 0 ? (int)r : 0;
}

static int retire_vanished(struct cleanup *c, const char *began, struct err *e)
{
	char *after = mem_strdup("");
	size_t n;
	int r;

	do {
		struct pg_rows *rows = NULL;
		int64_t got = pg_run(c->pg, SQL_PAGE, PG_PARAMS(PG_TEXT(after)), &rows, e);

		r = got < 0 ? (int)got : 0;
		n = pg_rows_count(rows);
		if (n > 0) {
			r = retire(c, rows, began, e);
			mem_replace(&after, mem_strdup(pg_text(rows, n - 1, 0)));
		}
		pg_rows_free(rows);
	} while (r >= 0 && n > 0 && !is_late(c));
	free(after);
	return r;
}

/* ---- entries that have no row ---- */

static const char SQL_RESTORE[] =
	"UPDATE salary_data_cache SET is_active = true WHERE id IN (SELECT id FROM salary_data_cache"
	" WHERE NOT is_active AND expires_at > now() AND redis_key = cache_key"
	" AND cache_key IN (SELECT jsonb_array_elements_text($1::jsonb)) FOR UPDATE SKIP LOCKED)";
static const char SQL_UNTRACKED[] =
	"SELECT (k.n - 1)::int FROM jsonb_array_elements_text($1::jsonb) WITH ORDINALITY AS k (name, n)"
	" WHERE NOT EXISTS (SELECT FROM salary_data_cache c WHERE c.cache_key = k.name"
	" AND c.is_active)";
/* The head holds the times and the checksum: as long as it is the same, so is the entry. */
static const char DELETE_SAME[] =
	"local head = redis.pcall('GETRANGE', KEYS[1], 0, " TEXT_OF(KEYS_HEAD_BYTES) " - 1)"
	" head = type(head) == 'string' and head or ''"
	" if head == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0";

static int delete_same(struct cleanup *c, const char *key, const struct redis_reply *head,
		       struct err *e)
{
	const char *words[] = { key, head->str };
	struct redis_reply *reply = NULL;
	int r = redis_eval(c->redis, DELETE_SAME, 1, words,
			   (const size_t[]){ strlen(key), head->len }, 2, &reply, e);

	if (r >= 0 && reply->type == REDIS_INTEGER)
		c->untracked += reply->integer;
	redis_reply_free(reply);
	return r;
}

static int delete_untracked(struct cleanup *c, const char *const *keys, const char *names,
			    const struct redis_reply *heads, struct err *e)
{
	struct pg_rows *rows = NULL;
	int64_t r = pg_run(c->pg, SQL_UNTRACKED, PG_PARAMS(PG_TEXT(names)), &rows, e);

	for (size_t i = 0; r >= 0 && i < pg_rows_count(rows); i++) {
		int64_t at = pg_int(rows, i, 0);

		r = delete_same(c, keys[at], heads->items[at], e);
	}
	pg_rows_free(rows);
	return r < 0 ? (int)r : 0;
}

/* The heads are read before the rows: an entry put since then has another head. */
static int match_entries(void *ctx, const char *const *keys, size_t n, struct err *e)
{
	struct cleanup *c = ctx;
	cJSON *list = mem_check(cJSON_CreateArray());
	struct redis_reply *heads = NULL;
	char *names;
	int64_t r = is_late(c) ? -ERR_SOFT_LIMIT : keys_heads(c->redis, keys, n, &heads, e);

	for (size_t i = 0; i < n; i++)
		cJSON_AddItemToArray(list, mem_check(cJSON_CreateString(keys[i])));
	names = json_print(list);
	if (r >= 0)
		r = pg_run(c->pg, SQL_RESTORE, PG_PARAMS(PG_TEXT(names)), NULL, e);
	c->restored += r > 0 ? r : 0;
	if (r >= 0)
		r = delete_untracked(c, keys, names, heads, e);
	redis_reply_free(heads);
	cJSON_Delete(list);
	free(names);
	return r < 0 ? (int)r : 0;
}

/* ---- what was over long ago ---- */

static const char SQL_RETAIN[] = "SELECT what, removed, more FROM cleanup_salary_data()";
static const char SQL_ACTIVE[] = "SELECT count(*) FROM salary_data_cache WHERE is_active";

/* One batch of everything that is over; 1: there is more. */
static int retain_batch(struct pg *pg, cJSON *removed, struct err *e)
{
	struct pg_rows *rows = NULL;
	int64_t r = pg_run(pg, SQL_RETAIN, NULL, 0, &rows, e);
	int more = 0;

	for (size_t i = 0; r >= 0 && i < pg_rows_count(rows); i++) {
		const char *what = pg_text(rows, i, 0);
		double n = (double)pg_int(rows, i, 1);

		json_set_num(removed, what, json_num(removed, what, 0) + n);
		more |= pg_bool(rows, i, 2);
	}
	pg_rows_free(rows);
	return r < 0 ? (int)r : more;
}

static int retain(struct cleanup *c, cJSON *result, struct err *e)
{
	cJSON *removed = mem_check(cJSON_CreateObject());
	int more = 1;

	for (int i = 0; more > 0 && i < BATCHES_MOST && !is_late(c); i++)
		more = retain_batch(c->pg, removed, e);
	json_set_num(result, "rows_deleted", json_num(removed, "salary_data_cache", 0));
	json_set(result, "removed", removed);
	return more < 0 ? more : 0;
}

/* ---- the task ---- */

static int agree(struct cleanup *c, struct err *e)
{
	struct pg_rows *rows = NULL;
	int64_t r = pg_run(c->pg, "SELECT now()", NULL, 0, &rows, e);

	if (r >= 0)
		r = retire_vanished(c, pg_text(rows, 0, 0), e);
	pg_rows_free(rows);
	for (size_t i = 0; r >= 0 && i < COUNT(PATTERNS); i++)
		r = keys_scan(c->redis, PATTERNS[i], match_entries, c, e);
	return (int)r;
}

static void warn(cJSON *warnings, const char *text)
{
	cJSON_AddItemToArray(warnings, mem_check(cJSON_CreateString(text)));
}

/* Redis may go away at any time: then the table alone is tidied, and the next run makes up for it.
 * */
static int compare(struct cleanup *c, cJSON *warnings, struct err *e)
{
	int r = run_redis(c->run, &c->redis, e);

	if (r >= 0)
		r = agree(c, e);
	if (r == -ERR_SOFT_LIMIT)
		return 0;
	if (r < 0 && (!c->redis || !redis_is_alive(c->redis))) {
		log_warn("cache is away, only its table is tidied: %s", e->msg);
		warn(warnings, "the cache is away: only its table was tidied");
		return 0;
	}
	return r < 0 ? r : 0;
}

static int tidy(struct cleanup *c, cJSON *result, cJSON *warnings, struct err *e)
{
	struct pg_rows *rows = NULL;
	int64_t r = run_db_read(c->run, &c->pg, e);

	if (r >= 0)
		r = expire(c, e);
	if (r >= 0)
		r = compare(c, warnings, e);
	if (r >= 0)
		r = retain(c, result, e);
	if (r >= 0)
		r = pg_run(c->pg, SQL_ACTIVE, NULL, 0, &rows, e);
	if (r >= 0)
		json_set_num(result, "active", (double)pg_int(rows, 0, 0));
	pg_rows_free(rows);
	return r < 0 ? (int)r : 0;
}

int cleanup_expired_cache(struct run *run, const cJSON *args, cJSON **ret_result, struct err *e)
{
	struct cleanup c = { .run = run };
	cJSON *result = mem_check(cJSON_CreateObject()), *warnings = mem_check(cJSON_CreateArray());
	bool complete;
	int r;

	(void)args;
	json_set_str(result, "status", "success");
	r = tidy(&c, result, warnings, e);
	complete = !is_late(&c);
	if (!complete)
		warn(warnings, "the time was over first: the next run goes on");
	json_set_num(result, "expired", (double)c.expired);
	json_set_num(result, "vanished", (double)c.vanished);
	json_set_num(result, "restored", (double)c.restored);
	json_set_num(result, "untracked_deleted", (double)c.untracked);
	json_set_bool(result, "complete", complete);
	json_set(result, "warnings", warnings);
	if (r < 0)
		cJSON_Delete(result);
	else
		*ret_result = result;
	return r < 0 ? r : 0;
}
