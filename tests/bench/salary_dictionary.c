/* SPDX-License-Identifier: MIT */
/* salary_dictionary: documents of the cache as fetch_salary_data makes them, to train its
 * dictionary on and to measure it.
 *
 * usage: salary_dictionary train DOCUMENTS FILE      trains, writes FILE
 *        salary_dictionary measure DOCUMENTS READS   one JSON line
 * on the database and Redis of JOBFLEET_DATABASE_URL and JOBFLEET_REDIS_URL, whose schema is there,
 * and the sources that the environment names. Requests are invented: a place, an occupation and
 * what narrows them, drawn in a fixed order. Every fourth pair of place and occupation is measured
 * and never trained on. measure prints the bytes of all documents plain, packed by zstd alone, and
 * as entries of the cache, and the times of READS reads of the cache, each of an entry drawn anew.
 * */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <zdict.h>
#include <zstd.h>

#include "common/base/clock.h"
#include "common/base/conf.h"
#include "common/base/err.h"
#include "common/base/json.h"
#include "common/base/mem.h"
#include "common/base/scan.h"
#include "common/base/uuid.h"
#include "common/store/redis.h"
#include "common/worker/run.h"
#include "workers/salary/cache.h"
#include "workers/salary/cacheentry.h"
#include "workers/salary/cachekey.h"
#include "workers/salary/fetch.h"

#define FETCH "backend.tasks.salary_data_tasks.fetch_salary_data"
#define SEED 20261122
#define DICTIONARY_BYTES (24 << 10)
#define DOCUMENTS_MAX 20000
#define READS_TAKEN_MAX 1000000
#define HELD_BACK 4			/* of so many pairs one is measured */
#define LEVEL_ALONE 12			/* as entries are packed */

struct documents {
	char *text;
	size_t used, *sizes, count;
	char (*keys)[CACHEKEY_SIZE];
};

static struct err error;

static void check(int64_t r)
{
	if (r < 0) {
		fprintf(stderr, "salary_dictionary: %s\n", error.msg);
		exit(1);
	}
}

