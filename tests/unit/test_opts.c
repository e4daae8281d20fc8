/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "common/base/err.h"
#include "common/base/mem.h"
#include "common/base/opts.h"

enum { ARGS_MAX = 8 };

static int parse(struct opts *o, struct err *e, enum opts_kind kind, const char *const *words)
{
	char *argv[ARGS_MAX + 2] = { (char *)"jobfleet-salary" };
	int argc = 1;

	for (; words[argc - 1]; argc++)
		argv[argc] = (char *)words[argc - 1];
	memset(o, 0, sizeof *o);
	memset(e, 0, sizeof *e);
	return opts_parse(o, argc, argv, "salary", kind, e);
}
#define PARSE(o, e, ...) parse(o, e, OPTS_WORKER, (const char *const[]){ __VA_ARGS__, NULL })

static void no_option_leaves_everything_to_the_configuration(void **state)
{
	struct opts o;
	struct err e;

	(void)state;
	assert_int_equal(parse(&o, &e, OPTS_WORKER, (const char *const[]){ NULL }), 0);
	assert_int_equal(o.nqueues, 0);
	assert_int_equal(o.concurrency_max, 0);
	assert_false(o.has_loglevel);
	assert_null(o.hostname);
	assert_null(o.config);
	assert_null(o.run_name);
	opts_release(&o);
}

static void every_option_reaches_its_field(void **state)
{
	struct opts o;
	struct err e;

	(void)state;
	assert_int_equal(PARSE(&o, &e, "--queues=salary_data,monitoring", "--concurrency=2,8",
			       "--loglevel=debug", "--hostname=salary@host", "--config", "/x/queues.conf"), 0);
	assert_int_equal(o.nqueues, 2);
	assert_string_equal(o.queues[1], "monitoring");
	assert_int_equal(o.concurrency_min, 2);
	assert_int_equal(o.concurrency_max, 8);
	assert_int_equal(o.loglevel, LOG_LEVEL_DEBUG);
	assert_string_equal(o.hostname, "salary@host");
	assert_string_equal(o.config, "/x/queues.conf");
	opts_release(&o);
}

static void one_number_of_concurrency_is_both_ends(void **state)
{
	struct opts o;
	struct err e;

	(void)state;
	assert_int_equal(PARSE(&o, &e, "-c", "3"), 0);
	assert_int_equal(o.concurrency_min, 3);
	assert_int_equal(o.concurrency_max, 3);
	opts_release(&o);
}

static void run_takes_its_arguments_as_one_json_value(void **state)
{
	struct opts o;
	struct err e;

	(void)state;
	assert_int_equal(PARSE(&o, &e, "--run", "jobfleet.collect_jobs", "{\"query\": \"x\"}"), 0);
	assert_string_equal(o.run_name, "jobfleet.collect_jobs");
	assert_string_equal(o.run_args, "{\"query\": \"x\"}");
	opts_release(&o);
	assert_int_equal(PARSE(&o, &e, "--run", "jobfleet.collect_jobs"), 0);
	assert_string_equal(o.run_args, "[]");
	opts_release(&o);
}

