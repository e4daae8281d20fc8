/* SPDX-License-Identifier: MIT */
/* scorebook: scores on their way into confidence_scores, written many at once.
 *
 * A row answers one kind of data, place, occupation, industry and year: the five parts, the whole,
 * and the reasons in words as metadata. A row that says the same already is left untouched, so that
 * a repeat costs no write and raises no change.
 * Rows are written in one order (place, occupation, industry), so that two tasks at once wait for
 * each other and never in a circle. One kind a book. Errors: pg's; -ERR_TOO_BIG past its maximum.
 */
#ifndef CONFIDENCE_SCOREBOOK_H
#define CONFIDENCE_SCOREBOOK_H

#include <cjson/cJSON.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/buf.h"
#include "workers/confidence/evidence.h"

enum { SCOREBOOK_COLUMNS = 12 };

struct scorebook {
	enum evidence_kind kind;
	struct buf columns[SCOREBOOK_COLUMNS];	/* array literals, still open */
	size_t rows;
};

void scorebook_init(struct scorebook *b);
void scorebook_release(struct scorebook *b);
void scorebook_clear(struct scorebook *b, enum evidence_kind kind);

/* Scores the group and adds its row. */
void scorebook_add(struct scorebook *b, const struct evidence_group *g);
/* Writes all rows; gives how many of them are new or changed. */
int64_t scorebook_write(struct scorebook *b, struct pg *pg, struct err *e);

/* Appends to list, as raw JSON, the newest rows of one kind that q is about and that have evidence,
 * until list has `most`. */
int scorebook_show(struct pg *pg, enum evidence_kind kind, const struct evidence_query *q, int most,
		   cJSON *list, struct err *e);

#endif
