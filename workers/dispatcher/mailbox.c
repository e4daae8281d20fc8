/* SPDX-License-Identifier: MIT */
#include "workers/dispatcher/mailbox.h"

#include "common/base/conf.h"
#include "common/base/err.h"
#include "common/base/json.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/base/uuid.h"
#include "common/broker/message.h"
#include "common/broker/publisher.h"
#include "common/store/pg.h"
#include "workers/dispatcher/expiry.h"
#include "workers/dispatcher/letter.h"
#include "workers/dispatcher/peers.h"

#define CALL_MS 3000
#define TURN_MAILS 25 /* so that a flood of mails holds up nothing else */
#define DEFAULT_PRIORITY 10

struct mail {
	uint64_t tag;
	char *props, *body;
	size_t props_len, body_len;
	struct message message;
	cJSON *cause, *reason, *queue, *mail_id, *detail, *node, *deaths; /* headers */
};

static void mail_release(struct mail *m)
{
	cJSON *headers[] = { m->cause,	m->reason, m->queue, m->mail_id,
			     m->detail, m->node,   m->deaths };

	for (size_t i = 0; i < COUNT(headers); i++)
		cJSON_Delete(headers[i]);
	message_release(&m->message);
	free(m->props);
	free(m->body);
}

static const char *text_or(const cJSON *value, const char *fallback)
{
	const char *text = cJSON_GetStringValue(value);

	return text && *text ? text : fallback;
}

/* What the broker writes on its own dead letters. */
static const struct {
	const char *cause, *reason;
} DEATHS[] = {
	{ "rejected", "a consumer of its queue rejected it" },
	{ "delivery_limit", "it was delivered more often than its queue allows (delivery limit)" },
	{ "maxlen", "its queue was full" },
	{ "expired", "it expired in its queue" },
};

static void read_death(const struct mail *m, struct dead_letter *l)
{
	const cJSON *death = cJSON_GetArrayItem(m->deaths, 0);

	if (!death)
		return;
	l->cause = json_str(death, "reason", l->cause);
	l->queue = json_str(death, "queue", l->queue);
	l->reason = "dead-lettered by the broker";
	for (size_t i = 0; i < COUNT(DEATHS); i++)
		if (strcmp(DEATHS[i].cause, l->cause) == 0)
			l->reason = DEATHS[i].reason;
}

/* The queue in which a whole task expired, by the broker's word; NULL: it did not. */
static const char *expired_in(const struct mail *m)
{
	const cJSON *death = cJSON_GetArrayItem(m->deaths, 0);

	if (!death || m->cause || !m->message.id || !m->message.task ||
	    strcmp(json_str(death, "reason", ""), "expired") != 0)
		return NULL;
	return json_str(death, "queue", NULL);
}

/* One object for the column: the sender's detail, its name, and x-death. */
static char *print_detail(const struct mail *m)
{
	cJSON *detail = NULL;
	const char *text = cJSON_GetStringValue(m->detail);
	char *printed;

	if (text && json_parse(text, strlen(text), &detail, NULL) == 0 && !cJSON_IsObject(detail)) {
		cJSON_Delete(detail);
		detail = NULL;
	}
	if (!detail)
		detail = mem_check(cJSON_CreateObject());
	if (m->node)
		json_set(detail, "node", cJSON_Duplicate(m->node, true));
	if (m->deaths)
		json_set(detail, "x-death", cJSON_Duplicate(m->deaths, true));
	printed = json_print(detail);
	cJSON_Delete(detail);
	return printed;
}

static void name_by_bytes(const struct mail *m, char out[UUID_SIZE])
{
	size_t n = m->props_len + m->body_len;
	char *bytes = mem_alloc(n + 1);

	if (m->props_len)
		memcpy(bytes, m->props, m->props_len);
	if (m->body_len)
		memcpy(bytes + m->props_len, m->body, m->body_len);
	uuid_v5(bytes, n, out);
	free(bytes);
}

