/* SPDX-License-Identifier: MIT */
#include "workers/ctl/await.h"

#include <poll.h>

#include "common/base/clock.h"
#include "common/base/err.h"
#include "common/base/mem.h"
#include "common/store/redis.h"
#include "workers/ctl/meta.h"

enum { CALL_MS = 5000, LOOK_MS = 1000, REOPEN_MS = 300 };

struct await {
	const char *url;
	char *key;		/* of the value and of the channel */
	struct redis *listen, *ask;	/* a subscribed connection answers no GET */
};

static void hang_up(struct await *a)
{
	redis_close(a->listen);
	redis_close(a->ask);
	a->listen = a->ask = NULL;
}

static int connect_both(struct await *a, struct err *e)
{
	int r = redis_open(&a->listen, a->url, CALL_MS, e);

	if (r == 0)
		r = redis_open(&a->ask, a->url, CALL_MS, e);
	if (r == 0)
		r = redis_cmd(a->listen, NULL, e, "SUBSCRIBE", a->key, NULL);
	if (r < 0)
		hang_up(a);
	return r;
}

int await_open(struct await **ret, const char *redis_url, const char *task_id, struct err *e)
{
	struct await *a = mem_zalloc(sizeof *a);
	int r;

	a->url = redis_url;
	a->key = mem_printf("celery-task-meta-%s", task_id);
	r = connect_both(a, e);
	if (r < 0)
		await_close(a);
	else
		*ret = a;
	return r;
}

void await_close(struct await *a)
{
	if (!a)
		return;
	hang_up(a);
	free(a->key);
	free(a);
}

int await_look(struct await *a, struct meta *ret, struct err *e)
{
	struct redis_reply *reply = NULL;
	int r = redis_cmd(a->ask, &reply, e, "GET", a->key, NULL);

	if (r == 0 && reply->type == REDIS_STRING) {
		r = meta_parse(ret, reply->str, reply->len, e);
		if (r == 0)
			r = 1;
	}
	redis_reply_free(reply);
	return r;
}

/* A message to our channel: 1 = *ret filled, 0 = none in timeout_ms. */
static int hear(struct await *a, int timeout_ms, struct meta *ret, struct err *e)
{
	struct redis_reply *reply = NULL;
	int r = redis_wait(a->listen, timeout_ms, &reply, e);

	if (r == 1) {
		r = 0;
		if (reply->type == REDIS_ARRAY && reply->nitems == 3 &&
		    reply->items[2]->type == REDIS_STRING &&
		    meta_parse(ret, reply->items[2]->str, reply->items[2]->len, e) == 0)
			r = 1;
	}
	redis_reply_free(reply);
	return r;
}

/* What was seen last, unless it is final: 1 = final and kept in *m, 0 = told and released. */
static int pass_on(struct meta *m, void (*seen)(void *ctx, const struct meta *m), void *ctx)
{
	if (m->final)
		return 1;
	if (seen)
		seen(ctx, m);
	meta_release(m);
	return 0;
}

/* A look, then a message or the next second: 1 = *ret is final, 0 = not yet. */
static int one_round(struct await *a, int wait_ms, void (*seen)(void *ctx, const struct meta *m),
		     void *ctx, struct meta *ret, struct err *e)
{
	int r = await_look(a, ret, e);

	if (r == 1)
		r = pass_on(ret, seen, ctx);
	if (r == 0) {
		r = hear(a, wait_ms, ret, e);
		if (r == 1)
			r = pass_on(ret, seen, ctx);
	}
	return r;
}

int await_final(struct await *a, int64_t deadline_ms, void (*seen)(void *ctx, const struct meta *m),
		void *ctx, struct meta *ret, struct err *e)
{
	for (;;) {
		int64_t left = deadline_ms ? deadline_ms - clock_mono_ms() : LOOK_MS;
		int r = a->ask ? 0 : connect_both(a, e);

		if (r == 0)
			r = one_round(a,
				      (int)(left < 0		     ? 0
						    : left < LOOK_MS ? left
								     : LOOK_MS),
				      seen, ctx, ret, e);
		if (r == 1 || (r < 0 && !err_is_transient(e->code)))
			return r;
		if (deadline_ms && clock_mono_ms() >= deadline_ms)
			return 0;
		if (r < 0) {
			hang_up(a);
			poll(NULL, 0, REOPEN_MS);
		}
	}
}
