/* SPDX-License-Identifier: MIT */
/* schedule: what is planned, when it last happened, and how well it goes. */
#include "common/base/buf.h"
#include "common/base/conf.h"
#include "common/base/err.h"
#include "common/base/mem.h"
#include "common/base/plan.h"
#include "common/store/pg.h"
#include "workers/ctl/args.h"
#include "workers/ctl/ctl.h"
#include "workers/ctl/plans.h"
#include "workers/ctl/schedules.h"
#include "workers/ctl/table.h"

enum { NAMES_MAX = 16 << 20 };

#define UTC(column, format) "to_char(" column " AT TIME ZONE 'UTC', '" format "')"

static const char SQL_STATE[] =
	"SELECT " UTC("s.next_due", "YYYY-MM-DD HH24:MI") ", coalesce(s.paused, false),"
	" " UTC("f.due", "YYYY-MM-DD HH24:MI:SS") ", f.task_id, coalesce(l.outcome, CASE WHEN"
	" f.due IS NULL THEN NULL WHEN d.task_id IS NOT NULL THEN 'dead'"
	" ELSE coalesce(f.outcome, CASE WHEN f.held THEN 'held' ELSE 'under way' END) END),"
	" round(extract(epoch FROM coalesce(f.ended_at, l.settled_at)"
	"  - coalesce(f.started_at, l.started_at))::numeric, 1),"
	" t.runs, t.success_rate, t.mean_s, t.success_rate_before, t.mean_s_before"
	" FROM (SELECT $1::text AS name) n LEFT JOIN jobfleet.schedules s ON s.name = n.name"
	" LEFT JOIN LATERAL (SELECT * FROM jobfleet.schedule_fires"
	"  WHERE schedule = n.name ORDER BY due DESC LIMIT 1) f ON true"
	" LEFT JOIN jobfleet.ledger l ON l.task_id = f.task_id AND l.final"
	" LEFT JOIN jobfleet.dead_letters d ON d.task_id = f.task_id AND d.state = 'dead'"
	" LEFT JOIN jobfleet.schedule_stats(now()) t ON t.schedule = n.name"
	" ORDER BY l.generation DESC LIMIT 1";

static const char SQL_TASKS[] =
	"SELECT task, runs, success_rate, mean_s, runs_before, success_rate_before, mean_s_before,"
	" CASE WHEN success_rate > success_rate_before THEN 'better'"
	"  WHEN success_rate < success_rate_before THEN 'worse'"
	"  WHEN success_rate_before IS NULL OR success_rate IS NULL THEN NULL ELSE 'same' END,"
	" round(100 * (mean_s / nullif(mean_s_before, 0) - 1), 1)"
	" FROM jobfleet.task_stats(now()) ORDER BY task";

static const struct table_column COLUMNS[] = {
	{ "schedule", "schedule", TABLE_TEXT },
	{ "when", "when", TABLE_TEXT },
	{ "task", "task", TABLE_TEXT },
	{ NULL, "args", TABLE_JSON },
	{ NULL, "kwargs", TABLE_JSON },
	{ "state", "state", TABLE_TEXT },
	{ NULL, "origin", TABLE_TEXT },
	{ NULL, "overlap", TABLE_TEXT },
	{ NULL, "condition", TABLE_TEXT },
	{ "next (UTC)", "next_due", TABLE_TEXT },
	{ "last fired (UTC)", "last_due", TABLE_TEXT },
	{ NULL, "last_task_id", TABLE_TEXT },
	{ "outcome", "last_outcome", TABLE_TEXT },
	{ "took s", "last_run_s", TABLE_NUMBER },
	{ NULL, "runs_24h", TABLE_NUMBER },
	{ NULL, "success_rate_24h", TABLE_NUMBER },
	{ NULL, "mean_s_24h", TABLE_NUMBER },
	{ NULL, "success_rate_before", TABLE_NUMBER },
	{ NULL, "mean_s_before", TABLE_NUMBER },
};

