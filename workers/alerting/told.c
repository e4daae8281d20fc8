/* SPDX-License-Identifier: MIT */
#include "workers/alerting/told.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/conf.h"
#include "common/base/mem.h"
#include "common/store/pg.h"
#include "common/store/redis.h"
#include "common/worker/run.h"

#define KEEP_S "86400"
#define UNDELIVERED "alert_undelivered"

static char *key_of(struct run *run, const char *id)
{
	return mem_printf("%salert-told:%s", run_conf(run)->fleet.redis_prefix, id);
}

static bool redis_knows(struct run *run, const char *id)
{
	struct redis_reply *reply = NULL;
	struct redis *redis;
	bool yes = false;
	char *key;

	if (run_redis(run, &redis, NULL) < 0)
		return false;
	key = key_of(run, id);
	if (redis_cmd(redis, &reply, NULL, "EXISTS", key, NULL) >= 0)
		yes = reply->integer > 0;
	redis_reply_free(reply);
	free(key);
	return yes;
}

bool told_already(struct run *run, const char *id)
{
	struct pg_rows *rows = NULL;
	struct pg *pg;
	bool yes;

	if (redis_knows(run, id))
		return true;
	if (run_db_read(run, &pg, NULL) < 0)
		return false;
	yes = pg_run(pg, "SELECT 1 FROM jobfleet.alert_notices WHERE id = $1 AND state = 'sent'",
		     PG_PARAMS(PG_TEXT(id)), &rows, NULL) > 0;
	pg_rows_free(rows);
	return yes;
}

void told_note(struct run *run, const char *id, const char *state, const char *detail)
{
	char now[CLOCK_ISO_SIZE];
	struct redis *redis;
	struct pg *pg;
	char *key;

	if (strcmp(state, "sent") == 0 && run_redis(run, &redis, NULL) >= 0) {
		key = key_of(run, id);
		redis_cmd(redis, NULL, NULL, "SETEX", key, KEEP_S, "1", NULL);
		free(key);
	}
	clock_iso(clock_wall_us(), now);
	if (run_db_read(run, &pg, NULL) >= 0)
		pg_run(pg, "SELECT jobfleet.alert_delivered($1, $2, $3, $4::timestamptz)",
		       PG_PARAMS(PG_TEXT(id), PG_TEXT(state), PG_TEXT(detail), PG_TEXT(now)), NULL,
		       NULL);
}

void told_unreachable(struct run *run, const char *address, const char *why)
{
	struct pg *pg;

	if (run_db_read(run, &pg, NULL) >= 0)
		pg_run(pg, "SELECT jobfleet.raise_alert('" UNDELIVERED "', $1, 'ERROR', $2)",
		       PG_PARAMS(PG_TEXT(address), PG_TEXT(why)), NULL, NULL);
}

void told_reachable(struct run *run, const char *address)
{
	struct pg *pg;

	if (run_db_read(run, &pg, NULL) >= 0)
		pg_run(pg, "UPDATE jobfleet.alerts SET resolved_at = now(), resolution = 'it takes"
		       " alerts again' WHERE name = '" UNDELIVERED "' AND subject = $1"
		       " AND resolved_at IS NULL", PG_PARAMS(PG_TEXT(address)), NULL, NULL);
}
