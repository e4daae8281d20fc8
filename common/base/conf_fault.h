/* SPDX-License-Identifier: MIT */
/* conf_fault: the list of what is wrong with a configuration, one line each:
 * "file:line: block name: key: what is wrong, what would be right".
 *
 * The list answers sorted: file after file, in each by line, then what has no file (the
 * environment). At most CONF_FAULTS_MAX are kept; the rest is counted.
 * Ownership: init/release embed it. */
#ifndef COMMON_BASE_CONF_FAULT_H
#define COMMON_BASE_CONF_FAULT_H

#include <stdbool.h>
#include <stddef.h>

struct err;

enum { CONF_FAULTS_MAX = 100 };

struct conf_fault {
	char *text;
	int file, line;		/* for sorting; file is the first fault that names the same one */
	char *path;		/* NULL: not in a file */
};

struct conf_faults {
	struct conf_fault list[CONF_FAULTS_MAX];
	size_t count;		/* may pass CONF_FAULTS_MAX */
	bool unreadable;	/* part of a file was not understood: cross-checks would mislead */
};

void conf_faults_init(struct conf_faults *f);
void conf_faults_release(struct conf_faults *f);

/* path NULL = no file to name; line 0 = the whole file. */
void conf_fault(struct conf_faults *f, const char *path, int line, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/* Forgets all but the first `count`. */
void conf_faults_rewind(struct conf_faults *f, size_t count);

/* -ERR_CONFIG with the first fault and how many follow; *ret_all is the whole list, a line each,
 * malloc'ed. Sorts. There must be a fault. */
int conf_faults_err(struct conf_faults *f, char **ret_all, struct err *e);

#endif
