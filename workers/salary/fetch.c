/* SPDX-License-Identifier: MIT */
#include "workers/salary/fetch.h"

#include "common/base/clock.h"
#include "common/base/conf.h"
#include "common/base/err.h"
#include "common/base/json.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/broker/message.h"
#include "common/store/limiter.h"
#include "common/store/pg.h"
#include "common/store/redis.h"
#include "common/worker/run.h"
#include "workers/salary/answer.h"
#include "workers/salary/benchmark.h"
#include "workers/salary/cache.h"
#include "workers/salary/cachekey.h"
#include "workers/salary/findings.h"
#include "workers/salary/reads.h"
#include "workers/salary/source.h"

#define BURST 10
#define CONFIDENCE_TASK "backend.tasks.salary_data_tasks.update_confidence_scores"

/* The three documents of one answer. */
struct bundle {
	struct cache_doc docs[CACHE_KIND_COUNT];
	char keys[CACHE_KIND_COUNT][CACHEKEY_SIZE];
	int64_t now_s;
	enum read_outcome outcome;
};

static void bundle_init(struct bundle *b, const struct request *r)
{
	*b = (struct bundle){ .now_s = clock_wall_ms() / 1000, .outcome = READ_MISS };
	for (int k = 0; k < CACHE_KIND_COUNT; k++)
		cachekey_make(cache_kind_name((enum cache_kind)k), r, b->keys[k]);
}

static void bundle_release(struct bundle *b)
{
	for (int k = 0; k < CACHE_KIND_COUNT; k++)
		cache_doc_release(&b->docs[k]);
}

/* Redis if it is there; being away is no error of the task. */
static struct redis *redis_or_null(struct run *run)
{
	struct redis *redis = NULL;
	struct err e;

	if (run_redis(run, &redis, &e) < 0) {
		log_warn("cache is away: %s", e.msg);
		return NULL;
	}
	return redis;
}

/* Redis lost an answer that the tables still have: the next reader finds it there again. */
static void put_back(struct redis *redis, const struct bundle *b, enum cache_kind k)
{
	const struct cache_doc *d = &b->docs[k];
	bool compress = strcmp(json_str(d->meta, "strategy", ""),
			       strategy_name(STRATEGY_CONSERVATIVE)) != 0;
	struct err e;

	if (cache_put_back(redis, b->keys[k], d, b->now_s, compress, &e) < 0)
		log_warn("answer not put back into the cache: %s", e.msg);
}

/* enum cache_answer, or an error. */
static int look_up_doc(struct run *run, struct redis *redis, struct bundle *b, enum cache_kind k,
		       int64_t max_age_s, struct err *e)
{
	struct pg *pg;
	int r = redis ? cache_get(redis, b->keys[k], b->now_s, max_age_s, &b->docs[k], e) : 0;

	if (r > 0 || k == CACHE_CONFIDENCE)
		return r > 0 ? r : CACHE_MISS;
	r = run_db_read(run, &pg, e);
	if (r >= 0)
		r = cache_get_tables(pg, k, b->keys[k], b->now_s, max_age_s, &b->docs[k], e);
	if (r > 0 && redis)
		put_back(redis, b, k);
	return r;
}

/* 1: everything that was asked for is there; b->outcome says how. */
static int look_up(struct run *run, struct redis *redis, const struct request *r, bool any_age,
		   struct bundle *b, struct err *e)
{
	int64_t asked_s = r->max_age_s;
	bool stale = false;

	for (int k = 0; k < CACHE_KIND_COUNT; k++) {
		int64_t limit_s = cache_age_limit_s(r->strategy, (enum cache_kind)k, asked_s);
		int got;

		if ((k == CACHE_MARKET && !r->want_market) ||
		    (k == CACHE_CONFIDENCE && !r->want_confidence))
			continue;
		got = look_up_doc(run, redis, b, (enum cache_kind)k,
				  any_age && k != CACHE_CONFIDENCE ? -1 : limit_s, e);
		if (k != CACHE_CONFIDENCE && got <= 0)
			return got;
		stale = stale || (k != CACHE_CONFIDENCE && got == CACHE_STALE);
	}
	b->outcome = stale ? READ_STALE : READ_HIT;
	return 1;
}

