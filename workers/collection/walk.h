/* SPDX-License-Identifier: MIT */
/* walk: the pages of one question to one source, fetched, kept and handed on, one by one.
 *
 * Each page goes through two commits. First the answer as it came (raw.h), before anything looks at
 * it; then what it means: its row is settled, its processing enqueued, and the step's record kept.
 * Die anywhere, and the repeat neither asks for an answer that is stored nor enqueues twice: a
 * stored answer is found by its id, made of task, source, question, page and attempt.
 * A page whose answer is fresh (fresh.h) costs no call and is not processed again; one that the
 * provider says is unchanged (304) ends the walk.
 * The walk ends when there is no next page, a page brings no posting that is new (on this walk;
 * with the incremental strategy: that was never loaded), enough have come, or its budget is spent.
 * Then its question's watermark moves. */
#ifndef WORKERS_COLLECTION_WALK_H
#define WORKERS_COLLECTION_WALK_H

#include "sources/source.h"

struct conf_source;
struct err;
struct order;
struct run;

#define WALK_STEP_BYTES 64

struct walk {
	struct run *run;
	const struct order *order;
	const struct conf_source *conf;
	const struct source *source;
	struct source_ask ask;
	const char *run_id;
	int number;			/* of the question within its order: 0 … */
	int budget;			/* pages */
	int rows;			/* at most so many postings */
	int64_t fresh_ms;		/* an answer so young will do; 0 = none */
	/* filled on the way */
	struct source_place at;
	int attempt;			/* at this page */
	bool stale;			/* the stored answer to this page will not do */
	char hash[65];			/* raw_query_hash of this page's question */
	int64_t began_us;		/* wall time of the first page's asking */
	char *token;			/* owns at.token */
	int pages, jobs, new_jobs, calls, page_calls;
	int fresh, unchanged;		/* pages answered from the store, by a 304 */
	cJSON *seen;			/* object: each job id once */
	cJSON *collection_ids;		/* array: pages with postings */
	const char *stopped;		/* why it ended: no_more, no_new, known, unchanged,
					 * results, limit, budget */
};

void walk_init(struct walk *w);		/* after the first block of fields is filled */
void walk_release(struct walk *w);
/* The name of the current page's step, with part behind it. */
void walk_step(const struct walk *w, const char *part, char out[WALK_STEP_BYTES]);
/* 0 = ended as it should. Errors: fetch_call's; -ERR_HTTP and -ERR_LIMITED (again later, e says
 * when); -ERR_QUOTA (used up; the source is parked); -ERR_REFUSED (key refused, or no endpoint
 * left; parked for an hour, alert raised); -ERR_INVALID (the provider refuses this question).
 * What was collected until then stays and is counted in the walk. */
int walk_run(struct walk *w, struct err *e);

#endif
