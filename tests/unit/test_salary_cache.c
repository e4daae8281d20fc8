/* SPDX-License-Identifier: MIT */
/* Entries as bytes, and documents on a real Redis and PostgreSQL; the clock is ours.
 * services: shared
 * timeout: 60 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants the above first */
#include <cmocka.h>
#include <xxhash.h>
#include <zdict.h>
#include <zstd.h>

#include "tests/unit/handler_bed.h"
#include "workers/salary/cache.h"
#include "workers/salary/cacheentry.h"

#define NOW INT64_C(1795219200)
#define KEY "salary_data:new_york:software_engineer:ny:us:any:any:any:latest"
#define ROWS "[{\"median_salary\": 163530.00, \"year\": 2025}]"

static const struct cacheentry_head HEAD = { NOW, NOW + 3600, NOW + 7200 };
static const struct cache_life HOUR = { 3600, 7200 };

/* ---- bytes ---- */

static void an_entry_comes_back_as_it_was_packed_or_not(void **state)
{
	static const char TEXT[] = "[{\"count\":1},[{\"median_salary\":1.10}]]";

	(void)state;
	for (int compress = 0; compress < 2; compress++) {
		struct cacheentry_head head;
		size_t n, len = 0;
		char *bytes = cacheentry_pack(&HEAD, TEXT, strlen(TEXT), compress, &n);
		char *text = cacheentry_unpack(bytes, n, &head, &len);

		assert_non_null(text);
		assert_string_equal(text, TEXT);
		assert_int_equal(len, strlen(TEXT));
		assert_memory_equal(&head, &HEAD, sizeof head);
		assert_int_equal(bytes[3], compress ? 'd' : 'p');
		free(text);
		free(bytes);
	}
}

static void an_entry_with_any_byte_spoilt_is_none(void **state)
{
	struct cacheentry_head head;
	char *big = mem_zalloc(3000);
	size_t n, len;

	(void)state;
	snprintf(big, 3000, "[{\"count\":1},%s]", ROWS);
	memset(big + strlen(big), ' ', 2000);
	for (int compress = 0; compress < 2; compress++) {
		char *bytes = cacheentry_pack(&HEAD, big, strlen(big), compress, &n);

		for (size_t i = 0; i < n; i++)
			for (int bit = 0; bit < 8; bit++) {
				bytes[i] ^= (char)(1 << bit);
				assert_null(cacheentry_unpack(bytes, n, &head, &len));
				bytes[i] ^= (char)(1 << bit);
			}
		for (size_t i = 0; i < n; i++)
			assert_null(cacheentry_unpack(bytes, i, &head, &len));
		free(bytes);
	}
	free(big);
}

/* An entry of the given form with whatever stands in body, and the right checksum. */
static char *forge(char form, const void *body, size_t len, size_t *ret_len)
{
	XXH64_state_t *sum = XXH64_createState();
	XXH64_canonical_t hash;
	char *bytes;

	bytes = cacheentry_pack(&HEAD, "x", 1, false, ret_len);
	bytes = mem_realloc(bytes, CACHEENTRY_HEAD_BYTES + len);
	bytes[3] = form;
	memcpy(bytes + CACHEENTRY_HEAD_BYTES, body, len);
	XXH64_reset(sum, 0);
	XXH64_update(sum, bytes, 16);
	XXH64_update(sum, body, len);
	XXH64_canonicalFromHash(&hash, XXH64_digest(sum));
	XXH64_freeState(sum);
	memcpy(bytes + 16, &hash, sizeof hash);
	*ret_len = CACHEENTRY_HEAD_BYTES + len;
	return bytes;
}

static bool is_read(char form, const void *body, size_t len)
{
	struct cacheentry_head head;
	size_t n, text_len;
	char *bytes = forge(form, body, len, &n), *text;

	text = cacheentry_unpack(bytes, n, &head, &text_len);
	free(bytes);
	free(text);
	return text != NULL;
}

