/* SPDX-License-Identifier: MIT */
/* A message's props: the headers table is filled on the stack, in Celery's order. */
#include "common/base/err.h"
#include "common/base/mem.h"
#include "common/broker/message_private.h"

enum { KNOWN_HEADERS = 24 };

struct headers {
	amqp_table_entry_t entry[MESSAGE_MAX_HEADERS + KNOWN_HEADERS];
	amqp_field_value_t limits[2];
	int n;
};

static amqp_field_value_t *put(struct headers *h, const char *name, int kind)
{
	amqp_table_entry_t *t = &h->entry[h->n++];

	t->key = amqp_cstring_bytes(name);
	t->value.kind = (uint8_t)kind;
	return &t->value;
}

static void put_string(struct headers *h, const char *name, const char *s)
{
	if (!s)
		put(h, name, AMQP_FIELD_KIND_VOID);
	else
		put(h, name, AMQP_FIELD_KIND_UTF8)->value.bytes = amqp_cstring_bytes(s);
}

static void put_int(struct headers *h, const char *name, int n)
{
	put(h, name, AMQP_FIELD_KIND_I32)->value.i32 = n;
}

static amqp_field_value_t limit_value(int64_t ms)
{
	amqp_field_value_t v = { .kind = AMQP_FIELD_KIND_VOID };

	if (ms > 0 && ms % 1000 == 0) {
		v.kind = AMQP_FIELD_KIND_I32;
		v.value.i32 = (int32_t)(ms / 1000);
	} else if (ms > 0) {
		v.kind = AMQP_FIELD_KIND_F64;
		v.value.f64 = (double)ms / 1000;
	}
	return v;
}

static void collect_headers(const struct message *m, struct headers *h)
{
	h->n = 0;
	put_string(h, "lang", m->lang ? m->lang : "c");
	put_string(h, "task", m->task);
	put_string(h, "id", m->id);
	put_string(h, "shadow", m->shadow);
	put_string(h, "eta", m->eta);
	put_string(h, "expires", m->expires);
	put_string(h, "group", m->group);
	if (m->group_index >= 0)
		put_int(h, "group_index", m->group_index);
	else
		put(h, "group_index", AMQP_FIELD_KIND_VOID);
	put_int(h, "retries", m->retries);
	h->limits[0] = limit_value(m->hard_ms);
	h->limits[1] = limit_value(m->soft_ms);
	put(h, "timelimit", AMQP_FIELD_KIND_ARRAY)->value.array =
		(amqp_array_t){ 2, h->limits };
	put_string(h, "root_id", m->root_id);
	put_string(h, "parent_id", m->parent_id);
	put_string(h, "argsrepr", m->argsrepr ? m->argsrepr : "");
	put_string(h, "kwargsrepr", m->kwargsrepr ? m->kwargsrepr : "");
	put_string(h, "origin", m->origin ? m->origin : "");
	put(h, "ignore_result", AMQP_FIELD_KIND_BOOLEAN)->value.boolean = m->ignore_result;
	put_int(h, "replaced_task_nesting", m->nesting);
	if (m->compression)
		put_string(h, "compression", m->compression);
	if (m->generation)
		put_int(h, MESSAGE_GENERATION, m->generation);
	if (m->hop)
		put_int(h, MESSAGE_HOP, m->hop);
	if (m->forwards)
		put_int(h, MESSAGE_FORWARDS, m->forwards);
	if (m->admitted)
		put_int(h, MESSAGE_ADMITTED, m->admitted);
	if (m->slot_ms)
		put(h, MESSAGE_SLOT, AMQP_FIELD_KIND_I64)->value.i64 = m->slot_ms;
	for (int i = 0; i < m->arena->extra.num_entries; i++)
		h->entry[h->n++] = m->arena->extra.entries[i];
}

/* A property is a short string; an id that is too long for one was refused on its way in. */
static const char *correlation_id(const struct message *m)
{
	const char *id = m->correlation_id ? m->correlation_id : m->id ? m->id : "";

	return strlen(id) <= MESSAGE_MAX_ID ? id : "";
}

int message_encode(const struct message *m, struct buf *props, struct err *e)
{
	struct headers h;
	amqp_basic_properties_t p = {
		._flags = AMQP_BASIC_CONTENT_TYPE_FLAG | AMQP_BASIC_CONTENT_ENCODING_FLAG |
			AMQP_BASIC_HEADERS_FLAG | AMQP_BASIC_DELIVERY_MODE_FLAG |
			AMQP_BASIC_CORRELATION_ID_FLAG | AMQP_BASIC_REPLY_TO_FLAG,
		.content_type =
			amqp_cstring_bytes(m->content_type ? m->content_type : "application/json"),
		.content_encoding =
			amqp_cstring_bytes(m->content_encoding ? m->content_encoding : "utf-8"),
		.delivery_mode = (uint8_t)m->delivery_mode,
		.correlation_id = amqp_cstring_bytes(correlation_id(m)),
		.reply_to = amqp_cstring_bytes(m->reply_to ? m->reply_to : ""),
	};
	char *room;
	int n;

	if (m->arena->extra.num_entries > MESSAGE_MAX_HEADERS)
		return err_set(e, ERR_TOO_BIG, "more than %d headers", MESSAGE_MAX_HEADERS);
	collect_headers(m, &h);
	p.headers = (amqp_table_t){ h.n, h.entry };
	if (m->priority != MESSAGE_NO_PRIORITY) {
		p._flags |= AMQP_BASIC_PRIORITY_FLAG;
		p.priority = (uint8_t)m->priority;
	}
	if (m->expiration) {
		p._flags |= AMQP_BASIC_EXPIRATION_FLAG;
		p.expiration = amqp_cstring_bytes(m->expiration);
	}
	room = buf_reserve(props, MESSAGE_MAX_PROPS);
	if (!room)
		return err_set(e, ERR_TOO_BIG, "no room for the properties");
	n = amqp_encode_properties(AMQP_BASIC_CLASS, &p, (amqp_bytes_t){ MESSAGE_MAX_PROPS, room });
	if (n < 0)
		return err_set(e, ERR_TOO_BIG, "headers over %d bytes", MESSAGE_MAX_PROPS);
	buf_commit(props, (size_t)n);
	return 0;
}
