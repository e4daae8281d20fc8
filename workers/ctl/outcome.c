/* SPDX-License-Identifier: MIT */
#include "workers/ctl/outcome.h"

#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/err.h"
#include "common/base/mem.h"
#include "common/base/scan.h"
#include "common/store/pg.h"
#include "workers/ctl/await.h"
#include "workers/ctl/ctl.h"
#include "workers/ctl/meta.h"

enum { DEFAULT_MS = 300000, BAR = 24, LEDGER_MS = 3000 };

struct display {
	const struct ctl *ctl;
	bool tty, json;		/* json: every state is a line of stdout */
	char last[200];
	char *last_text;	/* of json */
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
	snprintf(out, size, "[%s] %3d%% %lld/%lld %s", bar, 100 * full / BAR,
		 (long long)m->current, (long long)m->total, m->step);
}

static void show_json(struct display *d, const struct meta *m)
{
	if (d->last_text && strcmp(d->last_text, m->text) == 0)
		return;
	mem_replace(&d->last_text, mem_strdup(m->text));
	printf("%s\n", m->text);
	fflush(stdout);
}

/* A line that replaces itself on a terminal; elsewhere a line when it changed. */
static void show_progress(void *ctx, const struct meta *m)
{
	struct display *d = ctx;
	char text[sizeof d->last];

	if (d->json) {
		show_json(d, m);
		return;
	}
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

/* Redis forgets after a day, the ledger after a week; what is still to come stands in pending. */
static const char SQL_LOOK[] =
	"SELECT meta, outcome, to_char(settled_at, 'YYYY-MM-DD HH24:MI:SS'), cause, NULL"
	" FROM jobfleet.ledger WHERE task_id = $1 AND final"
	" UNION ALL"
	" SELECT NULL, state, to_char(due, 'YYYY-MM-DD HH24:MI:SS'), reason, kind"
	" FROM jobfleet.pending WHERE task_id = $1 ORDER BY 5 NULLS FIRST LIMIT 1";

static int print_meta(struct ctl *c, const char *text, struct err *e)
{
	struct meta m = { 0 };
	int r = meta_parse(&m, text, strlen(text), e);

	if (r < 0)
		return r;
	r = outcome_print(c, &m);
	meta_release(&m);
	return r;
}

int outcome_look_further(struct ctl *c, const char *id, struct err *e)
{
	struct pg_rows *rows = NULL;
	struct pg *p = NULL;
	int r = ctl_pg(c, &p, e);

	if (r == 0 && pg_run(p, SQL_LOOK, PG_PARAMS(PG_TEXT(id)), &rows, e) < 0)
		r = -(int)e->code;
	if (r < 0)
		return r;
	if (pg_rows_count(rows) == 0) {
		r = err_set(e, ERR_NOT_FOUND,
			    "nothing is known about task %.100s: not sent yet, waiting in its "
			    "queue, or forgotten",
			    id);
	} else if (pg_cell(rows, 0, 0)) {
		r = print_meta(c, pg_text(rows, 0, 0), e);
	} else if (pg_cell(rows, 0, 4)) {
		fprintf(stderr, "jobfleet: task %s: %s, %s, due %s UTC%s%s\n", id,
			pg_text(rows, 0, 4), pg_text(rows, 0, 1), pg_text(rows, 0, 2),
			pg_cell(rows, 0, 3) ? ": " : "", pg_text(rows, 0, 3));
		r = CTL_TIMEOUT;
	} else {
		fprintf(stderr, "jobfleet: task %s: %s on %s UTC%s%s; no result was kept\n", id,
			pg_text(rows, 0, 1), pg_text(rows, 0, 2), pg_cell(rows, 0, 3) ? ", " : "",
			pg_text(rows, 0, 3));
		r = strcmp(pg_text(rows, 0, 1), "success") == 0 ? CTL_OK : CTL_FAILED;
	}
	pg_rows_free(rows);
	return r;
}

static int too_late(const char *id, int64_t timeout_ms)
{
	fprintf(stderr, "jobfleet: no result in %.1f s; it goes on: jobfleet result %s --wait\n",
		(double)timeout_ms / 1000, id);
	return CTL_TIMEOUT;
}

int outcome_wait_with(struct ctl *c, struct await *a, const char *id, int64_t timeout_ms,
		      int (*print)(struct ctl *c, const struct meta *m, struct err *e),
		      struct err *e)
{
	struct display d = { .ctl = c, .tty = isatty(STDERR_FILENO) };
	int64_t deadline = timeout_ms ? clock_mono_ms() + timeout_ms : 0;
	struct meta m = { 0 };
	int r = await_final(a, deadline, show_progress, &d, &m, e);

	end_progress(&d);
	if (r <= 0)
		return r < 0 ? r : too_late(id, timeout_ms);
	if (!print || c->json || strcmp(m.status, "SUCCESS") != 0)
		r = outcome_print(c, &m);
	else
		r = print(c, &m, e);
	meta_release(&m);
	return r;
}

int outcome_wait(struct ctl *c, struct await *a, const char *id, int64_t timeout_ms, struct err *e)
{
	return outcome_wait_with(c, a, id, timeout_ms, NULL, e);
}

static bool ended_in_ledger(struct ctl *c, const char *id)
{
	struct pg_rows *rows = NULL;
	int r = ctl_query(c, "SELECT FROM jobfleet.ledger WHERE task_id = $1 AND final",
			  PG_PARAMS(PG_TEXT(id)), &rows, NULL);
	bool ended = r == 0 && pg_rows_count(rows) > 0;

	pg_rows_free(rows);
	return ended;
}

/* Waits in slices: between them the ledger is asked, since a task that wants no result ends without
 * a word in Redis. *ret_late: it had ended there. */
static int follow(struct ctl *c, struct await *a, const char *id, struct display *d,
		  int64_t deadline, struct meta *m, bool *ret_late, struct err *e)
{
	int r = 0;

	while (r == 0 && !*ret_late && (deadline == 0 || clock_mono_ms() < deadline)) {
		int64_t slice = clock_mono_ms() + LEDGER_MS;

		*ret_late = ended_in_ledger(c, id);
		if (*ret_late)
			slice = clock_mono_ms() + 1;
		r = await_final(a, deadline && deadline < slice ? deadline : slice, show_progress,
				d, m, e);
	}
	return r;
}

int outcome_follow(struct ctl *c, struct await *a, const char *id, int64_t timeout_ms,
		   struct err *e)
{
	struct display d = { .ctl = c, .tty = isatty(STDERR_FILENO), .json = c->json };
	int64_t deadline = timeout_ms ? clock_mono_ms() + timeout_ms : 0;
	struct meta m = { 0 };
	bool late = false;
	int r = follow(c, a, id, &d, deadline, &m, &late, e);

	end_progress(&d);
	free(d.last_text);
	if (r < 0)
		return r;
	if (r == 0)
		return late ? outcome_look_further(c, id, e) : too_late(id, timeout_ms);
	r = outcome_print(c, &m);
	meta_release(&m);
	return r;
}
