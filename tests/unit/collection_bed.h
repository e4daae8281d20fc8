/* SPDX-License-Identifier: MIT */
/* What the tests of the collection tasks share: the local provider server, a database with
 * the schema, and a way to call a handler as one attempt of a run. A header because a test is one
 * file; each test uses a part of it. */
#ifndef TESTS_COLLECTION_BED_H
#define TESTS_COLLECTION_BED_H

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/base/clock.h"
#include "common/base/conf.h"
#include "common/base/err.h"
#include "common/base/json.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/net/http.h"
#include "common/store/migrate.h"
#include "common/store/pg.h"
#include "common/worker/run_private.h"
#include "workers/collection/collect.h"
#include "workers/collection/raw.h"
#include "workers/collection/rawfile.h"

#define USED __attribute__((unused))
#define KEY "k3y-that-must-not-be-seen"

enum { READY_MS = 20000 };

static struct {
	struct pg *pg;
	struct http *http;
	pid_t server;
	char dir[64], base[64];
	int runs;
	char id[64];			/* of the run that is being tried */
	void (*tune)(struct conf *conf);	/* what this test has otherwise; NULL */
} t;

/* The row of the table that runs are opened for. */
static const struct task TASK = {
	.name = "jobfleet.collect_jobs",
	.params = PARAMS("query"),
	.fn = collect_jobs,
};

USED static char *ask_server(const char *method, const char *path, const char *body)
{
	char *url = mem_printf("%s%s", t.base, path), *text;
	struct http_request req = { .method = method, .url = url, .body = body,
				    .body_len = body ? strlen(body) : 0 };
	struct http_response r;
	struct err e = { 0 };

	if (http_perform(t.http, &req, &r, &e) < 0)
		fail_msg("%s: %s", path, e.msg);
	text = buf_take(&r.body);
	http_response_release(&r);
	free(url);
	return text;
}

USED static void tell_server(const char *method, const char *path, const char *body)
{
	free(ask_server(method, path, body));
}

USED static int calls(void)
{
	char *text = ask_server("GET", "/_stats", NULL);
	cJSON *o = cJSON_Parse(text);
	int n = (int)json_int(o, "total", -1);

	cJSON_Delete(o);
	free(text);
	return n;
}

USED static char *one(const char *sql)
{
	struct pg_rows *rows = NULL;
	struct err e = { 0 };
	char *text;

	if (pg_run(t.pg, sql, NULL, 0, &rows, &e) < 0)
		fail_msg("%s: %s", sql, e.msg);
	text = mem_strdup(pg_rows_count(rows) ? pg_text(rows, 0, 0) : "");
	pg_rows_free(rows);
	return text;
}

USED static int64_t number(const char *sql)
{
	char *text = one(sql);
	int64_t n = strtoll(text, NULL, 10);

	free(text);
	return n;
}

USED static void check_one(const char *sql, const char *want)
{
	char *got = one(sql);

	assert_string_equal(got, want);
	free(got);
}

USED static void start_server(const char *generation)
{
	char *port_file = mem_printf("%s/port", t.dir);
	int64_t end = clock_mono_ms() + READY_MS;
	int port = 0;

	unlink(port_file);
	t.server = fork();
	if (t.server == 0) {
		execl("tests/providers/server", "server", "--port-file", port_file, "--match",
		      "all", "--die-with-parent", "--generation", generation, (char *)NULL);
		_exit(127);
	}
	while (port == 0 && clock_mono_ms() < end) {
		FILE *f = fopen(port_file, "r");

		if (f && fscanf(f, "%d", &port) != 1)
			port = 0;
		if (f)
			fclose(f);
		usleep(20000);
	}
	assert_true(port > 0);
	free(port_file);
	snprintf(t.base, sizeof t.base, "http://127.0.0.1:%d", port);
	char *url = mem_printf("%s/jsearch", t.base);

	setenv("JOBFLEET_SOURCE_JSEARCH_URL", url, 1);
	free(url);
}

USED static void stop_server(void)
{
	kill(t.server, SIGTERM);
	waitpid(t.server, NULL, 0);
}

