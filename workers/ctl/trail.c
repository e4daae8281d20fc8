/* SPDX-License-Identifier: MIT */
#include "workers/ctl/trail.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/stat.h>
#include <systemd/sd-journal.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/err.h"
#include "common/base/json.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/base/scan.h"

enum { LOOK_MS = 300, HEAD_BYTES = 8192 };

struct trail {
	char *task_id, *path;
	int64_t since_us;	/* wall; 0 = all */
	sd_journal *journal;
	FILE *file;
	char journal_state[128], file_state[256];
};

static volatile sig_atomic_t interrupted;

static void on_signal(int sig)
{
	(void)sig;
	interrupted = 1;
}

/* " task_id=ID", " id=ID", " run_id=ID": whatever ends so. */
static bool has_task(const char *line, const char *task_id)
{
	size_t n = strlen(task_id);
	const char *at = line;

	while ((at = strstr(at, "id="))) {
		bool whole = at == line || at[-1] == ' ' || at[-1] == '_';

		at += strlen("id=");
		if (whole && strncmp(at, task_id, n) == 0 && (at[n] == ' ' || at[n] == '\0'))
			return true;
	}
	return false;
}

/* ---- the journal ---- */

/* Lines of parents and dispatchers say the id in their text only, so all lines of ours are read:
 * each has its program's name in a field. */
static int match_programs(sd_journal *j)
{
	const void *data;
	size_t len;
	int r = sd_journal_query_unique(j, "JOBFLEET_PROGRAM");

	while (r >= 0 && (r = sd_journal_enumerate_unique(j, &data, &len)) > 0)
		r = sd_journal_add_match(j, data, len);
	return r;
}

static void open_journal(struct trail *t, const char *dir)
{
	char *says = t->journal_state;
	size_t size = sizeof t->journal_state;
	int r = dir ? sd_journal_open_directory(&t->journal, dir, 0)
		    : sd_journal_open(&t->journal, SD_JOURNAL_LOCAL_ONLY);

	if (r < 0) {
		t->journal = NULL;
		snprintf(says, size, "cannot be read (%s)", strerror(-r));
		return;
	}
	r = match_programs(t->journal);
	if (r >= 0)
		r = t->since_us ? sd_journal_seek_realtime_usec(t->journal, (uint64_t)t->since_us)
				: sd_journal_seek_head(t->journal);
	if (r < 0)
		snprintf(says, size, "cannot be searched (%s)", strerror(-r));
	else if (!dir && sd_journal_has_runtime_files(t->journal) <= 0 &&
		 sd_journal_has_persistent_files(t->journal) <= 0)
		snprintf(says, size, "there is none here");
	else
		snprintf(says, size, "read");
}

static char *field(sd_journal *j, const char *name)
{
	size_t len = 0, skip = strlen(name) + 1;
	const void *data = NULL;

	if (sd_journal_get_data(j, name, &data, &len) < 0 || len < skip)
		return mem_strdup("");
	return mem_strndup((const char *)data + skip, len - skip);
}

static const char *level_of(const char *priority)
{
	int n = 6;

	scan_int(priority, 0, 7, &n, NULL);
	return log_level_name(n >= 7 ? LOG_LEVEL_DEBUG : n >= 5 ? LOG_LEVEL_INFO :
			      n == 4 ? LOG_LEVEL_WARNING : n == 3 ? LOG_LEVEL_ERROR :
			      LOG_LEVEL_CRITICAL);
}

static bool is_ours(sd_journal *j, const char *task_id, const char *message)
{
	char *id = field(j, "JOBFLEET_TASK_ID");
	bool ours = strcmp(id, task_id) == 0 || has_task(message, task_id);

	free(id);
	return ours;
}

static void tell_entry(sd_journal *j, const char *message, trail_fn *fn, void *ctx)
{
	char *program = field(j, "JOBFLEET_PROGRAM"), *priority = field(j, "PRIORITY");
	char at[CLOCK_ISO_SIZE] = "", *text;
	uint64_t us = 0;
	struct trail_line l = { .at = at, .level = level_of(priority), .program = program,
				.source = "journal" };

	if (sd_journal_get_realtime_usec(j, &us) >= 0)
		clock_iso((int64_t)us, at);
	text = mem_printf("%.23sZ %-8s %s %s", at, l.level, program, message);
	l.text = text;
	fn(ctx, &l);
	free(text);
	free(program);
	free(priority);
}

static int64_t read_journal(struct trail *t, trail_fn *fn, void *ctx)
{
	int64_t n = 0;

	while (t->journal && !interrupted && sd_journal_next(t->journal) > 0) {
		char *message = field(t->journal, "MESSAGE");

		if (is_ours(t->journal, t->task_id, message)) {
			tell_entry(t->journal, message, fn, ctx);
			n++;
		}
		free(message);
	}
	return n;
}

/* ---- the file ---- */

