/* SPDX-License-Identifier: MIT */
#include "workers/salary/ask.h"

#include "common/base/clock.h"
#include "common/base/conf.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/store/limiter.h"
#include "common/store/pg.h"
#include "common/store/quota.h"
#include "common/worker/run.h"
#include "workers/salary/bls.h"
#include "workers/salary/question.h"
#include "workers/salary/shelf.h"

#define URL_MAX 4096
#define MAX_BYTES (32 << 20)
#define KEY_MISSING "provider_key_missing"
/* A slow source (FRED: ours is half of its 120 a minute) takes the few calls of some answers at
 * once; at several a second the rate is the source's own bound (BLS: 50 in 10 s) and leaves no
 * room. */
#define SLOW_RATE 1.0
#define BURST_SLOW 20
#define BURST_FAST 1
#define SLOT_WAIT_MS 20000
#define REFUSED_S 3600			/* a new key is noticed within the hour */
#define LIMITED_S 20			/* "too fast", from a source that does not say for how long */

/* Sources that take fewer calls a day from who has no key than queues.conf says of who has one. */
static const struct {
	const char *source;
	int calls;
} WITHOUT_KEY[] = { { "bls", BLS_DAILY_NO_KEY } };

static struct shelf *stand_in;

void ask_from(struct shelf *s)
{
	stand_in = s;
}

bool ask_is_from_shelf(void)
{
	return stand_in != NULL;
}

int ask_shelf(const struct ask *what, struct http_response *ret, struct err *e)
{
	return question_answer(stand_in, what, ret, e);
}

const struct conf_source *ask_source(struct run *run, const char *source)
{
	const struct conf_source *s = conf_source(run_conf(run), source);

	return s && s->enabled && *s->base_url ? s : NULL;
}

const char *ask_key(struct run *run, const char *source)
{
	const struct conf_source *s = conf_source(run_conf(run), source);

	return s && *s->key_variable ? conf_secret(s->key_variable) : NULL;
}

/* Outside of development a source without its key is an operator's matter: parked, with an alert,
 * until the key is there. */
static int refuse_without_key(struct run *run, const struct conf_source *s, struct err *e)
{
	char text[160];
	struct pg *pg;

	snprintf(text, sizeof text, "%s needs a key: set %s", s->name, s->key_variable);
	if (!run_conf(run)->fleet.development &&
	    (run_db_read(run, &pg, e) < 0 ||
	     quota_park(pg, s->name, QUOTA_FOR_EVER, KEY_MISSING, text, e) < 0))
		return -(int)e->code;
	return err_set(e, ERR_PARKED, "%s", text);
}

int ask_may(struct run *run, const char *source, struct err *e)
{
	const struct conf_source *s = ask_source(run, source);
	int r = stand_in ? shelf_trouble(stand_in, source, e) : 0;

	if (!s)
		return err_set(e, ERR_PARKED, "%s is not enabled in queues.conf", source);
	if (r < 0 || !s->key_required || ask_key(run, source))
		return r;
	r = refuse_without_key(run, s, e);
	if (stand_in)
		shelf_set_trouble(stand_in, source, r, e->msg);	/* once is enough */
	return r;
}

/* What is free of charge is not asked either while the source is parked. */
static int take_quota(struct run *run, struct pg *pg, const struct conf_source *s, int calls,
		      struct err *e)
{
	struct conf_source bound = *s;

	for (size_t i = 0; i < COUNT(WITHOUT_KEY); i++)
		if (strcmp(WITHOUT_KEY[i].source, s->name) == 0 && !ask_key(run, s->name) &&
		    (bound.daily_quota == 0 || bound.daily_quota > WITHOUT_KEY[i].calls))
			bound.daily_quota = WITHOUT_KEY[i].calls;
	return quota_take(pg, &bound, calls, e);
}

/* The source's own rate, shared by the fleet: the slot is reserved, so waiting for it is enough. */
static int take_slot(struct run *run, const struct conf_source *s, int64_t max_wait_ms,
		     int64_t *ret_wait_ms, struct err *e)
{
	const struct conf_fleet *fleet = &run_conf(run)->fleet;
	struct redis *redis = NULL;
	char name[96];

	snprintf(name, sizeof name, "source:%.80s", s->name);
	if (run_redis(run, &redis, NULL) < 0)
		redis = NULL;
	if (limiter_take(redis, fleet->redis_prefix, name, s->rate_per_s,
			 s->rate_per_s <= SLOW_RATE ? BURST_SLOW : BURST_FAST, max_wait_ms,
			 ret_wait_ms, NULL) == LIMITER_TAKEN)
		return 0;
	return err_set(e, ERR_LIMITED, "%s: no slot of its rate within %.1f s", s->name,
		       (double)max_wait_ms / 1000);
}

int ask_leave(struct run *run, const struct ask *what, int64_t max_wait_ms, int64_t *ret_wait_ms,
	      struct err *e)
{
	const struct conf_source *s = conf_source(run_conf(run), what->source);
	struct pg *pg;
	int r = run_db_read(run, &pg, e);

