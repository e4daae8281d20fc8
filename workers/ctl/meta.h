/* SPDX-License-Identifier: MIT */
/* meta: a task's state as it stands in Redis, in Celery's JSON ("celery-task-meta-<id>").
 * The result stays raw text, so that no digit of it is lost. */
#ifndef CTL_META_H
#define CTL_META_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;

struct meta {
	char *text;		/* all of it, as stored */
	char *status;		/* "SUCCESS" */
	char *result;		/* raw JSON, "null" if there is none */
	bool final;		/* SUCCESS, FAILURE, REVOKED: what clients stop at */
	char *exc_type, *exc_message;	/* of FAILURE, REVOKED and RETRY; "" otherwise */
	char *traceback;	/* "" if there is none */
	int64_t current, total;	/* of PROGRESS; total 0 = not known */
	char *step;		/* of PROGRESS; "" */
};

int meta_parse(struct meta *ret, const char *text, size_t len, struct err *e);
void meta_release(struct meta *m);

#endif
