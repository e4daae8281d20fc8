/* SPDX-License-Identifier: MIT */
/* jobfleet: the operator's command line. One row a command; each family has a file of its own. */
#include <stdlib.h>
#include <string.h>

#include "common/base/conf.h"
#include "common/base/err.h"
#include "common/base/mem.h"
#include "common/base/near.h"
#include "common/base/secrets.h"
#include "workers/ctl/action.h"
#include "workers/ctl/ctl.h"

static const struct {
	const char *name, *about;
	ctl_fn *run;
} COMMANDS[] = {
	{ "enqueue", "send a task, confirmed by the broker; --wait for its result", enqueue_main },
	{ "result", "show a task's result", result_main },
	{ "collect", "collect postings for a query and a place", collect_main },
	{ "salary", "salary figures for an occupation and a place", salary_main },
	{ "pipeline", "state of collections, postings and loads; run: all stages for one query",
	  pipeline_main },
	{ "reprocess", "let stored answers go through today's rules again", reprocess_main },
	{ "status", "every component: state, reason, last proof; the exit status is the worst",
	  status_main },
	{ "workers", "worker programs and what they do", workers_main },
	{ "queues", "queues: depth, rates, age of the oldest, pauses", queues_main },
	{ "top", "queues, workers, running tasks and rates, live", top_main },
	{ "report", "what the fleet did over a time, as one HTML page with plots", report_main },
	{ "revoke", "keep tasks from starting; --terminate ends those that run", revoke_main },
	{ "pause", "let queues, tasks or all stand still; alone: what is paused", pause_main },
	{ "resume", "let them go on", resume_main },
	{ "inspect", "ask running workers: ping, active, reserved, stats, ...", inspect_main },
	{ "control", "tell running workers: rate_limit, time_limit, autoscale, ...", control_main },
	{ "scheduled", "what waits for its time, a retry or a release", scheduled_main },
	{ "progress", "a task's progress, live, then its result", progress_main },
	{ "logs", "what this host's workers logged about a task", logs_main },
	{ "audit", "prove that whatever was accepted is somewhere, or name what is missing",
	  audit_main },
	{ "explain", "what happened to a task, and why it is not further", explain_main },
	{ "doctor", "check services, rights, settings, room and clocks", doctor_main },
	{ "scale", "how many children a node, or a queue's or program's nodes, have", scale_main },
	{ "purge", "drop what is ready in a queue, for good", purge_main },
	{ "dlq", "dead letters: list, show, replay, drop", dlq_main },
	{ "schedule", "schedules: when they fire and how it went; add, change, pause, run",
	  schedule_main },
	{ "alerts", "what is wrong; rules, silence, ack, test", alerts_main },
	{ "actions", "what operators did: who, when, how it ended", actions_main },
	{ "drill", "a load whose every effect is counted: lost, twice, unexpected", drill_main },
	{ "completion", "scripts that complete command lines in bash and zsh", completion_main },
	{ "parse", "run the rules of processing on JSON lines: salary, location, level, ...",
	  parse_main },
	{ "search", "find postings by words and by meaning", search_main },
	{ "migrate", "bring the database's schema up to date", migrate_main },
	{ "config", "check: every setting and where it came from", config_main },
};

static void print_help(void)
{
	printf("usage: jobfleet COMMAND [OPTION...]\n\nCommands:\n");
	for (size_t i = 0; i < COUNT(COMMANDS); i++)
		printf("  %-10s %s\n", COMMANDS[i].name, COMMANDS[i].about);
	printf("\njobfleet help COMMAND tells more. Exit status: 0 done, 1 failed, 2 no result in"
	       " time,\n3 spooled, 100 wrong usage or configuration, 111 a service is away, try "
	       "again.\n");
}

