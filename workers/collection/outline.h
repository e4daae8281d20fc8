/* SPDX-License-Identifier: MIT */
/* outline: what collection needs of an answer's JSON, in memory that does not grow with it.
 *
 * Up to OUTLINE_WHOLE bytes the answer is parsed as it is. A larger one keeps its shape (objects,
 * arrays, numbers, flags, short texts: enough for status, paging and row ids), but no text of more
 * than OUTLINE_TEXT bytes, nothing below OUTLINE_DEPTH levels, and at most OUTLINE_VALUES values:
 * the rest of what is longer is left out. At about 130 bytes a value that is 130 MB at most. */
#ifndef WORKERS_COLLECTION_OUTLINE_H
#define WORKERS_COLLECTION_OUTLINE_H

#include <cjson/cJSON.h>
#include <stddef.h>

enum {
	OUTLINE_WHOLE = 1 << 20,
	OUTLINE_TEXT = 1024,
	OUTLINE_DEPTH = 8,
	OUTLINE_VALUES = 1000000,
};

cJSON *outline_read(const char *text, size_t len);	/* NULL: it is no JSON */

#endif
