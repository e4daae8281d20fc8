/* SPDX-License-Identifier: MIT */
#include "common/base/spool_private.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/buf.h"
#include "common/base/clock.h"
#include "common/base/err.h"
#include "common/base/mem.h"

enum {
	STALE_S = 600,			/* a file still being written after that has no writer */
	RECOUNT_MS = 1000,
};

struct name {
	char *text;
	int64_t at_ns, bytes;
};

struct spool {
	char *data_dir, *dir;
	int64_t max_bytes, used, counted_ms;	/* counted_ms 0 = never */
	struct name *names;			/* of this pass */
	size_t nnames, at;
	unsigned serial;
};

static int fail(struct err *e, const char *what, const char *path)
{
	return err_set(e, ERR_IO, "spool: cannot %s %s: %s", what, path, strerror(errno));
}

struct spool *spool_new(const char *data_dir, int64_t max_bytes)
{
	struct spool *s = mem_zalloc(sizeof *s);

	s->data_dir = mem_strdup(data_dir);
	s->dir = mem_printf("%s/spool", data_dir);
	s->max_bytes = max_bytes;
	return s;
}

static void forget_names(struct spool *s)
{
	for (size_t i = 0; i < s->nnames; i++)
		free(s->names[i].text);
	free(s->names);
	s->names = NULL;
	s->nnames = s->at = 0;
}

void spool_free(struct spool *s)
{
	if (!s)
		return;
	forget_names(s);
	free(s->data_dir);
	free(s->dir);
	free(s);
}

/* ---- the directory ---- */

static bool is_entry(const char *name)
{
	return name[0] != '.' && !spool_ends_with(name, ".broken");
}

/* Calls fn for each file; 0 also when there is no spool. */
static int walk(const char *dir, void (*fn)(void *ctx, int dir_fd, const char *name), void *ctx,
		struct err *e)
{
	DIR *d = opendir(dir);
	const struct dirent *f;

	if (!d)
		return errno == ENOENT ? 0 : fail(e, "read", dir);
	while ((f = readdir(d)))
		fn(ctx, dirfd(d), f->d_name);
	closedir(d);
	return 0;
}

struct count {
	int64_t entries, bytes;
	int broken;
};

