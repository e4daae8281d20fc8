/* SPDX-License-Identifier: MIT */
#include "common/broker/message.h"

#include <utf8proc.h>

#include "common/base/err.h"
#include "common/base/json.h"
#include "common/base/mem.h"
#include "common/base/uuid.h"
#include "common/broker/message_private.h"

#include <math.h>
#include <unistd.h>

enum { PAGE = 2048 };

#define NAME(text) text, sizeof(text) - 1
/* Header names that are fields of struct message, and where. Lengths are compared first: each of a
 * message's twenty headers meets each name. */
static const struct {
	const char *name;
	size_t len, at;
	bool cosmetic;		/* a bad value is dropped, not refused */
} STRINGS[] = {
	{ NAME("lang"), offsetof(struct message, lang), true },
	{ NAME("task"), offsetof(struct message, task), false },
	{ NAME("id"), offsetof(struct message, id), false },
	{ NAME("shadow"), offsetof(struct message, shadow), true },
	{ NAME("eta"), offsetof(struct message, eta), false },
	{ NAME("expires"), offsetof(struct message, expires), false },
	{ NAME("group"), offsetof(struct message, group), false },
	{ NAME("root_id"), offsetof(struct message, root_id), false },
	{ NAME("parent_id"), offsetof(struct message, parent_id), false },
	{ NAME("argsrepr"), offsetof(struct message, argsrepr), true },
	{ NAME("kwargsrepr"), offsetof(struct message, kwargsrepr), true },
	{ NAME("origin"), offsetof(struct message, origin), true },
	{ NAME("compression"), offsetof(struct message, compression), false },
};

static const struct {
	const char *name;
	size_t len, at;
} INTS[] = {
	{ NAME("retries"), offsetof(struct message, retries) },
	{ NAME("group_index"), offsetof(struct message, group_index) },
	{ NAME("replaced_task_nesting"), offsetof(struct message, nesting) },
	{ NAME(MESSAGE_GENERATION), offsetof(struct message, generation) },
	{ NAME(MESSAGE_HOP), offsetof(struct message, hop) },
	{ NAME(MESSAGE_FORWARDS), offsetof(struct message, forwards) },
	{ NAME(MESSAGE_ADMITTED), offsetof(struct message, admitted) },
};

static void set_defaults(struct message *m)
{
	struct message_arena *arena = m->arena;

	*m = (struct message){
		.priority = MESSAGE_NO_PRIORITY, .delivery_mode = 2, .group_index = -1,
		.hard_ms = -1, .soft_ms = -1, .arena = arena,
	};
	arena->extra = (amqp_table_t){ 0, NULL };
	arena->extra_room = 0;
}

void message_init(struct message *m)
{
	m->arena = mem_zalloc(sizeof *m->arena);
	init_amqp_pool(&m->arena->pool, PAGE);
	m->body = NULL;
	set_defaults(m);
}

void message_clear(struct message *m)
{
	free(m->body);
	recycle_amqp_pool(&m->arena->pool);
	set_defaults(m);
}

void message_release(struct message *m)
{
	if (!m->arena)
		return;
	free(m->body);
	empty_amqp_pool(&m->arena->pool);
	free(m->arena);
	memset(m, 0, sizeof *m);
}

static char *arena_copy(struct message *m, const void *p, size_t n)
{
	char *copy = mem_check(amqp_pool_alloc(&m->arena->pool, n + 1));

	if (n)
		memcpy(copy, p, n);
	copy[n] = '\0';
	return copy;
}

const char *message_strdup(struct message *m, const char *s)
{
	return s ? arena_copy(m, s, strlen(s)) : NULL;
}

void message_take_body(struct message *m, char *owned, size_t len)
{
	free(m->body);
	m->body = owned;
	m->body_len = len;
}

static bool clean_utf8(const void *p, size_t n)
{
	const utf8proc_uint8_t *s = p;

	while (n > 0) {
		utf8proc_int32_t cp = s[0];
		utf8proc_ssize_t used = 1;

		if (cp >= 0x80)
			used = utf8proc_iterate(s, (utf8proc_ssize_t)n, &cp);
		if (used <= 0 || cp == 0)
			return false;
		s += used;
		n -= (size_t)used;
	}
	return true;
}

