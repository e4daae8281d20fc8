/* SPDX-License-Identifier: MIT */
/* copy: values in the binary form of COPY (PostgreSQL manual, "COPY", Binary Format), appended to a
 * buffer: no escapes, and an array of 1,536 numbers costs neither side a parse.
 *
 * A stream is COPY_HEADER, rows, COPY_TRAILER; a row is copy_row with its number of fields, then
 * the fields. All integers are in network byte order. */
#ifndef WORKERS_PROCESSING_COPY_H
#define WORKERS_PROCESSING_COPY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;

/* Signature, no flags, no extension; and the count of fields that no row has. */
#define COPY_HEADER "PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0"
#define COPY_TRAILER "\377\377"
enum { COPY_HEADER_LEN = 19, COPY_TRAILER_LEN = 2 };

void copy_row(struct buf *out, int nfields);
void copy_null(struct buf *out);
void copy_text(struct buf *out, const char *text);
void copy_int4(struct buf *out, int32_t value);
void copy_uuid(struct buf *out, const char *text);	/* "" is NULL */
/* JSON in two parts, one behind the other. */
void copy_jsonb(struct buf *out, const char *head, size_t head_len, const char *tail,
		size_t tail_len);
void copy_int8_array(struct buf *out, const int64_t *values, size_t n);	/* none is NULL */
/* As real[], or as pgvector's vector. */
void copy_vector(struct buf *out, const float *values, size_t n, bool array_type);

#endif
