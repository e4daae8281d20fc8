/* SPDX-License-Identifier: MIT */
/* method: one remote control command by Celery's name, and how its arguments are typed.
 *
 * Source: celery-wire sections 6.3 and 6.4; `celery inspect --list`, `celery control --list`. The
 * names of the arguments are Celery's own. */
#ifndef CTL_METHOD_H
#define CTL_METHOD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct err;

enum method_kind { METHOD_INSPECT, METHOD_CONTROL };

struct method {
	const char *name, *alias;
	enum method_kind kind;
	/* "task_name soft:f hard:f?": s (text, if nothing stands), i, f, b; ? = may be left out;
	 * * = all that follow, as a list */
	const char *arguments;
	const char *about;
	bool silent;			/* no node answers it */
};

/* NULL: e says what was meant, perhaps. */
const struct method *method_find(const char *name, enum method_kind kind, struct err *e);
/* The operands as a JSON object, malloc'ed; -ERR_USAGE. */
int method_arguments(const struct method *m, char *const *operands, char **ret, struct err *e);
/* One line a method: name, arguments, what it does. */
void method_list(enum method_kind kind, FILE *out);

#endif
