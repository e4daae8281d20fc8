/* SPDX-License-Identifier: MIT */
/* copies: files by day, numbered in a row, that expire. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <glob.h>

#include "common/base/copies.h"
#include "common/base/err.h"
#include "common/base/mem.h"

#define DAY_US 86400000000LL

static char dir[64];
static const int64_t JAN_15 = 1800000000LL * 1000000;	/* 2027-01-15 08:00 UTC */

static int start(void **state)
{
	(void)state;
	snprintf(dir, sizeof dir, "/tmp/jobfleet-copies-XXXXXX");
	return mkdtemp(dir) ? 0 : -1;
}

static int stop(void **state)
{
	char *command = mem_printf("rm -rf %s", dir);
	int r = system(command);

	(void)state;
	free(command);
	return r;
}

static size_t count(const char *below)
{
	char *pattern = mem_printf("%s/%s", dir, below);
	glob_t found = { 0 };
	size_t n = glob(pattern, 0, NULL, &found) == 0 ? found.gl_pathc : 0;

	globfree(&found);
	free(pattern);
	return n;
}

static void keep(const char *kind, int64_t us)
{
	struct err e = { 0 };

	if (copies_keep(dir, kind, "processed", us, "{}", &e) < 0)
		fail_msg("%s", e.msg);
}

static void files_of_a_day_are_numbered_in_a_row(void **state)
{
	(void)state;
	for (int i = 0; i < 1005; i++)
		keep(COPIES_PROCESSED, JAN_15);
	assert_int_equal(count("processed_data/2027/01/15/processed_001.json"), 1);
	assert_int_equal(count("processed_data/2027/01/15/processed_1005.json"), 1);
	assert_int_equal(count("processed_data/2027/01/15/*"), 1005);
	keep(COPIES_PROCESSED, JAN_15 + DAY_US);
	assert_int_equal(count("processed_data/2027/01/16/processed_001.json"), 1);
}

static void parts_make_one_file(void **state)
{
	const struct copies_part parts[] = { { "{\"a\":", 5 }, { "1}", 2 } };
	char *path = NULL, *link_path = NULL;
	struct err e = { 0 };
	struct stat st;

	(void)state;
	assert_int_equal(copies_write(dir, COPIES_RAW, "x", JAN_15, parts, 2, true, &path,
				      &e), 0);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_size, 7);
	assert_int_equal(st.st_mode & 0777, 0640);
	assert_int_equal(copies_link(dir, COPIES_RAW, "x", JAN_15, path, &link_path, &e), 0);
	assert_non_null(strstr(link_path, "/x_002.json"));
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_nlink, 2);
	free(path);
	free(link_path);
}

static void old_days_go_and_nothing_else(void **state)
{
	char *other = mem_printf("%s/failed_processing/2027/01/15/notes.txt", dir);
	struct err e = { 0 };
	FILE *f;

	(void)state;
	keep(COPIES_FAILED, JAN_15);
	keep(COPIES_FAILED, JAN_15 + DAY_US);
	keep(COPIES_FAILED, JAN_15 + 2 * DAY_US);
	f = fopen(other, "w");
	assert_non_null(f);
	fclose(f);
	assert_int_equal(copies_expire(dir, COPIES_FAILED, JAN_15 + 2 * DAY_US, 30, &e), 0);
	assert_int_equal(copies_expire(dir, COPIES_FAILED, JAN_15 + 32 * DAY_US, 30, &e), 2);
	assert_int_equal(count("failed_processing/2027/01/15/notes.txt"), 1);
	assert_int_equal(count("failed_processing/2027/01/16"), 0);
	assert_int_equal(count("failed_processing/2027/01/17/processed_001.json"), 1);
	assert_int_equal(copies_expire(dir, "nothing", JAN_15, 30, &e), 0);
	free(other);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(files_of_a_day_are_numbered_in_a_row),
		cmocka_unit_test(parts_make_one_file),
		cmocka_unit_test(old_days_go_and_nothing_else),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
