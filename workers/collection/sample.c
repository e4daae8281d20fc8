/* SPDX-License-Identifier: MIT */
#include "workers/collection/sample.h"

#include "common/base/clock.h"
#include "common/base/err.h"
#include "common/base/json.h"
#include "common/base/mem.h"
#include "common/worker/run.h"
#include "workers/collection/order.h"
#include "workers/collection/raw.h"

#define SAMPLE_FILE "workers/collection/sample.json"

/* Built in, so that the program needs no file beside it. */
__asm__(".section .rodata\n"
	"sample_jsearch:\n"
	".incbin \"" SAMPLE_FILE "\"\n"
	"sample_jsearch_end:\n"
	".byte 0\n"
	".previous\n");
extern const char sample_jsearch[], sample_jsearch_end[];

const char *sample_body(const char *source, size_t *ret_len)
{
	if (strcmp(source, "jsearch") != 0)
		return NULL;
	*ret_len = (size_t)(sample_jsearch_end - sample_jsearch);
	return sample_jsearch;
}

static int count_jobs(const char *body, size_t len)
{
	cJSON *o = NULL;
	int n;

	json_parse(body, len, &o, NULL);
	n = cJSON_GetArraySize(json_get(json_get(o, "data"), "jobs"));
	cJSON_Delete(o);
	return n;
}

static int store(struct run *run, const struct order *order, const struct raw_taken *raw,
		 struct err *e)
{
	char args[UUID_SIZE + 8];
	struct run_enqueue what = { .task = "jobfleet.process_collection", .args = args,
				    .priority = order->priority };
	struct pg *pg;
	int r = run_db(run, &pg, e);

	snprintf(args, sizeof args, "[\"%s\"]", raw->id);
	if (r == 0)
		r = raw_store(pg, raw, e);
	if (r >= 0)
		r = run_enqueue(run, &what, NULL, e);
	return r < 0 ? r : run_step_commit(run, "sample", NULL, e);
}

static cJSON *describe(const struct run *run, const struct order *order, const char *run_id_,
		       int jobs)
{
	cJSON *o = mem_check(cJSON_CreateObject());

	json_set_bool(o, "demo", true);
	json_set_num(o, "response_time_ms", 0);
	json_set_num(o, "job_count", jobs);
	json_set_num(o, "api_calls_used", 0);
	json_set_str(o, "collection_strategy", order->strategy);
	json_set_str(o, "run_id", run_id_);
	json_set_str(o, "task_id", run_id(run));
	return o;
}

int sample_collect(struct run *run, const struct order *order, const char *source,
		   const char *run_id_, char ret_id[37], int *ret_jobs, struct err *e)
{
	char *name = mem_printf("raw sample %s %s", run_id(run), source);
	struct raw_taken raw = { .taken_us = clock_wall_us(), .provider = source, .run_id = run_id_,
			   .content_type = "application/json", .complete = true, .demo = true };
	cJSON *query = mem_check(cJSON_CreateObject()), *metadata;
	int jobs, r;

	uuid_v5(name, strlen(name), raw.id);
	free(name);
	raw.body = sample_body(source, &raw.body_len);
	jobs = raw.body ? count_jobs(raw.body, raw.body_len) : 0;
	metadata = describe(run, order, run_id_, jobs);
	json_set_str(query, "search", order->queries[0]);
	json_set_str(query, "location", order->locations[0]);
	json_set_bool(query, "demo", true);
	raw.query = query;
	raw.metadata = metadata;
	r = raw.body ? run_step_begin(run, "sample", NULL, e) :
		       err_set(e, ERR_NOT_FOUND, "there is no sample data for source %s", source);
	if (r == 0)
		r = store(run, order, &raw, e);
	cJSON_Delete(query);
	cJSON_Delete(metadata);
	if (r < 0)
		return r;
	memcpy(ret_id, raw.id, sizeof raw.id);
	*ret_jobs = jobs;
	return 0;
}
