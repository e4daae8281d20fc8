/* SPDX-License-Identifier: MIT */
/* aims: what salary data are held to, and how they stand.
 *
 *	source_error_rate_percent	under 5
 *		of the answers stored within a day, the share of sources asked in vain: failed /
 *		(ok + failed), from the tracking rows
 *	fallback_share_percent		over 95
 *		of those for which no source had pay figures, the share answered all the same, by
 *		bundled figures
 *	critical_data_age_days		under 7
 *		of the hundred answers read most, the age of the oldest
 *	hit_rate_percent		over 70
 *		of the last 25 hours; where Redis knows fewer than 100 reads, of all time
 *	cached_answer_p99_ms		under 100
 *		of the last 25 hours
 *	indexed_query_ms		under 50
 *		the slowest of the queries that answers lean on, run now
 * Each is reported as {"name", "value", "aim", "met"}; value and met are null where nothing is
 * known yet. */
#ifndef SALARY_AIMS_H
#define SALARY_AIMS_H

#include <cjson/cJSON.h>

struct err;
struct pg;
struct readstats;

#define AIMS_HIT_RATE 70.0
#define AIMS_READS_TO_JUDGE 100

/* Array of all of them; hit_rate: per cent, below 0 = unknown. Errors: pg's. */
int aims_judge(struct pg *pg, const struct readstats *stats, double hit_rate, cJSON **ret,
	       struct err *e);

#endif
