/* SPDX-License-Identifier: MIT */
/* putback: sees that PostgreSQL was put back to an earlier state (a restore, a standby that lags).
 *
 * A number in jobfleet.marks only grows, and Redis remembers it under <redis_prefix>mark:database
 * as "NUMBER MICROSECONDS". Redis is read first: what it says was in the database before that, so
 * a database that knows less has lost it. Then a row of jobfleet.put_backs says what time is
 * missing, the alert database_put_back is raised, and `jobfleet audit` compares what Redis
 * remembers with the ledger. A Redis without the number only starts anew. */
#ifndef DISPATCHER_PUTBACK_H
#define DISPATCHER_PUTBACK_H

struct err;
struct pg;
struct redis;

int putback_look(struct pg *pg, struct redis *redis, const char *prefix, struct err *e);

#endif
