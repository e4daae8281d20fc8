/* SPDX-License-Identifier: MIT */
/* alert_away: the rules on `away` while PostgreSQL is, and with it the leader and every table.
 *
 * Each dispatcher minds them in its own memory. When one fires, all log it and one tells it:
 *	Redis is there     the first that sets the key of that rule and service; it renews the key
 *	                   while it lives, and after its death another one tells the same
 *	Redis is away too  the one that led last; any other a minute later (AWAY_LATE_US), as told
 *	                   twice is better than told to nobody
 * The notice goes to RabbitMQ, or into this host's spool (common/broker/door.h), and when RabbitMQ
 * is away a courier takes one after the other as well. Its id follows from the rule, the service
 * and since when it fires, as the key in Redis says (without Redis: in which five minutes), so that
 * the copies of several ways, and of several dispatchers, are told once, and the next absence anew.
 * When PostgreSQL is back, the first dispatcher that sees it writes what anyone told down as told
 * (alert_away_settle), the others then find it there; the leader sees the service there and tells
 * that it is over. */
#ifndef DISPATCHER_ALERT_AWAY_H
#define DISPATCHER_ALERT_AWAY_H

#include <stdbool.h>
#include <stdint.h>

struct alert_away;
struct conf;
struct courier;
struct err;
struct peers;
struct pg;
struct signals;

#define AWAY_LATE_US (60 * 1000000LL)

/* node: borrowed. */
struct alert_away *alert_away_new(const char *node);
void alert_away_free(struct alert_away *w);

/* One look while PostgreSQL is away. led: this dispatcher led when it was last there. */
void alert_away_look(struct alert_away *w, const struct signals *s, const struct conf *conf,
		     struct peers *peers, bool led, int64_t now_us);
/* For each time round: what waits for the courier. */
void alert_away_carry(struct alert_away *w, const struct conf *conf, struct peers *peers,
		      struct courier *courier);
/* What was told meanwhile, into the tables, in pg's transaction; then it is forgotten. */
int alert_away_settle(struct alert_away *w, const struct conf *conf, struct peers *peers,
		      struct pg *pg, struct err *e);
/* After that transaction's commit. */
void alert_away_forget(struct alert_away *w, const struct conf *conf, struct peers *peers);
bool alert_away_has(const struct alert_away *w);

#endif
