/* SPDX-License-Identifier: MIT */
/* queues: how full each queue is, how fast it moves, and what is odd about it. */
#include "workers/ctl/queues.h"

#include <poll.h>

#include "common/base/buf.h"
#include "common/base/conf.h"
#include "common/base/err.h"
#include "common/base/mem.h"
#include "common/base/scan.h"
#include "workers/ctl/args.h"
#include "workers/ctl/census.h"
#include "workers/ctl/ctl.h"
#include "workers/ctl/history.h"
#include "workers/ctl/table.h"

enum { SAMPLE_MS = 1000, SAMPLE_MAX_MS = 60000 };

static const struct table_column COLUMNS[] = {
	{ "queue", "queue", TABLE_TEXT },
	{ "program", "program", TABLE_TEXT },
	{ "ready", "ready", TABLE_NUMBER },
	{ "unacked", "unacked", TABLE_NUMBER },
	{ "consumers", "consumers", TABLE_NUMBER },
	{ "in/s", "in_per_s", TABLE_NUMBER },
	{ "out/s", "out_per_s", TABLE_NUMBER },
	{ "oldest", NULL, TABLE_NUMBER },
	{ NULL, "oldest_s", TABLE_NUMBER },
	{ NULL, "oldest_is", TABLE_TEXT },
	{ NULL, "oldest_note", TABLE_TEXT },
	{ "waiting", NULL, TABLE_NUMBER },
	{ NULL, "waiting", TABLE_JSON },
	{ NULL, "sent", TABLE_NUMBER },
	{ "state", "state", TABLE_TEXT },
	{ NULL, "paused", TABLE_BOOL },
	{ NULL, "pause_reason", TABLE_TEXT },
	{ NULL, "other_arguments", TABLE_BOOL },
	{ NULL, NULL, TABLE_TEXT },
};

/* The same for people with a small screen. */
static const struct table_column BRIEF[] = {
	{ "queue", "queue", TABLE_TEXT },
	{ NULL, "program", TABLE_TEXT },
	{ "ready", "ready", TABLE_NUMBER },
	{ "unack", "unacked", TABLE_NUMBER },
	{ "cons", "consumers", TABLE_NUMBER },
	{ "in/s", "in_per_s", TABLE_NUMBER },
	{ "out/s", "out_per_s", TABLE_NUMBER },
	{ "oldest", NULL, TABLE_NUMBER },
	{ NULL, "oldest_s", TABLE_NUMBER },
	{ NULL, "oldest_is", TABLE_TEXT },
	{ NULL, "oldest_note", TABLE_TEXT },
	{ "wait", NULL, TABLE_NUMBER },
	{ NULL, "waiting", TABLE_JSON },
	{ NULL, "sent", TABLE_NUMBER },
	{ "state", "state", TABLE_TEXT },
	{ NULL, "paused", TABLE_BOOL },
	{ NULL, "pause_reason", TABLE_TEXT },
	{ NULL, "other_arguments", TABLE_BOOL },
	{ "out before", NULL, TABLE_TEXT },
};

static void put_count(struct table *t, int64_t n)
{
	if (n < 0)
		table_put(t, NULL);
	else
		table_put_int(t, n);
}

static void put_number(struct table *t, double v, int digits)
{
	char text[32];

	snprintf(text, sizeof text, "%.*f", digits, v);
	table_put(t, v < 0 ? NULL : text);
}

static void put_age(struct table *t, const struct census_queue *q)
{
	static const char *const words[] = {
		[CENSUS_AGE_NONE] = "none", [CENSUS_AGE_EXACT] = "exact", [CENSUS_AGE_OWN] = "own",
		[CENSUS_AGE_BOUND] = "upper bound", [CENSUS_AGE_UNKNOWN] = "unknown",
	};
	bool known = q->age_kind != CENSUS_AGE_NONE && q->age_kind != CENSUS_AGE_UNKNOWN;
	char text[48];

	census_age_text(q, text, sizeof text);
	table_put(t, text);
	put_number(t, known ? q->age_s : -1, 1);
	table_put(t, words[q->age_kind]);
	table_put(t, census_age_note(q));
}

/* For people one number; for programs each kind. */
static void put_waiting(struct table *t, const struct census_queue *q)
{
	struct buf b;

	table_put_int(t, census_waiting(q));
	buf_init(&b, 1024);
	for (int k = 0; k < CENSUS_NKINDS; k++)
		buf_printf(&b, "%s\"%s\": %lld", k ? ", " : "{", CENSUS_KINDS[k],
			   (long long)q->waiting[k]);
	buf_putc(&b, '}');
	table_put(t, buf_text(&b));
	buf_release(&b);
}

