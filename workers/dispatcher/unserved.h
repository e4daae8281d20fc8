/* SPDX-License-Identifier: MIT */
/* unserved: queues in which messages wait and that no worker consumes, though nobody paused them.
 *
 * Looked at are the queues of queues.conf that name a program. The alert queue_unserved (subject:
 * the queue) is raised at the second look in a row, so that a restart raises none, and taken back
 * once somebody consumes or nothing waits. */
#ifndef DISPATCHER_UNSERVED_H
#define DISPATCHER_UNSERVED_H

#include <stdbool.h>
#include <stddef.h>

struct conf;
struct err;
struct pg;
struct publisher;

/* Begins as zeros. */
struct unserved {
	const struct conf *conf; /* whose queues were looked at: looks of another count anew */
	int *looks;		 /* of each queue: how many in a row found it so */
	size_t n;
	bool all_empty;		 /* no queue had a message ready at the last look */
};

int unserved_look(struct unserved *u, const struct conf *conf, struct pg *pg, struct publisher *p,
		  struct err *e);
void unserved_release(struct unserved *u);

#endif
