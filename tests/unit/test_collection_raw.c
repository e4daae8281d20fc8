/* SPDX-License-Identifier: MIT */
/* raw and rawfile: every kind of body survives byte for byte, in the table and in a file.
 * Needs JOBFLEET_DATABASE_URL, an empty database.
 * services: shared */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <glob.h>

#include "common/base/clock.h"
#include "common/base/err.h"
#include "common/base/json.h"
#include "common/base/mem.h"
#include "common/store/migrate.h"
#include "common/store/pg.h"
#include "workers/collection/raw.h"
#include "workers/collection/rawfile.h"

#define ID_1 "11111111-1111-4111-8111-111111111111"
#define ID_2 "22222222-2222-4222-8222-222222222222"

static const char *url;
static struct pg *pg;
static char dir[64];

static int start(void **state)
{
	struct err e = { 0 };

	(void)state;
	if (pg_open(&pg, url, "test_raw", 5000, &e) < 0 ||
	    migrate_run(pg, "sql", NULL, NULL, &e) < 0)
		fail_msg("%s", e.msg);
	snprintf(dir, sizeof dir, "/tmp/jobfleet-raw-XXXXXX");
	assert_non_null(mkdtemp(dir));
	return 0;
}

static int stop(void **state)
{
	char *command = mem_printf("rm -rf %s", dir);
	int r = system(command);

	(void)state;
	free(command);
	pg_close(pg);
	return r;
}

static char *text_of(const char *sql, const char *id)
{
	struct pg_rows *rows = NULL;
	struct err e = { 0 };
	char *text;

	if (pg_run(pg, sql, PG_PARAMS(PG_TEXT(id)), &rows, &e) < 0)
		fail_msg("%s: %s", sql, e.msg);
	text = mem_strdup(pg_rows_count(rows) ? pg_text(rows, 0, 0) : "no row");
	pg_rows_free(rows);
	return text;
}

static void check_text(const char *sql, const char *id, const char *want)
{
	char *got = text_of(sql, id);

	assert_string_equal(got, want);
	free(got);
}

static struct raw_taken raw_of(const char *id, const void *body, size_t len, cJSON *query,
			 cJSON *metadata)
{
	struct raw_taken raw = {
		.taken_us = 1800000000000000,
		.provider = "jsearch",
		.run_id = "run-1",
		.query = query,
		.metadata = metadata,
		.content_type = "application/json",
		.http_status = 200,
		.body = body,
		.body_len = len,
		.complete = true,
	};

	snprintf(raw.id, sizeof raw.id, "%s", id);
	return raw;
}

static char *nested(int levels)
{
	char *text = mem_zalloc((size_t)levels * 2 + 1);

	memset(text, '[', (size_t)levels);
	memset(text + levels, ']', (size_t)levels);
	return text;
}

static int transact(const struct raw_taken *raw)
{
	struct err e = { 0 };
	int r;

	assert_int_equal(pg_begin(pg, 10000, &e), 0);
	r = raw_store(pg, raw, &e);
	if (r < 0)
		fail_msg("%s", e.msg);
	assert_int_equal(pg_commit(pg, &e), 0);
	return r;
}