USED static int start(void **state)
{
	struct err e = { 0 };

	(void)state;
	snprintf(t.dir, sizeof t.dir, "/tmp/jobfleet-collect-XXXXXX");
	assert_non_null(mkdtemp(t.dir));
	if (pg_open(&t.pg, getenv("JOBFLEET_DATABASE_URL"), "test_collect", 5000, &e) < 0 ||
	    migrate_run(t.pg, "sql", NULL, NULL, &e) < 0 || http_open(&t.http, "test", &e) < 0)
		fail_msg("%s", e.msg);
	setenv("RAPIDAPI_KEY", KEY, 1);
	setenv("ETL_REQUESTS_PER_MINUTE", "60000", 1);
	log_set_level(LOG_LEVEL_CRITICAL);
	unsetenv("ETL_MODE");
	unsetenv("USE_DEMO_FALLBACK");
	unsetenv("JOBFLEET_BROKER_URL");	/* follow-ups are looked at in pending */
	start_server("both");
	return 0;
}

USED static int stop(void **state)
{
	char *command = mem_printf("rm -rf %s", t.dir);
	int r;

	(void)state;
	stop_server();
	http_close(t.http);
	pg_close(t.pg);
	r = system(command);
	free(command);
	return r;
}

USED static int clean(void **state)
{
	struct err e = { 0 };

	(void)state;
	if (pg_exec(t.pg,
		    "TRUNCATE raw_job_collections CASCADE; TRUNCATE jobfleet.pending, jobfleet.steps,"
		    " jobfleet.provider_quota, jobfleet.source_state, jobfleet.alerts,"
		    " jobfleet.watermarks, jobfleet.asking",
		    &e) < 0)
		fail_msg("%s", e.msg);
	tell_server("DELETE", "/_fault", NULL);
	tell_server("DELETE", "/_stats", NULL);
	tell_server("POST", "/_quota", "{\"limit\":10000,\"used\":0,\"reset\":864000}");
	snprintf(t.id, sizeof t.id, "run-%d", ++t.runs);
	t.tune = NULL;
	return 0;
}

USED static void next_run(void)
{
	snprintf(t.id, sizeof t.id, "run-%d", ++t.runs);
}

/* One attempt of the current run. */
USED static int attempt(task_fn *fn, int retries, const char *text, cJSON **ret, struct err *e)
{
	cJSON *args = cJSON_Parse(text);
	struct conf *conf = NULL;
	struct run *run = NULL;
	int r;

	assert_non_null(args);
	*ret = NULL;
	if (conf_load(&conf, "queues.conf", e) < 0 || run_open(&run, conf, &TASK, t.id, e) < 0)
		fail_msg("%s", e->msg);
	conf->fleet.data_dir = t.dir;
	for (size_t i = 0; i < conf->nsources; i++)	/* nothing calls out of this machine */
		if (strcmp(conf->sources[i].name, "jsearch") != 0)
			conf->sources[i].enabled = false;
	if (t.tune)
		t.tune(conf);
	run->key.retries = retries;
	r = fn(run, args, ret, e);
	if (run_close(run, r == 0, r == 0 ? e : NULL) < 0)
		fail_msg("%s", e->msg);
	conf_close(conf);
	cJSON_Delete(args);
	return r;
}

USED static cJSON *must(const char *text)
{
	struct err e = { 0 };
	cJSON *result;

	if (attempt(collect_jobs, 0, text, &result, &e) < 0)
		fail_msg("%s: %s", text, e.msg);
	assert_non_null(result);
	return result;
}

USED static void check_no_key_anywhere(void)
{
	check_one("SELECT count(*) FROM (SELECT r::text AS t FROM raw_job_collections r UNION ALL"
		  " SELECT p::text || convert_from(body, 'UTF8') FROM jobfleet.pending p UNION ALL"
		  " SELECT s::text FROM jobfleet.source_state s UNION ALL"
		  " SELECT a::text FROM jobfleet.alerts a UNION ALL SELECT s::text FROM jobfleet.steps s) x"
		  " WHERE t LIKE '%" KEY "%'", "0");
}

USED static void check_result(const cJSON *result, const char *status, const char *stopped)
{
	assert_string_equal(json_str(result, "status", ""), status);
	assert_string_equal(json_str(result, "stopped", ""), stopped);
}

#endif
