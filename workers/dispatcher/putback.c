/* SPDX-License-Identifier: MIT */
#include "workers/dispatcher/putback.h"

#include "common/base/err.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/base/scan.h"
#include "common/store/pg.h"
#include "common/store/redis.h"

/* $1 the number that Redis remembers, $2 of when, in microseconds; both null: of none. */
static const char SQL[] =
	"WITH m AS MATERIALIZED (SELECT * FROM jobfleet.count_mark(clock_timestamp(), $1::bigint,"
	"  timestamptz 'epoch' + $2::bigint * interval '1 us'))"
	" SELECT m.n, (extract(epoch FROM clock_timestamp()) * 1000000)::bigint, m.put_back,"
	" to_char(m.stood_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS'),"
	" CASE WHEN m.put_back THEN jobfleet.raise_alert('database_put_back', '', 'CRITICAL', format("
	"  'PostgreSQL was put back to %s UTC: what was accepted and done from then to %s UTC is"
	" missing there; jobfleet audit names it', to_char(m.stood_at AT TIME ZONE 'UTC',"
	"  'YYYY-MM-DD HH24:MI:SS'), to_char((timestamptz 'epoch' + $2::bigint * interval '1 us')"
	"  AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS')))::text END FROM m";

static int read_mark(struct redis *redis, const char *key, char **ret_n, char **ret_us,
		     struct err *e)
{
	struct redis_reply *reply = NULL;
	int r = redis_cmd(redis, &reply, e, "GET", key, NULL);
	const char *space = r == 0 && reply->type == REDIS_STRING ? strchr(reply->str, ' ') : NULL;
	int64_t n, us;

	*ret_n = space ? mem_strndup(reply->str, (size_t)(space - reply->str)) : NULL;
	*ret_us = space ? mem_strdup(space + 1) : NULL;
	redis_reply_free(reply);
	if (space && (scan_int64(*ret_n, 0, INT64_MAX, &n, NULL) < 0 ||
		      scan_int64(*ret_us, 0, INT64_MAX, &us, NULL) < 0)) {
		free(*ret_n);
		free(*ret_us);
		*ret_n = *ret_us = NULL;	/* somebody else wrote there */
	}
	return r;
}

static int remember(struct redis *redis, const char *key, const struct pg_rows *rows,
		    struct err *e)
{
	char *text = mem_printf("%s %s", pg_text(rows, 0, 0), pg_text(rows, 0, 1));
	int r = redis_cmd(redis, NULL, e, "SET", key, text, NULL);

	free(text);
	return r;
}

int putback_look(struct pg *pg, struct redis *redis, const char *prefix, struct err *e)
{
	char *key = mem_printf("%smark:database", prefix), *n = NULL, *us = NULL;
	struct pg_rows *rows = NULL;
	int r = read_mark(redis, key, &n, &us, e);

	if (r == 0 && pg_run(pg, SQL, PG_PARAMS(PG_TEXT(n), PG_TEXT(us)), &rows, e) < 0)
		r = -(int)e->code;
	if (r == 0 && pg_bool(rows, 0, 2))
		log_error("PostgreSQL was put back to an earlier state stood_at=\"%s UTC\"",
			  pg_text(rows, 0, 3));
	if (r == 0)
		r = remember(redis, key, rows, e);
	pg_rows_free(rows);
	free(key);
	free(n);
	free(us);
	return r;
}
