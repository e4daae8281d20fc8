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

static cJSON *delivery_info(const struct worker *w, const struct delivery *d)
{
	cJSON *o = cJSON_CreateObject();

	/* Celery's clients publish to the default exchange with the queue's name. */
	json_set_str(o, "exchange", "");
	json_set_str(o, "routing_key", w->queues[d->queue].name);
	json_set_num(o, "priority", d->priority);
	json_set_bool(o, "redelivered", d->ask_ledger);
	return o;
}

static void set_start(cJSON *o, const struct info *how)
{
	char text[32];
	int64_t began;

	if (how->started_us == 0) {
		json_set_str(o, "time_start", NULL);
		return;
	}
	began = clock_wall_us() - (clock_mono_us() - how->started_us);
	snprintf(text, sizeof text, "%lld.%06lld", (long long)(began / 1000000),
		 (long long)(began % 1000000));
	json_set_raw(o, "time_start", text);
}

cJSON *info_delivery(const struct worker *w, const struct delivery *d, const struct info *how)
{
	cJSON *o = cJSON_CreateObject();
	struct message m;
	bool whole = d->body && d->body_len <= INFO_ARGUMENTS_MAX;

	message_init(&m);
	message_decode(&m, d->props, d->props_len, whole ? d->body : "", whole ? d->body_len : 0,
		       NULL);
	json_set_str(o, "id", d->id);
	json_set_str(o, "name", m.shadow && *m.shadow ? m.shadow : d->name);
	set_arguments(o, &m, how->safe);
	json_set_str(o, "type", d->name);
	json_set_str(o, "hostname", w->program.node);
	set_start(o, how);
	json_set_bool(o, "acknowledged", d->claimed);
	json_set(o, "delivery_info", delivery_info(w, d));
	if (how->started_us && how->pid > 0)
		json_set_num(o, "worker_pid", how->pid);
	else
		json_set_str(o, "worker_pid", NULL);
	message_release(&m);
	return o;
}
