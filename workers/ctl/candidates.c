/* SPDX-License-Identifier: MIT */
#include "workers/ctl/candidates.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/buf.h"
#include "common/base/conf.h"
#include "common/base/mem.h"

enum { HELP_BYTES = 1 << 20, PATH_MAX_WORDS = 2, CHUNK = 4096 };

/* What a help text has: lines "  WORD  what it is" under a title. */
struct help {
	struct buf text;
};

struct search {
	const struct conf *conf;
	const char *typed;
	size_t typed_len;
	const char *prefix;		/* of every candidate: "--queue=" */
	FILE *out;
};

static void offer(const struct search *s, const char *word, size_t len)
{
	size_t skip = strlen(s->prefix);

	if (s->typed_len >= skip && len >= s->typed_len - skip &&
	    strncmp(word, s->typed + skip, s->typed_len - skip) == 0)
		fprintf(s->out, "%s%.*s\n", s->prefix, (int)len, word);
}

/* ---- help ---- */

static void exec_help(char *const *path, size_t n, int to)
{
	const char *argv[PATH_MAX_WORDS + 3] = { "jobfleet" };

	for (size_t i = 0; i < n; i++)
		argv[i + 1] = path[i];
	argv[n + 1] = "--help";
	dup2(to, STDOUT_FILENO);
	execv("/proc/self/exe", (char *const *)argv);
	_exit(1);
}

static void help_load(struct help *h, char *const *path, size_t n)
{
	int ends[2];
	pid_t pid = -1;
	char *room;
	ssize_t got;

	buf_init(&h->text, HELP_BYTES);
	if (pipe(ends) < 0)
		return;
	fflush(NULL);
	pid = fork();
	if (pid == 0)
		exec_help(path, n, ends[1]);
	close(ends[1]);
	while (pid > 0 && (room = buf_reserve(&h->text, CHUNK)) &&
	       (got = read(ends[0], room, CHUNK)) > 0)
		buf_commit(&h->text, (size_t)got);
	close(ends[0]);
	if (pid > 0)
		waitpid(pid, NULL, 0);
}

static void help_release(struct help *h)
{
	buf_release(&h->text);
}

/* The next word under title, from *at on; NULL past the last. */
static const char *help_next(const struct help *h, const char *title, const char **at, size_t *len)
{
	const char *line = *at ? *at : strstr(buf_text(&h->text), title);

	if (!line)
		return NULL;
	if (!*at)
		line += strlen(title);
	for (; strncmp(line, "  ", 2) == 0; line += *line == '\n') {
		const char *word = line + 2;

		line += strcspn(line, "\n");
		*len = strcspn(word, " \n");
		if (*len > 0 && *word != ' ') {
			*at = line + (*line == '\n');
			return word;
		}
	}
	return NULL;
}

#define COMMANDS "\nCommands:\n"
#define METHODS "\nMethods:\n"
#define OPTIONS "\nOptions:\n"

static bool help_has(const struct help *h, const char *title)
{
	return strstr(buf_text(&h->text), title) != NULL;
}

static void offer_all(const struct search *s, const struct help *h, const char *title)
{
	const char *word, *at = NULL;
	size_t len;

	while ((word = help_next(h, title, &at, &len))) {
		const char *equals = memchr(word, '=', len);

		offer(s, word, equals ? (size_t)(equals - word) + 1 : len);
	}
}

/* "--queue" wants a value? */
static bool wants_value(const struct help *h, const char *option)
{
	const char *word, *at = NULL;
	size_t len, n = strlen(option);

	while ((word = help_next(h, OPTIONS, &at, &len))) {
		if (len > n && strncmp(word, option, n) == 0 && word[n] == '=')
			return true;
	}
	return false;
}

/* ---- names ---- */

static void offer_list(const struct search *s, const char *const *words)
{
	for (; *words; words++)
		offer(s, *words, strlen(*words));
}

static void offer_queues(const struct search *s)
{
	for (size_t i = 0; s->conf && i < s->conf->nqueues; i++)
		offer(s, s->conf->queues[i].name, strlen(s->conf->queues[i].name));
}

static void offer_tasks(const struct search *s)
{
	for (size_t i = 0; s->conf && i < s->conf->ntasks; i++)
		offer(s, s->conf->tasks[i].name, strlen(s->conf->tasks[i].name));
}

static void offer_programs(const struct search *s)
{
	const struct conf *c = s->conf;

	for (size_t i = 0; c && i < c->nqueues; i++) {
		const char *program = c->queues[i].program;
		bool told = conf_queue(c, program ? program : "") != NULL;

		for (size_t k = 0; k < i && program && !told; k++)
			told = c->queues[k].program && strcmp(c->queues[k].program, program) == 0;
		if (program && *program && !told)
			offer(s, program, strlen(program));
	}
}

static void offer_schedules(const struct search *s)
{
	for (size_t i = 0; s->conf && i < s->conf->nschedules; i++)
		offer(s, s->conf->schedules[i].name, strlen(s->conf->schedules[i].name));
}

static void offer_alerts(const struct search *s)
{
	for (size_t i = 0; s->conf && i < s->conf->nalerts; i++)
		offer(s, s->conf->alerts[i].name, strlen(s->conf->alerts[i].name));
}

