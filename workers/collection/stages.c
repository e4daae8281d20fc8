/* SPDX-License-Identifier: MIT */
#include "workers/collection/stages.h"

#include <time.h>

#include "common/base/buf.h"
#include "common/base/clock.h"
#include "common/base/err.h"
#include "common/base/fault.h"
#include "common/base/json.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/store/pg.h"
#include "common/worker/run.h"
#include "workers/collection/collect.h"
#include "workers/collection/order.h"

enum { LOOK_MS = 250, STAY_MS = 4000, COME_BACK_MS = 2000, IDS_BYTES = 1 << 20 };

/* What of the pages was collected, once: a run that comes back finds it. */
static int collect_once(struct run *run, const cJSON *args, cJSON **ret, struct err *e)
{
	struct order order;
	cJSON *saved = NULL;
	int r = order_read(&order, args, e);

	if (r < 0)
		return r;
	r = run_step_begin(run, "collected", &saved, e);
	if (r == 0) {
		int64_t start_us = clock_wall_us();

		r = collect_order(run, &order, run_id(run), &saved, e);
		if (r < 0)
			return r;
		json_set_num(saved, "started_us", (double)start_us);
		r = run_step_commit(run, "collected", saved, e);
		FAULT_POINT("collection.collected");
	}
	if (r < 0) {
		cJSON_Delete(saved);
		return r;
	}
	*ret = saved;
	return 0;
}

static char *id_array(const cJSON *ids)
{
	const cJSON *id;
	struct buf b;

	buf_init(&b, IDS_BYTES);
	buf_putc(&b, '{');
	cJSON_ArrayForEach(id, ids) {
		if (cJSON_IsString(id))
			buf_printf(&b, "%s%s", b.len > 1 ? "," : "", id->valuestring);
	}
	buf_putc(&b, '}');
	return buf_take(&b);
}

static int look(struct run *run, const char *ids, cJSON **ret, struct err *e)
{
	struct pg_rows *rows = NULL;
	struct pg *pg;
	int64_t n = run_db_read(run, &pg, e);

	if (n == 0)
		n = pg_run(pg, "SELECT jobfleet.pipeline_state($1, $2::uuid[])",
			   PG_PARAMS(PG_TEXT(run_id(run)), PG_TEXT(ids)), &rows, e);
	if (n > 0)
		n = json_parse(pg_text(rows, 0, 0), strlen(pg_text(rows, 0, 0)), ret, e);
	pg_rows_free(rows);
	return n < 0 ? (int)n : 0;
}

static void show(struct run *run, const cJSON *state)
{
	int64_t collected = json_int(state, "collected", 0), loaded = json_int(state, "loaded", 0),
		duplicates = json_int(state, "duplicates", 0),
		refused = json_int(state, "refused", 0);
	char *text = mem_printf("run %s: collected %lld, processed %lld, refused %lld, loaded %lld,"
				" duplicates %lld", run_id(run), (long long)collected,
				(long long)json_int(state, "processed", 0), (long long)refused,
				(long long)loaded, (long long)duplicates);

	run_progress(run, loaded + duplicates + refused, collected, text);
	free(text);
}

static int nap(struct run *run, struct err *e)
{
	const struct timespec t = { .tv_nsec = LOOK_MS * 1000000L };

	if (run_cancelled(run))
		return run_cancel_error(run, e);
	nanosleep(&t, NULL);
	return 0;
}

/* 1 = nothing waits, 0 = something does still; *ret is how it stands. */
static int follow(struct run *run, const char *ids, cJSON **ret, struct err *e)
{
	int64_t end = clock_mono_ms() + STAY_MS;
	cJSON *state = NULL;
	int r;

	for (;;) {
		cJSON_Delete(state);
		state = NULL;
		if ((r = look(run, ids, &state, e)) < 0)
			return r;
		show(run, state);
		r = json_int(state, "answers_waiting", 0) == 0;
		if (r == 1 || clock_mono_ms() >= end)
			break;
		if ((r = nap(run, e)) < 0) {
			cJSON_Delete(state);
			return r;
		}
	}
	*ret = state;
	return r;
}

static const char *status_of(const cJSON *collected, const cJSON *state, bool over)
{
	if (!over || cJSON_GetArraySize(json_get(state, "dead_letters")) > 0)
		return "partial";
	return json_str(collected, "status", "success");
}

/* The collection's answer with the state's members over it. */
static cJSON *result_of(const cJSON *collected, const cJSON *state, bool over)
{
	cJSON *o = cJSON_Duplicate(collected, true);
	const cJSON *refusals = json_get(collected, "errors"), *item;
	int64_t start_us = json_int(collected, "started_us", 0);

	cJSON_DeleteItemFromObject(o, "started_us");
	if (refusals)
		json_set(o, "refused_questions", cJSON_Duplicate(refusals, true));
	cJSON_ArrayForEach(item, state) {
		if (strcmp(item->string, "answers_waiting") != 0)
			json_set(o, item->string, cJSON_Duplicate(item, true));
	}
	json_set_str(o, "status", status_of(collected, state, over));
	json_set_num(cJSON_GetObjectItemCaseSensitive(o, "timings"), "all_s",
		     (double)((clock_wall_us() - start_us) / 1000) / 1000);
	if (!over)
		json_set_str(o, "reason", "processing and loading have not ended in time");
	return o;
}

static int come_back(struct err *e)
{
	err_set(e, ERR_LIMITED, "processing and loading go on");
	e->retry_after_ms = COME_BACK_MS;
	return -ERR_LIMITED;
}

int stages_run(struct run *run, const cJSON *args, cJSON **ret_result, struct err *e)
{
	cJSON *collected = NULL, *state = NULL;
	int r = collect_once(run, args, &collected, e);
	int64_t start_us;
	char *ids;

	if (r < 0)
		return r;
	start_us = json_int(collected, "started_us", 0);
	ids = id_array(json_get(collected, "collection_ids"));
	r = follow(run, ids, &state, e);
	free(ids);
	if (r == 0 && clock_wall_us() - start_us < STAGES_MAX_S * 1000000LL) {
		r = come_back(e);
	} else if (r >= 0) {
		*ret_result = result_of(collected, state, r == 1);
		log_info("pipeline ended run_id=%s outcome=%s loaded=%lld duplicates=%lld"
			 " refused=%lld", run_id(run), json_str(*ret_result, "status", ""),
			 (long long)json_int(state, "loaded", 0),
			 (long long)json_int(state, "duplicates", 0),
			 (long long)json_int(state, "refused", 0));
		r = 0;
	}
	cJSON_Delete(collected);
	cJSON_Delete(state);
	return r;
}
