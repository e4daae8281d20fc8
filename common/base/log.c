/* SPDX-License-Identifier: MIT */
#include "common/base/log.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>
#define SD_JOURNAL_SUPPRESS_LOCATION
#include <systemd/sd-journal.h>

#include "common/base/clock.h"
#include "common/base/err.h"
#include "common/base/mem.h"

enum { LINE_BYTES = 4096, TASK_BYTES = 256, FIELDS = 8 };

static struct {
	const char *program;
	enum log_level least;
	bool journal;
	int fd;
	char *path;
	char task_id[TASK_BYTES], task[TASK_BYTES], queue[TASK_BYTES];
	int attempt;
} the_log = { .program = "jobfleet", .least = LOG_LEVEL_INFO, .fd = STDERR_FILENO };

static const char *const NAMES[] = { "DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL" };
static const int PRIORITIES[] = { 7, 6, 4, 3, 2 };	/* syslog(3) */

/* JOURNAL_STREAM is "device:inode" of the stderr systemd gave us; a redirected one differs. */
static bool stderr_is_journal(void)
{
	const char *want = getenv("JOURNAL_STREAM");
	char have[64];
	struct stat st;

	if (!want || fstat(STDERR_FILENO, &st) < 0)
		return false;
	snprintf(have, sizeof have, "%ju:%ju", (uintmax_t)st.st_dev, (uintmax_t)st.st_ino);
	return strcmp(want, have) == 0;
}

static int open_path(const char *path)
{
	return open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0640);
}

int log_open(const char *program, enum log_level least, const char *path, struct err *e)
{
	int fd = STDERR_FILENO;

	if (path && *path) {
		fd = open_path(path);
		if (fd < 0)
			return err_set(e, ERR_CONFIG, "log_file %s: %s", path, strerror(errno));
	}
	if (the_log.fd != STDERR_FILENO)
		close(the_log.fd);
	the_log.program = program;
	the_log.least = least;
	the_log.fd = fd;
	mem_replace(&the_log.path, fd == STDERR_FILENO ? NULL : mem_strdup(path));
	the_log.journal = !the_log.path && stderr_is_journal();
	return 0;
}

void log_reopen(void)
{
	int fd = the_log.path ? open_path(the_log.path) : -1;

	if (fd < 0)
		return;
	close(the_log.fd);
	the_log.fd = fd;
}

int log_fd(void)
{
	return the_log.fd;
}

void log_set_level(enum log_level least)
{
	the_log.least = least;
}

bool log_enabled(enum log_level level)
{
	return level >= the_log.least;
}

int log_parse_level(const char *text, enum log_level *ret, struct err *e)
{
	for (size_t i = 0; i < COUNT(NAMES); i++) {
		if (strcasecmp(text, NAMES[i]) == 0 ||
		    (i == LOG_LEVEL_WARNING && strcasecmp(text, "WARN") == 0)) {
			*ret = (enum log_level)i;
			return 0;
		}
	}
	return err_set(e, ERR_INVALID, "\"%.60s\" is not a log level: DEBUG, INFO, WARNING, "
		       "ERROR or CRITICAL", text);
}

const char *log_level_name(enum log_level level)
{
	return NAMES[level];
}

/* No peer may forge a line. */
static void blank_controls(char *text)
{
	for (; *text; text++) {
		if (iscntrl((unsigned char)*text))
			*text = ' ';
	}
}

static void keep_text(char *to, const char *text)
{
	snprintf(to, TASK_BYTES, "%s", text ? text : "");
	blank_controls(to);
}

void log_set_task(const struct log_task *task)
{
	static const struct log_task none;

	if (!task)
		task = &none;
	keep_text(the_log.task_id, task->id);
	keep_text(the_log.task, task->name);
	keep_text(the_log.queue, task->queue);
	the_log.attempt = task->attempt;
}

struct fields {
	struct iovec v[FIELDS];
	char *text[FIELDS];
	int n;
};

static void add_field(struct fields *f, const char *name, const char *value)
{
	char *text;

	if (!value || !*value)
		return;
	text = mem_printf("%s=%s", name, value);
	f->text[f->n] = text;
	f->v[f->n++] = (struct iovec){ text, strlen(text) };
}

static void add_number(struct fields *f, const char *name, int value)
{
	char text[16];

	snprintf(text, sizeof text, "%d", value);
	add_field(f, name, value > 0 ? text : "");
}

/* Fields without a value are left out. */
static void to_journal(int priority, const struct log_task *task, const char *text)
{
	struct fields f = { .n = 0 };

	add_number(&f, "PRIORITY", priority);
	add_field(&f, "MESSAGE", *text ? text : " ");
	add_field(&f, "JOBFLEET_PROGRAM", the_log.program);
	add_field(&f, "JOBFLEET_TASK_ID", task->id);
	add_field(&f, "JOBFLEET_TASK", task->name);
	add_field(&f, "JOBFLEET_QUEUE", task->queue);
	add_number(&f, "JOBFLEET_ATTEMPT", task->attempt);
	sd_journal_sendv(f.v, f.n);
	while (f.n > 0)
		free(f.text[--f.n]);
}

static void to_fd(enum log_level level, const char *text)
{
	char when[CLOCK_ISO_SIZE], head[128];
	bool task = the_log.task_id[0] != '\0';
	int n;

	clock_iso(clock_wall_us(), when);
	n = snprintf(head, sizeof head, "%.23sZ %-8s %.64s[%d] ", when, NAMES[level],
		     the_log.program, (int)getpid());
	struct iovec line[] = {
		{ head, (size_t)n },
		{ (char *)text, strlen(text) },
		{ (char *)" task_id=", task ? 9 : 0 },
		{ the_log.task_id, strlen(the_log.task_id) },
		{ (char *)" task=", task ? 6 : 0 },
		{ the_log.task, strlen(the_log.task) },
		{ (char *)"\n", 1 },
	};

	/* One writev is one line even with many processes on one file; a full disk loses the
	 * line, which must not stop the work. */
	if (writev(the_log.fd, line, (int)COUNT(line)) < 0)
		return;
}

static void write_line(enum log_level level, bool each, const struct log_task *task,
		       const char *fmt, va_list ap)
{
	const struct log_task own = { the_log.task_id, the_log.task, the_log.queue,
				      the_log.attempt };
	char text[LINE_BYTES];
	int saved = errno;

	if (level < the_log.least)
		return;
	vsnprintf(text, sizeof text, fmt, ap);
	blank_controls(text);
	if (the_log.journal)
		to_journal(PRIORITIES[each ? LOG_LEVEL_DEBUG : level], task ? task : &own, text);
	else
		to_fd(level, text);
	errno = saved;
}

void log_line(enum log_level level, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	write_line(level, false, NULL, fmt, ap);
	va_end(ap);
}

void log_each(const struct log_task *task, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	write_line(LOG_LEVEL_INFO, true, task, fmt, ap);
	va_end(ap);
}

void log_about(enum log_level level, const struct log_task *task, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	write_line(level, false, task, fmt, ap);
	va_end(ap);
}
