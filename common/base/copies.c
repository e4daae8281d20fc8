/* SPDX-License-Identifier: MIT */
#include "common/base/copies.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "common/base/err.h"
#include "common/base/mem.h"
#include "common/base/uuid.h"

enum { NUMBERS = 1000000, FILE_MODE = 0640, DIR_MODE = 0750 };
static const int64_t DAY_S = 86400;

static int io_error(struct err *e, const char *what, const char *path)
{
	return err_set(e, ERR_IO, "cannot %s %s: %s", what, path, strerror(errno));
}

/* mkdir -p */
static int make_dirs(char *path, struct err *e)
{
	for (char *p = path + 1;; p++) {
		char c = *p;

		if (c != '/' && c != '\0')
			continue;
		*p = '\0';
		if (mkdir(path, DIR_MODE) < 0 && errno != EEXIST)
			return io_error(e, "make", path);
		*p = c;
		if (c == '\0')
			return 0;
	}
}

char *copies_day(const char *data_dir, const char *kind, int64_t us)
{
	time_t s = (time_t)(us / 1000000);
	struct tm tm;

	gmtime_r(&s, &tm);
	return mem_printf("%s/%s/%04d/%02d/%02d", data_dir, kind, tm.tm_year + 1900, tm.tm_mon + 1,
			  tm.tm_mday);
}

static int write_whole(int fd, const void *data, size_t len)
{
	const char *p = data;

	while (len > 0) {
		ssize_t n = write(fd, p, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		p += n;
		len -= (size_t)n;
	}
	return 0;
}

static int write_parts(const char *path, const struct copies_part *parts, size_t n, bool durable,
		       struct err *e)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, FILE_MODE), r = 0;

	if (fd < 0)
		return io_error(e, "write", path);
	for (size_t i = 0; i < n && r == 0; i++)
		if (write_whole(fd, parts[i].data, parts[i].len) < 0)
			r = io_error(e, "write", path);
	if (r == 0 && durable && fsync(fd) < 0)
		r = io_error(e, "sync", path);
	close(fd);
	return r;
}

static char *numbered(const char *dir, const char *name, int number)
{
	return mem_printf("%s/%s_%03d.json", dir, name, number);
}

static bool is_taken(const char *dir, const char *name, int number)
{
	char *path = numbered(dir, name, number);
	bool taken = access(path, F_OK) == 0;

	free(path);
	return taken;
}

/* Numbers are given in a row, so the first free one is found by halving. */
static int likely_free(const char *dir, const char *name)
{
	int taken = 0, free_one = 1;

	while (free_one < NUMBERS && is_taken(dir, name, free_one)) {
		taken = free_one;
		free_one *= 2;
	}
	while (taken + 1 < free_one) {
		int middle = taken + (free_one - taken) / 2;

		if (is_taken(dir, name, middle))
			taken = middle;
		else
			free_one = middle;
	}
	return free_one;
}

static int rename_to(const char *from, const char *to)
{
	return renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE);
}

/* Neither way replaces, so two writers cannot take the same number. */
static int give_name(int (*way)(const char *from, const char *to), const char *from,
		     const char *dir, const char *name, char **ret_path, struct err *e)
{
	for (int i = likely_free(dir, name); i < NUMBERS; i++) {
		char *path = numbered(dir, name, i);
		int r = 0;

		if (way(from, path) == 0) {
			*ret_path = path;
			return 0;
		}
		if (errno != EEXIST)
			r = io_error(e, "name", path);
		free(path);
		if (r < 0)
			return r;
	}
	return err_set(e, ERR_IO, "%s holds %d files of %s already", dir, NUMBERS - 1, name);
}

static int sync_dir(const char *dir, struct err *e)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC), r = 0;

	if (fd < 0 || fsync(fd) < 0)
		r = io_error(e, "sync", dir);
	if (fd >= 0)
		close(fd);
	return r;
}

