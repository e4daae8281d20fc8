/* SPDX-License-Identifier: MIT */
#include "common/worker/events.h"

#include <sys/types.h>
#include <unistd.h>

#include "common/base/buf.h"
#include "common/base/clock.h"
#include "common/base/json.h"
#include "common/base/mem.h"
#include "common/base/pyrepr.h"
#include "common/broker/props.h"
#include "common/worker/info.h"
#include "common/worker/worker_private.h"

enum {
	BATCH = 24,			/* Celery's buffer_limit */
	BATCH_MS = 5,			/* how long the first of a batch waits for others */
	BATCH_BYTES = 1 << 20,
	PREFIX_MAX = 4096,
	PROPS_MAX = 1 << 17,
	TEXT_MAX = 1 << 18,		/* of a body whose arguments are shown */
	TRACEBACK_MAX = 16384,
	SHOWN_MAX = 4096,		/* of an argsrepr: clients cut theirs at 1024 */
	ANSWER_FREQ_S = 5,		/* of the heartbeat that control asked for */
};

/* One a process, like the worker. */
static struct {
	bool started;
	bool online_due;		/* the outlet was not up yet */
	int64_t beat_ms;
	struct buf props, batch;
	struct buf prefix;		/* what every event begins with, of prefix_s */
	int64_t prefix_s;
	int batched;
	uv_timer_t batch_timer;
	int64_t dropped;
	struct message scratch;
} ev;

static void start(struct worker *w)
{
	cJSON *headers;

	if (ev.started)
		return;
	ev.started = true;
	w->task_events = w->program.conf->fleet.events;
	buf_init(&ev.props, PROPS_MAX);
	buf_init(&ev.batch, BATCH_BYTES);
	buf_init(&ev.prefix, PREFIX_MAX);
	message_init(&ev.scratch);
	uv_timer_init(&w->loop, &ev.batch_timer);
	ev.batch_timer.data = w;
	headers = cJSON_CreateObject();
	json_set_str(headers, "hostname", w->program.node);
	props_encode(&ev.props, headers, NULL);
	cJSON_Delete(headers);
}

/* As Python's time.timezone // 3600: hours west of UTC, rounded down. */
static int utcoffset(void)
{
	time_t now = (time_t)(clock_wall_us() / 1000000);
	struct tm tm;
	long west;

	if (!localtime_r(&now, &tm))
		return 0;
	west = -tm.tm_gmtoff;
	return (int)(west >= 0 ? west / 3600 : -((3599 - west) / 3600));
}

static void put_member(struct buf *b, const char *key, const char *text)
{
	buf_printf(b, ", \"%s\": ", key);
	if (text)
		buf_put_json_string(b, text);
	else
		buf_puts(b, "null");
}

static void put_cut(struct buf *b, const char *key, const char *text, size_t most)
{
	char *cut = strlen(text) > most ? mem_strndup(text, most) : NULL;

	put_member(b, key, cut ? cut : text);
	free(cut);
}

/* The zone's offset may change while it runs. */
static void renew_prefix(const struct worker *w, int64_t now_s)
{
	ev.prefix_s = now_s;
	buf_clear(&ev.prefix);
	buf_puts(&ev.prefix, "{\"hostname\": ");
	buf_put_json_string(&ev.prefix, w->program.node);
	buf_printf(&ev.prefix, ", \"utcoffset\": %d, \"pid\": %d, \"clock\": ", utcoffset(),
		   (int)getpid());
}

static void begin(struct worker *w, struct buf *b)
{
	int64_t now_s = clock_wall_us() / 1000000;

	if (now_s != ev.prefix_s)
		renew_prefix(w, now_s);
	buf_append(b, ev.prefix.data, ev.prefix.len);
	buf_printf(b, "%llu", (unsigned long long)++w->clock);
}

static void end(struct buf *b, const char *type)
{
	int64_t now = clock_wall_us();

	buf_printf(b, ", \"timestamp\": %lld.%06lld, \"type\": \"%s\"}", (long long)(now / 1000000),
		   (long long)(now % 1000000), type);
}

static bool publish(struct worker *w, const char *key, const struct buf *b, int n)
{
	bool taken = !buf_overflowed(b) && outlet_event(w->outlet, key, ev.props.data, ev.props.len,
							b->data, b->len);

	if (!taken)
		ev.dropped += n;
	return taken;
}