static bool as_int(const amqp_field_value_t *v, int64_t *ret)
{
	switch (v->kind) {
	case AMQP_FIELD_KIND_I8: *ret = v->value.i8; return true;
	case AMQP_FIELD_KIND_U8: *ret = v->value.u8; return true;
	case AMQP_FIELD_KIND_I16: *ret = v->value.i16; return true;
	case AMQP_FIELD_KIND_U16: *ret = v->value.u16; return true;
	case AMQP_FIELD_KIND_I32: *ret = v->value.i32; return true;
	case AMQP_FIELD_KIND_U32: *ret = v->value.u32; return true;
	case AMQP_FIELD_KIND_I64:
	case AMQP_FIELD_KIND_U64:	/* py-amqp writes signed under 'L' */
		*ret = v->value.i64;
		return true;
	default:
		return false;
	}
}

int64_t message_limit_ms(double seconds)
{
	if (!(seconds > 0))
		return -1;
	if (seconds >= MESSAGE_MAX_LIMIT_S)
		return (int64_t)MESSAGE_MAX_LIMIT_S * 1000;
	return seconds < 0.001 ? 1 : llround(seconds * 1000);
}

static int64_t as_limit_ms(const amqp_field_value_t *v)
{
	int64_t n;

	if (as_int(v, &n))
		return message_limit_ms((double)n);
	return v->kind == AMQP_FIELD_KIND_F64 ? message_limit_ms(v->value.f64) : -1;
}

static bool name_is(const amqp_bytes_t *b, const char *name, size_t len)
{
	return b->len == len && memcmp(b->bytes, name, len) == 0;
}

/* 1 = the header was one of the strings. */
static int take_string(struct message *m, const amqp_table_entry_t *t, struct err *e)
{
	for (size_t i = 0; i < COUNT(STRINGS); i++) {
		const amqp_field_value_t *v = &t->value;
		bool text = v->kind == AMQP_FIELD_KIND_UTF8 || v->kind == AMQP_FIELD_KIND_BYTES;

		if (!name_is(&t->key, STRINGS[i].name, STRINGS[i].len))
			continue;
		if (v->kind == AMQP_FIELD_KIND_VOID)
			return 1;
		if (text && clean_utf8(v->value.bytes.bytes, v->value.bytes.len))
			*(const char **)((char *)m + STRINGS[i].at) =
				arena_copy(m, v->value.bytes.bytes, v->value.bytes.len);
		else if (!STRINGS[i].cosmetic)
			return err_set(e, ERR_PROTOCOL, "header %s is not a UTF-8 string",
				       STRINGS[i].name);
		return 1;
	}
	return 0;
}

static int take_int(struct message *m, const amqp_table_entry_t *t, struct err *e)
{
	for (size_t i = 0; i < COUNT(INTS); i++) {
		int64_t n;

		if (!name_is(&t->key, INTS[i].name, INTS[i].len))
			continue;
		if (t->value.kind == AMQP_FIELD_KIND_VOID)
			return 1;
		if (!as_int(&t->value, &n) || n < 0 || n > INT32_MAX)
			return err_set(e, ERR_PROTOCOL, "header %s is not a whole number from 0 to "
				       "%d", INTS[i].name, INT32_MAX);
		*(int *)((char *)m + INTS[i].at) = (int)n;
		return 1;
	}
	return 0;
}

static int take_other(struct message *m, const amqp_table_entry_t *t)
{
	if (name_is(&t->key, NAME("timelimit"))) {
		const amqp_array_t *a = &t->value.value.array;

		if (t->value.kind == AMQP_FIELD_KIND_ARRAY && a->num_entries == 2) {
			m->hard_ms = as_limit_ms(&a->entries[0]);
			m->soft_ms = as_limit_ms(&a->entries[1]);
		}
		return 1;
	}
	if (name_is(&t->key, NAME("ignore_result"))) {
		m->ignore_result = t->value.kind == AMQP_FIELD_KIND_BOOLEAN &&
				   t->value.value.boolean;
		return 1;
	}
	if (name_is(&t->key, NAME(MESSAGE_SLOT)))
		return as_int(&t->value, &m->slot_ms);
	if (name_is(&t->key, NAME(MESSAGE_UNIQUE)))
		m->unique = true;	/* its value is kept as it came */
	return 0;
}

static amqp_table_entry_t *extra_slot(struct message *m)
{
	struct message_arena *a = m->arena;

	if (a->extra.num_entries == a->extra_room) {
		int room = a->extra_room ? a->extra_room * 2 : 8;
		amqp_table_entry_t *grown =
			mem_check(amqp_pool_alloc(&a->pool, (size_t)room * sizeof *grown));

		if (a->extra.num_entries)
			memcpy(grown, a->extra.entries,
			       (size_t)a->extra.num_entries * sizeof *grown);
		a->extra.entries = grown;
		a->extra_room = room;
	}
	return &a->extra.entries[a->extra.num_entries++];
}

