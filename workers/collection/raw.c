/* SPDX-License-Identifier: MIT */
#include "workers/collection/raw.h"

#include <ctype.h>
#include <openssl/evp.h>
#include <utf8proc.h>
#include <zstd.h>
#include <zstd_errors.h>

#include "common/base/buf.h"
#include "common/base/clock.h"
#include "common/base/err.h"
#include "common/base/json.h"
#include "common/base/mem.h"
#include "common/base/raw.h"
#include "common/store/pg.h"

enum { PACK_LEVEL = 3, TREE_BYTES = 1 << 20, UNCHANGED = 304 };

static const char SQL_INSERT[] =
	"INSERT INTO public.raw_job_collections (collection_id, timestamp, api_provider, query_params,"
	" query_hash, raw_response, raw_body, content_type, http_status, metadata, error_info, run_id,"
	" is_demo) VALUES ($1::uuid, $2::timestamptz, $3, $4::jsonb, $5, $6::jsonb, $7, nullif($8, ''),"
	" nullif($9::int, 0), $10::jsonb, $11::jsonb, $12, $13::bool)"
	" ON CONFLICT (collection_id) DO NOTHING";

static bool is_utf8(const char *s, size_t len)
{
	const utf8proc_uint8_t *p = (const utf8proc_uint8_t *)s;

	while (len > 0) {
		utf8proc_int32_t cp;
		utf8proc_ssize_t n =
			utf8proc_iterate(p, (utf8proc_ssize_t)(len < 8 ? len : 8), &cp);

		if (n <= 0)
			return false;
		p += n;
		len -= (size_t)n;
	}
	return true;
}

struct shape {
	int depth;			/* deepest nesting */
	bool nul;			/* \u0000 inside a string */
};

/* Brackets and escapes only: enough to keep a parser's stack out of a peer's hands. */
static struct shape shape_of(const char *s, size_t len)
{
	struct shape shape = { 0 };
	bool in_string = false;
	int depth = 0;

	for (size_t i = 0; i < len; i++) {
		if (in_string && s[i] == '\\') {
			shape.nul |= len - i >= 6 && memcmp(s + i, "\\u0000", 6) == 0;
			i++;
		} else if (s[i] == '"') {
			in_string = !in_string;
		} else if (!in_string && (s[i] == '[' || s[i] == '{')) {
			if (++depth > shape.depth)
				shape.depth = depth;
		} else if (!in_string && (s[i] == ']' || s[i] == '}')) {
			depth--;
		}
	}
	return shape;
}

/* A large body is walked, not parsed: its tree would be many times its size. */
static int check_json(const char *s, size_t len, char *ret_detail, size_t size)
{
	struct err e = { 0 };
	cJSON *parsed = NULL;
	struct raw whole;
	size_t bad = 0;
	int r = 0;

	if (len <= TREE_BYTES)
		r = json_parse(s, len, &parsed, &e);
	else if (!raw_whole(s, len, &whole, &bad))
		r = err_set(&e, ERR_PROTOCOL, "not valid JSON at byte %zu", bad);
	if (r < 0 && ret_detail)
		snprintf(ret_detail, size, "%s", e.msg);
	cJSON_Delete(parsed);
	return r;
}

const char *raw_unfit(const void *body, size_t len, bool complete, char *ret_detail, size_t size)
{
	const char *s = body;
	size_t start = 0;
	struct shape shape;

	if (ret_detail && size)
		*ret_detail = '\0';
	while (start < len && isspace((unsigned char)s[start]))
		start++;
	if (start == len)
		return "no_body";
	if (s[start] == '<')
		return "html";
	if (!complete)
		return "cut_off";
	if (memchr(s, 0, len))
		return "nul";
	shape = shape_of(s, len);
	if (shape.depth > RAW_DEPTH)
		return "too_deep";
	if (!is_utf8(s, len))
		return "not_utf8";
	if (check_json(s, len, ret_detail, size) < 0)
		return "not_json";
	return shape.nul ? "nul" : NULL;
}

void raw_pack(const void *body, size_t len, void **ret, size_t *ret_len)
{
	size_t bound = ZSTD_compressBound(len), n;
	void *packed = mem_alloc(bound);

	n = ZSTD_compress(packed, bound, body, len, PACK_LEVEL);
	mem_check(ZSTD_isError(n) ? NULL : packed);	/* with a full bound, only memory can fail */
	*ret = packed;
	*ret_len = n;
}

int raw_unpack(const void *packed, size_t len, size_t max, char **ret, size_t *ret_len,
	       struct err *e)
{
	unsigned long long size = ZSTD_getFrameContentSize(packed, len);
	char *body;
	size_t n;

