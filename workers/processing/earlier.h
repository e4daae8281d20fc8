/* SPDX-License-Identifier: MIT */
/* earlier: which posting each row of a collection became when it was processed and loaded before.
 *
 * A row is the same row however rules change: reprocessed, it belongs to the posting it made then,
 * also when its title, company or place now reads differently and its key with it. Only a posting
 * that stands under the new key itself comes first; the old one then expires: nothing feeds it. */
#ifndef WORKERS_PROCESSING_EARLIER_H
#define WORKERS_PROCESSING_EARLIER_H

#include <stddef.h>

#include "common/base/uuid.h"

struct err;
struct pg;

struct earlier_row {
	int index;
	char job_id[UUID_SIZE];
	char *key;			/* the posting's dedupe key */
};

struct earlier {
	struct earlier_row *rows;	/* by index */
	size_t n;
};

/* Empty for a collection that was never loaded. Release it in any case. */
int earlier_load(struct earlier *ret, struct pg *pg, const char *collection_id, struct err *e);
void earlier_release(struct earlier *e);
const struct earlier_row *earlier_find(const struct earlier *e, int index);	/* NULL */

#endif
