/* SPDX-License-Identifier: MIT */
/* cacheentry: a document as the bytes that stand in Redis, and back.
 *
 *	0   "JC1"               this layout
 *	3   form                'p' plain text, 'd' one zstd frame with our dictionary
 *	4   3 times u32         stored, fresh until, kept until: epoch seconds, network byte order
 *	16  u64                 XXH64 of bytes 0 to 15 followed by the rest, seed 0, network byte
 *	order 24  the document        text `[meta,rows]`, as form says
 *
 * Whatever is not exactly that is no entry: another layout, a bit that fell over, a frame made with
 * a dictionary that this build doesn't have (its number stands in the frame), a size past
 * CACHEENTRY_MAX_BYTES. Then the reader misses, and the tables answer. Nothing is
 * unpacked beyond the size that the frame states, and that is bounded. Ownership: texts and bytes
 * are malloc'ed. */
#ifndef SALARY_CACHEENTRY_H
#define SALARY_CACHEENTRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CACHEENTRY_MAX_BYTES (4 << 20)
#define CACHEENTRY_HEAD_BYTES 24

struct cacheentry_head {
	int64_t stored_at_s, fresh_until_s, keep_until_s;
};

/* NULL when len is past the limit. */
char *cacheentry_pack(const struct cacheentry_head *h, const char *text, size_t len, bool compress,
		      size_t *ret_len);
/* The text, NUL-terminated, or NULL. */
char *cacheentry_unpack(const char *bytes, size_t len, struct cacheentry_head *ret_head,
			size_t *ret_len);
/* From the first CACHEENTRY_HEAD_BYTES alone; the checksum is not looked at. */
bool cacheentry_read_head(const char *bytes, size_t len, struct cacheentry_head *ret);

/* Bytes of the document, from the first CACHEENTRY_SIZE_BYTES of an entry of all bytes; -1 = none.
 * */
#define CACHEENTRY_SIZE_BYTES 48
int64_t cacheentry_plain_size(const char *bytes, size_t len, int64_t all);
/* The number zstd knows our dictionary by; it follows from the dictionary's content. */
unsigned cacheentry_dictionary_id(void);

#endif
