/* SPDX-License-Identifier: MIT */
/* migrate: the database's schema, in numbered steps that only go forward.
 *
 * A step is a file sql/NNN_<what>.sql, NNN from 001 without gaps. Each runs in one transaction
 * together with its row in jobfleet.migrations (number, name, sha256), under an advisory lock: safe
 * to run twice, and from several places at once. A file that was changed after it had been applied
 * is refused, never applied again: a change is a new file.
 * A program starts on the schema it was built for, or a newer one; an older one is refused. */
#ifndef COMMON_STORE_MIGRATE_H
#define COMMON_STORE_MIGRATE_H

#include <stddef.h>

struct err;
struct pg;

/* The newest step that this build's code relies on. */
#define MIGRATE_SCHEMA 21

/* Where the steps are: $JOBFLEET_SQL_DIR, else sql/ of the tree this binary was built in, else
 * ../share/jobfleet/sql beside it. -ERR_CONFIG names what was tried. */
int migrate_find_dir(char *out, size_t size, struct err *e);

/* Applies what is missing. say (may be NULL) hears a line for each step and for each thing in which
 * an adopted table differs. Waits up to a minute for another one who migrates. Returns how many
 * steps were applied. -ERR_CONFIG: the directory is wrong; -ERR_SCHEMA: a step was edited; else as
 * pg, the file's name in front. */
int migrate_run(struct pg *p, const char *dir, void (*say)(void *ctx, const char *line), void *ctx,
		struct err *e);

/* The newest applied step; 0 = none yet. */
int migrate_version(struct pg *p, struct err *e);
/* 0 if the schema serves this build, else -ERR_SCHEMA with what to do. */
int migrate_check(struct pg *p, struct err *e);

#endif
