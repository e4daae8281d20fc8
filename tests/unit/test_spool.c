/* SPDX-License-Identifier: MIT */
/* services: none */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <dirent.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/err.h"
#include "common/base/mem.h"
#include "common/base/spool.h"

enum { MANY = 300, PLENTY = 1 << 30, ROOM = 1 << 20 };

static char *fresh_dir(void)
{
	const char *tmp = getenv("TMPDIR");
	char *dir = mem_printf("%s/spool-XXXXXX", tmp ? tmp : "/tmp");

	assert_non_null(mkdtemp(dir));
	return dir;
}

static struct spool_entry entry(const char *id)
{
	return (struct spool_entry){ .id = id, .queue = "q", .props = "pr\0ps", .props_len = 5,
				     .body = "[[], {}, {}]\n{", .body_len = 14 };
}

static void put(struct spool *s, const char *id)
{
	struct spool_entry x = entry(id);
	struct err e = { 0 };

	if (spool_put(s, &x, &e) < 0)
		fail_msg("spool_put: %s", e.msg);
}

/* What one pass holds, settled as told. */
static int take(struct spool *s, bool handled, char **ret_ids)
{
	struct spool_held *held[16];
	struct err e = { 0 };
	int n, all = 0;

	while ((n = spool_take(s, 16, PLENTY, held, &e)) > 0) {
		for (int i = 0; i < n; i++) {
			if (ret_ids)
				ret_ids[all + i] = mem_strdup(spool_entry(held[i])->id);
			spool_settle(s, held[i], handled);
		}
		all += n;
	}
	assert_int_equal(n, 0);
	return all;
}

static int64_t waiting(const char *dir)
{
	int64_t entries = -1, bytes = -1;

	assert_int_equal(spool_size(dir, &entries, &bytes, NULL), 0);
	return entries;
}

static void what_was_put_is_taken_as_it_was(void **state)
{
	char *dir = fresh_dir();
	struct spool *s = spool_new(dir, ROOM), *other = spool_new(dir, ROOM);
	struct spool_entry x = entry("id-1");
	const struct spool_entry *got;
	struct spool_held *held[2];

	(void)state;
	assert_int_equal(waiting(dir), 0);
	assert_int_equal(spool_take(s, 2, PLENTY, held, NULL), 0);
	put(s, "id-1");
	assert_int_equal(waiting(dir), 1);
	assert_int_equal(spool_take(other, 2, PLENTY, held, NULL), 1);
	got = spool_entry(held[0]);
	assert_string_equal(got->id, x.id);
	assert_string_equal(got->queue, x.queue);
	assert_int_equal(got->props_len, x.props_len);
	assert_memory_equal(got->props, x.props, x.props_len);
	assert_int_equal(got->body_len, x.body_len);
	assert_memory_equal(got->body, x.body, x.body_len);
	spool_settle(other, held[0], true);
	assert_int_equal(waiting(dir), 0);
	spool_free(s);
	spool_free(other);
	free(dir);
}

static void the_same_id_twice_is_one_entry(void **state)
{
	char *dir = fresh_dir();
	struct spool *s = spool_new(dir, ROOM);

	(void)state;
	put(s, "same");
	put(s, "same");
	assert_int_equal(take(s, true, NULL), 1);
	spool_free(s);
	free(dir);
}

static void entries_come_oldest_first_and_stay_until_handled(void **state)
{
	char *dir = fresh_dir(), *ids[MANY], name[16];
	struct spool *s = spool_new(dir, ROOM);

	(void)state;
	for (int i = 0; i < MANY; i++) {
		snprintf(name, sizeof name, "%03d", (i * 7) % MANY);
		put(s, name);
	}
	for (int round = 0; round < 2; round++) {
		assert_int_equal(take(s, round == 1, ids), MANY);
		for (int i = 0; i < MANY; i++) {
			snprintf(name, sizeof name, "%03d", (i * 7) % MANY);
			assert_string_equal(ids[i], name);
			free(ids[i]);
		}
	}
	assert_int_equal(take(s, true, NULL), 0);
	spool_free(s);
	free(dir);
}

