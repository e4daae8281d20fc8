/* SPDX-License-Identifier: MIT */
/* suspects: tasks that were accepted and seem to be nowhere, looked at again until that is certain.
 *
 * A round takes, from one statement, the rows that were sent to a queue and that nobody holds, and
 * the traces that lead nowhere; then the depth of those queues from RabbitMQ; then asks the workers
 * themselves (remote control) which of the ids they hold; then looks into the tables once more.
 * Who is in none of these places at a time when the queue was empty is missing. A message can move
 * on between the looks, so a verdict needs two rounds in a row that find the same.
 * While a queue holds messages, only their number can be held against ours; which ones are missing
 * then tells a look into the queue (peek), which takes its messages out and gives them back.
 * What the dispatcher may send again by rule is what is found here of kind sent. */
#ifndef CTL_SUSPECTS_H
#define CTL_SUSPECTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct account;
struct account_filter;
struct ctl;
struct err;

enum suspect_kind { SUSPECT_SENT, SUSPECT_RETRY, SUSPECT_FIRE, SUSPECT_START };

struct suspect {
	enum suspect_kind kind;
	char *id, *task, *queue;	/* "" = not known */
	char *accepted;			/* ISO time, or "" */
	char *seen;			/* where and when last, a sentence without its end */
	char *row;			/* sent: id of its row in jobfleet.pending */
};

/* A queue that holds messages, and fewer than ours that should lie there. */
struct suspect_queue {
	const char *name;		/* the account's */
	int64_t ours, ready;
};

struct suspects {
	struct suspect *items;
	size_t n;
	struct suspect_queue *queues;
	size_t nqueues;
	int64_t elsewhere;		/* with consumers that do not report to us */
	bool unsure;			/* the time was over, or a worker did not answer */
	bool cut;			/* more than SUSPECTS_MAX */
};

enum { SUSPECTS_MAX = 100000 };

/* Until deadline (monotonic ms). peek: look into queues where only the number is known. */
int suspects_find(struct suspects *ret, struct account *a, struct ctl *c,
		  const struct account_filter *f, bool peek, int64_t deadline, struct err *e);
void suspects_release(struct suspects *s);
void suspects_drop(struct suspects *s, size_t i);	/* the last one takes its place */

/* Sends those of kind sent again. How many. */
int suspects_send_again(const struct suspects *s, struct ctl *c, struct err *e);

#endif
