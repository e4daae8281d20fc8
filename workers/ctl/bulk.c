/* SPDX-License-Identifier: MIT */
#include "workers/ctl/bulk.h"

#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/conf.h"
#include "common/base/err.h"
#include "common/base/mem.h"
#include "common/broker/door.h"
#include "common/broker/message.h"
#include "workers/ctl/bulk_line.h"
#include "workers/ctl/ctl.h"
#include "workers/ctl/lines.h"

enum {
	SHOW_MS = 100,
	BAR = 24,
	DRAIN_MS = 600000,	/* every message has its own deadline long before */
	LINE_SLACK = 65536,	/* of a line beside args and kwargs */
	SHOWN_MOST = 100,	/* wrong lines that are named one by one */
};

struct run {
	struct ctl *ctl;
	const struct bulk *b;
	const struct conf *conf;
	struct door *door;
	struct lines *in;
	struct message message;
	int64_t size, at;	/* bytes of the file; size 0 = unknown */
	int64_t line, sent, confirmed, spooled, rejected, wrong;
	int64_t began, shown;	/* monotonic ms */
	bool tty, stop;
	char why[ERR_MSG_SIZE];	/* the first spooled one's */
};

static volatile sig_atomic_t interrupted;

static void on_signal(int sig)
{
	interrupted = sig;
}

/* The first signal ends the reading, a second one the program. */
static void catch_signals(void)
{
	struct sigaction a = { .sa_handler = on_signal, .sa_flags = SA_RESETHAND };

	sigaction(SIGINT, &a, NULL);
	sigaction(SIGTERM, &a, NULL);
}

/* ---- what is shown ---- */

static double seconds(const struct run *r)
{
	return (double)(clock_mono_ms() - r->began) / 1000;
}

static double rate(const struct run *r)
{
	double s = seconds(r);

	return s > 0 ? (double)r->confirmed / s : 0;
}

static void show(struct run *r, bool last)
{
	int64_t now = clock_mono_ms(), full = BAR;
	char bar[BAR + 1];

	if (!r->tty || (!last && now - r->shown < SHOW_MS))
		return;
	r->shown = now;
	if (r->size > 0 && !last)
		full = r->at >= r->size ? BAR : BAR * r->at / r->size;
	memset(bar, r->size > 0 || last ? '#' : '?', (size_t)full);
	memset(bar + full, ' ', (size_t)(BAR - full));
	bar[BAR] = '\0';
	fprintf(stderr,
		"\r\033[K[%s] %lld sent, %.0f/s, %lld confirmed, %lld spooled, %lld rejected", bar,
		(long long)r->sent, rate(r), (long long)r->confirmed, (long long)r->spooled,
		(long long)r->rejected + (long long)r->wrong);
	fflush(stderr);
}

static void name_fault(struct run *r, int64_t line, const char *what)
{
	if (r->rejected + r->wrong == SHOWN_MOST + 1)
		fprintf(stderr, "jobfleet: further wrong lines are only counted\n");
	if (r->rejected + r->wrong > SHOWN_MOST)
		return;
	fprintf(stderr, "%s%s:%lld: %s\n", r->tty ? "\r\033[K" : "",
		strcmp(r->b->path, "-") == 0 ? "stdin" : r->b->path, (long long)line, what);
}

static int sum_up(const struct run *r)
{
	long long sent = r->sent, confirmed = r->confirmed, spooled = r->spooled;
	long long rejected = r->rejected, wrong = r->wrong;

	if (r->ctl->json)
		printf("{\"lines\": %lld, \"sent\": %lld, \"confirmed\": %lld, \"spooled\": %lld, "
		       "\"rejected\": %lld, \"wrong\": %lld, \"seconds\": %.3f, \"rate\": %.1f}\n",
		       (long long)r->line, sent, confirmed, spooled, rejected, wrong, seconds(r),
		       rate(r));
	else
		printf("%lld confirmed, %lld spooled, %lld rejected, %lld wrong lines in %.1f s "
		       "(%.0f/s)\n",
		       confirmed, spooled, rejected, wrong, seconds(r), rate(r));
	if (spooled)
		send_note_spooled(r->ctl, "them", r->why);
	if (interrupted || (r->stop && r->b->stop_on_error))
		ctl_note(r->ctl, "stopped after line %lld", (long long)r->line);
	if (rejected || wrong || interrupted)
		return CTL_FAILED;
	return spooled ? CTL_SPOOLED : CTL_OK;
}

