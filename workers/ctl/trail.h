/* SPDX-License-Identifier: MIT */
/* trail: the log lines of one task, as common/base/log wrote them: journal entries with the field
 * JOBFLEET_TASK_ID, and lines, there or in a file, that say task_id=ID, id=ID or run_id=ID. First
 * the file's, then the journal's; a fleet has one of them. */
#ifndef CTL_TRAIL_H
#define CTL_TRAIL_H

#include <stdint.h>
#include <stdio.h>

struct err;
struct trail;

/* Valid during the call. at is UTC, "" if the line does not begin with a time. */
struct trail_line {
	const char *at, *level, *program, *text, *source;	/* source: "journal" or "file" */
};
typedef void trail_fn(void *ctx, const struct trail_line *l);

/* file "" = none. dir: of a journal, NULL = this host's. since: a duration before now, NULL = all.
 * A place that cannot be read is no error: trail_journal and trail_file tell about it. */
int trail_open(struct trail **ret, const char *task_id, const char *file, const char *dir,
	       const char *since, struct err *e);
void trail_close(struct trail *t);

/* What there is now; how many lines. */
int64_t trail_read(struct trail *t, trail_fn *fn, void *ctx);
/* What comes, until SIGINT, SIGTERM, or stdout is gone. */
void trail_follow(struct trail *t, trail_fn *fn, void *ctx);

/* "read", or why not. */
const char *trail_journal(const struct trail *t);
const char *trail_file(const struct trail *t);

void trail_print_json(const struct trail_line *l, FILE *out);

/* Is this a line of the log of that task? Fills *ret, whose texts are in head (a copy that is cut
 * apart, of at least the line's size). */
int trail_parse(const char *line, const char *task_id, char *head, size_t size,
		struct trail_line *ret);

#endif
