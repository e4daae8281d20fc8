/* SPDX-License-Identifier: MIT */
/* What stands and works right now: workers, queues. */
#include "common/base/conf.h"
#include "common/base/err.h"
#include "common/base/mem.h"
#include "common/broker/publisher.h"
#include "common/store/pg.h"
#include "workers/ctl/args.h"
#include "workers/ctl/ctl.h"
#include "workers/ctl/table.h"

enum { ASK_MS = 5000 };

/* A worker that has not been seen for three heartbeats is gone, whatever its row says. */
static const char SQL_WORKERS[] =
	"SELECT node, program, CASE WHEN state <> 'stopped' AND seen_at < now() - 3 * $1 *"
	" interval '1 s'"
	" THEN 'lost' ELSE state END, array_to_string(queues, ','), to_json(queues),"
	" concurrency, active,"
	" reserved, processed, failed, pid, host, version,"
	" round(extract(epoch FROM now() - seen_at)), to_json(seen_at)#>>'{}',"
	" to_json(started_at)#>>'{}'"
	" FROM jobfleet.workers WHERE $2::bool OR state <> 'stopped' ORDER BY node";

static const struct table_column WORKER_COLUMNS[] = {
	{ "node", "node", TABLE_TEXT },
	{ "program", "program", TABLE_TEXT },
	{ "state", "state", TABLE_TEXT },
	{ "queues", NULL, TABLE_TEXT },
	{ NULL, "queues", TABLE_JSON },
	{ "children", "concurrency", TABLE_NUMBER },
	{ "active", "active", TABLE_NUMBER },
	{ "reserved", "reserved", TABLE_NUMBER },
	{ "done", "processed", TABLE_NUMBER },
	{ "failed", "failed", TABLE_NUMBER },
	{ "pid", "pid", TABLE_NUMBER },
	{ NULL, "host", TABLE_TEXT },
	{ "version", "version", TABLE_TEXT },
	{ "seen s ago", "seen_s_ago", TABLE_NUMBER },
	{ NULL, "seen_at", TABLE_TEXT },
	{ NULL, "started_at", TABLE_TEXT },
};

int workers_main(struct ctl *c, int argc, char **argv, struct err *e)
{
	bool all = false;
	const struct args_option options[] = {
		{ "all", NULL, "stopped ones, too", NULL, &all },
		CTL_JSON_OPTION(c), CTL_CONFIG_OPTION(c),
	};
	const struct args args = {
		.usage = "workers [OPTION...]",
		.about = "Lists the worker programs as they last reported themselves.",
		.options = options, .noptions = COUNT(options), .least = 0, .most = 0,
	};
	struct table *t;
	struct pg_rows *rows = NULL;
	struct pg *p = NULL;
	char **operands;
	int r = args_parse(&args, argc, argv, &operands, e);

	if (r != 0)
		return r < 0 ? r : CTL_OK;
	r = ctl_pg(c, &p, e);
	if (r == 0 && pg_run(p, SQL_WORKERS, PG_PARAMS(PG_INT(c->conf->fleet.heartbeat_s),
						       PG_TEXT(all ? "t" : "f")), &rows, e) < 0)
		r = -(int)e->code;
	if (r < 0)
		return r;
	t = table_new(WORKER_COLUMNS, COUNT(WORKER_COLUMNS));
	table_put_rows(t, rows);
	pg_rows_free(rows);
	return ctl_show(c, t, "no worker has reported itself");
}

static const struct table_column QUEUE_COLUMNS[] = {
	{ "queue", "queue", TABLE_TEXT },
	{ "program", "program", TABLE_TEXT },
	{ "ready", "ready", TABLE_NUMBER },
	{ "consumers", "consumers", TABLE_NUMBER },
	{ "state", "state", TABLE_TEXT },
};

static int put_queue(struct table *t, struct publisher *p, const char *queue, const char *program,
		     struct err *e)
{
	int64_t ready = 0, consumers = 0;
	int r = publisher_queue_depth(p, queue, &ready, &consumers, ASK_MS, e);

	if (r < 0 && r != -ERR_NOT_FOUND)
		return r;
	table_put(t, queue);
	table_put(t, program);
	if (r < 0) {
		table_put(t, NULL);
		table_put(t, NULL);
		table_put(t, "not declared");
	} else {
		table_put_int(t, ready);
		table_put_int(t, consumers);
		table_put(t, consumers == 0 && program ? "nobody consumes" : "ok");
	}
	return 0;
}

int queues_main(struct ctl *c, int argc, char **argv, struct err *e)
{
	const struct args_option options[] = { CTL_JSON_OPTION(c), CTL_CONFIG_OPTION(c) };
	const struct args args = {
		.usage = "queues [QUEUE...] [OPTION...]",
		.about =
			"Lists the queues of queues.conf (or those named) with the messages that"
			" are ready for\n"
			"delivery and the consumers; failed_operations is the mailbox of the"
			" dead letters.",
		.options = options,
		.noptions = COUNT(options),
		.least = 0,
		.most = -1,
	};
	struct publisher *p = NULL;
	struct table *t;
	char **operands;
	int r = args_parse(&args, argc, argv, &operands, e);

	if (r != 0)
		return r < 0 ? r : CTL_OK;
	r = ctl_publisher(c, &p, e);
	if (r < 0)
		return r;
	t = table_new(QUEUE_COLUMNS, COUNT(QUEUE_COLUMNS));
	for (size_t i = 0; r == 0 && operands[i]; i++) {
		const struct conf_queue *q = conf_queue(c->conf, operands[i]);

		r = put_queue(t, p, operands[i], q ? q->program : NULL, e);
	}
	for (size_t i = 0; r == 0 && !operands[0] && i < c->conf->nqueues; i++)
		r = put_queue(t, p, c->conf->queues[i].name, c->conf->queues[i].program, e);
	if (r == 0 && !operands[0])
		r = put_queue(t, p, "failed_operations", NULL, e);
	if (r == 0)
		return ctl_show(c, t, "queues.conf names no queue");
	table_free(t);
	return r;
}
