/* SPDX-License-Identifier: MIT */
/* scratch_db: a database of its own for each test, on the server of JOBFLEET_DATABASE_URL, and the
 * calls to fill and question it. Runs in the root of the tree (sql/ is there). */
#ifndef TESTS_UNIT_SCRATCH_DB_H
#define TESTS_UNIT_SCRATCH_DB_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/err.h"
#include "common/base/mem.h"
#include "common/store/migrate.h"
#include "common/store/pg.h"

static const char *url;

struct fixture {
	char name[64], *url, dir[64];
	struct pg *pg;
};

static inline struct pg *must_open(const char *at)
{
	struct pg *p = NULL;
	struct err e = { 0 };

	if (pg_open(&p, at, "scratch_db", 5000, &e) < 0)
		fail_msg("%s", e.msg);
	return p;
}

static inline void must(struct pg *p, const char *sql)
{
	struct err e = { 0 };

	if (pg_exec(p, sql, &e) < 0)
		fail_msg("%s: %s", sql, e.msg);
}

static inline void expect_refused(struct pg *p, const char *sql, enum err_code code,
				  const char *text)
{
	struct err e = { 0 };
	int64_t r = pg_run(p, sql, NULL, 0, NULL, &e);

	if (r != -(int)code || !strstr(e.msg, text))
		fail_msg("%s: got %d \"%s\", expected %s \"%s\"", sql, (int)r, e.msg,
			 err_name(code), text);
}

static inline int64_t number(struct pg *p, const char *sql)
{
	struct pg_rows *rows = NULL;
	struct err e = { 0 };
	int64_t n;

	if (pg_run(p, sql, NULL, 0, &rows, &e) < 0)
		fail_msg("%s: %s", sql, e.msg);
	n = pg_int(rows, 0, 0);
	pg_rows_free(rows);
	return n;
}

static inline int set_up(void **state)
{
	struct fixture *f = mem_zalloc(sizeof *f);
	struct pg *admin = must_open(url);
	static int count;
	char sql[128];

	snprintf(f->name, sizeof f->name, "test_scratch_%d_%d", (int)getpid(), ++count);
	snprintf(sql, sizeof sql, "CREATE DATABASE %s", f->name);
	must(admin, sql);
	pg_close(admin);
	f->url = mem_printf("%.*s/%s", (int)(strrchr(url, '/') - url), url, f->name);
	f->pg = must_open(f->url);
	snprintf(f->dir, sizeof f->dir, "/tmp/test_scratch-XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	*state = f;
	return 0;
}

static inline int tear_down(void **state)
{
	struct fixture *f = *state;
	struct pg *admin = must_open(url);
	char sql[128], *rm = mem_printf("rm -rf %s", f->dir);

	pg_close(f->pg);
	snprintf(sql, sizeof sql, "DROP DATABASE %s WITH (FORCE)", f->name);
	must(admin, sql);
	pg_close(admin);
	assert_int_equal(system(rm), 0);
	free(rm);
	free(f->url);
	free(f);
	return 0;
}

static inline void gather(void *ctx, const char *line)
{
	size_t n = strlen(ctx);

	snprintf((char *)ctx + n, 8192 - n, "%s\n", line);
}

static inline int migrate_shipped(struct pg *p, char *said)
{
	struct err e = { 0 };
	int r = migrate_run(p, "sql", said ? gather : NULL, said, &e);

	if (r < 0)
		fail_msg("%s", e.msg);
	return r;
}

#define WITH_DATABASE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

#endif
