/* SPDX-License-Identifier: MIT */
/* checkup: what `jobfleet doctor` found, one line a check, with what to do about it. */
#ifndef CTL_CHECKUP_H
#define CTL_CHECKUP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct checkup;

enum checkup_level { CHECKUP_OK, CHECKUP_UNKNOWN, CHECKUP_WARN, CHECKUP_FAIL, CHECKUP_NLEVELS };

struct checkup *checkup_new(void);
void checkup_free(struct checkup *k);

/* area: "redis"; name: "eviction"; advice: what to do, NULL = nothing; all copied. fmt: what is. */
void checkup_add(struct checkup *k, const char *area, const char *name, enum checkup_level level,
		 const char *advice, const char *fmt, ...) __attribute__((format(printf, 6, 7)));

size_t checkup_count(const struct checkup *k, enum checkup_level level);
const char *checkup_level_name(enum checkup_level level);	/* "not checked" */
/* only_bad: leave out what is ok. */
void checkup_print(const struct checkup *k, bool only_bad, FILE *out);
void checkup_print_json(const struct checkup *k, FILE *out);

#endif