	if (r >= 0 && s->key_required)
		r = quota_unpark(pg, s->name, KEY_MISSING, e);
	if (r >= 0)
		r = take_quota(run, pg, s, what->free_of_charge ? 0 : 1, e);
	if (r < 0)
		return r;
	if (max_wait_ms > SLOT_WAIT_MS)
		max_wait_ms = SLOT_WAIT_MS;
	return take_slot(run, s, max_wait_ms, ret_wait_ms, e);
}

static int put_url(struct run *run, const struct conf_source *s, const struct ask *what,
		   struct buf *url, struct err *e)
{
	const char *key = what->key_parameter ? ask_key(run, s->name) : NULL;
	size_t n = strlen(s->base_url);

	while (n > 0 && s->base_url[n - 1] == '/')
		n--;
	buf_init(url, URL_MAX);
	buf_append(url, s->base_url, n);
	buf_puts(url, what->path);
	if (key)
		http_put_query(url, what->key_parameter, key);
	return buf_overflowed(url) ? err_set(e, ERR_TOO_BIG, "%s: URL is too long", s->name) : 0;
}

int ask_request(struct run *run, const struct ask *what, struct buf *url,
		const char *headers[ASK_HEADERS], struct http_request *ret, struct err *e)
{
	const struct conf_source *s = conf_source(run_conf(run), what->source);
	size_t n = 0;
	int r = put_url(run, s, what, url, e);

	headers[n++] = "Accept: application/json";
	if (what->body)
		headers[n++] = "Content-Type: application/json";
	for (const char *const *p = what->headers; p && *p && n + 1 < ASK_HEADERS; p++)
		headers[n++] = *p;
	headers[n] = NULL;
	*ret = (struct http_request){
		.account = s->name,
		.method = what->method,
		.url = buf_text(url),
		.headers = headers,
		.body = what->body,
		.body_len = what->body_len,
		.timeout_ms = s->timeout_ms,
		.max_bytes = s->max_response_bytes < MAX_BYTES ? s->max_response_bytes : MAX_BYTES,
		.once = s->daily_quota > 0 || s->monthly_quota > 0,
	};
	return r;
}

/* One try. */
static int perform(struct run *run, const struct ask *what, struct http_call *call, struct err *e)
{
	struct http *http;
	int r = ask_leave(run, what, SLOT_WAIT_MS, &call->delay_ms, e);

	if (r >= 0)
		r = run_http(run, &http, e);
	if (r < 0)
		return r;
	http_begin(http, call);
	while (http_next(http) != call)
		;
	if (call->code == 0 && !call->response.complete) {
		http_response_release(&call->response);
		call->code = err_set(&call->err, ERR_NET, "the answer was cut off");
	}
	if (call->code < 0 && e) {
		*e = call->err;
		err_prefix(e, "%s", what->source);
	}
	return call->code;
}

/* A fault of the network is worth another call, if one may be made. */
static int perform_twice(struct run *run, const struct ask *what, struct http_call *call,
			 struct err *e)
{
	int r = perform(run, what, call, e), again;
	struct err second;

	if ((r != -ERR_NET && r != -ERR_TIMEOUT) || call->code == 0 || run_cancelled(run))
		return r;
	again = perform(run, what, call, &second);
	if (again < 0 && again != call->code)
		return r;
	if (again < 0 && e)
		*e = second;
	return again;
}

int ask_call(struct run *run, const struct ask *what, struct http_response *ret, struct err *e)
{
	const char *headers[ASK_HEADERS];
	struct http_call call = { 0 };
	struct buf url;
	int r = ask_may(run, what->source, e);

	if (r >= 0 && stand_in)
		return ask_shelf(what, ret, e);
	if (r < 0)
		return r;
	r = ask_request(run, what, &url, headers, &call.request, e);
	if (r == 0)
		r = perform_twice(run, what, &call, e);
	buf_release(&url);
	if (call.code < 0)
		ask_settle(run, what->source, call.code, &call.err);
	if (r == 0)
		*ret = call.response;
	return r;
}

static int64_t wait_s(const struct err *verdict, int64_t otherwise)
{
	return verdict->retry_after_ms > 0 ? (verdict->retry_after_ms + 999) / 1000 : otherwise;
}

void ask_settle(struct run *run, const char *source, int code, const struct err *verdict)
{
	struct err e;
	struct pg *pg;
	int r = stand_in ? -ERR_PARKED : run_db_read(run, &pg, &e);

	if (r < 0 || code == -ERR_CANCELLED || code == -ERR_DB)
		return;
	if (code == -ERR_QUOTA)
		r = quota_park(pg, source, wait_s(verdict, REFUSED_S), "quota_used_up",
			       verdict->msg, &e);
	else if (code == -ERR_REFUSED)
		r = quota_park(pg, source, REFUSED_S, "provider_key_refused", verdict->msg, &e);
	else if (code == -ERR_LIMITED || code == -ERR_AGAIN)
		r = quota_limited(pg, source, wait_s(verdict, LIMITED_S), verdict->msg, NULL, &e);
	else if (code == -ERR_HTTP || code == -ERR_NET || code == -ERR_TIMEOUT ||
		 code == -ERR_TOO_BIG)
		r = quota_failed(pg, source, &e);
	else
		r = quota_succeeded(pg, source, &e);
	if (r < 0)
		log_warn("state of source %s not kept: %s", source, e.msg);
}