static void flush(struct worker *w)
{
	if (ev.batched == 0)
		return;
	buf_putc(&ev.batch, ']');
	publish(w, "task.multi", &ev.batch, ev.batched);
	buf_clear(&ev.batch);
	ev.batched = 0;
	uv_timer_stop(&ev.batch_timer);
}

static void batch_is_due(uv_timer_t *timer)
{
	flush(timer->data);
}

static void count_begun(void *ctx, struct delivery *d, pid_t pid, int64_t started_us)
{
	size_t *n = ctx;

	(void)d;
	(void)pid;
	*n += started_us != 0;
}

static size_t active(const struct worker *w)
{
	size_t n = 0;

	pool_each(w->pool, count_begun, &n);
	return n;
}

/* worker-*: the type's dash is a dot in the key. */
static bool tell(struct worker *w, const char *what, double freq_s, bool with_load)
{
	double load[3] = { 0 };
	char type[32], key[32];
	struct buf b;
	bool taken;

	start(w);
	flush(w);	/* clocks grow from message to message */
	buf_init(&b, 4096);
	begin(w, &b);
	buf_printf(&b, ", \"freq\": %.3f", freq_s);
	if (with_load && getloadavg(load, 3) < 3)
		load[0] = load[1] = load[2] = 0;
	if (with_load)
		buf_printf(&b, ", \"active\": %zu, \"processed\": %lld, \"loadavg\": "
			   "[%.2f, %.2f, %.2f]", active(w), (long long)w->processed,
			   load[0], load[1], load[2]);
	buf_puts(&b, ", \"sw_ident\": \"jobfleet\", \"sw_ver\": \"" JOBFLEET_VERSION
		 "\", \"sw_sys\": \"Linux\"");
	snprintf(type, sizeof type, "worker-%s", what);
	snprintf(key, sizeof key, "worker.%s", what);
	end(&b, type);
	taken = publish(w, key, &b, 1);
	buf_release(&b);
	return taken;
}

static double freq_s(const struct worker *w)
{
	return (double)w->program.conf->fleet.event_heartbeat_ms / 1000;
}

void events_online(struct worker *w)
{
	ev.online_due = !tell(w, "online", freq_s(w), true);
	ev.beat_ms = clock_mono_ms() + w->program.conf->fleet.event_heartbeat_ms;
}

void events_offline(struct worker *w)
{
	ev.online_due = false;
	ev.beat_ms = 0;
	tell(w, "offline", freq_s(w), true);
}

void events_heartbeat(struct worker *w)
{
	tell(w, "heartbeat", ANSWER_FREQ_S, false);
}

void events_tick(struct worker *w)
{
	int64_t now = clock_mono_ms();

	if (ev.online_due) {
		events_online(w);
	} else if (ev.beat_ms && now >= ev.beat_ms) {
		ev.beat_ms = now + w->program.conf->fleet.event_heartbeat_ms;
		tell(w, "heartbeat", freq_s(w), true);
	}
}

int64_t events_dropped(void)
{
	return ev.dropped;
}

bool events_on(const struct worker *w)
{
	return ev.started ? w->task_events : w->program.conf->fleet.events;
}

bool events_switch(struct worker *w, bool on)
{
	start(w);
	if (w->task_events == on)
		return false;
	if (!on)
		flush(w);
	w->task_events = on;
	return true;
}

static struct buf *begin_task(struct worker *w, const struct delivery *d)
{
	struct buf *b = &ev.batch;

	if (!events_on(w))
		return NULL;
	start(w);
	buf_puts(b, ev.batched ? ", " : "[");
	begin(w, b);
	put_member(b, "uuid", d->id);
	return b;
}

static void end_task(struct worker *w, const char *type)
{
	end(&ev.batch, type);
	if (++ev.batched >= BATCH || ev.batch.len > BATCH_BYTES / 2)
		flush(w);
	else if (ev.batched == 1)
		uv_timer_start(&ev.batch_timer, batch_is_due, BATCH_MS, 0);
}

