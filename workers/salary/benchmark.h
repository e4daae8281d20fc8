/* SPDX-License-Identifier: MIT */
/* benchmark: findings as rows of salary_benchmarks and market_data, and back as JSON.
 *
 * A row answers one question (place, occupation and what narrowed it) by one source for one year;
 * asked again it is merged, never doubled. The rules are upsert_salary_benchmark's and
 * jobfleet.store_market_data's (sql/014_salary.sql): a newer answer replaces, one of a wider area
 * never does, and a row that would stay as it is is not touched. So the rows that come back are
 * those that stand, which may be better than what was found. Amounts go to the database as decimal
 * text and come back as the database prints them, so no figure passes through floating point.
 * All calls belong into the run's transaction (run_db). Errors: pg's. */
#ifndef SALARY_BENCHMARK_H
#define SALARY_BENCHMARK_H

#include <cjson/cJSON.h>

#include "workers/salary/findings.h"
#include "workers/salary/request.h"

struct err;
struct pg;

/* Rows as raw JSON are appended to the arrays (cJSON_Raw members). Where another figure stands than
 * was found, the finding becomes that one, so that rows, merged median and warnings agree. */
int benchmark_store(struct pg *pg, const struct request *r, struct findings *f,
		    const char *cache_key, bool development, cJSON *rows, struct err *e);
int market_store(struct pg *pg, const struct request *r, const struct findings *f,
		 const char *cache_key, bool development, cJSON *rows, struct err *e);

#endif
