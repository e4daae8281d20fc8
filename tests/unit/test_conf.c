/* SPDX-License-Identifier: MIT */
/* services: none */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/conf.h"
#include "common/base/err.h"
#include "common/base/mem.h"

static char scratch[PATH_MAX];

static void put(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_int_equal(fwrite(text, 1, strlen(text), f), strlen(text));
	assert_int_equal(fclose(f), 0);
}

static struct conf *load(const char *path)
{
	struct conf *c = NULL;
	struct err e = { 0 };

	if (conf_load(&c, path, &e) < 0)
		fail_msg("%s", conf_errors());
	return c;
}

static struct conf *load_text(const char *text)
{
	put("queues.conf", text);
	return load(NULL);
}

static char *print(const struct conf *c)
{
	char *text = NULL;
	size_t n;
	FILE *f = open_memstream(&text, &n);

	conf_print(c, f);
	fclose(f);
	return text;
}

static void clear_environment(void)
{
	static const char *const names[] = { "DATABASE_URL", "REDIS_HOST", "REDIS_PORT", "REDIS_DB",
					     "REDIS_PASSWORD", "LOG_LEVEL", "USE_DEMO_FALLBACK",
					     "ENABLE_MONITORING", "CREDENTIALS_DIRECTORY" };

	for (char **v = environ; v && *v;) {
		char *name = mem_strndup(*v, strcspn(*v, "="));
		bool ours = strncmp(name, "JOBFLEET_", 9) == 0 || strncmp(name, "ETL_", 4) == 0;

		v++;
		if (ours) {
			unsetenv(name);
			v = environ;
		}
		free(name);
	}
	for (size_t i = 0; i < COUNT(names); i++)
		unsetenv(names[i]);
}

static int enter_scratch(void **state)
{
	const char *tmp = getenv("TMPDIR");

	(void)state;
	snprintf(scratch, sizeof scratch, "%s/test-conf-XXXXXX", tmp ? tmp : "/tmp");
	if (!mkdtemp(scratch))
		return -1;
	return chdir(scratch);
}

static int leave_scratch(void **state)
{
	static const char *const files[] = { "queues.conf",
					     "more/a.conf",
					     "more/b.conf",
					     "more/c.conf",
					     "credentials/JOBFLEET_DATABASE_URL",
					     "credentials/FRED_API_KEY" };

	(void)state;
	for (size_t i = 0; i < COUNT(files); i++)
		unlink(files[i]);
	rmdir("more");
	rmdir("credentials");
	return chdir("/") < 0 || rmdir(scratch) < 0 ? -1 : 0;
}

static int fresh(void **state)
{
	(void)state;
	clear_environment();
	unlink("queues.conf");
	return 0;
}

static void without_file_and_environment_the_defaults_hold(void **state)
{
	struct conf *c = load(NULL);
	const struct conf_fleet *f = &c->fleet;

	(void)state;
	if (access("/etc/jobfleet/queues.conf", F_OK) != 0) {
		assert_string_equal(c->path, "");
		assert_int_equal(c->nqueues, 0);
	}
	assert_string_equal(f->broker_url, "amqp://guest:guest@127.0.0.1:5672/%2F");
	assert_string_equal(f->database_direct_url, f->database_url);
	assert_string_equal(f->redis_url, "redis://127.0.0.1:6379/0");
	assert_int_equal(f->log_level, LOG_LEVEL_INFO);
	assert_int_equal(f->batch_size, 100);
	assert_int_equal(f->requests_per_minute, 60);
	assert_int_equal(f->max_retries, 3);
	assert_false(f->development);
	assert_false(f->demo_fallback);
	assert_true(f->monitoring);
	assert_true(f->timing_lines);
	assert_int_equal(f->heartbeat_s, 10);
	assert_int_equal(f->eta_hold_ms, 5000);
	assert_int_equal(f->max_message_bytes, 16 << 20);
	assert_int_equal(f->buffer_bytes, 32 << 20);
	assert_int_equal(f->consumer_timeout_ms, 30 * 60000);
	assert_int_equal(f->lease_ms, 15000);
	assert_int_equal(f->result_expires_s, 86400);
	assert_int_equal(f->ledger_days, 7);
	assert_int_equal(f->start_budget, 3);
	assert_int_equal(f->shutdown_ms, 0);
	conf_close(c);
}

