/* SPDX-License-Identifier: MIT */
#include "workers/collection/fetch.h"

#include <sys/random.h>

#include "common/base/clock.h"
#include "common/base/conf.h"
#include "common/base/err.h"
#include "common/base/mem.h"
#include "common/net/http.h"
#include "common/store/limiter.h"
#include "common/store/quota.h"
#include "common/worker/run.h"
#include "sources/source.h"

enum {
	DEFAULT_PER_MINUTE = 60,
	BURST = 5,
	SLOT_WAIT_MS = 10000,
	NAP_MS = 100,
	BACKOFF_MAX_MS = 300000,
	DOUBLINGS = 3,
	TIMEOUT_MAX_MS = 240000,
};

static int64_t jitter_ms(int64_t most)
{
	uint32_t n = 0;

	if (getrandom(&n, sizeof n, 0) < 0)
		return most / 2;
	return (int64_t)(n % (uint32_t)(most + 1));
}

int64_t fetch_backoff_ms(int attempt)
{
	int64_t ms = attempt < 9 ? (1000LL << attempt) + jitter_ms(1000) : BACKOFF_MAX_MS;

	return ms < BACKOFF_MAX_MS ? ms : BACKOFF_MAX_MS;
}

/* Waits until a slot's time has come; cancellation ends it. */
static int wait_ms(struct run *run, int64_t ms, struct err *e)
{
	int64_t end = clock_mono_ms() + ms, left;

	while ((left = end - clock_mono_ms()) > 0) {
		int64_t nap = left < NAP_MS ? left : NAP_MS;
		struct timespec t = { .tv_nsec = nap * 1000000 };

		if (run_cancelled(run))
			return run_cancel_error(run, e);
		nanosleep(&t, NULL);
	}
	return 0;
}

/* ETL_REQUESTS_PER_MINUTE is set in the environment, which wins over a source's rate in the file;
 * left at its default it says nothing. */
static double rate_of(const struct conf_source *conf, const struct conf_fleet *fleet)
{
	return fleet->requests_per_minute == DEFAULT_PER_MINUTE ? conf->rate_per_s :
								  fleet->requests_per_minute / 60.0;
}

static int take_slot(struct run *run, const struct conf_source *conf, struct err *e)
{
	const struct conf_fleet *fleet = &run_conf(run)->fleet;
	double rate = rate_of(conf, fleet);
	char *name = mem_printf("source:%s", conf->name);
	struct redis *redis = NULL;
	int64_t wait = 0;
	enum limiter_answer answer;

	if (run_redis(run, &redis, NULL) < 0)
		redis = NULL;
	answer = limiter_take(redis, fleet->redis_prefix, name, rate, BURST, SLOT_WAIT_MS, &wait,
			      NULL);
	free(name);
	if (answer == LIMITER_TAKEN)
		return wait_ms(run, wait, e);
	err_set(e, ERR_LIMITED, "source %s: no slot of its rate within %d s", conf->name,
		SLOT_WAIT_MS / 1000);
	e->retry_after_ms = wait + jitter_ms(1000);
	return -ERR_LIMITED;
}

static int64_t timeout_ms(struct run *run, const struct conf_source *conf)
{
	int retries = run_retries(run), doublings = retries < DOUBLINGS ? retries : DOUBLINGS;
	int64_t ms = conf->timeout_ms << doublings, left = run_left_ms(run);

	if (ms > TIMEOUT_MAX_MS && conf->timeout_ms < TIMEOUT_MAX_MS)
		ms = TIMEOUT_MAX_MS;
	return ms < left ? ms : left > 1 ? left : 1;
}

static int perform(struct run *run, const struct conf_source *conf,
		   const struct source_request *req, struct http_response *ret, bool *ret_called,
		   struct err *e)
{
	struct http_request http_req = {
		.account = conf->name,
		.url = buf_text(&req->url), .headers = (const char *const *)req->headers,
		.timeout_ms = timeout_ms(run, conf), .max_bytes = conf->max_response_bytes,
		.method = req->body.len ? "POST" : "GET", .body = req->body.data,
		.body_len = req->body.len,
		.once = conf->daily_quota > 0 || conf->monthly_quota > 0,
	};
	struct http *http;
	struct pg *pg;
	int r = run_http(run, &http, e);

	if (r == 0) {
		*ret_called = true;
		r = http_perform(http, &http_req, ret, e);
	}
	if (r == -ERR_CANCELLED && run_cancelled(run))
		return run_cancel_error(run, e);
	if (r == -ERR_NET || r == -ERR_TIMEOUT) {
		e->retry_after_ms = fetch_backoff_ms(run_retries(run));
		/* What the breaker misses now it learns from the next failure. */
		if (run_db_read(run, &pg, NULL) == 0)
			quota_failed(pg, conf->name, NULL);
	}
	return r;
}

int fetch_call(struct run *run, const struct conf_source *conf, const struct source_request *req,
	       struct http_response *ret, bool *ret_called, struct err *e)
{
	struct pg *pg;
	int r = take_slot(run, conf, e);

	if (r == 0)
		r = run_db_read(run, &pg, e);
	if (r == 0)
		r = quota_take(pg, conf, req->credits, e);
	if (r == -ERR_AGAIN) {	/* no fault of this task, so no retry of its own */
		e->code = ERR_LIMITED;
		e->retry_after_ms += jitter_ms(1000);
		return -ERR_LIMITED;
	}
	return r < 0 ? r : perform(run, conf, req, ret, ret_called, e);
}

int fetch_note(struct run *run, const struct conf_source *conf, const struct source *source,
	       const struct http_response *r, enum source_class class, struct err *e)
{
	enum quota_period period =
		conf->daily_quota && !conf->monthly_quota ? QUOTA_DAY : QUOTA_MONTH;
	struct source_quota quota = { .limit = -1 };
	struct pg *pg;
	int ret = run_db_read(run, &pg, e);

	if (ret < 0)
		return ret;
	if (source->read_quota)
		source->read_quota(r, &quota);
	if (quota.limit >= 0)
		ret = quota_correct(pg, conf, period, quota.limit, quota.remaining, quota.reset_s,
				    e);
	if (ret < 0 && ret != -ERR_PROTOCOL)
		return ret;
	/* Too fast says nothing about health, and must not end the wait that it causes. */
	if (class == SOURCE_LIMITED)
		return 0;
	return class == SOURCE_RETRY ? quota_failed(pg, conf->name, e) :
				       quota_succeeded(pg, conf->name, e);
}
