/* SPDX-License-Identifier: MIT */
/* outcome: what one processing came to: counts, refused rows with their reasons, metrics; and its
 * row in job_processing_log. The first OUTCOME_ERRORS_MAX refusals are kept with their raw data
 * (cut at OUTCOME_RAW_MAX bytes each), later ones are only counted. */
#ifndef WORKERS_PROCESSING_OUTCOME_H
#define WORKERS_PROCESSING_OUTCOME_H

#include <cjson/cJSON.h>
#include <stdint.h>

#include "common/base/buf.h"
#include "common/base/raw.h"
#include "common/base/uuid.h"
#include "workers/processing/issues.h"
#include "workers/processing/posting.h"

struct conf;
struct err;
struct pg;

enum {
	OUTCOME_ERRORS_MAX = 1000, OUTCOME_RAW_MAX = 64 * 1024, OUTCOME_NO_INDEX = -1,
	OUTCOME_COPY_MAX = 32 * 1024 * 1024,
};

struct outcome {
	char processing_id[UUID_SIZE];
	int64_t started_ms;			/* monotonic */
	int processed, failed, embeddings, errors;
	int duplicates;				/* of postings of this answer or of known ones */
	int near;				/* of these, told by their descriptions alone */
	int reposts;				/* known ones advertised again after 7 days (known.h) */
	int repeats;				/* of this answer's own */
	double completeness;			/* sum over what was processed */
	int consistent;				/* of them */
	int issues[ISSUE_COUNT];		/* how often each was met */
	int refusals[REFUSAL_COUNT];		/* by reason */
	struct buf list;			/* JSON array without its end */
	bool keeps_postings;			/* for the standing copy, up to OUTCOME_COPY_MAX bytes */
	struct buf postings;			/* likewise; overflowed = there will be no copy */
};

/* Writes the row with status processing. run_id "" is none. */
int outcome_open(struct outcome *o, struct pg *pg, const char *collection_id, const char *run_id,
		 struct err *e);
void outcome_release(struct outcome *o);
/* A refused row; raw may be RAW_NONE. index OUTCOME_NO_INDEX: the whole answer. */
void outcome_refuse(struct outcome *o, int index, const struct refusal *why, struct raw raw);
/* Of a posting that goes on to the batch. */
void outcome_note(struct outcome *o, const struct posting *p);
/* completed, partial or failed */
const char *outcome_status(const struct outcome *o);
/* Writes counts, errors and metrics, and the collection's status. */
int outcome_close(struct outcome *o, struct pg *pg, const char *collection_id, int64_t bytes,
		  struct err *e);
/* Standing copies of the postings and of the refused rows (common/base/copies.h), where queues.conf
 * wants them. They are for people: one that cannot be written is logged, and a run that is repeated
 * may leave one twice. After outcome_close. */
void outcome_copy(const struct outcome *o, const struct conf *conf, const char *collection_id);
/* What the task answers. */
cJSON *outcome_json(const struct outcome *o, const char *collection_id);

#endif
