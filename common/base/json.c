/* SPDX-License-Identifier: MIT */
#include "common/base/json.h"

#include <ctype.h>
#include <math.h>

#include "common/base/err.h"
#include "common/base/mem.h"
#include "common/base/scan.h"

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
	const char *end = text + len, *p = skip_space(text, end);
	size_t n = 0;

	if (p == end || *p++ != '[')
		return err_set(e, ERR_PROTOCOL, "not a JSON array");
	p = skip_space(p, end);
	if (p < end && *p == ']' && skip_space(p + 1, end) == end)
		return 0;
	for (;;) {
		const char *after = NULL;
		cJSON *v = cJSON_ParseWithLengthOpts(p, (size_t)(end - p), &after, 0);

		cJSON_Delete(v);
		if (!v || n == max)
			break;
		ret_items[n++] = mem_strndup(p, (size_t)(after - p));
		p = skip_space(after, end);
		if (p < end && *p == ']' && skip_space(p + 1, end) == end)
			return (int)n;
		if (p == end || *p != ',')
			break;
		p = skip_space(p + 1, end);
	}
	while (n > 0)
		free(ret_items[--n]);
	return err_set(e, ERR_PROTOCOL, "not a JSON array of at most %zu elements", max);
}

/* One value at p: its end, or NULL. *ret_value is the caller's to delete. */
static const char *value_end(const char *p, const char *end, cJSON **ret_value)
{
	const char *after = NULL;

	*ret_value = cJSON_ParseWithLengthOpts(p, (size_t)(end - p), &after, 0);
	return *ret_value ? skip_space(after, end) : NULL;
}

int json_raw_member(const char *text, size_t len, const char *key, char **ret, struct err *e)
{
	const char *end = text + len, *p = skip_space(text, end);
	cJSON *name = NULL, *value = NULL;
	bool hit = false;

	if (p == end || *p++ != '{')
		return err_set(e, ERR_PROTOCOL, "not a JSON object");
	for (p = skip_space(p, end); p < end && *p == '"' && !hit; p = skip_space(p, end)) {
		const char *start;

		p = value_end(p, end, &name);
		if (!p || p == end || *p++ != ':')
			break;
		start = skip_space(p, end);
		p = value_end(start, end, &value);
		hit = p && cJSON_IsString(name) && strcmp(name->valuestring, key) == 0;
		if (hit && !cJSON_IsNull(value))
			*ret = mem_strndup(start, (size_t)(p - start));
		hit = hit && !cJSON_IsNull(value);
		cJSON_Delete(name);
		cJSON_Delete(value);
		name = value = NULL;
		if (!p || p == end || *p != ',')
			break;
		p++;
	}
	cJSON_Delete(name);
	return hit;
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
