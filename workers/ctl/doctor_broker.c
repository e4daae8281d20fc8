/* SPDX-License-Identifier: MIT */
/* RabbitMQ: version, rights, queues. */
#include "common/base/buf.h"
#include "common/base/clock.h"
#include "common/base/conf.h"
#include "common/base/err.h"
#include "common/base/mem.h"
#include "common/base/uuid.h"
#include "common/broker/message.h"
#include "common/broker/publisher.h"
#include "workers/ctl/census.h"
#include "workers/ctl/checkup.h"
#include "workers/ctl/ctl.h"
#include "workers/ctl/doctor.h"
#include "workers/ctl/greeting.h"

#define AREA "rabbitmq"

enum { ASK_MS = 5000, LIST_MAX = 600, LEAST_MAJOR = 3, LEAST_MINOR = 8 };

static bool is_old(const char *version)
{
	int major = 0, minor = 0;

	return sscanf(version, "%d.%d", &major, &minor) == 2 &&
	       (major < LEAST_MAJOR || (major == LEAST_MAJOR && minor < LEAST_MINOR));
}

static void check_version(struct checkup *k, const char *url)
{
	struct greeting g;
	struct err e = { 0 };

	if (greeting_read(&g, url, ASK_MS, &e) < 0)
		checkup_add(k, AREA, "version", CHECKUP_UNKNOWN, NULL, "%s", e.msg);
	else
		checkup_add(k, AREA, "version", is_old(g.version) ? CHECKUP_WARN : CHECKUP_OK,
			    is_old(g.version) ? "jobfleet is tested with 3.10 and newer." : NULL,
			    "%s %s", g.product, g.version);
}

/* A queue of our own, a message in, a message out: each needs its right. */
static int use_queue(struct publisher *p, const char *queue, const char **ret_what, struct err *e)
{
	struct message m;
	char *props = NULL, *body = NULL;
	size_t props_len, body_len;
	uint64_t tag;
	int r;

	message_init(&m);
	*ret_what = "configure";
	r = publisher_declare_own(p, queue, ASK_MS, e);
	if (r >= 0)
		r = message_new(&m, "doctor", queue, NULL, NULL, e);
	if (r >= 0) {
		*ret_what = "write";
		r = publisher_publish(p, queue, &m, ASK_MS, e);
	}
	if (r >= 0) {
		*ret_what = "read";
		r = publisher_get(p, queue, &tag, &props, &props_len, &body, &body_len, ASK_MS, e);
	}
	if (r == 1)
		r = publisher_ack(p, tag, ASK_MS, e);
	message_release(&m);
	free(props);
	free(body);
	return r;
}

static void check_rights(struct checkup *k, struct publisher *p)
{
	char queue[UUID_SIZE + 20] = "jobfleet-doctor-";
	const char *what = "";
	struct err e = { 0 };

	uuid_v4(queue + strlen(queue));
	if (use_queue(p, queue, &what, &e) >= 0)
		checkup_add(k, AREA, "permissions", CHECKUP_OK, NULL,
			    "configure, write and read work on a queue of this check's own");
	else if (e.code == ERR_REFUSED)
		checkup_add(k, AREA, "permissions", CHECKUP_FAIL,
			    "rabbitmqctl set_permissions -p VHOST USER '.*' '.*' '.*'",
			    "%s: %s", what, e.msg);
	else
		checkup_add(k, AREA, "permissions", CHECKUP_WARN, NULL, "%s: %s", what, e.msg);
}

static void put_name(struct buf *b, const char *name)
{
	buf_printf(b, "%s%s", b->len ? ", " : "", name);
}

/* How queues of queues.conf that share a fault are told. */
static void tell_queues(struct checkup *k, const char *name, struct buf *list,
			enum checkup_level level, const char *advice, const char *good)
{
	if (list->len)
		checkup_add(k, AREA, name, level, advice, "%s", buf_text(list));
	else
		checkup_add(k, AREA, name, CHECKUP_OK, NULL, "%s", good);
	buf_release(list);
}

static void check_queues(struct checkup *k, struct ctl *c)
{
	struct buf missing, other, idle, paused;
	struct census x = { 0 };
	struct err e = { 0 };

	if (census_take(&x, c, NULL, true, NULL, &e) < 0) {
		checkup_add(k, AREA, "queues", CHECKUP_UNKNOWN, NULL, "%s", e.msg);
		return;
	}
	buf_init(&missing, LIST_MAX);
	buf_init(&other, LIST_MAX);
	buf_init(&idle, LIST_MAX);
	buf_init(&paused, LIST_MAX);
	for (size_t i = 0; i < x.n; i++) {
		const struct census_queue *q = &x.queues[i];

		if (!q->declared)
			put_name(&missing, q->name);
		if (q->other_arguments)
			put_name(&other, q->name);
		if (q->declared && q->conf && q->consumers == 0)
			put_name(&idle, q->name);
		if (q->paused || q->fleet_paused)
			put_name(&paused, q->name);
	}
	census_release(&x);
	tell_queues(k, "queues declared", &missing, CHECKUP_WARN,
		    "Not there yet: the first worker of each declares it. A message sent before"
		    " is refused.", "all of queues.conf are there");
	tell_queues(k, "queue arguments", &other, CHECKUP_WARN,
		    "Other arguments than queues.conf: used as they stand; if x-max-priority is"
		    " missing, priorities are off there. Drain, then rabbitmqctl delete_queue"
		    " NAME: its workers declare it anew.", "as queues.conf says");
	tell_queues(k, "consumers", &idle, CHECKUP_WARN,
		    "Nobody consumes these: start their worker program.",
		    "every queue that is there has one");
	tell_queues(k, "pauses", &paused, CHECKUP_WARN, "jobfleet resume --queue=NAME (or --all)",
		    "none");
}

void doctor_broker(struct checkup *k, struct ctl *c)
{
	struct publisher *p = NULL;
	struct err e = { 0 };

	check_version(k, c->conf->fleet.broker_url);
	if (ctl_publisher(c, &p, &e) < 0) {
		checkup_add(k, AREA, "login", CHECKUP_FAIL,
			    "Is it running, and JOBFLEET_BROKER_URL right?", "%s", e.msg);
		return;
	}
	checkup_add(k, AREA, "login", CHECKUP_OK, NULL, "as JOBFLEET_BROKER_URL says");
	check_rights(k, p);
	checkup_add(k, AREA, "alarms", publisher_is_blocked(p) ? CHECKUP_FAIL : CHECKUP_OK,
		    publisher_is_blocked(p) ? "It takes no messages: free memory or disk on its"
					      " host." : NULL,
		    "%s", publisher_is_blocked(p) ? "blocked by an alarm" : "none");
	check_queues(k, c);
}
