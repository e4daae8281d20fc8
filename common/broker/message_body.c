/* SPDX-License-Identifier: MIT */
/* The body of a message: decompression, checks, the three parts, protocol 1. */
#include <libdeflate.h>
#include <utf8proc.h>

#include "common/base/err.h"
#include "common/base/json.h"
#include "common/base/mem.h"
#include "common/broker/message_private.h"

enum {
	ROOM_LEAST = 4096,
	USUAL_RATIO = 8,		/* of a chain's rest; more is tried when it does not fit */
};

static bool is_zlib(const char *codec)
{
	return strcmp(codec, "application/x-gzip") == 0 || strcmp(codec, "gzip") == 0 ||
	       strcmp(codec, "zlib") == 0;
}

static int refused(struct err *e, const char *what, const char *got, const char *want)
{
	int r = err_set(e, ERR_PROTOCOL, "%s %.100s is refused: %s is read", what, got, want);

	if (e)
		snprintf(e->exc_type, sizeof e->exc_type, "ContentDisallowed");
	return r;
}

static bool is_gzip(const struct message *m)
{
	return m->body_len >= 2 && memcmp(m->body, "\x1f\x8b", 2) == 0;
}

/* Whole at once, into more room each time it does not fit. */
static int unpack_body(const struct message *m, size_t max, struct buf *out, struct err *e)
{
	struct libdeflate_decompressor *d = mem_check(libdeflate_alloc_decompressor());
	size_t room = m->body_len * USUAL_RATIO + ROOM_LEAST, avail, n = 0;
	enum libdeflate_result rc;

	do {
		char *to;

		avail = room < max ? room : max;
		to = mem_check(buf_reserve(out, avail));
		rc = is_gzip(m) ?
		     libdeflate_gzip_decompress(d, m->body, m->body_len, to, avail, &n) :
		     libdeflate_zlib_decompress(d, m->body, m->body_len, to, avail, &n);
		room *= 4;
	} while (rc == LIBDEFLATE_INSUFFICIENT_SPACE && avail < max);
	libdeflate_free_decompressor(d);
	if (rc == LIBDEFLATE_INSUFFICIENT_SPACE)
		return err_set(e, ERR_TOO_BIG, "body over %zu bytes when decompressed", max);
	if (rc != LIBDEFLATE_SUCCESS)
		return err_set(e, ERR_PROTOCOL, "body is not a whole zlib or gzip stream");
	buf_commit(out, n);
	return 0;
}

static bool is_ascii8(const unsigned char *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof v);
	return (v & 0x8080808080808080u) == 0;
}

static int check_utf8(const char *text, size_t len, struct err *e)
{
	const unsigned char *p = (const unsigned char *)text;
	size_t i = 0;

	while (i < len) {
		utf8proc_int32_t cp;
		utf8proc_ssize_t used = 1;

		if (len - i >= 8 && is_ascii8(p + i))
			used = 8;
		else if (p[i] >= 0x80)
			used = utf8proc_iterate(p + i, (utf8proc_ssize_t)(len - i), &cp);
		if (used <= 0)
			return err_set(e, ERR_PROTOCOL, "body is not UTF-8 at byte %zu", i);
		i += (size_t)used;
	}
	return 0;
}

int message_text(const struct message *m, size_t max_bytes, char **ret, size_t *ret_len,
		 struct err *e)
{
	const char *type = m->content_type ? m->content_type : "missing";
	struct buf out;
	int r;

	if (strcmp(type, "application/json") != 0)
		return refused(e, "content type", type, "application/json");
	if (m->content_encoding && strcasecmp(m->content_encoding, "utf-8") != 0 &&
	    strcasecmp(m->content_encoding, "utf8") != 0 &&
	    strcasecmp(m->content_encoding, "us-ascii") != 0 && !m->compression)
		return refused(e, "content encoding", m->content_encoding, "utf-8");
	if (m->compression && *m->compression && !is_zlib(m->compression))
		return refused(e, "compression", m->compression, "zlib or gzip");
	buf_init(&out, max_bytes);
	if (m->compression && *m->compression)
		r = unpack_body(m, max_bytes, &out, e);
	else if (buf_append(&out, m->body ? m->body : "", m->body_len) < 0)
		r = err_set(e, ERR_TOO_BIG, "body over %zu bytes", max_bytes);
	else
		r = 0;
	if (r == 0)
		r = check_utf8(buf_text(&out), out.len, e);
	if (r < 0) {
		buf_release(&out);
		return r;
	}
	*ret_len = out.len;
	*ret = buf_take(&out);
	return 0;
}

/* A missing or null part gets its empty form; any other type is refused. */
static int part(char **slot, const char *empty, char open, const char *what, struct err *e)
{
	if (!*slot || strcmp(*slot, "null") == 0)
		mem_replace(slot, mem_strdup(empty));
	if ((*slot)[0] != open)
		return err_set(e, ERR_PROTOCOL, "%s is not a JSON %s", what,
			       open == '[' ? "array" : "object");
	return 0;
}