static void count_file(void *ctx, int dir_fd, const char *name)
{
	struct count *c = ctx;
	struct stat st;

	c->broken += spool_ends_with(name, ".broken");
	if (!is_entry(name) || fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return;
	c->entries++;
	c->bytes += st.st_size;
}

static int count(const char *data_dir, struct count *c, struct err *e)
{
	char *dir = mem_printf("%s/spool", data_dir);
	int r = walk(dir, count_file, c, e);

	free(dir);
	return r;
}

int spool_size(const char *data_dir, int64_t *ret_entries, int64_t *ret_bytes, struct err *e)
{
	struct count c = { 0 };
	int r = count(data_dir, &c, e);

	*ret_entries = c.entries;
	*ret_bytes = c.bytes;
	return r;
}

bool spool_waits(const char *data_dir)
{
	char *dir = mem_printf("%s/spool", data_dir);
	DIR *d = opendir(dir);
	const struct dirent *f;
	bool found = false;

	while (d && !found && (f = readdir(d)))
		found = is_entry(f->d_name);
	if (d)
		closedir(d);
	free(dir);
	return found;
}

int spool_broken(const char *data_dir)
{
	struct count c = { 0 };

	count(data_dir, &c, NULL);
	return c.broken;
}

static void give_away(int fd, const struct stat *owner)
{
	if (geteuid() == 0 && owner->st_uid != 0 && fchown(fd, owner->st_uid, owner->st_gid) < 0)
		return;		/* then only root replays it */
}

/* dir and what is missing above it. */
static int make_dirs(const char *dir)
{
	char *path = mem_strdup(dir);
	int r = 0;

	for (char *slash = strchr(path + 1, '/'); slash && r == 0; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		r = mkdir(path, 0755) < 0 && errno != EEXIST ? -1 : 0;
		*slash = '/';
	}
	free(path);
	return r == 0 && mkdir(dir, 0700) < 0 && errno != EEXIST ? -1 : r;
}

static int open_dir(struct spool *s, struct err *e)
{
	bool missing = access(s->dir, F_OK) < 0 && errno == ENOENT;
	struct stat above;
	int fd;

	if (missing && make_dirs(s->dir) < 0)
		return fail(e, "make", s->dir);
	fd = open(s->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return fail(e, "open", s->dir);
	if (missing && stat(s->data_dir, &above) == 0)
		give_away(fd, &above);
	return fd;
}

/* ---- putting ---- */

static int check_room(struct spool *s, size_t bytes, struct err *e)
{
	int64_t now = clock_mono_ms(), entries;

	if (s->max_bytes <= 0)
		return err_set(e, ERR_TOO_BIG, "spool: there is none (spool_max = 0)");
	if (s->counted_ms == 0 || now - s->counted_ms > RECOUNT_MS) {
		int r = spool_size(s->data_dir, &entries, &s->used, e);

		if (r < 0)
			return r;
		s->counted_ms = now > 0 ? now : 1;
	}
	if (s->used + (int64_t)bytes > s->max_bytes)
		return err_set(e, ERR_TOO_BIG, "spool: full, %lld of %lld bytes (spool_max) used",
			       (long long)s->used, (long long)s->max_bytes);
	return 0;
}

static int write_all(int fd, const void *data, size_t n)
{
	const char *p = data;

	while (n > 0) {
		ssize_t w = write(fd, p, n);

		if (w < 0 && errno != EINTR)
			return -1;
		if (w > 0) {
			p += w;
			n -= (size_t)w;
		}
	}
	return 0;
}

/* The kernel's own stamps go in ticks, and what was put within one would lose its order. */
static int stamp(int fd)
{
	int64_t us = clock_wall_us();
	const struct timespec now = { us / 1000000, us % 1000000 * 1000 };

	return futimens(fd, (const struct timespec[]){ now, now });
}

/* Whole and durable under a name that no replay looks at. */
static int write_beside(int dir_fd, const char *name, const struct buf *head,
			const struct spool_entry *x)
{
	int fd = openat(dir_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	struct stat owner;
	int r;

	if (fd < 0)
		return -1;
	if (fstat(dir_fd, &owner) == 0)
		give_away(fd, &owner);
	r = write_all(fd, head->data, head->len);
	if (r == 0)
		r = write_all(fd, x->props, x->props_len);
	if (r == 0)
		r = write_all(fd, x->body, x->body_len);
	if (r == 0)
		r = stamp(fd);
	if (r == 0)
		r = fsync(fd);
	if (close(fd) < 0)
		r = -1;
	return r;
}

static int store(struct spool *s, int dir_fd, const struct buf *head, const struct spool_entry *x,
		 struct err *e)
{
	char *name = spool_name(x->id);
	char *beside = mem_printf(".%s.%ld.%u", name, (long)getpid(), s->serial++);
	int r = write_beside(dir_fd, beside, head, x);

	if (r == 0)
		r = renameat(dir_fd, beside, dir_fd, name);
	if (r == 0)
		r = fsync(dir_fd);
	if (r < 0) {
		r = fail(e, "write into", s->dir);
		unlinkat(dir_fd, beside, 0);
	}
	free(beside);
	free(name);
	return r;
}

int spool_put(struct spool *s, const struct spool_entry *x, struct err *e)
{
	size_t bytes = 0;
	struct buf head;
	int fd, r;

	buf_init(&head, SPOOL_HEAD_MAX);
	r = spool_print_head(&head, x, e);
	if (r == 0) {
		bytes = head.len + x->props_len + x->body_len;
		r = check_room(s, bytes, e);
	}
	if (r == 0) {
		fd = open_dir(s, e);
		r = fd < 0 ? fd : store(s, fd, &head, x, e);
		if (fd >= 0)
			close(fd);
	}
	if (r == 0)
		s->used += (int64_t)bytes;
	buf_release(&head);
	return r;
}

/* ---- taking ---- */

static void list_file(void *ctx, int dir_fd, const char *name)
{
	struct spool *s = ctx;
	struct stat st;

	if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0 || spool_ends_with(name, ".broken") ||
	    fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISREG(st.st_mode))
		return;
	if (name[0] == '.') {
		if (clock_wall_us() / 1000000 - st.st_mtim.tv_sec > STALE_S)
			unlinkat(dir_fd, name, 0);
		return;
	}
	if ((s->nnames & (s->nnames + 1)) == 0)		/* full at 0, 1, 3, 7, …: it doubles */
		s->names = mem_realloc(s->names, 2 * (s->nnames + 1) * sizeof *s->names);
	s->names[s->nnames++] = (struct name){
		.text = mem_strdup(name),
		.at_ns = st.st_mtim.tv_sec * INT64_C(1000000000) + st.st_mtim.tv_nsec,
		.bytes = st.st_size,
	};
}

static int by_age(const void *a, const void *b)
{
	const struct name *x = a, *y = b;

	return x->at_ns != y->at_ns ? (x->at_ns > y->at_ns ? 1 : -1) : strcmp(x->text, y->text);
}

static void held_free(struct spool_held *h)
{
	if (h->fd >= 0)
		close(h->fd);
	cJSON_Delete(h->head);
	free(h->data);
	free(h->name);
	free(h);
}

static ssize_t read_all(int fd, char *out, size_t n)
{
	size_t got = 0;

	while (got < n) {
		ssize_t r = pread(fd, out + got, n - got, (off_t)got);

		if (r < 0 && errno != EINTR)
			return -1;
		if (r == 0)
			break;
		got += r > 0 ? (size_t)r : 0;
	}
	return (ssize_t)got;
}

static void set_aside(int dir_fd, const char *name)
{
	char *broken = mem_printf("%s.broken", name);

	renameat(dir_fd, name, dir_fd, broken);
	free(broken);
}

/* NULL: gone, held by another, unreadable or broken. */
static struct spool_held *hold(int dir_fd, const char *name)
{
	struct spool_held *h = mem_zalloc(sizeof *h);
	struct stat st;
	ssize_t n = -1;

	h->fd = openat(dir_fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (h->fd >= 0 && flock(h->fd, LOCK_EX | LOCK_NB) == 0 && fstat(h->fd, &st) == 0 &&
	    st.st_nlink > 0 && st.st_size <= SPOOL_ENTRY_MAX) {
		h->data = mem_alloc((size_t)st.st_size + 1);
		n = read_all(h->fd, h->data, (size_t)st.st_size);
		if (n >= 0 && spool_understand(h, (size_t)n)) {
			h->name = mem_strdup(name);
			return h;
		}
		if (n >= 0)
			set_aside(dir_fd, name);
	}
	held_free(h);
	return NULL;
}

int spool_take(struct spool *s, size_t most, size_t most_bytes, struct spool_held **ret_held,
	       struct err *e)
{
	bool over = s->nnames > 0 && s->at == s->nnames;
	int dir_fd, r = 0;
	size_t bytes = 0;

	if (s->nnames == 0)
		r = walk(s->dir, list_file, s, e);
	if (over)
		forget_names(s);
	if (r < 0 || s->nnames == 0)
		return r;
	if (s->at == 0)
		qsort(s->names, s->nnames, sizeof *s->names, by_age);
	dir_fd = open(s->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir_fd < 0)
		return fail(e, "open", s->dir);
	while (s->at < s->nnames && (size_t)r < most && bytes < most_bytes) {
		const struct name *n = &s->names[s->at++];

		ret_held[r] = hold(dir_fd, n->text);
		if (ret_held[r]) {
			bytes += (size_t)n->bytes;
			r++;
		}
	}
	close(dir_fd);
	if (r == 0)
		forget_names(s);
	return r;
}

const struct spool_entry *spool_entry(const struct spool_held *h)
{
	return &h->x;
}

void spool_settle(struct spool *s, struct spool_held *h, bool handled)
{
	char *path = mem_printf("%s/%s", s->dir, h->name);

	if (handled && unlink(path) == 0)
		s->counted_ms = 0;
	held_free(h);
	free(path);
}
