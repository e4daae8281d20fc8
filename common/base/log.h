/* SPDX-License-Identifier: MIT */
/* log: one line an event, `message key=value …`, to stderr, the journal or a file.
 *
 * A process has one log. Under systemd (JOURNAL_STREAM names our stderr) lines go to the journal
 * with the fields PRIORITY, JOBFLEET_PROGRAM and, about a task, JOBFLEET_TASK_ID, JOBFLEET_TASK,
 * JOBFLEET_QUEUE and JOBFLEET_ATTEMPT (from 1); with log_open's path to that file (reopened by
 * log_reopen, for SIGHUP); else to stderr with time, level, program and pid in front.
 * What each task says goes by log_each: INFO, but in the journal of priority debug. journald limits
 * the rate of each unit by priority (errors, warnings, info, debug apart), so that a flood of tasks
 * can push out nothing but its own lines.
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
/* What a process that closes all files leaves open: the file's or stderr. */
int log_fd(void);
void log_set_level(enum log_level least);
bool log_enabled(enum log_level level);
/* DEBUG, INFO, WARNING (WARN), ERROR, CRITICAL, any case; -ERR_INVALID names them */
int log_parse_level(const char *text, enum log_level *ret, struct err *e);
const char *log_level_name(enum log_level level);

struct log_task {
	const char *id, *name, *queue;	/* NULL: not known */
	int attempt;			/* 0: not known */
};

/* From now on every line of this process carries the task, as text task_id=ID task=NAME; NULL ends
 * it. The texts are copied. */
void log_set_task(const struct log_task *task);

void log_line(enum log_level level, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* A line whose text names the task; the journal gets its fields, too. */
void log_about(enum log_level level, const struct log_task *task, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* One of the lines that come with each task; task NULL: the one that was set. */
void log_each(const struct log_task *task, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

#define log_debug(...) \
	do { if (log_enabled(LOG_LEVEL_DEBUG)) log_line(LOG_LEVEL_DEBUG, __VA_ARGS__); } while (0)
#define log_info(...) log_line(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_warn(...) log_line(LOG_LEVEL_WARNING, __VA_ARGS__)
#define log_error(...) log_line(LOG_LEVEL_ERROR, __VA_ARGS__)

#endif