/* Best effort: an answer never fails because it could not be counted. */
static void count_reads(struct run *run, struct redis *redis, const struct request *r,
			const struct bundle *b, int64_t took_us)
{
	const struct message *m = run_message(run);
	struct read reads[] = { {
		.key = b->keys[CACHE_SALARY], .strategy = r->strategy, .outcome = b->outcome,
		.at_us = clock_wall_us(), .took_us = took_us, .origin = m ? m->origin : NULL,
		.task_id = run_id(run),
	}, { 0 } };
	struct err e;
	struct pg *pg;
	int waiting;

	reads[1] = reads[0];
	reads[1].key = b->keys[CACHE_MARKET];
	reads[1].took_us = -1;
	waiting = reads_count(redis, run_conf(run), reads, r->want_market ? 2 : 1, &e);
	if (waiting >= READS_DUE && run_db_read(run, &pg, &e) >= 0 && !pg_in_transaction(pg))
		waiting = reads_flush(pg, redis, run_conf(run), &e);
	if (waiting < 0)
		log_warn("reads are not counted: %s", e.msg);
}

static const char SQL_SCORES[] =
	"SELECT coalesce(jsonb_agg(to_jsonb(c) ORDER BY c.data_type), '[]') FROM confidence_scores c"
	" WHERE c.location = $1 AND c.occupation = $2";

/* Scores outlive their hour in the cache: the confidence program's own rows stand in. */
static int read_scores(struct run *run, const struct request *r, struct bundle *b, struct err *e)
{
	struct pg_rows *rows = NULL;
	struct pg *pg;
	int64_t n = run_db_read(run, &pg, e);

	if (n >= 0)
		n = pg_run(pg, SQL_SCORES,
			   PG_PARAMS(PG_TEXT(r->area.label), PG_TEXT(r->occupation.name)), &rows,
			   e);
	if (n < 0)
		return (int)n;
	b->docs[CACHE_CONFIDENCE].rows = mem_strdup(n == 1 ? pg_text(rows, 0, 0) : "[]");
	pg_rows_free(rows);
	return 0;
}

static int take_token(struct run *run, struct redis *redis, struct err *e)
{
	const struct conf *conf = run_conf(run);
	const struct conf_task *task = conf_task(conf, run_task(run));
	int64_t wait_ms = 0;

	if (!task || !task->rate_at_fetch || task->rate_per_s <= 0)
		return 0;
	if (limiter_take(redis, conf->fleet.redis_prefix, run_task(run), task->rate_per_s, BURST, 0,
			 &wait_ms, NULL) == LIMITER_TAKEN)
		return 0;
	err_set(e, ERR_LIMITED, "the sources are asked no more than %.3g times a minute",
		task->rate_per_s * 60);
	if (e)
		e->retry_after_ms = wait_ms;
	return -ERR_LIMITED;
}

static char *print_rows(cJSON *rows)
{
	char *text = json_print(rows);

	cJSON_Delete(rows);
	return text;
}

static int enqueue_scores(struct run *run, const struct request *r, struct err *e)
{
	cJSON *args = mem_check(cJSON_CreateArray());
	struct run_enqueue what = { .task = CONFIDENCE_TASK, .priority = -1 };
	char *text;
	int code;

	cJSON_AddItemToArray(args, mem_check(cJSON_CreateString(r->area.label)));
	cJSON_AddItemToArray(args, mem_check(cJSON_CreateString(r->occupation.name)));
	what.args = text = print_rows(args);
	code = run_enqueue(run, &what, NULL, e);
	free(text);
	return code;
}

static struct cache_life doc_life(const struct request *r, const struct findings *f,
				  const struct bundle *b, enum cache_kind k)
{
	return cache_life(r->strategy, k, cache_verdict(f, k), cache_freshness(f, k), b->keys[k],
			  b->now_s);
}

static int store_kind(struct run *run, struct pg *pg, const struct request *r,
		      const struct findings *f, enum cache_kind k, struct bundle *b, struct err *e)
{
	bool development = run_conf(run)->fleet.development;
	cJSON *rows = mem_check(cJSON_CreateArray());
	int code = k == CACHE_SALARY ? benchmark_store(pg, r, f, b->keys[k], development, rows, e)
				     : market_store(pg, r, f, b->keys[k], development, rows, e);

	b->docs[k].meta = answer_meta(r, f, k, cJSON_GetArraySize(rows), development);
	b->docs[k].rows = print_rows(rows);
	return code < 0 ? code
			: cache_track(pg, k, b->keys[k], b->docs[k].meta, doc_life(r, f, b, k), e);
}

