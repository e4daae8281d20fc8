/* SPDX-License-Identifier: MIT */
/* What message.c (decode, encode), message_body.c (body) and message_value.c (JSON) share. */
#ifndef COMMON_BROKER_MESSAGE_PRIVATE_H
#define COMMON_BROKER_MESSAGE_PRIVATE_H

#include <amqp.h>
#include <amqp_framing.h>

#include "common/broker/message.h"

enum {
	MESSAGE_MAX_HEADERS = 256, MESSAGE_MAX_ID = 255, MESSAGE_MAX_REPR = 1024,
	MESSAGE_MAX_PROPS = 131072, MESSAGE_MAX_LIMIT_S = 1000000000,
};

#define MESSAGE_GENERATION "x-jobfleet-generation"
#define MESSAGE_HOP "x-jobfleet-hop"
#define MESSAGE_FORWARDS "x-jobfleet-forwards"
#define MESSAGE_ADMITTED "x-jobfleet-admitted"
#define MESSAGE_SLOT "x-jobfleet-slot"
#define MESSAGE_UNIQUE "x-jobfleet-unique-key"

struct message_arena {
	amqp_pool_t pool;		/* strings and header values */
	amqp_table_t extra;		/* headers we do not know, as they came */
	int extra_room;			/* entries allocated */
};

/* Protocol 1: fields from the body object, the body rewritten as protocol 2. */
int message_from_v1(struct message *m, struct err *e);
/* A time limit in seconds as the wire has it; -1 for none: zero, less, or no number. */
int64_t message_limit_ms(double seconds);
cJSON *message_value_to_json(const amqp_field_value_t *v, int depth);
int message_value_from_json(amqp_pool_t *pool, const cJSON *v, amqp_field_value_t *ret, int depth,
			    struct err *e);

#endif
