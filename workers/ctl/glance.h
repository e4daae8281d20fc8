/* SPDX-License-Identifier: MIT */
/* glance: what somebody in trouble asks next, each a table from PostgreSQL: what failed within the
 * last minutes and why, which schedules come, what providers are asked, how far the pipeline is. */
#ifndef CTL_GLANCE_H
#define CTL_GLANCE_H

struct ctl;
struct err;
struct table;

enum glance_part {
	GLANCE_FAILING,		/* of the last GLANCE_FAILING_S, by cause and task */
	GLANCE_SCHEDULES,	/* what comes next */
	GLANCE_SOURCES,		/* calls of the last hour, quota, what is parked */
	GLANCE_STAGES,		/* the last hour of collection, processing, loading; what waits */
	GLANCE_RUNS,		/* runs of the pipeline that are under way */
	GLANCE_COUNT,
};

enum { GLANCE_FAILING_S = 300 };

struct glance {
	struct table *parts[GLANCE_COUNT];	/* NULL: not looked at, or not to be had */
};

/* Asks for all parts anew, at the database's time. What fails costs its part; e has the first
 * reason, and the answer is its code. */
int glance_look(struct glance *g, struct ctl *c, struct err *e);
void glance_release(struct glance *g);

const char *glance_key(enum glance_part part);		/* in JSON: "failing" */
const char *glance_empty(enum glance_part part);	/* what people read when there is nothing */

#endif
