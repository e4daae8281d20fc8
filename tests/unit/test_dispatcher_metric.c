/* SPDX-License-Identifier: MIT */
/* Metrics as text: order, escapes, histograms, what is left out. Prometheus' own parser reads the
 * whole in tests/scenario/75_http.py. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <math.h>

#include "common/base/board.h"
#include "common/base/buf.h"
#include "common/base/mem.h"
#include "workers/dispatcher/metric.h"

static struct metrics *m;
static struct buf text;

static int set_up(void **state)
{
	(void)state;
	m = metrics_new();
	buf_init(&text, 8 << 20);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	metrics_free(m);
	buf_release(&text);
	return 0;
}

/* Whether these lines follow one another. */
static void expect(const char *lines)
{
	buf_clear(&text);
	metrics_print(m, &text);
	if (!strstr(buf_text(&text), lines))
		fail_msg("expected\n%s\ngot\n%s", lines, buf_text(&text));
}

static void samples_stand_below_their_family(void **state)
{
	static const char *const a[] = { "q1", NULL }, *const b[] = { "q2", NULL };

	(void)state;
	metrics_add(m, "jobfleet_queue_ready", a, 3);
	metrics_add(m, "jobfleet_queue_consumers", a, 1);
	metrics_add(m, "jobfleet_queue_ready", b, 0.25);
	expect("# TYPE jobfleet_queue_ready gauge\n"
	       "# HELP jobfleet_queue_ready Messages ready in the broker.\n"
	       "jobfleet_queue_ready{queue=\"q1\"} 3\njobfleet_queue_ready{queue=\"q2\"} 0.25\n"
	       "# TYPE jobfleet_queue_consumers gauge\n");
	assert_int_equal(strcmp(buf_text(&text) + text.len - 6, "# EOF\n"), 0);
}

static void labels_are_escaped_and_cut_at_a_character(void **state)
{
	char longer[2000];
	const char *odd[] = { "a\"b\\c\nd", NULL }, *cut[] = { longer, NULL };

	(void)state;
	metrics_add(m, "jobfleet_queue_ready", odd, 1);
	expect("jobfleet_queue_ready{queue=\"a\\\"b\\\\c\\nd\"} 1\n");
	longer[0] = 'x';
	for (size_t i = 1; i + 2 < sizeof longer; i += 2)
		memcpy(longer + i, "\xc3\xa4", 2);
	longer[sizeof longer - 1] = '\0';
	metrics_add(m, "jobfleet_queue_ready", cut, 1);
	expect("\xc3\xa4~");
	/* alike but for the end: not the same sample */
	longer[sizeof longer - 2] = '!';
	metrics_add(m, "jobfleet_queue_ready", cut, 2);
	expect("\"} 2\n");
	for (const char *at = strstr(buf_text(&text), "{queue=\"x"); at;
	     at = strstr(at + 1, "{queue=\"x")) {
		const char *next = strstr(at + 1, "{queue=\"x");

		assert_true(strcspn(at, "\n") < 600);
		assert_false(next && strncmp(at, next, 520) == 0);
	}
}

static void what_finds_no_room_is_left_out_whole_and_counted(void **state)
{
	double n[1 + BOARD_BUCKETS] = { 1, 1 };
	char name[600];
	const char *queue[] = { name, NULL }, *both[] = { name, name, NULL }, *at;
	size_t lines = 0;

	(void)state;
	memset(name, 'q', sizeof name - 1);
	name[sizeof name - 1] = '\0';
	for (int i = 0; i < 3000; i++) {
		snprintf(name, 8, "%06d", i);
		name[6] = 'q';
		metrics_add(m, "jobfleet_queue_ready", queue, i);
		metrics_add(m, "jobfleet_queue_consumers", queue, i);
		metrics_add_total(m, "task_run_seconds", both, n, COUNT(n));
		metrics_add_total(m, "task_wait_seconds", both, n, COUNT(n));
	}
	expect("# TYPE jobfleet_queue_ready gauge\n");
	assert_false(buf_overflowed(&text));
	assert_true(text.len > 3 << 20 && text.len < 4 << 20);
	for (at = buf_text(&text); *at; at += strcspn(at, "\n") + 1, lines++)
		if (strncmp(at, "# ", 2) != 0 && strncmp(at, "jobfleet_", 9) != 0)
			fail_msg("a broken line: %.100s", at);
	assert_non_null(strstr(buf_text(&text),
			       "jobfleet_scrape_left_out{family=\"jobfleet_queue_ready\"} "));
	assert_non_null(strstr(buf_text(&text),
			       "jobfleet_scrape_left_out{family=\"jobfleet_task_run_seconds\"} "));
	assert_int_equal(strcmp(buf_text(&text) + text.len - 6, "# EOF\n"), 0);
}