	if (size == ZSTD_CONTENTSIZE_ERROR || size == ZSTD_CONTENTSIZE_UNKNOWN)
		return err_set(e, ERR_PROTOCOL, "the stored bytes are not zstd");
	if (size > max)
		return err_set(e, ERR_TOO_BIG, "the stored answer unpacks to %llu bytes, over %zu",
			       size, max);
	body = mem_alloc(size + 1);
	n = ZSTD_decompress(body, size, packed, len);
	mem_check(ZSTD_getErrorCode(n) == ZSTD_error_memory_allocation ? NULL : body);
	if (ZSTD_isError(n)) {
		free(body);
		return err_set(e, ERR_PROTOCOL, "zstd: %s", ZSTD_getErrorName(n));
	}
	body[n] = '\0';
	*ret = body;
	*ret_len = n;
	return 0;
}

static int by_name(const void *a, const void *b)
{
	return strcmp((*(const cJSON *const *)a)->string, (*(const cJSON *const *)b)->string);
}

void raw_query_hash(const char *provider, const cJSON *query, char ret[65])
{
	size_t n = (size_t)cJSON_GetArraySize(query), i = 0;
	const cJSON **items = mem_alloc(n * sizeof *items), *item;
	EVP_MD_CTX *md = mem_check(EVP_MD_CTX_new());
	unsigned char digest[32];

	cJSON_ArrayForEach(item, query)
		items[i++] = item;
	qsort(items, n, sizeof *items, by_name);
	EVP_DigestInit_ex(md, EVP_sha256(), NULL);
	EVP_DigestUpdate(md, provider, strlen(provider) + 1);
	for (i = 0; i < n; i++) {
		char *value = json_print(items[i]);

		EVP_DigestUpdate(md, items[i]->string, strlen(items[i]->string) + 1);
		EVP_DigestUpdate(md, value, strlen(value) + 1);
		free(value);
	}
	EVP_DigestFinal_ex(md, digest, NULL);
	EVP_MD_CTX_free(md);
	free(items);
	for (i = 0; i < sizeof digest; i++)
		snprintf(ret + 2 * i, 3, "%02x", digest[i]);
}

static char *error_text(const char *reason, const char *detail)
{
	cJSON *o = mem_check(cJSON_CreateObject());
	char *text;

	json_set_str(o, "reason", reason);
	if (*detail)
		json_set_str(o, "detail", detail);
	text = json_print(o);
	cJSON_Delete(o);
	return text;
}

/* reason NULL: the body goes in as jsonb. */
static int64_t insert(struct pg *p, const struct raw_taken *raw, const char *reason,
		      const char *detail, struct err *e)
{
	char *query = json_print(raw->query), *metadata = json_print(raw->metadata);
	/* A 304 has no body, and nothing is wrong with that. */
	char *error = reason && raw->http_status != UNCHANGED ? error_text(reason, detail) : NULL;
	const char *body = raw->body, *json = reason ? "{}" : body;
	char *copy = NULL, at[CLOCK_ISO_SIZE], hash[65];
	void *packed;
	size_t packed_len;
	int64_t n;

	if (!reason && body[raw->body_len] != '\0')
		json = copy = mem_dup(body, raw->body_len);
	clock_iso(raw->taken_us, at);
	raw_query_hash(raw->provider, raw->query, hash);
	raw_pack(raw->body, raw->body_len, &packed, &packed_len);
	n = pg_run(p, SQL_INSERT, PG_PARAMS(PG_TEXT(raw->id), PG_TEXT(at), PG_TEXT(raw->provider),
		   PG_TEXT(query), PG_TEXT(hash), PG_TEXT(json),
		   PG_BYTES(packed, packed_len), PG_TEXT(raw->content_type),
		   PG_INT(raw->http_status), PG_TEXT(metadata), PG_TEXT(error),
		   PG_TEXT(raw->run_id), PG_TEXT(raw->demo ? "t" : "f")), NULL, e);
	free(packed);
	free(copy);
	free(error);
	free(metadata);
	free(query);
	return n;
}

