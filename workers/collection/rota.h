/* SPDX-License-Identifier: MIT */
/* rota: which of its questions a scheduled order asks of a source today.
 *
 * A source with a quota may be asked an equal share of what is left for each day that is left
 * (quota_share), so that a month lasts a month: 200 calls are 6 a day. Where the questions with
 * their pages need more, those that were asked longest ago are asked and the others have their turn
 * on the next runs. A plan of one day's worth is kept as a step, so that a repeat asks the same. */
#ifndef WORKERS_COLLECTION_ROTA_H
#define WORKERS_COLLECTION_ROTA_H

#include <stdbool.h>

struct err;
struct order;
struct plan_source;
struct run;

enum { ROTA_QUESTIONS = 500 };

struct rota {
	int numbers[ROTA_QUESTIONS];	/* of questions (plan_question) */
	int n, all;
	int pages;			/* each, at most */
	int share;			/* calls that today may cost; -1 = no bound */
	bool rotated;			/* not all of them have their turn */
};

/* Of any other strategy, and of sources without a quota: all questions. */
int rota_make(struct rota *ret, struct run *run, const struct order *order,
	      const struct plan_source *s, struct err *e);

#endif
