/* SPDX-License-Identifier: MIT */
/* holders: which tasks worker nodes hold right now, by their own word: remote control's query_task
 * and scheduled. Who is asked: every node that answers a ping, and every one whose row in
 * jobfleet.workers is fresh. */
#ifndef CTL_HOLDERS_H
#define CTL_HOLDERS_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>

struct ctl;
struct err;

struct holders {
	struct ctl *ctl;
	char **nodes;		/* NULL-terminated */
	size_t nnodes;
	bool silent;		/* one of them did not answer: nobody knows what it holds */
};

/* queue: whose nodes have to answer; NULL = all. */
int holders_find(struct holders *h, struct ctl *c, const char *queue, struct err *e);
/* Those of ids that a node holds become members of held, an object. ids is an array of texts and
 * is taken over. */
int holders_ask(struct holders *h, cJSON *ids, cJSON *held, struct err *e);
void holders_release(struct holders *h);

#endif
