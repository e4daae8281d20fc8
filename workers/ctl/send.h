/* SPDX-License-Identifier: MIT */
/* send: one task message from the command line to its queue, confirmed within its deadline. */
#ifndef CTL_SEND_H
#define CTL_SEND_H

#include <stdint.h>

struct ctl;
struct err;

/* NULL or the stated value: by queues.conf, or absent. */
struct send {
	const char *task;
	const char *id;			/* a fresh one */
	const char *args, *kwargs;	/* raw JSON; checked here */
	const char *queue;
	int priority;			/* MESSAGE_NO_PRIORITY */
	int64_t eta_us, expires_us;	/* absolute wall time; 0 = none */
};

/* 0 = the broker has it. The queue is declared if the broker does not know it and queues.conf does.
 * -ERR_USAGE says which argument is wrong; -ERR_NOT_FOUND: no such queue; else as publisher. */
int send_task(struct ctl *c, const struct send *s, struct err *e);

#endif