static void counters_infos_and_units_have_their_words(void **state)
{
	static const char *const restart[] = { "salary", "killed", NULL },
				 *const v[] = { "1.0", NULL };
	double n = 7;

	(void)state;
	metrics_add_total(m, "restarts", restart, &n, 1);
	metrics_add(m, "jobfleet_build", v, 1);
	expect("jobfleet_restarts_total{program=\"salary\",cause=\"killed\"} 7\n");
	expect("jobfleet_build_info{version=\"1.0\"} 1\n");
	expect("# TYPE jobfleet_relay_lag_seconds gauge\n"
	       "# UNIT jobfleet_relay_lag_seconds seconds\n");
}

static void buckets_of_a_histogram_add_up(void **state)
{
	static const char *const labels[] = { "t", "q", NULL };
	double n[1 + BOARD_BUCKETS] = { 4.5, 1, 0, 2 };

	(void)state;
	n[BOARD_BUCKETS] = 1;
	metrics_add_total(m, "task_run_seconds", labels, n, COUNT(n));
	metrics_add_total(m, "task_run_seconds", labels, n, 3);		/* of another version */
	expect("jobfleet_task_run_seconds_bucket{task=\"t\",queue=\"q\",le=\"0.005\"} 1\n"
	       "jobfleet_task_run_seconds_bucket{task=\"t\",queue=\"q\",le=\"0.025\"} 1\n"
	       "jobfleet_task_run_seconds_bucket{task=\"t\",queue=\"q\",le=\"0.1\"} 3\n");
	expect("{task=\"t\",queue=\"q\",le=\"1.0\"} 3\n");
	expect("{task=\"t\",queue=\"q\",le=\"1800.0\"} 3\n"
	       "jobfleet_task_run_seconds_bucket{task=\"t\",queue=\"q\",le=\"+Inf\"} 4\n"
	       "jobfleet_task_run_seconds_count{task=\"t\",queue=\"q\"} 4\n"
	       "jobfleet_task_run_seconds_sum{task=\"t\",queue=\"q\"} 4.5\n# TYPE");
}

static void what_fits_no_family_is_left_out(void **state)
{
	static const char *const one[] = { "a", NULL }, *const none[] = { NULL };
	double n = 1;
	size_t before;

	(void)state;
	metrics_print(m, &text);
	before = text.len;
	metrics_add(m, "jobfleet_nothing", one, 1);
	metrics_add(m, "jobfleet_queue_ready", none, 1);
	metrics_add(m, "jobfleet_relay_lag_seconds", one, 1);
	metrics_add_total(m, "", one, &n, 1);
	metrics_add_total(m, "restarts", one, &n, 1);
	metrics_add_total(m, "unheard_of", one, &n, 1);
	buf_clear(&text);
	metrics_print(m, &text);
	assert_int_equal(text.len, before);
	metrics_add(m, "jobfleet_relay_lag_seconds", none, NAN);
	expect("jobfleet_relay_lag_seconds NaN\n");
}

int main(void)
{
#define FRESH(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
	static const struct CMUnitTest tests[] = {
		FRESH(samples_stand_below_their_family),
		FRESH(labels_are_escaped_and_cut_at_a_character),
		FRESH(what_finds_no_room_is_left_out_whole_and_counted),
		FRESH(counters_infos_and_units_have_their_words),
		FRESH(buckets_of_a_histogram_add_up),
		FRESH(what_fits_no_family_is_left_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
