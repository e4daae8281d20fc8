/* SPDX-License-Identifier: MIT */
/* services: none */
/* Every call on files fails in turn, in every way: spool, answers kept as files, copies. What was
 * answered with success is there, whole; what failed is there whole or not at all. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/copies.h"
#include "common/base/err.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/base/spool.h"
#include "common/base/uuid.h"
#include "tests/hostile/inject.h"
#include "workers/collection/rawfile.h"

enum { PLENTY = 1 << 30, BODY = 3000 };

static char *fresh_dir(void)
{
	const char *tmp = getenv("TMPDIR");
	char *dir = mem_printf("%s/hostile-XXXXXX", tmp ? tmp : "/tmp");

	assert_non_null(mkdtemp(dir));
	return dir;
}

static void remove_dir(char *dir)
{
	char *command = mem_printf("rm -rf '%s'", dir);

	assert_int_equal(system(command), 0);
	free(command);
	free(dir);
}

/* Half-written files that nobody will ever name or remove. */
static int left_over(const char *dir)
{
	char *command = mem_printf("find '%s' -name '.*' -type f | wc -l", dir), line[32] = "";
	FILE *from = popen(command, "r");
	int n;

	assert_non_null(fgets(line, sizeof line, from));
	pclose(from);
	free(command);
	n = (int)strtol(line, NULL, 10);
	return n;
}

static char *large_body(void)
{
	char *body = mem_alloc(BODY + 1);

	memset(body, 'x', BODY);
	memcpy(body, "[[], {\"t\": \"", 12);
	memcpy(body + BODY - 6, "\"}, {}", 6);
	body[BODY] = '\0';
	return body;
}

/* ---- the spool ---- */

static int taken_whole(const char *dir, const char *body, bool handled)
{
	struct spool *s = spool_new(dir, PLENTY);
	struct spool_held *held[4];
	struct err e = { 0 };
	int n = spool_take(s, 4, PLENTY, held, &e);

	assert_true(n >= 0);
	for (int i = 0; i < n; i++) {
		const struct spool_entry *x = spool_entry(held[i]);

		assert_string_equal(x->id, "an-id");
		assert_string_equal(x->queue, "q");
		assert_int_equal(x->body_len, BODY);
		assert_memory_equal(x->body, body, BODY);
		spool_settle(s, held[i], handled);
	}
	spool_free(s);
	return n;
}

static void what_the_spool_took_is_there_and_nothing_is_half_there(void **state)
{
	char *dir = fresh_dir(), *body = large_body();
	int refused = 0;

	(void)state;
	INJECT_EACH(INJECT_SHORT, INJECT_EIO) {
		struct spool_entry x = { .id = "an-id", .queue = "q", .props = "p", .props_len = 1,
					 .body = body, .body_len = BODY };
		struct spool *s = spool_new(dir, PLENTY);
		struct err e = { 0 };
		int r = spool_put(s, &x, &e), n;

		inject_end();
		spool_free(s);
		n = taken_whole(dir, body, true);
		assert_true(r < 0 ? e.msg[0] != '\0' : n == 1);
		assert_int_equal(spool_broken(dir), 0);
		assert_int_equal(left_over(dir), 0);
		refused += r < 0;
	}
	assert_true(refused > 5);
	remove_dir(dir);
	free(body);
}

static void an_entry_that_cannot_be_read_now_is_kept(void **state)
{
	char *dir = fresh_dir(), *body = large_body();
	struct spool_entry x = { .id = "an-id", .queue = "q", .body = body, .body_len = BODY };
	struct spool *s = spool_new(dir, PLENTY);

	(void)state;
	assert_int_equal(spool_put(s, &x, NULL), 0);
	spool_free(s);
	INJECT_EACH(INJECT_SHORT, INJECT_EIO) {
		taken_whole(dir, body, false);
		inject_end();
		assert_int_equal(spool_broken(dir), 0);
		assert_int_equal(taken_whole(dir, body, false), 1);
	}
	remove_dir(dir);
	free(body);
}

/* ---- answers as files ---- */

static struct raw_taken an_answer(const char *body)
{
	static cJSON *object;
	struct raw_taken raw = { .taken_us = clock_wall_us(), .provider = "jsearch", .run_id = "r",
				 .content_type = "application/json", .http_status = 200,
				 .body = body, .body_len = strlen(body), .complete = true };

