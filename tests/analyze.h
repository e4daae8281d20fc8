/* SPDX-License-Identifier: MIT */
/* What tests/analyze tells analyzers of functions whose source they do not see: cJSON asks of NULL
 * what it is, and it is nothing; err_set returns a negative number. Compiled into nothing. */
#include <cjson/cJSON.h>

#include "common/base/err.h"

#define ANALYZE_KIND(name, bits)						\
	static inline cJSON_bool analyze_##name(const cJSON *v)		\
	{									\
		return v && (v->type & 0xff & (bits)) != 0;			\
	}
ANALYZE_KIND(IsString, cJSON_String)
ANALYZE_KIND(IsNumber, cJSON_Number)
ANALYZE_KIND(IsArray, cJSON_Array)
ANALYZE_KIND(IsObject, cJSON_Object)
ANALYZE_KIND(IsNull, cJSON_NULL)
ANALYZE_KIND(IsBool, cJSON_True | cJSON_False)
ANALYZE_KIND(IsTrue, cJSON_True)
ANALYZE_KIND(IsFalse, cJSON_False)
ANALYZE_KIND(IsRaw, cJSON_Raw)

#define cJSON_IsString analyze_IsString
#define cJSON_IsNumber analyze_IsNumber
#define cJSON_IsArray analyze_IsArray
#define cJSON_IsObject analyze_IsObject
#define cJSON_IsNull analyze_IsNull
#define cJSON_IsBool analyze_IsBool
#define cJSON_IsTrue analyze_IsTrue
#define cJSON_IsFalse analyze_IsFalse
#define cJSON_IsRaw analyze_IsRaw

#define err_set(e, code, ...) ((void)(err_set)(e, code, __VA_ARGS__), -(int)(code))