static void a_block_that_says_little_has_the_stated_defaults(void **state)
{
	struct conf *c = load_text("queue q { program = salary }\ntask t { queue = q }\n"
				   "schedule s { every = 90s task = t }\n"
				   "source x { base_url = \"https://x\" }\n"
				   "alert a { condition = \"hit_rate < 70%\" }\n");

	(void)state;
	assert_int_equal(c->queues[0].max_priority, 10);
	assert_int_equal(c->queues[0].concurrency_min, 2);
	assert_int_equal(c->queues[0].concurrency_max, 2);
	assert_int_equal(c->tasks[0].priority, CONF_UNSET);
	assert_int_equal(c->tasks[0].soft_ms, CONF_UNSET);
	assert_int_equal(c->tasks[0].max_retries, CONF_UNSET);
	assert_int_equal(c->tasks[0].ledger, CONF_UNSET);
	assert_true(c->tasks[0].rate_per_s < 0);
	assert_false(c->tasks[0].rate_at_fetch);
	assert_int_equal(c->tasks[0].retry_on, CONF_RETRY_TRANSIENT);
	assert_int_equal(c->schedules[0].every_ms, 90000);
	assert_string_equal(c->schedules[0].args, "[]");
	assert_string_equal(c->schedules[0].kwargs, "{}");
	assert_string_equal(c->schedules[0].timezone, "UTC");
	assert_int_equal(c->schedules[0].overlap, CONF_OVERLAP_SKIP);
	assert_int_equal(c->schedules[0].catch_up, CONF_CATCH_UP_SKIP);
	assert_true(c->schedules[0].enabled);
	assert_true(c->sources[0].rate_per_s > 0.999 && c->sources[0].rate_per_s < 1.001);
	assert_int_equal(c->sources[0].timeout_ms, 30000);
	assert_int_equal(c->sources[0].max_response_bytes, 64 << 20);
	assert_int_equal(c->alerts[0].level, CONF_ALERT_WARNING);
	conf_close(c);
}

static void the_file_sets_every_kind_of_value(void **state)
{
	struct conf *c = load_text(
		"fleet { log_level = warning mode = development ledger_keep = 2d heartbeat = 1s }\n"
		"queue q { program = salary concurrency = {3, 8} type = quorum max_memory_per_child = 64M }\n"
		"task a.b { queue = q priority = 0 rate_limit = 30/m rate_limit_at = fetch ledger = no\n"
		"  soft_time_limit = 240 time_limit = 5m retry_on = any redeliver = no retry_fixed = yes }\n"
		"schedule s { cron = \"0 9 * * MON\" timezone = Europe/Berlin task = a.b args = '[1.50, \"x\"]'\n"
		"  overlap = replace catch_up = all catch_up_max = 3 jitter = 30s enabled = no }\n"
		"schedule u { after = s delay = 5m task = a.b priority = 9 }\n"
		"source x { base_url = http://127.0.0.1:8080/x weight = 0.25 key_variable = X_KEY rate = 0\n"
		"  terms = \"one\\ntwo\" }\n");
	const struct conf_task *t = conf_task(c, "a.b");

	(void)state;
	assert_int_equal(c->fleet.log_level, LOG_LEVEL_WARNING);
	assert_true(c->fleet.development);
	assert_true(c->fleet.demo_fallback);	/* follows from development */
	assert_int_equal(c->fleet.ledger_days, 2);
	assert_int_equal(conf_queue(c, "q")->concurrency_max, 8);
	assert_int_equal(conf_queue(c, "q")->type, CONF_QUEUE_QUORUM);
	assert_int_equal(conf_queue(c, "q")->max_priority, 0);
	assert_int_equal(conf_queue(c, "q")->max_memory_per_child, 64 << 20);
	assert_int_equal(t->priority, 0);
	assert_true(t->rate_per_s == 0.5 && t->rate_at_fetch && t->retry_fixed);
	assert_int_equal(t->soft_ms, 240000);
	assert_int_equal(t->hard_ms, 300000);
	assert_int_equal(t->ledger, 0);
	assert_int_equal(t->redeliver, 0);
	assert_int_equal(t->track_started, CONF_UNSET);
	assert_int_equal(t->retry_on, CONF_RETRY_ANY);
	assert_string_equal(conf_schedule(c, "s")->args, "[1.50, \"x\"]");
	assert_int_equal(conf_schedule(c, "s")->overlap, CONF_OVERLAP_REPLACE);
	assert_int_equal(conf_schedule(c, "s")->catch_up_max, 3);
	assert_false(conf_schedule(c, "s")->enabled);
	assert_string_equal(conf_schedule(c, "u")->after, "s");
	assert_int_equal(conf_schedule(c, "u")->delay_ms, 300000);
	assert_true(conf_source(c, "x")->weight == 0.25 && conf_source(c, "x")->rate_per_s == 0);
	assert_string_equal(conf_source(c, "x")->terms, "one\ntwo");
	assert_string_equal(conf_route(c, "a.b"), "q");
	assert_null(conf_route(c, "nobody"));
	assert_null(conf_queue(c, "nobody"));
	conf_close(c);
}