static void ids_that_are_no_file_names_are_kept_all_the_same(void **state)
{
	const char *const odd[] = { "",	      ".",	  "..", "../up", "a/b",
				    ".hidden", "x.broken", "ü",	"a b",	 "\n" };
	char *dir = fresh_dir(), *ids[COUNT(odd)] = { 0 };
	struct spool *s = spool_new(dir, ROOM);

	(void)state;
	for (size_t i = 0; i < COUNT(odd); i++)
		put(s, odd[i]);
	assert_int_equal(take(s, true, ids), COUNT(odd));
	for (size_t i = 0; i < COUNT(odd); i++) {
		assert_string_equal(ids[i], odd[i]);
		free(ids[i]);
	}
	spool_free(s);
	free(dir);
}

static void two_replays_share_the_work(void **state)
{
	char *dir = fresh_dir();
	struct spool *one = spool_new(dir, ROOM), *two = spool_new(dir, ROOM);
	struct spool_held *held[16];
	int n;

	(void)state;
	for (int i = 0; i < 16; i++)
		put(one, (char[]){ 'a' + (char)i, '\0' });
	n = spool_take(one, 6, PLENTY, held, NULL);
	assert_int_equal(n, 6);
	assert_int_equal(take(two, true, NULL), 10);
	for (int i = 0; i < n; i++)
		spool_settle(one, held[i], true);
	assert_int_equal(take(one, true, NULL), 0);
	assert_int_equal(waiting(dir), 0);
	spool_free(one);
	spool_free(two);
	free(dir);
}

static void a_batch_is_bounded_in_bytes(void **state)
{
	char *dir = fresh_dir();
	struct spool *s = spool_new(dir, ROOM);
	struct spool_held *held[4];

	(void)state;
	put(s, "a");
	put(s, "b");
	assert_int_equal(spool_take(s, 4, 1, held, NULL), 1);
	spool_settle(s, held[0], true);
	assert_int_equal(spool_take(s, 4, 1, held, NULL), 1);
	spool_settle(s, held[0], true);
	spool_free(s);
	free(dir);
}

static void a_full_spool_refuses_and_a_replay_makes_room(void **state)
{
	char *dir = fresh_dir();
	struct spool *s = spool_new(dir, 400), *none = spool_new(dir, 0);
	struct spool_entry x = entry("more");
	struct err e = { 0 };

	(void)state;
	put(s, "first");
	put(s, "second");
	assert_int_equal(spool_put(s, &x, &e), -ERR_TOO_BIG);
	assert_non_null(strstr(e.msg, "of 400 bytes (spool_max)"));
	assert_int_equal(spool_put(none, &x, &e), -ERR_TOO_BIG);
	assert_non_null(strstr(e.msg, "spool_max = 0"));
	assert_int_equal(take(s, true, NULL), 2);
	put(s, "more");
	spool_free(s);
	spool_free(none);
	free(dir);
}

static char *only_file(const char *dir)
{
	char *spool = mem_printf("%s/spool", dir), *path = NULL;
	DIR *d = opendir(spool);
	const struct dirent *f;

	assert_non_null(d);
	while ((f = readdir(d)))
		if (f->d_name[0] != '.')
			path = mem_printf("%s/%s", spool, f->d_name);
	closedir(d);
	free(spool);
	assert_non_null(path);
	return path;
}

static void a_file_cut_at_any_byte_is_set_aside(void **state)
{
	char *dir = fresh_dir(), *path, *broken;
	struct spool *s = spool_new(dir, ROOM);
	struct stat st;

	(void)state;
	put(s, "cut");
	path = only_file(dir);
	broken = mem_printf("%s.broken", path);
	assert_int_equal(stat(path, &st), 0);
	for (off_t n = 0; n < st.st_size; n++) {
		put(s, "cut");
		assert_int_equal(truncate(path, n), 0);
		assert_int_equal(take(s, true, NULL), 0);
		assert_int_equal(spool_broken(dir), 1);
		assert_int_equal(waiting(dir), 0);
		unlink(broken);
	}
	free(broken);
	free(path);
	spool_free(s);
	free(dir);
}

