/* SPDX-License-Identifier: MIT */
#include "common/worker/catalog.h"

#include <sys/random.h>

#include "common/base/mem.h"
#include "common/worker/builtin.h"

enum { BACKOFF_MS = 1000, BACKOFF_MAX_MS = 600000 };

static const char *first_queue(const struct conf *conf, const char *program)
{
	for (size_t i = 0; i < conf->nqueues; i++)
		if (strcmp(conf->queues[i].program, program) == 0)
			return conf->queues[i].name;
	return "";
}

static int64_t either(int64_t configured, int64_t table, int64_t fallback)
{
	return configured != CONF_UNSET ? configured : table ? table : fallback;
}

static bool flag(int configured, bool table)
{
	return configured == CONF_UNSET ? table : configured != 0;
}

static void fill(struct catalog_task *t, const struct conf *conf, const char *program)
{
	static const struct conf_task NOTHING = {
		.queue = "", .priority = CONF_UNSET, .soft_ms = CONF_UNSET, .hard_ms = CONF_UNSET,
		.max_retries = CONF_UNSET, .retry_backoff_ms = CONF_UNSET,
		.retry_backoff_max_ms = CONF_UNSET, .ledger = CONF_UNSET, .redeliver = CONF_UNSET,
		.track_started = CONF_UNSET, .ignore_result = CONF_UNSET,
		.rate_per_s = CONF_UNSET, .rate_burst = 1, .concurrency_key = "",
		.concurrency_limit = 1,
	};
	const struct conf_task *c = conf_task(conf, t->task->name);

	if (!c)
		c = &NOTHING;
	t->queue = *c->queue ? c->queue : t->task->queue ? t->task->queue :
		   first_queue(conf, program);
	t->priority = c->priority;
	t->soft_ms = either(c->soft_ms, t->task->soft_ms, 0);
	t->hard_ms = either(c->hard_ms, t->task->hard_ms, 0);
	t->max_retries = (int)either(c->max_retries, t->task->max_retries, conf->fleet.max_retries);
	if (t->max_retries < 0)
		t->max_retries = 0;
	t->backoff_ms = either(c->retry_backoff_ms, t->task->retry_backoff_ms, BACKOFF_MS);
	t->backoff_max_ms = either(c->retry_backoff_max_ms, t->task->retry_backoff_max_ms,
				   BACKOFF_MAX_MS);
	t->backoff_fixed = c->retry_fixed;
	t->retry_on = c->retry_on;
	t->ledger = flag(c->ledger, !t->task->no_ledger);
	t->redeliver = flag(c->redeliver, !t->task->no_redeliver);
	t->ignore_result = flag(c->ignore_result, t->task->ignore_result);
	t->track_started = flag(c->track_started, t->task->track_started);
	t->rate_per_s = c->rate_per_s > 0 ? c->rate_per_s : 0;
	t->rate_at_fetch = c->rate_at_fetch;
	t->rate_per_worker = c->rate_per_worker;
	t->rate_burst = c->rate_burst;
	t->concurrency_key = c->concurrency_key;
	t->concurrency_limit = c->concurrency_limit;
}

void catalog_init(struct catalog *c, const struct conf *conf, const char *program,
		  const struct task *tasks, size_t n)
{
	c->n = n + BUILTIN_COUNT;
	c->tasks = mem_zalloc(c->n * sizeof *c->tasks);
	for (size_t i = 0; i < c->n; i++) {
		struct catalog_task *t = &c->tasks[i];

		t->builtin = i >= n;
		t->task = t->builtin ? &BUILTIN_TASKS[i - n] : &tasks[i];
		fill(t, conf, program);
		if (t->builtin && !conf_route(conf, t->task->name))
			t->queue = "";	/* where its caller sends it */
		t->control_soft_ms = t->control_hard_ms = -1;
		t->control_rate_per_s = -1;
	}
}

void catalog_inherit(struct catalog *c, const struct catalog *old)
{
	for (size_t i = 0; i < c->n; i++) {
		const struct catalog_task *was = catalog_find(old, c->tasks[i].task->name);

		if (!was)
			continue;
		c->tasks[i].control_soft_ms = was->control_soft_ms;
		c->tasks[i].control_hard_ms = was->control_hard_ms;
		c->tasks[i].control_rate_per_s = was->control_rate_per_s;
		c->tasks[i].rate_stamp = was->rate_stamp;
		c->tasks[i].rate_known = was->rate_known;
		c->tasks[i].done = was->done;
		c->tasks[i].run_us = was->run_us;
	}
}

int64_t catalog_soft_ms(const struct catalog_task *t)
{
	return t->control_soft_ms >= 0 ? t->control_soft_ms : t->soft_ms;
}

int64_t catalog_hard_ms(const struct catalog_task *t)
{
	return t->control_hard_ms >= 0 ? t->control_hard_ms : t->hard_ms;
}

double catalog_rate(const struct catalog_task *t)
{
	return t->control_rate_per_s >= 0 ? t->control_rate_per_s : t->rate_per_s;
}

void catalog_release(struct catalog *c)
{
	free(c->tasks);
	*c = (struct catalog){ 0 };
}

struct catalog_task *catalog_find(const struct catalog *c, const char *name)
{
	for (size_t i = 0; i < c->n; i++)
		if (strcmp(c->tasks[i].task->name, name) == 0)
			return &c->tasks[i];
	return NULL;
}

int64_t catalog_backoff_ms(const struct catalog_task *t, int retries, int64_t retry_after_ms)
{
	int64_t most = t->backoff_ms, wait;
	uint32_t random = 0;

	for (int i = 0; i < retries && most < t->backoff_max_ms; i++)
		most *= 2;
	if (most > t->backoff_max_ms)
		most = t->backoff_max_ms;
	if (getrandom(&random, sizeof random, 0) < 0)
		random = 1u << 31;
	wait = t->backoff_fixed ? t->backoff_ms : (int64_t)((double)most * random / UINT32_MAX);
	return wait > retry_after_ms ? wait : retry_after_ms;
}
