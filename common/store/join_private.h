/* SPDX-License-Identifier: MIT */
/* What join.c and join_collect.c share. */
#ifndef COMMON_STORE_JOIN_PRIVATE_H
#define COMMON_STORE_JOIN_PRIVATE_H

#include <stddef.h>
#include <stdint.h>

struct err;
struct redis;
struct redis_reply;

enum join_key { JOIN_PARTS, JOIN_SIZE, JOIN_ADJUST, JOIN_SEEN, JOIN_CLAIM, JOIN_KEYS };
enum { JOIN_KEY_SIZE = 384 };

struct join_keys {
	char text[JOIN_KEYS][JOIN_KEY_SIZE];
};

/* Puts the keys of a join into text and into the first JOIN_KEYS words. */
void join_keys_fill(struct join_keys *k, const char *join_id, const char **words);
/* The claim goes back unless more parts came than the caller saw: 1 = gone, 0 = kept. */
int join_give_back(struct redis *r, const char *join_id, int64_t parts_seen, struct err *e);

#endif
