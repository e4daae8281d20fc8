/* SPDX-License-Identifier: MIT */
#include "workers/dispatcher/unserved.h"

#include "common/base/buf.h"
#include "common/base/conf.h"
#include "common/base/err.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/broker/publisher.h"
#include "common/store/pg.h"

enum { ASK_MS = 2000, ENOUGH = 2, LIST_MAX = 1 << 20 };

/* $1 queues that nobody serves, $2 how many messages wait there, $3 those that are fine */
static const char SQL[] =
	"WITH bad AS (SELECT q, n FROM unnest($1::text[], $2::bigint[]) AS b (q, n)"
	"  WHERE NOT EXISTS (SELECT FROM jobfleet.pauses z WHERE z.paused AND (z.kind = 'fleet'"
	"   OR z.kind = 'queue' AND z.name = b.q)) AND NOT EXISTS (SELECT FROM jobfleet.alerts a"
	"   WHERE a.name = 'queue_unserved' AND a.subject = b.q AND a.resolved_at IS NULL))"
	" SELECT q, jobfleet.raise_alert('queue_unserved', q, 'ERROR',"
	"  format('%s messages wait in queue %s, and no worker consumes it', n, q))::text FROM bad"
	" UNION ALL SELECT NULL, jobfleet.settle_alert('queue_unserved', a.subject)::text"
	" FROM jobfleet.alerts a WHERE a.name = 'queue_unserved' AND a.resolved_at IS NULL"
	"  AND a.subject = ANY($3::text[])";

struct lists {
	struct buf bad, waiting, fine;
};

static void put(struct buf *list, const char *text)
{
	buf_puts(list, list->len > 1 ? ",\"" : "\"");
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			buf_putc(list, '\\');
		buf_putc(list, *text);
	}
	buf_putc(list, '"');
}

/* Sorts the i-th queue into a list, or into none while it is not certain. */
static int look_at(struct unserved *u, size_t i, struct publisher *p, struct lists *l,
		   struct err *e)
{
	const struct conf_queue *q = &u->conf->queues[i];
	int64_t ready = 0, consumers = 0;
	int r = publisher_queue_depth(p, q->name, &ready, &consumers, ASK_MS, e);

	if (r < 0 && r != -ERR_NOT_FOUND)
		return r;
	err_clear(e);
	u->all_empty = u->all_empty && ready == 0;
	if (ready == 0 || consumers > 0 || !*q->program) {
		u->looks[i] = 0;
		put(&l->fine, q->name);
	} else if (++u->looks[i] >= ENOUGH) {
		put(&l->bad, q->name);
		buf_printf(&l->waiting, "%s%lld", l->waiting.len > 1 ? "," : "", (long long)ready);
	}
	return 0;
}

static int tell(struct pg *pg, struct lists *l, struct err *e)
{
	struct pg_rows *rows = NULL;
	int64_t n;

	buf_putc(&l->bad, '}');
	buf_putc(&l->waiting, '}');
	buf_putc(&l->fine, '}');
	n = pg_run(pg, SQL, PG_PARAMS(PG_TEXT(buf_text(&l->bad)), PG_TEXT(buf_text(&l->waiting)),
				      PG_TEXT(buf_text(&l->fine))), &rows, e);
	for (size_t i = 0; n > 0 && i < pg_rows_count(rows); i++)
		if (pg_cell(rows, i, 0))
			log_warn("messages wait and nobody consumes queue=%s",
				 pg_text(rows, i, 0));
	pg_rows_free(rows);
	return n < 0 ? (int)n : 0;
}

int unserved_look(struct unserved *u, const struct conf *conf, struct pg *pg, struct publisher *p,
		  struct err *e)
{
	struct lists l;
	int r = 0;

	if (u->conf != conf || u->n != conf->nqueues) {
		free(u->looks);
		u->looks = mem_zalloc((conf->nqueues + 1) * sizeof *u->looks);
		u->conf = conf;
		u->n = conf->nqueues;
	}
	buf_init(&l.bad, LIST_MAX);
	buf_init(&l.waiting, LIST_MAX);
	buf_init(&l.fine, LIST_MAX);
	buf_putc(&l.bad, '{');
	buf_putc(&l.waiting, '{');
	buf_putc(&l.fine, '{');
	u->all_empty = true;
	for (size_t i = 0; r == 0 && i < conf->nqueues; i++)
		r = look_at(u, i, p, &l, e);
	if (r == 0)
		r = tell(pg, &l, e);
	u->all_empty = u->all_empty && r == 0;
	buf_release(&l.bad);
	buf_release(&l.waiting);
	buf_release(&l.fine);
	return r;
}

void unserved_release(struct unserved *u)
{
	free(u->looks);
}
