/* SPDX-License-Identifier: MIT */
/* The form of one spooled file, between spool.c and spool_form.c. */
#ifndef COMMON_BASE_SPOOL_PRIVATE_H
#define COMMON_BASE_SPOOL_PRIVATE_H

#include <cjson/cJSON.h>

#include "common/base/spool.h"

enum { SPOOL_HEAD_MAX = 8192, SPOOL_ENTRY_MAX = 1 << 30 };

struct buf;

struct spool_held {
	struct spool_entry x;		/* points into data and head */
	char *name, *data;
	cJSON *head;
	int fd;				/* holds the lock */
};

bool spool_ends_with(const char *text, const char *end);
/* The file name of an id; malloc'ed. */
char *spool_name(const char *id);
int spool_print_head(struct buf *out, const struct spool_entry *x, struct err *e);
/* Reads h->data, n bytes of a file, into h->x; false if it is damaged. */
bool spool_understand(struct spool_held *h, size_t n);

#endif
