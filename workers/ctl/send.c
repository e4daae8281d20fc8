/* SPDX-License-Identifier: MIT */
#include "workers/ctl/send.h"

#include <ctype.h>

#include "common/base/clock.h"
#include "common/base/conf.h"
#include "common/base/err.h"
#include "common/base/json.h"
#include "common/base/mem.h"
#include "common/base/near.h"
#include "common/base/spool.h"
#include "common/broker/door.h"
#include "common/broker/message.h"
#include "workers/ctl/ctl.h"

enum { NAME_BYTES = 255, UNIQUE_BYTES = 512, LEFTOVERS_MOST = 100, LEFTOVERS_MS = 1000 };

struct checking {
	const char *prefix;	/* "--", or "" in a file of tasks */
	struct err *e;
};

static int check_json(const struct checking *c, const char *text, const char *option, bool array)
{
	struct err why = { 0 };
	cJSON *value = NULL;
	bool right;

	if (!text)
		return 0;
	if (json_parse(text, strlen(text), &value, &why) < 0)
		return err_set(c->e, ERR_USAGE, "%s%s: %s", c->prefix, option, why.msg);
	right = array ? cJSON_IsArray(value) : cJSON_IsObject(value);
	cJSON_Delete(value);
	if (right)
		return 0;
	return err_set(c->e, ERR_USAGE,
		       array ? "%s%s must be a JSON array, such as '[1, \"two\"]'"
			     : "%s%s must be a JSON object, such as '{\"page\": 1}'",
		       c->prefix, option);
}

static int check_name(const char *text, const char *what, struct err *e)
{
	size_t n = strlen(text);

	for (size_t i = 0; i < n; i++) {
		if (!isgraph((unsigned char)text[i]))
			n = 0;
	}
	if (n > 0 && n <= NAME_BYTES)
		return 0;
	return err_set(e, ERR_USAGE, "%s must have 1 to %d characters and no spaces", what,
		       NAME_BYTES);
}

/* By the command line, else by queues.conf. */
static int find_queue(const struct conf *conf, const struct send *s, const char *prefix,
		      const char **ret, struct err *e)
{
	struct near n;

	*ret = s->queue ? s->queue : conf_route(conf, s->task);
	if (*ret)
		return check_name(*ret, "the queue's name", e);
	near_init(&n, s->task);
	for (size_t i = 0; i < conf->ntasks; i++) {
		const char *dot = strrchr(conf->tasks[i].name, '.');

		near_offer(&n, conf->tasks[i].name);
		if (dot && strcmp(dot + 1, s->task) == 0)
			n.word = conf->tasks[i].name;
	}
	if (n.word)
		return err_set(e, ERR_USAGE,
			       "no queue is known for task %.100s: did you mean %s? Else name "
			       "one with %squeue",
			       s->task, n.word, prefix);
	return err_set(e, ERR_USAGE,
		       "no queue is known for task %.100s: name one with %squeue, or add a "
		       "task block to queues.conf",
		       s->task, prefix);
}

static int check_unique(const struct checking *c, const struct send *s)
{
	const char *mode = s->unique_mode ? s->unique_mode : "reject";

	if (!s->unique_key && (s->unique_for_ms || s->unique_mode))
		return err_set(c->e, ERR_USAGE, "unique enqueue needs its %s%s", c->prefix,
			       *c->prefix ? "unique-key" : "unique_key");
	if (strcmp(mode, "reject") != 0 && strcmp(mode, "replace") != 0 &&
	    strcmp(mode, "throttle") != 0)
		return err_set(c->e, ERR_USAGE, "unique mode \"%.20s\" is not reject, replace or "
			       "throttle", mode);
	if (s->unique_key && (!*s->unique_key || strlen(s->unique_key) > UNIQUE_BYTES))
		return err_set(c->e, ERR_USAGE, "a unique key has 1 to %d bytes", UNIQUE_BYTES);
	if (strcmp(mode, "throttle") == 0 && s->unique_for_ms <= 0)
		return err_set(c->e, ERR_USAGE, "throttle needs the time it holds: %s",
			       *c->prefix ? "--unique-for=10m" : "unique_for");
	return 0;
}

static int check(const struct send *s, const char *prefix, struct err *e)
{
	const struct checking c = { prefix, e };
	int r = check_name(s->task, "the task's name", e);

	if (r == 0 && s->id)
		r = check_name(s->id, *prefix ? "--id" : "id", e);
	if (r == 0)
		r = check_json(&c, s->args, "args", true);
	if (r == 0)
		r = check_json(&c, s->kwargs, "kwargs", false);
	if (r == 0)
		r = check_unique(&c, s);
	return r;
}

static int set_times(struct message *m, const struct send *s, const char *prefix, struct err *e)
{
	int64_t left_ms = (s->expires_us - clock_wall_us()) / 1000;
	char text[CLOCK_ISO_SIZE];

	if (s->eta_us) {
		clock_iso(s->eta_us, text);
		m->eta = message_strdup(m, text);
	}
	m->hard_ms = s->hard_ms > 0 ? s->hard_ms : m->hard_ms;
	m->soft_ms = s->soft_ms > 0 ? s->soft_ms : m->soft_ms;
	if (!s->expires_us)
		return 0;
	if (left_ms <= 0)
		return err_set(e, ERR_USAGE, "%sexpires is in the past", prefix);
	clock_iso(s->expires_us, text);
	m->expires = message_strdup(m, text);
	snprintf(text, sizeof text, "%lld", (long long)left_ms);
	m->expiration = message_strdup(m, text);
	return 0;
}

