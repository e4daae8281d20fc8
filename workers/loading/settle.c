/* SPDX-License-Identifier: MIT */
#include "workers/loading/settle.h"

#include "common/base/buf.h"
#include "common/base/conf.h"
#include "common/base/err.h"
#include "common/base/json.h"
#include "common/base/mem.h"
#include "common/base/uuid.h"
#include "common/market/occupation.h"
#include "common/store/pg.h"
#include "common/store/redis.h"

enum { NAMES_MAX = 1024 * 1024 };

static const char SQL_QUERY[] =
	"SELECT encode(sha256(convert_to(lower(btrim(regexp_replace(c.query_params->>'query',"
	" '\\s+', ' ', 'g'))), 'UTF8')), 'hex') FROM public.job_processing_log l"
	" JOIN public.raw_job_collections c USING (collection_id) WHERE l.processing_id = $1::uuid"
	" AND c.query_params->>'query' <> ''";

static const char SQL_IS_DUE[] =
	"SELECT coalesce(max(pay_counted_at) < now() - $1::int * interval '1 second', true)"
	" FROM public.job_processing_log WHERE loaded_at IS NOT NULL";

/* *ret_dropped: how many keys there were. */
static int drop_searches(struct run *run, const char *processing_id, int64_t *ret_dropped,
			 struct err *e)
{
	const struct conf *conf = run_conf(run);
	struct redis_reply *reply = NULL;
	struct pg_rows *rows = NULL;
	struct redis *redis;
	struct pg *pg;
	char *key;
	int64_t r = run_db_read(run, &pg, e);

	if (r >= 0)
		r = pg_run(pg, SQL_QUERY, PG_PARAMS(PG_TEXT(processing_id)), &rows, e);
	if (r <= 0) {
		pg_rows_free(rows);
		return (int)r;
	}
	key = mem_printf("%ssearch:%s", conf ? conf->fleet.redis_prefix : "", pg_text(rows, 0, 0));
	pg_rows_free(rows);
	r = run_redis(run, &redis, e);
	if (r >= 0)
		r = redis_cmd(redis, &reply, e, "UNLINK", key, NULL);
	if (r >= 0)
		*ret_dropped = reply->integer;
	redis_reply_free(reply);
	free(key);
	return r < 0 ? (int)r : 0;
}

/* The names that the salary tasks know occupations by. */
static char *occupation_names(void)
{
	struct buf b;

	buf_init(&b, NAMES_MAX);
	buf_putc(&b, '{');
	for (size_t i = 0; i < OCCUPATIONS_COUNT; i++) {
		buf_puts(&b, i ? "," : "");
		buf_put_json_string(&b, OCCUPATIONS[i].soc);
		buf_putc(&b, ':');
		buf_put_json_string(&b, OCCUPATIONS[i].title);
	}
	buf_putc(&b, '}');
	return buf_take(&b);
}

static int refresh(struct run *run, bool all, cJSON *answer, struct err *e)
{
	char *names = occupation_names();
	struct pg_rows *rows = NULL;
	struct pg *pg;
	int64_t r = run_db(run, &pg, e);

	if (r >= 0)
		r = pg_run(pg, "SELECT loads, written, removed FROM"
			   " jobfleet.refresh_posting_pay($1::jsonb, $2::boolean)",
			   PG_PARAMS(PG_TEXT(names), PG_TEXT(all ? "true" : "false")), &rows, e);
	if (r >= 0) {
		json_set_num(answer, "loads", (double)pg_int(rows, 0, 0));
		json_set_num(answer, "written", (double)pg_int(rows, 0, 1));
		json_set_num(answer, "removed", (double)pg_int(rows, 0, 2));
	}
	pg_rows_free(rows);
	free(names);
	return r < 0 ? (int)r : 0;
}

/* After a flood of loads the figures come once a minute, not once a load. */
static int refresh_if_due(struct run *run, cJSON *answer, struct err *e)
{
	struct pg_rows *rows = NULL;
	struct pg *pg;
	int64_t r = run_db(run, &pg, e);
	bool due;

	if (r >= 0)
		r = pg_run(pg, SQL_IS_DUE, PG_PARAMS(PG_INT(SETTLE_PAY_S)), &rows, e);
	due = r > 0 && pg_bool(rows, 0, 0);
	pg_rows_free(rows);
	if (r < 0)
		return (int)r;
	return due ? refresh(run, false, answer, e) : 0;
}

int settle_load(struct run *run, const cJSON *args, cJSON **ret_result, struct err *e)
{
	const char *id = json_str(args, "processing_id", "");
	cJSON *answer = mem_check(cJSON_CreateObject()), *figures = mem_check(cJSON_CreateObject());
	int64_t dropped = 0;
	int r;

	json_set_str(answer, "status", "success");
	json_set(answer, "figures", figures);
	r = !uuid_is_valid(id) ? err_set(e, ERR_INVALID, "processing_id is no uuid: \"%.60s\"", id)
			       : drop_searches(run, id, &dropped, e);
	if (r >= 0)
		r = refresh_if_due(run, figures, e);
	json_set_num(answer, "dropped", (double)dropped);
	if (r < 0)
		cJSON_Delete(answer);
	else
		*ret_result = answer;
	return r;
}

int refresh_posting_salaries(struct run *run, const cJSON *args, cJSON **ret_result, struct err *e)
{
	cJSON *answer = mem_check(cJSON_CreateObject());
	int r;

	json_set_str(answer, "status", "success");
	r = refresh(run, json_bool(args, "all", false), answer, e);
	if (r < 0)
		cJSON_Delete(answer);
	else
		*ret_result = answer;
	return r;
}