static int store(const struct mail *m, const struct err *unread, struct pg *pg, struct err *e)
{
	char id[UUID_SIZE], *detail = print_detail(m);
	struct letter letter = { .retries = m->message.retries };
	struct dead_letter *l = &letter.dead;
	int r;

	*l = (struct dead_letter){
		.task_id = m->message.id,
		.task = m->message.task,
		.generation = m->message.generation,
		.queue = MAILBOX_QUEUE,
		.cause = "malformed",
		.reason = unread->msg[0] ? unread->msg : "no reason was given",
		.detail = detail,
		.props = m->props,
		.props_len = m->props_len,
		.body = m->body,
		.body_len = m->body_len,
	};
	read_death(m, l);
	l->cause = text_or(m->cause, l->cause);
	l->reason = text_or(m->reason, l->reason);
	l->queue = text_or(m->queue, l->queue);
	name_by_bytes(m, id);
	l->mail_id = text_or(m->mail_id, id);
	r = letter_store(pg, &letter, e);
	if (r == 0)
		log_warn("dead letter cause=%s queue=%s task=%s task_id=%s reason=\"%s\"", l->cause,
			 l->queue, l->task ? l->task : "-", l->task_id ? l->task_id : "-",
			 l->reason);
	free(detail);
	return r;
}

static void read_mail(struct mail *m, struct err *unread)
{
	message_init(&m->message);
	message_decode(&m->message, m->props, m->props_len, m->body, m->body_len, unread);
	m->cause = message_header(&m->message, "x-jobfleet-cause");
	m->reason = message_header(&m->message, "x-jobfleet-reason");
	m->queue = message_header(&m->message, "x-jobfleet-queue");
	m->mail_id = message_header(&m->message, "x-jobfleet-mail-id");
	m->detail = message_header(&m->message, "x-jobfleet-detail");
	m->node = message_header(&m->message, "x-jobfleet-node");
	m->deaths = message_header(&m->message, "x-death");
}

/* 1 = there was one, 0 = empty. A mail that PostgreSQL refuses stays unacked, so the next one
 * gets its turn, and comes again with the next connection. */
static int take_one(struct publisher *p, struct pg *pg, struct peers *peers, struct err *e)
{
	struct mail m = { 0 };
	struct err unread = { 0 };
	const char *queue;
	int r = publisher_get(p, MAILBOX_QUEUE, &m.tag, &m.props, &m.props_len, &m.body,
			      &m.body_len, CALL_MS, e);

	if (r <= 0)
		return r;
	read_mail(&m, &unread);
	queue = unread.code == ERR_NONE ? expired_in(&m) : NULL;
	if (queue)
		r = expiry_settle(&m.message, queue, peers_node(peers), pg, peers_broker(peers), e);
	else
		r = store(&m, &unread, pg, e);
	if (r >= 0)
		r = publisher_ack(p, m.tag, CALL_MS, e);
	if (r < 0 && !err_is_transient(e->code)) {
		log_error("a mail cannot be stored, it waits in the queue reason=\"%s\"", e->msg);
		r = 0;
	}
	mail_release(&m);
	return r < 0 ? r : 1;
}

static int declare(struct mailbox *m, const struct conf *conf, struct peers *peers,
		   struct publisher *p, struct err *e)
{
	const struct conf_queue *q = conf_queue(conf, MAILBOX_QUEUE);
	int r = 0;

	if (m->connection != peers_count(peers, PEER_MAILBOX))
		r = publisher_declare(p, MAILBOX_QUEUE, q ? q->max_priority : DEFAULT_PRIORITY,
				      q && q->type == CONF_QUEUE_QUORUM, CALL_MS, e);
	if (r >= 0)
		m->connection = peers_count(peers, PEER_MAILBOX);
	return r;
}

/* After any failure the connection goes: that puts the mail it holds back into the queue. */
int mailbox_turn(struct mailbox *m, const struct conf *conf, struct peers *peers, struct err *e)
{
	struct pg *pg = peers_database(peers);
	struct publisher *p = pg ? peers_mailbox(peers) : NULL;
	int taken = 0, r;

	if (!p)
		return 0;
	r = declare(m, conf, peers, p, e) < 0 ? -1 : 1;
	while (r > 0 && taken < TURN_MAILS) {
		r = take_one(p, pg, peers, e);
		taken += r > 0;
	}
	if (r < 0)
		peers_drop(peers, PEER_MAILBOX, e);
	return r < 0 ? -(int)e->code : taken == TURN_MAILS;
}
