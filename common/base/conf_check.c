/* SPDX-License-Identifier: MIT */
#include <arpa/inet.h>
#include <stdarg.h>

#include "common/base/conf_private.h"
#include "common/base/mem.h"
#include "common/base/near.h"
#include "common/base/scan.h"

void conf_fault_at(struct conf_faults *faults, const struct conf *c, enum conf_kind_id kind,
		   size_t i, const char *key, const char *fmt, ...)
{
	const struct conf_kind *k = &CONF_SCHEMA[kind];
	const char *name = conf_block_name(c, kind, i), *file = c->private->places[kind][i].file;
	static const struct conf_origin nowhere;
	const struct conf_origin *o =
		key ? conf_origin_at(c, kind, i, (size_t)conf_key_find(k, key)) : &nowhere;
	int line = c->private->places[kind][i].line;
	char *what = NULL;
	va_list ap;

	if (o->wrong)
		return;
	if (o->file) {
		file = o->file;
		line = o->line;
	}
	va_start(ap, fmt);
	mem_check(vasprintf(&what, fmt, ap) < 0 ? NULL : what);
	va_end(ap);
	if (o->variable)
		conf_fault(faults, NULL, 0, "environment %s: %s", o->variable, what);
	else
		conf_fault(faults, file, line, "%s%s%s: %s%s%s", k->name, *name ? " " : "", name,
			   key ? key : "", key ? ": " : "", what);
	free(what);
}

void conf_fault_unknown(struct conf_faults *faults, const struct conf *c, enum conf_kind_id kind,
			size_t i, const char *key, const char *value, enum conf_kind_id of)
{
	const char *what = CONF_SCHEMA[of].name;
	struct near near;

	near_init(&near, value);
	for (size_t n = 0; n < conf_block_count(c, of); n++)
		near_offer(&near, conf_block_name(c, of, n));
	if (near.word)
		conf_fault_at(faults, c, kind, i, key,
			      "there is no %s \"%s\"; did you mean \"%s\"?", what, value,
			      near.word);
	else
		conf_fault_at(faults, c, kind, i, key,
			      "there is no %s \"%s\"; it needs a block: %s %s { … }", what, value,
			      what, value);
}

/* ADDRESS:PORT with an address as numbers, or localhost; an IPv6 address in brackets. */
static bool is_listen_address(const char *text)
{
	const char *colon = strrchr(text, ':');
	struct in6_addr at;
	char *host;
	int port;
	bool good;

	if (!*text || strcmp(text, "off") == 0 || strncmp(text, "unix:/", 6) == 0)
		return true;
	if (!colon || scan_int(colon + 1, 0, 65535, &port, NULL) < 0)
		return false;
	host = *text == '[' && colon[-1] == ']' ?
		mem_strndup(text + 1, (size_t)(colon - text) - 2) :
		mem_strndup(text, (size_t)(colon - text));
	good = *text == '[' ? inet_pton(AF_INET6, host, &at) == 1 :
		inet_pton(AF_INET, host, &at) == 1 || strcmp(host, "localhost") == 0;
	free(host);
	return good;
}

static void check_fleet(const struct conf *c, struct conf_faults *faults)
{
	const struct conf_fleet *f = &c->fleet;

	if (f->max_message_bytes > f->buffer_bytes)
		conf_fault_at(faults, c, CONF_FLEET, 0, "max_message",
			      "is above buffer: the largest "
			      "message must fit into what a worker may hold");
	if (f->lease_ms >= f->consumer_timeout_ms)
		conf_fault_at(faults, c, CONF_FLEET, 0, "lease",
			      "is not below broker_consumer_timeout");
	if (!*f->data_dir)
		conf_fault_at(faults, c, CONF_FLEET, 0, "data_dir",
			      "is empty; it names a directory such "
			      "as \"data\" or /var/lib/jobfleet");
	if (!is_listen_address(f->http_listen))
		conf_fault_at(faults, c, CONF_FLEET, 0, "http_listen",
			      "is not \"ADDRESS:PORT\" such as \"127.0.0.1:9470\" or \"[::1]:9470\", "
			      "\"unix:/PATH\", or \"off\"");
	if (!*f->broker_url || !*f->database_url || !*f->redis_url)
		conf_fault_at(faults, c, CONF_FLEET, 0,
			      !*f->broker_url		  ? "broker_url"
				      : !*f->database_url ? "database_url"
							  : "redis_url",
			      "is empty; leave the key out for its default");
}

