/* SPDX-License-Identifier: MIT */
/* handler_bed: where a unit test calls task handlers on real services: a migrated scratch database,
 * Redis, and the local provider server. The services come from tests/run (services: shared). */
#ifndef TESTS_HANDLER_BED_H
#define TESTS_HANDLER_BED_H

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/buf.h"
#include "common/base/clock.h"
#include "common/base/conf.h"
#include "common/base/err.h"
#include "common/base/json.h"
#include "common/base/mem.h"
#include "common/base/uuid.h"
#include "common/net/http.h"
#include "common/store/migrate.h"
#include "common/store/pg.h"
#include "common/store/redis.h"
#include "common/worker/run.h"

#define BED_WAIT_MS 10000

struct bed {
	struct conf *conf;
	struct pg *pg;
	struct redis *redis;
	struct http *http;
	pid_t server;
	char dir[64], base[64];		/* http://127.0.0.1:PORT */
};

static struct bed bed;

static void bed_must(int r, const struct err *e, const char *what)
{
	if (r < 0)
		fail_msg("%s: %s", what, e->msg);
}

__attribute__((unused))
static void bed_start_server(void)
{
	char port_file[96], port[16] = "";
	int64_t end = clock_mono_ms() + BED_WAIT_MS;
	FILE *f = NULL;

	snprintf(bed.dir, sizeof bed.dir, "/tmp/jobfleet-bed-XXXXXX");
	assert_non_null(mkdtemp(bed.dir));
	snprintf(port_file, sizeof port_file, "%s/port", bed.dir);
	bed.server = fork();
	if (bed.server == 0) {
		execl("tests/providers/server", "server", "--port-file", port_file,
		      "--die-with-parent", (char *)NULL);
		_exit(127);
	}
	while (!(f = fopen(port_file, "r")) && clock_mono_ms() < end)
		usleep(20000);
	assert_non_null(f);
	assert_non_null(fgets(port, sizeof port, f));
	fclose(f);
	unlink(port_file);
	snprintf(bed.base, sizeof bed.base, "http://127.0.0.1:%.*s", (int)strcspn(port, "\n"),
		 port);
}

static void bed_set_source(const char *name)
{
	char variable[64], url[96];

	snprintf(variable, sizeof variable, "JOBFLEET_SOURCE_%s_URL", name);
	snprintf(url, sizeof url, "%s/%s", bed.base, name);
	for (char *p = variable; *p; p++)
		*p = *p >= 'a' && *p <= 'z' ? (char)(*p - 32) : *p;
	for (char *p = url + strlen(bed.base); *p; p++)
		*p = *p >= 'A' && *p <= 'Z' ? (char)(*p + 32) : *p;
	setenv(variable, url, 1);
}

static void bed_open(void)
{
	char dir[512];
	struct err e = { 0 };

	bed_set_source("bls");
	bed_set_source("census");
	bed_set_source("fred");
	bed_must(conf_load(&bed.conf, "queues.conf", &e), &e, "conf");
	bed_must(pg_open(&bed.pg, bed.conf->fleet.database_url, "bed", 10000, &e), &e, "pg");
	bed_must(migrate_find_dir(dir, sizeof dir, &e), &e, "sql");
	bed_must(migrate_run(bed.pg, dir, NULL, NULL, &e), &e, "migrate");
	bed_must(redis_open(&bed.redis, bed.conf->fleet.redis_url, 5000, &e), &e, "redis");
	bed_must(http_open(&bed.http, "bed", &e), &e, "http");
}

static void bed_close(void)
{
	http_close(bed.http);
	redis_close(bed.redis);
	pg_close(bed.pg);
	conf_close(bed.conf);
	if (bed.server > 0) {
		kill(bed.server, SIGTERM);
		waitpid(bed.server, NULL, 0);
		rmdir(bed.dir);
	}
}

