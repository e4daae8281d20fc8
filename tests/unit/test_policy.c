/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <regex.h>

#include "common/base/buf.h"
#include "common/base/conf.h"
#include "common/base/mem.h"
#include "common/broker/policy.h"

static struct conf conf_of(struct conf_queue *queues, size_t n, const char *url)
{
	return (struct conf){ .queues = queues, .nqueues = n, .fleet.broker_url = url };
}

static void the_pattern_names_the_work_queues_and_no_other(void **state)
{
	struct conf_queue queues[] = { { .name = "salary_data" }, { .name = "failed_operations" },
				       { .name = "a.b+c" } };
	struct conf conf = conf_of(queues, COUNT(queues), "amqp://h/");
	static const struct {
		const char *name;
		bool ours;
	} NAMES[] = {
		{ "salary_data", true }, { "a.b+c", true }, { "failed_operations", false },
		{ "aXb+c", false }, { "salary_data2", false }, { "celeryev.1", false },
		{ "salary@host.celery.pidbox", false }, { "", false },
	};
	struct buf out;
	regex_t re;

	(void)state;
	buf_init(&out, 4096);
	policy_pattern(&conf, &out);
	assert_string_equal(buf_text(&out), "^(salary_data|a\\.b\\+c)$");
	assert_int_equal(regcomp(&re, buf_text(&out), REG_EXTENDED | REG_NOSUB), 0);
	for (size_t i = 0; i < COUNT(NAMES); i++)
		assert_int_equal(regexec(&re, NAMES[i].name, 0, NULL, 0) == 0, NAMES[i].ours);
	regfree(&re);
	buf_release(&out);
}

static void the_command_is_quoted_for_a_shell_and_names_the_vhost(void **state)
{
	struct conf_queue queues[] = { { .name = "it's" } };
	struct conf conf = conf_of(queues, COUNT(queues), "amqp://u:secret@h/jobs%2Fone");
	struct buf out;

	(void)state;
	buf_init(&out, 4096);
	policy_command(&conf, &out);
	assert_string_equal(buf_text(&out),
			    "rabbitmqctl set_policy --apply-to queues --vhost 'jobs/one' " POLICY_NAME
			    " '^(it'\\''s)$' '" POLICY_DEFINITION "'");
	buf_release(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_pattern_names_the_work_queues_and_no_other),
		cmocka_unit_test(the_command_is_quoted_for_a_shell_and_names_the_vhost),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
