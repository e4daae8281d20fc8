/* SPDX-License-Identifier: MIT */
/* schedule: what queues.conf plans, and when it last happened. */
#include "common/base/conf.h"
#include "common/base/err.h"
#include "common/base/mem.h"
#include "common/store/pg.h"
#include "workers/ctl/args.h"
#include "workers/ctl/ctl.h"
#include "workers/ctl/table.h"

static const char SQL_STATE[] =
	"SELECT to_char(s.next_due, 'YYYY-MM-DD HH24:MI'), coalesce(s.paused, false),"
	" to_char(f.due, 'YYYY-MM-DD HH24:MI:SS'), f.task_id, coalesce(l.outcome, CASE WHEN"
	" f.due IS NULL"
	" THEN NULL WHEN d.task_id IS NOT NULL THEN 'dead' ELSE 'under way' END),"
	" round(extract(epoch FROM l.settled_at - l.started_at)::numeric, 1)"
	" FROM (SELECT $1::text AS name) n LEFT JOIN jobfleet.schedules s ON s.name = n.name"
	" LEFT JOIN LATERAL (SELECT due, task_id FROM jobfleet.schedule_fires"
	"  WHERE schedule = n.name ORDER BY due DESC LIMIT 1) f ON true"
	" LEFT JOIN jobfleet.ledger l ON l.task_id = f.task_id AND l.final"
	" LEFT JOIN jobfleet.dead_letters d ON d.task_id = f.task_id AND d.state = 'dead'"
	" ORDER BY l.generation DESC LIMIT 1";

static const struct table_column COLUMNS[] = {
	{ "schedule", "schedule", TABLE_TEXT },
	{ "when", "when", TABLE_TEXT },
	{ "task", "task", TABLE_TEXT },
	{ NULL, "args", TABLE_JSON },
	{ NULL, "kwargs", TABLE_JSON },
	{ "state", "state", TABLE_TEXT },
	{ "next (UTC)", "next_due", TABLE_TEXT },
	{ "last fired (UTC)", "last_due", TABLE_TEXT },
	{ NULL, "last_task_id", TABLE_TEXT },
	{ "outcome", "last_outcome", TABLE_TEXT },
	{ "took s", "last_run_s", TABLE_NUMBER },
};

static void describe(const struct conf_schedule *s, char *out, size_t size)
{
	if (*s->cron && strcmp(s->timezone, "UTC") != 0)
		snprintf(out, size, "%s (%s)", s->cron, s->timezone);
	else if (*s->cron)
		snprintf(out, size, "%s", s->cron);
	else if (s->every_ms)
		snprintf(out, size, "every %g s", (double)s->every_ms / 1000);
	else if (s->delay_ms)
		snprintf(out, size, "after %s + %g s", s->after, (double)s->delay_ms / 1000);
	else
		snprintf(out, size, "after %s", s->after);
}

static int put_schedule(struct table *t, struct pg *p, const struct conf_schedule *s, struct err *e)
{
	struct pg_rows *rows = NULL;
	char when[160];

	if (pg_run(p, SQL_STATE, PG_PARAMS(PG_TEXT(s->name)), &rows, e) < 0)
		return -(int)e->code;
	describe(s, when, sizeof when);
	table_put(t, s->name);
	table_put(t, when);
	table_put(t, s->task);
	table_put(t, s->args);
	table_put(t, s->kwargs);
	table_put(t, !s->enabled ? "off" : pg_bool(rows, 0, 1) ? "paused" : "on");
	table_put(t, s->enabled && !*s->after ? pg_cell(rows, 0, 0) : NULL);
	for (int col = 2; col < 6; col++)
		table_put(t, pg_cell(rows, 0, col));
	pg_rows_free(rows);
	return 0;
}

static int list(struct ctl *c, int argc, char **argv, struct err *e)
{
	const struct args_option options[] = { CTL_JSON_OPTION(c), CTL_CONFIG_OPTION(c) };
	const struct args args = {
		.usage = "schedule list [OPTION...]",
		.about =
			"Lists the schedules of queues.conf: when they are due next, when they"
			" last fired and\n"
			"how that ended.",
		.options = options,
		.noptions = COUNT(options),
		.least = 0,
		.most = 0,
	};
	const struct conf *conf;
	struct pg *p = NULL;
	struct table *t;
	char **operands;
	int r = args_parse(&args, argc, argv, &operands, e);

	if (r != 0)
		return r < 0 ? r : CTL_OK;
	r = ctl_conf(c, &conf, e);
	if (r == 0)
		r = ctl_pg(c, &p, e);
	if (r < 0)
		return r;
	t = table_new(COLUMNS, COUNT(COLUMNS));
	for (size_t i = 0; r == 0 && i < conf->nschedules; i++)
		r = put_schedule(t, p, &conf->schedules[i], e);
	if (r == 0)
		return ctl_show(c, t, "queues.conf plans nothing");
	table_free(t);
	return r;
}

int schedule_main(struct ctl *c, int argc, char **argv, struct err *e)
{
	static const struct ctl_command commands[] = {
		{ "list", list, "the schedules and when they fire" },
	};

	return ctl_sub(c, "schedule", "jobfleet schedule list", commands, COUNT(commands), argc,
		       argv, e);
}
