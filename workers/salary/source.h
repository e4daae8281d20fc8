/* SPDX-License-Identifier: MIT */
/* source: asks one source all it can tell about a request, and adds it to the findings.
 *
 * A source answers for the narrowest area it has figures for: metro, else state, else nation.
 * What it could not tell is noted in the findings with the reason ("skipped": may not be asked;
 * "failed": was asked in vain); only errors that end the task (-ERR_CANCELLED, -ERR_DB …) are
 * returned.
 *   bls     one call: 7 OEWS series for each level and the unemployment rate of each level
 *   fred    regional price parity (cost of living) and unemployment of state or nation
 *   census  median earnings of the occupation's group, share of people working from home */
#ifndef SALARY_SOURCE_H
#define SALARY_SOURCE_H

#include "workers/salary/findings.h"
#include "workers/salary/request.h"

struct err;
struct run;

int source_bls(struct run *run, const struct request *r, struct findings *f, struct err *e);
int source_fred(struct run *run, const struct request *r, struct findings *f, struct err *e);
int source_census(struct run *run, const struct request *r, struct findings *f, struct err *e);

/* All of them, and the bundled figures when none gave a benchmark. */
int source_all(struct run *run, const struct request *r, struct findings *f, struct err *e);

/* The area of the request and those wider: 1 to 3. */
#define SOURCE_LEVELS 3
size_t source_areas(const struct area *asked, struct area out[SOURCE_LEVELS]);
/* Notes a failed or skipped source; gives code back when it ends the task, else 0. */
int source_note(struct findings *f, const char *source, int code, struct err *e);

struct bls_reply;
/* One POST; *ret is the answer read. Used by sync too, which batches. */
int source_bls_ask(struct run *run, const char (*ids)[26], size_t n, struct bls_reply **ret,
		   struct err *e);
/* The benchmark of one area from an answer; 1 if it holds a median, 0 if not. */
int source_bls_benchmark(const struct bls_reply *reply, const struct area *a,
			 const struct occupation_row *o, struct benchmark *b);

#endif