	if (!object)
		object = cJSON_Parse("{\"a\": 1}");
	raw.query = raw.metadata = object;
	uuid_v4(raw.id);
	return raw;
}

static size_t waiting_whole(const char *dir, const char *body, bool remove)
{
	char **paths;
	size_t n = rawfile_list(dir, 8, &paths);

	for (size_t i = 0; i < n; i++) {
		struct rawfile f;
		struct err e = { 0 };

		if (rawfile_read(paths[i], PLENTY, &f, &e) < 0)
			fail_msg("%s: %s", paths[i], e.msg);
		assert_int_equal(f.raw.body_len, strlen(body));
		assert_memory_equal(f.raw.body, body, f.raw.body_len);
		rawfile_release(&f);
		if (remove)
			assert_int_equal(rawfile_remove(paths[i], &e), 0);
		free(paths[i]);
	}
	free(paths);
	return n;
}

static void an_answer_that_was_kept_is_there_and_none_is_half_there(void **state)
{
	char *dir = fresh_dir(), *body = large_body();
	int refused = 0;

	(void)state;
	INJECT_EACH(INJECT_SHORT, INJECT_EIO) {
		struct raw_taken raw = an_answer(body);
		struct err e = { 0 };
		char *path = NULL;
		int r = rawfile_write(dir, &raw, &path, &e);
		size_t n;

		inject_end();
		n = waiting_whole(dir, body, true);
		assert_true(r < 0 ? e.msg[0] != '\0' : n == 1);
		assert_int_equal(left_over(dir), 0);
		refused += r < 0;
		if (r == 0)
			free(path);
	}
	assert_true(refused > 5);
	remove_dir(dir);
	free(body);
}

static void a_kept_answer_that_cannot_be_read_now_is_no_stranger(void **state)
{
	char *dir = fresh_dir(), *body = large_body(), *path, **paths;
	struct raw_taken raw = an_answer(body);

	(void)state;
	assert_int_equal(rawfile_write(dir, &raw, &path, NULL), 0);
	assert_int_equal(rawfile_list(dir, 1, &paths), 1);
	INJECT_EACH(INJECT_SHORT, INJECT_EIO) {
		struct rawfile f;
		struct err e = { 0 };
		int r = rawfile_read(paths[0], PLENTY, &f, &e);

		inject_end();
		if (r == 0)
			rawfile_release(&f);
		else
			assert_int_equal(e.code, ERR_IO);
	}
	assert_int_equal(waiting_whole(dir, body, false), 1);
	free(paths[0]);
	free(paths);
	free(path);
	remove_dir(dir);
	free(body);
}

static void a_copy_is_whole_or_not_there(void **state)
{
	char *dir = fresh_dir(), *body = large_body();
	const struct copies_part parts[] = { { body, BODY }, { "\n", 1 } };

	(void)state;
	INJECT_EACH(INJECT_SHORT, INJECT_EIO) {
		char *path = NULL;
		struct err e = { 0 };
		struct stat st;
		int r = copies_write(dir, "processed_data", "x", clock_wall_us(), parts, 2, true,
				     &path, &e);

		inject_end();
		assert_int_equal(left_over(dir), 0);
		if (r < 0) {
			assert_true(e.msg[0]);
		} else {
			assert_int_equal(stat(path, &st), 0);
			assert_int_equal(st.st_size, BODY + 1);
			free(path);
		}
	}
	remove_dir(dir);
	free(body);
}

static void a_full_disk_under_the_log_ends_nothing(void **state)
{
	char *dir = fresh_dir(), *path = mem_printf("%s/log", dir);

	(void)state;
	assert_int_equal(log_open("hostile", LOG_LEVEL_INFO, path, NULL), 0);
	INJECT_EACH(INJECT_SHORT, INJECT_EIO) {
		log_info("a line");
		log_warn("another");
		inject_end();
	}
	assert_int_equal(log_open("hostile", LOG_LEVEL_INFO, NULL, NULL), 0);
	remove_dir(dir);
	free(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_the_spool_took_is_there_and_nothing_is_half_there),
		cmocka_unit_test(an_entry_that_cannot_be_read_now_is_kept),
		cmocka_unit_test(an_answer_that_was_kept_is_there_and_none_is_half_there),
		cmocka_unit_test(a_kept_answer_that_cannot_be_read_now_is_no_stranger),
		cmocka_unit_test(a_copy_is_whole_or_not_there),
		cmocka_unit_test(a_full_disk_under_the_log_ends_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
