/* SPDX-License-Identifier: MIT */
#include "common/base/spool_private.h"

#include <sodium.h>

#include "common/base/buf.h"
#include "common/base/err.h"
#include "common/base/json.h"
#include "common/base/mem.h"

enum {
	VERSION = 1,
	NAME_MAX_BYTES = 128,		/* of an id that is used as a file name */
	HEX_SIZE = 2 * crypto_hash_sha256_BYTES + 1,
};

static const char PLAIN[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
			    "0123456789-_.";

bool spool_ends_with(const char *text, const char *end)
{
	size_t n = strlen(text), m = strlen(end);

	return n >= m && strcmp(text + n - m, end) == 0;
}

static bool is_plain(const char *id)
{
	size_t n = strspn(id, PLAIN);

	return n > 0 && n <= NAME_MAX_BYTES && !id[n] && id[0] != '.' &&
	       !spool_ends_with(id, ".broken");
}

char *spool_name(const char *id)
{
	unsigned char hash[crypto_hash_sha256_BYTES];
	char hex[HEX_SIZE];

	if (is_plain(id))
		return mem_strdup(id);
	crypto_hash_sha256(hash, (const unsigned char *)id, strlen(id));
	return mem_strdup(sodium_bin2hex(hex, sizeof hex, hash, sizeof hash));
}

static void sign(const struct spool_entry *x, char out[HEX_SIZE])
{
	unsigned char hash[crypto_hash_sha256_BYTES];
	crypto_hash_sha256_state state;

	crypto_hash_sha256_init(&state);
	crypto_hash_sha256_update(&state, (const unsigned char *)x->id, strlen(x->id) + 1);
	crypto_hash_sha256_update(&state, (const unsigned char *)x->queue, strlen(x->queue) + 1);
	crypto_hash_sha256_update(&state, x->props, x->props_len);
	crypto_hash_sha256_update(&state, x->body, x->body_len);
	crypto_hash_sha256_final(&state, hash);
	sodium_bin2hex(out, HEX_SIZE, hash, sizeof hash);
}

int spool_print_head(struct buf *out, const struct spool_entry *x, struct err *e)
{
	char hash[HEX_SIZE];

	sign(x, hash);
	buf_printf(out, "{\"version\": %d, \"id\": ", VERSION);
	buf_put_json_string(out, x->id);
	buf_puts(out, ", \"queue\": ");
	buf_put_json_string(out, x->queue);
	buf_printf(out, ", \"props\": %zu, \"body\": %zu, \"sha256\": \"%s\"}\n", x->props_len,
		   x->body_len, hash);
	return buf_overflowed(out) ? err_set(e, ERR_TOO_BIG, "spool: id or queue is too long") : 0;
}

bool spool_understand(struct spool_held *h, size_t n)
{
	const char *end = memchr(h->data, '\n', n < SPOOL_HEAD_MAX ? n : SPOOL_HEAD_MAX);
	size_t head_len = end ? (size_t)(end - h->data) + 1 : 0;
	struct spool_entry *x = &h->x;
	int64_t props, body;
	char hash[HEX_SIZE];

	if (!end || json_parse(h->data, head_len, &h->head, NULL) < 0 || !cJSON_IsObject(h->head))
		return false;
	props = json_int(h->head, "props", -1);
	body = json_int(h->head, "body", -1);
	x->id = json_str(h->head, "id", NULL);
	x->queue = json_str(h->head, "queue", NULL);
	if (json_int(h->head, "version", 0) != VERSION || !x->id || !x->queue || props < 0 ||
	    body < 0 || props > SPOOL_ENTRY_MAX || body > SPOOL_ENTRY_MAX ||
	    head_len + (size_t)props + (size_t)body != n)
		return false;
	x->props = h->data + head_len;
	x->props_len = (size_t)props;
	x->body = h->data + head_len + props;
	x->body_len = (size_t)body;
	sign(x, hash);
	return strcmp(hash, json_str(h->head, "sha256", "")) == 0;
}