static void the_environment_wins_over_the_file_and_the_file_over_the_default(void **state)
{
	struct conf *c;
	char origin[128];

	(void)state;
	setenv("ETL_BATCH_SIZE", "7", 1);
	setenv("LOG_LEVEL", "ERROR", 1);
	setenv("ETL_LOG_LEVEL", "DEBUG", 1);
	setenv("ETL_MODE", "development", 1);
	setenv("USE_DEMO_FALLBACK", "false", 1);
	setenv("DATABASE_URL", "postgresql://old/x", 1);
	setenv("JOBFLEET_DATABASE_URL", "postgresql://new/x", 1);
	setenv("JOBFLEET_SOURCE_JSEARCH_URL", "http://127.0.0.1:1/jsearch", 1);
	setenv("JOBFLEET_LEASE", "2s", 1);
	setenv("ETL_MAX_RETRIES", "", 1);	/* empty is as good as unset */
	c = load_text("fleet { batch_size = 50 max_retries = 9 log_level = INFO }\n"
		      "source jsearch { base_url = \"https://j\" }\n");
	assert_int_equal(c->fleet.batch_size, 7);
	assert_int_equal(c->fleet.max_retries, 9);
	assert_int_equal(c->fleet.log_level, LOG_LEVEL_DEBUG);
	assert_true(c->fleet.development);
	assert_false(c->fleet.demo_fallback);
	assert_string_equal(c->fleet.database_url, "postgresql://new/x");
	assert_string_equal(c->fleet.database_direct_url, "postgresql://new/x");
	assert_string_equal(c->sources[0].base_url, "http://127.0.0.1:1/jsearch");
	assert_int_equal(c->fleet.lease_ms, 2000);
	assert_string_equal(conf_origin(c, "fleet", NULL, "batch_size", origin, sizeof origin),
			    "environment ETL_BATCH_SIZE");
	assert_string_equal(conf_origin(c, "fleet", NULL, "max_retries", origin, sizeof origin),
			    "queues.conf:1");
	assert_string_equal(conf_origin(c, "fleet", NULL, "heartbeat", origin, sizeof origin),
			    "default");
	assert_string_equal(conf_origin(c, "source", "jsearch", "base_url", origin, sizeof origin),
			    "environment JOBFLEET_SOURCE_JSEARCH_URL");
	assert_null(conf_origin(c, "source", "nobody", "base_url", origin, sizeof origin));
	conf_close(c);
}

