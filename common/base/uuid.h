/* SPDX-License-Identifier: MIT */
/* uuid: identifiers as lower-case text of 36 characters (RFC 4122), by libuuid. */
#ifndef COMMON_BASE_UUID_H
#define COMMON_BASE_UUID_H

#include <stdbool.h>
#include <stddef.h>

#define UUID_SIZE 37

void uuid_v4(char out[UUID_SIZE]);
/* The same name gives the same id, for ever: ids born in a settle are made this way, so that
 * a repeated settle repeats the same messages. Namespace: jobfleet's own, in uuid.c. */
void uuid_v5(const void *name, size_t len, char out[UUID_SIZE]);
bool uuid_is_valid(const char *text);

#endif
