/* SPDX-License-Identifier: MIT */
/* props: AMQP properties of messages that are no tasks (control replies, events). */
#ifndef COMMON_BROKER_PROPS_H
#define COMMON_BROKER_PROPS_H

#include <cjson/cJSON.h>

struct buf;
struct err;

/* Appends: content type application/json, utf-8, transient, priority 0, and the headers of a JSON
 * object (NULL = none). */
int props_encode(struct buf *out, const cJSON *headers, struct err *e);

#endif