static int unknown(const char *word, struct err *e)
{
	struct near n;

	near_init(&n, word);
	for (size_t i = 0; i < COUNT(COMMANDS); i++)
		near_offer(&n, COMMANDS[i].name);
	if (n.word)
		return err_set(e, ERR_USAGE, "no command \"%.40s\"; did you mean %s?", word,
			       n.word);
	return err_set(e, ERR_USAGE, "no command \"%.40s\"; jobfleet --help lists them", word);
}

/* --config and --json may also stand before the command. Returns the command's place in argv. */
static int leading_options(struct ctl *c, int argc, char **argv, struct err *e)
{
	int i = 1;

	for (; i < argc && argv[i][0] == '-'; i++) {
		if (strcmp(argv[i], "--json") == 0)
			c->json = true;
		else if (strcmp(argv[i], "--quiet") == 0)
			c->quiet = true;
		else if (strncmp(argv[i], "--config=", 9) == 0)
			c->config = argv[i] + 9;
		else if (strcmp(argv[i], "--config") == 0 && i + 1 < argc)
			c->config = argv[++i];
		else if (strcmp(argv[i], "--config") == 0)
			return err_set(e, ERR_USAGE, "--config needs a value");
		else
			return err_set(e, ERR_USAGE,
				       "no option %.60s before the command; jobfleet --help "
				       "shows the usage",
				       argv[i]);
	}
	return i;
}

/* The parser of options moves them about. */
static void keep_words(struct ctl *c, int n, char **words)
{
	free(c->words);
	c->words = mem_alloc((size_t)n * sizeof *words);
	memcpy(c->words, words, (size_t)n * sizeof *words);
	c->nwords = n;
}

static int run(struct ctl *c, int argc, char **argv, struct err *e);

/* help VERB... is VERB... --help */
static int help(struct ctl *c, int argc, char **argv, struct err *e)
{
	char **words, *dashes = (char[]){ "--help" };
	int r;

	if (argc < 3) {
		print_help();
		return CTL_OK;
	}
	words = mem_alloc((size_t)(argc + 1) * sizeof *words);
	words[0] = argv[0];
	for (int i = 2; i < argc; i++)
		words[i - 1] = argv[i];
	words[argc - 1] = dashes;
	words[argc] = NULL;
	r = run(c, argc, words, e);
	free(words);
	return r;
}

static int run(struct ctl *c, int argc, char **argv, struct err *e)
{
	int at;

	if (argc > 1 && strcmp(argv[1], "--version") == 0) {
		printf("jobfleet %s\n", JOBFLEET_VERSION);
		return CTL_OK;
	}
	if (argc > 1 && strcmp(argv[1], "--help") == 0) {
		print_help();
		return CTL_OK;
	}
	if (argc > 1 && strcmp(argv[1], "help") == 0)
		return help(c, argc, argv, e);
	at = leading_options(c, argc, argv, e);
	if (at < 0)
		return at;
	if (at >= argc)
		return err_set(e, ERR_USAGE, "no command; jobfleet --help lists them");
	keep_words(c, argc - at, argv + at);
	for (size_t i = 0; i < COUNT(COMMANDS); i++) {
		if (strcmp(COMMANDS[i].name, argv[at]) == 0)
			return COMMANDS[i].run(c, argc - at, argv + at, e);
	}
	return unknown(argv[at], e);
}

int main(int argc, char **argv)
{
	struct ctl c = { 0 };
	struct err e = { 0 };
	int r;

	secrets_no_core();
	r = run(&c, argc, argv, &e);
	action_end(&c, r, &e);
	if (r < 0) {
		/* a wrong file has several errors, one a line; e has only the first */
		if (e.code == ERR_CONFIG && !c.conf && *conf_errors())
			fprintf(stderr, "%s", conf_errors());
		else
			fprintf(stderr, "jobfleet: %s\n", e.msg);
		r = ctl_exit_code(&e);
	}
	ctl_release(&c);
	free(c.words);
	if (fflush(stdout) != 0 && r == CTL_OK)
		r = CTL_AGAIN;
	return r;
}