static void a_file_with_any_byte_changed_is_set_aside(void **state)
{
	char *dir = fresh_dir(), *path, byte;
	struct spool *s = spool_new(dir, ROOM);
	struct stat st;

	(void)state;
	put(s, "spoilt");
	path = only_file(dir);
	assert_int_equal(stat(path, &st), 0);
	for (off_t at = 0; at < st.st_size; at++) {
		int fd, got;

		put(s, "spoilt");
		fd = open(path, O_RDWR);
		assert_int_equal(pread(fd, &byte, 1, at), 1);
		if (byte == ' ' || byte == '\n') {	/* white space of the head may change */
			close(fd);
			continue;
		}
		byte ^= 1;
		assert_int_equal(pwrite(fd, &byte, 1, at), 1);
		close(fd);
		got = take(s, true, NULL);
		if (got != 0 || spool_broken(dir) != 1)
			fail_msg("byte %ld changed: %d taken, %d broken", (long)at, got,
				 spool_broken(dir));
	}
	free(path);
	spool_free(s);
	free(dir);
}

/* In a child: the mount is its own. Exit status 0 = as it should be. */
static int on_a_small_disk(const char *dir)
{
	static char large[600 * 1024];
	struct spool *s = spool_new(dir, PLENTY);
	struct spool_entry x = entry("large-1");
	struct err e = { 0 };
	int64_t entries, bytes;

	if (unshare(CLONE_NEWNS | (geteuid() ? CLONE_NEWUSER : 0)) < 0 ||
	    mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("none", dir, "tmpfs", 0, "size=1m") < 0)
		return 2;
	x.body = large;
	x.body_len = sizeof large;
	if (spool_put(s, &x, &e) < 0)
		return 3;
	x.id = "large-2";
	if (spool_put(s, &x, &e) != -ERR_IO || !strstr(e.msg, "No space left"))
		return 4;
	if (spool_size(dir, &entries, &bytes, &e) < 0 || entries != 1)
		return 5;
	if (take(s, true, NULL) != 1 || spool_put(s, &x, &e) < 0)
		return 6;
	if (mount("none", dir, NULL, MS_REMOUNT | MS_RDONLY, NULL) < 0)
		return 7;
	x.id = "large-3";
	if (spool_put(s, &x, &e) != -ERR_IO || !strstr(e.msg, "Read-only"))
		return 8;
	return 0;
}

static void a_full_disk_is_named_and_leaves_nothing_half_written(void **state)
{
	char *dir = fresh_dir();
	int status = -1;
	pid_t pid = fork();

	(void)state;
	if (pid == 0)
		_exit(on_a_small_disk(dir));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	free(dir);
}

static void what_a_dead_writer_left_is_no_entry(void **state)
{
	struct timespec old[2] = { { .tv_sec = 1000 }, { .tv_sec = 1000 } };
	char *dir = fresh_dir(), *path;
	struct spool *s = spool_new(dir, ROOM);
	int fd;

	(void)state;
	put(s, "whole");
	path = mem_printf("%s/spool/.half.1.0", dir);
	fd = open(path, O_WRONLY | O_CREAT, 0600);
	assert_int_equal(write(fd, "{", 1), 1);
	close(fd);
	assert_int_equal(waiting(dir), 1);
	assert_int_equal(take(s, false, NULL), 1);
	assert_int_equal(access(path, F_OK), 0);
	utimensat(AT_FDCWD, path, old, 0);
	assert_int_equal(take(s, true, NULL), 1);
	assert_int_equal(access(path, F_OK), -1);
	free(path);
	spool_free(s);
	free(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_put_is_taken_as_it_was),
		cmocka_unit_test(the_same_id_twice_is_one_entry),
		cmocka_unit_test(entries_come_oldest_first_and_stay_until_handled),
		cmocka_unit_test(ids_that_are_no_file_names_are_kept_all_the_same),
		cmocka_unit_test(two_replays_share_the_work),
		cmocka_unit_test(a_batch_is_bounded_in_bytes),
		cmocka_unit_test(a_full_spool_refuses_and_a_replay_makes_room),
		cmocka_unit_test(a_file_cut_at_any_byte_is_set_aside),
		cmocka_unit_test(a_file_with_any_byte_changed_is_set_aside),
		cmocka_unit_test(a_full_disk_is_named_and_leaves_nothing_half_written),
		cmocka_unit_test(what_a_dead_writer_left_is_no_entry),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
