/* SPDX-License-Identifier: MIT */
/* poison: rows that end the process which reads them.
 *
 * A task whose start did not end is delivered again. Processing then reads its rows in a process
 * forked for it first: a row that kills that process, or holds it for POISON_ROW_S, is named here,
 * and refused as "crashed" instead of taking the whole collection with it. The trial has no
 * connection and leaves nothing behind. Costs one more reading, of such collections only. */
#ifndef WORKERS_PROCESSING_POISON_H
#define WORKERS_PROCESSING_POISON_H

#include <stdbool.h>

#include "common/base/raw.h"

struct transform_context;

enum { POISON_MAX = 16, POISON_ROW_S = 10 };

/* Past POISON_MAX the answer is left as it is: then the task's own budget of starts ends it. */
struct poison {
	int index[POISON_MAX];
	int n;
};

void poison_find(const struct transform_context *ctx, struct raw rows, struct poison *ret);
bool poison_has(const struct poison *p, int index);

#endif
