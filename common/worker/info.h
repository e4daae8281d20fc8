/* SPDX-License-Identifier: MIT */
/* info: what monitors are told of a task's message.
 *
 * Source: celery-wire sections 5 and 6.3; Celery's Request.info. */
#ifndef COMMON_WORKER_INFO_H
#define COMMON_WORKER_INFO_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct delivery;
struct message;
struct worker;

/* Of arguments and results as text, as Celery cuts them; of arguments as JSON. */
enum { INFO_REPR_MAX = 1024, INFO_ARGUMENTS_MAX = 65536 };

struct info {
	const char *id, *type;		/* of the task; its name is the message's shadow, if any */
	const char *node, *queue;
	int priority;
	bool redelivered, acknowledged;
	bool safe;			/* arguments as text, not as JSON */
	pid_t pid;			/* of the child that runs it */
	int64_t started_us;		/* monotonic; 0 = not begun */
};

/* Celery's description of a request, for the caller to cJSON_Delete. Arguments travel as the raw
 * text of the message; over INFO_ARGUMENTS_MAX bytes, or not readable, they are shown as text. */
cJSON *info_message(const struct message *m, const struct info *i);
cJSON *info_delivery(const struct worker *w, const struct delivery *d, pid_t pid,
		     int64_t started_us, bool safe);

#endif
