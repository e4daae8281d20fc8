/* SPDX-License-Identifier: MIT */
/* audit: everything that was accepted is accounted for, or named. */
#include "workers/ctl/audit.h"

#include "common/base/clock.h"
#include "common/base/conf.h"
#include "common/base/err.h"
#include "common/base/mem.h"
#include "common/base/scan.h"
#include "workers/ctl/action.h"
#include "workers/ctl/args.h"
#include "workers/ctl/ctl.h"

enum { WAIT_MS = 30000, WAIT_MAX_MS = 3600000 };

static const char ABOUT[] =
	"Proves that what was accepted is done, failed, dead, revoked, waiting, scheduled, running,"
	" in\n"
	"RabbitMQ or in this host's spool, and names what is missing: its id, task, queue, when it"
	" was\n"
	"accepted and where it was seen last. Whatever is not where it should be is looked for again"
	" until\n"
	"two looks agree, so a busy fleet raises no false alarm. Depths are RabbitMQ's own, what runs"
	" the\n"
	"workers' own word. What other clients published is not known before a worker has it.\n\n"
	"Exit status: 0 it balances, 1 something is missing, or ended without PostgreSQL knowing, 2"
	" not\n"
	"certain in time, 100 wrong usage, 111 a service is away.";

struct texts {
	const char *since, *wait;
	bool look, results, repair;
	char from[CLOCK_ISO_SIZE];
};

bool audit_balances(const struct audit *a)
{
	return audit_missing(a) == 0 && a->unknown.n == 0 && !a->missing.unsure;
}

/* A duration back from now, or a point in time. */
static int read_since(struct texts *t, struct audit *a, struct err *e)
{
	int64_t us, ms;

	if (!t->since)
		return 0;
	if (scan_duration_ms(t->since, &ms, NULL) == 0)
		us = clock_wall_us() - ms * 1000;
	else if (clock_parse_iso(t->since, &us, NULL) < 0)
		return err_set(e, ERR_USAGE,
			       "--since: \"%.60s\" is neither a duration such as 2h nor a time such"
			       " as 2026-11-21T20:15:00+00:00", t->since);
	clock_iso(us, t->from);
	a->filter.since = t->from;
	return 0;
}

static int read_wait(const struct texts *t, int64_t *ret_ms, struct err *e)
{
	*ret_ms = WAIT_MS;
	if (!t->wait)
		return 0;
	if (scan_duration_ms(t->wait, ret_ms, e) < 0) {
		e->code = ERR_USAGE;
		return err_prefix(e, "--wait");
	}
	if (*ret_ms < 1 || *ret_ms > WAIT_MAX_MS)
		return err_set(e, ERR_USAGE, "--wait: give 1ms to 1h");
	return 0;
}

/* What is certainly lost. Rows whose task ended by Redis' word are not among them. */
static int repair(struct audit *a, struct err *e)
{
	int r = action_begin(a->ctl, "audit repair", e);

	if (r == 0)
		r = suspects_send_again(&a->missing, a->ctl, e);
	if (r >= 0)
		a->sent_again = r;
	return r < 0 ? r : 0;
}

static int take(struct audit *a, const struct texts *t, int64_t wait_ms, struct err *e)
{
	int64_t deadline = clock_mono_ms() + wait_ms;
	struct ctl *c = a->ctl;
	bool all;
	int r = account_take(&a->account, c, &a->filter, e);

	if (r == 0)
		r = suspects_find(&a->missing, &a->account, c, &a->filter, t->look, deadline, e);
	all = r == 0 && (t->results || a->account.put_backs > 0);
	if (all)
		ctl_note(c, "comparing the results in Redis with the ledger");
	if (r == 0)
		r = hindsight_take(&a->unknown, &a->missing, c, &a->filter, all,
				   t->results ? a->filter.since : a->account.stood_at, e);
	if (r == 0 && t->repair && !a->missing.unsure)
		r = repair(a, e);
	return r;
}

static int audit(struct audit *a, const struct texts *t, int64_t wait_ms, struct err *e)
{
	int r = take(a, t, wait_ms, e);

	if (r == 0) {
		audit_print(a);
		r = a->missing.unsure ? CTL_TIMEOUT : audit_balances(a) ? CTL_OK : CTL_FAILED;
	}
	account_release(&a->account);
	suspects_release(&a->missing);
	hindsight_release(&a->unknown);
	return r;
}

int audit_main(struct ctl *c, int argc, char **argv, struct err *e)
{
	struct audit a = { .ctl = c, .sent_again = -1 };
	struct texts t = { 0 };
	const struct args_option options[] = {
		{ "queue", "NAME", "only this queue's", &a.filter.queue, NULL },
		{ "task", "NAME", "only this task's; its last part will do", &a.filter.task, NULL },
		{ "since", "WHEN", "accepted or ended since: a duration back, or a time", &t.since,
		  NULL },
		{ "wait", "DURATION", "how long to look again for what is not found; 30s", &t.wait,
		  NULL },
		{ "look", NULL, "look into queues that hold fewer messages than they should", NULL,
		  &t.look },
		{ "results", NULL, "also compare all results in Redis with the ledger", NULL,
		  &t.results },
		{ "repair", NULL, "send again what is certainly lost", NULL, &t.repair },
		CTL_JSON_OPTION(c), CTL_QUIET_OPTION(c), CTL_CONFIG_OPTION(c),
	};
	const struct args args = {
		.usage = "audit [OPTION...]", .about = ABOUT, .options = options,
		.noptions = COUNT(options), .least = 0, .most = 0,
	};
	char **operands;
	int64_t wait_ms = WAIT_MS;
	int r = args_parse(&args, argc, argv, &operands, e);

	if (r != 0)
		return r < 0 ? r : CTL_OK;
	r = read_since(&t, &a, e);
	if (r == 0)
		r = read_wait(&t, &wait_ms, e);
	return r < 0 ? r : audit(&a, &t, wait_ms, e);
}
