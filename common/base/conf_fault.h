/* SPDX-License-Identifier: MIT */
/* conf_fault: the list of what is wrong with a configuration, one line each:
 * "file:line: block name: key: what is wrong, what would be right".
 *
 * At most FAULTS_MAX are kept; the rest is counted. Ownership: init/release embed it. */
#ifndef COMMON_BASE_CONF_FAULT_H
#define COMMON_BASE_CONF_FAULT_H

#include <stddef.h>

#include "common/base/buf.h"

struct err;

enum { CONF_FAULTS_MAX = 100 };

struct conf_faults {
	struct buf text;
	char *first;
	size_t count;
	bool unreadable;	/* part of a file was not understood: cross-checks would mislead */
};

void conf_faults_init(struct conf_faults *f);
void conf_faults_release(struct conf_faults *f);

/* file NULL = no place to name; line 0 = the whole file. */
void conf_fault(struct conf_faults *f, const char *file, int line, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/* Forgets what was added since f->count was `count` and f->text.len was `len`. */
void conf_faults_rewind(struct conf_faults *f, size_t count, size_t len);

/* -ERR_CONFIG with the first fault and how many follow. There must be one. */
int conf_faults_err(const struct conf_faults *f, struct err *e);

#endif