/* Some dictionary that is not ours, or not ours any more. */
static size_t other_dictionary(char *out, size_t room)
{
	char samples[40000];
	size_t sizes[1000], used = 0, n;

	for (unsigned i = 0; i < COUNT(sizes); i++) {
		sizes[i] = (size_t)snprintf(samples + used, sizeof samples - used,
					    "median %u of %u in %u, ", i * 7919, i % 13, i % 97);
		used += sizes[i];
	}
	n = ZDICT_trainFromBuffer(out, room, samples, sizes, COUNT(sizes));
	assert_false(ZDICT_isError(n));
	return n;
}

static void a_frame_of_another_dictionary_or_form_is_a_miss(void **state)
{
	static const char TEXT[] = "[{\"count\":1},[\"median 7919 of 1 in 1, \"]]";
	char frame[256], dictionary[4096];
	size_t n = ZSTD_compress(frame, sizeof frame, TEXT, strlen(TEXT), 3), size;
	ZSTD_CCtx *context = ZSTD_createCCtx();

	(void)state;
	assert_true(is_read('d', frame, n));
	assert_true(is_read('p', TEXT, strlen(TEXT)));
	assert_false(is_read('q', TEXT, strlen(TEXT)));
	assert_false(is_read('d', TEXT, strlen(TEXT)));
	assert_false(is_read('z', frame, n));
	size = other_dictionary(dictionary, sizeof dictionary);
	assert_int_not_equal(ZDICT_getDictID(dictionary, size), cacheentry_dictionary_id());
	n = ZSTD_compress_usingDict(context, frame, sizeof frame, TEXT, strlen(TEXT), dictionary,
				    size, 3);
	ZSTD_freeCCtx(context);
	assert_false(ZSTD_isError(n));
	assert_false(is_read('d', frame, n));
}

static void a_frame_that_states_a_huge_size_is_not_unpacked(void **state)
{
	size_t n = (size_t)CACHEENTRY_MAX_BYTES + 1;
	char *zeros = mem_zalloc(n), *frame = mem_alloc(ZSTD_compressBound(n));
	size_t len = ZSTD_compress(frame, ZSTD_compressBound(n), zeros, n, 1);

	(void)state;
	assert_false(is_read('d', frame, len));
	assert_null(cacheentry_pack(&HEAD, zeros, n, true, &len));
	assert_true(cacheentry_dictionary_id() > 0);
	free(zeros);
	free(frame);
}

/* ---- on Redis and PostgreSQL ---- */

static cJSON *meta_of(int64_t stored_at_s, int count)
{
	cJSON *meta = cJSON_CreateObject();

	json_set_num(meta, "stored_at", (double)stored_at_s);
	json_set_num(meta, "count", count);
	return meta;
}

static void put(const char *key, bool compress)
{
	struct err e = { 0 };
	cJSON *meta = meta_of(NOW, 1);

	bed_must(cache_put(bed.redis, key, meta, ROWS, NOW, HOUR, compress, &e), &e, "put");
	cJSON_Delete(meta);
}

static int get(int64_t now_s, int64_t max_age_s)
{
	struct cache_doc d;
	struct err e = { 0 };
	int r = cache_get(bed.redis, KEY, now_s, max_age_s, &d, &e);

	bed_must(r, &e, "get");
	if (r == CACHE_MISS)
		return r;
	assert_string_equal(d.rows, ROWS);
	assert_int_equal(d.stored_at_s, NOW);
	assert_int_equal(d.fresh_until_s, NOW + HOUR.fresh_s);
	assert_int_equal(d.keep_until_s, NOW + HOUR.keep_s);
	assert_true(d.size > CACHEENTRY_HEAD_BYTES);
	cache_doc_release(&d);
	return r;
}

static void an_entry_is_fresh_then_stale_then_gone_and_max_age_wins(void **state)
{
	(void)state;
	assert_int_equal(get(NOW, -1), CACHE_MISS);
	for (int compress = 0; compress < 2; compress++) {
		put(KEY, compress);
		assert_int_equal(get(NOW, -1), CACHE_FRESH);
		assert_int_equal(get(NOW + 3599, -1), CACHE_FRESH);
		assert_int_equal(get(NOW + 3600, -1), CACHE_STALE);
		assert_int_equal(get(NOW + 7199, -1), CACHE_STALE);
		assert_int_equal(get(NOW + 7200, -1), CACHE_MISS);
		assert_int_equal(get(NOW, 0), CACHE_MISS);
		assert_int_equal(get(NOW + 59, 60), CACHE_FRESH);
		assert_int_equal(get(NOW + 60, 60), CACHE_MISS);
		assert_int_equal(get(NOW + 4000, 86400), CACHE_STALE);
		assert_int_equal(get(NOW + 4000, 4000), CACHE_MISS);
	}
}

