/* SPDX-License-Identifier: MIT */
/* planned: the plan (common/base/plan.h) with what jobfleet.schedule_settings has over it.
 *
 * A row that is wrong is told to `wrong` and left out; the others count. One may come after another
 * of the table, in whatever order they stand there. */
#ifndef COMMON_STORE_PLANNED_H
#define COMMON_STORE_PLANNED_H

struct conf;
struct err;
struct pg;
struct plan;

typedef void planned_wrong(void *ctx, const char *name, const struct err *why);

/* *ret_mark (may be NULL) changes with the table, see planned_mark. wrong may be NULL. */
int planned_read(struct pg *pg, const struct conf *conf, planned_wrong *wrong, void *ctx,
		 struct plan **ret, char **ret_mark, struct err *e);
/* What the table is now, as a short text; malloc'ed. */
int planned_mark(struct pg *pg, char **ret, struct err *e);

#endif
