/* SPDX-License-Identifier: MIT */
/* queues: a census as a table, a row a queue. */
#ifndef CTL_QUEUES_H
#define CTL_QUEUES_H

#include <stdbool.h>

struct census;
struct history;
struct table;

/* brief: for who looks again and again: narrow, and the rate out is that since the look before.
 * history (may be NULL): the rates out of the looks before. The caller's. */
struct table *queues_table(const struct census *x, bool brief, const struct history *history);

#endif