static bool is_given(const struct conf *c, enum conf_kind_id kind, size_t i, const char *key)
{
	const struct conf_origin *o =
		conf_origin_at(c, kind, i, (size_t)conf_key_find(&CONF_SCHEMA[kind], key));

	return o->file || o->variable;
}

static void check_scaling(const struct conf *c, size_t i, struct conf_faults *faults)
{
	static const char *const keys[] = { "scale_target", "scale_up_after", "scale_down_after" };
	const struct conf_queue *q = &c->queues[i];

	for (size_t k = 0; k < COUNT(keys) && !CONF_QUEUE_IS_SCALED(q); k++)
		if (is_given(c, CONF_QUEUE, i, keys[k]))
			conf_fault_at(faults, c, CONF_QUEUE, i, keys[k],
				      "changes nothing without instances = {MIN, MAX}");
	if (q->scale_down_ms < q->scale_up_ms)
		conf_fault_at(faults, c, CONF_QUEUE, i, "scale_down_after",
			      "is below scale_up_after: the number would swing with the load");
}

static void check_queue(const struct conf *c, size_t i, struct conf_faults *faults)
{
	const struct conf_queue *q = &c->queues[i];

	if (!*q->program)
		conf_fault_at(faults, c, CONF_QUEUE, i, "program",
			      "is missing; it names the worker program "
			      "that serves the queue, such as salary");
	if (q->type == CONF_QUEUE_QUORUM && q->max_priority > 0)
		conf_fault_at(faults, c, CONF_QUEUE, i, "max_priority",
			      "a quorum queue has no priorities; "
			      "leave the key out, or set type = classic");
	if (strncmp(q->name, "amq.", 4) == 0 || strcmp(q->name, "failed_operations") == 0)
		conf_fault_at(faults, c, CONF_QUEUE, i, NULL,
			      "the name is not free: names with amq. are "
			      "the broker's, failed_operations is the mailbox of the dead letters");
	check_scaling(c, i, faults);
}

static void check_task(const struct conf *c, size_t i, struct conf_faults *faults)
{
	const struct conf_task *t = &c->tasks[i];
	const struct conf_queue *q = conf_queue(c, t->queue);

	if (*t->queue && !q)
		conf_fault_unknown(faults, c, CONF_TASK, i, "queue", t->queue, CONF_QUEUE);
	if (q && q->max_priority > 0 && t->priority > q->max_priority)
		conf_fault_at(faults, c, CONF_TASK, i, "priority",
			      "is above max_priority %d of queue %s", q->max_priority, q->name);
	if (t->soft_ms > 0 && t->hard_ms > 0 && t->soft_ms >= t->hard_ms)
		conf_fault_at(faults, c, CONF_TASK, i, "soft_time_limit",
			      "is not below time_limit: the handler would have no time to end");
	if (t->retry_backoff_max_ms >= 0 && t->retry_backoff_ms > t->retry_backoff_max_ms)
		conf_fault_at(faults, c, CONF_TASK, i, "retry_backoff",
			      "is above retry_backoff_max");
	if (t->rate_at_fetch && t->rate_per_s <= 0)
		conf_fault_at(faults, c, CONF_TASK, i, "rate_limit_at",
			      "fetch needs a rate_limit, such as 10/m");
}

void conf_check(const struct conf *c, struct conf_faults *faults)
{
	check_fleet(c, faults);
	for (size_t i = 0; i < c->nqueues; i++)
		check_queue(c, i, faults);
	for (size_t i = 0; i < c->ntasks; i++)
		check_task(c, i, faults);
	conf_check_schedules(c, faults);
	conf_check_sources(c, faults);
	conf_check_alerts(c, faults);
}
