/* SPDX-License-Identifier: MIT */
#include "common/store/limiter.h"

#include <math.h>

#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/store/redis.h"

enum { BUCKETS = 64, NAME_BYTES = 128 };

/* The same arithmetic as reserve() below, in milliseconds. */
static const char SCRIPT[] =
	"local t = redis.call('TIME')\n"
	"local now = t[1] * 1000 + t[2] / 1000\n"
	"local gap, slack, most = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])\n"
	"local due = tonumber(redis.call('GET', KEYS[1]) or now)\n"
	"if due < now then due = now end\n"
	"local wait = due - slack - now\n"
	"if wait < 0 then wait = 0 end\n"
	"if wait > most then return {0, math.ceil(wait)} end\n"
	"due = due + gap\n"
	"redis.call('SET', KEYS[1], string.format('%.3f', due), 'PX', math.ceil(due - now) + 1000)\n"
	"return {1, math.ceil(wait)}\n";

/* What one process has of the fleet's rates while Redis is away. */
static struct bucket {
	char name[NAME_BYTES];
	double due_ms;			/* theoretical arrival time of the next event, monotonic */
} buckets[BUCKETS];

static struct bucket *find(const char *name)
{
	struct bucket *oldest = buckets;

	for (struct bucket *b = buckets; b < buckets + BUCKETS; b++) {
		if (strcmp(b->name, name) == 0)
			return b;
		if (b->due_ms < oldest->due_ms)
			oldest = b;
	}
	snprintf(oldest->name, sizeof oldest->name, "%s", name);
	oldest->due_ms = 0;
	return oldest;
}

static enum limiter_answer reserve(const char *name, double gap_ms, double slack_ms,
				   int64_t max_wait_ms, int64_t *ret_wait_ms)
{
	char key[NAME_BYTES];
	struct bucket *b;
	double now = (double)clock_mono_us() / 1000, due, wait;

	snprintf(key, sizeof key, "%s", name);
	b = find(key);
	due = fmax(b->due_ms, now);
	wait = fmax(due - slack_ms - now, 0);
	*ret_wait_ms = (int64_t)ceil(wait);
	if (wait > (double)max_wait_ms)
		return LIMITER_REFUSED;
	b->due_ms = due + gap_ms;
	return LIMITER_TAKEN;
}

static int ask_redis(struct redis *r, const char *key, double gap_ms, double slack_ms,
		     int64_t max_wait_ms, int64_t *ret_wait_ms)
{
	char gap[40], slack[40], most[40];
	const char *words[] = { key, gap, slack, most };
	struct redis_reply *reply = NULL;
	int answer = -1;

	snprintf(gap, sizeof gap, "%.6f", gap_ms);
	snprintf(slack, sizeof slack, "%.6f", slack_ms);
	snprintf(most, sizeof most, "%lld", (long long)max_wait_ms);
	if (redis_eval(r, SCRIPT, 1, words, NULL, COUNT(words), &reply, NULL) < 0)
		return -1;
	if (reply->type == REDIS_ARRAY && reply->nitems == 2 &&
	    reply->items[0]->type == REDIS_INTEGER && reply->items[1]->type == REDIS_INTEGER) {
		answer = (int)reply->items[0]->integer;
		*ret_wait_ms = reply->items[1]->integer;
	}
	redis_reply_free(reply);
	return answer;
}

enum limiter_answer limiter_take(struct redis *r, const char *prefix, const char *name,
				 double rate_per_s, int burst, int64_t max_wait_ms,
				 int64_t *ret_wait_ms, bool *ret_local)
{
	double gap_ms = rate_per_s > 0 ? 1000 / rate_per_s : 0;
	double slack_ms = gap_ms * (burst > 1 ? burst - 1 : 0);
	int answer = -1;

	if (ret_local)
		*ret_local = false;
	*ret_wait_ms = 0;
	if (rate_per_s <= 0)
		return LIMITER_TAKEN;
	if (r) {
		char *key = mem_printf("%slimit:%s", prefix, name);

		answer = ask_redis(r, key, gap_ms, slack_ms, max_wait_ms, ret_wait_ms);
		free(key);
	}
	if (answer >= 0)
		return answer ? LIMITER_TAKEN : LIMITER_REFUSED;
	if (ret_local)
		*ret_local = true;
	return reserve(name, gap_ms, slack_ms, max_wait_ms, ret_wait_ms);
}
