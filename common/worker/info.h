/* SPDX-License-Identifier: MIT */
/* info: what monitors are told of a delivery.
 *
 * Source: celery-wire sections 5 and 6.3; Celery's Request.info and saferepr. */
#ifndef COMMON_WORKER_INFO_H
#define COMMON_WORKER_INFO_H

#include <stdbool.h>
#include <stddef.h>

struct buf;

enum { INFO_REPR_MAX = 1024 };

/* Appends len bytes of JSON as Python's repr() would show the value, cut to INFO_REPR_MAX bytes
 * ("..." at its end); the JSON itself may be cut, too. tuple: an outermost list is shown as a
 * tuple, as positional arguments are. */
void info_repr(struct buf *out, const char *json, size_t len, bool tuple);

#endif
