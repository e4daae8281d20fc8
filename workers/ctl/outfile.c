/* SPDX-License-Identifier: MIT */
#include "workers/ctl/outfile.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/err.h"
#include "common/base/mem.h"

enum { FILE_MODE = 0644 };

static int fault(struct err *e, const char *what, const char *path)
{
	bool path_is_wrong = errno == ENOENT || errno == ENOTDIR || errno == EISDIR ||
			     errno == EACCES || errno == EROFS || errno == ENAMETOOLONG ||
			     errno == ELOOP || errno == EPERM;

	return err_set(e, path_is_wrong ? ERR_USAGE : ERR_IO, "cannot %s %s: %s", what, path,
		       strerror(errno));
}

static int write_all(int fd, const char *text, size_t len, const char *path, struct err *e)
{
	while (len > 0) {
		ssize_t n = write(fd, text, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return fault(e, "write", path);
		text += n;
		len -= (size_t)n;
	}
	return 0;
}

static int write_through(const char *path, const char *text, size_t len, struct err *e)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY), r;

	if (fd < 0)
		return fault(e, "open", path);
	r = write_all(fd, text, len, path, e);
	if (close(fd) < 0 && r == 0)
		r = fault(e, "write", path);
	return r;
}

static mode_t mode_of(const struct stat *before)
{
	mode_t mask;

	if (before)
		return before->st_mode & 0777;
	mask = umask(0);
	umask(mask);
	return FILE_MODE & ~mask;
}

static int replace(const char *path, const struct stat *before, const char *text, size_t len,
		   struct err *e)
{
	char *beside = mem_printf("%s.XXXXXX", path);
	int fd = mkostemp(beside, O_CLOEXEC), r = 0;

	if (fd < 0) {
		free(beside);
		return fault(e, "write", path);
	}
	r = write_all(fd, text, len, path, e);
	if (r == 0 && (fchmod(fd, mode_of(before)) < 0 || fsync(fd) < 0))
		r = fault(e, "write", path);
	if (close(fd) < 0 && r == 0)
		r = fault(e, "write", path);
	if (r == 0 && rename(beside, path) < 0)
		r = fault(e, "write", path);
	if (r < 0)
		unlink(beside);
	free(beside);
	return r;
}

int outfile_put(const char *path, const char *text, size_t len, struct err *e)
{
	char real[PATH_MAX];
	struct stat st;

	if (strcmp(path, "-") == 0)
		return write_all(STDOUT_FILENO, text, len, "standard output", e);
	if (stat(path, &st) < 0) {
		if (errno != ENOENT)
			return fault(e, "write", path);
		return replace(path, NULL, text, len, e);
	}
	if (S_ISDIR(st.st_mode)) {
		errno = EISDIR;
		return fault(e, "write", path);
	}
	if (!S_ISREG(st.st_mode))
		return write_through(path, text, len, e);
	if (!realpath(path, real))
		return fault(e, "write", path);
	return replace(real, &st, text, len, e);
}