static int take_headers(struct message *m, const amqp_table_t *t, struct err *e)
{
	bool too_many = t->num_entries > MESSAGE_MAX_HEADERS;
	int r = 0;

	if (too_many)
		r = err_set(e, ERR_PROTOCOL, "%d headers, at most %d are read", t->num_entries,
			    MESSAGE_MAX_HEADERS);
	for (int i = 0; i < t->num_entries; i++) {
		const amqp_table_entry_t *entry = &t->entries[i];
		struct err local;
		int got = take_string(m, entry, &local);

		if (got == 0)
			got = take_int(m, entry, &local);
		if (got == 0)
			got = take_other(m, entry);
		if (got == 0 && !too_many)
			*extra_slot(m) = *entry;
		if (got < 0 && r == 0)	/* go on: the id may still come */
			r = err_set(e, local.code, "%s", local.msg);
	}
	return r;
}

static void take_properties(struct message *m, const amqp_basic_properties_t *p)
{
#define TAKE(flag, field)                                                                      \
	if ((p->_flags & (flag)) && clean_utf8(p->field.bytes, p->field.len))                  \
		m->field = arena_copy(m, p->field.bytes, p->field.len)
	TAKE(AMQP_BASIC_CONTENT_TYPE_FLAG, content_type);
	TAKE(AMQP_BASIC_CONTENT_ENCODING_FLAG, content_encoding);
	TAKE(AMQP_BASIC_CORRELATION_ID_FLAG, correlation_id);
	TAKE(AMQP_BASIC_REPLY_TO_FLAG, reply_to);
	TAKE(AMQP_BASIC_EXPIRATION_FLAG, expiration);
#undef TAKE
	if (p->_flags & AMQP_BASIC_PRIORITY_FLAG)
		m->priority = p->priority;
	if (p->_flags & AMQP_BASIC_DELIVERY_MODE_FLAG)
		m->delivery_mode = p->delivery_mode == 1 ? 1 : 2;
}

static int check_names(struct message *m, struct err *e)
{
	if (!m->id || !*m->id)
		return err_set(e, ERR_PROTOCOL, "no id header");
	if (strlen(m->id) > MESSAGE_MAX_ID)
		return err_set(e, ERR_PROTOCOL, "task id is longer than %d bytes", MESSAGE_MAX_ID);
	if (!m->task || !*m->task)
		return err_set(e, ERR_PROTOCOL, "no task name");
	if (strlen(m->task) > MESSAGE_MAX_ID)
		return err_set(e, ERR_PROTOCOL, "task name is longer than %d bytes",
			       MESSAGE_MAX_ID);
	return 0;
}

int message_decode(struct message *m, const void *props, size_t props_len, const void *body,
		   size_t body_len, struct err *e)
{
	void *decoded = NULL;
	amqp_basic_properties_t *p;
	int r;

	message_clear(m);
	message_take_body(m, mem_dup(body, body_len), body_len);
	if (props_len > MESSAGE_MAX_PROPS)
		return err_set(e, ERR_PROTOCOL, "properties over %d bytes", MESSAGE_MAX_PROPS);
	r = amqp_decode_properties(AMQP_BASIC_CLASS, &m->arena->pool,
				   (amqp_bytes_t){ props_len, arena_copy(m, props, props_len) },
				   &decoded);
	mem_check(r == AMQP_STATUS_NO_MEMORY ? NULL : m);
	if (r < 0 || !decoded)
		return err_set(e, ERR_PROTOCOL, "malformed AMQP properties");
	p = decoded;
	take_properties(m, p);
	r = (p->_flags & AMQP_BASIC_HEADERS_FLAG) ? take_headers(m, &p->headers, e) : 0;
	if (r == 0 && !m->task)
		r = message_from_v1(m, e);
	return r < 0 ? r : check_names(m, e);
}

static const char *repr(struct message *m, const char *text)
{
	size_t n = strlen(text);

	if (n > MESSAGE_MAX_REPR)	/* a torn sequence would not be UTF-8 any more */
		for (n = MESSAGE_MAX_REPR; n > 0 && ((unsigned char)text[n] & 0xC0) == 0x80; n--)
			;
	return arena_copy(m, text, n);
}

/* Of its exact size: asprintf doubles its way to a large one, and the heap gives the rest back to
 * the kernel only to ask for it again with the next message. */
