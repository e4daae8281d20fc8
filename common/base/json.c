/* SPDX-License-Identifier: MIT */
#include "common/base/json.h"

#include <ctype.h>
#include <math.h>

#include "common/base/err.h"
#include "common/base/mem.h"
#include "common/base/raw.h"
#include "common/base/scan.h"

/* cJSON itself answers NULL, which its readers cannot tell from malformed text and its writers take
 * for nothing to write. */
__attribute__((constructor)) static void end_without_memory(void)
{
	cJSON_InitHooks(&(cJSON_Hooks){ mem_alloc, free });
}

static const char *skip_space(const char *p, const char *end)
{
	while (p < end && (*p == ' ' || *p == '\t' || *p == '\n' || *p == '\r'))
		p++;
	return p;
}

static int malformed(struct err *e, const char *text, const char *at)
{
	return err_set(e, ERR_PROTOCOL, "not valid JSON at byte %zu", (size_t)(at - text));
}

int json_parse(const char *text, size_t len, cJSON **ret, struct err *e)
{
	const char *end = text;
	cJSON *v = cJSON_ParseWithLengthOpts(text, len, &end, 0);

	if (!v)
		return malformed(e, text, end ? end : text);
	if (skip_space(end, text + len) != text + len) {
		cJSON_Delete(v);
		return malformed(e, text, end);
	}
	*ret = v;
	return 0;
}

int json_split_array(const char *text, size_t len, char **ret_items, size_t max, struct err *e)
{
	struct raw whole = RAW_NONE, item;
	struct raw_walk w;
	size_t n = 0, bad;

	if (!raw_whole(text, len, &whole, &bad))
		return malformed(e, text, text + bad);
	w = raw_walk(whole);
	if (!raw_is_array(whole))
		return err_set(e, ERR_PROTOCOL, "not a JSON array");
	while (raw_next(&w, NULL, &item)) {
		if (n == max) {
			while (n > 0)
				free(ret_items[--n]);
			return err_set(e, ERR_PROTOCOL, "an array of more than %zu elements", max);
		}
		ret_items[n++] = raw_dup(item);
	}
	return (int)n;
}

int json_raw_member(const char *text, size_t len, const char *key, char **ret, struct err *e)
{
	struct raw whole = RAW_NONE, value;
	size_t bad;

	if (!raw_whole(text, len, &whole, &bad))
		return malformed(e, text, text + bad);
	if (!raw_is_object(whole))
		return err_set(e, ERR_PROTOCOL, "not a JSON object");
	value = raw_member(whole, key);
	if (!value.at)
		return 0;
	*ret = raw_dup(value);
	return 1;
}

char *json_print(const cJSON *value)
{
	return mem_check(cJSON_PrintUnformatted(value));
}

const cJSON *json_get(const cJSON *object, const char *key)
{
	const cJSON *v = cJSON_GetObjectItemCaseSensitive(object, key);

	return cJSON_IsNull(v) ? NULL : v;
}

const char *json_str(const cJSON *object, const char *key, const char *fallback)
{
	const cJSON *v = json_get(object, key);

	return cJSON_IsString(v) ? v->valuestring : fallback;
}

double json_num(const cJSON *object, const char *key, double fallback)
{
	const cJSON *v = json_get(object, key);

	return cJSON_IsNumber(v) && isfinite(v->valuedouble) ? v->valuedouble : fallback;
}

int64_t json_int(const cJSON *object, const char *key, int64_t fallback)
{
	const cJSON *v = json_get(object, key);
	int64_t n;

	if (cJSON_IsNumber(v) && v->valuedouble >= -9.2e18 && v->valuedouble <= 9.2e18)
		return (int64_t)v->valuedouble;
	if (cJSON_IsString(v) && scan_int64(v->valuestring, INT64_MIN, INT64_MAX, &n, NULL) == 0)
		return n;
	return fallback;
}

bool json_bool(const cJSON *object, const char *key, bool fallback)
{
	const cJSON *v = json_get(object, key);

	return cJSON_IsBool(v) ? cJSON_IsTrue(v) : fallback;
}

void json_set(cJSON *object, const char *key, cJSON *value)
{
	mem_check(value);
	cJSON_DeleteItemFromObjectCaseSensitive(object, key);
	cJSON_AddItemToObject(object, key, value);
}

void json_set_str(cJSON *object, const char *key, const char *value)
{
	json_set(object, key, value ? cJSON_CreateString(value) : cJSON_CreateNull());
}

void json_set_num(cJSON *object, const char *key, double value)
{
	json_set(object, key, isfinite(value) ? cJSON_CreateNumber(value) : cJSON_CreateNull());
}

void json_set_bool(cJSON *object, const char *key, bool value)
{
	json_set(object, key, cJSON_CreateBool(value));
}

void json_set_raw(cJSON *object, const char *key, const char *raw_json)
{
	json_set(object, key, cJSON_CreateRaw(raw_json));
}