/* One text cell of a query; owned by the caller. */
__attribute__((unused))
static char *bed_sql(const char *sql)
{
	struct pg_rows *rows = NULL;
	struct err e = { 0 };
	char *text;

	bed_must((int)pg_run(bed.pg, sql, NULL, 0, &rows, &e), &e, sql);
	text = mem_strdup(pg_rows_count(rows) ? pg_text(rows, 0, 0) : "");
	pg_rows_free(rows);
	return text;
}

__attribute__((unused))
static void bed_expect_sql(const char *sql, const char *want)
{
	char *got = bed_sql(sql);

	if (strcmp(got, want) != 0)
		fail_msg("%s: %s, expected %s", sql, got, want);
	free(got);
}

static char *bed_http(const char *method, const char *path, const char *body)
{
	struct http_response answer;
	struct err e = { 0 };
	char url[160];
	struct http_request req = { .method = method, .url = url, .body = body,
				    .body_len = body ? strlen(body) : 0 };

	snprintf(url, sizeof url, "%s%s", bed.base, path);
	bed_must(http_perform(bed.http, &req, &answer, &e), &e, path);
	assert_int_equal(answer.status, 200);
	char *text = mem_strdup(buf_text(&answer.body));
	http_response_release(&answer);
	return text;
}

__attribute__((unused))
static void bed_fault(const char *json)
{
	free(bed_http("POST", "/_fault", json));
}

/* Everything as on the first day; keys stay. */
__attribute__((unused))
static void bed_clean(void)
{
	struct err e = { 0 };

	bed_must(
		pg_exec(bed.pg,
			"TRUNCATE salary_benchmarks, market_data, confidence_scores, salary_data_cache,"
			" jobfleet.provider_quota, jobfleet.source_state, jobfleet.alerts, jobfleet.steps,"
			" jobfleet.pending, jobfleet.asking, jobfleet.salary_reads,"
			" jobfleet.salary_read_batches",
			&e),
		&e, "truncate");
	bed_must(redis_cmd(bed.redis, NULL, &e, "FLUSHDB", NULL), &e, "flush");
	if (bed.server > 0) {
		free(bed_http("DELETE", "/_fault", NULL));
		free(bed_http("DELETE", "/_stats", NULL));
	}
}

/* Calls a handler once, as a worker would; id NULL = a new one. The result is the caller's. */
__attribute__((unused))
static int bed_call(const char *task, task_fn *fn, const char *id, const char *args, cJSON **ret,
		    struct err *e)
{
	struct task row = { .name = task, .fn = fn };
	char fresh[UUID_SIZE];
	cJSON *given = NULL, *result = NULL;
	struct run *run;
	int r;

	uuid_v4(fresh);
	bed_must(json_parse(args, strlen(args), &given, e), e, args);
	bed_must(run_open(&run, bed.conf, &row, id ? id : fresh, e), e, "run");
	r = fn(run, given, &result, e);
	if (r >= 0) {
		/* raw members become what a client reads */
		char *text = json_print(result);

		cJSON_Delete(result);
		result = NULL;
		bed_must(json_parse(text, strlen(text), &result, e), e, text);
		free(text);
		r = run_close(run, true, e);
		*ret = result;
	} else {
		struct err ignored;

		cJSON_Delete(result);
		run_close(run, false, &ignored);
	}
	cJSON_Delete(given);
	return r;
}

/* Fixtures of tests on services that ask no source: nobody is at the sources' address. */
__attribute__((unused))
static int bed_start_alone(void **state)
{
	(void)state;
	if (!getenv("JOBFLEET_DATABASE_URL") || !getenv("JOBFLEET_REDIS_URL"))
		return -1;
	snprintf(bed.base, sizeof bed.base, "http://127.0.0.1:9");
	bed_open();
	return 0;
}

__attribute__((unused))
static int bed_stop(void **state)
{
	(void)state;
	bed_close();
	return 0;
}

__attribute__((unused))
static int bed_clean_before(void **state)
{
	(void)state;
	bed_clean();
	return 0;
}

#endif
