/* SPDX-License-Identifier: MIT */
#include "workers/salary/ask.h"

#include "common/base/clock.h"
#include "common/base/conf.h"
#include "common/base/err.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/store/limiter.h"
#include "common/store/pg.h"
#include "common/store/quota.h"
#include "common/worker/run.h"
#include "workers/salary/question.h"
#include "workers/salary/shelf.h"

#define URL_MAX 4096
#define MAX_BYTES (32 << 20)
#define TRIES 2
#define KEY_MISSING "provider_key_missing"
/* A slow source (FRED: ours is half of its 120 a minute) takes the few calls of some answers at
 * once; at several a second the rate is the source's own bound (BLS: 50 in 10 s) and leaves no
 * room. */
#define SLOW_RATE 1.0
#define BURST_SLOW 20
#define BURST_FAST 1
#define SLOT_WAIT_MS 20000
#define NAP_MS 100
#define REFUSED_S 3600			/* a new key is noticed within the hour */

static struct shelf *stand_in;

void ask_from(struct shelf *s)
{
	stand_in = s;
}

static const struct conf_source *find_source(struct run *run, const char *name, struct err *e)
{
	const struct conf_source *s = conf_source(run_conf(run), name);

	if (!s || !s->enabled || !*s->base_url) {
		err_set(e, ERR_PARKED, "%s is not enabled in queues.conf", name);
		return NULL;
	}
	return s;
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
	const struct conf_source *s = find_source(run, source, e);
	int r = stand_in ? shelf_trouble(stand_in, source, e) : 0;

	if (!s || r < 0)
		return s ? r : -ERR_PARKED;
	if (!s->key_required || ask_key(run, source))
		return 0;
	r = refuse_without_key(run, s, e);
	if (stand_in)
		shelf_set_trouble(stand_in, source, r, e->msg);	/* once is enough */
	return r;
}

static int put_url(const struct conf_source *s, const struct ask *what, const char *key,
		   struct buf *url, struct err *e)
{
	size_t n = strlen(s->base_url);

	while (n > 0 && s->base_url[n - 1] == '/')
		n--;
	buf_append(url, s->base_url, n);
	buf_puts(url, what->path);
	if (key && what->key_parameter) {
		buf_puts(url, strchr(what->path, '?') ? "&" : "?");
		http_put_query(url, what->key_parameter, key);
	}
	return buf_overflowed(url) ? err_set(e, ERR_TOO_BIG, "%s: URL is too long", s->name) : 0;
}

static bool is_worth_repeating(int r)
{
	return r == -ERR_NET || r == -ERR_TIMEOUT;
}

static int perform(struct run *run, const struct conf_source *s, const struct ask *what,
		   const char *url, struct http_response *ret, struct err *e)
{
	static const char *const HEADERS[] = { "Content-Type: application/json",
					       "Accept: application/json", NULL };
	struct http_request req = {
		.method = what->method, .url = url, .headers = what->body ? HEADERS : HEADERS + 1,
		.body = what->body, .body_len = what->body_len, .timeout_ms = s->timeout_ms,
		.max_bytes = s->max_response_bytes < MAX_BYTES ? s->max_response_bytes : MAX_BYTES,
	};
	struct http *http;
	int r = run_http(run, &http, e);

	for (int i = 0; r >= 0 && i < TRIES; i++) {
		r = http_perform(http, &req, ret, e);
		if (r >= 0 && !ret->complete) {
			http_response_release(ret);
			r = err_set(e, ERR_NET, "the answer was cut off");
		}
		if (!is_worth_repeating(r) || run_cancelled(run))
			break;
	}
	return r < 0 ? err_prefix(e, "%s: ", s->name) : 0;
}

static int wait_ms(struct run *run, int64_t ms, struct err *e)
{
	int64_t end = clock_mono_ms() + ms, left;

	while ((left = end - clock_mono_ms()) > 0) {
		struct timespec t = { .tv_nsec = (left < NAP_MS ? left : NAP_MS) * 1000000 };

		if (run_cancelled(run))
			return run_cancel_error(run, e);
		nanosleep(&t, NULL);
	}
	return 0;
}

/* The source's own rate, shared by the fleet: the slot is reserved, so waiting for it is enough. */
static int take_slot(struct run *run, const struct conf_source *s, struct err *e)
{
	const struct conf_fleet *fleet = &run_conf(run)->fleet;
	struct redis *redis = NULL;
	int64_t wait = 0;
	char name[96];

	snprintf(name, sizeof name, "source:%.80s", s->name);
	if (run_redis(run, &redis, NULL) < 0)
		redis = NULL;
	if (limiter_take(redis, fleet->redis_prefix, name, s->rate_per_s,
			 s->rate_per_s <= SLOW_RATE ? BURST_SLOW : BURST_FAST, SLOT_WAIT_MS, &wait,
			 NULL) == LIMITER_TAKEN)
		return wait_ms(run, wait, e);
	return err_set(e, ERR_LIMITED, "%s: no slot of its rate within %d s", s->name,
		       SLOT_WAIT_MS / 1000);
}

int ask_call(struct run *run, const struct ask *what, struct http_response *ret, struct err *e)
{
	const struct conf_source *s = conf_source(run_conf(run), what->source);
	struct pg *pg;
	struct buf url;
	int r = ask_may(run, what->source, e);

	if (r >= 0 && stand_in)
		return question_answer(stand_in, what, ret, e);
	if (r >= 0)
		r = run_db_read(run, &pg, e);
	if (r >= 0 && s->key_required && !what->free_of_charge)
		r = quota_unpark(pg, s->name, KEY_MISSING, e);
	if (r >= 0 && !what->free_of_charge)
		r = quota_take(pg, s, 1, e);
	if (r >= 0)
		r = take_slot(run, s, e);
	if (r < 0)
		return r;
	buf_init(&url, URL_MAX);
	r = put_url(s, what, ask_key(run, what->source), &url, e);
	if (r == 0)
		r = perform(run, s, what, buf_text(&url), ret, e);
	buf_release(&url);
	if (r < 0)
		ask_settle(run, what->source, r, e);
	return r;
}

static int park(struct pg *pg, const char *source, int code, const struct err *verdict,
		struct err *e)
{
	if (code == -ERR_QUOTA)
		return quota_park(pg, source, verdict->retry_after_ms / 1000 + 1, "quota_used_up",
				  verdict->msg, e);
	return quota_park(pg, source, REFUSED_S, "provider_key_refused", verdict->msg, e);
}

void ask_settle(struct run *run, const char *source, int code, const struct err *verdict)
{
	struct err e;
	struct pg *pg;
	int r = stand_in ? -ERR_PARKED : run_db_read(run, &pg, &e);

	if (r < 0 || code == -ERR_CANCELLED || code == -ERR_DB)
		return;
	if (code == -ERR_QUOTA || code == -ERR_REFUSED)
		r = park(pg, source, code, verdict, &e);
	else if (code == -ERR_HTTP || code == -ERR_NET || code == -ERR_TIMEOUT ||
		 code == -ERR_LIMITED || code == -ERR_AGAIN || code == -ERR_TOO_BIG)
		r = quota_failed(pg, source, &e);
	else
		r = quota_succeeded(pg, source, &e);
	if (r < 0)
		log_warn("state of source %s not kept: %s", source, e.msg);
}
