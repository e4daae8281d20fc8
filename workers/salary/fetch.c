/* SPDX-License-Identifier: MIT */
#include "workers/salary/fetch.h"

#include "common/base/clock.h"
#include "common/base/conf.h"
#include "common/base/err.h"
#include "common/base/fault.h"
#include "common/base/json.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/broker/message.h"
#include "common/store/limiter.h"
#include "common/store/pg.h"
#include "common/store/redis.h"
#include "common/worker/run.h"
#include "workers/salary/adjust.h"
#include "workers/salary/answer.h"
#include "workers/salary/benchmark.h"
#include "workers/salary/bundle.h"
#include "workers/salary/findings.h"
#include "workers/salary/flight.h"
#include "workers/salary/reads.h"
#include "workers/salary/revalidate.h"
#include "workers/salary/source.h"

#define CONFIDENCE_TASK "backend.tasks.salary_data_tasks.update_confidence_scores"
#define STEP "stored"
#define KEEP_AT_MOST_S (365 * 86400)	/* by then each source has published anew */

/* One fetch: what it was asked, what it has so far. */
struct fetch {
	struct run *run;
	struct redis *redis;		/* NULL: away */
	const struct request *request;
	struct bundle bundle;
	int64_t since_s;		/* an answer stored from here on is as good as asked anew */
};

static struct fetch fetch_begin(struct run *run, const struct request *r)
{
	struct fetch f = { .run = run, .request = r, .since_s = clock_wall_ms() / 1000 };
	struct err e;

	if (run_redis(run, &f.redis, &e) < 0) {
		log_warn("cache is away: %s", e.msg);
		f.redis = NULL;
	}
	bundle_init(&f.bundle, r);
	return f;
}

static int look_up(struct fetch *f, enum bundle_age age, struct err *e)
{
	return bundle_look_up(&f->bundle, f->run, f->redis, f->request, age, f->since_s, e);
}

/* Before the first wait an answer must be as young as was asked for; after one, another task's
 * answer to the same is what was waited for. */
static int landed(void *ctx, bool waited, struct err *e)
{
	int got = look_up(ctx, waited ? BUNDLE_SINCE : BUNDLE_AS_ASKED, e);

	return got > 0 ? 1 : got;
}

/* For who asks whatever the cache holds only what was stored meanwhile is an answer. */
static int landed_meanwhile(void *ctx, bool waited, struct err *e)
{
	int got = waited ? look_up(ctx, BUNDLE_STORED_SINCE, e) : 0;

	return got > 0 ? 1 : got;
}

/* Best effort: an answer never fails because it could not be counted. */
static void count_reads(const struct fetch *f, enum read_outcome outcome, int64_t took_us)
{
	const struct message *m = run_message(f->run);
	struct read reads[] = { {
		.key = f->bundle.keys[CACHE_SALARY], .strategy = f->request->strategy,
		.outcome = outcome, .at_us = clock_wall_us(), .took_us = took_us,
		.origin = m ? m->origin : NULL, .task_id = run_id(f->run),
	}, { 0 } };
	struct err e;
	struct pg *pg;
	int waiting;

	if (!f->redis)
		return;
	reads[1] = reads[0];
	reads[1].key = f->bundle.keys[CACHE_MARKET];
	reads[1].took_us = -1;
	waiting = reads_count(f->redis, run_conf(f->run), reads, f->request->want_market ? 2 : 1,
			      &e);
	if (waiting >= READS_DUE && run_db_read(f->run, &pg, &e) >= 0 && !pg_in_transaction(pg))
		waiting = reads_flush(pg, f->redis, run_conf(f->run), &e);
	if (waiting < 0)
		log_warn("reads are not counted: %s", e.msg);
}

