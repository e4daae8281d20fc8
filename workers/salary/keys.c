/* SPDX-License-Identifier: MIT */
#include "workers/salary/keys.h"

#include "common/base/err.h"
#include "common/base/mem.h"
#include "common/store/redis.h"

#define PATTERN_MAX 255
#define BATCH "500"

struct names {
	char **items;
	size_t count;
};

static int take_batch(const struct redis_reply *reply, char cursor[32], struct names *names,
		      struct err *e)
{
	const struct redis_reply *keys;

	if (reply->type != REDIS_ARRAY || reply->nitems != 2 ||
	    reply->items[0]->type != REDIS_STRING || reply->items[0]->len >= 32 ||
	    reply->items[1]->type != REDIS_ARRAY)
		return err_set(e, ERR_REDIS, "SCAN answered in an unknown form");
	memcpy(cursor, reply->items[0]->str, reply->items[0]->len + 1);
	keys = reply->items[1];
	for (size_t i = 0; i < keys->nitems && names->count < KEYS_MAX; i++)
		if (keys->items[i]->type == REDIS_STRING) {
			names->items = mem_realloc(names->items,
						   (names->count + 1) * sizeof *names->items);
			names->items[names->count++] = mem_strdup(keys->items[i]->str);
		}
	return 0;
}

static int collect(struct redis *redis, const char *pattern, struct names *names, struct err *e)
{
	char cursor[32] = "0";
	int r;

	do {
		struct redis_reply *reply = NULL;

		r = redis_cmd(redis, &reply, e, "SCAN", cursor, "MATCH", pattern, "COUNT", BATCH,
			      NULL);
		if (r >= 0)
			r = take_batch(reply, cursor, names, e);
		redis_reply_free(reply);
	} while (r >= 0 && strcmp(cursor, "0") != 0 && names->count < KEYS_MAX);
	return r;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

int keys_walk(struct redis *redis, const char *pattern,
	      int (*see)(void *ctx, const char *key, struct err *e), void *ctx, struct err *e)
{
	struct names names = { 0 };
	int r, shown = 0;

	if (!*pattern || strlen(pattern) > PATTERN_MAX)
		return err_set(e, ERR_INVALID,
			       "a key pattern has 1 to %d bytes, such as \"salary_data:*\"",
			       PATTERN_MAX);
	r = collect(redis, pattern, &names, e);
	if (r >= 0 && names.count > 1)
		qsort(names.items, names.count, sizeof *names.items, by_name);
	for (size_t i = 0; r >= 0 && i < names.count; i++) {
		if (i > 0 && strcmp(names.items[i], names.items[i - 1]) == 0)
			continue;
		r = see(ctx, names.items[i], e);
		shown++;
	}
	for (size_t i = 0; i < names.count; i++)
		free(names.items[i]);
	free(names.items);
	return r < 0 ? r : shown;
}
