/* SPDX-License-Identifier: MIT */
#include "workers/collection/fresh.h"

#include "common/base/err.h"
#include "common/base/mem.h"
#include "common/net/http.h"
#include "common/store/pg.h"
#include "workers/collection/raw.h"

/* The newest answer that was not judged a failure, and when it was last given or confirmed. */
#define NEWEST \
	"SELECT r.collection_id, r.metadata->>'response_headers', (SELECT max(c.timestamp)" \
	" FROM public.raw_job_collections c WHERE c.query_hash = $1 AND (c.http_status = 304 OR" \
	" c.collection_id = r.collection_id)) AS confirmed_at" \
	" FROM public.raw_job_collections r WHERE r.query_hash = $1 AND r.http_status = 200" \
	" AND r.processing_status <> 'failed' AND NOT r.is_demo AND r.raw_body IS NOT NULL" \
	" ORDER BY r.timestamp DESC LIMIT 1"

static const char SQL_FRESH[] =
	"SELECT collection_id FROM (" NEWEST ") n"
	" WHERE confirmed_at > now() - $2::bigint * interval '1 millisecond'";

int fresh_find(struct pg *p, const char *query_hash, int64_t max_age_ms, int64_t max_bytes,
	       struct raw_kept *ret, struct err *e)
{
	struct pg_rows *rows = NULL;
	char ids[1][UUID_SIZE] = { { 0 } };
	int64_t n = pg_run(p, SQL_FRESH, PG_PARAMS(PG_TEXT(query_hash), PG_INT(max_age_ms)), &rows,
			   e);

	if (n > 0)
		snprintf(ids[0], sizeof ids[0], "%s", pg_text(rows, 0, 0));
	pg_rows_free(rows);
	if (n <= 0)
		return (int)n;
	return raw_load(p, (const char (*)[UUID_SIZE])ids, 1, (size_t)max_bytes, ret, e);
}

static char *header_line(const char *lines, const char *name, const char *sent_as)
{
	struct http_response r = { 0 };
	char value[1024], *line = NULL;

	buf_init(&r.headers, strlen(lines) + 1);
	buf_puts(&r.headers, lines);
	if (http_header(&r, name, value, sizeof value) && *value)
		line = mem_printf("%s: %s", sent_as, value);
	buf_release(&r.headers);
	return line ? line : mem_strdup("");
}

int fresh_validators(struct pg *p, const char *query_hash, char **ret_etag, char **ret_modified,
		     char ret_id[37], struct err *e)
{
	struct pg_rows *rows = NULL;
	int64_t n = pg_run(p, NEWEST, PG_PARAMS(PG_TEXT(query_hash)), &rows, e);

	if (n > 0) {
		snprintf(ret_id, UUID_SIZE, "%s", pg_text(rows, 0, 0));
		*ret_etag = header_line(pg_text(rows, 0, 1), "ETag", "If-None-Match");
		*ret_modified = header_line(pg_text(rows, 0, 1), "Last-Modified",
					    "If-Modified-Since");
	}
	pg_rows_free(rows);
	return (int)n;
}