/* Clients that send no argsrepr, as celery-node: the body shows them. */
static void put_arguments(struct buf *b, const struct delivery *d)
{
	char *text = NULL, *args = NULL, *kwargs = NULL, *embed = NULL;
	struct buf a, k;
	size_t len;

	buf_init(&a, INFO_REPR_MAX * 2);
	buf_init(&k, INFO_REPR_MAX * 2);
	if (d->body && d->body_len <= TEXT_MAX &&
	    message_decode(&ev.scratch, d->props, d->props_len, d->body, d->body_len, NULL) >= 0 &&
	    message_text(&ev.scratch, TEXT_MAX, &text, &len, NULL) >= 0 &&
	    message_split(text, len, &args, &kwargs, &embed, NULL) >= 0) {
		pyrepr_put(&a, args, strlen(args), true, INFO_REPR_MAX);
		pyrepr_put(&k, kwargs, strlen(kwargs), false, INFO_REPR_MAX);
	}
	put_member(b, "args", a.len ? buf_text(&a) : "...");
	put_member(b, "kwargs", k.len ? buf_text(&k) : "...");
	buf_release(&a);
	buf_release(&k);
	free(text);
	free(args);
	free(kwargs);
	free(embed);
}

void events_received(struct worker *w, const struct delivery *d)
{
	struct buf *b = begin_task(w, d);
	struct message *m = &ev.scratch;

	if (!b)
		return;
	if (message_decode(m, d->props, d->props_len, "", 0, NULL) < 0 || !m->task)
		message_decode(m, d->props, d->props_len, d->body ? d->body : "", d->body_len,
			       NULL);
	put_member(b, "name", m->shadow && *m->shadow ? m->shadow : d->name);
	put_member(b, "root_id", m->root_id ? m->root_id : d->id);
	put_member(b, "parent_id", m->parent_id);
	buf_printf(b, ", \"retries\": %d", m->retries);
	put_member(b, "eta", m->eta);
	put_member(b, "expires", m->expires);
	if (m->argsrepr && m->kwargsrepr) {
		put_cut(b, "args", m->argsrepr, SHOWN_MAX);
		put_cut(b, "kwargs", m->kwargsrepr, SHOWN_MAX);
	} else {
		put_arguments(b, d);
	}
	end_task(w, "task-received");
}

/* pid: of the child; Celery's events carry the worker's own. */
void events_started(struct worker *w, const struct delivery *d, int pid)
{
	(void)pid;
	if (begin_task(w, d))
		end_task(w, "task-started");
}

void events_succeeded(struct worker *w, const struct delivery *d, const char *result,
		      int64_t run_us)
{
	struct buf *b = begin_task(w, d), repr;

	if (!b)
		return;
	buf_init(&repr, INFO_REPR_MAX * 2);
	pyrepr_put(&repr, result ? result : "null", result ? strlen(result) : 4, false,
		   INFO_REPR_MAX);
	put_member(b, "result", buf_text(&repr));
	buf_release(&repr);
	buf_printf(b, ", \"runtime\": %.6f", (double)(run_us > 0 ? run_us : 0) / 1e6);
	end_task(w, "task-succeeded");
}

static void put_failure(struct buf *b, const char *exception, const char *traceback)
{
	put_cut(b, "exception", exception ? exception : "None", SHOWN_MAX);
	if (traceback)
		put_cut(b, "traceback", traceback, TRACEBACK_MAX);
}

void events_failed(struct worker *w, const struct delivery *d, const char *exception,
		   const char *traceback)
{
	struct buf *b = begin_task(w, d);

	if (!b)
		return;
	put_failure(b, exception, traceback);
	end_task(w, "task-failed");
}

void events_retried(struct worker *w, const struct delivery *d, const char *exception,
		    const char *traceback)
{
	struct buf *b = begin_task(w, d);

	if (!b)
		return;
	put_failure(b, exception, traceback);
	end_task(w, "task-retried");
}

void events_revoked(struct worker *w, const struct delivery *d, bool terminated, int signal,
		    bool expired)
{
	struct buf *b = begin_task(w, d);

	if (!b)
		return;
	buf_printf(b, ", \"terminated\": %s, \"signum\": ", terminated ? "true" : "false");
	if (signal > 0)
		buf_printf(b, "%d", signal);
	else
		buf_puts(b, "null");
	buf_printf(b, ", \"expired\": %s", expired ? "true" : "false");
	end_task(w, "task-revoked");
}

void events_rejected(struct worker *w, const struct delivery *d, bool requeue)
{
	struct buf *b = begin_task(w, d);

	if (!b)
		return;
	buf_printf(b, ", \"requeue\": %s", requeue ? "true" : "false");
	end_task(w, "task-rejected");
}
