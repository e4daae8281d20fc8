/* SPDX-License-Identifier: MIT */
#include "workers/salary/cacheentry.h"

#include <arpa/inet.h>
#include <string.h>
#include <xxhash.h>
#include <zstd.h>

#include "common/base/mem.h"

#define LAYOUT "JC1"
#define CHECKED_BYTES 16
/* Entries are read far more often than written, and no level is slower to read. */
#define LEVEL 12

enum form { FORM_PLAIN = 'p', FORM_DICTIONARY = 'd' };

/* The trained dictionary, as the assembler includes it; tools/salary-dictionary makes it. */
__asm__(".section .rodata\n"
	".global cacheentry_dictionary\n.global cacheentry_dictionary_end\n"
	"cacheentry_dictionary:\n.incbin \"workers/salary/cacheentry.zdict\"\n"
	"cacheentry_dictionary_end:\n"
	".previous\n");
extern const char cacheentry_dictionary[], cacheentry_dictionary_end[];

/* Digested once in a process. NULL where the file holds no dictionary: then nothing is packed with
 * one, and what was is a miss. */
static const ZSTD_CDict *packing_dictionary(void)
{
	static ZSTD_CDict *dictionary;

	if (!dictionary)
		dictionary = ZSTD_createCDict(cacheentry_dictionary,
					      (size_t)(cacheentry_dictionary_end -
						       cacheentry_dictionary), LEVEL);
	return dictionary;
}

static const ZSTD_DDict *reading_dictionary(void)
{
	static ZSTD_DDict *dictionary;

	if (!dictionary)
		dictionary = ZSTD_createDDict(cacheentry_dictionary,
					      (size_t)(cacheentry_dictionary_end -
						       cacheentry_dictionary));
	return dictionary;
}

unsigned cacheentry_dictionary_id(void)
{
	return ZSTD_getDictID_fromDDict(reading_dictionary());
}

static void put_time(char *out, int64_t s)
{
	uint32_t n = htonl(s < 0 ? 0 : s > UINT32_MAX ? UINT32_MAX : (uint32_t)s);

	memcpy(out, &n, sizeof n);
}

static int64_t get_time(const char *at)
{
	uint32_t n;

	memcpy(&n, at, sizeof n);
	return ntohl(n);
}

static void sum(const char *head, const char *body, size_t len, XXH64_canonical_t *ret)
{
	XXH64_state_t *state = mem_check(XXH64_createState());

	XXH64_reset(state, 0);
	XXH64_update(state, head, CHECKED_BYTES);
	XXH64_update(state, body, len);
	XXH64_canonicalFromHash(ret, XXH64_digest(state));
	XXH64_freeState(state);
}

/* Bytes that zstd made of the text, or 0: then it stays plain. */
static size_t squeeze(const char *text, size_t len, char *out, size_t room)
{
	ZSTD_CCtx *context = mem_check(ZSTD_createCCtx());
	size_t n = ZSTD_compress_usingCDict(context, out, room, text, len, packing_dictionary());

	ZSTD_freeCCtx(context);
	return ZSTD_isError(n) ? 0 : n;
}

char *cacheentry_pack(const struct cacheentry_head *h, const char *text, size_t len, bool compress,
		      size_t *ret_len)
{
	size_t room = ZSTD_compressBound(len), n = 0;
	XXH64_canonical_t hash;
	char *bytes;

	if (len > CACHEENTRY_MAX_BYTES)
		return NULL;
	bytes = mem_alloc(CACHEENTRY_HEAD_BYTES + room);
	memcpy(bytes, LAYOUT, 3);
	put_time(bytes + 4, h->stored_at_s);
	put_time(bytes + 8, h->fresh_until_s);
	put_time(bytes + 12, h->keep_until_s);
	if (compress)
		n = squeeze(text, len, bytes + CACHEENTRY_HEAD_BYTES, room);
	bytes[3] = n > 0 ? FORM_DICTIONARY : FORM_PLAIN;
	if (n == 0)
		memcpy(bytes + CACHEENTRY_HEAD_BYTES, text, n = len);
	sum(bytes, bytes + CACHEENTRY_HEAD_BYTES, n, &hash);
	memcpy(bytes + CHECKED_BYTES, &hash, sizeof hash);
	*ret_len = CACHEENTRY_HEAD_BYTES + n;
	return bytes;
}

bool cacheentry_read_head(const char *bytes, size_t len, struct cacheentry_head *ret)
{
	if (len < CACHEENTRY_HEAD_BYTES || memcmp(bytes, LAYOUT, 3) != 0)
		return false;
	*ret = (struct cacheentry_head){
		.stored_at_s = get_time(bytes + 4), .fresh_until_s = get_time(bytes + 8),
		.keep_until_s = get_time(bytes + 12),
	};
	return true;
}

int64_t cacheentry_plain_size(const char *bytes, size_t len, int64_t all)
{
	struct cacheentry_head head;
	unsigned long long size;

	if (!cacheentry_read_head(bytes, len, &head))
		return -1;
	if (bytes[3] == FORM_PLAIN)
		return all - CACHEENTRY_HEAD_BYTES;
	size = ZSTD_getFrameContentSize(bytes + CACHEENTRY_HEAD_BYTES, len - CACHEENTRY_HEAD_BYTES);
	return size > CACHEENTRY_MAX_BYTES ? -1 : (int64_t)size;
}

static char *expand(const char *bytes, size_t len, size_t *ret_len)
{
	unsigned long long size = ZSTD_getFrameContentSize(bytes, len);
	ZSTD_DCtx *context;
	char *text;
	size_t n;

	if (size == ZSTD_CONTENTSIZE_UNKNOWN || size == ZSTD_CONTENTSIZE_ERROR ||
	    size > CACHEENTRY_MAX_BYTES)
		return NULL;
	context = mem_check(ZSTD_createDCtx());
	text = mem_alloc(size + 1);
	n = ZSTD_decompress_usingDDict(context, text, size, bytes, len, reading_dictionary());
	ZSTD_freeDCtx(context);
	if (ZSTD_isError(n) || n != size) {
		free(text);
		return NULL;
	}
	text[n] = '\0';
	*ret_len = n;
	return text;
}

char *cacheentry_unpack(const char *bytes, size_t len, struct cacheentry_head *ret_head,
			size_t *ret_len)
{
	const char *body = bytes + CACHEENTRY_HEAD_BYTES;
	struct cacheentry_head head;
	XXH64_canonical_t hash;
	char *text;

	if (!cacheentry_read_head(bytes, len, &head))
		return NULL;
	len -= CACHEENTRY_HEAD_BYTES;
	sum(bytes, body, len, &hash);
	if (memcmp(bytes + CHECKED_BYTES, &hash, sizeof hash) != 0)
		return NULL;
	if (bytes[3] == FORM_PLAIN && len <= CACHEENTRY_MAX_BYTES) {
		text = mem_dup(body, len);
		*ret_len = len;
	} else if (bytes[3] == FORM_DICTIONARY) {
		text = expand(body, len, ret_len);
	} else {
		text = NULL;
	}
	if (text)
		*ret_head = head;
	return text;
}