static int take_token(const struct fetch *f, struct err *e)
{
	const struct conf *conf = run_conf(f->run);
	const struct conf_task *task = conf_task(conf, run_task(f->run));
	int64_t wait_ms = 0;

	/* abroad only our own postings are asked */
	if (!task || !task->rate_at_fetch || task->rate_per_s <= 0 ||
	    f->request->area.level == AREA_FOREIGN)
		return 0;
	if (limiter_take(f->redis, conf->fleet.redis_prefix, run_task(f->run), task->rate_per_s,
			 task->rate_burst, 0, &wait_ms, NULL) == LIMITER_TAKEN)
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

static int enqueue_scores(struct fetch *f, struct err *e)
{
	cJSON *args = mem_check(cJSON_CreateArray());
	struct run_enqueue what = { .task = CONFIDENCE_TASK, .priority = -1 };
	char *text;
	int code;

	cJSON_AddItemToArray(args, mem_check(cJSON_CreateString(f->request->area.label)));
	cJSON_AddItemToArray(args, mem_check(cJSON_CreateString(f->request->occupation.name)));
	what.args = text = print_rows(args);
	code = run_enqueue(f->run, &what, NULL, e);
	free(text);
	return code;
}

/* Their ids tell rows that another question shares (cache_get_tables). */
static void note_rows(struct cache_doc *d)
{
	cJSON *ids = mem_check(cJSON_CreateArray()), *rows = NULL;
	const cJSON *row;

	if (json_parse(d->rows, strlen(d->rows), &rows, NULL) == 0)
		cJSON_ArrayForEach(row, rows) {
			cJSON_AddItemToArray(ids,
				mem_check(cJSON_Duplicate(json_get(row, "id"), true)));
		}
	cJSON_Delete(rows);
	json_set(d->meta, "rows", ids);
}

static int store_kind(struct fetch *f, struct pg *pg, struct findings *found,
		      enum cache_kind k, struct err *e)
{
	bool development = run_conf(f->run)->fleet.development;
	const struct request *r = f->request;
	struct cache_doc *d = &f->bundle.docs[k];
	const char *key = f->bundle.keys[k];
	cJSON *rows = mem_check(cJSON_CreateArray());
	int code = k == CACHE_SALARY ? benchmark_store(pg, r, found, key, development, rows, e)
				     : market_store(pg, r, found, key, development, rows, e);

	d->meta = answer_meta(r, found, k, cJSON_GetArraySize(rows), development);
	d->rows = print_rows(rows);
	note_rows(d);
	return code < 0 ? code
			: cache_track(pg, k, key, d->meta, bundle_life(&f->bundle, r, found, k),
				      e);
}

/* One transaction, no network in it. */
static int store(struct fetch *f, struct findings *found, const char *step, struct err *e)
{
	struct bundle *b = &f->bundle;
	struct pg *pg;
	int code = run_db(f->run, &pg, e);

	bundle_release(b);
	b->now_s = clock_wall_ms() / 1000;
	if (code >= 0)
		code = store_kind(f, pg, found, CACHE_SALARY, e);
	if (code >= 0)
		code = store_kind(f, pg, found, CACHE_MARKET, e);
	b->docs[CACHE_CONFIDENCE].meta = answer_meta(f->request, found, CACHE_CONFIDENCE, 0, false);
	b->docs[CACHE_CONFIDENCE].rows =
		print_rows(answer_scores(f->request, found, b->keys[CACHE_SALARY]));
	return code < 0 ? code : run_step_commit(f->run, step, NULL, e);
}

/* Why nothing was stored, beside 0 and errors. */
enum asked { ASKED_IN_VAIN = 1, ASKED_IN_PART };

/* Figures that ended are better than bundled ones, when no source answers (stale-if-error, RFC 5861
 * 4). 1: the bundle has such. */
static int find_ended(struct fetch *f, struct err *e)
{
	int got = look_up(f, BUNDLE_ANY, e);

	if (got > 0 && json_bool(f->bundle.docs[CACHE_SALARY].meta, "fallback", false))
		return 0;
	return got > 0 ? ASKED_IN_VAIN : got;
}

/* NULL: all sources that the stored median is from answered now, or no longer have such pay. */
static cJSON *find_lost(const cJSON *meta, const struct findings *found)
{
	const char *text = json_str(meta, "merged", "null");
	cJSON *merged = NULL, *lost = NULL;
	const cJSON *source;

	if (json_parse(text, strlen(text), &merged, NULL) < 0)
		return NULL;
	cJSON_ArrayForEach(source, json_get(merged, "weights")) {
		if (!lost && cache_misses(found, source->string))
			lost = mem_check(cJSON_CreateString(source->string));
	}
	cJSON_Delete(merged);
	return lost;
}

static void tell_kept(cJSON *meta, const char *lost, const struct findings *found)
{
	cJSON *warnings = cJSON_GetObjectItemCaseSensitive(meta, "warnings");
	char day[CLOCK_ISO_SIZE], *text;

	clock_iso(json_int(meta, "stored_at", 0) * 1000000, day);
	text = mem_printf("%s does not answer now (%s): these are the figures of %.10s", lost,
			  json_str(json_get(found->sources, lost), "reason", ""), day);
	if (warnings)
		cJSON_AddItemToArray(warnings, mem_check(cJSON_CreateString(text)));
	free(text);
}

/* Ten minutes, marked, so that not every reader asks the sources that do answer. */
static void hold_ended(struct fetch *f)
{
	struct bundle *b = &f->bundle;
	struct err e;

	if (!f->redis || b->docs[CACHE_SALARY].keep_until_s > b->now_s)
		return;
	for (int i = 0; i < CACHE_KIND_COUNT; i++) {
		const struct cache_doc *d = &b->docs[i];
		struct cache_life life = cache_life(f->request->strategy, (enum cache_kind)i,
						    CACHE_FAILED, 0, b->keys[i], b->now_s);

		if (d->rows && cache_put(f->redis, b->keys[i], d->meta, d->rows, b->now_s, life,
					 f->request->strategy != STRATEGY_CONSERVATIVE, &e) < 0)
			log_warn("answer not cached: %s", e.msg);
	}
}

/* What the others have is no better than an answer with the source that led it. */
static int find_better(struct fetch *f, const struct findings *found, struct err *e)
{
	struct cache_doc *d = &f->bundle.docs[CACHE_SALARY];
	int got = look_up(f, BUNDLE_ANY, e);
	cJSON *lost;

	if (got <= 0 || f->bundle.now_s - d->stored_at_s > KEEP_AT_MOST_S)
		return got < 0 ? got : 0;
	lost = find_lost(d->meta, found);
	if (!lost)
		return 0;
	tell_kept(d->meta, lost->valuestring, found);
	cJSON_Delete(lost);
	hold_ended(f);
	return ASKED_IN_PART;
}

/* What was found stands in the bundle, stored and cached, or (enum asked) the bundle has older
 * figures that are better. */
static int ask_and_store(struct fetch *f, const char *step, struct err *e)
{
	struct findings found;
	int code;

	findings_init(&found);
	code = source_all(f->run, f->request, &found, e);
	FAULT_POINT("salary.asked");
	if (code >= 0)
		code = !found.failed  ? 0 :
		       found.fallback ? find_ended(f, e) :
					find_better(f, &found, e);
	if (code == 0)
		code = enqueue_scores(f, e);
	if (code == 0)
		code = store(f, &found, step, e);
	FAULT_POINT("salary.stored");
	if (code == 0)
		bundle_fill(&f->bundle, f->redis, f->request, &found);
	findings_release(&found);
	return code;
}

/* How an answer came about. */
enum origin { ORIGIN_CACHE, ORIGIN_STALE, ORIGIN_SOURCES, ORIGIN_ENDED, ORIGIN_KEPT };

static int ask_alone(struct fetch *f, enum origin *ret, struct err *e)
{
	int code = flight_board(f->run, f->bundle.keys[CACHE_SALARY], landed, f, e);

	*ret = ORIGIN_CACHE;
	if (code != 0)
		return code;
	code = take_token(f, e);
	if (code >= 0)
		code = ask_and_store(f, STEP, e);
	*ret = code == ASKED_IN_VAIN ? ORIGIN_ENDED :
	       code == ASKED_IN_PART ? ORIGIN_KEPT :
				       ORIGIN_SOURCES;
	flight_end(f->run, f->bundle.keys[CACHE_SALARY]);
	return code;
}

/* A repeat after a crash finds what its first run stored. */
static int fetch_miss(struct fetch *f, enum origin *ret, struct err *e)
{
	int done = run_step_begin(f->run, STEP, NULL, e);

	if (done == 1)
		done = look_up(f, BUNDLE_ANY, e);
	*ret = ORIGIN_SOURCES;
	return done != 0 ? done : ask_alone(f, ret, e);
}

static int fetch_any(struct fetch *f, enum origin *ret, struct err *e)
{
	static const enum read_outcome OUTCOMES[] = {
		[ORIGIN_CACHE] = READ_HIT, [ORIGIN_STALE] = READ_STALE,
		[ORIGIN_SOURCES] = READ_MISS, [ORIGIN_ENDED] = READ_MISS,
		[ORIGIN_KEPT] = READ_MISS,
	};
	int64_t start = clock_mono_us(), took_us;
	int code = look_up(f, BUNDLE_AS_ASKED, e);

	/* what another task was waited for is a hit, but tells nothing of the cache's speed */
	took_us = code == CACHE_MISS ? -1 : clock_mono_us() - start;
	*ret = code == CACHE_STALE ? ORIGIN_STALE : ORIGIN_CACHE;
	if (code == CACHE_MISS)
		code = fetch_miss(f, ret, e);
	if (code >= 0)
		count_reads(f, OUTCOMES[*ret], took_us);
	if (code >= 0 && *ret == ORIGIN_STALE)
		code = revalidate(f->run, f->redis, f->bundle.keys[CACHE_SALARY], e);
	if (code >= 0 && f->request->want_confidence && !f->bundle.docs[CACHE_CONFIDENCE].rows)
		code = bundle_read_scores(&f->bundle, f->run, f->request, e);
	return code < 0 ? code : 0;
}

static cJSON *put_together(const struct fetch *f, enum origin origin, int64_t start_us)
{
	const struct request *r = f->request;
	const struct cache_doc *docs = f->bundle.docs;
	struct answer a = {
		.meta = docs[CACHE_SALARY].meta, .benchmarks = docs[CACHE_SALARY].rows,
		.market = r->want_market ? docs[CACHE_MARKET].rows : NULL,
		.confidence = r->want_confidence ? docs[CACHE_CONFIDENCE].rows : NULL,
		.cache_key = f->bundle.keys[CACHE_SALARY], .cache_hit = origin != ORIGIN_SOURCES,
		.stale = origin == ORIGIN_STALE, .ended = origin == ORIGIN_ENDED,
		.kept = origin == ORIGIN_KEPT,
		.from_tables = docs[CACHE_SALARY].from_tables, .started_us = start_us,
	};

	return answer_make(&a, r);
}

int fetch_salary_data(struct run *run, const cJSON *args, cJSON **ret_result, struct err *e)
{
	int64_t start = clock_mono_us();
	enum origin origin;
	struct request r;
	struct fetch f;
	int code = request_read(json_get(args, "request_data"), &r, e);

	if (code < 0)
		return code;
	f = fetch_begin(run, &r);
	code = fetch_any(&f, &origin, e);
	if (code == 0 && r.want_adjusted)
		code = adjust_doc(run, &r, &f.bundle.docs[CACHE_SALARY], e);
	if (code == 0)
		*ret_result = put_together(&f, origin, start);
	bundle_release(&f.bundle);
	request_release(&r);
	return code;
}

int fetch_refresh(struct run *run, const struct request *r, const char *step, bool *ret_fallback,
		  struct err *e)
{
	struct fetch f = fetch_begin(run, r);
	int code;

	code = flight_board(run, f.bundle.keys[CACHE_SALARY], landed_meanwhile, &f, e);
	*ret_fallback = false;
	if (code == 0) {
		code = ask_and_store(&f, step, e);
		*ret_fallback = code > 0;
		flight_end(run, f.bundle.keys[CACHE_SALARY]);
	}
	bundle_release(&f.bundle);
	return code < 0 ? code : 0;
}

int fetch_keep(struct run *run, const struct request *r, struct findings *found,
	       const char *step, struct err *e)
{
	struct fetch f = fetch_begin(run, r);
	int code = store(&f, found, step, e);

	if (code >= 0)
		bundle_fill(&f.bundle, f.redis, r, found);
	bundle_release(&f.bundle);
	return code;
}
