/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants the above first */
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/conf.h"
#include "common/base/err.h"
#include "common/market/watched.h"

static void a_list_is_parted_by_semicolons_and_its_blanks_do_not_count(void **state)
{
	cJSON *list = watched_list(" New York, NY;;\n\tBoston, MA ; ");

	(void)state;
	assert_int_equal(cJSON_GetArraySize(list), 2);
	assert_string_equal(cJSON_GetArrayItem(list, 0)->valuestring, "New York, NY");
	assert_string_equal(cJSON_GetArrayItem(list, 1)->valuestring, "Boston, MA");
	cJSON_Delete(list);
	list = watched_list(" ; ");
	assert_int_equal(cJSON_GetArraySize(list), 0);
	cJSON_Delete(list);
}

static int check_with(const char *key, const char *value, struct err *e)
{
	struct conf *conf = NULL;
	int r;

	setenv(key, value, 1);
	r = conf_load(&conf, "queues.conf", e);
	if (r == 0)
		r = watched_check(conf, e);
	conf_close(conf);
	unsetenv(key);
	return r;
}

static void the_shipped_lists_are_twenty_occupations_in_twenty_places(void **state)
{
	struct conf *conf = NULL;
	struct err e = { 0 };
	cJSON *list;

	(void)state;
	assert_int_equal(conf_load(&conf, "queues.conf", &e), 0);
	assert_int_equal(watched_check(conf, &e), 0);
	list = watched_list(conf->fleet.salary_occupations);
	assert_int_equal(cJSON_GetArraySize(list), 20);
	cJSON_Delete(list);
	list = watched_list(conf->fleet.salary_locations);
	assert_int_equal(cJSON_GetArraySize(list), 20);
	cJSON_Delete(list);
	conf_close(conf);
}

static void a_wrong_entry_is_named(void **state)
{
	struct err e = { 0 };

	(void)state;
	assert_int_equal(check_with("JOBFLEET_SALARY_OCCUPATIONS", "SRE; Wizard", &e), -ERR_CONFIG);
	assert_non_null(strstr(e.msg, "fleet.salary_occupations: "));
	assert_non_null(strstr(e.msg, "Wizard"));
	assert_int_equal(check_with("JOBFLEET_SALARY_LOCATIONS", "NYC; Xyzzyville", &e),
			 -ERR_CONFIG);
	assert_non_null(strstr(e.msg, "fleet.salary_locations: "));
	assert_non_null(strstr(e.msg, "Xyzzyville"));
	assert_int_equal(check_with("JOBFLEET_SALARY_LOCATIONS", "London, UK", &e), -ERR_CONFIG);
	assert_non_null(strstr(e.msg, "outside the United States"));
	assert_int_equal(check_with("JOBFLEET_SALARY_LOCATIONS", " ; ", &e), -ERR_CONFIG);
	assert_non_null(strstr(e.msg, "is empty"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_list_is_parted_by_semicolons_and_its_blanks_do_not_count),
		cmocka_unit_test(the_shipped_lists_are_twenty_occupations_in_twenty_places),
		cmocka_unit_test(a_wrong_entry_is_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