int message_split(const char *text, size_t len, char **ret_args, char **ret_kwargs,
		  char **ret_embed, struct err *e)
{
	char *parts[3] = { NULL };
	int r = json_split_array(text, len, parts, COUNT(parts), e);

	if (r < 0)
		return err_prefix(e, "body is not [args, kwargs, embed]");
	if (r != 3)
		r = err_set(e, ERR_PROTOCOL, "body has %d parts, not [args, kwargs, embed]", r);
	if (r >= 0)
		r = part(&parts[0], "[]", '[', "args", e);
	if (r >= 0)
		r = part(&parts[1], "{}", '{', "kwargs", e);
	if (r >= 0)
		r = part(&parts[2], "{}", '{', "embed", e);
	if (r < 0) {
		for (size_t i = 0; i < COUNT(parts); i++)
			free(parts[i]);
		return r;
	}
	*ret_args = parts[0];
	*ret_kwargs = parts[1];
	*ret_embed = parts[2];
	return 0;
}

static const char *v1_string(struct message *m, const cJSON *body, const char *key)
{
	return message_strdup(m, json_str(body, key, NULL));
}

static int v1_int(const cJSON *body, const char *key, int fallback)
{
	double n = json_num(body, key, fallback);

	return n >= 0 && n <= INT32_MAX ? (int)n : fallback;
}

static void v1_fields(struct message *m, const cJSON *body)
{
	const cJSON *limits = json_get(body, "timelimit");
	const cJSON *group = json_get(body, "taskset") ? json_get(body, "taskset") :
			     json_get(body, "group");

	m->task = v1_string(m, body, "task");
	m->id = m->root_id = v1_string(m, body, "id");
	m->eta = v1_string(m, body, "eta");
	m->expires = v1_string(m, body, "expires");
	m->group = cJSON_IsString(group) ? message_strdup(m, group->valuestring) : NULL;
	m->group_index = v1_int(body, "group_index", -1);
	m->retries = v1_int(body, "retries", 0);
	if (cJSON_IsArray(limits) && cJSON_GetArraySize(limits) == 2) {
		m->hard_ms = message_limit_ms(cJSON_GetArrayItem(limits, 0)->valuedouble);
		m->soft_ms = message_limit_ms(cJSON_GetArrayItem(limits, 1)->valuedouble);
	}
	if (m->id)
		m->correlation_id = m->id;
}

/* The members keep their raw text: numbers must not pass through doubles. */
static char *v1_member(const char *text, size_t len, const char *key, const char *fallback)
{
	char *raw = NULL;

	return json_raw_member(text, len, key, &raw, NULL) == 1 ? raw : mem_strdup(fallback);
}

static void v1_rewrite(struct message *m, const char *text, size_t len)
{
	char *args = v1_member(text, len, "args", "[]");
	char *kwargs = v1_member(text, len, "kwargs", "{}");
	char *callbacks = v1_member(text, len, "callbacks", "null");
	char *errbacks = v1_member(text, len, "errbacks", "null");
	char *chord = v1_member(text, len, "chord", "null");
	char *body = mem_printf("[%s, %s, {\"callbacks\": %s, \"errbacks\": %s, \"chain\": null, "
				"\"chord\": %s}]", args, kwargs, callbacks, errbacks, chord);

	m->argsrepr = strlen(args) <= MESSAGE_MAX_REPR ? message_strdup(m, args) : "[...]";
	m->kwargsrepr = strlen(kwargs) <= MESSAGE_MAX_REPR ? message_strdup(m, kwargs) : "{...}";
	m->compression = NULL;
	m->content_encoding = "utf-8";
	message_take_body(m, body, strlen(body));
	free(args);
	free(kwargs);
	free(callbacks);
	free(errbacks);
	free(chord);
}

/* A NUL would cut the name short without a word. */
static int v1_check_names(const char *text, size_t len, struct err *e)
{
	static const char *const NAMES[] = { "task", "id" };
	int r = 0;

	for (size_t i = 0; i < COUNT(NAMES) && r == 0; i++) {
		char *raw = NULL;

		if (json_raw_member(text, len, NAMES[i], &raw, NULL) == 1 &&
		    strstr(raw, "\\u0000"))
			r = err_set(e, ERR_PROTOCOL, "%s of a protocol 1 body has a NUL in it",
				    NAMES[i]);
		free(raw);
	}
	return r;
}

int message_from_v1(struct message *m, struct err *e)
{
	enum { V1_MAX = 16 << 20 };
	cJSON *body = NULL;
	char *text = NULL;
	size_t len = 0;
	int r = message_text(m, V1_MAX, &text, &len, e);

	if (r < 0)
		return r;
	r = json_parse(text, len, &body, e);
	if (r == 0 && (!cJSON_IsObject(body) || !json_str(body, "task", NULL)))
		r = err_set(e, ERR_PROTOCOL, "neither a task header nor a protocol 1 body with a "
			    "task");
	if (r == 0)
		r = v1_check_names(text, len, e);
	if (r == 0) {
		v1_fields(m, body);
		v1_rewrite(m, text, len);
	}
	cJSON_Delete(body);
	free(text);
	return r;
}
