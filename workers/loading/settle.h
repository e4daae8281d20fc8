/* SPDX-License-Identifier: MIT */
/* settle: what follows a load, behind its commit and at low priority.
 *
 * jobfleet.settle_load(processing_id): drops what is cached of the searches that the load has made
 * old, then refreshes pay figures unless that was done within SETTLE_PAY_S. Whoever caches answers
 * to a query keeps all of them in one Redis key (a hash, say by place), which one UNLINK drops:
 * <redis_prefix>search:<sha256, hex, of the query in lower case, its spaces single>.
 * Answers {status, dropped, figures}.
 *
 * jobfleet.refresh_posting_salaries(all?=false): median, quartiles, 90th percentile and mean of the
 * annualised real offers in USD per city, occupation and year, from 30 offers on, into
 * salary_benchmarks as data_source "postings" (jobfleet.refresh_posting_pay in sql/011_loading.sql
 * says which offers count). Only what loads have touched since, or all. Answers {status, loads,
 * written, removed}. */
#ifndef WORKERS_LOADING_SETTLE_H
#define WORKERS_LOADING_SETTLE_H

#include "common/worker/run.h"

enum { SETTLE_PAY_S = 60 };

task_fn settle_load, refresh_posting_salaries;

#endif
