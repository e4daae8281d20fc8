/* SPDX-License-Identifier: MIT */
/* logs: the lines of one task, from the journal and from log_file. */
#include "common/base/conf.h"
#include "common/base/err.h"
#include "common/base/mem.h"
#include "workers/ctl/args.h"
#include "workers/ctl/ctl.h"
#include "workers/ctl/trail.h"

static void print_line(void *ctx, const struct trail_line *l)
{
	const struct ctl *c = ctx;

	if (c->json)
		trail_print_json(l, stdout);
	else
		printf("%s\n", l->text);
	fflush(stdout);
}

/* Nothing found is no answer before both places are named. */
static int tell_nothing(const struct trail *t, const char *id, struct err *e)
{
	return err_set(e, ERR_NOT_FOUND, "no lines of task %.100s; journal: %s; log_file: %s", id,
		       trail_journal(t), trail_file(t));
}

int logs_main(struct ctl *c, int argc, char **argv, struct err *e)
{
	const char *since = NULL, *file = NULL, *dir = NULL;
	bool follow = false;
	const struct args_option options[] = {
		{ "follow", NULL, "wait for more lines until interrupted", NULL, &follow },
		{ "since", "DURATION", "only lines of the last so long; all", &since, NULL },
		{ "file", "FILE", "this file instead of log_file", &file, NULL },
		{ "journal", "DIR", "this journal instead of the host's", &dir, NULL },
		CTL_JSON_OPTION(c), CTL_QUIET_OPTION(c), CTL_CONFIG_OPTION(c),
	};
	const struct args args = {
		.usage = "logs TASK_ID [OPTION...]",
		.about =
			"Prints the lines that this host's workers logged about a task, from the"
			" journal and from\n"
			"log_file. What went to a worker's stderr without systemd, or to"
			" another host, is not found.\n"
			"Exit status 1: there are none.",
		.options = options,
		.noptions = COUNT(options),
		.least = 1,
		.most = 1,
	};
	struct trail *t = NULL;
	const struct conf *conf;
	char **operands;
	int64_t found = 0;
	int r = args_parse(&args, argc, argv, &operands, e);

	if (r != 0)
		return r < 0 ? r : CTL_OK;
	r = ctl_conf(c, &conf, e);
	if (r == 0)
		r = trail_open(&t, operands[0], file ? file : conf->fleet.log_file, dir,
			       since, e);
	if (r == 0)
		found = trail_read(t, print_line, c);
	if (r == 0 && follow) {
		ctl_note(c, "journal: %s; log_file: %s; following", trail_journal(t),
			 trail_file(t));
		trail_follow(t, print_line, c);
	} else if (r == 0 && found == 0) {
		r = tell_nothing(t, operands[0], e);
	}
	trail_close(t);
	return r;
}
