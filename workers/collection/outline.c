/* SPDX-License-Identifier: MIT */
#include "workers/collection/outline.h"

#include <stdlib.h>

#include "common/base/json.h"
#include "common/base/mem.h"
#include "common/base/raw.h"

struct outline {
	int left;			/* values that may still be taken */
};

static cJSON *take(struct outline *o, struct raw value, int depth);

static cJSON *take_container(struct outline *o, struct raw value, int depth)
{
	bool is_array = raw_is_array(value);
	cJSON *ret = mem_check(is_array ? cJSON_CreateArray() : cJSON_CreateObject());
	struct raw_walk w = raw_walk(value);
	struct raw key, item;

	while (raw_next(&w, &key, &item)) {
		cJSON *child = take(o, item, depth + 1);
		char *name = child && !is_array ? raw_string(key) : NULL;

		if (child && is_array)
			cJSON_AddItemToArray(ret, child);
		else if (name)
			cJSON_AddItemToObject(ret, name, child);
		else
			cJSON_Delete(child);
		free(name);
	}
	return ret;
}

static cJSON *take(struct outline *o, struct raw value, int depth)
{
	cJSON *ret = NULL;

	if (o->left <= 0)
		return NULL;
	o->left--;
	if (raw_is_array(value) || raw_is_object(value))
		return depth < OUTLINE_DEPTH ? take_container(o, value, depth) : NULL;
	if (value.len <= OUTLINE_TEXT)
		json_parse(value.at, value.len, &ret, NULL);
	return ret;
}

cJSON *outline_read(const char *text, size_t len)
{
	struct outline o = { .left = OUTLINE_VALUES };
	struct raw whole;
	cJSON *ret = NULL;

	if (len <= OUTLINE_WHOLE) {
		json_parse(text, len, &ret, NULL);
		return ret;
	}
	return raw_whole(text, len, &whole, NULL) ? take(&o, whole, 0) : NULL;
}
