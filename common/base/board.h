/* SPDX-License-Identifier: MIT */
/* board: what this program counts since it began, shared by its processes.
 *
 * The first process opens it before it forks; whoever is forked later counts on the same memory.
 * The heartbeat row carries the whole board (common/worker/roster.c), and sql/019_figures.sql adds
 * up what all programs ever counted (jobfleet.totals). Names and labels are those of
 * docs/metrics.md; BOARD_LIST in workers/dispatcher/metric.h says which become metrics.
 *
 * Where no board was opened (command line, unit tests of handlers) counting does nothing.
 * Limits: BOARD_ENTRIES different names with labels, BOARD_KEY_BYTES each; what does not fit is
 * counted as "board_dropped". Labels must come from closed lists (tasks of the program, queues and
 * sources of queues.conf, outcomes), never from what a peer sent. */
#ifndef COMMON_BASE_BOARD_H
#define COMMON_BASE_BOARD_H

#include <stdint.h>

struct buf;

enum { BOARD_ENTRIES = 384, BOARD_KEY_BYTES = 192, BOARD_BUCKETS = 14 };

/* Upper bounds of the buckets of times, seconds; the last one has none. */
extern const double BOARD_BOUNDS[BOARD_BUCKETS - 1];

void board_open(void);
void board_close(void);		/* unmaps it: the next board_open begins at nothing */

/* Labels are texts, ended by NULL. Any process, any time; never waits. */
void board_add(int64_t n, const char *name, ...) __attribute__((sentinel));
/* One time into its bucket and into the sum. */
void board_time(int64_t us, const char *name, ...) __attribute__((sentinel));

/* {"name": {"label\tlabel": [n]}}; of times [sum in seconds, bucket, bucket, …], each bucket what
 * fell into it alone. "{}" without a board. */
void board_put(struct buf *out);

#endif
