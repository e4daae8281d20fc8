/* SPDX-License-Identifier: MIT */
#include "workers/ctl/account.h"

#include "common/base/conf.h"
#include "common/base/err.h"
#include "common/base/mem.h"
#include "common/base/spool.h"
#include "common/broker/publisher.h"
#include "common/store/pg.h"
#include "workers/ctl/ctl.h"

enum { ASK_MS = 5000 };

static const struct {
	const char *place, *key, *title;
} PLACES[ACCOUNT_PLACES] = {
	[ACCOUNT_DONE] = { "done", "done", "done" },
	[ACCOUNT_FAILED] = { "failed", "failed", "failed" },
	[ACCOUNT_DEAD] = { "dead", "dead", "dead letters" },
	[ACCOUNT_REVOKED] = { "revoked", "revoked", "revoked" },
	[ACCOUNT_WAITING] = { "waiting", "waiting", "waiting in PostgreSQL" },
	[ACCOUNT_SCHEDULED] = { "scheduled", "scheduled", "scheduled for later" },
	[ACCOUNT_RUNNING] = { "running", "running", "running" },
	[ACCOUNT_DELIVERED] = { "delivered", "delivered", "with workers, not begun" },
	[ACCOUNT_BROKER] = { "sent", "in_broker", "in RabbitMQ" },
	[ACCOUNT_SPOOLED] = { "spooled", "spooled", "in this host's spool" },
	[ACCOUNT_REPLACED] = { "replaced", "replaced", "handed on to other tasks" },
	[ACCOUNT_LOOSE] = { "loose", "without_ledger", "sent, without a ledger" },
};

/* $1 seconds of a heartbeat, $2 since, $3 task, $4 queue */
static const char SQL_PLACES[] =
	"SELECT place, coalesce(queue, ''), n FROM jobfleet.audit_places(clock_timestamp(),"
	" $1::integer, $2::timestamptz, $3::text, $4::text)";

static const char SQL_SERVING[] =
	"SELECT q, count(*) FROM jobfleet.workers w, unnest(w.queues) q WHERE w.state <> 'stopped'"
	" AND w.program <> 'dispatcher' AND w.seen_at > now() - $1::integer * interval '3 s'"
	" GROUP BY q";

static const char SQL_PUT_BACKS[] =
	"SELECT count(*), to_json(min(stood_at))#>>'{}', to_json(max(lost_until))#>>'{}'"
	" FROM jobfleet.put_backs WHERE seen_at > now() - interval '7 days'";

struct account_queue *account_queue(struct account *a, const char *name)
{
	for (size_t i = 0; i < a->nqueues; i++) {
		if (strcmp(a->queues[i].name, name) == 0)
			return &a->queues[i];
	}
	return NULL;
}

static struct account_queue *add_queue(struct account *a, const char *name)
{
	struct account_queue *q = account_queue(a, name);

	if (q)
		return q;
	a->queues = mem_realloc(a->queues, (a->nqueues + 1) * sizeof *a->queues);
	q = &a->queues[a->nqueues++];
	*q = (struct account_queue){ .name = mem_strdup(name), .ready = -1, .consumers = -1 };
	return q;
}

static void count(struct account *a, const char *place, const char *queue, int64_t n)
{
	for (int i = 0; i < ACCOUNT_PLACES; i++) {
		if (strcmp(PLACES[i].place, place) == 0)
			a->n[i] += n;
	}
	if (strcmp(place, PLACES[ACCOUNT_BROKER].place) == 0)
		add_queue(a, queue)->sent += n;
}

static int read_tables(struct account *a, struct ctl *c, const struct account_filter *f,
		       struct pg *pg, struct err *e)
{
	int heartbeat_s = c->conf->fleet.heartbeat_s;
	struct pg_rows *places = NULL, *serving = NULL, *backs = NULL;
	int64_t n = pg_run(pg, SQL_PLACES,
			   PG_PARAMS(PG_INT(heartbeat_s), PG_TEXT(f->since), PG_TEXT(f->task),
				     PG_TEXT(f->queue)), &places, e);

	for (size_t i = 0; n >= 0 && i < pg_rows_count(places); i++)
		count(a, pg_text(places, i, 0), pg_text(places, i, 1), pg_int(places, i, 2));
	if (n >= 0)
		n = pg_run(pg, SQL_SERVING, PG_PARAMS(PG_INT(heartbeat_s)), &serving, e);
	for (size_t i = 0; n >= 0 && i < pg_rows_count(serving); i++) {
		struct account_queue *q = account_queue(a, pg_text(serving, i, 0));

		if (q)
			q->serving = pg_int(serving, i, 1);
	}
	if (n >= 0)
		n = pg_run(pg, SQL_PUT_BACKS, NULL, 0, &backs, e);
	if (n > 0) {
		a->put_backs = pg_int(backs, 0, 0);
		a->stood_at = mem_strdup(pg_text(backs, 0, 1));
		a->lost_until = mem_strdup(pg_text(backs, 0, 2));
	}
	pg_rows_free(places);
	pg_rows_free(serving);
	pg_rows_free(backs);
	return n < 0 ? (int)n : 0;
}

/* All of them of one instant. */
static int read_snapshot(struct account *a, struct ctl *c, const struct account_filter *f,
			 struct err *e)
{
	struct pg *pg = NULL;
	int r = ctl_pg(c, &pg, e);

	if (r == 0)
		r = pg_begin(pg, 0, e);
	if (r == 0)
		r = pg_exec(pg, "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY", e);
	if (r == 0)
		r = read_tables(a, c, f, pg, e);
	if (r == 0)
		r = pg_commit(pg, e);
	else if (pg)
		pg_rollback(pg);
	return r;
}

int account_ask_queue(struct account_queue *q, struct ctl *c, struct err *e)
{
	struct publisher *p = NULL;
	int r = ctl_publisher(c, &p, e);

	if (r == 0)
		r = publisher_queue_depth(p, q->name, &q->ready, &q->consumers, ASK_MS, e);
	if (r == -ERR_NOT_FOUND) {
		err_clear(e);
		q->ready = q->consumers = -1;
		r = 0;
	}
	return r;
}

int account_take(struct account *ret, struct ctl *c, const struct account_filter *f,
		 struct err *e)
{
	const struct conf *conf = NULL;
	struct account a = { 0 };
	int64_t bytes;
	int r = ctl_conf(c, &conf, e);

	for (size_t i = 0; r == 0 && i < conf->nqueues; i++) {
		if (!f->queue || strcmp(conf->queues[i].name, f->queue) == 0)
			add_queue(&a, conf->queues[i].name);
	}
	if (r == 0)
		r = read_snapshot(&a, c, f, e);
	for (size_t i = 0; r == 0 && i < a.nqueues; i++)
		r = account_ask_queue(&a.queues[i], c, e);
	if (r == 0 && !f->task && !f->queue)
		r = spool_size(conf->fleet.data_dir, &a.n[ACCOUNT_SPOOLED], &bytes, e);
	if (r < 0) {
		account_release(&a);
		return r;
	}
	*ret = a;
	return 0;
}

void account_release(struct account *a)
{
	for (size_t i = 0; i < a->nqueues; i++)
		free(a->queues[i].name);
	free(a->queues);
	free(a->stood_at);
	free(a->lost_until);
	*a = (struct account){ 0 };
}

const char *account_place_key(enum account_place place)
{
	return PLACES[place].key;
}

const char *account_place_title(enum account_place place)
{
	return PLACES[place].title;
}
