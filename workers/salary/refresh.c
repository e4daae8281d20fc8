/* SPDX-License-Identifier: MIT */
#include "workers/salary/refresh.h"

#include "common/base/clock.h"
#include "common/base/err.h"
#include "common/base/json.h"
#include "common/base/mem.h"
#include "common/base/uuid.h"
#include "common/store/redis.h"
#include "common/worker/run.h"
#include "workers/salary/cache.h"
#include "workers/salary/cachekey.h"
#include "workers/salary/fetch.h"
#include "workers/salary/keys.h"

#define DEFAULT_REFRESHES 25
#define MAX_REFRESHES 500

/* One cached answer that may be refreshed. */
struct candidate {
	char *key;
	cJSON *meta;
	double urgency;
};

struct candidates {
	struct redis *redis;
	int64_t now_s;
	struct candidate *items;
	size_t count;
};

static int add_candidate(void *ctx, const char *key, struct err *e)
{
	struct candidates *c = ctx;
	struct cache_doc doc;
	int r;

	if (strncmp(key, CACHEKEY_SALARY ":", sizeof CACHEKEY_SALARY) != 0)
		return 0;
	r = cache_get(c->redis, key, c->now_s, -1, &doc, e);
	if (r <= 0)
		return r;
	c->items = mem_realloc(c->items, (c->count + 1) * sizeof *c->items);
	c->items[c->count++] = (struct candidate){
		.key = mem_strdup(key),
		.meta = doc.meta,
		.urgency = (double)(c->now_s - doc.stored_at_s),
	};
	doc.meta = NULL;
	cache_doc_release(&doc);
	return 0;
}

static int by_urgency(const void *a, const void *b)
{
	const struct candidate *x = a, *y = b;

	if (x->urgency != y->urgency)
		return x->urgency < y->urgency ? 1 : -1;
	return strcmp(x->key, y->key);
}

static void candidates_release(struct candidates *c)
{
	for (size_t i = 0; i < c->count; i++) {
		free(c->items[i].key);
		cJSON_Delete(c->items[i].meta);
	}
	free(c->items);
}

/* The meta of a document names the request by request_data's own members. */
static int request_of(const cJSON *meta, struct request *ret, struct err *e)
{
	static const char *const KEPT[] = { "location", "occupation", "industry",
					    "experience_level", "education_level" };
	cJSON *o = mem_check(cJSON_CreateObject());
	int year = (int)json_int(meta, "year", 0), r;

	for (size_t i = 0; i < COUNT(KEPT); i++)
		json_set_str(o, KEPT[i], json_str(meta, KEPT[i], ""));
	json_set_str(o, "cache_strategy", json_str(meta, "strategy", "standard"));
	if (year > 0)
		json_set_num(o, "year", year);
	r = request_read(o, ret, e);
	cJSON_Delete(o);
	return r;
}

/* 1 refreshed, 0 nothing better was found, negative: the task ends. */
static int refresh_one(struct run *run, const struct candidate *c, cJSON *warnings, struct err *e)
{
	char id[UUID_SIZE], step[UUID_SIZE + 16];
	bool fallback = false;
	struct request r;
	int code;

	uuid_v5(c->key, strlen(c->key), id);
	snprintf(step, sizeof step, "refresh:%s", id);
	code = run_step_begin(run, step, NULL, e);
	if (code != 0)
		return code;
	code = request_of(c->meta, &r, e);
	if (code == 0) {
		code = fetch_refresh(run, &r, step, &fallback, e);
		request_release(&r);
		if (code < 0)
			return code;
	} else {
		fallback = true;
	}
	if (fallback) {
		char *text = mem_printf("%s was not refreshed: no source answered", c->key);

		cJSON_AddItemToArray(warnings, mem_check(cJSON_CreateString(text)));
		free(text);
	}
	return !fallback;
}

static int refresh_all(struct run *run, const struct candidates *c, size_t budget, cJSON *result,
		       struct err *e)
{
	size_t todo = c->count < budget ? c->count : budget, done = 0;
	cJSON *warnings = mem_check(cJSON_CreateArray());

	json_set(result, "warnings", warnings);
	for (size_t i = 0; i < todo; i++) {
		int r;

		run_progress(run, (int64_t)i, (int64_t)todo, c->items[i].key);
		if (run_cancelled(run))
			return run_cancel_error(run, e);
		r = refresh_one(run, &c->items[i], warnings, e);
		if (r < 0)
			return r;
		done += (size_t)r;
	}
	json_set_num(result, "keys_found", (double)c->count);
	json_set_num(result, "refreshed", (double)done);
	json_set_num(result, "failed", (double)(todo - done));
	json_set_num(result, "remaining", (double)(c->count - todo));
	return 0;
}

int refresh_salary_cache(struct run *run, const cJSON *args, cJSON **ret_result, struct err *e)
{
	const char *pattern = json_str(args, "cache_pattern", CACHEKEY_SALARY ":*");
	int64_t budget = json_int(args, "max_refreshes", DEFAULT_REFRESHES),
		start = clock_mono_us();
	struct candidates c = { .now_s = clock_wall_ms() / 1000 };
	cJSON *result = mem_check(cJSON_CreateObject());
	int r;

	if (budget < 1 || budget > MAX_REFRESHES) {
		cJSON_Delete(result);
		return err_set(e, ERR_INVALID, "max_refreshes must be a whole number from 1 to %d",
			       MAX_REFRESHES);
	}
	json_set_str(result, "status", "success");
	json_set_str(result, "pattern", pattern);
	r = run_redis(run, &c.redis, e);
	if (r >= 0)
		r = keys_walk(c.redis, pattern, add_candidate, &c, e);
	if (c.count > 1)
		qsort(c.items, c.count, sizeof *c.items, by_urgency);
	if (r >= 0)
		r = refresh_all(run, &c, (size_t)budget, result, e);
	candidates_release(&c);
	json_set_num(result, "processing_time_ms", (double)((clock_mono_us() - start) / 1000));
	if (r < 0)
		cJSON_Delete(result);
	else
		*ret_result = result;
	return r < 0 ? r : 0;
}