static uint64_t draw(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

static const char *one_of(uint64_t *state, const char *const *list, size_t n)
{
	return list[draw(state) % n];
}
#define ONE_OF(state, list) one_of(state, list, COUNT(list))

/* The first city of a metro, or a state. */
static void draw_place(uint64_t *state, char out[96])
{
	uint64_t n = draw(state) % (AREA_METROS_COUNT + AREA_METROS_COUNT / 4);

	if (n < AREA_METROS_COUNT)
		snprintf(out, 96, "%.*s, %.2s", (int)strcspn(AREA_METROS[n].name, "-/"),
			 AREA_METROS[n].name, AREA_METROS[n].states);
	else
		snprintf(out, 96, "%s", AREA_STATES[n % AREA_STATES_COUNT].name);
}

static cJSON *draw_request(uint64_t *state, bool held_back)
{
	static const char *const EXPERIENCE[] = { "Entry", "Mid", "Senior", "Executive" };
	static const char *const EDUCATION[] = { "High School", "Bachelor's", "Master's" };
	static const char *const INDUSTRY[] = { "Technology", "Finance", "Healthcare", "Retail" };
	static const char *const STRATEGY[] = { "standard", "standard", "aggressive" };
	cJSON *args = mem_check(cJSON_CreateObject()), *o = mem_check(cJSON_CreateObject());
	char place[96];
	uint64_t occupation;

	do {
		draw_place(state, place);
		occupation = draw(state) % OCCUPATIONS_COUNT;
	} while (((strlen(place) + (unsigned char)place[1] + occupation) % HELD_BACK == 0) !=
		 held_back);
	json_set_str(o, "location", place);
	json_set_str(o, "occupation", OCCUPATIONS[occupation].soc);
	json_set_str(o, "cache_strategy", ONE_OF(state, STRATEGY));
	if (draw(state) % 4 == 0)
		json_set_str(o, "experience_level", ONE_OF(state, EXPERIENCE));
	if (draw(state) % 6 == 0)
		json_set_str(o, "education_level", ONE_OF(state, EDUCATION));
	if (draw(state) % 6 == 0)
		json_set_str(o, "industry", ONE_OF(state, INDUSTRY));
	json_set(args, "request_data", o);
	return args;
}

/* False for what nobody knows: a code that is no longer one, a city of no state. */
static bool fetch(const struct conf *conf, const cJSON *args, char key[CACHEKEY_SIZE])
{
	const struct task task = { .name = FETCH, .fn = fetch_salary_data };
	cJSON *result = NULL;
	char id[UUID_SIZE];
	struct run *run;
	int r;

	uuid_v4(id);
	check(run_open(&run, conf, &task, id, &error));
	r = fetch_salary_data(run, args, &result, &error);
	if (r < 0 && r != -ERR_NOT_FOUND && r != -ERR_INVALID)
		check(r);
	check(run_close(run, r >= 0, &error));
	snprintf(key, CACHEKEY_SIZE, "%s", json_str(result, "cache_key", ""));
	cJSON_Delete(result);
	return r >= 0;
}

static void add_document(struct documents *d, struct redis *redis, const char *key)
{
	struct redis_reply *reply = NULL;
	struct cacheentry_head head;
	size_t len = 0;
	char *text;

	check(redis_cmd(redis, &reply, &error, "GET", key, NULL));
	text = reply->type == REDIS_STRING ? cacheentry_unpack(reply->str, reply->len, &head, &len)
					   : NULL;
	redis_reply_free(reply);
	if (!text)
		return;
	d->text = mem_realloc(d->text, d->used + len);
	memcpy(d->text + d->used, text, len);
	d->used += len;
	snprintf(d->keys[d->count], CACHEKEY_SIZE, "%s", key);
	d->sizes[d->count++] = len;
	free(text);
}

/* Each answer is three documents: salary, market, confidence. */
static void make_documents(struct documents *d, const struct conf *conf, struct redis *redis,
			   size_t n, bool held_back)
{
	uint64_t state = SEED;
	char key[CACHEKEY_SIZE], other[CACHEKEY_SIZE + 32];

	d->keys = mem_zalloc((n + CACHE_KIND_COUNT) * sizeof *d->keys);
	d->sizes = mem_zalloc((n + CACHE_KIND_COUNT) * sizeof *d->sizes);
	while (d->count < n) {
		cJSON *args = draw_request(&state, held_back);
		bool fetched = fetch(conf, args, key);

		cJSON_Delete(args);
		for (int k = 0; fetched && k < CACHE_KIND_COUNT; k++) {
			snprintf(other, sizeof other, "%s%s", cache_kind_name((enum cache_kind)k),
				 strchr(key, ':'));
			other[CACHEKEY_SIZE - 1] = '\0';
			add_document(d, redis, other);
		}
	}
}

static void train(const struct documents *d, const char *path)
{
	char *bytes = mem_alloc(DICTIONARY_BYTES);
	size_t n = ZDICT_trainFromBuffer(bytes, DICTIONARY_BYTES, d->text, d->sizes,
					 (unsigned)d->count);
	FILE *f;

	if (ZDICT_isError(n)) {
		fprintf(stderr, "salary_dictionary: %s\n", ZDICT_getErrorName(n));
		exit(1);
	}
	f = fopen(path, "wb");
	if (!f || fwrite(bytes, 1, n, f) != n || fclose(f) != 0) {
		perror(path);
		exit(1);
	}
	printf("{\"documents\": %zu, \"bytes\": %zu, \"dictionary_bytes\": %zu, \"id\": %u}\n",
	       d->count, d->used, n, ZDICT_getDictID(bytes, n));
	free(bytes);
}

static size_t packed_alone(const char *text, size_t len)
{
	char *bytes = mem_alloc(ZSTD_compressBound(len));
	size_t n = ZSTD_compress(bytes, ZSTD_compressBound(len), text, len, LEVEL_ALONE);

	free(bytes);
	return n + CACHEENTRY_HEAD_BYTES;
}

static int by_size(const void *a, const void *b)
{
	const int64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* Nanoseconds would promise more than the clock has. */
static void time_reads(const struct documents *d, struct redis *redis, size_t reads)
{
	int64_t *us = mem_zalloc(reads * sizeof *us), now_s = clock_wall_ms() / 1000;
	clock_t cpu = clock();
	uint64_t state = SEED;

	for (size_t i = 0; i < reads; i++) {
		const char *key = d->keys[draw(&state) % d->count];
		int64_t start = clock_mono_us();
		struct cache_doc doc;
		int r = cache_get(redis, key, now_s, -1, &doc, &error);

		us[i] = clock_mono_us() - start;
		check(r);
		if (r != CACHE_MISS)
			cache_doc_release(&doc);
	}
	cpu = clock() - cpu;
	qsort(us, reads, sizeof *us, by_size);
	printf(", \"reads\": %zu, \"read_p50_us\": %" PRId64 ", \"read_p99_us\": %" PRId64
	       ", \"read_cpu_us\": %.1f",
	       reads, us[reads / 2], us[reads - 1 - reads / 100],
	       (double)cpu * 1e6 / CLOCKS_PER_SEC / (double)reads);
	free(us);
}

static void measure(const struct documents *d, struct redis *redis, size_t reads)
{
	struct cacheentry_head head = { 0 };
	size_t alone = 0, entries = 0, at = 0;

	for (size_t i = 0; i < d->count; i++) {
		size_t n = 0;

		alone += packed_alone(d->text + at, d->sizes[i]);
		free(cacheentry_pack(&head, d->text + at, d->sizes[i], true, &n));
		entries += n;
		at += d->sizes[i];
	}
	printf("{\"documents\": %zu, \"dictionary\": %u, \"plain\": %zu, \"zstd\": %zu,"
	       " \"entries\": %zu",
	       d->count, cacheentry_dictionary_id(), d->used, alone, entries);
	time_reads(d, redis, reads);
	printf("}\n");
}

int main(int argc, char **argv)
{
	struct documents d = { 0 };
	struct redis *redis;
	struct conf *conf;
	int n, reads = 0;
	bool training = argc == 4 && strcmp(argv[1], "train") == 0;

	if (argc != 4 || (!training && strcmp(argv[1], "measure") != 0) ||
	    scan_int(argv[2], 1, DOCUMENTS_MAX, &n, &error) < 0 ||
	    (!training && scan_int(argv[3], 1, READS_TAKEN_MAX, &reads, &error) < 0)) {
		fprintf(stderr, "usage: salary_dictionary train DOCUMENTS FILE\n"
				"       salary_dictionary measure DOCUMENTS READS\n");
		return 100;
	}
	check(conf_load(&conf, getenv("JOBFLEET_CONFIG"), &error));
	check(redis_open(&redis, conf->fleet.redis_url, 5000, &error));
	make_documents(&d, conf, redis, (size_t)n, !training);
	if (training)
		train(&d, argv[3]);
	else
		measure(&d, redis, (size_t)reads);
	redis_close(redis);
	conf_close(conf);
	free(d.text);
	free(d.sizes);
	free(d.keys);
	return 0;
}
