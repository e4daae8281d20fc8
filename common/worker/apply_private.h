/* SPDX-License-Identifier: MIT */
/* What apply.c, apply_shape.c (signatures made plain) and apply_send.c (the one message) share. */
#ifndef COMMON_WORKER_APPLY_PRIVATE_H
#define COMMON_WORKER_APPLY_PRIVATE_H

#include "common/worker/apply.h"

enum { APPLY_DEPTH = 3 * SIGNATURE_DEPTH };

const char *apply_ensure_id(struct apply *a, struct signature *s);
/* over wins, except where celery-wire 3.3 says that what was set first stays. */
void apply_merge(struct apply *a, struct signature *s, const struct signature_options *over);
void apply_take_out(struct apply *a, struct signature_options *o, const char *const *names,
		    size_t n);
/* Members of groups within the group become its own. */
void apply_flatten_group(struct apply *a, struct signature *s);
const char *apply_freeze_at(struct apply *a, struct signature *s, int depth);

/* s is a task whose options hold already; its result tuple goes to tuple (may be NULL). */
int apply_send(struct apply *a, struct signature *s, struct raw partial, struct buf *tuple,
	       struct err *e);

#endif
