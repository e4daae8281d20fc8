/* SPDX-License-Identifier: MIT */
/* schedule run, pause and resume. */
#include "common/base/conf.h"
#include "common/base/err.h"
#include "common/base/json.h"
#include "common/base/mem.h"
#include "common/base/plan.h"
#include "common/store/pg.h"
#include "workers/ctl/action.h"
#include "workers/ctl/args.h"
#include "workers/ctl/operator.h"
#include "workers/ctl/plans.h"
#include "workers/ctl/schedules.h"

static const char SQL_RUN[] =
	"SELECT jobfleet.schedule_run($1, $2, $3::jsonb, $4::jsonb, $5, $6::integer, $7::jsonb,"
	" $8::bigint, $9)";

static const char SQL_PAUSE[] = "SELECT jobfleet.schedule_pause($1, $2::boolean, $3)";

static char *print_headers(const struct conf_schedule *s)
{
	cJSON *headers = mem_check(cJSON_CreateObject());
	char *text;

	if (s->max_retries != CONF_UNSET)
		json_set_num(headers, "x-jobfleet-max-retries", s->max_retries);
	if (s->retry_distance_ms > 0)
		json_set_num(headers, "x-jobfleet-retry-distance", (double)s->retry_distance_ms);
	text = json_print(headers);
	cJSON_Delete(headers);
	return text;
}

static void print_id(const struct ctl *c, const char *name, const char *id)
{
	cJSON *o = mem_check(cJSON_CreateObject());
	char *text;

	json_set_str(o, "schedule", name);
	json_set_str(o, "task_id", id);
	text = json_print(o);
	printf("%s\n", c->json ? text : id);
	free(text);
	cJSON_Delete(o);
}

static int run(struct ctl *c, const struct conf_schedule *s, struct err *e)
{
	const char *queue = *s->queue ? s->queue : conf_route(c->conf, s->task);
	char *headers = print_headers(s), by[OPERATOR_SIZE];
	struct pg_rows *rows = NULL;
	int r;

	operator_name(by);
	r = ctl_query(c, SQL_RUN,
		      PG_PARAMS(PG_TEXT(s->name), PG_TEXT(s->task), PG_TEXT(s->args),
				PG_TEXT(s->kwargs), PG_TEXT(queue),
				s->priority == CONF_UNSET ? PG_NULL : PG_INT(s->priority),
				PG_TEXT(headers), s->limit_ms > 0 ? PG_INT(s->limit_ms) : PG_NULL,
				PG_TEXT(by)),
		      &rows, e);
	if (r == 0)
		print_id(c, s->name, pg_text(rows, 0, 0));
	pg_rows_free(rows);
	free(headers);
	return r;
}

/* A schedule that somebody names; the plan stays open as long as it is used. */
static int open_named(struct ctl *c, const char *name, struct plan **ret_plan,
		      const struct conf_schedule **ret, struct err *e)
{
	int r = plans_load(c, ret_plan, e);

	return r < 0 ? r : plans_find(*ret_plan, name, ret, e);
}

int schedules_run(struct ctl *c, int argc, char **argv, struct err *e)
{
	const struct args_option options[] = { CTL_JSON_OPTION(c), CTL_QUIET_OPTION(c),
					       CTL_CONFIG_OPTION(c) };
	const struct args args = {
		.usage = "schedule run NAME [OPTION...]",
		.about =
			"Fires a schedule now, beside its due times, and prints the task's id. Overlap,"
			" condition and\n"
			"pauses do not count; one that is off can be run, too. What comes after it"
			" follows. Needs the\n"
			"role jobfleet_operator.",
		.options = options, .noptions = COUNT(options), .least = 1, .most = 1,
	};
	const struct conf_schedule *s = NULL;
	struct plan *plan = NULL;
	char **operands;
	int r = args_parse(&args, argc, argv, &operands, e);

	if (r != 0)
		return r < 0 ? r : CTL_OK;
	r = open_named(c, operands[0], &plan, &s, e);
	if (r == 0)
		r = action_begin(c, "schedule run", e);
	if (r == 0)
		r = run(c, s, e);
	plan_free(plan);
	return r < 0 ? r : CTL_OK;
}

static int pause_one(struct ctl *c, const char *name, bool on, struct err *e)
{
	char by[OPERATOR_SIZE];
	struct pg_rows *rows = NULL;
	const char *what;
	int r = action_begin(c, on ? "schedule pause" : "schedule resume", e);

	operator_name(by);
	if (r == 0)
		r = ctl_query(c, SQL_PAUSE,
			      PG_PARAMS(PG_TEXT(name), PG_TEXT(on ? "t" : "f"), PG_TEXT(by)), &rows,
			      e);
	if (r < 0)
		return r;
	what = pg_bool(rows, 0, 0) ? "" : " already";
	pg_rows_free(rows);
	if (c->json)
		printf("{\"schedule\": \"%s\", \"paused\": %s}\n", name, on ? "true" : "false");
	else
		printf("schedule %s is%s %s\n", name, what, on ? "paused" : "resumed");
	return CTL_OK;
}

static int pause_named(struct ctl *c, int argc, char **argv, bool on, const struct args *shape,
		       struct err *e)
{
	const struct conf_schedule *s = NULL;
	struct plan *plan = NULL;
	char **operands;
	int r = args_parse(shape, argc, argv, &operands, e);

	if (r != 0)
		return r < 0 ? r : CTL_OK;
	r = open_named(c, operands[0], &plan, &s, e);
	if (r == 0)
		r = pause_one(c, s->name, on, e);
	plan_free(plan);
	return r;
}

int schedules_pause(struct ctl *c, int argc, char **argv, struct err *e)
{
	const struct args_option options[] = { CTL_JSON_OPTION(c), CTL_QUIET_OPTION(c),
					       CTL_CONFIG_OPTION(c) };
	const struct args args = {
		.usage = "schedule pause NAME [OPTION...]",
		.about =
			"Lets nothing of a schedule fire until schedule resume; it survives restarts."
			" What falls due\n"
			"meanwhile is left out. Runs that were fired go on. Needs the role"
			" jobfleet_operator.",
		.options = options, .noptions = COUNT(options), .least = 1, .most = 1,
	};

	return pause_named(c, argc, argv, true, &args, e);
}

int schedules_resume(struct ctl *c, int argc, char **argv, struct err *e)
{
	const struct args_option options[] = { CTL_JSON_OPTION(c), CTL_QUIET_OPTION(c),
					       CTL_CONFIG_OPTION(c) };
	const struct args args = {
		.usage = "schedule resume NAME [OPTION...]",
		.about = "Undoes schedule pause: it fires at its next due time.",
		.options = options, .noptions = COUNT(options), .least = 1, .most = 1,
	};

	return pause_named(c, argc, argv, false, &args, e);
}