static void what_is_no_entry_of_ours_is_a_miss(void **state)
{
	static const struct { const char *bytes; size_t len; } WRONG[] = {
		{ "", 0 }, { "x", 1 }, { "[{\"count\":1},[]]", 16 }, { "JC1p", 4 },
		{ "\x28\xb5\x2f\xfd\x20\x00\x01\x00\x00", 9 },
	};
	struct err e = { 0 };
	size_t n;
	char *bytes;

	(void)state;
	for (size_t i = 0; i < COUNT(WRONG); i++) {
		bed_must(redis_run(bed.redis, (const char *const[]){ "SET", KEY, WRONG[i].bytes },
				   (const size_t[]){ 3, strlen(KEY), WRONG[i].len }, 3, NULL, &e),
			 &e, "set");
		assert_int_equal(get(NOW, -1), CACHE_MISS);
	}
	static const char *const TEXTS[] = { "[]",	   "[1]", "[1,[]]", "[{},{}]",
					     "[{},[],[]]", "{}",  "nul" };
	for (size_t i = 0; i < COUNT(TEXTS); i++) {
		bytes = cacheentry_pack(&HEAD, TEXTS[i], strlen(TEXTS[i]), true, &n);
		bed_must(redis_run(bed.redis, (const char *const[]){ "SET", KEY, bytes },
				   (const size_t[]){ 3, strlen(KEY), n }, 3, NULL, &e),
			 &e, "set");
		free(bytes);
		assert_int_equal(get(NOW, -1), CACHE_MISS);
	}
}

static void what_is_put_back_keeps_its_times_and_never_hides_a_newer_entry(void **state)
{
	struct cache_doc d = { .meta = meta_of(NOW, 1),
			       .rows = mem_strdup(ROWS),
			       .stored_at_s = NOW,
			       .fresh_until_s = NOW + 3600,
			       .keep_until_s = NOW + 7200 };
	struct redis_reply *reply = NULL;
	struct err e = { 0 };

	(void)state;
	bed_must(cache_put_back(bed.redis, KEY, &d, NOW + 3000, true, &e), &e, "back");
	assert_int_equal(get(NOW + 3000, -1), CACHE_FRESH);
	assert_int_equal(get(NOW + 3600, -1), CACHE_STALE);
	bed_must(redis_cmd(bed.redis, &reply, &e, "TTL", KEY, NULL), &e, "ttl");
	assert_in_range(reply->integer, 4100, 4200);
	redis_reply_free(reply);
	put(KEY, true);
	mem_replace(&d.rows, mem_strdup("[\"older\"]"));
	bed_must(cache_put_back(bed.redis, KEY, &d, NOW + 3000, true, &e), &e, "back");
	assert_int_equal(get(NOW, -1), CACHE_FRESH);
	d.keep_until_s = NOW;
	bed_must(cache_put_back(bed.redis, "salary_data:over", &d, NOW, true, &e), &e, "back");
	bed_must(redis_cmd(bed.redis, &reply, &e, "EXISTS", "salary_data:over", NULL), &e,
		 "exists");
	assert_int_equal(reply->integer, 0);
	redis_reply_free(reply);
	cache_doc_release(&d);
}

static int get_tables(const char *key, int64_t now_s, int64_t max_age_s)
{
	struct cache_doc d;
	struct err e = { 0 };
	int r = cache_get_tables(bed.pg, CACHE_SALARY, key, now_s, max_age_s, &d, &e);

	bed_must(r, &e, "tables");
	if (r != CACHE_MISS) {
		assert_true(d.from_tables);
		assert_int_equal(d.stored_at_s, NOW);
		assert_int_equal(d.fresh_until_s, NOW + HOUR.fresh_s);
		cache_doc_release(&d);
	}
	return r;
}