static void every_body_is_kept_and_what_jsonb_refuses_is_named(void **state)
{
	static const struct {
		const char *body;
		size_t len;
		bool cut;
		const char *reason;
	} cases[] = {
		{ "{\"a\": 1.50, \"b\": \"\\u00e4\"}", 0, false, "" },
		{ " [1, 12345678901234567890.123456789]\n", 0, false, "" },
		{ "", 0, false, "no_body" },
		{ "  \n", 0, false, "no_body" },
		{ "<html>maintenance</html>", 0, false, "html" },
		{ "{\"a\": [1, 2", 0, true, "cut_off" },
		{ "{\"a\": [1, 2", 0, false, "not_json" },
		{ "{\"a\":\"x\\u0000y\"}", 0, false, "nul" },
		{ "{\"a\":\"x\\\\u0000y\"}", 0, false, "" },
		{ "{\"a\":\0\"x\"}", 9, false, "nul" },
		{ "{\"a\":\"Soci\xe9t\xe9\"}", 0, false, "not_utf8" },
		{ "{\"a\":\"\\ud800\"}", 0, false, "not_json" },
		{ "{\"a\":01}", 0, false, "refused_by_jsonb" },
		{ "{\"a\":\"tab\there\"}", 0, false, "refused_by_jsonb" },
		{ NULL, 0, false, "too_deep" },
	};
	cJSON *query = cJSON_Parse("{\"query\":\"x\"}"),
	      *metadata = cJSON_Parse("{\"job_count\":0}");

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		char *deep = cases[i].body ? NULL : nested(200000);
		const char *body = deep ? deep : cases[i].body;
		size_t len = cases[i].len ? cases[i].len : strlen(body);
		struct raw_taken raw = raw_of(ID_1, body, len, query, metadata);
		char ids[1][UUID_SIZE] = { ID_1 };
		struct raw_kept k;

		raw.complete = !cases[i].cut;
		assert_int_equal(transact(&raw), 1);
		check_text("SELECT coalesce(error_info->>'reason', '') FROM raw_job_collections"
			   " WHERE collection_id = $1::uuid", ID_1, cases[i].reason);
		check_text("SELECT raw_response = '{}' FROM raw_job_collections"
			   " WHERE collection_id = $1::uuid", ID_1, *cases[i].reason ? "t" : "f");
		assert_int_equal(raw_load(pg, (const char(*)[UUID_SIZE])ids, 1, 1 << 20, &k, NULL),
				 1);
		assert_int_equal(k.answer.body.len, len);
		assert_memory_equal(buf_text(&k.answer.body), body, len);
		assert_int_equal(k.answer.status, 200);
		assert_string_equal(k.answer.content_type, "application/json");
		assert_int_equal(k.answer.complete, !cases[i].cut);
		http_response_release(&k.answer);
		check_text("DELETE FROM raw_job_collections WHERE collection_id = $1::uuid"
			   " RETURNING is_demo", ID_1, "f");
		free(deep);
	}
	cJSON_Delete(query);
	cJSON_Delete(metadata);
}

static void the_same_id_is_stored_once(void **state)
{
	cJSON *query = cJSON_Parse("{\"query\":\"x\"}"), *metadata = cJSON_Parse("{}");
	struct raw_taken raw = raw_of(ID_1, "[1]", 3, query, metadata),
		   other = raw_of(ID_1, "[2]", 3, query, metadata);

	(void)state;
	raw.demo = true;
	assert_int_equal(transact(&raw), 1);
	assert_int_equal(transact(&other), 0);
	check_text(
		"SELECT raw_response::text || is_demo || run_id || api_provider FROM raw_job_collections"
		" WHERE collection_id = $1::uuid",
		ID_1, "[1]truerun-1jsearch");
	check_text("DELETE FROM raw_job_collections WHERE collection_id = $1::uuid RETURNING"
		   " to_char(timestamp AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS')", ID_1, "2027-01-15 08:00:00");
	cJSON_Delete(query);
	cJSON_Delete(metadata);
}

static void a_failed_answer_is_loaded_only_for_its_own_attempt(void **state)
{
	cJSON *query = cJSON_Parse("{}"),
	      *metadata = cJSON_Parse("{\"response_headers\":\"Retry-After: 9\\r\\n\"}");
	cJSON *error = cJSON_Parse("{\"class\":\"retry\"}");
	struct raw_taken raw = raw_of(ID_1, "no", 2, query, metadata);
	char own[1][UUID_SIZE] = { ID_1 }, later[2][UUID_SIZE] = { ID_1, ID_2 }, value[8];
	struct raw_kept k;

	(void)state;
	raw.http_status = 503;
	assert_int_equal(transact(&raw), 1);
	assert_int_equal(raw_settle(pg, ID_1, "failed", NULL, error, NULL), 0);
	check_text(
		"SELECT error_info->>'class' || ' ' || (error_info->>'reason') FROM raw_job_collections"
		" WHERE collection_id = $1::uuid",
		ID_1, "retry not_json");
	assert_int_equal(raw_load(pg, (const char (*)[UUID_SIZE])own, 1, 100, &k, NULL), 1);
	assert_int_equal(k.answer.status, 503);
	assert_true(http_header(&k.answer, "retry-after", value, sizeof value));
	assert_string_equal(value, "9");
	http_response_release(&k.answer);
	assert_int_equal(raw_load(pg, (const char (*)[UUID_SIZE])later, 2, 100, &k, NULL), 0);
	check_text("DELETE FROM raw_job_collections WHERE collection_id = $1::uuid RETURNING 1",
		   ID_1, "1");
	cJSON_Delete(query);
	cJSON_Delete(metadata);
	cJSON_Delete(error);
}

