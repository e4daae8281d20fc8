/* SPDX-License-Identifier: MIT */
/* url: the address of a service, split by libcurl's URL parser; several hosts with commas:
 * scheme://[user[:password]@]host[:port][,host[:port]…]/path[?query]. Parts are percent-decoded.
 * Errors never quote the password: -ERR_CONFIG says which part is wrong. */
#ifndef COMMON_NET_URL_H
#define COMMON_NET_URL_H

#include <stddef.h>

struct err;

#define URL_MAX_HOSTS 8

struct url {
	char *scheme, *user, *password;		/* user, password "" if absent */
	char *path;				/* without the leading '/'; "" if none */
	char *query;				/* "" if none */
	struct { char *host; int port; } hosts[URL_MAX_HOSTS];	/* port 0 = not given */
	size_t nhosts;
};

int url_parse(struct url *ret, const char *text, struct err *e);
void url_release(struct url *u);

#endif
