/* SPDX-License-Identifier: MIT */
/* The walk over JSON's text: the input is the text. Where it finds a value, cJSON must find one as
 * well (but for NaN, Infinity and half a surrogate pair, which Python writes and cJSON refuses),
 * and every part is a value again. */
#include <string.h>

#include "common/base/json.h"
#include "common/base/mem.h"
#include "common/base/raw.h"
#include "tests/fuzz/fuzz.h"

static void walk(struct raw value, int depth)
{
	struct raw_walk w = raw_walk(value);
	struct raw key, item, whole;

	while (raw_next(&w, &key, &item)) {
		fuzz_want(raw_whole(item.at, item.len, &whole, NULL) && whole.len == item.len,
			  "a part is a value");
		fuzz_want(!key.at == raw_is_array(value), "members have keys, elements none");
		if (depth < 20 && (raw_is_array(item) || raw_is_object(item)))
			walk(item, depth + 1);
	}
	fuzz_want(!w.bad, "the parts of a value are whole");
}

static bool only_python_takes(const char *text)
{
	return strstr(text, "NaN") || strstr(text, "Infinity") || strcasestr(text, "\\ud") ||
	       strstr(text, "\\u0000");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = mem_dup(data, size), *string;
	struct raw whole;
	size_t bad = 0;
	cJSON *value;
	double number;

	if (raw_whole(text, size, &whole, &bad)) {
		if (raw_is_array(whole) || raw_is_object(whole))
			walk(whole, 0);
		raw_member(whole, "task");
		raw_inside(whole);
		raw_number(whole, &number);
		string = raw_string(whole);
		free(string);
		if (!only_python_takes(text)) {
			fuzz_want(json_parse(whole.at, whole.len, &value, NULL) >= 0,
				  "what raw takes cJSON takes");
			cJSON_Delete(value);
		}
	} else {
		fuzz_want(bad <= size, "the wrong byte is inside");
	}
	free(text);
	return 0;
}
