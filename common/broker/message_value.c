/* SPDX-License-Identifier: MIT */
/* AMQP field values as JSON and back, for headers that handlers and SQL see. */
#include "common/base/err.h"
#include "common/base/mem.h"
#include "common/broker/message_private.h"

#include <math.h>

enum { DEPTH_MAX = 32 };

static cJSON *bytes_to_json(amqp_bytes_t b)
{
	char *s = mem_strndup(b.bytes ? b.bytes : "", b.len);
	cJSON *v = mem_check(cJSON_CreateString(s));

	free(s);
	return v;
}

static cJSON *table_to_json(const amqp_table_t *t, int depth)
{
	cJSON *o = mem_check(cJSON_CreateObject());

	for (int i = 0; i < t->num_entries; i++) {
		char *key = mem_strndup(t->entries[i].key.bytes, t->entries[i].key.len);

		cJSON_AddItemToObject(o, key, message_value_to_json(&t->entries[i].value,
								    depth + 1));
		free(key);
	}
	return o;
}

static cJSON *array_to_json(const amqp_array_t *a, int depth)
{
	cJSON *list = mem_check(cJSON_CreateArray());

	for (int i = 0; i < a->num_entries; i++)
		cJSON_AddItemToArray(list, message_value_to_json(&a->entries[i], depth + 1));
	return list;
}

cJSON *message_value_to_json(const amqp_field_value_t *v, int depth)
{
	if (depth > DEPTH_MAX)
		return cJSON_CreateNull();
	switch (v->kind) {
	case AMQP_FIELD_KIND_BOOLEAN: return cJSON_CreateBool(v->value.boolean);
	case AMQP_FIELD_KIND_I8: return cJSON_CreateNumber(v->value.i8);
	case AMQP_FIELD_KIND_U8: return cJSON_CreateNumber(v->value.u8);
	case AMQP_FIELD_KIND_I16: return cJSON_CreateNumber(v->value.i16);
	case AMQP_FIELD_KIND_U16: return cJSON_CreateNumber(v->value.u16);
	case AMQP_FIELD_KIND_I32: return cJSON_CreateNumber(v->value.i32);
	case AMQP_FIELD_KIND_U32: return cJSON_CreateNumber(v->value.u32);
	case AMQP_FIELD_KIND_I64:
	case AMQP_FIELD_KIND_U64: return cJSON_CreateNumber((double)v->value.i64);
	case AMQP_FIELD_KIND_F32: return cJSON_CreateNumber(v->value.f32);
	case AMQP_FIELD_KIND_F64: return cJSON_CreateNumber(v->value.f64);
	case AMQP_FIELD_KIND_TIMESTAMP: return cJSON_CreateNumber((double)v->value.u64);
	case AMQP_FIELD_KIND_UTF8:
	case AMQP_FIELD_KIND_BYTES: return bytes_to_json(v->value.bytes);
	case AMQP_FIELD_KIND_TABLE: return table_to_json(&v->value.table, depth);
	case AMQP_FIELD_KIND_ARRAY: return array_to_json(&v->value.array, depth);
	default: return cJSON_CreateNull();
	}
}

static amqp_bytes_t pool_string(amqp_pool_t *pool, const char *s)
{
	amqp_bytes_t b = { strlen(s), mem_check(amqp_pool_alloc(pool, strlen(s) + 1)) };

	memcpy(b.bytes, s, b.len + 1);
	return b;
}

static int array_from_json(amqp_pool_t *pool, const cJSON *v, amqp_field_value_t *ret, int depth,
			   struct err *e)
{
	int n = cJSON_GetArraySize(v), i = 0, r = 0;
	amqp_array_t *a = &ret->value.array;
	const cJSON *item;

	ret->kind = AMQP_FIELD_KIND_ARRAY;
	a->num_entries = n;
	a->entries = n ? mem_check(amqp_pool_alloc(pool, (size_t)n * sizeof *a->entries)) : NULL;
	for (item = v->child; item && r == 0; item = item->next)
		r = message_value_from_json(pool, item, &a->entries[i++], depth + 1, e);
	return r;
}

static int table_from_json(amqp_pool_t *pool, const cJSON *v, amqp_field_value_t *ret, int depth,
			   struct err *e)
{
	int n = cJSON_GetArraySize(v), i = 0, r = 0;
	amqp_table_t *t = &ret->value.table;
	const cJSON *item;

	ret->kind = AMQP_FIELD_KIND_TABLE;
	t->num_entries = n;
	t->entries = n ? mem_check(amqp_pool_alloc(pool, (size_t)n * sizeof *t->entries)) : NULL;
	for (item = v->child; item && i < n && r == 0; item = item->next, i++) {
		if (strlen(item->string) > MESSAGE_MAX_ID)
			return err_set(e, ERR_TOO_BIG, "a name longer than %d bytes",
				       MESSAGE_MAX_ID);
		t->entries[i].key = pool_string(pool, item->string);
		r = message_value_from_json(pool, item, &t->entries[i].value, depth + 1, e);
	}
	return r;
}

int message_value_from_json(amqp_pool_t *pool, const cJSON *v, amqp_field_value_t *ret, int depth,
			    struct err *e)
{
	double d = v ? v->valuedouble : 0;

	if (depth > DEPTH_MAX)
		return err_set(e, ERR_TOO_BIG, "nested deeper than %d", DEPTH_MAX);
	if (!v || cJSON_IsNull(v)) {
		ret->kind = AMQP_FIELD_KIND_VOID;
	} else if (cJSON_IsBool(v)) {
		ret->kind = AMQP_FIELD_KIND_BOOLEAN;
		ret->value.boolean = cJSON_IsTrue(v);
	} else if (cJSON_IsNumber(v) && d == rint(d) && fabs(d) <= INT32_MAX) {
		ret->kind = AMQP_FIELD_KIND_I32;
		ret->value.i32 = (int32_t)d;
	} else if (cJSON_IsNumber(v) && d == rint(d) && fabs(d) <= 9007199254740992.0) {
		ret->kind = AMQP_FIELD_KIND_I64;
		ret->value.i64 = (int64_t)d;
	} else if (cJSON_IsNumber(v)) {
		ret->kind = AMQP_FIELD_KIND_F64;
		ret->value.f64 = d;
	} else if (cJSON_IsString(v)) {
		ret->kind = AMQP_FIELD_KIND_UTF8;
		ret->value.bytes = pool_string(pool, v->valuestring);
	} else if (cJSON_IsArray(v)) {
		return array_from_json(pool, v, ret, depth, e);
	} else {
		return table_from_json(pool, v, ret, depth, e);
	}
	return 0;
}
