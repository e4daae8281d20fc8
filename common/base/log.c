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

enum { LINE_BYTES = 4096, TASK_BYTES = 256 };

static struct {
	const char *program;
	enum log_level least;
	bool journal;
	int fd;
	char *path;
	char task_id[TASK_BYTES], task[TASK_BYTES];
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

void log_set_task(const char *task_id, const char *task)
{
	snprintf(the_log.task_id, sizeof the_log.task_id, "%s", task_id ? task_id : "");
	snprintf(the_log.task, sizeof the_log.task, "%s", task ? task : "");
	blank_controls(the_log.task_id);
	blank_controls(the_log.task);
}

static void to_journal(enum log_level level, const char *text)
{
	if (the_log.task_id[0])
		sd_journal_send("PRIORITY=%d", PRIORITIES[level], "MESSAGE=%s", text,
				"JOBFLEET_PROGRAM=%s", the_log.program,
				"JOBFLEET_TASK_ID=%s", the_log.task_id,
				"JOBFLEET_TASK=%s", the_log.task, NULL);
	else
		sd_journal_send("PRIORITY=%d", PRIORITIES[level], "MESSAGE=%s", text,
				"JOBFLEET_PROGRAM=%s", the_log.program, NULL);
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

void log_line(enum log_level level, const char *fmt, ...)
{
	char text[LINE_BYTES];
	int saved = errno;
	va_list ap;

	if (level < the_log.least)
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	blank_controls(text);
	if (the_log.journal)
		to_journal(level, text);
	else
		to_fd(level, text);
	errno = saved;
}
