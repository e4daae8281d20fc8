/* SPDX-License-Identifier: MIT */
#include "workers/ctl/lines.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/buf.h"
#include "common/base/err.h"
#include "common/base/mem.h"

enum { CHUNK = 65536, IDLE_MS = 50 };

struct lines {
	int fd;
	int64_t size;
	size_t most, from, seen;	/* in data: a line's begin, and how far it has no end */
	struct buf data;
	int (*idle)(void *ctx);
	void *ctx;
	bool ended, skipping;
};

int lines_open(struct lines **ret, const char *path, size_t most_bytes, int (*idle)(void *ctx),
	       void *ctx, struct err *e)
{
	int fd = strcmp(path, "-") == 0 ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
	struct stat st = { 0 };
	struct lines *l;

	if (fd >= 0 && fstat(fd, &st) == 0 && S_ISDIR(st.st_mode)) {
		close(fd);
		errno = EISDIR;
		fd = -1;
	}
	if (fd < 0)
		return err_set(e, ERR_USAGE, "cannot read %s: %s", path, strerror(errno));
	l = mem_zalloc(sizeof *l);
	l->fd = fd;
	l->size = S_ISREG(st.st_mode) ? st.st_size : 0;
	l->most = most_bytes;
	l->idle = idle;
	l->ctx = ctx;
	buf_init(&l->data, most_bytes + 2 * CHUNK);
	*ret = l;
	return 0;
}

void lines_close(struct lines *l)
{
	if (!l)
		return;
	if (l->fd != STDIN_FILENO)
		close(l->fd);
	buf_release(&l->data);
	free(l);
}

int64_t lines_size(const struct lines *l)
{
	return l->size;
}

/* 1 = more data or the end, 0 = idle wants no more. */
static int fill(struct lines *l, struct err *e)
{
	struct pollfd p = { .fd = l->fd, .events = POLLIN };
	ssize_t n;

	buf_consume(&l->data, l->from);
	l->seen -= l->from;
	l->from = 0;
	while (poll(&p, 1, IDLE_MS) <= 0) {
		if (l->idle(l->ctx) != 0)
			return 0;
	}
	n = read(l->fd, mem_check(buf_reserve(&l->data, CHUNK)), CHUNK);
	if (n < 0 && errno == EINTR)
		return l->idle(l->ctx) == 0;
	if (n < 0)
		return err_set(e, ERR_IO, "cannot read: %s", strerror(errno));
	buf_commit(&l->data, (size_t)n);
	l->ended = n == 0;
	return 1;
}

/* What is there of the line that begins at from; NULL once it was too long. */
static int give(struct lines *l, size_t len, size_t end, const char **ret_text, size_t *ret_len)
{
	bool too_long = l->skipping || len > l->most;

	*ret_text = too_long ? NULL : l->data.data + l->from;
	*ret_len = len;
	l->skipping = false;
	l->from += len + end;
	l->seen = l->from;
	return 1;
}

int lines_next(struct lines *l, const char **ret_text, size_t *ret_len, struct err *e)
{
	for (;;) {
		size_t left = l->data.len - l->seen;
		char *end = left ? memchr(l->data.data + l->seen, '\n', left) : NULL;
		int r;

		if (end)
			return give(l, (size_t)(end - l->data.data) - l->from, 1, ret_text,
				    ret_len);
		l->seen = l->data.len;
		if (l->ended && (l->data.len > l->from || l->skipping))
			return give(l, l->data.len - l->from, 0, ret_text, ret_len);
		if (l->ended)
			return 0;
		if (l->data.len - l->from > l->most) {
			l->skipping = true;
			l->from = l->seen;
		}
		r = fill(l, e);
		if (r <= 0)
			return r;
	}
}
