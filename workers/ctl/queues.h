/* SPDX-License-Identifier: MIT */
/* queues: a census as a table, a row a queue. */
#ifndef CTL_QUEUES_H
#define CTL_QUEUES_H

struct census;
struct table;

struct table *queues_table(const struct census *x);	/* the caller's */

#endif
