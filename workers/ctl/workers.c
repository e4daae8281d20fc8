/* SPDX-License-Identifier: MIT */
/* workers: the worker programs as they last reported themselves. */
#include "workers/ctl/workers.h"

#include "common/base/conf.h"
#include "common/base/err.h"
#include "common/base/mem.h"
#include "common/store/pg.h"
#include "workers/ctl/args.h"
#include "workers/ctl/ctl.h"
#include "workers/ctl/table.h"

enum { WINDOW_S = 60 };

/* A worker that has not been seen for three heartbeats is gone, whatever its row says. Dispatchers
 * report every 10 s. */
static const char SQL[] =
	"WITH done AS (SELECT node, count(*) AS n, count(*) FILTER (WHERE outcome = 'failure')"
	"  AS failed FROM jobfleet.ledger WHERE settled_at > now() - $3 * interval '1 s'"
	"  GROUP BY node)"
	" SELECT w.node, w.program, CASE WHEN state <> 'stopped' AND seen_at < now() - 3 *"
	" CASE program WHEN 'dispatcher' THEN greatest(10, $1::int) ELSE $1 END * interval '1 s'"
	" THEN 'lost' ELSE state END, array_to_string(queues, ','),"
	" to_json(queues), concurrency, active, reserved, processed, w.failed,"
	" round(coalesce(d.n, 0)::numeric / $3::int, 1), round(coalesce(d.failed, 0)::numeric / $3::int, 1),"
	" host, pid, version, to_char(started_at, 'MM-DD HH24:MI'),"
	" round(extract(epoch FROM now() - seen_at)), to_json(seen_at)#>>'{}',"
	" to_json(started_at)#>>'{}', info"
	" FROM jobfleet.workers w LEFT JOIN done d ON d.node = w.node"
	" WHERE $2::bool OR state <> 'stopped'"
	" ORDER BY CASE $4::int WHEN 1 THEN -active WHEN 2 THEN -coalesce(d.n, 0) END, w.node";

static const struct table_column COLUMNS[] = {
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
	{ "done/s", "settled_per_s", TABLE_NUMBER },
	{ NULL, "failed_per_s", TABLE_NUMBER },
	{ "host", "host", TABLE_TEXT },
	{ "pid", "pid", TABLE_NUMBER },
	{ "version", "version", TABLE_TEXT },
	{ "since (UTC)", NULL, TABLE_TEXT },
	{ "seen s ago", "seen_s_ago", TABLE_NUMBER },
	{ NULL, "seen_at", TABLE_TEXT },
	{ NULL, "started_at", TABLE_TEXT },
	{ NULL, "info", TABLE_JSON },
};

/* The same for people who look again and again. */
static const struct table_column BRIEF[] = {
	{ "node", "node", TABLE_TEXT },
	{ NULL, "program", TABLE_TEXT },
	{ "state", "state", TABLE_TEXT },
	{ "queues", NULL, TABLE_TEXT },
	{ NULL, "queues", TABLE_JSON },
	{ "children", "concurrency", TABLE_NUMBER },
	{ "active", "active", TABLE_NUMBER },
	{ "reserved", "reserved", TABLE_NUMBER },
	{ "done", "processed", TABLE_NUMBER },
	{ "failed", "failed", TABLE_NUMBER },
	{ "done/s", "settled_per_s", TABLE_NUMBER },
	{ NULL, "failed_per_s", TABLE_NUMBER },
	{ NULL, "host", TABLE_TEXT },
	{ NULL, "pid", TABLE_NUMBER },
	{ NULL, "version", TABLE_TEXT },
	{ NULL, NULL, TABLE_TEXT },
	{ "seen s ago", "seen_s_ago", TABLE_NUMBER },
	{ NULL, "seen_at", TABLE_TEXT },
	{ NULL, "started_at", TABLE_TEXT },
	{ NULL, "info", TABLE_JSON },
};

int workers_table(struct ctl *c, bool all, bool brief, enum workers_order order,
		  struct table **ret, struct err *e)
{
	const struct conf *conf;
	int r = ctl_conf(c, &conf, e);

	if (r < 0)
		return r;
	return ctl_query_table(c, SQL,
			       PG_PARAMS(PG_INT(conf->fleet.heartbeat_s), PG_TEXT(all ? "t" : "f"),
					 PG_INT(WINDOW_S), PG_INT(order)),
			       brief ? BRIEF : COLUMNS, COUNT(COLUMNS), ret, e);
}

int workers_main(struct ctl *c, int argc, char **argv, struct err *e)
{
	bool all = false;
	const struct args_option options[] = {
		{ "all", NULL, "stopped ones, too", NULL, &all },
		CTL_JSON_OPTION(c), CTL_CONFIG_OPTION(c),
	};
	const struct args args = {
		.usage = "workers [OPTION...]",
		.about =
			"Lists the worker programs as they last reported themselves; \"lost\" is"
			" one that has been\n"
			"silent for three heartbeats. done/s: attempts settled in the ledger"
			" over the last minute.",
		.options = options,
		.noptions = COUNT(options),
		.least = 0,
		.most = 0,
	};
	struct table *t = NULL;
	char **operands;
	int r = args_parse(&args, argc, argv, &operands, e);

	if (r != 0)
		return r < 0 ? r : CTL_OK;
	r = workers_table(c, all, false, WORKERS_BY_NAME, &t, e);
	return r < 0 ? r : ctl_show(c, t, "no worker has reported itself");
}