/* Headers that mean something to Celery or to us have options of their own. */
static bool is_taken(const char *name)
{
	static const char *const TAKEN[] = {
		"task", "id", "root_id", "parent_id", "group", "group_index", "retries", "eta",
		"expires", "timelimit", "lang", "argsrepr", "kwargsrepr", "origin", "shadow",
		"ignore_result", "replaced_task_nesting", "compression",
	};

	for (size_t i = 0; i < COUNT(TAKEN); i++) {
		if (strcmp(name, TAKEN[i]) == 0)
			return true;
	}
	return strncmp(name, "x-jobfleet-", 11) == 0;
}

static int set_text(struct message *m, const char *name, const char *text, struct err *e)
{
	cJSON *v = mem_check(cJSON_CreateString(text));
	int r = message_set_header(m, name, v, e);

	cJSON_Delete(v);
	return r;
}

static int set_headers(struct message *m, const struct send *s, struct err *e)
{
	const cJSON *h;
	int r = 0;

	cJSON_ArrayForEach(h, s->headers) {
		if (r == 0 && is_taken(h->string))
			r = err_set(e, ERR_USAGE, "header %.60s is not free to be set", h->string);
		if (r == 0)
			r = message_set_header(m, h->string, h, e);
	}
	if (r == 0 && s->unique_key)
		r = set_text(m, "x-jobfleet-unique-key", s->unique_key, e);
	if (r == 0 && s->unique_key && s->unique_mode)
		r = set_text(m, "x-jobfleet-unique-mode", s->unique_mode, e);
	if (r == 0 && s->unique_for_ms) {
		cJSON *v = mem_check(cJSON_CreateNumber((double)s->unique_for_ms / 1000));

		r = message_set_header(m, "x-jobfleet-unique-for", v, e);
		cJSON_Delete(v);
	}
	return r;
}

int send_make(const struct conf *conf, const struct send *s, const char *prefix, struct message *m,
	      const char **ret_queue, struct err *e)
{
	const struct conf_task *known = conf_task(conf, s->task);
	int r = check(s, prefix, e);

	if (r == 0)
		r = find_queue(conf, s, prefix, ret_queue, e);
	if (r < 0)
		return r;
	message_clear(m);
	r = message_new(m, s->task, s->id, s->args, s->kwargs, e);
	m->priority = s->priority != MESSAGE_NO_PRIORITY	    ? s->priority
		      : known && known->priority != CONF_UNSET ? known->priority
							       : MESSAGE_NO_PRIORITY;
	if (r == 0)
		r = set_times(m, s, prefix, e);
	if (r == 0)
		r = set_headers(m, s, e);
	return r;
}

void send_note_spooled(const struct ctl *c, const char *what, const char *why)
{
	char *dir = realpath(c->conf->fleet.data_dir, NULL);

	ctl_note(c,
		 "spooled on this host (%s/spool), the dispatcher or the next enqueue sends %s: %s",
		 dir ? dir : c->conf->fleet.data_dir, what, why);
	free(dir);
}

static int deliver(struct ctl *c, const struct send *s, const char *queue, const struct message *m,
		   struct err *e)
{
	struct err why = { 0 };
	struct door *d = NULL;
	enum door_answer answer;
	int r = ctl_door(c, &d, e);

	if (r < 0)
		return r;
	answer = door_enqueue(d, queue, m, (int)s->deadline_ms, &why);
	if (answer == DOOR_CONFIRMED)
		return CTL_OK;
	if (answer == DOOR_SPOOLED) {
		send_note_spooled(c, "it", why.msg);
		return CTL_SPOOLED;
	}
	return err_set(e, why.code == ERR_UNROUTED ? ERR_NOT_FOUND : why.code, "%s", why.msg);
}

int send_task(struct ctl *c, const struct send *s, struct err *e)
{
	const struct conf *conf;
	struct message m;
	const char *queue = NULL;
	int r = ctl_conf(c, &conf, e);

	if (r < 0)
		return r;
	message_init(&m);
	r = send_make(conf, s, "--", &m, &queue, e);
	if (r == 0)
		r = deliver(c, s, queue, &m, e);
	message_release(&m);
	return r;
}

void send_leftovers(struct ctl *c)
{
	int64_t entries = 0, bytes = 0;
	const struct conf *conf;
	struct err e = { 0 };
	struct door *d;
	int n = 0;

	if (ctl_conf(c, &conf, &e) == 0)
		spool_size(conf->fleet.data_dir, &entries, &bytes, NULL);
	if (entries > 0 && ctl_door(c, &d, &e) == 0)
		n = door_replay(d, LEFTOVERS_MOST, LEFTOVERS_MS, &e);
	if (n > 0)
		ctl_note(c, "%d of %lld spooled before are sent now", n, (long long)entries);
}
