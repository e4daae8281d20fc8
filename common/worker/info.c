/* SPDX-License-Identifier: MIT */
#include "common/worker/info.h"

#include "common/base/buf.h"
#include "common/base/clock.h"
#include "common/base/json.h"
#include "common/base/mem.h"
#include "common/base/pyrepr.h"
#include "common/worker/worker_private.h"

static const char CUT[] = "...";

static void set_repr(cJSON *o, const char *key, const char *json, bool tuple)
{
	struct buf b;

	buf_init(&b, (size_t)INFO_REPR_MAX * 2);
	pyrepr_put(&b, json, strlen(json), tuple, INFO_REPR_MAX);
	json_set_str(o, key, buf_text(&b));
	buf_release(&b);
}

static void set_safe(cJSON *o, const struct message *m, const char *args, const char *kwargs)
{
	if (m->argsrepr || !args)
		json_set_str(o, "args", m->argsrepr ? m->argsrepr : CUT);
	else
		set_repr(o, "args", args, true);
	if (m->kwargsrepr || !kwargs)
		json_set_str(o, "kwargs", m->kwargsrepr ? m->kwargsrepr : CUT);
	else
		set_repr(o, "kwargs", kwargs, false);
}

static void set_arguments(cJSON *o, const struct message *m, bool safe)
{
	char *text = NULL, *args = NULL, *kwargs = NULL, *embed = NULL;
	size_t len = 0;

	if (m->body_len > 0 && message_text(m, INFO_ARGUMENTS_MAX, &text, &len, NULL) >= 0)
		message_split(text, len, &args, &kwargs, &embed, NULL);
	if (safe || !args || !kwargs) {
		set_safe(o, m, args, kwargs);
	} else {
		json_set_raw(o, "args", args);
		json_set_raw(o, "kwargs", kwargs);
	}
	free(text);
	free(args);
	free(kwargs);
	free(embed);
}

static cJSON *delivery_info(const struct info *i)
{
	cJSON *o = cJSON_CreateObject();

	/* Celery's clients publish to the default exchange with the queue's name. */
	json_set_str(o, "exchange", "");
	json_set_str(o, "routing_key", i->queue);
	json_set_num(o, "priority", i->priority);
	json_set_bool(o, "redelivered", i->redelivered);
	return o;
}

static void set_start(cJSON *o, int64_t started_us)
{
	char text[32];
	int64_t began;

	if (started_us == 0) {
		json_set_str(o, "time_start", NULL);
		return;
	}
	began = clock_wall_us() - (clock_mono_us() - started_us);
	snprintf(text, sizeof text, "%lld.%06lld", (long long)(began / 1000000),
		 (long long)(began % 1000000));
	json_set_raw(o, "time_start", text);
}

cJSON *info_message(const struct message *m, const struct info *i)
{
	cJSON *o = cJSON_CreateObject();

	json_set_str(o, "id", i->id);
	json_set_str(o, "name", m->shadow && *m->shadow ? m->shadow : i->type);
	set_arguments(o, m, i->safe);
	json_set_str(o, "type", i->type);
	json_set_str(o, "hostname", i->node);
	set_start(o, i->started_us);
	json_set_bool(o, "acknowledged", i->acknowledged);
	json_set(o, "delivery_info", delivery_info(i));
	if (i->started_us && i->pid > 0)
		json_set_num(o, "worker_pid", i->pid);
	else
		json_set_str(o, "worker_pid", NULL);
	return o;
}

cJSON *info_delivery(const struct worker *w, const struct delivery *d, pid_t pid,
		     int64_t started_us, bool safe)
{
	struct info i = {
		.id = d->id, .type = d->name, .node = w->program.node,
		.queue = w->queues[d->queue].name, .priority = d->priority,
		.redelivered = d->ask_ledger, .acknowledged = d->claimed, .safe = safe, .pid = pid,
		.started_us = started_us,
	};
	bool whole = d->body && d->body_len <= INFO_ARGUMENTS_MAX;
	struct message m;
	cJSON *o;

	message_init(&m);
	message_decode(&m, d->props, d->props_len, whole ? d->body : "", whole ? d->body_len : 0,
		       NULL);
	o = info_message(&m, &i);
	message_release(&m);
	return o;
}
