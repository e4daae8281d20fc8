/* SPDX-License-Identifier: MIT */
/* routes: keeps jobfleet.routes as queues.conf says, for enqueueing from SQL. */
#ifndef DISPATCHER_ROUTES_H
#define DISPATCHER_ROUTES_H

struct conf;
struct err;
struct pg;

/* Adds, changes and removes rows so that they are the task blocks of conf that name a queue. */
int routes_write(struct pg *pg, const struct conf *conf, struct err *e);

#endif