/* option: without its dashes, with or without '=' behind it. */
static void offer_values(const struct search *s, const char *option, size_t len)
{
	static const char *const signals[] = { "SIGTERM", "SIGKILL", "SIGINT", "SIGUSR1", NULL };
	static const char *const causes[] = { "lost", "exhausted", "malformed", "unregistered",
					      "hard_limit", "returned", "expired", NULL };
	static const char *const modes[] = { "reject", "replace", "throttle", NULL };
	static const char *const overlaps[] = { "skip", "allow", "queue", "replace", NULL };
	static const char *const catch_ups[] = { "skip", "last", "all", NULL };
	static const char *const keys[] = {
		"cron", "every", "at", "after", "delay", "timezone", "task", "args", "kwargs", "queue",
		"priority", "overlap", "catch-up", "catch-up-max", "jitter", "condition",
		"max-retries", "retry-distance", "time-limit", "enabled", NULL,
	};
	static const char *const outcomes[] = { "begun", "done", "failed", "refused", NULL };
	char name[64];

	snprintf(name, sizeof name, "%.*s", (int)len, option);
	if (strcmp(name, "queue") == 0 || strcmp(name, "to") == 0)
		offer_queues(s);
	else if (strcmp(name, "task") == 0)
		offer_tasks(s);
	else if (strcmp(name, "signal") == 0)
		offer_list(s, signals);
	else if (strcmp(name, "cause") == 0)
		offer_list(s, causes);
	else if (strcmp(name, "unique-mode") == 0)
		offer_list(s, modes);
	else if (strcmp(name, "overlap") == 0)
		offer_list(s, overlaps);
	else if (strcmp(name, "catch-up") == 0)
		offer_list(s, catch_ups);
	else if (strcmp(name, "outcome") == 0)
		offer_list(s, outcomes);
	else if (strcmp(name, "unset") == 0)
		offer_list(s, keys);
	else if (strcmp(name, "after") == 0)
		offer_schedules(s);
}

static bool is_one_of(const char *word, const char *a, const char *b)
{
	return word && (strcmp(word, a) == 0 || strcmp(word, b) == 0);
}

static void offer_operands(const struct search *s, const char *verb, const char *method)
{
	static const char *const shells[] = { "bash", "zsh", NULL };

	if (strcmp(verb, "enqueue") == 0)
		offer_tasks(s);
	else if (is_one_of(verb, "queues", "purge"))
		offer_queues(s);
	else if (strcmp(verb, "alerts") == 0)
		offer_alerts(s);
	else if (strcmp(verb, "completion") == 0)
		offer_list(s, shells);
	else if (is_one_of(method, "rate_limit", "time_limit"))
		offer_tasks(s);
	else if (is_one_of(method, "add_consumer", "cancel_consumer"))
		offer_queues(s);
	if (strcmp(verb, "scale") == 0) {
		offer_queues(s);
		offer_programs(s);
	}
	if (strcmp(verb, "schedule") == 0)
		offer_schedules(s);
}

/* ---- the line ---- */

/* The next word from *i on that is no option and no option's value; NULL: none. */
static char *next_operand(const struct help *h, char *const *words, size_t n, size_t *i)
{
	while (*i < n) {
		char *word = words[(*i)++];

		if (word[0] != '-')
			return word;
		if (!strchr(word, '=') && (wants_value(h, word) || strcmp(word, "--config") == 0))
			(*i)++;
	}
	return NULL;
}

static void complete(struct search *s, const struct help *h, char *const *path, size_t npath,
		     char *const *words, size_t n, size_t i)
{
	const char *last = n ? words[n - 1] : "", *equals = strchr(s->typed, '='), *method;

	if (strncmp(last, "--", 2) == 0 && !strchr(last, '=') && wants_value(h, last)) {
		offer_values(s, last + 2, strlen(last + 2));
	} else if (strncmp(s->typed, "--", 2) == 0 && equals) {
		char *prefix = mem_strndup(s->typed, (size_t)(equals - s->typed) + 1);

		s->prefix = prefix;
		offer_values(s, s->typed + 2, (size_t)(equals - s->typed) - 2);
		free(prefix);
	} else if (s->typed[0] == '-') {
		offer_all(s, h, OPTIONS);
	} else if (help_has(h, COMMANDS)) {
		offer_all(s, h, COMMANDS);
	} else {
		method = help_has(h, METHODS) ? next_operand(h, words, n, &i) : NULL;
		if (help_has(h, METHODS) && !method)
			offer_all(s, h, METHODS);
		else if (npath > 0)
			offer_operands(s, path[0], method);
	}
}

void candidates_print(const struct conf *conf, char *const *words, size_t n, const char *typed,
		      FILE *out)
{
	struct search s = { .conf = conf, .typed = typed, .typed_len = strlen(typed), .prefix = "",
			    .out = out };
	char *path[PATH_MAX_WORDS] = { NULL };
	size_t npath = 0, i = 0;
	struct help h;

	help_load(&h, path, 0);
	while (npath < PATH_MAX_WORDS && help_has(&h, COMMANDS)) {
		char *word = next_operand(&h, words, n, &i);

		if (!word)
			break;
		if (npath == 0 && strcmp(word, "help") == 0)
			continue;
		path[npath++] = word;
		help_release(&h);
		help_load(&h, path, npath);
	}
	complete(&s, &h, path, npath, words, n, i);
	help_release(&h);
}
