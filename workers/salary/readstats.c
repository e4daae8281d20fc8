/* SPDX-License-Identifier: MIT */
#include "workers/salary/readstats.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "common/base/scan.h"
#include "common/store/redis.h"

#define HOUR_US (INT64_C(3600) * 1000000)

static const char ALL_HOURS[] =
	"local all = {}"
	" for i, key in ipairs(KEYS) do all[i] = redis.call('HGETALL', key) end"
	" return all";

static void add_of(struct readstats *stats, enum strategy s, const char *what, int64_t n)
{
	int bucket;

	for (int o = 0; o < READ_OUTCOME_COUNT; o++)
		if (strcmp(what, read_outcome_name((enum read_outcome)o)) == 0)
			stats->outcomes[s][o] += n;
	if (*what == 't' && scan_int(what + 1, 0, READS_BUCKETS - 1, &bucket, NULL) == 0)
		stats->times[s][bucket] += n;
}

static void add(struct readstats *stats, const char *field, const char *value)
{
	int64_t n;

	if (scan_int64(value, 0, INT64_MAX / READS_BUCKETS, &n, NULL) < 0)
		return;
	if (strcmp(field, "dropped") == 0)
		stats->dropped += n;
	for (int s = 0; s < STRATEGY_COUNT; s++) {
		size_t len = strlen(strategy_name((enum strategy)s));

		if (strncmp(field, strategy_name((enum strategy)s), len) == 0 && field[len] == ':')
			add_of(stats, (enum strategy)s, field + len + 1, n);
	}
}

static void add_hour(struct readstats *stats, const struct redis_reply *hash)
{
	for (size_t i = 0; hash->type == REDIS_ARRAY && i + 1 < hash->nitems; i += 2)
		if (hash->items[i]->type == REDIS_STRING &&
		    hash->items[i + 1]->type == REDIS_STRING)
			add(stats, hash->items[i]->str, hash->items[i + 1]->str);
}

int readstats_load(struct redis *redis, const struct conf *conf, int64_t now_us,
		   struct readstats *ret, struct err *e)
{
	char keys[READS_STATS_HOURS][READS_KEY_SIZE];
	const char *words[READS_STATS_HOURS];
	size_t lens[READS_STATS_HOURS];
	struct redis_reply *reply = NULL;
	struct readstats stats = { 0 };
	int r;

	for (int i = 0; i < READS_STATS_HOURS; i++) {
		reads_stats_key(conf, now_us / HOUR_US - i, keys[i]);
		words[i] = keys[i];
		lens[i] = strlen(keys[i]);
	}
	r = redis_eval(redis, ALL_HOURS, READS_STATS_HOURS, words, lens, READS_STATS_HOURS, &reply,
		       e);
	for (size_t i = 0; r >= 0 && reply->type == REDIS_ARRAY && i < reply->nitems; i++)
		add_hour(&stats, reply->items[i]);
	redis_reply_free(reply);
	if (r >= 0)
		*ret = stats;
	return r < 0 ? r : 0;
}

static bool counts(int i, enum strategy s)
{
	return s == STRATEGY_COUNT || (int)s == i;
}

int64_t readstats_hits(const struct readstats *stats, enum strategy s)
{
	int64_t n = 0;

	for (int i = 0; i < STRATEGY_COUNT; i++)
		if (counts(i, s))
			n += stats->outcomes[i][READ_HIT] + stats->outcomes[i][READ_STALE];
	return n;
}

int64_t readstats_misses(const struct readstats *stats, enum strategy s)
{
	int64_t n = 0;

	for (int i = 0; i < STRATEGY_COUNT; i++)
		if (counts(i, s))
			n += stats->outcomes[i][READ_MISS];
	return n;
}

static int64_t in_bucket(const struct readstats *stats, enum strategy s, int bucket)
{
	int64_t n = 0;

	for (int i = 0; i < STRATEGY_COUNT; i++)
		if (counts(i, s))
			n += stats->times[i][bucket];
	return n;
}

int64_t readstats_timed(const struct readstats *stats, enum strategy s)
{
	int64_t n = 0;

	for (int b = 0; b < READS_BUCKETS; b++)
		n += in_bucket(stats, s, b);
	return n;
}

double readstats_ms(const struct readstats *stats, enum strategy s, double share)
{
	int64_t all = readstats_timed(stats, s), seen = 0;
	int b = 0;

	if (all == 0)
		return 0;
	while (b < READS_BUCKETS - 1 &&
	       (double)(seen += in_bucket(stats, s, b)) < share * (double)all)
		b++;
	return reads_bucket_us(b) / 1000;
}