static void a_body_larger_than_the_limit_is_not_unpacked(void **state)
{
	char *body = mem_zalloc(100001), *out;
	void *packed;
	size_t packed_len, len;
	struct err e = { 0 };

	(void)state;
	memset(body, 'a', 100000);
	raw_pack(body, 100000, &packed, &packed_len);
	assert_true(packed_len < 1000);
	assert_int_equal(raw_unpack(packed, packed_len, 99999, &out, &len, &e), -ERR_TOO_BIG);
	assert_int_equal(raw_unpack(packed, packed_len, 100000, &out, &len, &e), 0);
	assert_int_equal(len, 100000);
	free(out);
	assert_int_equal(raw_unpack("junk", 4, 100, &out, &len, &e), -ERR_PROTOCOL);
	assert_int_equal(raw_unpack(packed, packed_len - 1, 100000, &out, &len, &e), -ERR_PROTOCOL);
	free(packed);
	free(body);
}

static void equal_questions_have_equal_hashes(void **state)
{
	cJSON *a = cJSON_Parse("{\"query\":\"x\",\"page\":\"1\"}"),
	      *b = cJSON_Parse("{\"page\":\"1\",\"query\":\"x\"}");
	cJSON *c = cJSON_Parse("{\"page\":\"2\",\"query\":\"x\"}");
	char ha[65], hb[65], hc[65], hd[65];

	(void)state;
	raw_query_hash("jsearch", a, ha);
	raw_query_hash("jsearch", b, hb);
	raw_query_hash("jsearch", c, hc);
	raw_query_hash("adzuna", a, hd);
	assert_int_equal(strlen(ha), 64);
	assert_string_equal(ha, hb);
	assert_string_not_equal(ha, hc);
	assert_string_not_equal(ha, hd);
	cJSON_Delete(a);
	cJSON_Delete(b);
	cJSON_Delete(c);
}

static void cookies_are_left_out_of_the_kept_headers(void **state)
{
	struct http_response r = { 0 };
	char *kept;

	(void)state;
	buf_init(&r.headers, 1000);
	buf_puts(&r.headers, "A: 1\r\nset-cookie: secret\r\nB: 2\r\n");
	kept = raw_headers(&r);
	assert_string_equal(kept, "A: 1\r\nB: 2\r\n");
	free(kept);
	buf_release(&r.headers);
}

static size_t count_files(const char *below)
{
	char *pattern = mem_printf("%s/raw_collections/%s", dir, below);
	glob_t found = { 0 };
	size_t n = glob(pattern, 0, NULL, &found) == 0 ? found.gl_pathc : 0;

	globfree(&found);
	free(pattern);
	return n;
}

static void a_copy_is_json_and_does_not_wait(void **state)
{
	cJSON *query = cJSON_Parse("{\"query\":\"x\"}"), *metadata = cJSON_Parse("{}"), *o;
	struct raw_taken raw = raw_of(ID_1, "{\"data\": [1.10]}", 16, query, metadata);
	char *path = mem_printf("%s/raw_collections/2027/01/16/jsearch_001.json", dir),
	     text[4096] = "";
	struct err e = { 0 };
	FILE *f;

	(void)state;
	raw.taken_us += 86400000000;
	if (rawfile_copy(dir, &raw, &e) < 0)
		fail_msg("%s", e.msg);
	f = fopen(path, "r");
	assert_non_null(f);
	assert_true(fread(text, 1, sizeof text - 1, f) > 0);
	fclose(f);
	o = cJSON_Parse(text);
	assert_true(json_bool(o, "in_database", false));
	assert_null(json_get(o, "raw_body"));
	assert_non_null(strstr(text, "\"raw_response\":{\"data\": [1.10]}"));
	assert_int_equal(count_files("waiting/*.json"), 0);
	cJSON_Delete(o);
	free(path);
	cJSON_Delete(query);
	cJSON_Delete(metadata);
}

