/* SPDX-License-Identifier: MIT */
#include "workers/ctl/method.h"

#include <limits.h>

#include "common/base/buf.h"
#include "common/base/err.h"
#include "common/base/json.h"
#include "common/base/mem.h"
#include "common/base/near.h"
#include "common/base/scan.h"

enum { NAME_BYTES = 40, LABEL_WIDTH = 44 };

#define I METHOD_INSPECT
#define C METHOD_CONTROL

static const struct method METHODS[] = {
	{ "ping", NULL, I, "", "is it there?" },
	{ "stats", NULL, I, "", "counters, pool, broker, resources" },
	{ "active", "dump_active", I, "safe:b?", "tasks that run" },
	{ "reserved", "dump_reserved", I, "", "tasks that were received and wait for a child" },
	{ "scheduled", "dump_schedule", I, "", "tasks with an ETA that the worker holds" },
	{ "registered", "dump_tasks", I, "taskinfoitems*", "tasks it knows, with these attributes" },
	{ "revoked", "dump_revoked", I, "", "ids it will not run" },
	{ "active_queues", NULL, I, "", "queues it consumes" },
	{ "conf", "dump_conf", I, "with_defaults:b?", "settings, passwords masked" },
	{ "report", NULL, I, "", "versions, for a bug report" },
	{ "clock", NULL, I, "", "its logical clock" },
	{ "query_task", NULL, I, "ids*", "what it does with these tasks" },
	{ "hello", NULL, I, "from_node", "what a node tells one that starts" },
	{ "memsample", NULL, I, "", "memory now" },
	{ "memdump", NULL, I, "samples:i?", "the memory samples so far" },
	{ "objgraph", NULL, I, "type? num:i? max_depth:i?", "Python workers' object graph" },
	{ "revoke", NULL, C, "task_id*", "refuse these tasks (jobfleet revoke also keeps it)" },
	{ "terminate", NULL, C, "signal task_id*", "refuse them, and signal those that run" },
	{ "revoke_by_stamped_headers", NULL, C, "headers*", "refuse tasks with these NAME=VALUE stamps" },
	{ "rate_limit", NULL, C, "task_name rate_limit", "starts of a task: 10/m, 0.5/s; 0 = no limit" },
	{ "time_limit", NULL, C, "task_name soft:f hard:f?", "seconds a task may run" },
	{ "pool_grow", NULL, C, "n:i?", "more children; 1" },
	{ "pool_shrink", NULL, C, "n:i?", "fewer children; 1" },
	{ "autoscale", NULL, C, "max:i min:i?", "most and fewest children" },
	{ "add_consumer", NULL, C, "queue exchange? exchange_type? routing_key?", "consume this queue, too" },
	{ "cancel_consumer", NULL, C, "queue", "consume this queue no longer" },
	{ "enable_events", NULL, C, "", "send task events" },
	{ "disable_events", NULL, C, "", "send no task events" },
	{ "heartbeat", NULL, C, "", "send a heartbeat event now" },
	{ "pool_restart", NULL, C, "", "new children for old" },
	{ "election", NULL, C, "id topic action?", "gossip's elections" },
	{ "shutdown", NULL, C, "", "finish what runs, then leave", .silent = true },
};

#undef I
#undef C

const struct method *method_find(const char *name, enum method_kind kind, struct err *e)
{
	struct near near;

	near_init(&near, name);
	for (size_t i = 0; i < COUNT(METHODS); i++) {
		const struct method *m = &METHODS[i];

		if (m->kind != kind)
			continue;
		if (strcmp(m->name, name) == 0 || (m->alias && strcmp(m->alias, name) == 0))
			return m;
		near_offer(&near, m->name);
	}
	for (size_t i = 0; i < COUNT(METHODS) && !near.word; i++) {
		if (strcmp(METHODS[i].name, name) == 0) {
			err_set(e, ERR_USAGE, "%s is a method of jobfleet %s", name,
				kind == METHOD_INSPECT ? "control" : "inspect");
			return NULL;
		}
	}
	if (near.word)
		err_set(e, ERR_USAGE, "no method \"%.40s\"; did you mean %s?", name,
			near.word);
	else
		err_set(e, ERR_USAGE, "no method \"%.40s\": --help lists them, and --arguments"
				      " sends any", name);
	return NULL;
}

