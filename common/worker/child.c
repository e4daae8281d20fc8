/* SPDX-License-Identifier: MIT */
#include "common/worker/child.h"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/err.h"
#include "common/base/fault.h"
#include "common/base/json.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/base/scan.h"
#include "common/store/pg.h"
#include "common/worker/bind.h"
#include "common/worker/frame.h"
#include "common/worker/run_private.h"
#include "common/worker/settle.h"

enum {
	FLUSH_US = 1000, AGAIN_MS = 1000,
	RSS_EVERY = 16, RSS_US = 10000,	/* reading it costs some 5 us */
};

struct child {
	struct program *program;
	struct frame_port port;
	struct slot_row *slots;
	struct stores stores;
	struct catalog catalog;
	struct message message;
	int64_t unflushed_us;		/* since when an answer waits; 0 = none */
	unsigned ntasks;
};

struct handed {
	uint32_t slot, serial, flags;
	int64_t soft_ms, hard_ms;
	const char *queue, *props, *body;
	size_t props_len, body_len;
};

/* Its work is to end a wait (EINTR): what has passed is known by the clock. */
static void on_soft_limit(int sig)
{
	(void)sig;
}

static void set_signals(void)
{
	struct sigaction soft = { .sa_handler = on_soft_limit };	/* no SA_RESTART: waits end */

	sigaction(SIGUSR1, &soft, NULL);
	signal(SIGINT, SIG_IGN);	/* the parent drains; it tells us by the socket */
	signal(SIGTERM, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	signal(SIGQUIT, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
}

static void read_handed(struct frame *f, struct handed *h)
{
	h->slot = frame_get_u32(f);
	h->serial = frame_get_u32(f);
	h->flags = frame_get_u32(f);
	h->soft_ms = frame_get_i64(f);
	h->hard_ms = frame_get_i64(f);
	h->queue = frame_get_str(f);
	h->props = frame_get_bytes(f, &h->props_len);
	h->body = frame_get_bytes(f, &h->body_len);
}

/* The second number of statm (proc(5)): resident pages. */
static int64_t resident_kib(void)
{
	char text[128] = "", *from, *to;
	int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
	int64_t pages;

	if (fd >= 0)
		close(fd);
	from = n > 0 ? strchr(text, ' ') : NULL;
	to = from ? strchr(from + 1, ' ') : NULL;
	if (!to)
		return 0;
	*to = '\0';
	if (scan_int64(from + 1, 0, INT32_MAX, &pages, NULL) < 0)
		return 0;
	return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

static void answer(struct child *c, const struct handed *h, enum child_verdict verdict,
		   const struct settle *s, int64_t run_us, const char *reason)
{
	frame_begin(&c->port, FRAME_DONE);
	frame_put_u32(&c->port, h->slot);
	frame_put_u32(&c->port, h->serial);
	frame_put_u32(&c->port, verdict);
	frame_put_u32(&c->port, s->outcome);
	frame_put_i64(&c->port, s->delay_ms);
	frame_put_i64(&c->port, run_us);
	frame_put_str(&c->port, reason);
	frame_put_str(&c->port, s->event_text);
	frame_put_str(&c->port, s->event_trace);
	frame_put_i64(&c->port, ++c->ntasks % RSS_EVERY == 0 || run_us > RSS_US ?
				resident_kib() : 0);
	frame_end(&c->port);
}

static void announce_start(struct child *c, struct run *run)
{
	char json[128];

	if (!run->task->track_started)
		return;
	snprintf(json, sizeof json, "{\"pid\": %d, \"hostname\": \"%.80s\"}", (int)getpid(),
		 c->program->node);
	run_show_state(run, "STARTED", json);
}

static int parse_body(struct run *run, cJSON **ret_args, struct err *e)
{
	int r = run_load(run, e);

	if (r >= 0 && run->task->builtin)
		*ret_args = mem_check(cJSON_CreateObject());	/* they read the texts themselves */
	else if (r >= 0)
		r = bind_arguments(run->task->task, run->args_text, run->kwargs_text, ret_args, e);
	return r;
}

static int call_handler(struct run *run, const cJSON *args, char **ret_json, struct err *e)
{
	cJSON *result = NULL;
	int r = run->task->task->fn(run, args, &result, e);

	if (r >= 0)
		*ret_json = result ? json_print(result) : mem_strdup("null");
	else if (e->code == ERR_NONE)
		err_set(e, ERR_INTERNAL, "the handler of %s failed without a reason",
			run->task->task->name);
	cJSON_Delete(result);
	return r;
}

/* The handler said how its task ends. */
static void settle_exit(struct run *run, const struct err *why, struct settle *s)
{
	switch (run->exit) {
	case RUN_IGNORED: settle_ignored(run, s); break;
	case RUN_REPLACED: settle_replaced(run, s); break;
	case RUN_REJECTED: settle_rejected(run, why, s); break;
	default: settle_requeued(run); break;
	}
}

/* Runs and settles one message. One that cannot be understood gets its dead letter in the same
 * commit as its FAILURE. */
static void perform(struct child *c, struct run *run, struct settle *s)
{
	struct err e = { 0 };
	cJSON *args = NULL;
	char *json = NULL;
	bool malformed;
	int r = parse_body(run, &args, &e);

	malformed = r == -ERR_PROTOCOL || r == -ERR_TOO_BIG;
	if (r >= 0) {
		announce_start(c, run);
		FAULT_POINT("begin");
		r = call_handler(run, args, &json, &e);
		FAULT_POINT("handler-done");
	}
	if (r >= 0)
		settle_success(run, json, s);
	else if (run->exit != RUN_GOES_ON && r == -ERR_CANCELLED)
		settle_exit(run, &e, s);
	else if (malformed)
		settle_verdict(run, &e, "malformed", s);
	else
		settle_error(run, &e, s);
	cJSON_Delete(args);
	free(json);
}

static void log_end(const struct child *c, const struct run *run, const struct settle *s)
{
	if (c->program->conf->fleet.timing_lines)
		log_each(NULL, "task %s outcome=%s retries=%d ms=%lld queue=%s",
			 s->again ? "again" : "settled", ledger_outcome_name(s->outcome),
			 run->key.retries, (long long)(clock_mono_ms() - run->started_ms),
			 run->queue);
	if (s->again && s->why)
		log_warn("task not settled, it will run again: %s", s->why->msg);
}

static void run_prepare(struct child *c, struct run *run, const struct catalog_task *task,
			const struct handed *h)
{
	const struct message *m = &c->message;

	run_init(run, &c->catalog, task, &c->stores);
	run->message = &c->message;
	run->id = m->id;
	run->queue = h->queue;
	run->node = c->program->node;
	run->ledger = task->ledger;
	run->key = (struct ledger_key){ m->id, m->generation, m->nesting, m->retries };
	if (h->soft_ms > 0)
		run->soft_at_ms = run->started_ms + h->soft_ms;
	if (h->hard_ms > 0)
		run->hard_at_ms = run->started_ms + h->hard_ms;
}

static enum child_verdict run_task_message(struct child *c, const struct handed *h,
					   const struct catalog_task *task, struct settle *s)
{
	struct run run;
	struct err e = { 0 };
	int found = 0;
	bool requeued;

	run_prepare(c, &run, task, h);
	log_set_task(&(struct log_task){ run.id, task->task->name, run.queue,
					 run.key.retries + 1 });
	if (run.ledger && (h->flags & CHILD_ASK_LEDGER))
		found = settle_found(&run, s, &e);
	if (found < 0) {
		s->again = true;
		s->delay_ms = AGAIN_MS;
		*s->why = e;
	} else if (found == 0) {
		perform(c, &run, s);
	}
	requeued = run.exit == RUN_REQUEUED;
	log_end(c, &run, s);
	run_release(&run);
	log_set_task(NULL);
	if (s->unended)
		return CHILD_UNENDED;
	return s->again ? CHILD_AGAIN : requeued ? CHILD_REQUEUE : CHILD_SETTLED;
}

static void run_handed(struct child *c, const struct handed *h)
{
	const struct catalog_task *task;
	struct err e = { 0 };
	struct settle s = { .why = &e, .wants_event = h->flags & CHILD_EVENTS };
	enum child_verdict v = CHILD_DEAD;
	int64_t from = clock_mono_us();
	int r;

	r = message_decode(&c->message, h->props, h->props_len, h->body, h->body_len, &e);
	task = r >= 0 ? catalog_find(&c->catalog, c->message.task) : NULL;
	if (task)
		v = run_task_message(c, h, task, &s);
	else if (r >= 0)
		err_set(&e, ERR_NOT_FOUND, "task %s is not served here", c->message.task);
	answer(c, h, v, &s, clock_mono_us() - from, v == CHILD_SETTLED ? NULL : e.msg);
	settle_release(&s);
	message_clear(&c->message);
}

static void take_task(struct child *c, struct frame *f)
{
	struct handed h;
	struct slot *slot;

	read_handed(f, &h);
	slot = &c->slots->slot[h.slot];
	atomic_store(&slot->started_us, clock_mono_us());
	if (!slot_move(slot, h.serial, SLOT_READY, SLOT_RUNNING))
		return;		/* the parent took it back */
	FAULT_POINT("taken");
	run_handed(c, &h);
	FAULT_POINT("answered");
	slot_move(slot, h.serial, SLOT_RUNNING, SLOT_DONE);
}

static void reload(struct child *c, const char *path)
{
	struct conf *conf = NULL;

	/* The parent has checked the file; one that broke since then changes nothing here. */
	if (conf_load(&conf, *path ? path : NULL, NULL) < 0)
		return;
	stores_release(&c->stores);
	catalog_release(&c->catalog);
	conf_close(c->program->conf);
	c->program->conf = conf;
	catalog_init(&c->catalog, conf, c->program->name, c->program->tasks, c->program->ntasks);
	stores_init(&c->stores, conf, c->program->process);
	log_set_level(conf->fleet.log_level);
}

static int flush_when_due(struct child *c, bool idle)
{
	int64_t now = clock_mono_us();

	if (!frame_has_unsent(&c->port))
		return 0;
	if (!c->unflushed_us)
		c->unflushed_us = now;
	if (!idle && now - c->unflushed_us < FLUSH_US)
		return 0;
	c->unflushed_us = 0;
	return frame_flush(&c->port, true);
}

static bool handle(struct child *c, struct frame *f)
{
	switch (f->kind) {
	case FRAME_TASK:
		take_task(c, f);
		return true;
	case FRAME_CONF:
		reload(c, frame_get_str(f));
		return true;
	default:
		return false;
	}
}

int child_main(struct program *program, int row, int fd)
{
	struct child c = { .program = program, .slots = &program->slots[row] };
	bool going = true;

	set_signals();
	frame_port_init(&c.port, fd);
	stores_init(&c.stores, program->conf, program->process);
	catalog_init(&c.catalog, program->conf, program->name, program->tasks, program->ntasks);
	message_init(&c.message);
	while (going && frame_fill(&c.port, true) > 0) {
		struct frame f;

		while (going && frame_next(&c.port, &f)) {
			going = handle(&c, &f);
			if (flush_when_due(&c, false) < 0)
				going = false;
		}
		if (flush_when_due(&c, true) < 0)
			break;
	}
	message_release(&c.message);
	stores_release(&c.stores);
	catalog_release(&c.catalog);
	frame_port_release(&c.port);
	return 0;
}
