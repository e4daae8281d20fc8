/* SPDX-License-Identifier: MIT */
#include "workers/salary/talk.h"

#include "common/base/clock.h"
#include "common/base/conf.h"
#include "common/base/mem.h"
#include "common/base/scan.h"
#include "common/net/http.h"
#include "common/worker/run.h"
#include "workers/salary/source.h"

#define TRIES 2
#define RETRY_AFTER_MAX_S 86400

/* A question on its way. http is first: that is what the transport gives back. */
struct open {
	struct http_call http;
	struct talk *talk;
	struct ask ask;
	const char *headers[ASK_HEADERS];
	char *path, *body;
	struct buf url;
	int question, tries;
};

void talk_init(struct talk *t, struct run *run, const char *source, talk_hear *hear, void *of)
{
	const struct conf_source *s = ask_source(run, source);

	*t = (struct talk){ .run = run, .source = source, .hear = hear, .of = of };
	t->end_ms = clock_mono_ms() + (s ? s->timeout_ms : 0);
}

static void fail(struct talk *t, int code, const struct err *e)
{
	if (t->code < 0 && !source_ends_task(code))
		return;
	t->code = code;
	t->err = *e;
}

static void open_free(struct open *o)
{
	buf_release(&o->url);
	free(o->path);
	free(o->body);
	free(o);
}

static int open_new(struct talk *t, int question, const struct ask *what, struct open **ret,
		    struct err *e)
{
	struct open *o = mem_zalloc(sizeof *o);
	int r;

	o->talk = t;
	o->question = question;
	o->ask = *what;
	o->ask.path = o->path = mem_strdup(what->path);
	o->ask.body = o->body = what->body ? mem_dup(what->body, what->body_len) : NULL;
	r = ask_request(t->run, &o->ask, &o->url, o->headers, &o->http.request, e);
	if (r < 0)
		open_free(o);
	else
		*ret = o;
	return r;
}

/* Takes leave and begins the call. */
static int begin(struct open *o, struct err *e)
{
	struct talk *t = o->talk;
	int64_t left = t->end_ms - clock_mono_ms(), wait = 0;
	struct http *http;
	int r;

	if (left <= 0)
		return err_set(e, ERR_TIMEOUT, "%s: no answer in time", t->source);
	r = ask_leave(t->run, &o->ask, left, &wait, e);
	if (r >= 0)
		r = run_http(t->run, &http, e);
	if (r < 0)
		return r;
	o->http.delay_ms = wait;
	o->http.request.timeout_ms = left > wait ? left - wait : 1;
	o->tries++;
	t->sent = true;
	http_begin(http, &o->http);
	return 0;
}

static int hear_shelf(struct talk *t, int question, const struct ask *what, struct err *e)
{
	struct http_response answer;
	int r = ask_shelf(what, &answer, e);

	if (r < 0)
		return r;
	r = t->hear(t, question, &answer, e);
	http_response_release(&answer);
	return r;
}

void talk_ask(struct talk *t, int question, struct ask what)
{
	struct open *o = NULL;
	struct err e = { 0 };
	int r;

	what.source = t->source;
	r = ask_may(t->run, t->source, &e);
	if (r >= 0 && ask_is_from_shelf()) {
		r = hear_shelf(t, question, &what, &e);
	} else if (r >= 0) {
		r = open_new(t, question, &what, &o, &e);
		if (r >= 0)
			r = begin(o, &e);
		if (r < 0 && o)
			open_free(o);
	}
	if (r < 0)
		fail(t, r, &e);
}

/* A broken call is worth another one while there is time. */
static bool sent_again(struct open *o, int code)
{
	struct err e;

	return code == -ERR_NET && o->tries < TRIES && !run_cancelled(o->talk->run) &&
	       begin(o, &e) >= 0;
}

/* How long to stay away: what the provider says goes over what is usual with it. */
static void note_retry_after(const struct http_response *r, struct err *e)
{
	char text[32];
	int64_t s;

	if ((e->code == ERR_LIMITED || e->code == ERR_AGAIN) &&
	    http_header(r, "Retry-After", text, sizeof text) &&
	    scan_int64(text, 1, RETRY_AFTER_MAX_S, &s, NULL) == 0)
		e->retry_after_ms = s * 1000;
}

/* Of the breaker's failures a talk counts one, however many of its calls went down with it. */
static bool counts(const struct talk *t, int code)
{
	return t->code == 0 || code == 0 || code == -ERR_QUOTA || code == -ERR_REFUSED ||
	       code == -ERR_LIMITED || code == -ERR_AGAIN;
}

/* One call is over: heard, sent again, or failed. */
static void settle(struct open *o)
{
	struct talk *t = o->talk;
	struct err e = o->http.err;
	int code = o->http.code;

	if (code == 0 && !o->http.response.complete) {
		http_response_release(&o->http.response);
		code = err_set(&e, ERR_NET, "the answer was cut off");
	}
	if (code < 0 && sent_again(o, code))
		return;
	if (code < 0)
		err_prefix(&e, "%s", t->source);
	if (code == 0) {
		code = t->hear(t, o->question, &o->http.response, &e);
		if (code < 0)
			note_retry_after(&o->http.response, &e);
		http_response_release(&o->http.response);
	}
	if (counts(t, code))
		ask_settle(t->run, t->source, code, &e);
	if (code < 0)
		fail(t, code, &e);
	open_free(o);
}

int talk_listen(struct run *run, struct err *e)
{
	struct http_call *done;
	struct http *http;
	struct err ours;
	int r = run_http(run, &http, e), ends = 0;

	if (r < 0)
		return r;
	while ((done = http_next(http))) {
		struct talk *t = ((struct open *)done)->talk;

		settle((struct open *)done);
		if (ends == 0 && source_ends_task(t->code)) {
			ends = t->code;
			ours = t->err;
			http_abort(http);
		}
	}
	if (run_cancelled(run))
		return run_cancel_error(run, e);
	if (ends < 0 && e)
		*e = ours;
	return ends;
}
