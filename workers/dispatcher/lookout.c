/* SPDX-License-Identifier: MIT */
/* The lookout: asks the services what the server was asked for, one question after the other. */
#include "workers/dispatcher/httpd_private.h"

#include <malloc.h>
#include <poll.h>
#include <sys/socket.h>

#include "common/base/buf.h"
#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/worker/health.h"
#include "workers/dispatcher/metric.h"

/* What only this process can say of its dispatcher. */
static void add_loop(struct health_report *r, int64_t age)
{
	health_add(r, "dispatcher_loop", true, age < HTTPD_LIVE_MS ? HEALTH_OK : HEALTH_FAILED,
		   clock_wall_us() - age * 1000, "it turned %lld ms ago", (long long)age);
}

static void keep(struct look *l, int status, const struct buf *text)
{
	l->status = status;
	l->len = text->len;
	memcpy(l->text, buf_text(text), text->len);
}

static void look(const struct httpd_child *c, struct health *h, int kind)
{
	struct health_report report;
	struct buf text;
	int64_t age_ms;
	int status = 200;

	buf_init(&text, LOOK_BYTES - 1);
	health_look(h, &report);
	age_ms = clock_mono_ms() - atomic_load(&c->window->beat_ms);
	add_loop(&report, age_ms);
	if (kind == LOOK_READY) {
		health_put_json(&report, &text);
		status = health_worst(&report) == HEALTH_FAILED ? 503 : 200;
	} else {
		metric_look(c->conf, h, &report, (double)age_ms / 1000, &text);
	}
	if (buf_overflowed(&text)) {
		buf_clear(&text);
		buf_puts(&text, "the answer is larger than 4 MiB\n");
		status = 500;
	}
	keep(&c->window->looks[kind], status, &text);
	buf_release(&text);
	health_report_release(&report);
}

int lookout_main(const struct httpd_child *c)
{
	struct health *h = health_new(c->conf, c->node);
	struct pollfd p[] = { { .fd = c->parent, .events = POLLIN },
			      { .fd = c->notes, .events = POLLIN } };

	while (poll(p, COUNT(p), -1) >= 0 && !p[0].revents) {
		struct look_note note;

		if (recv(c->notes, &note, sizeof note, MSG_DONTWAIT) != sizeof note ||
		    note.kind >= LOOK_KINDS)
			continue;
		look(c, h, (int)note.kind);
		send(c->notes, &note, sizeof note, MSG_DONTWAIT | MSG_NOSIGNAL);
		malloc_trim(0);
	}
	health_free(h);
	return 0;
}
