/* SPDX-License-Identifier: MIT */
/* PostgreSQL: version, schema, rights, connections, durability, clock. */
#include "common/base/clock.h"
#include "common/base/conf.h"
#include "common/base/err.h"
#include "common/base/mem.h"
#include "common/store/migrate.h"
#include "common/store/pg.h"
#include "workers/ctl/checkup.h"
#include "workers/ctl/ctl.h"
#include "workers/ctl/doctor.h"

#define AREA "postgresql"

enum { LEAST_VERSION = 150000 };

static const char SQL_SERVER[] =
	"SELECT current_setting('server_version_num')::int, current_setting('server_version'),"
	" current_setting('fsync'), current_setting('synchronous_commit'),"
	" current_setting('max_connections')::int"
	"  - current_setting('superuser_reserved_connections')::int,"
	" (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'),"
	" (extract(epoch FROM clock_timestamp()) * 1e6)::bigint, current_user,"
	" pg_is_in_recovery()";

static void check_server(struct checkup *k, const struct pg_rows *rows)
{
	bool old = pg_int(rows, 0, 0) < LEAST_VERSION, replica = pg_bool(rows, 0, 8);
	bool safe = strcmp(pg_text(rows, 0, 2), "on") == 0 &&
		    strcmp(pg_text(rows, 0, 3), "off") != 0;

	checkup_add(k, AREA, "version", old ? CHECKUP_FAIL : CHECKUP_OK,
		    old ? "jobfleet needs PostgreSQL 15 or newer." : NULL, "%s",
		    pg_text(rows, 0, 1));
	checkup_add(k, AREA, "role", replica ? CHECKUP_FAIL : CHECKUP_OK,
		    replica ? "Add target_session_attrs=read-write to JOBFLEET_DATABASE_URL."
			    : NULL,
		    "%s", replica ? "a replica: nothing can be written" : "primary");
	checkup_add(k, AREA, "durability", safe ? CHECKUP_OK : CHECKUP_WARN,
		    safe ? NULL : "A crash of its host can lose what was settled, and tasks run"
				  " twice.",
		    "fsync %s, synchronous_commit %s", pg_text(rows, 0, 2), pg_text(rows, 0, 3));
}

static void check_schema(struct checkup *k, struct pg *p)
{
	struct err e = { 0 };
	int version = migrate_version(p, &e);

	if (migrate_check(p, &e) < 0)
		checkup_add(k, AREA, "schema", CHECKUP_FAIL, "jobfleet migrate", "%s", e.msg);
	else
		checkup_add(k, AREA, "schema", CHECKUP_OK, NULL, "%d, this program needs %d",
			    version, MIGRATE_SCHEMA);
}

static const char SQL_RIGHTS[] =
	"SELECT string_agg(t || ' ' || p, ', ') FROM unnest(ARRAY['ledger', 'pending', 'steps',"
	" 'starts', 'dead_letters', 'result_backlog', 'workers', 'alerts', 'revokes', 'pauses',"
	" 'unique_keys', 'joins']) t, unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE']) p"
	" WHERE to_regclass('jobfleet.' || t) IS NOT NULL"
	" AND NOT has_table_privilege('jobfleet.' || t, p)"
	" UNION ALL SELECT 'enqueue EXECUTE' FROM pg_proc WHERE proname = 'enqueue'"
	" AND pronamespace = to_regnamespace('jobfleet') AND NOT has_function_privilege(oid,"
	" 'EXECUTE')";

static void check_rights(struct checkup *k, struct ctl *c, const char *user)
{
	struct pg_rows *rows = NULL;
	struct err e = { 0 };
	size_t n = 0;

	if (ctl_query(c, SQL_RIGHTS, NULL, 0, &rows, &e) < 0) {
		checkup_add(k, AREA, "rights", CHECKUP_UNKNOWN, NULL, "%s", e.msg);
		return;
	}
	for (size_t i = 0; i < pg_rows_count(rows); i++) {
		if (!*pg_text(rows, i, 0))
			continue;
		n++;
		checkup_add(k, AREA, "rights", CHECKUP_FAIL,
			    "GRANT jobfleet_worker TO the workers' user, jobfleet_dispatcher to"
			    " the dispatcher's. Fine for an operator who only looks.",
			    "%s lacks %s", user, pg_text(rows, i, 0));
	}
	if (n == 0)
		checkup_add(k, AREA, "rights", CHECKUP_OK, NULL,
			    "%s may read and write the fleet's tables", user);
	pg_rows_free(rows);
}

/* Each child has a connection, each program its keeper's, a dispatcher up to four. */
static int64_t connections_wanted(const struct conf *conf, struct ctl *c)
{
	enum { DISPATCHER = 4 };
	struct pg_rows *rows = NULL;
	int64_t n = 0;

	if (ctl_query(c, "SELECT program, concurrency FROM jobfleet.workers WHERE state <>"
		      " 'stopped' AND seen_at > now() - interval '1 minute'", NULL, 0, &rows,
		      NULL) < 0)
		return 0;
	for (size_t i = 0; i < pg_rows_count(rows); i++) {
		const char *program = pg_text(rows, i, 0);
		int64_t most = pg_int(rows, i, 1);

		for (size_t q = 0; q < conf->nqueues; q++) {
			if (strcmp(conf->queues[q].program, program) == 0 &&
			    conf->queues[q].concurrency_max > most)
				most = conf->queues[q].concurrency_max;
		}
		n += strcmp(program, "dispatcher") == 0 ? DISPATCHER : most + 1;
	}
	pg_rows_free(rows);
	return n;
}

static void check_connections(struct checkup *k, struct ctl *c, int64_t room, int64_t used)
{
	int64_t wanted = connections_wanted(c->conf, c);
	bool tight = wanted > room;

	checkup_add(k, AREA, "connections", tight ? CHECKUP_FAIL : CHECKUP_OK,
		    tight ? "Raise max_connections, lower concurrency, or put pgbouncer"
			    " (transaction pooling) between; set JOBFLEET_DATABASE_DIRECT_URL"
			    " then." : NULL,
		    "%lld allowed, %lld in use, the running programs may want %lld",
		    (long long)room, (long long)used, (long long)wanted);
}

void doctor_postgres(struct checkup *k, struct ctl *c)
{
	struct pg_rows *rows = NULL;
	struct pg *p = NULL;
	struct err e = { 0 };
	int64_t before, after;
	int r = ctl_pg(c, &p, &e);

	before = clock_wall_us();
	if (r == 0)
		r = ctl_query(c, SQL_SERVER, NULL, 0, &rows, &e);
	after = clock_wall_us();
	if (r < 0) {
		checkup_add(k, AREA, "login", CHECKUP_FAIL,
			    "Is it running, and JOBFLEET_DATABASE_URL right?", "%s", e.msg);
		return;
	}
	checkup_add(k, AREA, "login", CHECKUP_OK, NULL, "as JOBFLEET_DATABASE_URL says");
	check_server(k, rows);
	check_schema(k, p);
	check_rights(k, c, pg_text(rows, 0, 7));
	check_connections(k, c, pg_int(rows, 0, 4), pg_int(rows, 0, 5));
	doctor_clock(k, AREA, pg_int(rows, 0, 6), before, after);
	pg_rows_free(rows);
}