static void a_file_gives_back_what_was_put_in(void **state)
{
	static const struct { const char *body; size_t len; const char *shown; } cases[] = {
		{ "{\"data\": [1.10]}", 15, "{\"data\": [1.10]}" },
		{ "<html>\xff\0</html>", 15, "{}" },
		{ "", 0, "{}" },
	};
	cJSON *query = cJSON_Parse("{\"query\":\"x\"}"), *metadata = cJSON_Parse("{\"attempt\":2}");
	char *path = NULL, **paths;
	size_t n;

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct raw_taken raw = raw_of(ID_1, cases[i].body, cases[i].len, query, metadata);
		struct rawfile f;
		struct err e = { 0 };
		char *want;

		assert_int_equal(rawfile_write(dir, &raw, &path, &e), 0);
		want = mem_printf("%s/raw_collections/2027/01/15/jsearch_%03zu.json", dir, i + 1);
		assert_string_equal(path, want);
		free(want);
		if (rawfile_read(path, 1000, &f, &e) < 0)
			fail_msg("%s", e.msg);
		assert_string_equal(f.raw.id, ID_1);
		assert_int_equal(f.raw.taken_us, raw.taken_us);
		assert_int_equal(f.raw.body_len, cases[i].len);
		assert_memory_equal(f.raw.body, cases[i].body, cases[i].len);
		assert_int_equal(f.raw.http_status, 200);
		assert_string_equal(f.raw.run_id, "run-1");
		assert_int_equal(json_int(f.raw.metadata, "attempt", 0), 2);
		rawfile_release(&f);
		free(path);
	}
	n = rawfile_list(dir, 2, &paths);
	assert_int_equal(n, 1);	/* one id, one time: one that waits */
	assert_int_equal(count_files("2027/01/15/*.json"), 3);
	assert_int_equal(rawfile_remove(paths[0], NULL), 0);
	assert_int_equal(rawfile_remove(paths[0], NULL), 0);
	assert_int_equal(count_files("2027/01/15/*.json"), 2);
	assert_int_equal(count_files("waiting/*.json"), 0);
	for (size_t i = 0; i < n; i++)
		free(paths[i]);
	free(paths);
	cJSON_Delete(query);
	cJSON_Delete(metadata);
}

static void put_file(const char *name, const char *text)
{
	char *path = mem_printf("%s/%s", dir, name);
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
	free(path);
}

static void files_that_are_not_ours_are_refused(void **state)
{
	static const char *const texts[] = {
		"", "{", "[]", "{\"collection_id\":\"../../etc\"}",
		"{\"collection_id\":\"" ID_1 "\",\"query_params\":{},\"metadata\":{},\"in_database\":true}",
		"{\"collection_id\":\"" ID_1 "\",\"query_params\":{},\"metadata\":{},\"in_database\":false,"
		"\"timestamp\":\"2027-01-15T08:00:00Z\",\"raw_body\":\"%%%\"}",
		"{\"collection_id\":\"" ID_1 "\",\"query_params\":{},\"metadata\":{},\"in_database\":false,"
		"\"timestamp\":\"then\",\"raw_body\":\"\"}",
	};
	char *path = mem_printf("%s/odd.json", dir), *link = mem_printf("%s/link.json", dir);
	struct rawfile f;
	struct err e = { 0 };

	(void)state;
	for (size_t i = 0; i < COUNT(texts); i++) {
		put_file("odd.json", texts[i]);
		assert_true(rawfile_read(path, 1000, &f, &e) < 0);
		assert_non_null(strstr(e.msg, "odd.json"));
	}
	assert_int_equal(symlink(path, link), 0);
	assert_int_equal(rawfile_read(link, 1000, &f, &e), -ERR_IO);
	free(path);
	free(link);
}

static void a_directory_that_cannot_be_made_is_an_error(void **state)
{
	cJSON *o = cJSON_Parse("{}");
	struct raw_taken raw = raw_of(ID_1, "[]", 2, o, o);
	char *path = NULL, *under;
	struct err e = { 0 };

	(void)state;
	put_file("plain", "");
	under = mem_printf("%s/plain", dir);
	assert_int_equal(rawfile_write(under, &raw, &path, &e), -ERR_IO);
	assert_null(path);
	free(under);
	cJSON_Delete(o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_body_is_kept_and_what_jsonb_refuses_is_named),
		cmocka_unit_test(the_same_id_is_stored_once),
		cmocka_unit_test(a_failed_answer_is_loaded_only_for_its_own_attempt),
		cmocka_unit_test(a_body_larger_than_the_limit_is_not_unpacked),
		cmocka_unit_test(equal_questions_have_equal_hashes),
		cmocka_unit_test(cookies_are_left_out_of_the_kept_headers),
		cmocka_unit_test(a_copy_is_json_and_does_not_wait),
		cmocka_unit_test(a_file_gives_back_what_was_put_in),
		cmocka_unit_test(files_that_are_not_ours_are_refused),
		cmocka_unit_test(a_directory_that_cannot_be_made_is_an_error),
	};

	url = getenv("JOBFLEET_DATABASE_URL");
	if (!url) {
		fprintf(stderr,
			"test_collection_raw: JOBFLEET_DATABASE_URL is not set; use tests/run\n");
		return 1;
	}
	return cmocka_run_group_tests(tests, start, stop);
}
