/* SPDX-License-Identifier: MIT */
/* level: sees to it that PostgreSQL and Redis hold the same revokes and pauses (store/orders.h).
 *
 * What was ordered while one of them was away, or what one has lost, is written to it from the
 * other, once a second; of two orders about one pause the newer holds. It also numbers the revokes
 * of jobfleet.enqueue, and releases what was parked by a pause that ended meanwhile. */
#ifndef DISPATCHER_LEVEL_H
#define DISPATCHER_LEVEL_H

struct conf;
struct err;
struct level;
struct peers;

struct level *level_new(void);
void level_free(struct level *l);
/* 0 = done, or somebody is away; negative: see e. */
int level_turn(struct level *l, const struct conf *conf, struct peers *peers, struct err *e);

#endif
