/* SPDX-License-Identifier: MIT */
/* conf_schema: every block and key of queues.conf, as one table.
 *
 * Reading, defaults, the environment, printing, the hints for misspelt keys and the test of the
 * documentation all go by it; a new setting is a field in conf.h and a row here. */
#ifndef COMMON_BASE_CONF_SCHEMA_H
#define COMMON_BASE_CONF_SCHEMA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum conf_type {
	CONF_TEXT,		/* const char *; free text, at most 4 KiB, or one of `words` */
	CONF_NAME,		/* const char *; letters, digits, "._-", at most 255 */
	CONF_PROGRAM,		/* const char *; a folder of workers/: lower case, digits, "_-" */
	CONF_VARIABLE,		/* const char *; the NAME of an environment variable */
	CONF_BROKER_URL, CONF_DATABASE_URL, CONF_REDIS_URL,	/* const char *; scheme checked */
	CONF_HTTP_URL,		/* const char *; https, or http to loopback */
	CONF_PATH,		/* const char *; begins with '/' */
	CONF_JSON_ARRAY, CONF_JSON_OBJECT,	/* const char *; raw JSON, checked */
	CONF_CRON,		/* const char * */
	CONF_ZONE,		/* const char *; IANA time zone */
	CONF_BOOL,		/* bool, or int where unset is told apart */
	CONF_INT,		/* int, within min and max */
	CONF_NUMBER,		/* double, within min and max */
	CONF_DURATION,		/* int or int64_t, in `unit` milliseconds; min and max too */
	CONF_SIZE,		/* int64_t bytes */
	CONF_RATE,		/* double, events a second */
	CONF_WORD,		/* enum, int or bool: the index in `words` */
	CONF_LEVEL,		/* enum log_level */
	CONF_RANGE,		/* int and the int behind it: {MIN, MAX} */
};

struct conf_key {
	const char *name;
	enum conf_type type;
	uint16_t offset, size;		/* of the field in its block */
	const char *fallback;		/* the default as it would stand in the file; NULL: unset */
	double min, max;		/* 0, 0: whatever the type allows */
	int64_t unit;
	const char *words;		/* "skip last all" */
	const char *env[3];		/* variables that win over the file, first found */
};

enum conf_kind_id {
	CONF_FLEET, CONF_QUEUE, CONF_TASK, CONF_SCHEDULE, CONF_SOURCE, CONF_ALERT, CONF_KINDS
};

struct conf_kind {
	const char *name;		/* "queue" */
	bool titled;			/* queue NAME { }: any number, kept in an array of struct conf */
	const struct conf_key *keys;
	size_t nkeys;
	size_t size;			/* of one block */
	size_t at, count_at;		/* offsets in struct conf: block or array pointer, its count */
};

extern const struct conf_kind CONF_SCHEMA[CONF_KINDS];

const struct conf_kind *conf_kind_find(const char *name);	/* NULL: no such block */
/* The index of a key of that kind; -1: no such key. */
int conf_key_find(const struct conf_kind *kind, const char *name);
/* The known word that text most likely meant, NULL when none is near. */
const char *conf_near_key(const struct conf_kind *kind, const char *text);
const char *conf_near_kind(const char *text);

#endif
