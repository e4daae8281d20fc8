/* SPDX-License-Identifier: MIT */
/* services: none
 *
 * plan: what the database has over queues.conf; and proviso, the conditions of schedules. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdio.h>
#include <unistd.h>

#include "common/base/conf.h"
#include "common/base/err.h"
#include "common/base/mem.h"
#include "common/base/plan.h"
#include "common/base/proviso.h"

static const char FILE_TEXT[] =
	"queue q { program = salary }\n"
	"task t.one { queue = q }\n"
	"source little { enabled = no base_url = \"https://example.org\" }\n"
	"schedule filed {\n\tcron = \"0 9 * * *\"\n\ttask = t.one\n\tjitter = 5m\n}\n"
	"schedule next { after = filed delay = 5m task = t.one }\n";

static struct conf *conf;

static int load(void **state)
{
	char path[] = "/tmp/test_plan-XXXXXX";
	int fd = mkstemp(path);

	(void)state;
	assert_true(write(fd, FILE_TEXT, strlen(FILE_TEXT)) == (ssize_t)strlen(FILE_TEXT));
	close(fd);
	if (conf_load(&conf, path, NULL) < 0)
		fail_msg("%s", conf_errors());
	unlink(path);
	return 0;
}

static int unload(void **state)
{
	(void)state;
	conf_close(conf);
	return 0;
}

#define SETTINGS(...) \
	(const struct plan_setting[]){ __VA_ARGS__ }, \
	sizeof((const struct plan_setting[]){ __VA_ARGS__ }) / sizeof(struct plan_setting)

static void must_put(struct plan *p, const char *name, const struct plan_setting *s, size_t n)
{
	struct err e = { 0 };

	if (plan_put(p, name, s, n, &e) < 0)
		fail_msg("%s", e.msg);
}

static void must_refuse(struct plan *p, const char *name, const struct plan_setting *s, size_t n,
			const char *want)
{
	struct err e = { 0 };
	size_t count = plan_count(p);

	assert_int_equal(plan_put(p, name, s, n, &e), -ERR_CONFIG);
	assert_string_equal(e.msg, want);
	assert_int_equal(plan_count(p), count);
}

static void keys_of_the_database_go_over_the_files(void **state)
{
	struct plan *p = plan_new(conf);
	const struct conf_schedule *s;

	(void)state;
	assert_int_equal(plan_origin(p, 0), PLAN_FILE);
	must_put(p, "filed", SETTINGS({ "cron", "0 8 * * *" }, { "timezone", "Europe/Berlin" }));
	s = plan_find(p, "filed");
	assert_string_equal(s->cron, "0 8 * * *");
	assert_string_equal(s->timezone, "Europe/Berlin");
	assert_int_equal(s->jitter_ms, 300000);
	assert_int_equal(plan_origin(p, 0), PLAN_BOTH);
	assert_string_equal(conf_schedule(conf, "filed")->cron, "0 9 * * *");
	plan_free(p);
}

static void another_kind_takes_the_place_of_the_files(void **state)
{
	struct plan *p = plan_new(conf);

	(void)state;
	must_put(p, "filed", SETTINGS({ "every", "1h" }));
	assert_string_equal(plan_find(p, "filed")->cron, "");
	must_put(p, "next", SETTINGS({ "at", "2027-01-01T00:00Z" }));
	assert_string_equal(plan_find(p, "next")->after, "");
	assert_int_equal(plan_find(p, "next")->delay_ms, 0);
	plan_free(p);
}

static void what_is_put_anew_stands_over_the_file_alone(void **state)
{
	struct plan *p = plan_new(conf);
	struct err e = { 0 };

	(void)state;
	must_put(p, "filed", SETTINGS({ "every", "1h" }, { "timezone", "Europe/Berlin" }));
	assert_int_equal(plan_replace(p, "filed", SETTINGS({ "jitter", "1m" }), &e), 0);
	assert_string_equal(plan_find(p, "filed")->cron, "0 9 * * *");
	assert_string_equal(plan_find(p, "filed")->timezone, conf->schedules[0].timezone);
	assert_int_equal(plan_find(p, "filed")->jitter_ms, 60000);
	must_put(p, "added", SETTINGS({ "every", "1h" }, { "task", "t.one" }, { "priority", "7" }));
	assert_int_equal(plan_replace(p, "added", SETTINGS({ "every", "2h" }), &e), -ERR_CONFIG);
	assert_int_equal(plan_find(p, "added")->priority, 7);
	assert_int_equal(
		plan_replace(p, "added", SETTINGS({ "every", "2h" }, { "task", "t.one" }), &e), 0);
	assert_int_equal(plan_find(p, "added")->priority, CONF_UNSET);
	assert_string_equal(plan_find(p, "added")->name, "added");
	assert_int_equal(plan_count(p), 3);
	plan_free(p);
}

static void one_may_be_of_the_database_alone_and_come_after_another(void **state)
{
	struct plan *p = plan_new(conf);

	(void)state;
	must_put(p, "added", SETTINGS({ "after", "next" }, { "task", "t.one" },
				      { "enabled", "false" }, { "kwargs", "{\"n\": 12345678901234567890}" }));
	assert_int_equal(plan_count(p), 3);
	assert_int_equal(plan_origin(p, 2), PLAN_DATABASE);
	assert_false(plan_at(p, 2)->enabled);
	assert_string_equal(plan_at(p, 2)->kwargs, "{\"n\": 12345678901234567890}");
	assert_string_equal(plan_near(p, "aded"), "added");
	plan_free(p);
}

static void what_is_wrong_is_told_and_changes_nothing(void **state)
{
	struct plan *p = plan_new(conf);

	(void)state;
	must_refuse(p, "new", SETTINGS({ "cron", "0 25 * * *" }, { "task", "t.one" }),
		    "schedule new: cron: cron \"0 25 * * *\": hour: \"25\" is not 0 to 23");
	must_refuse(p, "new", SETTINGS({ "every", "1h" }, { "task", "t.onee" }),
		    "schedule new: task: there is no task \"t.onee\"; did you mean \"t.one\"?");
	must_refuse(p, "new", SETTINGS({ "evry", "1h" }, { "task", "t.one" }),
		    "schedule new: unknown key \"evry\"; did you mean \"every\"? (and 1 more)");
	must_refuse(p, "a b", SETTINGS({ "every", "1h" }, { "task", "t.one" }),
		    "schedule \"a b\": is not a name: letters, digits, \".\", \"_\" and \"-\", at "
		    "most 255");
	must_refuse(p, "filed", SETTINGS({ "after", "next" }),
		    "schedule filed: after: \"next\" comes after this schedule itself: the two would "
		    "set each other off for ever (and 1 more)");
	must_refuse(p, "filed", SETTINGS({ "condition", "quota(litle) > 3" }),
		    "schedule filed: condition: there is no source \"litle\"; did you mean "
		    "\"little\"?");
	assert_string_equal(plan_find(p, "filed")->cron, "0 9 * * *");
	must_put(p, "filed", SETTINGS({ "condition", "age(next) > 3h and quota(little) > 3" }));
	plan_free(p);
}

static void conditions_are_read(void **state)
{
	struct proviso p;

	(void)state;
	assert_int_equal(proviso_parse("", &p, NULL), 0);
	assert_int_equal(p.n, 0);
	assert_int_equal(proviso_parse(" age( postings )>12h and  quota(jsearch) > 9", &p, NULL),
			 0);
	assert_int_equal(p.n, 2);
	assert_int_equal(p.terms[0].kind, PROVISO_AGE);
	assert_string_equal(p.terms[0].name, "postings");
	assert_int_equal(p.terms[0].least, 12 * 3600000);
	assert_int_equal(p.terms[1].kind, PROVISO_QUOTA);
	assert_string_equal(p.terms[1].name, "jsearch");
	assert_int_equal(p.terms[1].least, 9);
}

static void wrong_conditions_say_what_would_be_right(void **state)
{
	static const char *const wrong[][2] = {
		{ "postings > 12h", "\"postings > 12h\" is not a condition such as" },
		{ "size(raw) > 3", "\"size\" is neither age nor quota" },
		{ "age() > 3h", "age() names nothing" },
		{ "age(raw) > soon", "age(raw): " },
		{ "quota(a) > 1.5", "quota(a): " },
		{ "age(raw) > 1h and", "age(raw): " },
		{ "age(a) > 1h and age(b) > 1h and age(c) > 1h and age(d) > 1h and age(e) > 1h",
		  "more than 4 conditions" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(wrong); i++) {
		struct err e = { 0 };
		struct proviso p;

		assert_int_equal(proviso_parse(wrong[i][0], &p, &e), -ERR_INVALID);
		if (!strstr(e.msg, wrong[i][1]))
			fail_msg("%s: \"%s\" does not say \"%s\"", wrong[i][0], e.msg, wrong[i][1]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keys_of_the_database_go_over_the_files),
		cmocka_unit_test(another_kind_takes_the_place_of_the_files),
		cmocka_unit_test(what_is_put_anew_stands_over_the_file_alone),
		cmocka_unit_test(one_may_be_of_the_database_alone_and_come_after_another),
		cmocka_unit_test(what_is_wrong_is_told_and_changes_nothing),
		cmocka_unit_test(conditions_are_read),
		cmocka_unit_test(wrong_conditions_say_what_would_be_right),
	};

	return cmocka_run_group_tests(tests, load, unload);
}
