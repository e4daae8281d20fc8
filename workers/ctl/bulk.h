/* SPDX-License-Identifier: MIT */
/* bulk: tasks from a file of JSON lines, at full confirmed speed.
 *
 * A line is one JSON object; its keys are the options of `jobfleet enqueue`: task, args, kwargs,
 * queue, priority, eta, countdown, expires, time_limit, soft_time_limit, id, headers, unique_key,
 * unique_for, unique_mode. Durations are seconds or texts such as "10m". What a line does not say
 * is as the command line says. Empty lines are passed over. Raw args and kwargs go out digit by
 * digit as they stand.
 * A wrong line is named on stderr by file and line, with what would be right. */
#ifndef CTL_BULK_H
#define CTL_BULK_H

#include <stdbool.h>

#include "workers/ctl/send.h"

struct bulk {
	const char *path;	/* "-" = stdin */
	struct send defaults;	/* task may be NULL; id is */
	bool stop_on_error;
};

/* CTL_OK: all are confirmed; CTL_FAILED: some line was wrong or rejected, or a signal came before
 * the end; CTL_SPOOLED: none of these, but some are spooled. Negative: the file cannot be read. */
int bulk_send(struct ctl *c, const struct bulk *b, struct err *e);

#endif
