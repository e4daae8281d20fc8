/* SPDX-License-Identifier: MIT */
#include "common/net/listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/base/err.h"
#include "common/base/mem.h"
#include "common/base/scan.h"

enum { BACKLOG = 64, SOCKET_MODE = 0660 };

union address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
	struct sockaddr_un path;
};

static int read_path(const char *path, union address *ret, socklen_t *ret_len, struct err *e)
{
	if (strlen(path) >= sizeof ret->path.sun_path)
		return err_set(e, ERR_INVALID, "the path of a socket has at most %zu bytes",
			       sizeof ret->path.sun_path - 1);
	ret->path.sun_family = AF_UNIX;
	snprintf(ret->path.sun_path, sizeof ret->path.sun_path, "%s", path);
	*ret_len = sizeof ret->path;
	return 0;
}

static int read_address(const char *where, union address *ret, socklen_t *ret_len, struct err *e)
{
	const char *colon = strrchr(where, ':');
	bool v6 = *where == '[' && colon && colon[-1] == ']';
	int port = 0, found;
	char *host;

	if (!colon || scan_int(colon + 1, 0, 65535, &port, e) < 0)
		return err_set(e, ERR_INVALID, "\"%.60s\" is no ADDRESS:PORT", where);
	host = mem_strndup(where + v6, (size_t)(colon - where) - 2 * v6);
	if (v6) {
		ret->v6.sin6_family = AF_INET6;
		ret->v6.sin6_port = htons((uint16_t)port);
		found = inet_pton(AF_INET6, host, &ret->v6.sin6_addr);
		*ret_len = sizeof ret->v6;
	} else {
		ret->v4.sin_family = AF_INET;
		ret->v4.sin_port = htons((uint16_t)port);
		found = inet_pton(AF_INET, strcmp(host, "localhost") == 0 ? "127.0.0.1" : host,
				  &ret->v4.sin_addr);
		*ret_len = sizeof ret->v4;
	}
	free(host);
	return found == 1 ? 0 : err_set(e, ERR_INVALID, "\"%.60s\" is no address in numbers",
					where);
}

/* One that a process left behind when it was killed: connecting is refused. */
static void remove_dead(const struct sockaddr_un *at)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd >= 0 && connect(fd, (const struct sockaddr *)at, sizeof *at) < 0 &&
	    errno == ECONNREFUSED)
		unlink(at->sun_path);
	if (fd >= 0)
		close(fd);
}

static void show(int fd, const union address *a, char shown[LISTEN_SHOWN])
{
	char host[INET6_ADDRSTRLEN] = "";
	union address own = { 0 };
	socklen_t len = sizeof own;

	getsockname(fd, &own.any, &len);
	if (a->any.sa_family == AF_UNIX) {
		snprintf(shown, LISTEN_SHOWN, "unix:%s", a->path.sun_path);
	} else if (a->any.sa_family == AF_INET6) {
		inet_ntop(AF_INET6, &own.v6.sin6_addr, host, sizeof host);
		snprintf(shown, LISTEN_SHOWN, "[%s]:%d", host, ntohs(own.v6.sin6_port));
	} else {
		inet_ntop(AF_INET, &own.v4.sin_addr, host, sizeof host);
		snprintf(shown, LISTEN_SHOWN, "%s:%d", host, ntohs(own.v4.sin_port));
	}
}

static int bind_and_listen(int fd, const union address *a, socklen_t len)
{
	int one = 1;

	if (a->any.sa_family == AF_UNIX)
		remove_dead(&a->path);
	else
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
	if (bind(fd, &a->any, len) < 0)
		return -1;
	if (a->any.sa_family == AF_UNIX && chmod(a->path.sun_path, SOCKET_MODE) < 0)
		return -1;
	return listen(fd, BACKLOG);
}

int listen_open(const char *where, char shown[LISTEN_SHOWN], struct err *e)
{
	union address a = { 0 };
	socklen_t len = 0;
	int fd, r;

	r = strncmp(where, "unix:", 5) == 0 ? read_path(where + 5, &a, &len, e) :
		read_address(where, &a, &len, e);
	if (r < 0)
		return r;
	fd = socket(a.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return err_set(e, ERR_IO, "socket: %s", strerror(errno));
	if (bind_and_listen(fd, &a, len) < 0) {
		r = err_set(e, errno == EADDRINUSE ? ERR_CONFLICT : ERR_IO, "%s: %s", where,
			    strerror(errno));
		close(fd);
		return r;
	}
	show(fd, &a, shown);
	return fd;
}
