/* SPDX-License-Identifier: MIT */
/* builtin: Celery's own task names, which every worker serves (celery-wire 3.7).
 *
 * map, starmap and chunks call a task of this program for each item, inside their own run; they
 * read their message's raw arguments themselves, so nothing is declared or bound for them. */
#ifndef COMMON_WORKER_BUILTIN_H
#define COMMON_WORKER_BUILTIN_H

#include <stddef.h>

#include "common/worker/run.h"

extern const struct task BUILTIN_TASKS[];
extern const size_t BUILTIN_COUNT;

#endif
