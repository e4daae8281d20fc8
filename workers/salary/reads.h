/* SPDX-License-Identifier: MIT */
/* reads: who read which cached answer, when, and what the cache gave; for statistics and audit.
 *
 * reads_count is one round trip to Redis, whatever it counts, and no write to the database:
 *	<prefix>salary_cache:reads
 *		list, a line a read: JSON [at_us, key, origin, task id, outcome]
 *	<prefix>salary_cache:stats:<hour of the epoch>
 *		hash: <strategy>:<outcome>, and the histogram of times, <strategy>:t<bucket>; kept
 *		READS_STATS_HOURS
 * reads_flush moves lines in batches to jobfleet.salary_reads and adds them up in salary_data_cache
 * (a stale answer is a hit). A batch leaves the list under an id and stands apart until PostgreSQL
 * has committed it together with that id: whoever dies in between leaves a batch which the next
 * flush hands in again, and PostgreSQL takes once. Several may flush at once.
 * Lines wait only as long as nobody flushes: past READS_WAITING_MAX (some 10 MB) new ones are not
 * kept but counted (stats: dropped); the statistics go on. What Redis loses with its memory before
 * a flush is lost, and while it is away nobody counts. */
#ifndef SALARY_READS_H
#define SALARY_READS_H

#include <stddef.h>
#include <stdint.h>

#include "workers/salary/request.h"

struct conf;
struct err;
struct pg;
struct redis;

enum read_outcome { READ_HIT, READ_STALE, READ_MISS, READ_OUTCOME_COUNT };
const char *read_outcome_name(enum read_outcome o);	/* "hit", "stale", "miss" */

struct read {
	const char *key;
	enum strategy strategy;		/* the reader's */
	enum read_outcome outcome;
	int64_t at_us;			/* wall */
	int64_t took_us;		/* the whole answer; below 0: not timed */
	const char *origin, *task_id;	/* of the task that read; NULL = unknown */
};

#define READS_MAX 4			/* documents of one answer */
#define READS_WAITING_MAX 50000
#define READS_BATCH 1000
#define READS_DUE 500			/* whoever counts the line that makes it so many flushes */
#define READS_STATS_HOURS 25

/* n reads of one answer, up to READS_MAX: each is a line, the first stands for the answer in the
 * statistics. Returns the lines that wait. Errors: redis'. */
int reads_count(struct redis *redis, const struct conf *conf, const struct read *reads, size_t n,
		struct err *e);

/* One batch. Returns its lines, 0 when none wait. Not in a transaction: Redis must not forget what
 * is rolled back after. Errors: pg's, redis'; then the batch is taken up by the next flush. */
int reads_flush(struct pg *pg, struct redis *redis, const struct conf *conf, struct err *e);

enum reads_key { READS_LINES, READS_TAKEN, READS_TAKEN_ID };
#define READS_KEY_SIZE 128
void reads_key(enum reads_key k, const struct conf *conf, char out[READS_KEY_SIZE]);
void reads_stats_key(const struct conf *conf, int64_t hour, char out[READS_KEY_SIZE]);

/* Times fall into buckets of equal ratio, 8 to a doubling: whoever reads a bucket's middle is at
 * most 4.5 % off. From 1 us to READS_BUCKETS / 8 doublings of it (4.5 minutes). */
#define READS_BUCKETS 224
int reads_bucket(int64_t took_us);
double reads_bucket_us(int bucket);	/* its middle */

#endif
