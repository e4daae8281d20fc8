/* SPDX-License-Identifier: MIT */
/* answer: what fetch_salary_data returns, put together from stored rows.
 *
 *	{"status": "success", "data_count": n, "salary_benchmarks": [rows],
 *	 "merged": {as merged.h says} or null, "market_data": [rows], "confidence_scores": [rows],
 *	 "sources": ["bls", …], "source_details": {"bls": {"status": …}}, "cache_hit": bool,
 *	 "stale": bool, "cached_at": epoch s, "cache_key": text, "location": text,
 *	 "occupation": text,
 *	 "resolved": {"level", "area", "area_code", "soc", "soc_title", "other_locations": [texts],
 *	 "other_occupations": [texts]}, "fallback": bool, "processing_time_ms": n,
 *	 "warnings": [texts]}
 * Rows have the columns of their tables; amounts, rates and scores are JSON numbers, as the
 * database prints them. data_count counts benchmarks. Pure but for the clock. */
#ifndef SALARY_ANSWER_H
#define SALARY_ANSWER_H

#include <cjson/cJSON.h>

#include "workers/salary/cache.h"
#include "workers/salary/findings.h"
#include "workers/salary/request.h"

/* meta of a document: what was asked, who answered, what to warn of, the scores. */
cJSON *answer_meta(const struct request *r, const struct findings *f, enum cache_kind kind,
		   int count, bool development);
/* Rows as confidence_scores has them, computed now. */
cJSON *answer_scores(const struct request *r, const struct findings *f, const char *cache_key);

/* rows are raw JSON arrays; NULL for market or confidence that were not asked for. */
struct answer {
	const cJSON *meta;		/* of the salary document */
	const char *benchmarks, *market, *confidence;
	const char *cache_key;
	bool cache_hit, from_tables;
	bool stale;			/* past its time, being asked anew */
	bool ended;			/* long past it: no source answers now */
	bool kept;			/* not all sources answer now; its warnings say which */
	int64_t started_us;		/* clock_mono_us */
};
cJSON *answer_make(const struct answer *a, const struct request *r);

#endif
