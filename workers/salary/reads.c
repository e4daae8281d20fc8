/* SPDX-License-Identifier: MIT */
#include "workers/salary/reads.h"

#include <math.h>
#include <string.h>

#include "common/base/board.h"
#include "common/base/buf.h"
#include "common/base/conf.h"
#include "common/base/err.h"
#include "common/base/json.h"
#include "common/base/mem.h"
#include "common/base/uuid.h"
#include "common/store/pg.h"
#include "common/store/redis.h"

#define HOUR_US (INT64_C(3600) * 1000000)
#define LINE_MAX_BYTES 4096
#define BATCH_MAX_BYTES (READS_BATCH * LINE_MAX_BYTES)
#define LINE_PARTS 5
#define PER_DOUBLING 8
#define STRING_OF(number) #number
#define TEXT_OF(number) STRING_OF(number)

static const char *const OUTCOMES[READ_OUTCOME_COUNT] = { "hit", "stale", "miss" };

const char *read_outcome_name(enum read_outcome o)
{
	return OUTCOMES[o];
}

void reads_key(enum reads_key k, const struct conf *conf, char out[READS_KEY_SIZE])
{
	static const char *const NAMES[] = { "reads", "reads_taken", "reads_taken_id" };

	snprintf(out, READS_KEY_SIZE, "%.80ssalary_cache:%s", conf->fleet.redis_prefix, NAMES[k]);
}

void reads_stats_key(const struct conf *conf, int64_t hour, char out[READS_KEY_SIZE])
{
	snprintf(out, READS_KEY_SIZE, "%.80ssalary_cache:stats:%lld", conf->fleet.redis_prefix,
		 (long long)hour);
}

int reads_bucket(int64_t took_us)
{
	int bucket = took_us <= 1 ? 0 : (int)(PER_DOUBLING * log2((double)took_us));

	return bucket < READS_BUCKETS ? bucket : READS_BUCKETS - 1;
}

double reads_bucket_us(int bucket)
{
	return exp2((bucket + 0.5) / PER_DOUBLING);
}

/* KEYS: lines, statistics. ARGV: for each line an outcome's field and a bucket's field, '' where it
 * does not count there, then the line itself. */
static const char COUNT_READS[] =
	"local waiting = redis.call('LLEN', KEYS[1])"
	" for i = 1, #ARGV, 3 do"
	"  if waiting < " TEXT_OF(READS_WAITING_MAX) " then"
	"   waiting = redis.call('RPUSH', KEYS[1], ARGV[i + 2])"
	"  else redis.call('HINCRBY', KEYS[2], 'dropped', 1) end"
	"  if ARGV[i] ~= '' then redis.call('HINCRBY', KEYS[2], ARGV[i], 1) end"
	"  if ARGV[i + 1] ~= '' then redis.call('HINCRBY', KEYS[2], ARGV[i + 1], 1) end"
	" end"
	" redis.call('EXPIRE', KEYS[2], " TEXT_OF(READS_STATS_HOURS) " * 3600)"
	" return waiting";

struct counted {
	char outcome[32], bucket[32];
	struct buf line;
};

static void describe(const struct read *r, bool first, struct counted *out)
{
	*out->outcome = *out->bucket = '\0';
	if (first)
		snprintf(out->outcome, sizeof out->outcome, "%s:%s", strategy_name(r->strategy),
			 OUTCOMES[r->outcome]);
	if (first && r->took_us >= 0)
		snprintf(out->bucket, sizeof out->bucket, "%s:t%d", strategy_name(r->strategy),
			 reads_bucket(r->took_us));
	buf_init(&out->line, LINE_MAX_BYTES);
	buf_printf(&out->line, "[%lld,", (long long)r->at_us);
	buf_put_json_string(&out->line, r->key);
	buf_putc(&out->line, ',');
	buf_put_json_string(&out->line, r->origin ? r->origin : "");
	buf_putc(&out->line, ',');
	buf_put_json_string(&out->line, r->task_id ? r->task_id : "");
	buf_printf(&out->line, ",\"%s\"]", OUTCOMES[r->outcome]);
}

