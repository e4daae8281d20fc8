/* SPDX-License-Identifier: MIT */
#include "workers/ctl/send.h"

#include <ctype.h>

#include "common/base/clock.h"
#include "common/base/conf.h"
#include "common/base/err.h"
#include "common/base/json.h"
#include "common/base/mem.h"
#include "common/base/near.h"
#include "common/broker/message.h"
#include "common/broker/publisher.h"
#include "workers/ctl/ctl.h"

enum { NAME_BYTES = 255 };

static int check_json(const char *text, const char *option, bool array, struct err *e)
{
	struct err why = { 0 };
	cJSON *value = NULL;
	bool right;

	if (!text)
		return 0;
	if (json_parse(text, strlen(text), &value, &why) < 0)
		return err_set(e, ERR_USAGE, "%s: %s", option, why.msg);
	right = array ? cJSON_IsArray(value) : cJSON_IsObject(value);
	cJSON_Delete(value);
	if (right)
		return 0;
	return err_set(e, ERR_USAGE,
		       array ? "%s must be a JSON array, such as '[1, \"two\"]'"
			     : "%s must be a JSON object, such as '{\"page\": 1}'",
		       option);
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
static int find_queue(const struct conf *conf, const struct send *s, const char **ret,
		      struct err *e)
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
			       "one with --queue",
			       s->task, n.word);
	return err_set(e, ERR_USAGE,
		       "no queue is known for task %.100s: name one with --queue, or add a "
		       "task block to queues.conf",
		       s->task);
}

static int check(const struct send *s, struct err *e)
{
	int r = check_name(s->task, "the task's name", e);

	if (r == 0 && s->id)
		r = check_name(s->id, "--id", e);
	if (r == 0)
		r = check_json(s->args, "--args", true, e);
	if (r == 0)
		r = check_json(s->kwargs, "--kwargs", false, e);
	return r;
}

static int set_times(struct message *m, const struct send *s, struct err *e)
{
	int64_t left_ms = (s->expires_us - clock_wall_us()) / 1000;
	char text[CLOCK_ISO_SIZE];

	if (s->eta_us) {
		clock_iso(s->eta_us, text);
		m->eta = message_strdup(m, text);
	}
	if (!s->expires_us)
		return 0;
	if (left_ms <= 0)
		return err_set(e, ERR_USAGE, "--expires is in the past");
	clock_iso(s->expires_us, text);
	m->expires = message_strdup(m, text);
	snprintf(text, sizeof text, "%lld", (long long)left_ms);
	m->expiration = message_strdup(m, text);
	return 0;
}

static int publish(struct ctl *c, const struct conf *conf, const char *queue,
		   const struct message *m, struct err *e)
{
	const struct conf_queue *known = conf_queue(conf, queue);
	int64_t end = clock_mono_ms() + CTL_PUBLISH_MS;
	struct publisher *p = NULL;
	int r = ctl_publisher(c, &p, e);

	if (r == 0 && known)
		r = publisher_declare(p, queue, known->max_priority,
				      known->type == CONF_QUEUE_QUORUM, CTL_PUBLISH_MS, e);
	if (r >= 0)
		r = publisher_publish(p, queue, m, (int)(end - clock_mono_ms()), e);
	if (r == -ERR_UNROUTED)
		err_set(e, ERR_NOT_FOUND, "there is no queue %s at the broker", queue);
	return r < 0 ? -(int)e->code : 0;
}

int send_task(struct ctl *c, const struct send *s, struct err *e)
{
	const struct conf_task *known;
	const struct conf *conf;
	struct message m;
	const char *queue = NULL;
	int r = ctl_conf(c, &conf, e);

	if (r == 0)
		r = check(s, e);
	if (r == 0)
		r = find_queue(conf, s, &queue, e);
	if (r < 0)
		return r;
	message_init(&m);
	r = message_new(&m, s->task, s->id, s->args, s->kwargs, e);
	known = conf_task(conf, s->task);
	m.priority = s->priority != MESSAGE_NO_PRIORITY ? s->priority :
		     known && known->priority != CONF_UNSET ? known->priority : MESSAGE_NO_PRIORITY;
	if (r == 0)
		r = set_times(&m, s, e);
	if (r == 0)
		r = publish(c, conf, queue, &m, e);
	message_release(&m);
	return r;
}