static void the_parts_of_redis_stand_in_for_its_url(void **state)
{
	struct conf *c;

	(void)state;
	setenv("REDIS_HOST", "cache.example", 1);
	setenv("REDIS_PORT", "6390", 1);
	setenv("REDIS_DB", "2", 1);
	setenv("REDIS_PASSWORD", "p@ss/w:rd", 1);
	c = load(NULL);
	assert_string_equal(c->fleet.redis_url, "redis://:p%40ss%2Fw%3Ard@cache.example:6390/2");
	conf_close(c);
	setenv("JOBFLEET_REDIS_URL", "redis://other/0", 1);
	c = load(NULL);
	assert_string_equal(c->fleet.redis_url, "redis://other/0");
	conf_close(c);
}

static void a_wrong_variable_is_named(void **state)
{
	struct conf *c = NULL;
	struct err e = { 0 };

	(void)state;
	setenv("ETL_BATCH_SIZE", "lots", 1);
	setenv("REDIS_PORT", "99999", 1);
	setenv("JOBFLEET_BROKER_URL", "http://u:hunter2@host/", 1);
	assert_int_equal(conf_load(&c, NULL, &e), -ERR_CONFIG);
	assert_string_equal(conf_errors(),
			    "environment JOBFLEET_BROKER_URL: the scheme is none of: amqp amqps; a right URL "
			    "looks like amqp://user:password@host:5672/vhost\n"
			    "environment ETL_BATCH_SIZE: \"lots\" is not a whole number from 1 to 10000\n"
			    "environment REDIS_PORT: \"99999\" is not a whole number from 1 to 65535\n");
}

static void printing_masks_every_password(void **state)
{
	struct conf *c;
	char *text;

	(void)state;
	setenv("JOBFLEET_BROKER_URL", "amqps://fleet:hunter2@a,b/v", 1);
	setenv("JOBFLEET_DATABASE_URL",
	       "postgresql://f:hunter2@h/db?sslmode=require&password=hunter2&x=1", 1);
	setenv("REDIS_PASSWORD", "hunter2", 1);
	c = load_text("source j { base_url = \"https://j\" }\n");
	text = print(c);
	assert_null(strstr(text, "hunter2"));
	assert_non_null(strstr(text, "fleet.broker_url = amqps://fleet:***@a,b/v  # environment "
			       "JOBFLEET_BROKER_URL\n"));
	assert_non_null(
		strstr(text,
		       "fleet.database_url = postgresql://f:***@h/db?sslmode=require&password=***"
		       "&x=1  # environment JOBFLEET_DATABASE_URL\n"));
	assert_non_null(strstr(text, "source.j.base_url = https://j  # queues.conf:1\n"));
	assert_non_null(strstr(text, "fleet.batch_size = 100  # default\n"));
	free(text);
	conf_close(c);
}

static void a_reload_that_is_refused_changes_nothing(void **state)
{
	struct conf *c = load_text("fleet { batch_size = 11 }\nqueue q { program = salary }\n");
	struct conf *before = c;
	struct err e = { 0 };

	(void)state;
	for (int i = 0; i < 20; i++) {
		put("queues.conf", "include(\"nope.conf\")\nfleet { batch_size = \"unclosed");
		assert_int_equal(conf_load(&c, NULL, &e), -ERR_CONFIG);
		put("queues.conf", "fleet { batch_size = 12 bogus = 1 }\n");
		assert_int_equal(conf_load(&c, NULL, &e), -ERR_CONFIG);
	}
	assert_ptr_equal(c, before);
	assert_int_equal(c->fleet.batch_size, 11);
	assert_string_equal(c->queues[0].name, "q");
	put("queues.conf", "fleet { batch_size = 13 }\n");
	assert_int_equal(conf_load(&c, NULL, &e), 0);
	assert_ptr_not_equal(c, before);
	assert_int_equal(c->fleet.batch_size, 13);
	conf_close(before);
	conf_close(c);
}

