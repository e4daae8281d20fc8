/* SPDX-License-Identifier: MIT */
#include "workers/ctl/instances.h"

#include <poll.h>
#include <stdlib.h>

#include "common/base/clock.h"
#include "common/base/conf.h"
#include "common/base/err.h"
#include "common/base/mem.h"
#include "common/base/near.h"
#include "common/base/scan.h"
#include "common/net/units.h"
#include "workers/ctl/action.h"
#include "workers/ctl/ctl.h"
#include "workers/ctl/table.h"

enum { ASK_MS = 5000, SETTLE_MS = 3000, AGAIN_MS = 100 };

static const char *const STATES[] = {
	[UNIT_GONE] = "-", [UNIT_UP] = "up", [UNIT_LEAVING] = "ends its tasks",
	[UNIT_FAILED] = "failed",
};

static const struct table_column COLUMNS[] = {
	{ "instance", "instance", TABLE_TEXT },
	{ "before", "before", TABLE_TEXT },
	{ "after", "after", TABLE_TEXT },
};

/* A queue's program, or the program itself. */
static int find_program(const struct conf *conf, const char *target, const char **ret,
			struct err *e)
{
	const struct conf_queue *q = conf_queue(conf, target);
	struct near n;

	near_init(&n, target);
	for (size_t i = 0; !q && i < conf->nqueues; i++) {
		near_offer(&n, conf->queues[i].name);
		near_offer(&n, conf->queues[i].program);
		if (strcmp(conf->queues[i].program, target) == 0)
			q = &conf->queues[i];
	}
	if (!q)
		return err_set(e, ERR_NOT_FOUND,
			       "%.100s is no queue and no program of queues.conf%s%s%s", target,
			       n.word ? "; did you mean " : "", n.word ? n.word : "",
			       n.word ? "?" : "");
	*ret = q->program;
	return 0;
}

static void note_limits(const struct ctl *c, const char *program, int count)
{
	for (size_t i = 0; i < c->conf->nqueues; i++) {
		const struct conf_queue *q = &c->conf->queues[i];

		if (strcmp(q->program, program) != 0 || !CONF_QUEUE_IS_SCALED(q))
			continue;
		ctl_note(c, "jobfleet: dispatchers keep %s between %d and %d instances%s", program,
			 q->instances_min, q->instances_max,
			 count < q->instances_min || count > q->instances_max ?
				 ", and will change it again" : " by its backlog");
		return;
	}
}

/* What was started is up at once, or has failed by then. */
static int look_after(struct units *u, const char *program, int wanted, struct units_view *ret,
		      struct err *e)
{
	int64_t end = clock_mono_ms() + SETTLE_MS;
	int r = units_look(u, program, ret, e);

	while (r == 0 && ret->up != wanted && clock_mono_ms() < end) {
		poll(NULL, 0, AGAIN_MS);
		r = units_look(u, program, ret, e);
	}
	return r;
}

static void show(struct ctl *c, const char *program, const struct units_view *before,
		 const struct units_view *after)
{
	struct table *t = table_new(COLUMNS, COUNT(COLUMNS));

	for (int i = 1; i <= UNITS_MAX; i++) {
		char *name = unit_instance(program, i);

		if (before->states[i] != UNIT_GONE || after->states[i] != UNIT_GONE) {
			table_put(t, name);
			table_put(t, STATES[before->states[i]]);
			table_put(t, STATES[after->states[i]]);
		}
		free(name);
	}
	ctl_show(c, t, "no instance runs");
}

static int scale(struct ctl *c, struct units *u, const char *program, int wanted, struct err *e)
{
	struct units_view before, after;
	int missed = 0, r = units_look(u, program, &before, e);

	if (r == 0 && before.up != wanted)
		r = units_scale(u, program, &before, wanted, &missed, e);
	if (r < 0)
		return r;
	if (missed > 0)
		ctl_note(c, "jobfleet: %s", e->msg);
	r = look_after(u, program, wanted, &after, e);
	if (r < 0)
		return r;
	show(c, program, &before, &after);
	return after.up == wanted ? CTL_OK : CTL_FAILED;
}

int instances_scale(struct ctl *c, const char *target, const char *count, struct err *e)
{
	const struct conf *conf;
	struct units *u = NULL;
	const char *program = NULL;
	int wanted, r = ctl_conf(c, &conf, e);

	if (scan_int(count, 1, UNITS_MAX, &wanted, e) < 0) {
		e->code = ERR_USAGE;
		return err_prefix(e, "--instances");
	}
	if (r == 0)
		r = find_program(conf, target, &program, e);
	if (r == 0)
		r = action_begin(c, "scale", e);
	if (r == 0)
		r = units_open(&u, ASK_MS, e);
	if (r == 0) {
		note_limits(c, program, wanted);
		r = scale(c, u, program, wanted, e);
	}
	units_close(u);
	return r;
}