static void put_queue(struct table *t, const struct census_queue *q, double out_per_s,
		      const struct history *history)
{
	char state[160], before[HISTORY_TEXT_SIZE];

	table_put(t, q->name);
	table_put(t, q->conf ? q->conf->program : NULL);
	put_count(t, q->ready);
	put_count(t, q->unacked);
	put_count(t, q->consumers);
	put_number(t, q->in_per_s, 1);
	put_number(t, out_per_s, 1);
	put_age(t, q);
	put_waiting(t, q);
	put_count(t, q->sent);
	census_state(q, state, sizeof state);
	table_put(t, state);
	table_put(t, q->paused || q->fleet_paused ? "t" : "f");
	table_put(t, q->paused || q->fleet_paused ? q->pause_reason : NULL);
	table_put(t, q->other_arguments ? "t" : "f");
	table_put(t, history ? history_text(history, q->name, before) : NULL);
}

/* What the columns do not say by themselves. */
static void print_notes(const struct census *x, int64_t sample_ms)
{
	printf("\nout/s: attempts settled in the ledger over the last %d s. ", CENSUS_WINDOW_S);
	if (sample_ms > 0)
		printf("in/s: over the %.1f s that this look took.\n", (double)sample_ms / 1000);
	else
		printf("in/s: not looked at (--sample).\n");
	for (size_t i = 0; i < x->n; i++) {
		const struct census_queue *q = &x->queues[i];

		if (*census_age_note(q))
			printf("%s, oldest: %s\n", q->name, census_age_note(q));
		if (*q->pause_reason)
			printf("%s, paused: %s\n", q->name, q->pause_reason);
		if (q->other_arguments)
			printf("%s: the broker's queue has other arguments than queues.conf; it is"
			       " used as it\n  stands. To change that, drain it and delete it:"
			       " its workers declare it anew.\n",
			       q->name);
	}
}

static int take(struct census *ret, struct ctl *c, char **names, int64_t sample_ms, struct err *e)
{
	struct census first = { 0 };
	int r = 0;

	if (sample_ms == 0)
		return census_take(ret, c, names, true, NULL, e);
	r = census_take(&first, c, names, false, NULL, e);
	if (r < 0)
		return r;
	poll(NULL, 0, (int)sample_ms);
	r = census_take(ret, c, names, true, &first, e);
	census_release(&first);
	return r;
}

struct table *queues_table(const struct census *x, bool brief, const struct history *history)
{
	struct table *t = table_new(brief ? BRIEF : COLUMNS, COUNT(COLUMNS));

	for (size_t i = 0; i < x->n; i++) {
		const struct census_queue *q = &x->queues[i];
		double window = (double)q->settled / CENSUS_WINDOW_S;

		put_queue(t, q, brief && q->settled_per_s >= 0 ? q->settled_per_s : window,
			  history);
	}
	return t;
}

static int show(struct ctl *c, const struct census *x, int64_t sample_ms)
{
	ctl_show(c, queues_table(x, false, NULL), "queues.conf names no queue");
	if (!c->json && !c->quiet)
		print_notes(x, sample_ms);
	return CTL_OK;
}

int queues_main(struct ctl *c, int argc, char **argv, struct err *e)
{
	const char *sample = NULL;
	const struct args_option options[] = {
		{ "sample", "DURATION", "between two looks, for in/s; 1s, 0 = one look", &sample,
		  NULL },
		{ "quiet", NULL, "the table only", NULL, &c->quiet },
		CTL_JSON_OPTION(c), CTL_CONFIG_OPTION(c),
	};
	const struct args args = {
		.usage = "queues [QUEUE...] [OPTION...]",
		.about =
			"Lists the queues of queues.conf (or those named): messages ready and"
			" unacked, consumers,\n"
			"rates, the age of the oldest message, what waits in PostgreSQL,"
			" pauses, and arguments that\n"
			"differ from queues.conf. failed_operations is the mailbox of the dead"
			" letters.",
		.options = options,
		.noptions = COUNT(options),
		.least = 0,
		.most = -1,
	};
	struct census x = { 0 };
	int64_t sample_ms = SAMPLE_MS;
	char **operands;
	int r = args_parse(&args, argc, argv, &operands, e);

	if (r != 0)
		return r < 0 ? r : CTL_OK;
	if (sample && scan_duration_ms(sample, &sample_ms, e) < 0)
		return err_prefix(e, "--sample");
	if (sample_ms > SAMPLE_MAX_MS)
		return err_set(e, ERR_USAGE, "--sample: at most 60s");
	r = take(&x, c, operands, sample_ms, e);
	if (r == 0)
		r = show(c, &x, sample_ms);
	census_release(&x);
	return r;
}
