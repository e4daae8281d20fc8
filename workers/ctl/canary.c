/* SPDX-License-Identifier: MIT */
#include "workers/ctl/canary.h"

#include <poll.h>
#include <stdlib.h>

#include "common/base/clock.h"
#include "common/base/err.h"
#include "common/base/json.h"
#include "common/base/mem.h"
#include "common/store/pg.h"
#include "common/store/redis.h"
#include "common/store/result.h"
#include "workers/ctl/ctl.h"

enum { LOOK_MS = 200 };

/* A letter that came of the new generation, else its final row. */
static const char SQL_LOOK[] =
	"SELECT 'dead: ' || cause || ', ' || reason, false FROM jobfleet.dead_letters"
	" WHERE task_id = $1 AND generation >= $2 AND id > $3 AND state = 'dead'"
	" UNION ALL SELECT outcome || coalesce(': ' || cause, ''), outcome IN ('success', 'ignored')"
	" FROM jobfleet.ledger WHERE task_id = $1 AND generation = $2 AND final LIMIT 1";

static void end(struct canary *one, bool well, const char *why)
{
	one->state = well ? CANARY_LIVES : CANARY_DEAD;
	mem_replace(&one->why, mem_strdup(why));
}

static int look_in_ledger(struct canary *one, struct ctl *c, struct err *e)
{
	struct pg_rows *rows = NULL;
	int r = ctl_query(c, SQL_LOOK, PG_PARAMS(PG_TEXT(one->task_id), PG_INT(one->generation),
						 PG_INT(one->letter)), &rows, e);

	if (r == 0 && pg_rows_count(rows) > 0)
		end(one, pg_bool(rows, 0, 1), pg_text(rows, 0, 0));
	pg_rows_free(rows);
	return r;
}

/* Best effort: with Redis away the ledger still tells of nearly every task. */
static void look_in_redis(struct canary *one, struct ctl *c)
{
	struct redis_reply *reply = NULL;
	struct redis *redis;
	char *key = mem_printf("celery-task-meta-%s", one->task_id);
	cJSON *meta = NULL;
	const char *status;

	if (ctl_redis(c, &redis, NULL) == 0 &&
	    redis_cmd(redis, &reply, NULL, "GET", key, NULL) == 0 && reply->type == REDIS_STRING &&
	    json_parse(reply->str, reply->len, &meta, NULL) == 0) {
		status = json_str(meta, "status", "");
		if (result_is_final(status) &&
		    json_int(meta, "jobfleet_generation", -1) == one->generation)
			end(one, strcmp(status, "SUCCESS") == 0, status);
	}
	cJSON_Delete(meta);
	redis_reply_free(reply);
	free(key);
}

static int look(struct canary *all, size_t n, struct ctl *c, struct err *e)
{
	int flying = 0;

	for (size_t i = 0; i < n; i++) {
		int r = all[i].state == CANARY_FLIES ? look_in_ledger(&all[i], c, e) : 0;

		if (r >= 0 && all[i].state == CANARY_FLIES) {
			look_in_redis(&all[i], c);
			/* it may have ended since: the ledger knows why */
			if (all[i].state != CANARY_FLIES)
				r = look_in_ledger(&all[i], c, e);
		}
		if (r < 0)
			return r;
		flying += all[i].state == CANARY_FLIES;
	}
	return flying;
}

int canary_watch(struct canary *all, size_t n, struct ctl *c, int64_t deadline_ms, struct err *e)
{
	for (;;) {
		int flying = look(all, n, c, e);

		if (flying <= 0 || clock_mono_ms() >= deadline_ms)
			return flying;
		poll(NULL, 0, LOOK_MS);
	}
}

void canary_release(struct canary *all, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		free(all[i].task_id);
		free(all[i].why);
	}
	free(all);
}
