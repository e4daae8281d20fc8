/* SPDX-License-Identifier: MIT */
/* What programs count, over all their processes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/board.h"
#include "common/base/buf.h"
#include "common/base/mem.h"
#include "common/base/vitals.h"

static void expect(const char *expected)
{
	struct buf b;

	buf_init(&b, 1 << 20);
	board_put(&b);
	if (strcmp(buf_text(&b), expected) != 0)
		fail_msg("expected %s, got %s", expected, buf_text(&b));
	buf_release(&b);
}

static int open_board(void **state)
{
	(void)state;
	board_open();
	return 0;
}

static int close_board(void **state)
{
	(void)state;
	board_close();
	return 0;
}

static void without_a_board_counting_does_nothing(void **state)
{
	(void)state;
	board_add(1, "a", NULL);
	board_time(1, "b", NULL);
	expect("{}");
}

static void names_and_labels_are_kept_apart(void **state)
{
	(void)state;
	board_add(1, "runs", "a", "success", NULL);
	board_add(2, "other", NULL);
	board_add(3, "runs", "a", "failure", NULL);
	board_add(4, "runs", "a", "success", NULL);
	board_add(5, "runs_too", "a", NULL);
	board_add(0, "nothing", NULL);
	expect("{\"runs\":{\"a\\tsuccess\":[5],\"a\\tfailure\":[3]},\"other\":{\"\":[2]},"
	       "\"runs_too\":{\"a\":[5]}}");
}

static void a_time_falls_into_its_bucket(void **state)
{
	(void)state;
	board_time(5000, "t", NULL);		/* a bound belongs to its bucket */
	board_time(5001, "t", NULL);
	board_time(3600000000LL, "t", NULL);
	board_time(-7, "t", NULL);
	expect("{\"t\":{\"\":[3600.010001,2,1,0,0,0,0,0,0,0,0,0,0,0,1]}}");
}

static void what_children_count_is_there_when_they_are_gone(void **state)
{
	(void)state;
	board_add(1, "n", "q", NULL);
	for (int i = 0; i < 4; i++) {
		if (fork() == 0) {
			for (int k = 0; k < 1000; k++) {
				board_add(1, "n", "q", NULL);
				board_add(1, "m", "q", NULL);
			}
			_exit(0);
		}
	}
	while (wait(NULL) > 0)
		;
	expect("{\"n\":{\"q\":[4001]},\"m\":{\"q\":[4000]}}");
}

static void a_full_board_says_what_it_dropped(void **state)
{
	char name[32], longer[BOARD_KEY_BYTES];
	struct buf b;

	(void)state;
	for (int i = 0; i < BOARD_ENTRIES + 20; i++) {
		snprintf(name, sizeof name, "label%d", i);
		board_add(1, "n", name, NULL);
	}
	memset(longer, 'x', sizeof longer - 1);
	longer[sizeof longer - 1] = '\0';
	board_add(1, "n", longer, NULL);
	board_time(1, "t", NULL);
	buf_init(&b, 1 << 20);
	board_put(&b);
	assert_non_null(strstr(buf_text(&b), "\"board_dropped\":{\"\":[23]}"));
	buf_release(&b);
}

static void no_label_breaks_the_text(void **state)
{
	(void)state;
	board_add(1, "n", "a\tb\"\n", NULL);
	expect("{\"n\":{\"a?b\\\"?\":[1]}}");
}

static void a_process_costs_memory_and_time(void **state)
{
	struct vitals v = { 0 };
	struct vitals_host host;

	(void)state;
	for (volatile int i = 0; i < 100000000; i++)
		;
	vitals_add(&v, getpid(), false);
	vitals_add(&v, 0, false);
	assert_int_equal(v.n, 1);
	assert_true(v.rss_kib > 100 && v.peak_kib >= v.rss_kib / 2);
	assert_true(v.cpu_s > 0 && v.cpu_s < 1000);
	vitals_host(&host);
	assert_true(host.memory_kib > host.memory_free_kib && host.memory_free_kib > 0);
}

int main(void)
{
#define WITH_BOARD(test) cmocka_unit_test_setup_teardown(test, open_board, close_board)
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_a_board_counting_does_nothing),
		WITH_BOARD(names_and_labels_are_kept_apart),
		WITH_BOARD(a_time_falls_into_its_bucket),
		WITH_BOARD(what_children_count_is_there_when_they_are_gone),
		WITH_BOARD(a_full_board_says_what_it_dropped),
		WITH_BOARD(no_label_breaks_the_text),
		cmocka_unit_test(a_process_costs_memory_and_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
