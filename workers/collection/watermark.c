/* SPDX-License-Identifier: MIT */
#include "workers/collection/watermark.h"

#include "common/base/clock.h"
#include "common/base/json.h"
#include "common/base/mem.h"
#include "common/store/pg.h"
#include "workers/collection/raw.h"

static cJSON *question(const struct source_ask *ask)
{
	cJSON *o = mem_check(cJSON_CreateObject());

	json_set_str(o, "query", ask->query);
	json_set_str(o, "location", ask->location);
	json_set_str(o, "board", ask->board);
	json_set_str(o, "country", ask->country);
	json_set_str(o, "language", ask->language);
	json_set_str(o, "employment_types", ask->employment_types);
	json_set_bool(o, "remote", ask->remote_only);
	return o;
}

void watermark_hash(const char *source, const struct source_ask *ask, char ret[WATERMARK_HASH])
{
	cJSON *o = question(ask);

	raw_query_hash(source, o, ret);
	cJSON_Delete(o);
}

int watermark_read(struct pg *p, const char *source, const struct source_ask *ask,
		   struct watermark *ret, struct err *e)
{
	char hash[WATERMARK_HASH];
	struct pg_rows *rows = NULL;
	int64_t n;

	watermark_hash(source, ask, hash);
	n = pg_run(p, "SELECT (extract(epoch FROM asked_at) * 1000000)::bigint,"
		   " (extract(epoch FROM succeeded_at) * 1000000)::bigint FROM"
		   " jobfleet.watermarks WHERE question = $1", PG_PARAMS(PG_TEXT(hash)), &rows, e);
	*ret = (struct watermark){ 0 };
	if (n > 0)
		*ret = (struct watermark){ pg_int(rows, 0, 0), pg_int(rows, 0, 1) };
	pg_rows_free(rows);
	return n < 0 ? (int)n : 0;
}

int watermark_write(struct pg *p, const char *source, const struct source_ask *ask, int64_t us,
		    bool succeeded, const char *run_id, struct err *e)
{
	char hash[WATERMARK_HASH], at[CLOCK_ISO_SIZE];
	cJSON *o = question(ask);
	char *asked = json_print(o);
	int64_t n;

	watermark_hash(source, ask, hash);
	clock_iso(us, at);
	n = pg_run(p, "INSERT INTO jobfleet.watermarks AS w (question, source, asked, asked_at,"
		   " succeeded_at, run_id) VALUES ($1, $2, $3::jsonb, $4::timestamptz,"
		   " CASE WHEN $6::bool THEN $4::timestamptz END, $5)"
		   " ON CONFLICT (question) DO UPDATE SET run_id = excluded.run_id,"
		   " asked_at = greatest(w.asked_at, excluded.asked_at),"
		   " succeeded_at = greatest(w.succeeded_at, excluded.succeeded_at)",
		   PG_PARAMS(PG_TEXT(hash), PG_TEXT(source), PG_TEXT(asked), PG_TEXT(at),
			     PG_TEXT(run_id), PG_TEXT(succeeded ? "t" : "f")), NULL, e);
	free(asked);
	cJSON_Delete(o);
	return n < 0 ? (int)n : 0;
}
