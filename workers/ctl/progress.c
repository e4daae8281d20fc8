/* SPDX-License-Identifier: MIT */
/* progress: a task's states as they come, to its end. */
#include "common/base/buf.h"
#include "common/base/conf.h"
#include "common/base/err.h"
#include "common/base/mem.h"
#include "workers/ctl/args.h"
#include "workers/ctl/await.h"
#include "workers/ctl/ctl.h"
#include "workers/ctl/outcome.h"
#include "workers/ctl/standing.h"

enum { WHY_MAX = 65536 };

/* Where it is, in a sentence, before the first state comes. */
static void introduce(struct ctl *c, const char *id)
{
	struct standing s = { 0 };
	struct buf why;

	if (c->quiet || standing_load(&s, c, id, NULL, NULL) < 0)
		return;
	buf_init(&why, WHY_MAX);
	if (standing_judge(&s, &why) != STANDING_ENDED)
		ctl_note(c, "%.*s", (int)strcspn(buf_text(&why), "\n"), buf_text(&why));
	buf_release(&why);
	standing_release(&s);
}

int progress_main(struct ctl *c, int argc, char **argv, struct err *e)
{
	const char *timeout = NULL;
	const struct args_option options[] = {
		{ "timeout", "DURATION", "how long to wait; 5m, 0 for ever", &timeout, NULL },
		CTL_JSON_OPTION(c), CTL_QUIET_OPTION(c), CTL_CONFIG_OPTION(c),
	};
	const struct args args = {
		.usage = "progress TASK_ID [OPTION...]",
		.about =
			"Shows a task's progress until it ends, then its result: on a terminal a"
			" bar, else a line a\n"
			"change (--json: each state a line of stdout). Exit status 1: the task"
			" failed; 2: no end in time.",
		.options = options,
		.noptions = COUNT(options),
		.least = 1,
		.most = 1,
	};
	const struct conf *conf;
	struct await *a = NULL;
	int64_t timeout_ms = 0;
	char **operands;
	int r = args_parse(&args, argc, argv, &operands, e);

	if (r != 0)
		return r < 0 ? r : CTL_OK;
	r = outcome_timeout(timeout, &timeout_ms, e);
	if (r == 0)
		r = ctl_conf(c, &conf, e);
	if (r == 0)
		r = await_open(&a, conf->fleet.redis_url, operands[0], e);
	if (r == 0) {
		introduce(c, operands[0]);
		r = outcome_follow(c, a, operands[0], timeout_ms, e);
	}
	await_close(a);
	return r;
}