/* One transaction, no network in it. */
static int store(struct run *run, const struct request *r, const struct findings *f,
		 const char *step, struct bundle *b, struct err *e)
{
	struct pg *pg;
	int code = run_db(run, &pg, e);

	if (code >= 0)
		code = store_kind(run, pg, r, f, CACHE_SALARY, b, e);
	if (code >= 0)
		code = store_kind(run, pg, r, f, CACHE_MARKET, b, e);
	b->docs[CACHE_CONFIDENCE].meta = answer_meta(r, f, CACHE_CONFIDENCE, 0, false);
	b->docs[CACHE_CONFIDENCE].rows = print_rows(answer_scores(r, f, b->keys[CACHE_SALARY]));
	return code < 0 ? code : run_step_commit(run, step, NULL, e);
}

static void fill_cache(struct redis *redis, const struct request *r, const struct findings *f,
		       const struct bundle *b)
{
	struct err e;

	for (int k = 0; redis && k < CACHE_KIND_COUNT; k++)
		if (cache_put(redis, b->keys[k], b->docs[k].meta, b->docs[k].rows, b->now_s,
			      doc_life(r, f, b, (enum cache_kind)k),
			      r->strategy != STRATEGY_CONSERVATIVE, &e) < 0) {
			log_warn("answer not cached: %s", e.msg);
			return;
		}
}

static int ask_and_store(struct run *run, struct redis *redis, const struct request *r,
			 const char *step, bool keep_better, struct bundle *b, bool *ret_fallback,
			 struct err *e)
{
	struct findings f;
	int code;

	findings_init(&f);
	code = source_all(run, r, &f, e);
	*ret_fallback = f.fallback;
	if (code >= 0 && !(f.fallback && keep_better))
		code = enqueue_scores(run, r, e);
	if (code >= 0 && !(f.fallback && keep_better))
		code = store(run, r, &f, step, b, e);
	if (code >= 0 && !(f.fallback && keep_better))
		fill_cache(redis, r, &f, b);
	findings_release(&f);
	return code;
}

static int fetch_miss(struct run *run, struct redis *redis, const struct request *r,
		      struct bundle *b, struct err *e)
{
	bool fallback;
	int code = take_token(run, redis, e);

	bundle_release(b);
	return code < 0 ? code : ask_and_store(run, redis, r, "stored", false, b, &fallback, e);
}

static int fetch_any(struct run *run, const struct request *r, struct bundle *b, bool *ret_hit,
		     struct err *e)
{
	struct redis *redis = redis_or_null(run);
	int64_t start = clock_mono_us();
	int done = run_step_begin(run, "stored", NULL, e), hit;

	if (done < 0)
		return done;
	hit = look_up(run, redis, r, done == 1, b, e);
	if (hit < 0)
		return hit;
	*ret_hit = hit == 1;
	if (redis)
		count_reads(run, redis, r, b, hit == 1 ? clock_mono_us() - start : -1);
	if (hit == 0)
		hit = fetch_miss(run, redis, r, b, e);
	if (hit >= 0 && r->want_confidence && !b->docs[CACHE_CONFIDENCE].rows)
		hit = read_scores(run, r, b, e);
	return hit < 0 ? hit : 0;
}

int fetch_salary_data(struct run *run, const cJSON *args, cJSON **ret_result, struct err *e)
{
	int64_t start = clock_mono_us();
	struct request r;
	struct bundle b;
	bool hit = false;
	int code = request_read(json_get(args, "request_data"), &r, e);

	if (code < 0)
		return code;
	bundle_init(&b, &r);
	code = fetch_any(run, &r, &b, &hit, e);
	if (code == 0) {
		struct answer a = {
			.meta = b.docs[CACHE_SALARY].meta, .benchmarks = b.docs[CACHE_SALARY].rows,
			.market = r.want_market ? b.docs[CACHE_MARKET].rows : NULL,
			.confidence = r.want_confidence ? b.docs[CACHE_CONFIDENCE].rows : NULL,
			.cache_key = b.keys[CACHE_SALARY], .cache_hit = hit,
			.from_tables = b.docs[CACHE_SALARY].from_tables, .started_us = start,
		};

		*ret_result = answer_make(&a, &r);
	}
	bundle_release(&b);
	request_release(&r);
	return code;
}

int fetch_refresh(struct run *run, const struct request *r, const char *step, bool *ret_fallback,
		  struct err *e)
{
	struct bundle b;
	int code;

	bundle_init(&b, r);
	code = ask_and_store(run, redis_or_null(run), r, step, true, &b, ret_fallback, e);
	bundle_release(&b);
	return code;
}

int fetch_keep(struct run *run, const struct request *r, const struct findings *f, const char *step,
	       struct err *e)
{
	struct bundle b;
	int code;

	bundle_init(&b, r);
	code = store(run, r, f, step, &b, e);
	if (code >= 0)
		fill_cache(redis_or_null(run), r, f, &b);
	bundle_release(&b);
	return code;
}
