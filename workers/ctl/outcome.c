/* SPDX-License-Identifier: MIT */
#include "workers/ctl/outcome.h"

#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/err.h"
#include "common/base/mem.h"
#include "common/base/scan.h"
#include "workers/ctl/await.h"
#include "workers/ctl/ctl.h"
#include "workers/ctl/meta.h"

enum { DEFAULT_MS = 300000, BAR = 24 };

struct display {
	const struct ctl *ctl;
	bool tty;
	char last[200];
};

int outcome_timeout(const char *text, int64_t *ret_ms, struct err *e)
{
	if (!text) {
		*ret_ms = DEFAULT_MS;
		return 0;
	}
	if (scan_duration_ms(text, ret_ms, e) < 0) {
		e->code = ERR_USAGE;
		return err_prefix(e, "--timeout");
	}
	return 0;
}

static void describe(const struct meta *m, char *out, size_t size)
{
	char bar[BAR + 1];
	int full;

	if (m->total <= 0) {
		snprintf(out, size, "%s%s%s%s%s", m->status, *m->step ? " " : "", m->step,
			 *m->exc_message ? ": " : "", m->exc_message);
		return;
	}
	full = (int)(m->current <= 0		      ? 0
			     : m->current >= m->total ? BAR
						      : BAR * m->current / m->total);
	memset(bar, '#', (size_t)full);
	memset(bar + full, ' ', (size_t)(BAR - full));
	bar[BAR] = '\0';
	snprintf(out, size, "[%s] %lld/%lld %s", bar, (long long)m->current, (long long)m->total,
		 m->step);
}

/* A line that replaces itself on a terminal; elsewhere a line when it changed. */
static void show_progress(void *ctx, const struct meta *m)
{
	struct display *d = ctx;
	char text[sizeof d->last];

	describe(m, text, sizeof text);
	if (d->ctl->quiet || strcmp(text, d->last) == 0)
		return;
	snprintf(d->last, sizeof d->last, "%s", text);
	if (d->tty)
		fprintf(stderr, "\r\033[K%.*s", (int)strcspn(text, "\n"), text);
	else
		fprintf(stderr, "%.*s\n", (int)strcspn(text, "\n"), text);
	fflush(stderr);
}

static void end_progress(const struct display *d)
{
	if (d->tty && d->last[0])
		fprintf(stderr, "\r\033[K");
}

int outcome_print(const struct ctl *c, const struct meta *m)
{
	bool success = strcmp(m->status, "SUCCESS") == 0;

	if (c->json)
		printf("%s\n", m->text);
	else if (success)
		printf("%s\n", m->result);
	else
		fprintf(stderr, "jobfleet: task %s: %s%s%s\n",
			strcmp(m->status, "REVOKED") == 0 ? "was revoked" : "failed", m->exc_type,
			*m->exc_message ? ": " : "", m->exc_message);
	if (!success && *m->traceback && !c->json && !c->quiet)
		fprintf(stderr, "%s%s", m->traceback,
			m->traceback[strlen(m->traceback) - 1] == '\n' ? "" : "\n");
	return success ? CTL_OK : CTL_FAILED;
}

int outcome_wait(struct ctl *c, struct await *a, const char *id, int64_t timeout_ms, struct err *e)
{
	struct display d = { .ctl = c, .tty = isatty(STDERR_FILENO) };
	int64_t deadline = timeout_ms ? clock_mono_ms() + timeout_ms : 0;
	struct meta m = { 0 };
	int r = await_final(a, deadline, show_progress, &d, &m, e);

	end_progress(&d);
	if (r < 0)
		return r;
	if (r == 0) {
		fprintf(stderr,
			"jobfleet: no result in %.1f s; it goes on: jobfleet result %s --wait\n",
			(double)timeout_ms / 1000, id);
		return CTL_TIMEOUT;
	}
	r = outcome_print(c, &m);
	meta_release(&m);
	return r;
}