static void comments_of_every_form_leave_the_line_numbers_right(void **state)
{
	struct conf *c = load_text("# one\n// two\n/* three\n * four */\nfleet { # five\n"
				   "\tbatch_size = 5 // six\n\n\tlog_file = \"/x#y//z/*\"\n"
				   "\tdata_dir = /a//b\n}\n");
	char origin[64];

	(void)state;
	assert_string_equal(conf_origin(c, "fleet", NULL, "batch_size", origin, sizeof origin),
			    "queues.conf:6");
	assert_string_equal(conf_origin(c, "fleet", NULL, "log_file", origin, sizeof origin),
			    "queues.conf:8");
	assert_string_equal(c->fleet.log_file, "/x#y//z/*");
	assert_string_equal(c->fleet.data_dir, "/a//b");
	conf_close(c);
}

static void included_files_are_read_beside_the_file_that_names_them(void **state)
{
	struct conf *c = NULL;
	struct err e = { 0 };

	(void)state;
	assert_int_equal(mkdir("more", 0700), 0);
	put("more/a.conf", "include(\"b.conf\")\nqueue a { program = salary }\n");
	put("more/b.conf", "task t { queue = a }\n");
	c = load_text("include(\"more/a.conf\")\nfleet { batch_size = 3 }\n");
	assert_non_null(conf_queue(c, "a"));
	assert_string_equal(conf_route(c, "t"), "a");
	conf_close(c);
	put("more/b.conf", "task t {\n\tqueue = b\n}\n");
	assert_int_equal(conf_load(&c, NULL, &e), -ERR_CONFIG);
	assert_string_equal(conf_errors(),
			    "more/b.conf:2: task t: queue: there is no queue \"b\"; it needs a "
			    "block: queue b { … }\n");
}

static void blocks_of_one_kind_come_in_the_order_of_the_file(void **state)
{
	struct conf *c = load_text("queue b { program = salary }\nqueue a { program = salary }\n"
				   "queue c { program = salary }\n");

	(void)state;
	assert_int_equal(c->nqueues, 3);
	assert_string_equal(c->queues[0].name, "b");
	assert_string_equal(c->queues[1].name, "a");
	assert_string_equal(c->queues[2].name, "c");
	conf_close(c);
}

static void secrets_come_from_the_environment_or_from_credentials(void **state)
{
	struct conf *c;
	char origin[128];

	(void)state;
	assert_int_equal(mkdir("credentials", 0700), 0);
	put("credentials/JOBFLEET_DATABASE_URL", "postgresql://f:hunter2@h/db\n");
	put("credentials/FRED_API_KEY", "abc123\n");
	setenv("CREDENTIALS_DIRECTORY", "credentials", 1);
	setenv("BLS_API_KEY", "from-environment", 1);
	c = load(NULL);
	assert_string_equal(c->fleet.database_url, "postgresql://f:hunter2@h/db");
	assert_string_equal(conf_origin(c, "fleet", NULL, "database_url", origin, sizeof origin),
			    "credential JOBFLEET_DATABASE_URL");
	assert_string_equal(conf_secret("FRED_API_KEY"), "abc123");
	assert_string_equal(conf_secret("BLS_API_KEY"), "from-environment");
	assert_null(conf_secret("CENSUS_API_KEY"));
	assert_null(conf_secret("../FRED_API_KEY"));
	assert_null(conf_secret(""));
	conf_close(c);
	unsetenv("BLS_API_KEY");
}

#define TEST(name) cmocka_unit_test_setup(name, fresh)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(without_file_and_environment_the_defaults_hold),
		TEST(a_block_that_says_little_has_the_stated_defaults),
		TEST(the_file_sets_every_kind_of_value),
		TEST(the_environment_wins_over_the_file_and_the_file_over_the_default),
		TEST(the_parts_of_redis_stand_in_for_its_url),
		TEST(a_wrong_variable_is_named),
		TEST(printing_masks_every_password),
		TEST(a_reload_that_is_refused_changes_nothing),
		TEST(comments_of_every_form_leave_the_line_numbers_right),
		TEST(included_files_are_read_beside_the_file_that_names_them),
		TEST(blocks_of_one_kind_come_in_the_order_of_the_file),
		TEST(secrets_come_from_the_environment_or_from_credentials),
	};

	return cmocka_run_group_tests(tests, enter_scratch, leave_scratch);
}
