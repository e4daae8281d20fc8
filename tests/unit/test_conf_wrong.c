/* SPDX-License-Identifier: MIT */
/* services: none
 *
 * Every wrong queues.conf that we could think of, with the whole list of what it is told. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <unistd.h>

#include "common/base/conf.h"
#include "common/base/err.h"
#include "common/base/mem.h"

#define QUEUE "queue q { program = salary }\n"
#define TASK QUEUE "task t { queue = q }\n"

static const struct {
	const char *what, *text, *expect;
} WRONG[] = {
#include "tests/unit/conf/wrong.inc"
};

static void put(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_int_equal(fwrite(text, 1, strlen(text), f), strlen(text));
	assert_int_equal(fclose(f), 0);
}

static int enter_scratch(void **state)
{
	static char dir[4096];
	const char *tmp = getenv("TMPDIR");
	static const char *const unset[] = { "DATABASE_URL", "REDIS_HOST", "REDIS_PORT", "REDIS_DB",
					     "REDIS_PASSWORD", "LOG_LEVEL", "CREDENTIALS_DIRECTORY" };

	snprintf(dir, sizeof dir, "%s/test-conf-XXXXXX", tmp ? tmp : "/tmp");
	*state = mkdtemp(dir);
	for (char **v = environ; v && *v;) {
		char *name = mem_strndup(*v, strcspn(*v, "="));
		bool ours = strncmp(name, "JOBFLEET_", 9) == 0 || strncmp(name, "ETL_", 4) == 0;

		v = ours ? environ : v + 1;
		if (ours)
			unsetenv(name);
		free(name);
	}
	for (size_t i = 0; i < COUNT(unset); i++)
		unsetenv(unset[i]);
	return *state && chdir(*state) == 0 ? 0 : -1;
}

static int leave_scratch(void **state)
{
	unlink("queues.conf");
	return chdir("/") < 0 || rmdir(*state) < 0 ? -1 : 0;
}

static void every_wrong_file_is_told_where_and_what_would_be_right(void **state)
{
	size_t bad = 0;

	(void)state;
	for (size_t i = 0; i < COUNT(WRONG); i++) {
		struct conf *c = NULL;
		struct err e = { 0 };
		int r;

		put("queues.conf", WRONG[i].text);
		r = conf_load(&c, NULL, &e);
		if (r == -ERR_CONFIG && !c && strcmp(conf_errors(), WRONG[i].expect) == 0)
			continue;
		bad++;
		print_error("%s: %s\n--- expected:\n%s--- got:\n%s", WRONG[i].what,
			    r ? "fails" : "loads", WRONG[i].expect, r ? conf_errors() : "");
		conf_close(c);
	}
	print_message("%zu wrong files\n", COUNT(WRONG));
	assert_int_equal(bad, 0);
	assert_true(COUNT(WRONG) >= 40);
}

static void the_error_itself_is_the_first_fault_and_their_number(void **state)
{
	struct conf *c = NULL;
	struct err e = { 0 };

	(void)state;
	put("queues.conf", "fleet { batch_size = 0 heartbeat = 5\nlease = never }\n");
	assert_int_equal(conf_load(&c, "queues.conf", &e), -ERR_CONFIG);
	assert_string_equal(
		e.msg,
		"queues.conf:1: fleet: batch_size: \"0\" is not a whole number from 1 to "
		"10000 (and 1 more)");
}

static void a_hundred_faults_are_listed_and_the_rest_is_counted(void **state)
{
	struct conf *c = NULL;
	struct err e = { 0 };
	char text[16384] = "";
	size_t n = 0;

	(void)state;
	for (int i = 0; i < 150; i++)
		n += (size_t)snprintf(text + n, sizeof text - n,
				      "queue q%d { prefetch = x program = p }\n", i);
	put("queues.conf", text);
	assert_int_equal(conf_load(&c, NULL, &e), -ERR_CONFIG);
	assert_non_null(strstr(e.msg, "(and 149 more)"));
	assert_non_null(strstr(conf_errors(), "queues.conf:100: "));
	assert_null(strstr(conf_errors(), "queues.conf:101: "));
	assert_non_null(strstr(conf_errors(), "and 50 more\n"));
}

static void what_is_no_readable_text_file_is_refused(void **state)
{
	struct conf *c = NULL;
	struct err e = { 0 };
	FILE *f;

	(void)state;
	assert_int_equal(conf_load(&c, "absent.conf", &e), -ERR_CONFIG);
	assert_string_equal(e.msg, "absent.conf: No such file or directory");
	assert_int_equal(conf_load(&c, "/tmp", &e), -ERR_CONFIG);
	assert_string_equal(e.msg, "/tmp: is not a regular file");
	assert_int_equal(conf_load(&c, "/dev/zero", &e), -ERR_CONFIG);
	assert_string_equal(e.msg, "/dev/zero: is not a regular file");
	f = fopen("queues.conf", "w");
	assert_non_null(f);
	assert_int_equal(fwrite("fleet { }\0", 1, 10, f), 10);
	fclose(f);
	assert_int_equal(conf_load(&c, NULL, &e), -ERR_CONFIG);
	assert_string_equal(e.msg, "queues.conf: holds a zero byte; it must be UTF-8 text");
	f = fopen("queues.conf", "w");
	assert_non_null(f);
	for (int i = 0; i < 1024 * 64 + 1; i++)
		assert_int_equal(fwrite("################", 1, 16, f), 16);
	fclose(f);
	assert_int_equal(conf_load(&c, NULL, &e), -ERR_CONFIG);
	assert_string_equal(e.msg,
			    "queues.conf: is larger than 1 MiB, the limit of a configuration file");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_wrong_file_is_told_where_and_what_would_be_right),
		cmocka_unit_test(the_error_itself_is_the_first_fault_and_their_number),
		cmocka_unit_test(a_hundred_faults_are_listed_and_the_rest_is_counted),
		cmocka_unit_test(what_is_no_readable_text_file_is_refused),
	};

	return cmocka_run_group_tests(tests, enter_scratch, leave_scratch);
}
