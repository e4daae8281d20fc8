/* SPDX-License-Identifier: MIT */
#include "workers/ctl/remote.h"

#include "common/base/buf.h"
#include "common/base/err.h"
#include "common/base/json.h"
#include "common/base/mem.h"
#include "common/base/scan.h"
#include "workers/ctl/action.h"
#include "workers/ctl/args.h"
#include "workers/ctl/ctl.h"
#include "workers/ctl/method.h"
#include "workers/ctl/outline.h"
#include "workers/ctl/pidbox.h"

enum { NODES_MAX = 1000, TIMEOUT_MAX_MS = 3600000, JSON_MAX = 256 << 20 };

static int read_timeout(const char *text, int *ret_ms, struct err *e)
{
	int64_t ms;

	*ret_ms = REMOTE_TIMEOUT_MS;
	if (!text)
		return 0;
	if (scan_duration_ms(text, &ms, e) < 0) {
		e->code = ERR_USAGE;
		return err_prefix(e, "--timeout");
	}
	if (ms < 1 || ms > TIMEOUT_MAX_MS)
		return err_set(e, ERR_USAGE, "--timeout must be 1ms to 1h");
	*ret_ms = (int)ms;
	return 0;
}

struct names {
	char *items[NODES_MAX];
	size_t n;
};

/* The nodes of --destination. */
static struct names *split(const struct remote *r)
{
	struct names *names = mem_zalloc(sizeof *names);

	for (int i = 0; i < r->nodes.n; i++) {
		char *save = NULL, *copy = mem_strdup(r->nodes.texts[i]);

		for (char *one = strtok_r(copy, ",", &save); one && names->n < NODES_MAX;
		     one = strtok_r(NULL, ",", &save))
			names->items[names->n++] = mem_strdup(one);
		free(copy);
	}
	return names;
}

static void names_free(struct names *names)
{
	for (size_t i = 0; i < names->n; i++)
		free(names->items[i]);
	free(names);
}

int remote_ask(struct ctl *c, const struct remote *r, const char *method, const char *arguments,
	       struct pidbox_replies *ret, struct err *e)
{
	struct names *names = split(r);
	struct pidbox_request q = { .method = method, .arguments = arguments,
				    .nodes = (const char *const *)names->items,
				    .nnodes = names->n };
	struct pidbox *p = NULL;
	int timeout_ms = 0, got = read_timeout(r->timeout, &timeout_ms, e);

	/* an empty variable in a script must not mean every node */
	if (got == 0 && r->nodes.n > 0 && names->n == 0)
		got = err_set(e, ERR_USAGE, "--destination names no node");
	if (got == 0)
		got = ctl_pidbox(c, &p, e);
	if (got == 0)
		got = pidbox_broadcast(p, &q, timeout_ms, ret, e);
	names_free(names);
	return got;
}

/* The error's text, or NULL. */
static const char *error_of(const cJSON *reply)
{
	return json_str(reply, "error", NULL);
}

size_t remote_errors(const struct pidbox_replies *replies)
{
	size_t n = 0;

	for (size_t i = 0; i < replies->n; i++) {
		const char *json = replies->items[i].json;
		cJSON *o = NULL;

		if (json_parse(json, strlen(json), &o, NULL) == 0)
			n += error_of(o) != NULL;
		cJSON_Delete(o);
	}
	return n;
}

char *remote_json(const struct pidbox_replies *replies)
{
	struct buf out;

	buf_init(&out, JSON_MAX);
	buf_putc(&out, '{');
	for (size_t i = 0; i < replies->n; i++) {
		buf_puts(&out, i ? ", " : "");
		buf_put_json_string(&out, replies->items[i].node);
		buf_puts(&out, ": ");
		buf_puts(&out, replies->items[i].json);
	}
	buf_putc(&out, '}');
	return buf_take(&out);
}

static void print_one(const struct pidbox_reply *one)
{
	cJSON *o = NULL;
	const cJSON *ok;

	if (json_parse(one->json, strlen(one->json), &o, NULL) < 0)
		return;
	ok = json_get(o, "ok");
	if (error_of(o)) {
		char *title = mem_printf("%s: error", one->node);

		outline_print(title, json_get(o, "error"), stdout);
		free(title);
	} else {
		outline_print(one->node, ok && cJSON_GetArraySize(o) == 1 ? ok : o, stdout);
	}
	cJSON_Delete(o);
}

int remote_silent(const struct ctl *c, const struct remote *r,
		  const struct pidbox_replies *replies)
{
	struct names *names = split(r);
	int silent = 0;

	for (size_t i = 0; i < names->n; i++) {
		if (!pidbox_reply_of(replies, names->items[i])) {
			ctl_note(c, "jobfleet: %s did not answer", names->items[i]);
			silent++;
		}
	}
	names_free(names);
	return silent;
}

int remote_print(const struct ctl *c, const struct remote *r, const struct pidbox_replies *replies)
{
	if (c->json) {
		char *text = remote_json(replies);

		printf("%s\n", text);
		free(text);
	}
	for (size_t i = 0; i < replies->n && !c->json; i++)
		print_one(&replies->items[i]);
	if (replies->n == 0)
		fprintf(stderr, "jobfleet: no node answered in time\n");
	if (replies->n == 0 || remote_silent(c, r, replies) > 0)
		return CTL_TIMEOUT;
	return remote_errors(replies) ? CTL_FAILED : CTL_OK;
}

