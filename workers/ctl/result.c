/* SPDX-License-Identifier: MIT */
#include "common/base/conf.h"
#include "common/base/err.h"
#include "common/base/mem.h"
#include "workers/ctl/args.h"
#include "workers/ctl/await.h"
#include "workers/ctl/ctl.h"
#include "workers/ctl/meta.h"
#include "workers/ctl/outcome.h"

static int look(struct ctl *c, struct await *a, const char *id, struct err *e)
{
	struct meta m = { 0 };
	int r = await_look(a, &m, e);

	if (r < 0)
		return r;
	if (r == 0)
		return outcome_look_further(c, id, e);
	if (m.final)
		r = outcome_print(c, &m);
	else if (c->json)
		printf("%s\n", m.text);
	else
		fprintf(stderr, "jobfleet: task %s: %s %s\n", id, m.status, m.step);
	r = m.final ? r : CTL_TIMEOUT;
	meta_release(&m);
	return r;
}

int result_main(struct ctl *c, int argc, char **argv, struct err *e)
{
	const char *timeout = NULL;
	bool wait = false;
	const struct args_option options[] = {
		{ "wait", NULL, "wait until there is one", NULL, &wait },
		{ "timeout", "DURATION", "how long to wait; 5m, 0 for ever", &timeout, NULL },
		CTL_JSON_OPTION(c), CTL_QUIET_OPTION(c), CTL_CONFIG_OPTION(c),
	};
	const struct args args = {
		.usage = "result ID [OPTION...]",
		.about =
			"Prints a task's result as JSON (--json: the whole stored state). Exit"
			" status 1: the\n"
			"task failed or is not known; 2: it has not ended yet.",
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
	if (r == 0)
		r = wait ? outcome_wait(c, a, operands[0], timeout_ms, e)
			 : look(c, a, operands[0], e);
	await_close(a);
	return r;
}
