/* SPDX-License-Identifier: MIT */
/* bind: a message's args and kwargs to a task's declared parameters, as Python would.
 *
 * Wrong calls are -ERR_TYPE with Python's wording, naming the parameter. */
#ifndef COMMON_WORKER_BIND_H
#define COMMON_WORKER_BIND_H

#include <cjson/cJSON.h>

#include "common/worker/run.h"

struct err;

/* args: JSON array, kwargs: JSON object, both raw. *ret: a new object, cJSON_Delete it. */
int bind_arguments(const struct task *task, const char *args, const char *kwargs, cJSON **ret,
		   struct err *e);
/* The table's parameters are well formed: "name", "name?", "name?=JSON", "*" last; else a text. */
const char *bind_check(const struct task *task);

#endif
