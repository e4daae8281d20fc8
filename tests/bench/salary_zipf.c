/* SPDX-License-Identifier: MIT */
/* salary_zipf: the hit rate of the cache under callers of whom few ask for most, over weeks, with
 * the cache's own code on a real Redis and the clock in our hand.
 *
 * usage: salary_zipf PAIRS READS_A_DAY DAYS CALLS_A_DAY SEED      on JOBFLEET_REDIS_URL
 * Pairs of place and occupation are read by Zipf's law (exponent 1: the n-th is read 1/n as often
 * as the first), at times drawn evenly. A read is cache_get; a miss, and a stale answer once a
 * quarter of an hour, asks the sources if the day's calls allow: then one call is counted and the
 * answer put by cache_put with cache_life. Figures are of one release a year, which comes in the
 * middle of the days. A miss without a call left is answered from figures that ended: a miss all
 * the same. The first half of the days warms up; what is printed, one JSON line, is of the
 * second: share of reads answered from the cache (fresh or stale), of those stale, calls a day, and
 * reads that found the day's calls used up. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/base/conf.h"
#include "common/base/err.h"
#include "common/base/json.h"
#include "common/base/mem.h"
#include "common/base/scan.h"
#include "common/store/redis.h"
#include "workers/salary/cache.h"
#include "workers/salary/cachekey.h"

#define DAY_S INT64_C(86400)
#define BEGIN_S INT64_C(1795219200)
#define REVALIDATE_S 900
#define RELEASE_DAYS 365

struct world {
	struct redis *redis;
	double *upto;			/* share of the reads that go to the first n pairs */
	int64_t *asked_at;
	int pairs, reads_a_day, days, calls_a_day;
	uint64_t state;
	int64_t now_s;
	int calls_today;
};

struct tally {
	int64_t reads, hits, stale, calls, refused;
};

static struct err error;

static void check(int64_t r)
{
	if (r < 0) {
		fprintf(stderr, "salary_zipf: %s\n", error.msg);
		exit(1);
	}
}

static double draw(struct world *w)
{
	w->state ^= w->state << 13;
	w->state ^= w->state >> 7;
	w->state ^= w->state << 17;
	return (double)(w->state >> 11) / (double)(UINT64_C(1) << 53);
}

static void make_shares(struct world *w)
{
	double sum = 0;

	w->upto = mem_zalloc((size_t)w->pairs * sizeof *w->upto);
	w->asked_at = mem_zalloc((size_t)w->pairs * sizeof *w->asked_at);
	for (int i = 0; i < w->pairs; i++)
		w->upto[i] = sum += 1.0 / (i + 1);
	for (int i = 0; i < w->pairs; i++)
		w->upto[i] /= sum;
}

static int draw_pair(struct world *w)
{
	double share = draw(w);
	int low = 0, high = w->pairs - 1;

	while (low < high) {
		int middle = (low + high) / 2;

		if (w->upto[middle] < share)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* As cache_freshness judges OEWS. */
static double freshness(const struct world *w)
{
	double age = (double)RELEASE_DAYS - w->days / 2 + (double)((w->now_s - BEGIN_S) / DAY_S);

	return 1 - (age < RELEASE_DAYS ? age : age - RELEASE_DAYS) / RELEASE_DAYS;
}

static void ask_sources(struct world *w, int pair, const char *key, struct tally *t)
{
	static const char ROWS[] = "[{\"median_salary\": 163530.00}]";
	struct cache_life life = cache_life(STRATEGY_STANDARD, CACHE_SALARY, CACHE_FIGURES,
					    freshness(w), key, w->now_s);
	cJSON *meta;

	if (w->calls_today >= w->calls_a_day) {
		t->refused++;
		return;
	}
	w->calls_today++;
	t->calls++;
	w->asked_at[pair] = w->now_s;
	meta = mem_check(cJSON_CreateObject());
	json_set_num(meta, "stored_at", (double)w->now_s);
	check(cache_put(w->redis, key, meta, ROWS, w->now_s, life, true, &error));
	cJSON_Delete(meta);
}

static void read_once(struct world *w, struct tally *t)
{
	int64_t limit_s = cache_age_limit_s(STRATEGY_STANDARD, CACHE_SALARY, -1);
	int pair = draw_pair(w), answer;
	char key[CACHEKEY_SIZE];
	struct cache_doc doc;

	snprintf(key, sizeof key, "salary_data:zipf_%d:any:us:us:any:any:any:latest", pair);
	answer = cache_get(w->redis, key, w->now_s, limit_s, &doc, &error);
	check(answer);
	if (answer != CACHE_MISS)
		cache_doc_release(&doc);
	t->reads++;
	t->hits += answer != CACHE_MISS;
	t->stale += answer == CACHE_STALE;
	if (answer == CACHE_MISS ||
	    (answer == CACHE_STALE && w->now_s - w->asked_at[pair] >= REVALIDATE_S))
		ask_sources(w, pair, key, t);
}

static void run_days(struct world *w, int from, int to, struct tally *t)
{
	for (int day = from; day < to; day++) {
		w->calls_today = 0;
		for (int i = 0; i < w->reads_a_day; i++) {
			w->now_s = BEGIN_S + day * DAY_S + i * DAY_S / w->reads_a_day;
			read_once(w, t);
		}
	}
}

static void clear(struct world *w)
{
	char key[CACHEKEY_SIZE];

	for (int pair = 0; pair < w->pairs; pair++) {
		snprintf(key, sizeof key, "salary_data:zipf_%d:any:us:us:any:any:any:latest", pair);
		check(redis_cmd(w->redis, NULL, &error, "DEL", key, NULL));
	}
}

int main(int argc, char **argv)
{
	struct world w = { 0 };
	struct tally warming = { 0 }, t = { 0 };
	struct conf *conf;
	int64_t seed;
	int half;

	if (argc != 6 || scan_int(argv[1], 1, 1000000, &w.pairs, &error) < 0 ||
	    scan_int(argv[2], 1, 10000000, &w.reads_a_day, &error) < 0 ||
	    scan_int(argv[3], 2, 1000, &w.days, &error) < 0 ||
	    scan_int(argv[4], 1, 1000000, &w.calls_a_day, &error) < 0 ||
	    scan_int64(argv[5], 1, INT64_MAX, &seed, &error) < 0) {
		fprintf(stderr, "usage: salary_zipf PAIRS READS_A_DAY DAYS CALLS_A_DAY SEED\n");
		return 100;
	}
	check(conf_load(&conf, getenv("JOBFLEET_CONFIG"), &error));
	check(redis_open(&w.redis, conf->fleet.redis_url, 5000, &error));
	w.state = (uint64_t)seed;
	make_shares(&w);
	clear(&w);
	half = w.days / 2;
	run_days(&w, 0, half, &warming);
	run_days(&w, half, w.days, &t);
	printf("{\"seed\": %" PRId64 ", \"pairs\": %d, \"reads\": %" PRId64 ", \"hit_rate\": %.4f,"
	       " \"stale\": %.4f, \"calls_a_day\": %.1f, \"refused\": %" PRId64
	       ", \"warming_hit_rate\": %.4f}\n",
	       seed, w.pairs, t.reads, (double)t.hits / (double)t.reads,
	       (double)t.stale / (double)t.reads, (double)t.calls / (w.days - half), t.refused,
	       (double)warming.hits / (double)warming.reads);
	clear(&w);
	redis_close(w.redis);
	conf_close(conf);
	free(w.upto);
	free(w.asked_at);
	return 0;
}