static const struct table_column STATS[] = {
	{ "schedule", "schedule", TABLE_TEXT },
	{ "runs 24 h", "runs_24h", TABLE_NUMBER },
	{ "success %", "success_rate_24h", TABLE_NUMBER },
	{ "mean s", "mean_s_24h", TABLE_NUMBER },
	{ "records", "records_24h", TABLE_NUMBER },
	{ "runs before", "runs_before", TABLE_NUMBER },
	{ "success % before", "success_rate_before", TABLE_NUMBER },
	{ "mean s before", "mean_s_before", TABLE_NUMBER },
	{ "trend", "trend", TABLE_TEXT },
	{ "time %", "mean_change_percent", TABLE_NUMBER },
};

/* $1: the names of the plan; what ran and is planned no more stands there, too. */
static const char SQL_STATS[] =
	"SELECT coalesce(n.name, s.schedule), coalesce(runs, 0), success_rate, mean_s, coalesce(records, 0),"
	" coalesce(runs_before, 0), success_rate_before,"
	" mean_s_before, CASE WHEN success_rate > success_rate_before THEN 'better'"
	"  WHEN success_rate < success_rate_before THEN 'worse'"
	"  WHEN success_rate_before IS NULL OR success_rate IS NULL THEN NULL ELSE 'same' END,"
	" round(100 * (mean_s / nullif(mean_s_before, 0) - 1), 1)"
	" FROM jobfleet.schedule_stats(now()) s FULL JOIN jsonb_array_elements_text($1::jsonb) AS n (name)"
	" ON n.name = s.schedule ORDER BY 1";

static const struct table_column TASKS[] = {
	{ "task", "task", TABLE_TEXT },
	{ "runs 24 h", "runs_24h", TABLE_NUMBER },
	{ "success %", "success_rate_24h", TABLE_NUMBER },
	{ "mean s", "mean_s_24h", TABLE_NUMBER },
	{ "runs before", "runs_before", TABLE_NUMBER },
	{ "success % before", "success_rate_before", TABLE_NUMBER },
	{ "mean s before", "mean_s_before", TABLE_NUMBER },
	{ "trend", "trend", TABLE_TEXT },
	{ "time %", "mean_change_percent", TABLE_NUMBER },
};

static const char *overlap_word(const struct conf_schedule *s)
{
	static const char *const words[] = { [CONF_OVERLAP_ALLOW] = "allow",
					     [CONF_OVERLAP_SKIP] = "skip",
					     [CONF_OVERLAP_QUEUE] = "queue",
					     [CONF_OVERLAP_REPLACE] = "replace" };

	return words[s->overlap];
}

static const char *origin_word(enum plan_origin origin)
{
	return origin == PLAN_FILE ? "file" : origin == PLAN_DATABASE ? "database" : "both";
}

static void put_schedule(struct table *t, const struct conf_schedule *s, enum plan_origin origin,
			 const struct pg_rows *rows)
{
	bool there = rows != NULL;
	char when[400];

	plans_describe(s, when, sizeof when);
	table_put(t, s->name);
	table_put(t, when);
	table_put(t, s->task);
	table_put(t, s->args);
	table_put(t, s->kwargs);
	table_put(t, !s->enabled ? "off" : there && pg_bool(rows, 0, 1) ? "paused" : "on");
	table_put(t, origin_word(origin));
	table_put(t, overlap_word(s));
	table_put(t, *s->condition ? s->condition : NULL);
	table_put(t, there && s->enabled && !*s->after ? pg_cell(rows, 0, 0) : NULL);
	for (int col = 2; col < 11; col++)
		table_put(t, there ? pg_cell(rows, 0, col) : NULL);
}