int reads_count(struct redis *redis, const struct conf *conf, const struct read *reads, size_t n,
		struct err *e)
{
	char lines[READS_KEY_SIZE], stats[READS_KEY_SIZE];
	const char *words[2 + 3 * READS_MAX] = { lines, stats };
	size_t lens[COUNT(words)], used = 2;
	struct counted parts[READS_MAX];
	struct redis_reply *reply = NULL;
	int r;

	n = n < READS_MAX ? n : READS_MAX;
	reads_key(READS_LINES, conf, lines);
	reads_stats_key(conf, n > 0 ? reads[0].at_us / HOUR_US : 0, stats);
	for (size_t i = 0; i < n; i++) {
		describe(&reads[i], i == 0, &parts[i]);
		board_add(1, "cache_reads", OUTCOMES[reads[i].outcome], NULL);
		words[used++] = parts[i].outcome;
		words[used++] = parts[i].bucket;
		words[used++] = buf_text(&parts[i].line);
	}
	for (size_t i = 0; i < used; i++)
		lens[i] = strlen(words[i]);
	r = redis_eval(redis, COUNT_READS, 2, words, lens, used, &reply, e);
	if (r >= 0)
		r = reply->type == REDIS_INTEGER ? (int)reply->integer : 0;
	redis_reply_free(reply);
	for (size_t i = 0; i < n; i++)
		buf_release(&parts[i].line);
	return r;
}

/* KEYS: lines, taken, its id. ARGV: the id of a new batch. A batch that is there goes first. */
static const char TAKE[] =
	"local id = redis.call('GET', KEYS[3])"
	" if not id then"
	"  local lines = redis.call('LRANGE', KEYS[1], 0, " TEXT_OF(READS_BATCH) " - 1)"
	"  if #lines == 0 then return false end"
	"  id = ARGV[1]"
	"  redis.call('DEL', KEYS[2])"
	"  redis.call('RPUSH', KEYS[2], unpack(lines))"
	"  redis.call('LTRIM', KEYS[1], #lines, -1)"
	"  redis.call('SET', KEYS[3], id)"
	" end"
	" return {id, redis.call('LRANGE', KEYS[2], 0, -1)}";
/* KEYS: taken, its id. ARGV: the id that was handed in: another one's batch stays. */
static const char FORGET[] =
	"if redis.call('GET', KEYS[2]) == ARGV[1] then redis.call('DEL', KEYS[1], KEYS[2]) end";

/* Rows of the cache table are locked salary_data before market_data, as a fetch does. */
static const char SQL_MOVE[] =
	"WITH batch AS (INSERT INTO jobfleet.salary_read_batches (id, reads)"
	"  SELECT $1::uuid, jsonb_array_length($2::jsonb) ON CONFLICT DO NOTHING RETURNING id),"
	" line AS (SELECT to_timestamp((l ->> 0)::bigint / 1000000.0) AS read_at, l ->> 1 AS cache_key,"
	"   l ->> 2 AS origin, l ->> 3 AS task_id, l ->> 4 AS outcome"
	"  FROM batch, jsonb_array_elements($2::jsonb) AS l),"
	" kept AS (INSERT INTO jobfleet.salary_reads (read_at, cache_key, origin, task_id, outcome)"
	"  SELECT read_at, cache_key, origin, task_id, outcome FROM line),"
	" added AS (SELECT cache_key, count(*) FILTER (WHERE outcome <> 'miss')::int AS hits,"
	"   count(*) FILTER (WHERE outcome = 'miss')::int AS misses"
	"  FROM line GROUP BY cache_key ORDER BY cache_key DESC)"
	" INSERT INTO salary_data_cache AS c (cache_key, data_type, redis_key, ttl_seconds, is_active,"
	"  expires_at, cache_hits, cache_misses, hit_rate)"
	" SELECT cache_key, left(split_part(cache_key, ':', 1), 50), cache_key, 0, false, now(), hits,"
	"  misses, round(100.0 * hits / (hits + misses), 2) FROM added"
	" ON CONFLICT (cache_key) DO UPDATE SET cache_hits = c.cache_hits + excluded.cache_hits,"
	"  cache_misses = c.cache_misses + excluded.cache_misses,"
	"  hit_rate = round(100.0 * (c.cache_hits + excluded.cache_hits) / greatest(1, c.cache_hits"
	"  + excluded.cache_hits + c.cache_misses + excluded.cache_misses), 2)";

