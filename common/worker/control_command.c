/* SPDX-License-Identifier: MIT */
/* What Celery's control orders (celery-wire 6.4), but for revokes. */
#include "common/base/err.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/base/scan.h"
#include "common/worker/control_private.h"
#include "common/worker/slot.h"

enum { QUEUE_NAME_MAX = 255 };

static const double LIMIT_MAX_S = 1e9;

static cJSON *null(void)
{
	return mem_check(cJSON_CreateNull());
}

static struct catalog_task *named_task(struct control_job *job)
{
	return catalog_find(&job->w->catalog, json_str(job->call.arguments, "task_name", ""));
}

static int rate_from(const cJSON *v, double *ret, struct err *e)
{
	*ret = 0;
	if (!v || cJSON_IsFalse(v))
		return 0;
	if (cJSON_IsNumber(v)) {
		*ret = v->valuedouble;
		return *ret >= 0 ? 0 : err_set(e, ERR_INVALID, "a rate below 0");
	}
	if (!cJSON_IsString(v))
		return err_set(e, ERR_INVALID, "a rate is a number or a text such as 10/m");
	return scan_rate(v->valuestring, ret, e);
}

static cJSON *rate_limit(struct control_job *job)
{
	struct catalog_task *t = named_task(job);
	struct err e = { 0 };
	double per_s;

	if (rate_from(json_get(job->call.arguments, "rate_limit"), &per_s, &e) < 0)
		return control_error("Invalid rate limit string: ValueError('%s')", e.msg);
	if (!t)
		return control_error("unknown task");
	t->control_rate_per_s = per_s;
	log_info("rate limit of %s set by remote control per_s=%g", t->task->name, per_s);
	return per_s > 0 ? control_ok("new rate limit set successfully") :
	       control_ok("rate limit disabled successfully");
}

/* null: queues.conf and the task table decide again; 0: none. */
static int limit_from(const struct control_job *job, const char *name, int64_t *ret_ms)
{
	double s = -1;

	if (control_number(job, name, 0, LIMIT_MAX_S, &s) < 0)
		return -1;
	*ret_ms = s < 0 ? -1 : (int64_t)(s * 1000 + 0.5);
	return 0;
}

static cJSON *time_limit(struct control_job *job)
{
	struct catalog_task *t = named_task(job);
	int64_t soft_ms, hard_ms;

	if (!t)
		return control_error("unknown task");
	if (limit_from(job, "soft", &soft_ms) < 0 || limit_from(job, "hard", &hard_ms) < 0)
		return control_raise("ValueError", "time limits are seconds, 0 or more");
	t->control_soft_ms = soft_ms;
	t->control_hard_ms = hard_ms;
	log_info("time limits of %s set by remote control soft_ms=%lld hard_ms=%lld",
		 t->task->name, (long long)soft_ms, (long long)hard_ms);
	return control_ok("time limits set successfully");
}

/* As queues.conf or the command line started it: autoscale 4 4 does not end it. */
static bool is_autoscaled(const struct worker *w)
{
	static int is = -1;

	if (is < 0)
		is = w->least < w->most;
	return is;
}

static cJSON *resize(struct control_job *job, int sign)
{
	struct worker *w = job->w;
	int n = 1;

	if (is_autoscaled(w))
		return control_error("pool_%s is not supported with autoscale. Adjust autoscale "
				     "range instead.", sign > 0 ? "grow" : "shrink");
	if (control_whole(job, "n", 1, SLOT_MAX_CHILDREN, &n) < 0)
		return control_raise("ValueError", "n must be a whole number from 1 to %d",
				     SLOT_MAX_CHILDREN);
	if (w->most + sign * n < 1 || w->most + sign * n > SLOT_MAX_CHILDREN)
		return control_raise("ValueError", "a pool has 1 to %d processes, and this one %d",
				     SLOT_MAX_CHILDREN, w->most);
	worker_scale(w, w->most + sign * n, w->most + sign * n);
	return control_ok(sign > 0 ? "pool will grow" : "pool will shrink");
}

static cJSON *pool_grow(struct control_job *job)
{
	return resize(job, 1);
}

static cJSON *pool_shrink(struct control_job *job)
{
	return resize(job, -1);
}