static void set_body(struct message *m, const char *args, const char *kwargs)
{
	static const char embed[] =
		"{\"callbacks\": null, \"errbacks\": null, \"chain\": null, \"chord\": null}";
	size_t size = strlen(args) + strlen(kwargs) + sizeof "[, , ]" + sizeof embed;
	char *body = mem_alloc(size);
	int len = snprintf(body, size, "[%s, %s, %s]", args, kwargs, embed);

	message_take_body(m, body, (size_t)len);
}

int message_new(struct message *m, const char *task, const char *id, const char *args,
		const char *kwargs, struct err *e)
{
	char fresh[UUID_SIZE], host[256] = "", *origin;

	message_clear(m);
	if (!id)
		uuid_v4(fresh);
	gethostname(host, sizeof host - 1);
	m->task = message_strdup(m, task);
	m->id = m->root_id = m->correlation_id = message_strdup(m, id ? id : fresh);
	origin = mem_printf("jobfleet%d@%s", (int)getpid(), host);
	m->origin = message_strdup(m, origin);
	free(origin);
	m->argsrepr = repr(m, args ? args : "[]");
	m->kwargsrepr = repr(m, kwargs ? kwargs : "{}");
	set_body(m, args ? args : "[]", kwargs ? kwargs : "{}");
	return check_names(m, e);
}

static amqp_table_entry_t *find_extra(const struct message *m, const char *name)
{
	size_t len = strlen(name);

	for (int i = 0; i < m->arena->extra.num_entries; i++)
		if (name_is(&m->arena->extra.entries[i].key, name, len))
			return &m->arena->extra.entries[i];
	return NULL;
}

cJSON *message_header(const struct message *m, const char *name)
{
	amqp_table_entry_t *t = find_extra(m, name);

	for (size_t i = 0; !t && i < COUNT(STRINGS); i++) {
		const char *s = *(const char *const *)((const char *)m + STRINGS[i].at);

		if (strcmp(name, STRINGS[i].name) == 0)
			return s ? cJSON_CreateString(s) : NULL;
	}
	for (size_t i = 0; !t && i < COUNT(INTS); i++)
		if (strcmp(name, INTS[i].name) == 0)
			return cJSON_CreateNumber(*(const int *)((const char *)m + INTS[i].at));
	return t ? message_value_to_json(&t->value, 0) : NULL;
}

static cJSON *limit_of(int64_t ms)
{
	return ms > 0 ? cJSON_CreateNumber((double)ms / 1000) : cJSON_CreateNull();
}

cJSON *message_headers(const struct message *m)
{
	cJSON *all = mem_check(cJSON_CreateObject()), *limits = mem_check(cJSON_CreateArray());

	for (size_t i = 0; i < COUNT(STRINGS); i++)
		json_set_str(all, STRINGS[i].name,
			     *(const char *const *)((const char *)m + STRINGS[i].at));
	for (size_t i = 0; i < COUNT(INTS); i++)
		json_set(all, INTS[i].name, message_header(m, INTS[i].name));
	cJSON_AddItemToArray(limits, limit_of(m->hard_ms));
	cJSON_AddItemToArray(limits, limit_of(m->soft_ms));
	json_set(all, "timelimit", limits);
	json_set_bool(all, "ignore_result", m->ignore_result);
	for (int i = 0; i < m->arena->extra.num_entries; i++) {
		const amqp_table_entry_t *t = &m->arena->extra.entries[i];
		char *name = mem_strndup(t->key.bytes, t->key.len);

		json_set(all, name, message_value_to_json(&t->value, 0));
		free(name);
	}
	return all;
}

int message_set_header(struct message *m, const char *name, const cJSON *value, struct err *e)
{
	amqp_table_entry_t *t = find_extra(m, name);
	amqp_field_value_t v;
	int r = message_value_from_json(&m->arena->pool, value, &v, 0, e);

	if (r < 0)
		return err_prefix(e, "header %.60s", name);
	if (strlen(name) > MESSAGE_MAX_ID || (!t && m->arena->extra.num_entries ==
						      MESSAGE_MAX_HEADERS))
		return err_set(e, ERR_TOO_BIG, "header %.60s: name too long or too many", name);
	if (!t)
		t = extra_slot(m);
	t->key = amqp_cstring_bytes(message_strdup(m, name));
	t->value = v;
	return 0;
}

void message_drop_headers(struct message *m, const char *prefix)
{
	amqp_table_t *t = &m->arena->extra;
	size_t len = strlen(prefix);
	int n = 0;

	for (int i = 0; i < t->num_entries; i++) {
		const amqp_bytes_t *key = &t->entries[i].key;

		if (key->len < len || memcmp(key->bytes, prefix, len) != 0)
			t->entries[n++] = t->entries[i];
	}
	t->num_entries = n;
}
