/* SPDX-License-Identifier: MIT */
/* source: asks every source all it can tell about a request, and adds it to the findings.
 *
 * A source answers for the narrowest area it has figures for: metro, else state, else nation. What
 * it could not tell is noted in the findings with the reason: "ok" when it was asked well, also if
 * it publishes no such figure; "skipped" when it may not be asked now; "failed" when it was asked
 * in vain. A source that is switched off is left out.
 *   bls     one call for all levels: 7 OEWS series and the wage's relative standard error, the
 *           unemployment rate, with a key also all employed people (for growth)
 *   fred    regional price parity (cost of living), unemployment of state or nation; a call each
 *   census  median earnings of the occupation's group with their margin of error, unemployment,
 *           share of people working from home; a wider area is a call more
 *   indeed  pay as advertised there: median, mean and quartiles of at least 30 offers of the
 *           occupation in the area whose pay the employer states; for who has a partner's token,
 *           off in what we ship (sources/indeed.c)
 * They are asked at once (talk.h), so an answer takes as long as the slowest of them, and that at
 * most its time-out. Beside them, without a call:
 *   postings  our own database. Pay: median, mean and quartiles of at least 30 offers of the city,
 *             else of its metro in the last year. Market, from 30 open postings of the occupation
 *             on that are 30 days old at most: their number, the share of those that may be done
 *             from anywhere, and a score of demand.
 *
 * Demand compares the occupation's share of all open postings of the place with its share in the
 * nation, the location quotient of labour statistics, LQ = (p/P) / (n/N), as LQ / (1 + LQ) in 0..1:
 * 0.5 where it is asked for as everywhere, 2/3 where twice as much. Shares, not counts nor postings
 * a worker: how much of a place's postings a fleet collects depends on what it searches for, and
 * cancels out of a share. Below 30 postings chance decides (a count of 30 has an error of 18 %), so
 * there is none; nor for the nation, which has nothing to be compared with. */
#ifndef SALARY_SOURCE_H
#define SALARY_SOURCE_H

#include "workers/salary/findings.h"
#include "workers/salary/request.h"
#include "workers/salary/talk.h"

struct err;
struct run;

/* All of them, and the bundled figures when none gave a benchmark. -ERR_NOT_FOUND: a place outside
 * the United States (AREA_FOREIGN), and those that may know it gave none. */
int source_all(struct run *run, const struct request *r, struct findings *f, struct err *e);

/* Whether trouble of this code is ours, not a source's: it ends the task. */
bool source_ends_task(int code);

/* The area of the request and those wider, the narrowest first: 1 to 3. */
#define SOURCE_AREAS 3
struct source_area {
	struct area area;
	int steps;			/* wider than asked for */
};
size_t source_areas(const struct area *asked, struct source_area out[SOURCE_AREAS]);

/* One source's side: begin makes t->of and puts the first questions into the talk, which is inited;
 * end reads what came of them into the findings and releases t->of. */
struct source_side {
	const char *name;
	talk_hear *hear;
	void (*begin)(struct talk *t, const struct request *r);
	void (*end)(struct talk *t, const struct request *r, struct findings *f);
	bool single;			/* cannot be answered from a shelf: left out of a sync */
};
extern const struct source_side SOURCE_BLS, SOURCE_FRED, SOURCE_CENSUS, SOURCE_INDEED;

/* Notes what became of a talk: its failure, or "ok" with what it has to say (NULL: nothing). found:
 * it gave figures nevertheless. */
void source_note(const struct talk *t, struct findings *f, bool found, const char *says);

/* Negative: the database's error. Where there are too few postings it notes nothing. */
int source_postings(struct run *run, const struct request *r, struct findings *f, struct err *e);

#endif
