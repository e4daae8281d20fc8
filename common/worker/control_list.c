/* SPDX-License-Identifier: MIT */
#include "common/base/mem.h"
#include "common/worker/control_private.h"
#include "common/worker/info.h"

enum { REPLY_MAX = 1 << 20 };

static size_t size_of(const cJSON *o)
{
	char *s = json_print(o);
	size_t n = strlen(s);

	free(s);
	return n;
}

cJSON *control_list_describe(struct control_list *l, const struct delivery *d, pid_t pid,
			     int64_t started_us)
{
	cJSON *o;

	if (l->bytes >= REPLY_MAX) {
		l->hidden++;
		return NULL;
	}
	o = info_delivery(l->w, d, pid, started_us, l->safe);
	l->bytes += size_of(o);
	return o;
}

/* An entry that monitors can show like any other. */
cJSON *control_list_note(const struct control_list *l)
{
	char note[128];
	cJSON *o = cJSON_CreateObject();

	snprintf(note, sizeof note, "(%zu more: an answer is bounded by %d bytes)", l->hidden,
		 REPLY_MAX);
	json_set_str(o, "id", "");
	json_set_str(o, "name", note);
	json_set_raw(o, "args", "[]");
	json_set_raw(o, "kwargs", "{}");
	json_set_str(o, "type", "");
	json_set_str(o, "hostname", l->w->program.node);
	json_set_str(o, "time_start", NULL);
	json_set_bool(o, "acknowledged", false);
	json_set_raw(o, "delivery_info", "{\"exchange\": \"\", \"routing_key\": \"\", "
		     "\"priority\": 0, \"redelivered\": false}");
	json_set_str(o, "worker_pid", NULL);
	return o;
}

cJSON *control_list_end(struct control_list *l)
{
	if (l->hidden > 0)
		cJSON_AddItemToArray(l->out, control_list_note(l));
	return l->out;
}