int raw_store(struct pg *p, const struct raw_taken *raw, struct err *e)
{
	char detail[256];
	const char *reason = raw_unfit(raw->body, raw->body_len, raw->complete, detail,
				       sizeof detail);
	int64_t n;

	if (reason)
		return (int)insert(p, raw, reason, detail, e);
	/* PostgreSQL has the last word on what jsonb is; its no must not cost the bytes. */
	if ((n = pg_run(p, "SAVEPOINT raw", NULL, 0, NULL, e)) < 0)
		return (int)n;
	n = insert(p, raw, NULL, "", e);
	if (n >= 0)
		return (int)n;
	if (n != -ERR_INVALID && n != -ERR_INTERNAL && n != -ERR_TOO_BIG)
		return (int)n;
	if (pg_run(p, "ROLLBACK TO SAVEPOINT raw", NULL, 0, NULL, e) < 0)
		return (int)n;
	return (int)insert(p, raw, "refused_by_jsonb", pg_sqlstate(p), e);
}

static char *id_array(const char (*ids)[UUID_SIZE], size_t n)
{
	struct buf b;

	buf_init(&b, n * UUID_SIZE + 2);
	buf_putc(&b, '{');
	for (size_t i = 0; i < n; i++)
		buf_printf(&b, "%s%s", i ? "," : "", ids[i]);
	buf_putc(&b, '}');
	return buf_take(&b);
}

static const char SQL_LOAD[] =
	"SELECT collection_id, coalesce(http_status, 0), coalesce(content_type, ''), raw_body,"
	" coalesce(error_info->>'reason', '') <> 'cut_off', metadata ? 'picked_up',"
	" metadata->>'response_headers' FROM public.raw_job_collections"
	" WHERE collection_id = ANY ($1::uuid[]) AND raw_body IS NOT NULL"
	"  AND (processing_status <> 'failed' OR collection_id = $2::uuid)"
	" ORDER BY processing_status = 'failed', timestamp LIMIT 1";

static int read_kept(const struct pg_rows *rows, size_t max, struct raw_kept *ret, struct err *e)
{
	struct raw_kept k = { .answer = { .status = (int)pg_int(rows, 0, 1) } };
	size_t len = 0, body_len = 0;
	char *packed = pg_bytea(rows, 0, 3, &len), *body = NULL;
	int r = raw_unpack(packed, len, max, &body, &body_len, e);

	free(packed);
	if (r < 0)
		return r;
	snprintf(k.id, sizeof k.id, "%s", pg_text(rows, 0, 0));
	snprintf(k.answer.content_type, sizeof k.answer.content_type, "%s", pg_text(rows, 0, 2));
	k.answer.complete = pg_bool(rows, 0, 4);
	k.picked_up = pg_bool(rows, 0, 5);
	buf_init(&k.answer.body, body_len);
	buf_append(&k.answer.body, body, body_len);
	free(body);
	buf_init(&k.answer.headers, strlen(pg_text(rows, 0, 6)));
	buf_puts(&k.answer.headers, pg_text(rows, 0, 6));
	*ret = k;
	return 1;
}

int raw_load(struct pg *p, const char (*ids)[UUID_SIZE], size_t n, size_t max,
	     struct raw_kept *ret, struct err *e)
{
	struct pg_rows *rows = NULL;
	char *list = id_array(ids, n);
	int64_t found =
		pg_run(p, SQL_LOAD, PG_PARAMS(PG_TEXT(list), PG_TEXT(ids[n - 1])), &rows, e);
	int r = found > 0 ? read_kept(rows, max, ret, e) : (int)found;

	free(list);
	pg_rows_free(rows);
	return r;
}

char *raw_headers(const struct http_response *r)
{
	struct buf b;

	buf_init(&b, r->headers.len + 1);
	for (const char *line = buf_text(&r->headers); *line;) {
		size_t len = strcspn(line, "\n");

		len += line[len] == '\n';
		if (strncasecmp(line, "Set-Cookie", 10) != 0)
			buf_append(&b, line, len);
		line += len;
	}
	return buf_take(&b);
}

int raw_settle(struct pg *p, const char *id, const char *status, const cJSON *metadata,
	       const cJSON *error, struct err *e)
{
	char *more = metadata ? json_print(metadata) : mem_strdup("{}");
	char *info = error ? json_print(error) : NULL;
	int64_t n = pg_run(p,
		"UPDATE public.raw_job_collections SET metadata = metadata || $2::jsonb,"
		" error_info = CASE WHEN $3::jsonb IS NULL THEN error_info"
		"  ELSE coalesce(error_info, '{}') || $3::jsonb END,"
		" processing_status = CASE WHEN processing_status = 'pending' THEN $4"
		"  ELSE processing_status END WHERE collection_id = $1::uuid",
		PG_PARAMS(PG_TEXT(id), PG_TEXT(more), PG_TEXT(info), PG_TEXT(status)), NULL, e);

	free(more);
	free(info);
	return n < 0 ? (int)n : 0;
}