static cJSON *autoscale(struct control_job *job)
{
	struct worker *w = job->w;
	int most = w->most, least = w->least;

	if (!is_autoscaled(w))
		return control_raise("ValueError", "Autoscale not enabled");
	if (control_whole(job, "max", 1, SLOT_MAX_CHILDREN, &most) < 0 ||
	    control_whole(job, "min", 0, SLOT_MAX_CHILDREN, &least) < 0)
		return control_raise("ValueError", "max and min are whole numbers up to %d",
				     SLOT_MAX_CHILDREN);
	if (least < 1)
		least = 1;		/* one is always there to run what comes */
	if (least > most) {
		if (json_get(job->call.arguments, "min"))
			return control_raise("ValueError", "min %d is above max %d", least, most);
		least = most;
	}
	worker_scale(w, least, most);
	return control_ok("autoscale now max=%d min=%d", most, least);
}

static bool is_name(const char *s)
{
	return s && *s && strlen(s) <= QUEUE_NAME_MAX;
}

static cJSON *add_consumer(struct control_job *job)
{
	const cJSON *args = job->call.arguments;
	const char *queue = json_str(args, "queue", NULL);
	const char *exchange = json_str(args, "exchange", NULL);
	const char *type = json_str(args, "exchange_type", NULL);
	const char *key = json_str(args, "routing_key", NULL);

	if (!is_name(queue) || (exchange && strlen(exchange) > QUEUE_NAME_MAX) ||
	    (key && strlen(key) > QUEUE_NAME_MAX))
		return control_raise("ValueError", "queue, exchange and routing_key are names of "
				     "at most %d bytes", QUEUE_NAME_MAX);
	if (type && strcmp(type, "direct") != 0 && strcmp(type, "topic") != 0 &&
	    strcmp(type, "fanout") != 0)
		return control_raise("ValueError", "exchange_type is direct, topic or fanout");
	if (worker_add_queue(job->w, queue, exchange && *exchange ? exchange : NULL, type,
			     key && *key ? key : NULL) < 0)
		return control_raise("ValueError", "a worker consumes from at most %d queues",
				     WORKER_MAX_QUEUES);
	log_info("consuming from %s by remote control", queue);
	return control_ok("add consumer %s", queue);
}

static cJSON *cancel_consumer(struct control_job *job)
{
	const char *queue = json_str(job->call.arguments, "queue", NULL);

	if (!is_name(queue))
		return control_raise("ValueError", "queue is a name of at most %d bytes",
				     QUEUE_NAME_MAX);
	if (worker_cancel_queue(job->w, queue))
		log_info("no longer consuming from %s by remote control", queue);
	return control_ok("no longer consuming from %s", queue);
}

static cJSON *enable_events(struct control_job *job)
{
	return events_switch(job->w, true) ? control_ok("task events enabled") :
	       control_ok("task events already enabled");
}

static cJSON *disable_events(struct control_job *job)
{
	return events_switch(job->w, false) ? control_ok("task events disabled") :
	       control_ok("task events already disabled");
}

static cJSON *heartbeat(struct control_job *job)
{
	events_heartbeat(job->w);
	return null();
}

static cJSON *pool_restart(struct control_job *job)
{
	(void)job;
	return control_raise("ValueError", "Pool restarts not enabled");
}

/* Celery's workers say nothing to it either. */
static cJSON *shutdown_worker(struct control_job *job)
{
	worker_drain(job->w, "remote control");
	control_job_free(job);
	return NULL;
}

/* Elections are gossip's, which no worker of ours takes part in. */
static cJSON *election(struct control_job *job)
{
	(void)job;
	return null();
}

const struct control_method CONTROL_COMMANDS[] = {
	{ "add_consumer", NULL, "queue! exchange exchange_type routing_key **", add_consumer },
	{ "autoscale", NULL, "max min", autoscale },
	{ "cancel_consumer", NULL, "queue! **", cancel_consumer },
	{ "disable_events", NULL, "", disable_events },
	{ "election", NULL, "id! topic! action **", election },
	{ "enable_events", NULL, "", enable_events },
	{ "heartbeat", NULL, "", heartbeat },
	{ "pool_grow", NULL, "n **", pool_grow },
	{ "pool_restart", NULL, "modules reload reloader **", pool_restart },
	{ "pool_shrink", NULL, "n **", pool_shrink },
	{ "rate_limit", NULL, "task_name! rate_limit! **", rate_limit },
	{ "revoke", NULL, "task_id! terminate signal **", control_revoke },
	{ "revoke_by_stamped_headers", NULL, "headers! terminate signal **",
	  control_revoke_stamped },
	{ "shutdown", NULL, "msg **", shutdown_worker },
	{ "terminate", NULL, "signal! task_id! **", control_terminate },
	{ "time_limit", NULL, "task_name hard soft **", time_limit },
	{ 0 },
};
