/* SPDX-License-Identifier: MIT */
#include "common/base/buf.h"
#include "common/base/clock.h"
#include "common/base/conf.h"
#include "common/base/err.h"
#include "common/base/json.h"
#include "common/base/mem.h"
#include "common/base/scan.h"
#include "common/base/uuid.h"
#include "common/broker/message.h"
#include "workers/ctl/args.h"
#include "workers/ctl/await.h"
#include "workers/ctl/bulk.h"
#include "workers/ctl/ctl.h"
#include "workers/ctl/outcome.h"
#include "workers/ctl/send.h"

enum { DEADLINE_LEAST_MS = 100, DEADLINE_MOST_MS = 3600000, OPERANDS_MOST = 16 << 20 };

#define USAGE "enqueue TASK [ARG...] [OPTION...]"

static const char ABOUT[] =
	"Sends one task, or with --from the tasks of a file. An ARG is JSON, or else a text. Prints"
	" the\n"
	"task's id, or with --wait its result as JSON (--json: the whole stored state).\n\n"
	"Within --deadline each task is confirmed by the broker, spooled on this host's disk (the\n"
	"dispatcher or the next enqueue sends it) or rejected with the reason.\n\n"
	"--from: a line is an object with the keys task, args, kwargs, queue, priority, eta,\n"
	"countdown, expires, time_limit, soft_time_limit, id, headers, unique_key, unique_for,\n"
	"unique_mode; TASK and the options say what a line leaves out. Prints a summary.\n\n"
	"Exit status: 0 confirmed (--wait: succeeded), 1 rejected, failed, or a wrong line, 2 no\n"
	"result in time, 3 spooled, 100 wrong usage, 111 neither confirmed nor spooled: try again.";

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
	const char *priority, *countdown, *eta, *expires, *timeout, *deadline, *hard, *soft;
	const char *unique_for, *from;
	struct args_values headers;
};

static int read_duration(const char *text, const char *option, int64_t *ret_ms, struct err *e)
{
	struct err why = { 0 };

	return text && scan_duration_ms(text, ret_ms, &why) < 0 ? wrong(e, option, &why) : 0;
}

static int read_limits(const struct texts *t, struct send *s, struct err *e)
{
	int r = read_duration(t->hard, "--time-limit", &s->hard_ms, e);

	if (r == 0)
		r = read_duration(t->soft, "--soft-time-limit", &s->soft_ms, e);
	if (r == 0)
		r = read_duration(t->unique_for, "--unique-for", &s->unique_for_ms, e);
	if (r == 0)
		r = read_duration(t->deadline, "--deadline", &s->deadline_ms, e);
	if (r == 0 && t->deadline && (s->deadline_ms < DEADLINE_LEAST_MS ||
				      s->deadline_ms > DEADLINE_MOST_MS))
		r = err_set(e, ERR_USAGE, "--deadline: give 100ms to 1h");
	return r;
}

