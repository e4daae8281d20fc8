/* SPDX-License-Identifier: MIT */
/* workers: the worker programs as a table, as they last reported themselves. */
#ifndef CTL_WORKERS_H
#define CTL_WORKERS_H

#include <stdbool.h>

struct ctl;
struct err;
struct table;

enum workers_order { WORKERS_BY_NAME, WORKERS_BY_ACTIVE, WORKERS_BY_RATE };

/* all: stopped ones, too. brief: for people, the columns that change only. */
int workers_table(struct ctl *c, bool all, bool brief, enum workers_order order,
		  struct table **ret, struct err *e);

#endif
