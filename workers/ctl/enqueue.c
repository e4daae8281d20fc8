/* SPDX-License-Identifier: MIT */
#include "common/base/clock.h"
#include "common/base/conf.h"
#include "common/base/err.h"
#include "common/base/mem.h"
#include "common/base/scan.h"
#include "common/base/uuid.h"
#include "common/broker/message.h"
#include "workers/ctl/args.h"
#include "workers/ctl/await.h"
#include "workers/ctl/ctl.h"
#include "workers/ctl/outcome.h"
#include "workers/ctl/send.h"

static int wrong(struct err *e, const char *option, const struct err *why)
{
	return err_set(e, ERR_USAGE, "%s: %s", option, why->msg);
}

/* A duration from now, or a point in time. */
static int read_time(const char *text, const char *option, int64_t *ret_us, struct err *e)
{
	struct err why = { 0 };
	int64_t ms;

	if (scan_duration_ms(text, &ms, &why) == 0) {
		*ret_us = clock_wall_us() + ms * 1000;
		return 0;
	}
	if (clock_parse_iso(text, ret_us, NULL) == 0)
		return 0;
	return err_set(e, ERR_USAGE,
		       "%s: \"%.60s\" is neither a duration such as 10m nor a time such as "
		       "2026-11-21T20:15:00+00:00",
		       option, text);
}

struct texts {
	const char *priority, *countdown, *eta, *expires, *timeout;
};

static int read_texts(const struct texts *t, struct send *s, int64_t *ret_timeout_ms, struct err *e)
{
	struct err why = { 0 };
	int64_t ms;
	int r = outcome_timeout(t->timeout, ret_timeout_ms, e);

	if (r < 0)
		return r;
	if (t->priority && scan_int(t->priority, 0, 9, &s->priority, &why) < 0)
		return wrong(e, "--priority", &why);
	if (t->countdown && t->eta)
		return err_set(e, ERR_USAGE, "--countdown and --eta say the same thing: give one");
	if (t->countdown && scan_duration_ms(t->countdown, &ms, &why) < 0)
		return wrong(e, "--countdown", &why);
	if (t->countdown)
		s->eta_us = clock_wall_us() + ms * 1000;
	if (t->eta && clock_parse_iso(t->eta, &s->eta_us, &why) < 0)
		return wrong(e, "--eta", &why);
	return t->expires ? read_time(t->expires, "--expires", &s->expires_us, e) : 0;
}

static int send_and_wait(struct ctl *c, const struct send *s, int64_t timeout_ms, struct err *e)
{
	const struct conf *conf;
	struct await *a = NULL;
	int r = ctl_conf(c, &conf, e);

	if (r == 0)
		r = await_open(&a, conf->fleet.redis_url, s->id, e);
	if (r == 0)
		r = send_task(c, s, e);
	if (r == 0) {
		ctl_note(c, "%s", s->id);
		r = outcome_wait(c, a, s->id, timeout_ms, e);
	}
	await_close(a);
	return r;
}

int enqueue_main(struct ctl *c, int argc, char **argv, struct err *e)
{
	struct send s = { .priority = MESSAGE_NO_PRIORITY };
	struct texts t = { 0 };
	bool wait = false;
	const struct args_option options[] = {
		{ "args", "JSON", "positional arguments: an array", &s.args, NULL },
		{ "kwargs", "JSON", "keyword arguments: an object", &s.kwargs, NULL },
		{ "queue", "NAME", "where it goes, if not as queues.conf says", &s.queue, NULL },
		{ "priority", "0-9", "higher goes first", &t.priority, NULL },
		{ "countdown", "DURATION", "due then: 90, 10m, 2h", &t.countdown, NULL },
		{ "eta", "TIME", "due then: 2026-11-21T20:15:00+00:00", &t.eta, NULL },
		{ "expires", "WHEN", "worthless after: a duration or a time", &t.expires, NULL },
		{ "id", "ID", "the task's id, if not a fresh one", &s.id, NULL },
		{ "wait", NULL, "wait for the result and print it", NULL, &wait },
		{ "timeout", "DURATION", "how long to wait; 5m, 0 for ever", &t.timeout, NULL },
		CTL_JSON_OPTION(c), CTL_QUIET_OPTION(c), CTL_CONFIG_OPTION(c),
	};
	const struct args args = {
		.usage = "enqueue TASK [OPTION...]",
		.about =
			"Sends one task, and ends when the broker has confirmed it. Prints the"
			" task's id, or\n"
			"with --wait its result as JSON (--json: the whole stored state).",
		.options = options,
		.noptions = COUNT(options),
		.least = 1,
		.most = 1,
	};
	int64_t timeout_ms = 0;
	char **operands, id[UUID_SIZE];
	int r = args_parse(&args, argc, argv, &operands, e);

	if (r != 0)
		return r < 0 ? r : CTL_OK;
	s.task = operands[0];
	uuid_v4(id);
	s.id = s.id ? s.id : id;
	r = read_texts(&t, &s, &timeout_ms, e);
	if (r == 0 && wait)
		return send_and_wait(c, &s, timeout_ms, e);
	if (r == 0)
		r = send_task(c, &s, e);
	if (r == 0 && c->json)
		printf("{\"task_id\": \"%s\"}\n", s.id);
	else if (r == 0)
		printf("%s\n", s.id);
	return r;
}