static bool is_outcome(const char *text)
{
	for (int i = 0; i < READ_OUTCOME_COUNT; i++)
		if (strcmp(text, OUTCOMES[i]) == 0)
			return true;
	return false;
}

/* A line that is none of ours would have the whole batch refused for ever. */
static bool is_line(const char *text, size_t len)
{
	cJSON *line = NULL;
	bool good = json_parse(text, len, &line, NULL) == 0 &&
		cJSON_GetArraySize(line) == LINE_PARTS && cJSON_IsNumber(line->child) &&
		line->child->valuedouble >= 0 && line->child->valuedouble < 9e15;

	for (int i = 1; good && i < LINE_PARTS; i++)
		good = cJSON_IsString(cJSON_GetArrayItem(line, i)) &&
			strlen(cJSON_GetArrayItem(line, i)->valuestring) <= 255;
	good = good && is_outcome(cJSON_GetArrayItem(line, LINE_PARTS - 1)->valuestring);
	cJSON_Delete(line);
	return good;
}

static int hand_in(struct pg *pg, const char *id, const struct redis_reply *lines, struct err *e)
{
	struct buf text;
	size_t n = 0;
	int64_t r = 0;

	buf_init(&text, BATCH_MAX_BYTES);
	buf_putc(&text, '[');
	for (size_t i = 0; i < lines->nitems; i++) {
		const struct redis_reply *l = lines->items[i];

		if (l->type == REDIS_STRING && l->len < LINE_MAX_BYTES && is_line(l->str, l->len)) {
			buf_puts(&text, n++ > 0 ? "," : "");
			buf_append(&text, l->str, l->len);
		}
	}
	buf_putc(&text, ']');
	if (n > 0)
		r = pg_run(pg, SQL_MOVE, PG_PARAMS(PG_TEXT(id), PG_TEXT(buf_text(&text))), NULL, e);
	buf_release(&text);
	return r < 0 ? (int)r : (int)lines->nitems;
}

static int take(struct redis *redis, const struct conf *conf, struct redis_reply **ret,
		struct err *e)
{
	char lines[READS_KEY_SIZE], taken[READS_KEY_SIZE], taken_id[READS_KEY_SIZE], id[UUID_SIZE];
	const char *words[] = { lines, taken, taken_id, id };

	reads_key(READS_LINES, conf, lines);
	reads_key(READS_TAKEN, conf, taken);
	reads_key(READS_TAKEN_ID, conf, taken_id);
	uuid_v4(id);
	return redis_eval(redis, TAKE, 3, words,
			  (const size_t[]){ strlen(lines), strlen(taken), strlen(taken_id),
					    strlen(id) },
			  COUNT(words), ret, e);
}

static int forget(struct redis *redis, const struct conf *conf, const char *id, struct err *e)
{
	char taken[READS_KEY_SIZE], taken_id[READS_KEY_SIZE];
	const char *words[] = { taken, taken_id, id };

	reads_key(READS_TAKEN, conf, taken);
	reads_key(READS_TAKEN_ID, conf, taken_id);
	return redis_eval(redis, FORGET, 2, words,
			  (const size_t[]){ strlen(taken), strlen(taken_id), strlen(id) },
			  COUNT(words), NULL, e);
}

int reads_flush(struct pg *pg, struct redis *redis, const struct conf *conf, struct err *e)
{
	struct redis_reply *reply = NULL;
	int r = take(redis, conf, &reply, e), forgotten;

	if (r >= 0 && reply->type == REDIS_ARRAY && reply->nitems == 2 &&
	    reply->items[0]->type == REDIS_STRING && reply->items[1]->type == REDIS_ARRAY) {
		r = hand_in(pg, reply->items[0]->str, reply->items[1], e);
		forgotten = r < 0 ? 0 : forget(redis, conf, reply->items[0]->str, e);
		r = forgotten < 0 ? forgotten : r;
	} else if (r >= 0) {
		r = 0;
	}
	redis_reply_free(reply);
	return r;
}
