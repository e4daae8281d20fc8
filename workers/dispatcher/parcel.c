/* SPDX-License-Identifier: MIT */
#include "workers/dispatcher/parcel.h"

#include "common/base/buf.h"
#include "common/base/err.h"
#include "common/base/json.h"
#include "common/base/mem.h"
#include "common/broker/message.h"

/* Headers that are fields of struct message; all others are set by name. */
static const struct {
	const char *name;
	size_t at;
} STRINGS[] = {
	{ "lang", offsetof(struct message, lang) },
	{ "root_id", offsetof(struct message, root_id) },
	{ "parent_id", offsetof(struct message, parent_id) },
	{ "group", offsetof(struct message, group) },
	{ "shadow", offsetof(struct message, shadow) },
	{ "origin", offsetof(struct message, origin) },
	{ "eta", offsetof(struct message, eta) },
	{ "expires", offsetof(struct message, expires) },
	{ "argsrepr", offsetof(struct message, argsrepr) },
	{ "kwargsrepr", offsetof(struct message, kwargsrepr) },
	{ "compression", offsetof(struct message, compression) },
};

/* What the row's own columns say, and so no header may. */
static const char *const COLUMNS[] = {
	"task", "id", "retries", "replaced_task_nesting", "x-jobfleet-generation", "x-jobfleet-hop"
};

static bool set_string(struct message *m, const char *name, const cJSON *value)
{
	for (size_t i = 0; i < COUNT(STRINGS); i++) {
		if (strcmp(name, STRINGS[i].name) == 0) {
			const char *text = message_strdup(m, cJSON_GetStringValue(value));

			memcpy((char *)m + STRINGS[i].at, &text, sizeof text);
			return true;
		}
	}
	return false;
}

/* [hard, soft], each seconds or null. */
static void set_limits(struct message *m, const cJSON *limits)
{
	const cJSON *hard = cJSON_GetArrayItem(limits, 0), *soft = cJSON_GetArrayItem(limits, 1);

	m->hard_ms = cJSON_IsNumber(hard) ? (int64_t)(hard->valuedouble * 1000) : -1;
	m->soft_ms = cJSON_IsNumber(soft) ? (int64_t)(soft->valuedouble * 1000) : -1;
}

static bool is_column(const char *name)
{
	for (size_t i = 0; i < COUNT(COLUMNS); i++)
		if (strcmp(name, COLUMNS[i]) == 0)
			return true;
	return false;
}

static int set_header(struct message *m, const cJSON *h, struct err *e)
{
	if (is_column(h->string) || set_string(m, h->string, h))
		return 0;
	if (strcmp(h->string, "timelimit") == 0) {
		set_limits(m, h);
	} else if (strcmp(h->string, "ignore_result") == 0) {
		m->ignore_result = cJSON_IsTrue(h);
	} else if (strcmp(h->string, "group_index") == 0) {
		m->group_index = cJSON_IsNumber(h) ? h->valueint : -1;
	} else if (strcmp(h->string, "x-jobfleet-forwards") == 0) {
		m->forwards = cJSON_IsNumber(h) ? h->valueint : 0;
	} else {
		return message_set_header(m, h->string, h, e);
	}
	return 0;
}

static int set_headers(struct message *m, const char *text, struct err *e)
{
	cJSON *headers = NULL;
	const cJSON *h;
	int r = json_parse(text, strlen(text), &headers, e);

	if (r == 0 && !cJSON_IsObject(headers))
		r = err_set(e, ERR_PROTOCOL, "headers are no JSON object");
	if (r == 0) {
		cJSON_ArrayForEach(h, headers)
			if (r == 0)
				r = set_header(m, h, e);
	}
	cJSON_Delete(headers);
	return r;
}

static int from_headers(const struct parcel *p, struct message *m, struct err *e)
{
	int r = message_new(m, p->task, p->task_id, NULL, NULL, e);

	if (r < 0)
		return r;
	message_take_body(m, mem_dup(p->body, p->body_len), p->body_len);
	r = set_headers(m, p->headers, e);
	if (!m->root_id)
		m->root_id = m->id;
	return r;
}

int parcel_pack(const struct parcel *p, struct message *m, struct buf *props, struct err *e)
{
	int r;

	message_clear(m);
	if (p->headers)
		r = from_headers(p, m, e);
	else
		r = message_decode(m, p->props, p->props_len, p->body, p->body_len, e);
	if (r < 0)
		return r;
	m->generation = p->generation;
	m->nesting = p->nesting;
	m->retries = p->retries;
	m->hop = p->hop + 1;
	if (p->priority != MESSAGE_NO_PRIORITY)
		m->priority = p->priority;
	return message_encode(m, props, e);
}
