/* SPDX-License-Identifier: MIT */
#include "workers/processing/copy.h"

#include <arpa/inet.h>
#include <string.h>
#include <uuid/uuid.h>

#include "common/base/buf.h"

/* pg_type.dat */
enum { OID_INT8 = 20, OID_FLOAT4 = 700, JSONB_VERSION = 1 };

void copy_row(struct buf *out, int nfields)
{
	buf_put_u16(out, (uint16_t)nfields);
}

void copy_null(struct buf *out)
{
	buf_put_u32(out, UINT32_MAX);
}

void copy_text(struct buf *out, const char *text)
{
	buf_put_u32(out, (uint32_t)strlen(text));
	buf_puts(out, text);
}

void copy_int4(struct buf *out, int32_t value)
{
	buf_put_u32(out, sizeof value);
	buf_put_u32(out, (uint32_t)value);
}

void copy_uuid(struct buf *out, const char *text)
{
	uuid_t bytes;

	if (!text[0] || uuid_parse(text, bytes) < 0) {
		copy_null(out);
		return;
	}
	buf_put_u32(out, sizeof bytes);
	buf_append(out, bytes, sizeof bytes);
}

void copy_jsonb(struct buf *out, const char *head, size_t head_len, const char *tail,
		size_t tail_len)
{
	buf_put_u32(out, (uint32_t)(1 + head_len + tail_len));
	buf_put_u8(out, JSONB_VERSION);
	buf_append(out, head, head_len);
	buf_append(out, tail, tail_len);
}

/* One dimension from 1, no nulls, then n elements of size bytes, each behind its length. */
static void put_array_head(struct buf *out, uint32_t oid, size_t n, size_t size)
{
	buf_put_u32(out, (uint32_t)(20 + n * (4 + size)));
	buf_put_u32(out, 1);
	buf_put_u32(out, 0);
	buf_put_u32(out, oid);
	buf_put_u32(out, (uint32_t)n);
	buf_put_u32(out, 1);
}

void copy_int8_array(struct buf *out, const int64_t *values, size_t n)
{
	if (n == 0) {
		copy_null(out);
		return;
	}
	put_array_head(out, OID_INT8, n, sizeof *values);
	for (size_t i = 0; i < n; i++) {
		buf_put_u32(out, sizeof *values);
		buf_put_u64(out, (uint64_t)values[i]);
	}
}

static uint32_t bits_of(float value)
{
	uint32_t bits;

	memcpy(&bits, &value, sizeof bits);
	return htonl(bits);
}

/* pgvector's vector_send: 16 bits of dimensions, 16 unused, then the numbers without lengths. */
static void put_vector(struct buf *out, const float *values, size_t n)
{
	buf_put_u32(out, (uint32_t)(4 + n * sizeof *values));
	buf_put_u16(out, (uint16_t)n);
	buf_put_u16(out, 0);
	for (size_t i = 0; i < n; i++) {
		uint32_t bits = bits_of(values[i]);

		buf_append(out, &bits, sizeof bits);
	}
}

void copy_vector(struct buf *out, const float *values, size_t n, bool array_type)
{
	uint32_t pair[2] = { htonl(sizeof *values) };
	char *at;

	if (!array_type) {
		put_vector(out, values, n);
		return;
	}
	put_array_head(out, OID_FLOAT4, n, sizeof *values);
	at = buf_reserve(out, n * sizeof pair);
	if (!at)
		return;
	for (size_t i = 0; i < n; i++) {
		pair[1] = bits_of(values[i]);
		memcpy(at + i * sizeof pair, pair, sizeof pair);
	}
	buf_commit(out, n * sizeof pair);
}
