/* SPDX-License-Identifier: MIT */
/* The settings that inspect shows, with every password masked. */
#include <sys/utsname.h>

#include "common/base/mem.h"
#include "common/worker/control_private.h"

#define OURS_MASK ":***@"
#define CELERYS_MASK ":********@"

struct setting {
	char *name, *value;
	bool is_default;
};

/* A line of conf_print: "fleet.heartbeat = 10  # default". */
static bool split_line(char *line, struct setting *ret)
{
	char *value = strstr(line, " = "), *origin = NULL;

	line[strcspn(line, "\n")] = '\0';
	if (!value)
		return false;
	*value = '\0';
	value += 3;
	for (char *p = value; (p = strstr(p, "  # ")); p++)
		origin = p;
	if (origin)
		*origin = '\0';
	if (strcmp(value, "\"\"") == 0)
		value += 2;
	*ret = (struct setting){ line, value, origin && strcmp(origin + 4, "default") == 0 };
	return true;
}

static char *as_celery_masks(const char *url)
{
	const char *mask = strstr(url, OURS_MASK);

	return mask ? mem_printf("%.*s" CELERYS_MASK "%s", (int)(mask - url), url,
				 mask + strlen(OURS_MASK)) : mem_strdup(url);
}

/* Settings that Celery has, too, get its names. */
static void set_celery_name(cJSON *o, const struct setting *s)
{
	static const struct { const char *ours, *celerys; } names[] = {
		{ "fleet.broker_url", "broker_url" }, { "fleet.redis_url", "result_backend" },
	};

	for (size_t i = 0; i < COUNT(names); i++)
		if (strcmp(s->name, names[i].ours) == 0)
			json_set_str(o, names[i].celerys, s->value);
}

static void set_fixed(cJSON *o, const struct worker *w)
{
	const struct conf_fleet *f = &w->program.conf->fleet;

	json_set_raw(o, "accept_content", "[\"json\"]");
	json_set_num(o, "broker_heartbeat", f->heartbeat_s);
	json_set_bool(o, "enable_utc", true);
	json_set_num(o, "result_expires", (double)f->result_expires_s);
	json_set_bool(o, "result_extended", f->result_extended);
	json_set_str(o, "result_serializer", "json");
	json_set_bool(o, "task_acks_late", true);
	json_set_bool(o, "task_inherit_parent_priority", f->inherit_priority);
	json_set_str(o, "task_serializer", "json");
	json_set_str(o, "timezone", "UTC");
	json_set_num(o, "worker_concurrency", w->children);
	json_set_bool(o, "worker_send_task_events", f->events);
}

static cJSON *settings(const struct worker *w, bool with_defaults)
{
	cJSON *o = cJSON_CreateObject();
	char *text = NULL, *line, *rest;
	struct setting s;
	size_t size = 0;
	FILE *out = mem_check(open_memstream(&text, &size));

	conf_print(w->program.conf, out);
	fclose(out);
	set_fixed(o, w);
	for (rest = text; (line = strsep(&rest, "\n"));) {
		if (!split_line(line, &s))
			continue;
		s.value = as_celery_masks(s.value);
		set_celery_name(o, &s);
		if (with_defaults || !s.is_default)
			json_set_str(o, s.name, strcmp(s.value, "unset") == 0 ? NULL : s.value);
		free(s.value);
	}
	free(text);
	return o;
}

cJSON *control_conf(struct control_job *job)
{
	return settings(job->w, control_flag(job, "with_defaults"));
}

cJSON *control_report(struct control_job *job)
{
	cJSON *all = settings(job->w, false), *item, *o;
	struct utsname u;
	struct buf b;

	buf_init(&b, 1 << 20);
	if (uname(&u) < 0)
		memset(&u, 0, sizeof u);
	buf_printf(&b, "\nsoftware -> jobfleet:%s (%s) cJSON:%s\nplatform -> system:%s arch:%s\n"
		   "            kernel version:%s imp:C\nloader   -> %s\n"
		   "settings -> transport:amqp results:%s\n\n", JOBFLEET_VERSION,
		   job->w->program.name, cJSON_Version(), u.sysname, u.machine, u.release,
		   job->w->program.process, json_str(all, "result_backend", "none"));
	cJSON_ArrayForEach(item, all) {
		char *value = json_print(item);

		buf_printf(&b, "%s: %s\n", item->string, value);
		free(value);
	}
	cJSON_Delete(all);
	o = control_ok("%s", buf_text(&b));
	buf_release(&b);
	return o;
}