static void open_file(struct trail *t)
{
	if (!*t->path) {
		snprintf(t->file_state, sizeof t->file_state, "not set");
		return;
	}
	t->file = fopen(t->path, "re");
	snprintf(t->file_state, sizeof t->file_state, "%.160s %s", t->path,
		 t->file ? "read" : strerror(errno));
}

/* The next word of a line that is cut apart. */
static char *word(char **rest)
{
	char *at = *rest + strspn(*rest, " ");
	size_t n = strcspn(at, " ");

	*rest = at[n] ? at + n + 1 : at + n;
	at[n] = '\0';
	return at;
}

int trail_parse(const char *line, const char *task_id, char *head, size_t size,
		struct trail_line *ret)
{
	char *rest = head, *bracket;

	if (!has_task(line, task_id))
		return 0;
	snprintf(head, size, "%s", line);
	*ret = (struct trail_line){ .text = line, .source = "file" };
	ret->at = word(&rest);
	ret->level = word(&rest);
	ret->program = word(&rest);
	bracket = strchr(ret->program, '[');
	if (bracket)
		*bracket = '\0';
	return 1;
}

static bool is_old(const struct trail *t, const char *at)
{
	int64_t us = 0;

	return t->since_us && clock_parse_iso(at, &us, NULL) == 0 && us < t->since_us;
}

/* Only whole lines: the rest of one that is just being written comes with the next look. */
static int64_t read_file(struct trail *t, trail_fn *fn, void *ctx)
{
	char *line = NULL, head[HEAD_BYTES];
	struct trail_line l;
	size_t room = 0;
	int64_t n = 0;
	ssize_t len;

	while (t->file && !interrupted) {
		long start = ftell(t->file);

		len = getline(&line, &room, t->file);
		if (len <= 0 || line[len - 1] != '\n') {
			clearerr(t->file);
			fseek(t->file, start, SEEK_SET);
			break;
		}
		line[len - 1] = '\0';
		if (trail_parse(line, t->task_id, head, sizeof head, &l) && !is_old(t, l.at)) {
			fn(ctx, &l);
			n++;
		}
	}
	free(line);
	return n;
}

/* A file that was rotated away is read to its end, then the new one from its start. */
static void reopen_file(struct trail *t)
{
	struct stat have, now;

	if (!*t->path || stat(t->path, &now) < 0)
		return;
	if (t->file && fstat(fileno(t->file), &have) == 0 && have.st_ino == now.st_ino &&
	    have.st_dev == now.st_dev && now.st_size >= ftell(t->file))
		return;
	if (t->file)
		fclose(t->file);
	t->file = fopen(t->path, "re");
}

/* ---- both ---- */

int trail_open(struct trail **ret, const char *task_id, const char *file, const char *dir,
	       const char *since, struct err *e)
{
	int64_t ms = 0;
	struct trail *t;

	if (since && scan_duration_ms(since, &ms, e) < 0)
		return err_prefix(e, "--since");
	t = mem_zalloc(sizeof *t);
	t->task_id = mem_strdup(task_id);
	t->path = mem_strdup(file);
	t->since_us = since ? clock_wall_us() - ms * 1000 : 0;
	open_file(t);
	open_journal(t, dir);
	*ret = t;
	return 0;
}

void trail_close(struct trail *t)
{
	if (!t)
		return;
	if (t->file)
		fclose(t->file);
	sd_journal_close(t->journal);
	free(t->task_id);
	free(t->path);
	free(t);
}

int64_t trail_read(struct trail *t, trail_fn *fn, void *ctx)
{
	int64_t n = read_file(t, fn, ctx);

	return n + read_journal(t, fn, ctx);
}

void trail_follow(struct trail *t, trail_fn *fn, void *ctx)
{
	struct sigaction stop = { .sa_handler = on_signal };

	sigaction(SIGINT, &stop, NULL);
	sigaction(SIGTERM, &stop, NULL);
	while (!interrupted && !ferror(stdout)) {
		struct pollfd out = { .fd = STDOUT_FILENO };

		if (t->journal)
			sd_journal_process(t->journal);
		trail_read(t, fn, ctx);
		reopen_file(t);
		if (poll(&out, 1, LOOK_MS) > 0 && (out.revents & (POLLERR | POLLHUP)))
			return;
	}
}

const char *trail_journal(const struct trail *t)
{
	return t->journal_state;
}

const char *trail_file(const struct trail *t)
{
	return t->file_state;
}

void trail_print_json(const struct trail_line *l, FILE *out)
{
	cJSON *o = mem_check(cJSON_CreateObject());
	char *text;

	json_set_str(o, "at", l->at);
	json_set_str(o, "level", l->level);
	json_set_str(o, "program", l->program);
	json_set_str(o, "source", l->source);
	json_set_str(o, "line", l->text);
	text = json_print(o);
	fprintf(out, "%s\n", text);
	free(text);
	cJSON_Delete(o);
}
