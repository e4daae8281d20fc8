/* SPDX-License-Identifier: MIT */
/* log: one line an event, `message key=value …`, to stderr, the journal or a file.
 *
 * A process has one log. Under systemd (JOURNAL_STREAM names our stderr) lines go to the journal
 * with PRIORITY and JOBFLEET_TASK_ID fields; with log_open's path to that file (reopened by
 * log_reopen, for SIGHUP); else to stderr with time, level, program and pid in front.
 * What is logged is logged once, where it is handled; libraries return struct err instead.
 * Values with spaces are the caller's to quote: use key=\"%s\". A line is cut at 4 KiB; control
 * characters become spaces, so that no peer can forge a line. */
#ifndef COMMON_BASE_LOG_H
#define COMMON_BASE_LOG_H

#include <stdbool.h>

struct err;

enum log_level { LOG_LEVEL_DEBUG, LOG_LEVEL_INFO, LOG_LEVEL_WARNING, LOG_LEVEL_ERROR,
		 LOG_LEVEL_CRITICAL };

/* program is borrowed for ever; path NULL = journal or stderr. Calling it again re-targets. */
int log_open(const char *program, enum log_level least, const char *path, struct err *e);
void log_reopen(void);
void log_set_level(enum log_level least);
bool log_enabled(enum log_level level);
/* DEBUG, INFO, WARNING (WARN), ERROR, CRITICAL, any case; -ERR_INVALID names them */
int log_parse_level(const char *text, enum log_level *ret, struct err *e);
const char *log_level_name(enum log_level level);

/* From now on every line of this process carries task_id and task; NULL, NULL ends it.
 * The texts are copied. */
void log_set_task(const char *task_id, const char *task);

void log_line(enum log_level level, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#define log_debug(...) \
	do { if (log_enabled(LOG_LEVEL_DEBUG)) log_line(LOG_LEVEL_DEBUG, __VA_ARGS__); } while (0)
#define log_info(...) log_line(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_warn(...) log_line(LOG_LEVEL_WARNING, __VA_ARGS__)
#define log_error(...) log_line(LOG_LEVEL_ERROR, __VA_ARGS__)

#endif
