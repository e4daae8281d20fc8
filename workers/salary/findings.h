/* SPDX-License-Identifier: MIT */
/* findings: what the sources answered for one request, before anything is stored.
 *
 * A benchmark is one source's pay figures for one area; a market its labour-market figures. A
 * source without a median gives no benchmark. level and steps say which area answered and how far
 * that is from the area asked for. Findings own their JSON; the rest is plain. */
#ifndef SALARY_FINDINGS_H
#define SALARY_FINDINGS_H

#include <cjson/cJSON.h>

#include "common/market/area.h"
#include "common/market/score.h"
#include "workers/salary/amount.h"
#include "workers/salary/request.h"

#define FINDINGS_MAX 8

struct benchmark {
	const char *source;		/* static: "bls", "census", "fallback" */
	struct area area;		/* that answered */
	int steps_wider;
	struct amount median, mean, p10, p25, p75, p90;
	struct amount employment;	/* people in the occupation there; no sample size */
	int64_t sample;			/* offers or answers behind the median; -1 unknown */
	double error_percent;		/* relative standard error the source publishes; -1 unknown */
	int year;
	int64_t age_days;		/* since the time the figures are about */
	bool group;			/* of a wider group of occupations */
	bool unsplit;			/* by experience, education or industry, as was asked */
	const char *note;		/* static, "" = none */
};

struct market {
	const char *source;
	struct area area;
	int steps_wider;
	struct amount job_count, growth, unemployment, living_cost, demand, remote;
	int year, quarter;		/* quarter 0 = yearly */
	int64_t age_days;
	const char *note;
	cJSON *parts;			/* column -> {level, area, year, month}, or NULL: all of
					 * the row's; owned by the findings */
};

struct findings {
	struct benchmark benchmarks[FINDINGS_MAX];
	struct market markets[FINDINGS_MAX];
	size_t nbenchmarks, nmarkets;
	cJSON *sources;			/* {"bls": {"status": "ok", …}, …} */
	bool fallback;			/* no source answered: bundled figures */
	bool failed;			/* a source failed or was skipped: "no figure" is not certain */
};

struct benchmark benchmark_empty(const char *source);
void findings_init(struct findings *f);
void findings_release(struct findings *f);
/* One more, all unknown, or NULL when FINDINGS_MAX is reached; the caller fills it. */
struct benchmark *findings_benchmark(struct findings *f, const char *source);
struct market *findings_market(struct findings *f, const char *source);
/* status: "ok" (asked well, also when it publishes no such figure), "skipped", "failed"; either of
 * the last two sets failed. reason may be NULL. */
void findings_note(struct findings *f, const char *source, const char *status, const char *reason);

/* Days from that date to now by the clock; not below 0. */
int64_t findings_age_days(int year, int month, int day);
/* Evidence for score.h. asked: does the source split by what the request narrows? */
struct score_evidence benchmark_evidence(const struct benchmark *b);
struct score_evidence market_evidence(const struct market *m);
/* Metadata of a row: area that answered, series of decisions; owned by the caller. */
cJSON *benchmark_metadata(const struct benchmark *b, const struct request *r, bool development);
cJSON *market_metadata(const struct market *m, const struct request *r, bool development);

#endif