static int read_texts(const struct texts *t, struct send *s, int64_t *ret_timeout_ms, struct err *e)
{
	struct err why = { 0 };
	int64_t ms;
	int r = outcome_timeout(t->timeout, ret_timeout_ms, e);

	if (r == 0)
		r = read_limits(t, s, e);
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

/* JSON as it stands, and anything else a text: 3 is a number, nurse is "nurse". */
static void put_value(struct buf *out, const char *text)
{
	cJSON *value = NULL;

	if (json_parse(text, strlen(text), &value, NULL) == 0)
		buf_puts(out, text);
	else
		buf_put_json_string(out, text);
	cJSON_Delete(value);
}

static char *join_operands(char **operands)
{
	struct buf out;

	buf_init(&out, OPERANDS_MOST);
	buf_putc(&out, '[');
	for (size_t i = 0; operands[i]; i++) {
		if (i)
			buf_puts(&out, ", ");
		put_value(&out, operands[i]);
	}
	buf_putc(&out, ']');
	return buf_take(&out);
}

static int read_headers(const struct args_values *v, cJSON **ret, struct err *e)
{
	cJSON *all = mem_check(cJSON_CreateObject());

	for (int i = 0; i < v->n; i++) {
		const char *sign = strchr(v->texts[i], '=');
		cJSON *value = NULL;
		char *name;

		if (!sign || sign == v->texts[i]) {
			cJSON_Delete(all);
			return err_set(e, ERR_USAGE, "--header: \"%.60s\" is no NAME=JSON",
				       v->texts[i]);
		}
		if (json_parse(sign + 1, strlen(sign + 1), &value, NULL) < 0)
			value = mem_check(cJSON_CreateString(sign + 1));
		name = mem_strndup(v->texts[i], (size_t)(sign - v->texts[i]));
		json_set(all, name, value);
		free(name);
	}
	*ret = all;
	return 0;
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
	if (r >= 0) {
		ctl_note(c, "%s", s->id);
		send_leftovers(c);
		r = outcome_wait(c, a, s->id, timeout_ms, e);
	}
	await_close(a);
	return r;
}

static int send_alone(struct ctl *c, const struct send *s, struct err *e)
{
	int r = send_task(c, s, e);

	if (r < 0)
		return r;
	printf(c->json ? "{\"task_id\": \"%s\"}\n" : "%s\n", s->id);
	fflush(stdout);
	if (r == CTL_OK)
		send_leftovers(c);
	return r;
}

/* Options and operands that do not go together. */
static int check_together(const struct texts *t, const struct send *s, bool wait, bool stop,
			  char **operands, struct err *e)
{
	if (!t->from && !operands[0])
		return err_set(e, ERR_USAGE, "something is missing; usage: jobfleet " USAGE);
	if (!t->from && stop)
		return err_set(e, ERR_USAGE, "--stop-on-error goes with --from");
	if (operands[0] && operands[1] && (s->args || t->from))
		return err_set(e, ERR_USAGE, "\"%.60s\" is an argument of the task: leave out %s",
			       operands[1], s->args ? "--args" : "--from");
	if (t->from && (wait || s->id || s->args || s->kwargs))
		return err_set(e, ERR_USAGE,
			       "--from does not go with --wait, --id, --args, --kwargs: "
			       "each line has its own");
	return 0;
}

static int send_any(struct ctl *c, struct send *s, const struct texts *t, int64_t timeout_ms,
		    bool wait, bool stop, struct err *e)
{
	struct bulk b = { .path = t->from, .defaults = *s, .stop_on_error = stop };
	char id[UUID_SIZE];

	if (t->from)
		return bulk_send(c, &b, e);
	uuid_v4(id);
	s->id = s->id ? s->id : id;
	return wait ? send_and_wait(c, s, timeout_ms, e) : send_alone(c, s, e);
}

int enqueue_main(struct ctl *c, int argc, char **argv, struct err *e)
{
	struct send s = { .priority = MESSAGE_NO_PRIORITY };
	struct texts t = { 0 };
	bool wait = false, stop = false;
	const struct args_option options[] = {
		{ "args", "JSON", "positional arguments: an array", &s.args, NULL },
		{ "kwargs", "JSON", "keyword arguments: an object", &s.kwargs, NULL },
		{ "queue", "NAME", "where it goes, if not as queues.conf says", &s.queue, NULL },
		{ "priority", "0-9", "higher goes first", &t.priority, NULL },
		{ "countdown", "DURATION", "due then: 90, 10m, 2h", &t.countdown, NULL },
		{ "eta", "TIME", "due then: 2026-11-21T20:15:00+00:00", &t.eta, NULL },
		{ "expires", "WHEN", "worthless after: a duration or a time", &t.expires, NULL },
		{ "id", "ID", "the task's id, if not a fresh one", &s.id, NULL },
		{ "time-limit", "DURATION", "killed after", &t.hard, NULL },
		{ "soft-time-limit", "DURATION", "told to end after", &t.soft, NULL },
		{ "header", "NAME=JSON", "a header of the message; may be repeated", NULL, NULL,
		  &t.headers },
		{ "unique-key", "KEY", "one such task at a time", &s.unique_key, NULL },
		{ "unique-for", "DURATION", "and no longer than this", &t.unique_for, NULL },
		{ "unique-mode", "MODE", "reject, replace or throttle", &s.unique_mode, NULL },
		{ "wait", NULL, "wait for the result and print it", NULL, &wait },
		{ "timeout", "DURATION", "how long to wait; 5m, 0 for ever", &t.timeout, NULL },
		{ "deadline", "DURATION", "when to stop trying; enqueue_timeout", &t.deadline,
		  NULL },
		{ "from", "FILE|-", "tasks from a file of JSON lines", &t.from, NULL },
		{ "stop-on-error", NULL, "with --from: end at the first wrong line", NULL, &stop },
		CTL_JSON_OPTION(c), CTL_QUIET_OPTION(c), CTL_CONFIG_OPTION(c),
	};
	const struct args args = {
		.usage = USAGE, .about = ABOUT, .options = options, .noptions = COUNT(options),
		.least = 0, .most = -1,
	};
	int64_t timeout_ms = 0;
	cJSON *headers = NULL;
	char **operands, *joined = NULL;
	int r = args_parse(&args, argc, argv, &operands, e);

	if (r != 0)
		return r < 0 ? r : CTL_OK;
	r = check_together(&t, &s, wait, stop, operands, e);
	if (r == 0)
		r = read_texts(&t, &s, &timeout_ms, e);
	if (r == 0)
		r = read_headers(&t.headers, &headers, e);
	if (r == 0) {
		s.task = operands[0];
		s.headers = headers;
		if (s.task && operands[1])
			s.args = joined = join_operands(operands + 1);
		r = send_any(c, &s, &t, timeout_ms, wait, stop, e);
	}
	cJSON_Delete(headers);
	free(joined);
	return r;
}
