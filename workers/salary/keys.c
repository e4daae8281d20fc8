/* SPDX-License-Identifier: MIT */
#include "workers/salary/keys.h"

#include <fnmatch.h>
#include <string.h>

#include "common/base/err.h"
#include "common/base/json.h"
#include "common/base/mem.h"
#include "common/store/redis.h"

#define PATTERN_MAX 255
#define STRING_OF(number) #number
#define TEXT_OF(number) STRING_OF(number)

static bool is_closed(const char *pattern)
{
	bool open = false;

	for (const char *p = pattern; *p; p++) {
		if (*p == '\\' && !*++p)
			return false;
		if (*p == '[')
			open = true;
		else if (*p == ']')
			open = false;
	}
	return !open;
}

int keys_check_pattern(const char *pattern, struct err *e)
{
	size_t len = strlen(pattern);

	if (len == 0 || len > PATTERN_MAX)
		return err_set(e, ERR_INVALID,
			       "cache_pattern has 1 to %d bytes, such as \"salary_data:new_york:*\"",
			       PATTERN_MAX);
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)pattern[i] < ' ' || pattern[i] == 0x7f)
			return err_set(e, ERR_INVALID,
				       "cache_pattern has a control character at byte %zu", i);
	if (!is_closed(pattern))
		return err_set(e, ERR_INVALID, "cache_pattern \"%.60s\" is not closed: \"[\" wants "
			       "\"]\", \"\\\" a character", pattern);
	return 0;
}

bool keys_match(const char *pattern, const char *key)
{
	return fnmatch(pattern, key, 0) == 0;
}

static int show(const struct redis_reply *keys,
		int (*see)(void *ctx, const char *const *keys, size_t n, struct err *e), void *ctx,
		struct err *e)
{
	const char **names = mem_alloc((keys->nitems + 1) * sizeof *names);
	size_t n = 0;
	int r = 0;

	for (size_t i = 0; i < keys->nitems; i++)
		if (keys->items[i]->type == REDIS_STRING)
			names[n++] = keys->items[i]->str;
	if (n > 0)
		r = see(ctx, names, n, e);
	free(names);
	return r;
}

static bool is_batch(const struct redis_reply *reply)
{
	return reply->type == REDIS_ARRAY && reply->nitems == 2 &&
		reply->items[0]->type == REDIS_STRING && reply->items[0]->len < 32 &&
		reply->items[1]->type == REDIS_ARRAY;
}

int keys_scan(struct redis *redis, const char *pattern,
	      int (*see)(void *ctx, const char *const *keys, size_t n, struct err *e), void *ctx,
	      struct err *e)
{
	char cursor[32] = "0";
	int r;

	do {
		struct redis_reply *reply = NULL;

		r = redis_cmd(redis, &reply, e, "SCAN", cursor, "MATCH", pattern, "COUNT",
			      TEXT_OF(KEYS_BATCH), NULL);
		if (r >= 0 && !is_batch(reply))
			r = err_set(e, ERR_REDIS, "SCAN answered in an unknown form");
		if (r >= 0) {
			snprintf(cursor, sizeof cursor, "%s", reply->items[0]->str);
			r = show(reply->items[1], see, ctx, e);
		}
		redis_reply_free(reply);
	} while (r >= 0 && strcmp(cursor, "0") != 0);
	return r < 0 ? r : 0;
}

int keys_eval(struct redis *redis, const char *script, const char *const *keys, size_t n,
	      struct redis_reply **ret, struct err *e)
{
	size_t *lens = mem_alloc((n + 1) * sizeof *lens);
	struct redis_reply *reply = NULL;
	int r;

	for (size_t i = 0; i < n; i++)
		lens[i] = strlen(keys[i]);
	r = redis_eval(redis, script, n, keys, lens, n, &reply, e);
	free(lens);
	if (r >= 0 && (reply->type != REDIS_ARRAY || reply->nitems != n))
		r = err_set(e, ERR_REDIS, "a script answered in an unknown form");
	if (r >= 0)
		*ret = reply;
	else
		redis_reply_free(reply);
	return r;
}

static const char HEADS[] =
	"local heads = {}"
	" for i, key in ipairs(KEYS) do"
	"  local head = redis.pcall('GETRANGE', key, 0, " TEXT_OF(KEYS_HEAD_BYTES) " - 1)"
	"  heads[i] = type(head) == 'string' and head or '' end"
	" return heads";

int keys_heads(struct redis *redis, const char *const *keys, size_t n, struct redis_reply **ret,
	       struct err *e)
{
	struct redis_reply *reply = NULL;
	int r = keys_eval(redis, HEADS, keys, n, &reply, e);

	for (size_t i = 0; r >= 0 && i < n; i++)
		if (reply->items[i]->type != REDIS_STRING)
			r = err_set(e, ERR_REDIS, "a script answered in an unknown form");
	if (r >= 0)
		*ret = reply;
	else
		redis_reply_free(reply);
	return r;
}

char *keys_json(const char *const *keys, size_t n)
{
	cJSON *list = mem_check(cJSON_CreateArray());
	char *text;

	for (size_t i = 0; i < n; i++)
		cJSON_AddItemToArray(list, mem_check(cJSON_CreateString(keys[i])));
	text = json_print(list);
	cJSON_Delete(list);
	return text;
}