static void the_tables_answer_as_long_as_redis_would_have(void **state)
{
	cJSON *meta = meta_of(NOW, 1);
	struct err e = { 0 };

	(void)state;
	bed_must(pg_begin(bed.pg, 0, &e), &e, "begin");
	free(bed_sql(
		"INSERT INTO salary_benchmarks (location, occupation, median_salary, data_source,"
		" year, cache_key) VALUES ('New York, NY', 'Software Engineer', 163530.00, 'bls',"
		" 2025, '" KEY "') RETURNING 1"));
	bed_must(cache_track(bed.pg, CACHE_SALARY, KEY, meta, HOUR, &e), &e, "track");
	bed_must(pg_commit(bed.pg, &e), &e, "commit");
	cJSON_Delete(meta);
	assert_int_equal(get_tables("salary_data:other", NOW, -1), CACHE_MISS);
	assert_int_equal(get_tables(KEY, NOW, -1), CACHE_FRESH);
	assert_int_equal(get_tables(KEY, NOW + 3600, -1), CACHE_STALE);
	assert_int_equal(get_tables(KEY, NOW + 7200, -1), CACHE_MISS);
	assert_int_equal(get_tables(KEY, NOW + 60, 60), CACHE_MISS);
	/* Redis lost the entry and a clean-up has seen it; the figures are no older for that */
	free(bed_sql("UPDATE salary_data_cache SET is_active = false RETURNING 1"));
	assert_int_equal(get_tables(KEY, NOW, -1), CACHE_FRESH);
	/* erased figures are no answer */
	free(bed_sql("DELETE FROM salary_benchmarks RETURNING 1"));
	assert_int_equal(get_tables(KEY, NOW, -1), CACHE_MISS);
}

static void a_negative_answer_is_an_answer(void **state)
{
	cJSON *meta = meta_of(NOW, 0);
	struct cache_doc d;
	struct err e = { 0 };

	(void)state;
	bed_must(cache_track(bed.pg, CACHE_SALARY, KEY, meta, HOUR, &e), &e, "track");
	bed_must(cache_put(bed.redis, KEY, meta, "[]", NOW, HOUR, true, &e), &e, "put");
	cJSON_Delete(meta);
	assert_int_equal(cache_get(bed.redis, KEY, NOW, -1, &d, &e), CACHE_FRESH);
	assert_string_equal(d.rows, "[]");
	cache_doc_release(&d);
	assert_int_equal(get_tables(KEY, NOW, -1), CACHE_FRESH);
}

static void a_row_of_another_program_is_no_answer(void **state)
{
	(void)state;
	free(bed_sql(
		"INSERT INTO salary_data_cache (cache_key, data_type, redis_key, expires_at, metadata)"
		" VALUES ('" KEY "', 'salary_data', '" KEY "', now() + interval '1 day',"
		" '{\"stored_at\": \"yesterday\", \"keep_seconds\": \"many\"}') RETURNING 1"));
	assert_int_equal(get_tables(KEY, NOW, -1), CACHE_MISS);
	free(bed_sql("UPDATE salary_data_cache SET metadata = '[]' RETURNING 1"));
	assert_int_equal(get_tables(KEY, NOW, -1), CACHE_MISS);
	free(bed_sql("UPDATE salary_data_cache SET metadata = NULL RETURNING 1"));
	assert_int_equal(get_tables(KEY, NOW, -1), CACHE_MISS);
}

#define ON_SERVICES(f) cmocka_unit_test_setup(f, bed_clean_before)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_entry_comes_back_as_it_was_packed_or_not),
		cmocka_unit_test(an_entry_with_any_byte_spoilt_is_none),
		cmocka_unit_test(
			a_frame_of_another_dictionary_or_form_is_a_miss),
		cmocka_unit_test(a_frame_that_states_a_huge_size_is_not_unpacked),
		ON_SERVICES(an_entry_is_fresh_then_stale_then_gone_and_max_age_wins),
		ON_SERVICES(what_is_no_entry_of_ours_is_a_miss),
		ON_SERVICES(what_is_put_back_keeps_its_times_and_never_hides_a_newer_entry),
		ON_SERVICES(the_tables_answer_as_long_as_redis_would_have),
		ON_SERVICES(a_negative_answer_is_an_answer),
		ON_SERVICES(a_row_of_another_program_is_no_answer),
	};

	return cmocka_run_group_tests_name("salary cache", tests, bed_start_alone, bed_stop);
}