static int list_all(struct ctl *c, struct err *e)
{
	struct plan *plan = NULL;
	struct table *t;
	int r = plans_load(c, &plan, e);

	if (r < 0)
		return r;
	t = table_new(COLUMNS, COUNT(COLUMNS));
	for (size_t i = 0; i < plan_count(plan); i++) {
		const struct conf_schedule *s = plan_at(plan, i);
		struct pg_rows *rows = NULL;

		if (c->pg)
			r = ctl_query(c, SQL_STATE, PG_PARAMS(PG_TEXT(s->name)), &rows, e);
		if (r < 0)
			break;
		put_schedule(t, s, plan_origin(plan, i), rows);
		pg_rows_free(rows);
	}
	plan_free(plan);
	if (r == 0)
		return ctl_show(c, t, "nothing is planned");
	table_free(t);
	return r;
}

static int show_tasks(struct ctl *c, struct err *e)
{
	struct table *t = NULL;
	int r = ctl_query_table(c, SQL_TASKS, NULL, 0, TASKS, COUNT(TASKS), &t, e);

	return r < 0 ? r : ctl_show(c, t, "nothing ran in the last two days");
}

static int show_stats(struct ctl *c, struct err *e)
{
	struct plan *plan = NULL;
	struct table *t = NULL;
	struct buf names;
	int r = plans_load(c, &plan, e);

	if (r < 0)
		return r;
	buf_init(&names, NAMES_MAX);
	for (size_t i = 0; i < plan_count(plan); i++) {
		buf_putc(&names, i ? ',' : '[');
		buf_put_json_string(&names, plan_at(plan, i)->name);
	}
	buf_puts(&names, plan_count(plan) ? "]" : "[]");
	plan_free(plan);
	r = ctl_query_table(c, SQL_STATS, PG_PARAMS(PG_TEXT(buf_text(&names))), STATS, COUNT(STATS),
			    &t, e);
	buf_release(&names);
	return r < 0 ? r : ctl_show(c, t, "nothing is planned");
}

static int list(struct ctl *c, int argc, char **argv, struct err *e)
{
	bool stats = false, tasks = false;
	const struct args_option options[] = {
		{ "stats", NULL, "success and duration of the last 24 h, and of those before", NULL,
		  &stats },
		{ "tasks", NULL, "the same of every task, scheduled or not", NULL, &tasks },
		CTL_JSON_OPTION(c), CTL_QUIET_OPTION(c), CTL_CONFIG_OPTION(c),
	};
	const struct args args = {
		.usage = "schedule list [--stats | --tasks] [OPTION...]",
		.about =
			"Lists the schedules of queues.conf and of the database: when they are due"
			" next, when they\n"
			"last fired and how that ended.",
		.options = options, .noptions = COUNT(options), .least = 0, .most = 0,
	};
	char **operands;
	int r = args_parse(&args, argc, argv, &operands, e);

	if (r != 0)
		return r < 0 ? r : CTL_OK;
	return tasks ? show_tasks(c, e) : stats ? show_stats(c, e) : list_all(c, e);
}

int schedule_main(struct ctl *c, int argc, char **argv, struct err *e)
{
	static const struct ctl_command commands[] = {
		{ "list", list, "the schedules and when they fire; --stats: how well they go" },
		{ "next", schedules_next, "what is due next" },
		{ "simulate", schedules_simulate, "when one would fire between two times" },
		{ "history", schedules_history, "runs and what was left out, newest first" },
		{ "run", schedules_run, "fire one now" },
		{ "add", schedules_add, "a new one, kept in the database" },
		{ "set", schedules_set, "change settings of one" },
		{ "remove", schedules_remove, "take out what the database has of one" },
		{ "pause", schedules_pause, "let nothing of one fire until resume" },
		{ "resume", schedules_resume, "let it fire again" },
	};

	return ctl_sub(c, "schedule", "jobfleet schedule COMMAND [NAME] [OPTION...]", commands,
		       COUNT(commands), argc, argv, e);
}
