/* SPDX-License-Identifier: MIT */
/* json: cJSON with limits, typed reads, and raw spans for what only passes through.
 *
 * Ownership: what json_parse returns is freed with cJSON_Delete. Raw texts are malloc'ed.
 * Numbers: cJSON keeps doubles; whatever must survive unchanged (arguments that are passed on,
 * amounts of money) travels as raw text, never through json_parse and back.
 * Depth: at most 1,000 levels (cJSON's own limit), so no input exhausts the stack.
 * Memory: whoever links this has a cJSON that allocates by mem, so nothing of it answers NULL for
 * want of memory. */
#ifndef COMMON_BASE_JSON_H
#define COMMON_BASE_JSON_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;

/* len bytes of text, which must be one JSON value and nothing else but white space.
 * -ERR_PROTOCOL says at which byte it went wrong. */
int json_parse(const char *text, size_t len, cJSON **ret, struct err *e);
/* The raw texts of the elements of a JSON array, at most max of them; each malloc'ed. Returns
 * how many there are; -ERR_PROTOCOL if text is no array or has more. */
int json_split_array(const char *text, size_t len, char **ret_items, size_t max, struct err *e);
/* The raw text of one member of a JSON object (the first of that name), malloc'ed: 1 = found,
 * 0 = not there or null; -ERR_PROTOCOL if text is no object. */
int json_raw_member(const char *text, size_t len, const char *key, char **ret, struct err *e);
char *json_print(const cJSON *value);		/* compact; malloc'ed; never NULL */

/* Typed reads from an object; a missing key, null or another type gives the fallback.
 * Strings are borrowed from the object. */
const char *json_str(const cJSON *object, const char *key, const char *fallback);
double json_num(const cJSON *object, const char *key, double fallback);
int64_t json_int(const cJSON *object, const char *key, int64_t fallback);	/* also "12" */
bool json_bool(const cJSON *object, const char *key, bool fallback);
const cJSON *json_get(const cJSON *object, const char *key);	/* NULL for missing or null */

/* Writes: set or replace; strings are copied; NULL writes null; value is taken over. */
void json_set(cJSON *object, const char *key, cJSON *value);
void json_set_str(cJSON *object, const char *key, const char *value);
void json_set_num(cJSON *object, const char *key, double value);
void json_set_bool(cJSON *object, const char *key, bool value);
void json_set_raw(cJSON *object, const char *key, const char *raw_json);	/* printed as it stands */

#endif