int copies_write(const char *data_dir, const char *kind, const char *name, int64_t us,
		 const struct copies_part *parts, size_t n, bool durable, char **ret_path,
		 struct err *e)
{
	char *dir = copies_day(data_dir, kind, us), *path = NULL, *temp, id[UUID_SIZE];
	int r;

	uuid_v4(id);
	temp = mem_printf("%s/.%s.tmp", dir, id);
	r = make_dirs(dir, e);
	if (r == 0) {
		r = write_parts(temp, parts, n, durable, e);
		if (r == 0)
			r = give_name(rename_to, temp, dir, name, &path, e);
		if (r < 0)
			unlink(temp);
	}
	if (r == 0 && durable)
		r = sync_dir(dir, e);
	free(temp);
	free(dir);
	if (r == 0 && ret_path)
		*ret_path = path;
	else
		free(path);
	return r;
}

int copies_link(const char *data_dir, const char *kind, const char *name, int64_t us,
		const char *existing, char **ret_path, struct err *e)
{
	char *dir = copies_day(data_dir, kind, us);
	int r = make_dirs(dir, e);

	if (r == 0)
		r = give_name(link, existing, dir, name, ret_path, e);
	free(dir);
	return r;
}

int copies_put(const char *path, const struct copies_part *parts, size_t n, struct err *e)
{
	char *dir = mem_strndup(path, (size_t)(strrchr(path, '/') - path)), id[UUID_SIZE], *temp;
	int r;

	uuid_v4(id);
	temp = mem_printf("%s/.%s.tmp", dir, id);
	r = make_dirs(dir, e);
	if (r == 0)
		r = write_parts(temp, parts, n, true, e);
	if (r == 0 && rename(temp, path) < 0)
		r = io_error(e, "name", path);
	if (r < 0)
		unlink(temp);
	else
		r = sync_dir(dir, e);
	free(temp);
	free(dir);
	return r;
}

int copies_keep(const char *data_dir, const char *kind, const char *name, int64_t us,
		const char *text, struct err *e)
{
	const struct copies_part part = { text, strlen(text) };

	return copies_write(data_dir, kind, name, us, &part, 1, false, NULL, e);
}

/* The day of …/YYYY/MM/DD in seconds since 1970; -1: it is none. */
static int64_t day_of(const char *dir)
{
	size_t len = strlen(dir);
	struct tm tm = { 0 };
	const char *end = len > 10 ? strptime(dir + len - 10, "%Y/%m/%d", &tm) : NULL;

	return end && !*end ? (int64_t)timegm(&tm) : -1;
}

static int empty_day(const char *dir)
{
	char *pattern = mem_printf("%s/*_[0-9]*.json", dir);
	glob_t found = { 0 };
	int n = 0;

	if (glob(pattern, GLOB_NOSORT, NULL, &found) == 0)
		for (size_t i = 0; i < found.gl_pathc; i++)
			n += unlink(found.gl_pathv[i]) == 0;
	globfree(&found);
	free(pattern);
	return n;
}

/* The day, its month and its year go if nothing stands in them any more. */
static void remove_empty(char *dir)
{
	for (int i = 0; i < 3 && rmdir(dir) == 0; i++)
		*strrchr(dir, '/') = '\0';
}

int copies_expire(const char *data_dir, const char *kind, int64_t now_us, int days, struct err *e)
{
	char *pattern = mem_printf("%s/%s/[0-9]*/[0-9]*/[0-9]*", data_dir, kind);
	glob_t found = { 0 };
	int n = 0, r = glob(pattern, GLOB_NOSORT, NULL, &found);

	for (size_t i = 0; r == 0 && i < found.gl_pathc; i++) {
		char *dir = found.gl_pathv[i];
		int64_t day = day_of(dir);

		if (day < 0 || day + (days + 1) * DAY_S > now_us / 1000000)
			continue;
		n += empty_day(dir);
		remove_empty(dir);
	}
	globfree(&found);
	if (r != 0 && r != GLOB_NOMATCH)
		n = err_set(e, ERR_IO, "cannot look into %s", pattern);
	free(pattern);
	return n;
}
