/* SPDX-License-Identifier: MIT */
/* answer: a result on its way to its client: into Redis, else into the backlog in PostgreSQL,
 * from which the dispatcher delivers it. */
#ifndef COMMON_WORKER_ANSWER_H
#define COMMON_WORKER_ANSWER_H

#include <stdbool.h>

struct err;
struct stores;

struct answer {
	const char *task_id, *meta;	/* meta: as result_print made it */
	int generation, retries;
	bool final;
};

/* Both stores away is an error: the message must stay. */
int answer_store(struct stores *stores, const struct answer *a, struct err *e);

#endif