/* One argument's name, type and whether it may be missing. */
struct argument {
	char name[NAME_BYTES];
	char type;
	bool optional, rest;
};

static bool next_argument(const char **at, struct argument *ret)
{
	size_t n = strcspn(*at, ":?* ");

	if (!**at)
		return false;
	*ret = (struct argument){ .type = 's' };
	snprintf(ret->name, sizeof ret->name, "%.*s", (int)n, *at);
	*at += n;
	if (**at == ':') {
		ret->type = (*at)[1];
		*at += 2;
	}
	ret->optional = **at == '?';
	ret->rest = **at == '*';
	*at += ret->optional || ret->rest;
	*at += **at == ' ';
	return true;
}

static cJSON *read_value(const struct argument *a, const char *text, struct err *e)
{
	double number;
	bool flag;
	int r = 0, whole;

	if (a->type == 's')
		return mem_check(cJSON_CreateString(text));
	if (a->type == 'i')
		r = scan_int(text, INT_MIN, INT_MAX, &whole, e);
	else if (a->type == 'f')
		r = scan_double(text, 0, 1e9, &number, e);
	else
		r = scan_bool(text, &flag, e);
	if (r < 0) {
		if (e)
			e->code = ERR_USAGE;
		err_prefix(e, "%s", a->name);
		return NULL;
	}
	return mem_check(a->type == 'i' ? cJSON_CreateNumber(whole) :
			 a->type == 'f' ? cJSON_CreateNumber(number) : cJSON_CreateBool(flag));
}

static int fill(cJSON *o, const struct method *m, char *const *operands, struct err *e)
{
	const char *at = m->arguments;
	struct argument a;

	while (next_argument(&at, &a)) {
		cJSON *value = a.rest ? mem_check(cJSON_CreateArray()) : NULL;

		for (; a.rest && *operands; operands++)
			cJSON_AddItemToArray(value, mem_check(cJSON_CreateString(*operands)));
		if (!a.rest && !*operands && a.optional)
			break;
		if (!a.rest && !*operands)
			return err_set(e, ERR_USAGE, "%s needs %s; its arguments are: %s",
				       m->name, a.name, m->arguments);
		if (!a.rest)
			value = read_value(&a, *operands++, e);
		if (!value)
			return -ERR_USAGE;
		json_set(o, a.name, value);
	}
	if (*operands)
		return err_set(e, ERR_USAGE, "\"%.60s\" is one too many for %s", *operands,
			       m->name);
	return 0;
}

int method_arguments(const struct method *m, char *const *operands, char **ret, struct err *e)
{
	cJSON *o = mem_check(cJSON_CreateObject());
	int r = fill(o, m, operands, e);

	if (r == 0)
		*ret = json_print(o);
	cJSON_Delete(o);
	return r;
}

static void label(const struct method *m, struct buf *out)
{
	const char *at = m->arguments;
	struct argument a;

	buf_puts(out, m->name);
	while (next_argument(&at, &a)) {
		buf_puts(out, a.optional ? " [" : " ");
		for (const char *c = a.name; *c; c++)
			buf_putc(out, (char)(*c >= 'a' && *c <= 'z' ? *c - 'a' + 'A' : *c));
		buf_puts(out, a.rest ? "..." : a.optional ? "]" : "");
	}
}

void method_list(enum method_kind kind, FILE *out)
{
	for (size_t i = 0; i < COUNT(METHODS); i++) {
		struct buf text;

		if (METHODS[i].kind != kind)
			continue;
		buf_init(&text, 1024);
		label(&METHODS[i], &text);
		fprintf(out, "  %-*s %s\n", LABEL_WIDTH, buf_text(&text), METHODS[i].about);
		buf_release(&text);
	}
}
