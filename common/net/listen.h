/* SPDX-License-Identifier: MIT */
/* listen: a socket that takes connections, on an address or on a path.
 *
 * where: "ADDRESS:PORT" with the address in numbers or localhost ("[::1]:9470" for IPv6; port 0
 * = any free one), or "unix:/PATH" (mode 0660). A socket file that nobody listens on is
 * replaced.
 * Errors: -ERR_CONFLICT (the address is in use), -ERR_INVALID (no such form), -ERR_IO. */
#ifndef COMMON_NET_LISTEN_H
#define COMMON_NET_LISTEN_H

struct err;

enum { LISTEN_SHOWN = 128 };

/* The descriptor: close-on-exec, never waits. shown: where it listens, with the port it got. */
int listen_open(const char *where, char shown[LISTEN_SHOWN], struct err *e);

#endif
