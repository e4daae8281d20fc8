/* SPDX-License-Identifier: MIT */
/* pyrepr: JSON shown as Python's repr() would show the value, for people who read logs, events and
 * exception texts. */
#ifndef COMMON_BASE_PYREPR_H
#define COMMON_BASE_PYREPR_H

#include <stdbool.h>
#include <stddef.h>

struct buf;

/* Appends len bytes of JSON, cut to max bytes ("..." at its end; max is 16 or more); the JSON
 * itself may be cut, too. tuple: an outermost list is shown as a tuple, as arguments are. */
void pyrepr_put(struct buf *out, const char *json, size_t len, bool tuple, size_t max);

#endif
