/* SPDX-License-Identifier: MIT */
#include "workers/processing/answer.h"

#include <ctype.h>
#include <zstd.h>

#include "common/base/err.h"
#include "common/base/json.h"
#include "common/base/mem.h"
#include "common/base/uuid.h"
#include "common/store/pg.h"
#include "sources/source.h"

int answer_open(struct answer *ret, struct pg *pg, const char *collection_id, struct err *e)
{
	struct pg_rows *rows = NULL;
	int64_t n;

	*ret = (struct answer){ 0 };
	if (!uuid_is_valid(collection_id))
		return err_set(e, ERR_INVALID, "collection_id is no uuid: \"%.60s\"",
			       collection_id);
	n = pg_run(pg,
		   "SELECT api_provider, processing_status, coalesce(query_params->>'country', ''),"
		   " coalesce(run_id, ''), (extract(epoch FROM timestamp) * 1000000)::bigint, "
		   "is_demo, query_params::text"
		   " FROM public.raw_job_collections WHERE collection_id = $1::uuid FOR UPDATE",
		   PG_PARAMS(PG_TEXT(collection_id)), &rows, e);
	if (n < 0)
		return (int)n;
	if (n == 0) {
		pg_rows_free(rows);
		return err_set(e, ERR_NOT_FOUND, "no collection %s", collection_id);
	}
	snprintf(ret->provider, sizeof ret->provider, "%s", pg_text(rows, 0, 0));
	snprintf(ret->status, sizeof ret->status, "%s", pg_text(rows, 0, 1));
	snprintf(ret->country, sizeof ret->country, "%.2s", pg_text(rows, 0, 2));
	ret->run_id = mem_strdup(pg_text(rows, 0, 3));
	ret->fetched_us = pg_int(rows, 0, 4);
	ret->is_demo = pg_bool(rows, 0, 5);
	ret->query = cJSON_Parse(pg_text(rows, 0, 6));
	ret->source = source_find(ret->provider);
	pg_rows_free(rows);
	return 0;
}

void answer_close(struct answer *a)
{
	free(a->run_id);
	free(a->text);
	cJSON_Delete(a->query);
	*a = (struct answer){ 0 };
}

static void refuse(struct answer *a, enum refusal_type type, const char *why)
{
	a->refusal.type = type;
	snprintf(a->refusal.message, sizeof a->refusal.message, "%s", why);
}

static bool is_surrogate(const char *p, const char *end, char first, const char *second)
{
	return end - p >= 6 && p[0] == '\\' && p[1] == 'u' &&
		tolower((unsigned char)p[2]) == first &&
		strchr(second, tolower((unsigned char)p[3])) && isxdigit((unsigned char)p[4]) &&
		isxdigit((unsigned char)p[5]);
}

/* A lone surrogate, which the parser refuses, and NUL, which PostgreSQL does, become U+FFFD. */
static void mend_escapes(char *text, size_t len)
{
	char *end = text + len;

	for (char *p = text; (p = memchr(p, '\\', (size_t)(end - p)));) {
		if (end - p < 2 || p[1] != 'u') {
			p += end - p < 2 ? 1 : 2;
		} else if (is_surrogate(p, end, 'd', "89ab") &&
			   is_surrogate(p + 6, end, 'd', "cdef")) {
			p += 12;
		} else {
			if (is_surrogate(p, end, 'd', "89abcdef") ||
			    (end - p >= 6 && memcmp(p + 2, "0000", 4) == 0))
				memcpy(p + 2, "fffd", 4);
			p += 2;
		}
	}
}

static void refuse_format(struct answer *a)
{
	a->refusal.type = REFUSAL_UNKNOWN_FORMAT;
	if (a->source)
		snprintf(a->refusal.message, sizeof a->refusal.message,
			 "The answer has no list of postings at %s", a->source->rows_at);
	else
		snprintf(a->refusal.message, sizeof a->refusal.message, "No source is called %.60s",
			 a->provider);
}

void answer_parse(struct answer *a, const char *text, size_t len)
{
	struct raw whole;
	size_t bad;

	a->bytes = len;
	a->text = mem_dup(text, len);
	mend_escapes(a->text, len);
	if (!raw_whole(a->text, len, &whole, &bad)) {
		a->refusal.type = REFUSAL_INVALID_JSON;
		snprintf(a->refusal.message, sizeof a->refusal.message,
			 len ? "not valid JSON at byte %zu" : "The answer is empty", bad);
		return;
	}
	if (a->source)
		a->rows = source_rows(a->source, whole);
	if (!a->rows.at)
		refuse_format(a);
}

/* -1: no zstd frame, or larger than allowed. */
static int64_t unpack(const void *packed, size_t n, char **ret_text)
{
	unsigned long long size = ZSTD_getFrameContentSize(packed, n);
	ZSTD_DStream *stream = mem_check(ZSTD_createDStream());
	ZSTD_inBuffer in = { packed, n, 0 };
	ZSTD_outBuffer out = { NULL, 0, 0 };
	size_t r = 1;

	out.size = size <= ANSWER_MAX_BYTES ? (size_t)size + 1 : size == ZSTD_CONTENTSIZE_UNKNOWN ?
		(size_t)ANSWER_MAX_BYTES + 1 : 0;
	out.dst = out.size ? mem_alloc(out.size) : NULL;
	while (r != 0 && !ZSTD_isError(r) && out.pos < out.size && (in.pos < in.size || r == 1))
		r = ZSTD_decompressStream(stream, &out, &in);
	ZSTD_freeDStream(stream);
	if (r != 0 || !out.dst) {
		free(out.dst);
		return -1;
	}
	*ret_text = out.dst;
	return (int64_t)out.pos;
}

static void parse_packed(struct answer *a, const void *packed, size_t n)
{
	char *text = NULL;
	int64_t len = unpack(packed, n, &text);

	if (len < 0)
		refuse(a, REFUSAL_TOO_LARGE,
		       "The stored bytes cannot be unpacked, or are more than 64 MiB");
	else
		answer_parse(a, text, (size_t)len);
	free(text);
}

int answer_read(struct answer *a, struct pg *pg, const char *collection_id, struct err *e)
{
	struct pg_rows *rows = NULL;
	int64_t r = pg_run(pg, "SELECT CASE WHEN raw_response <> '{}' THEN raw_response::text END,"
			   " CASE WHEN raw_response = '{}' THEN raw_body END"
			   " FROM public.raw_job_collections WHERE collection_id = $1::uuid",
			   PG_PARAMS(PG_TEXT(collection_id)), &rows, e);
	const char *text = r > 0 ? pg_cell(rows, 0, 0) : NULL;
	size_t n = 0;
	void *packed = r > 0 && !text ? pg_bytea(rows, 0, 1, &n) : NULL;

	if (text && strlen(text) > ANSWER_MAX_BYTES)
		refuse(a, REFUSAL_TOO_LARGE, "The answer is larger than 64 MiB");
	else if (text)
		answer_parse(a, text, strlen(text));
	else if (packed)
		parse_packed(a, packed, n);
	else if (r >= 0)
		refuse(a, REFUSAL_INVALID_JSON, "The answer is empty");
	free(packed);
	pg_rows_free(rows);
	return r < 0 ? (int)r : 0;
}