/* A method that nobody answers goes to those who answer a ping. */
static int send_silently(struct ctl *c, const struct remote *r, const char *method,
			 const char *arguments, struct err *e)
{
	struct pidbox_replies there = { 0 };
	struct pidbox_request q = { .method = method, .arguments = arguments };
	const char **names;
	struct pidbox *p = NULL;
	int got = remote_ask(c, r, "ping", NULL, &there, e);

	if (got == 0)
		got = ctl_pidbox(c, &p, e);
	if (got < 0)
		return got;
	names = mem_alloc((there.n + 1) * sizeof *names);
	for (size_t i = 0; i < there.n; i++)
		names[i] = there.items[i].node;
	q.nodes = names;
	q.nnodes = there.n;
	if (there.n > 0)
		got = pidbox_broadcast(p, &q, 0, &(struct pidbox_replies){ 0 }, e);
	for (size_t i = 0; got == 0 && i < there.n; i++) {
		free(there.items[i].json);
		there.items[i].json = mem_strdup("{\"ok\": \"sent\"}");
	}
	if (got == 0)
		got = remote_print(c, r, &there);
	free(names);
	pidbox_replies_release(&there);
	return got;
}

static int call(struct ctl *c, const struct remote *r, const struct method *m, const char *name,
		const char *arguments, struct err *e)
{
	struct pidbox_replies replies = { 0 };
	int got;

	if (m && m->silent)
		return send_silently(c, r, m->name, arguments, e);
	got = remote_ask(c, r, m ? m->name : name, arguments, &replies, e);
	if (got == 0)
		got = remote_print(c, r, &replies);
	pidbox_replies_release(&replies);
	return got;
}

static int check_object(const char *text, struct err *e)
{
	cJSON *o = NULL;
	int r = json_parse(text, strlen(text), &o, e);
	bool right = r == 0 && cJSON_IsObject(o);

	cJSON_Delete(o);
	return right ? 0 : err_set(e, ERR_USAGE, "--arguments must be a JSON object, such as "
						 "'{\"n\": 2}'");
}

static int remote_main(struct ctl *c, enum method_kind kind, const struct args *shape, int argc,
		       char **argv, struct remote *remote, const char **arguments, struct err *e)
{
	char **operands, *made = NULL;
	const struct method *m;
	int r = args_parse(shape, argc, argv, &operands, e);

	if (r == 1) {
		printf("\nMethods:\n");
		method_list(kind, stdout);
	}
	if (r != 0)
		return r < 0 ? r : CTL_OK;
	m = method_find(operands[0], kind, e);
	if (*arguments && operands[1])
		return err_set(e, ERR_USAGE, "give arguments as words or as --arguments, not both");
	if (*arguments)
		r = check_object(*arguments, e);
	else
		r = m ? method_arguments(m, operands + 1, &made, e) : -ERR_USAGE;
	if (r == 0 && kind == METHOD_CONTROL)
		r = action_begin(c, "control", e);
	if (r == 0)
		r = call(c, remote, m, operands[0], *arguments ? *arguments : made, e);
	free(made);
	return r;
}

int inspect_main(struct ctl *c, int argc, char **argv, struct err *e)
{
	struct remote remote = { 0 };
	const char *arguments = NULL;
	const struct args_option options[] = {
		REMOTE_DESTINATION_OPTION(&remote), REMOTE_TIMEOUT_OPTION(&remote),
		{ "arguments", "JSON", "arguments as an object; any method then", &arguments, NULL },
		CTL_JSON_OPTION(c), CTL_QUIET_OPTION(c), CTL_CONFIG_OPTION(c),
	};
	const struct args args = {
		.usage = "inspect METHOD [ARGUMENT...] [OPTION...]",
		.about =
			"Asks running workers, Celery's too, and prints what each answers.\n"
			"Exit status 1: a node answered with an error; 2: nobody answered in"
			" time, or a node of\n"
			"--destination did not.",
		.options = options, .noptions = COUNT(options), .least = 1, .most = -1,
	};

	return remote_main(c, METHOD_INSPECT, &args, argc, argv, &remote, &arguments, e);
}

int control_main(struct ctl *c, int argc, char **argv, struct err *e)
{
	struct remote remote = { 0 };
	const char *arguments = NULL;
	const struct args_option options[] = {
		REMOTE_DESTINATION_OPTION(&remote), REMOTE_TIMEOUT_OPTION(&remote),
		{ "arguments", "JSON", "arguments as an object; any method then", &arguments, NULL },
		CTL_JSON_OPTION(c), CTL_QUIET_OPTION(c), CTL_CONFIG_OPTION(c),
	};
	const struct args args = {
		.usage = "control METHOD [ARGUMENT...] [OPTION...]",
		.about =
			"Tells running workers, Celery's too, to do something, and prints what"
			" each answers.\n"
			"What is changed so holds until the worker ends. Exit status 1: a node"
			" answered with an\n"
			"error; 2: nobody answered in time, or a node of --destination did not.",
		.options = options, .noptions = COUNT(options), .least = 1, .most = -1,
	};

	return remote_main(c, METHOD_CONTROL, &args, argc, argv, &remote, &arguments, e);
}
