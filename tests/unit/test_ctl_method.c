/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "common/base/err.h"
#include "common/base/json.h"
#include "common/base/mem.h"
#include "workers/ctl/method.h"
#include "workers/ctl/outline.h"

static const struct method *find(const char *name, enum method_kind kind)
{
	struct err e = { 0 };
	const struct method *m = method_find(name, kind, &e);

	if (!m)
		fail_msg("%s: %s", name, e.msg);
	return m;
}

/* The arguments of one control or inspect command as JSON. */
static void assert_arguments(const char *name, enum method_kind kind, char *const *operands,
			     const char *json)
{
	struct err e = { 0 };
	char *text = NULL;

	if (method_arguments(find(name, kind), operands, &text, &e) < 0)
		fail_msg("%s: %s", name, e.msg);
	assert_string_equal(text, json);
	free(text);
}

static void assert_refused(const char *name, enum method_kind kind, char *const *operands,
			   const char *says)
{
	struct err e = { 0 };
	char *text = NULL;

	assert_int_equal(method_arguments(find(name, kind), operands, &text, &e), -ERR_USAGE);
	if (!strstr(e.msg, says))
		fail_msg("\"%s\" does not say \"%s\"", e.msg, says);
}

#define WORDS(...) ((char *const *)(const char *const[]){ __VA_ARGS__, NULL })
#define NO_WORDS ((char *const[]){ NULL })

static void arguments_have_celerys_names_and_types(void **state)
{
	(void)state;
	assert_arguments("ping", METHOD_INSPECT, NO_WORDS, "{}");
	assert_arguments("query_task", METHOD_INSPECT, WORDS("a", "b"), "{\"ids\":[\"a\",\"b\"]}");
	assert_arguments("active", METHOD_INSPECT, WORDS("yes"), "{\"safe\":true}");
	assert_arguments("rate_limit", METHOD_CONTROL, WORDS("t.add", "10/m"),
			 "{\"task_name\":\"t.add\",\"rate_limit\":\"10/m\"}");
	assert_arguments("time_limit", METHOD_CONTROL, WORDS("t.add", "1.5"),
			 "{\"task_name\":\"t.add\",\"soft\":1.5}");
	assert_arguments("time_limit", METHOD_CONTROL, WORDS("t.add", "1", "2"),
			 "{\"task_name\":\"t.add\",\"soft\":1,\"hard\":2}");
	assert_arguments("autoscale", METHOD_CONTROL, WORDS("8", "2"), "{\"max\":8,\"min\":2}");
	assert_arguments("pool_grow", METHOD_CONTROL, NO_WORDS, "{}");
	assert_arguments("terminate", METHOD_CONTROL, WORDS("SIGKILL", "x"),
			 "{\"signal\":\"SIGKILL\",\"task_id\":[\"x\"]}");
	assert_arguments("add_consumer", METHOD_CONTROL, WORDS("q"), "{\"queue\":\"q\"}");
}

static void wrong_arguments_are_named(void **state)
{
	(void)state;
	assert_refused("ping", METHOD_INSPECT, WORDS("more"), "\"more\" is one too many for ping");
	assert_refused("rate_limit", METHOD_CONTROL, WORDS("t"), "rate_limit needs rate_limit");
	assert_refused("autoscale", METHOD_CONTROL, WORDS("many"), "max: ");
	assert_refused("time_limit", METHOD_CONTROL, WORDS("t", "soon"), "soft: ");
	assert_refused("active", METHOD_INSPECT, WORDS("perhaps"), "safe: ");
}

static void methods_are_found_by_name_and_by_old_name(void **state)
{
	struct err e = { 0 };

	(void)state;
	assert_ptr_equal(find("dump_active", METHOD_INSPECT), find("active", METHOD_INSPECT));
	assert_true(find("shutdown", METHOD_CONTROL)->silent);
	assert_null(method_find("actvie", METHOD_INSPECT, &e));
	assert_non_null(strstr(e.msg, "did you mean active?"));
	assert_null(method_find("shutdown", METHOD_INSPECT, &e));
	assert_non_null(strstr(e.msg, "is a method of jobfleet control"));
	assert_null(method_find("qqqqqqqqqqqqqqqq", METHOD_CONTROL, &e));
	assert_non_null(strstr(e.msg, "--arguments"));
}

static void assert_outline(const char *json, const char *want)
{
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);
	cJSON *value = NULL;

	assert_int_equal(json_parse(json, strlen(json), &value, NULL), 0);
	outline_print("n", value, out);
	fclose(out);
	assert_string_equal(text, want);
	free(text);
	cJSON_Delete(value);
}

static void a_value_is_outlined_by_its_depth(void **state)
{
	(void)state;
	assert_outline("\"pong\"", "n: pong\n");
	assert_outline("[]", "n: none\n");
	assert_outline("null", "n: -\n");
	assert_outline("{\"a\": 1, \"b\": {\"c\": [1, 2], \"d\": [\"x\"]}}",
		       "n:\n  a: 1\n  b:\n    c: [1,2]\n    d:\n      - x\n");
	assert_outline("[{\"id\": \"x\"}]", "n:\n  -\n    id: x\n");
	assert_outline("\"a\\u001b[2Jb\\t\"", "n: a [2Jb \n");
	assert_outline("\"\\na b\\n\\n  c\"", "n:\n  a b\n    c\n");
	assert_outline("{\"x\": \"a\\nb\"}", "n:\n  x:\n    a\n    b\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(arguments_have_celerys_names_and_types),
		cmocka_unit_test(wrong_arguments_are_named),
		cmocka_unit_test(methods_are_found_by_name_and_by_old_name),
		cmocka_unit_test(a_value_is_outlined_by_its_depth),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
