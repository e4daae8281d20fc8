/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/err.h"
#include "common/base/log.h"
#include "common/base/mem.h"

static char dir[1024], path[1040], text[65536];

static const char *lines(void)
{
	FILE *f = fopen(path, "r");
	size_t n = f ? fread(text, 1, sizeof text - 1, f) : 0;

	text[n] = '\0';
	if (f)
		fclose(f);
	return text;
}

static int to_file(void **state)
{
	const char *tmp = getenv("TMPDIR");

	(void)state;
	snprintf(dir, sizeof dir, "%s/test-log-XXXXXX", tmp ? tmp : "/tmp");
	if (!mkdtemp(dir))
		return -1;
	snprintf(path, sizeof path, "%s/log", dir);
	clock_fix_wall(1795292329036633);
	return log_open("salary", LOG_LEVEL_INFO, path, NULL);
}

static int to_stderr(void **state)
{
	(void)state;
	log_set_task(NULL);
	log_open("salary", LOG_LEVEL_INFO, NULL, NULL);
	clock_fix_wall(0);
	unlink(path);
	return rmdir(dir);
}

static void a_line_says_when_how_bad_who_and_what(void **state)
{
	char expect[128];

	(void)state;
	log_info("queue=%s ready", "salary_data");
	snprintf(expect, sizeof expect,
		 "2026-11-21T20:18:49.036Z INFO     salary[%d] queue=salary_data ready\n",
		 (int)getpid());
	assert_string_equal(lines(), expect);
}

static void levels_below_the_least_are_not_written(void **state)
{
	(void)state;
	log_debug("one");
	log_set_level(LOG_LEVEL_ERROR);
	log_warn("two");
	log_error("three");
	assert_false(log_enabled(LOG_LEVEL_WARNING));
	assert_null(strstr(lines(), "one"));
	assert_null(strstr(lines(), "two"));
	assert_non_null(strstr(lines(), "ERROR    "));
	log_set_level(LOG_LEVEL_DEBUG);
	log_debug("four");
	assert_non_null(strstr(lines(), "four"));
}

static void a_task_names_itself_on_its_lines_only(void **state)
{
	(void)state;
	log_set_task(&(struct log_task){ "id-1", "jobfleet.collect_jobs", "q", 1 });
	log_info("inside");
	log_set_task(NULL);
	log_info("outside");
	assert_non_null(strstr(lines(), "inside task_id=id-1 task=jobfleet.collect_jobs\n"));
	assert_non_null(strstr(lines(), "outside\n"));
}

static void a_line_about_a_task_says_no_more_than_its_text(void **state)
{
	const struct log_task task = { "id-2", "jobfleet.reprocess", "q", 3 };

	(void)state;
	log_about(LOG_LEVEL_WARNING, &task, "child lost id=%s", task.id);
	log_each(&task, "revoked id=%s", task.id);
	assert_non_null(strstr(lines(), "WARNING  "));
	assert_non_null(strstr(lines(), "child lost id=id-2\n"));
	assert_non_null(strstr(lines(), "INFO     "));
	assert_non_null(strstr(lines(), "revoked id=id-2\n"));
	log_set_level(LOG_LEVEL_WARNING);
	log_each(&task, "never id=%s", task.id);
	assert_null(strstr(lines(), "never"));
}

static void no_text_of_a_peer_makes_a_line_of_its_own(void **state)
{
	size_t n = 0;

	(void)state;
	log_set_task(&(struct log_task){ "id\nFORGED id", "task\r\nFORGED task", NULL, 0 });
	log_info("said \"%s\"", "x\n2026 CRITICAL forged\t\x1b[31m");
	for (const char *p = lines(); *p; p++)
		n += *p == '\n';
	assert_int_equal(n, 1);
	assert_null(strchr(lines(), '\x1b'));
}

static void a_long_line_is_cut(void **state)
{
	char *peer = mem_zalloc(100001);

	(void)state;
	memset(peer, 'x', 100000);
	log_set_task(&(struct log_task){ peer, peer, peer, 1 });
	log_info("%s", peer);
	assert_true(strlen(lines()) < 5000);
	assert_int_equal(text[strlen(text) - 1], '\n');
	free(peer);
}

static void errno_survives_a_line(void **state)
{
	(void)state;
	errno = ENOENT;
	log_info("%s", "x");
	assert_int_equal(errno, ENOENT);
}

static void after_rotation_lines_go_to_the_new_file(void **state)
{
	char old[1056];

	(void)state;
	log_info("before");
	snprintf(old, sizeof old, "%s.1", path);
	assert_int_equal(rename(path, old), 0);
	log_info("between");
	log_reopen();
	log_info("after");
	assert_null(strstr(lines(), "before"));
	assert_null(strstr(lines(), "between"));
	assert_non_null(strstr(lines(), "after"));
	unlink(old);
}

static void a_file_that_cannot_be_opened_leaves_the_log_as_it_was(void **state)
{
	struct err e = { 0 };

	(void)state;
	assert_int_equal(log_open("salary", LOG_LEVEL_INFO, "/nonexistent/log", &e), -ERR_CONFIG);
	assert_string_equal(e.msg, "log_file /nonexistent/log: No such file or directory");
	log_info("still here");
	assert_non_null(strstr(lines(), "still here"));
}

static void the_file_is_not_for_everybody(void **state)
{
	struct stat st;

	(void)state;
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07, 0);
}

static void levels_read_in_any_case(void **state)
{
	enum log_level level = LOG_LEVEL_INFO;
	struct err e = { 0 };

	(void)state;
	for (int i = LOG_LEVEL_DEBUG; i <= LOG_LEVEL_CRITICAL; i++) {
		assert_int_equal(log_parse_level(log_level_name((enum log_level)i), &level, NULL),
				 0);
		assert_int_equal(level, i);
	}
	assert_int_equal(log_parse_level("warn", &level, NULL), 0);
	assert_int_equal(level, LOG_LEVEL_WARNING);
	assert_int_equal(log_parse_level("", &level, &e), -ERR_INVALID);
	assert_string_equal(e.msg,
			    "\"\" is not a log level: DEBUG, INFO, WARNING, ERROR or CRITICAL");
	assert_int_equal(level, LOG_LEVEL_WARNING);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, to_file, to_stderr)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_line_says_when_how_bad_who_and_what),
		TEST(levels_below_the_least_are_not_written),
		TEST(a_task_names_itself_on_its_lines_only),
		TEST(a_line_about_a_task_says_no_more_than_its_text),
		TEST(no_text_of_a_peer_makes_a_line_of_its_own),
		TEST(a_long_line_is_cut),
		TEST(errno_survives_a_line),
		TEST(after_rotation_lines_go_to_the_new_file),
		TEST(a_file_that_cannot_be_opened_leaves_the_log_as_it_was),
		TEST(the_file_is_not_for_everybody),
		TEST(levels_read_in_any_case),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