static void wrong_command_lines_say_what_would_be_right(void **state)
{
	static const struct { const char *words[4], *expect; } WRONG[] = {
		{ { "--queue=a" }, "" },	/* a prefix of --queues: getopt_long takes it */
		{ { "--qeues=a" }, "unknown option \"--qeues=a\"; did you mean --queues?" },
		{ { "--frobnicate" }, "unknown option \"--frobnicate\"" },
		{ { "-x" }, "unknown option \"-x\"" },
		{ { "--queues" }, "--queues needs a value: --queues=A,B" },
		{ { "--queues=a,,b" }, "--queues: \"\" is not a queue's name; several are separated by "
		  "commas: --queues=salary_data,monitoring" },
		{ { "--queues=a/b" }, "--queues: \"a/b\" is not a queue's name; several are separated "
		  "by commas: --queues=salary_data,monitoring" },
		{ { "--queues=q01,q02,q03,q04,q05,q06,q07,q08,q09,q10,q11,q12,q13,q14,q15,q16,q17,q18,q19,"
		    "q20,q21,q22,q23,q24,q25,q26,q27,q28,q29,q30,q31,q32,q33,q34,q35,q36,q37,q38,q39,q40,"
		    "q41,q42,q43,q44,q45,q46,q47,q48,q49,q50,q51,q52,q53,q54,q55,q56,q57,q58,q59,q60,q61,"
		    "q62,q63,q64,q65" }, "--queues: more than 64 queues" },
		{ { "--queues=a,a" }, "--queues: queue a is named twice" },
		{ { "--concurrency=0" }, "--concurrency: \"0\" is not a whole number from 1 to 1000" },
		{ { "--concurrency=4,2" }, "--concurrency: the minimum 4 is above the maximum 2" },
		{ { "--concurrency=2," }, "--concurrency: \"\" is not a whole number from 1 to 1000" },
		{ { "--loglevel=loud" }, "--loglevel: \"loud\" is not a log level: DEBUG, INFO, WARNING, "
		  "ERROR or CRITICAL" },
		{ { "--hostname=a b" }, "--hostname: \"a b\" is not a node name such as salary@host1: at most "
		  "200 visible ASCII characters" },
		{ { "--config=" }, "--config: needs the path of a queues.conf" },
		{ { "--help=yes" }, "--help takes no value" },
		{ { "stray" }, "unexpected argument \"stray\"" },
		{ { "--run", "a.b", "[1]", "[2]" }, "--run takes one JSON value as arguments; quote it: --run "
		  "NAME '[1, \"two\"]'" },
		{ { "--run", "a b" }, "--run: \"a b\" is not a task's name" },
		{ { "--run", "a.b", "5" }, "--run: the arguments are no JSON array or object, such as "
		  "'[1, \"two\"]' or '{\"query\": \"engineer\"}'" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(WRONG); i++) {
		const char *words[5] = { WRONG[i].words[0], WRONG[i].words[1], WRONG[i].words[2],
					 WRONG[i].words[3], NULL };
		struct opts o;
		struct err e;
		int r = parse(&o, &e, OPTS_WORKER, words);

		assert_string_equal(e.msg, WRONG[i].expect);
		assert_int_equal(r, *WRONG[i].expect ? -ERR_USAGE : 0);
		if (r == 0)
			opts_release(&o);
	}
}

static void a_service_takes_no_worker_options(void **state)
{
	struct opts o;
	struct err e;

	(void)state;
	assert_int_equal(
		parse(&o, &e, OPTS_SERVICE, (const char *const[]){ "--concurrency=2", NULL }),
		-ERR_USAGE);
	assert_string_equal(e.msg, "unknown option \"--concurrency=2\"");
	assert_int_equal(parse(&o, &e, OPTS_SERVICE, (const char *const[]){ "-l", "error", NULL }),
			 0);
	assert_int_equal(o.loglevel, LOG_LEVEL_ERROR);
}

static void help_and_version_leave_with_zero_and_a_wrong_option_with_100(void **state)
{
	struct opts o;
	struct err e;

	(void)state;
	assert_int_equal(opts_leave(PARSE(&o, &e, "--help"), "salary", &e), 0);
	assert_int_equal(opts_leave(PARSE(&o, &e, "--version"), "salary", &e), 0);
	assert_int_equal(opts_leave(PARSE(&o, &e, "--nonsense"), "salary", &e), OPTS_EXIT_USAGE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_option_leaves_everything_to_the_configuration),
		cmocka_unit_test(every_option_reaches_its_field),
		cmocka_unit_test(one_number_of_concurrency_is_both_ends),
		cmocka_unit_test(run_takes_its_arguments_as_one_json_value),
		cmocka_unit_test(wrong_command_lines_say_what_would_be_right),
		cmocka_unit_test(a_service_takes_no_worker_options),
		cmocka_unit_test(help_and_version_leave_with_zero_and_a_wrong_option_with_100),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
