/* SPDX-License-Identifier: MIT */
#include "workers/ctl/plans.h"

#include "common/base/conf.h"
#include "common/base/err.h"
#include "common/base/plan.h"
#include "common/store/pg.h"
#include "common/store/planned.h"
#include "workers/ctl/ctl.h"

static const char SQL_SINCE[] =
	"SELECT (extract(epoch FROM since) * 1000000)::bigint FROM jobfleet.schedules"
	" WHERE name = $1 AND definition = $2";

static void note_wrong(void *ctx, const char *name, const struct err *why)
{
	ctl_note(ctx, "jobfleet: schedule %s of the database is left out: %s", name, why->msg);
}

int plans_load(struct ctl *c, struct plan **ret, struct err *e)
{
	const struct conf *conf;
	struct pg *pg = NULL;
	int r = ctl_conf(c, &conf, e);

	if (r < 0)
		return r;
	r = ctl_pg(c, &pg, e);
	if (r == 0)
		r = planned_read(pg, conf, note_wrong, c, ret, NULL, e);
	if (r == 0 || !err_is_transient(e->code))
		return r;
	ctl_note(c, "jobfleet: %s; as queues.conf has it:", e->msg);
	*ret = plan_new(conf);
	return 0;
}

int plans_find(const struct plan *p, const char *name, const struct conf_schedule **ret,
	       struct err *e)
{
	const char *near = plan_near(p, name);

	*ret = plan_find(p, name);
	if (*ret)
		return 0;
	return err_set(e, ERR_NOT_FOUND, "there is no schedule %.100s%s%s%s", name,
		       near ? "; did you mean " : "", near ? near : "", near ? "?" : "");
}

void plans_describe(const struct conf_schedule *s, char *out, size_t size)
{
	bool zoned = strcmp(s->timezone, "UTC") != 0;

	if (*s->cron || *s->at)
		snprintf(out, size, "%s%s%s%s%s", *s->at ? "at " : "", *s->cron ? s->cron : s->at,
			 zoned ? " (" : "", zoned ? s->timezone : "", zoned ? ")" : "");
	else if (s->every_ms)
		snprintf(out, size, "every %g s", (double)s->every_ms / 1000);
	else if (s->delay_ms)
		snprintf(out, size, "after %s + %g s", s->after, (double)s->delay_ms / 1000);
	else
		snprintf(out, size, "after %s", s->after);
}

int plans_schedule(struct ctl *c, const struct conf_schedule *s, int64_t now_us,
		   struct schedule *ret, struct err *e)
{
	struct pg_rows *rows = NULL;
	int r = schedule_init(ret, s, e);

	if (r < 0)
		return r;
	ret->anchor_us = now_us;
	if (s->every_ms > 0 &&
	    ctl_query(c, SQL_SINCE, PG_PARAMS(PG_TEXT(s->name), PG_TEXT(ret->definition)), &rows,
		      NULL) == 0 && pg_rows_count(rows) > 0)
		ret->anchor_us = pg_int(rows, 0, 0);
	pg_rows_free(rows);
	return 0;
}
