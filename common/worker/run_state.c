/* SPDX-License-Identifier: MIT */
/* A run's state as its client sees it (celery-wire 2.2 and 2.4). */
#include "common/base/err.h"
#include "common/base/json.h"
#include "common/store/redis.h"
#include "common/store/result.h"
#include "common/worker/run_private.h"

enum { STATE_MAX = 32 << 20 };

static char *header_text(const struct run *run, const char *name)
{
	cJSON *v = message_header(run->message, name);
	char *text = v && !cJSON_IsNull(v) ? json_print(v) : NULL;

	cJSON_Delete(v);
	return text;
}

static int print_extended(struct run *run, const struct result *plain, struct buf *out,
			  struct err *e)
{
	bool readable = run_load(run, NULL) >= 0;
	char *names = header_text(run, "stamped_headers"), *stamps = header_text(run, "stamps");
	struct result_extra extra = {
		.name = run->task->task->name, .worker = run->node, .queue = run->queue,
		.args = readable ? run->args_text : NULL,
		.kwargs = readable ? run->kwargs_text : NULL,
		.stamped_headers = names, .stamps = stamps,
	};
	struct result r = *plain;
	int rc;

	r.extra = &extra;
	rc = result_print(out, &r, e);
	free(names);
	free(stamps);
	return rc;
}

int run_print_state(struct run *run, const char *status, const char *json, const char *traceback,
		    struct buf *out, struct err *e)
{
	const struct result r = {
		.task_id = run->id, .status = status, .json = json, .traceback = traceback,
		.group_id = run->message ? run->message->group : NULL,
		.parent_id = run->message ? run->message->parent_id : NULL,
		.children = run->children.len ? buf_text(&run->children) : NULL,
		.generation = run->key.generation, .retries = run->key.retries,
	};

	return run->message && run->stores->conf->fleet.result_extended ?
	       print_extended(run, &r, out, e) : result_print(out, &r, e);
}

void run_show_state(struct run *run, const char *status, const char *json)
{
	struct redis *redis;
	struct buf meta;

	if (!run->message || run->message->ignore_result || run->task->ignore_result)
		return;
	buf_init(&meta, STATE_MAX);
	if (run_print_state(run, status, json, NULL, &meta, NULL) == 0 &&
	    stores_redis(run->stores, &redis, NULL) >= 0)
		result_store(redis, run->id, meta.data, run->key.generation, run->key.retries,
			     run->stores->conf->fleet.result_expires_s, NULL);
	buf_release(&meta);
}