/* ---- sending ---- */

static void fail_line(struct run *r, int64_t line, int64_t *counter, const char *what)
{
	(*counter)++;
	name_fault(r, line, what);
	r->stop = r->stop || r->b->stop_on_error;
}

static void on_answer(void *ctx, uint64_t tag, enum door_answer answer, const struct err *e)
{
	struct run *r = ctx;

	if (answer == DOOR_CONFIRMED) {
		r->confirmed++;
	} else if (answer == DOOR_SPOOLED) {
		if (r->spooled++ == 0)
			snprintf(r->why, sizeof r->why, "%s", e->msg);
	} else {
		fail_line(r, (int64_t)tag, &r->rejected, e->msg);
	}
}

static void send_line(struct run *r, const char *text, size_t len)
{
	struct bulk_line line;
	const char *queue = NULL;
	struct err e = { 0 };
	int rc = bulk_line_read(&line, text, len, &r->b->defaults, &e);

	if (rc == 0)
		rc = send_make(r->conf, &line.send, "", &r->message, &queue, &e);
	if (rc < 0) {
		fail_line(r, r->line, &r->wrong, e.msg);
	} else if (door_send(r->door, queue, &r->message, (uint64_t)r->line, on_answer, r,
			     (int)r->b->defaults.deadline_ms, &e) < 0) {
		r->sent++;
		fail_line(r, r->line, &r->rejected, e.msg);
	} else {
		r->sent++;
	}
	bulk_line_release(&line);
}

static bool is_empty(const char *text, size_t len)
{
	while (len > 0 && strchr(" \t\r", text[len - 1]))
		len--;
	return len == 0;
}

/* While no line comes: what is under way goes out and gets its answers. */
static int idle(void *ctx)
{
	struct run *r = ctx;

	door_poll(r->door);
	show(r, false);
	return interrupted || r->stop;
}

static int send_lines(struct run *r, struct err *e)
{
	const char *text;
	size_t len;
	int rc = 0;

	while (!r->stop && !interrupted && (rc = lines_next(r->in, &text, &len, e)) > 0) {
		r->line++;
		r->at += (int64_t)len + 1;
		if (!text)
			fail_line(r, r->line, &r->wrong, "the line is longer than max_message");
		else if (!is_empty(text, len))
			send_line(r, text, len);
		show(r, false);
	}
	return rc;
}

int bulk_send(struct ctl *c, const struct bulk *b, struct err *e)
{
	struct run r = { .ctl = c, .b = b, .tty = !c->quiet && isatty(STDERR_FILENO),
			 .began = clock_mono_ms() };
	int rc = ctl_conf(c, &r.conf, e);

	if (rc == 0)
		rc = ctl_door(c, &r.door, e);
	if (rc == 0)
		rc = lines_open(&r.in, b->path,
				(size_t)r.conf->fleet.max_message_bytes + LINE_SLACK, idle, &r, e);
	if (rc < 0)
		return rc;
	r.size = lines_size(r.in);
	catch_signals();
	message_init(&r.message);
	rc = send_lines(&r, e);
	door_drain(r.door, DRAIN_MS);
	message_release(&r.message);
	show(&r, true);
	if (r.tty)
		fputc('\n', stderr);
	lines_close(r.in);
	if (rc < 0)
		ctl_note(c, "%lld confirmed before line %lld", (long long)r.confirmed,
			 (long long)r.line + 1);
	if (rc < 0)
		return rc;
	rc = sum_up(&r);
	if (r.confirmed && !r.spooled && !interrupted)
		send_leftovers(c);
	return rc;
}
