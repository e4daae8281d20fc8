/* SPDX-License-Identifier: MIT */
/* props: AMQP properties of messages that are no tasks (control replies, events). */
#ifndef COMMON_BROKER_PROPS_H
#define COMMON_BROKER_PROPS_H

#include <cjson/cJSON.h>
#include <stddef.h>

struct buf;
struct err;

/* Appends: content type application/json, utf-8, transient, priority 0, and the headers of a JSON
 * object (NULL = none). */
int props_encode(struct buf *out, const cJSON *headers, struct err *e);
/* The headers of len bytes of properties as one JSON object, empty if there are none; the caller
 * cJSON_Deletes it. -ERR_PROTOCOL for what is no AMQP, or over 128 KiB. */
int props_headers(const void *props, size_t len, cJSON **ret, struct err *e);

#endif
