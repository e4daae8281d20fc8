/* SPDX-License-Identifier: MIT */
/* canvas: the echo worker's tasks for the canvas tests. */
#ifndef ECHO_CANVAS_H
#define ECHO_CANVAS_H

#include "common/worker/run.h"

task_fn canvas_headers, canvas_errback, canvas_keep, canvas_identity, canvas_apply, canvas_replace,
	canvas_build, canvas_ignore, canvas_link, canvas_odd, canvas_reject,
	canvas_requeue, canvas_retry_headers;

#endif
