/* SPDX-License-Identifier: MIT */
#include "workers/salary/cachelife.h"

#include <string.h>
#include <xxhash.h>

#include "common/base/json.h"
#include "common/base/mem.h"
#include "workers/salary/findings.h"

#define H 3600
#define D 86400
#define FAILED_S 600
#define GRACE_MAX_S D
#define LEAST_STRETCH 0.5
#define MOST_STRETCH (LEAST_STRETCH + 1)
#define JITTER 0.1
#define LEADER "bls"			/* its figures are of the very occupation */

static const int64_t NOMINAL_S[STRATEGY_COUNT][CACHE_KIND_COUNT] = {
	[STRATEGY_STANDARD] = { 24 * H, 7 * D, 1 * H },
	[STRATEGY_AGGRESSIVE] = { 7 * D, 30 * D, 24 * H },
	[STRATEGY_CONSERVATIVE] = { 1 * H, 24 * H, 30 * 60 },
};

/* Days. Counted as the sources' age_days: from the middle of the month, or the end of the year,
 * that the figures are about.
 * OEWS: estimates of May appear in the middle of the next May or in June (bls.gov/oes, release
 * dates). ACS 5-year: the year's end, out in the next December or January. LAUS metros: a month's
 * figures two months later. FRED: the youngest series taken, a state's rate, a month and a bit. Our
 * own postings change with every load. */
static const struct calendar {
	const char *source;
	enum cache_kind kind;
	double lag, period;
} CALENDARS[] = {
	{ "bls", CACHE_SALARY, 365, 365 },    { "census", CACHE_SALARY, 345, 365 },
	{ "postings", CACHE_SALARY, 0, 14 },  { "indeed", CACHE_SALARY, 0, 14 },
	{ "bls", CACHE_MARKET, 45, 30 },      { "census", CACHE_MARKET, 345, 365 },
	{ "fred", CACHE_MARKET, 35, 30 },     { "postings", CACHE_MARKET, 0, 14 },
};

static double within(double v, double least, double most)
{
	return v < least ? least : v > most ? most : v;
}

int64_t cache_nominal_s(enum strategy s, enum cache_kind k)
{
	return NOMINAL_S[s][k];
}

static int64_t grace_s(int64_t nominal_s)
{
	return nominal_s < GRACE_MAX_S ? nominal_s : GRACE_MAX_S;
}

/* -JITTER to JITTER, the same for the same key and time. */
static double jitter(const char *key, int64_t now_s)
{
	uint64_t hash = XXH64(key, strlen(key), (uint64_t)now_s);

	return JITTER * (2.0 * (double)(hash >> 11) / (double)(UINT64_C(1) << 53) - 1);
}

struct cache_life cache_life(enum strategy s, enum cache_kind k, enum cache_verdict v,
			     double freshness, const char *key, int64_t now_s)
{
	int64_t nominal_s = NOMINAL_S[s][k], fresh_s;
	double seconds = v == CACHE_FAILED ? FAILED_S : (double)nominal_s;

	if (v == CACHE_FIGURES)
		seconds *= LEAST_STRETCH + within(freshness, 0, 1);
	fresh_s = (int64_t)(seconds * (1 + jitter(key, now_s)));
	return (struct cache_life){
		.fresh_s = fresh_s,
		.keep_s = fresh_s + (v == CACHE_FIGURES ? grace_s(nominal_s) : 0),
	};
}

int64_t cache_age_limit_s(enum strategy reader, enum cache_kind k, int64_t asked_s)
{
	double most = (double)NOMINAL_S[reader][k] * MOST_STRETCH * (1 + JITTER);

	return asked_s >= 0 ? asked_s : (int64_t)most + grace_s(NOMINAL_S[reader][k]);
}

bool cache_misses(const struct findings *f, const char *source)
{
	const cJSON *note = json_get(f->sources, source);

	return strcmp(json_str(note, "status", "ok"), "ok") != 0 &&
		!json_bool(note, "key_missing", false);
}

static bool misses_any(const struct findings *f)
{
	const cJSON *source;

	cJSON_ArrayForEach(source, f->sources)
		if (cache_misses(f, source->string))
			return true;
	return false;
}

static bool has_pay_of(const struct findings *f, const char *source)
{
	for (size_t i = 0; i < f->nbenchmarks; i++)
		if (strcmp(f->benchmarks[i].source, source) == 0)
			return true;
	return false;
}

enum cache_verdict cache_verdict(const struct findings *f, enum cache_kind k)
{
	bool figures = k == CACHE_MARKET ? f->nmarkets > 0 : f->nbenchmarks > 0 && !f->fallback;

	if (figures && (k == CACHE_MARKET || has_pay_of(f, LEADER) || !misses_any(f)))
		return CACHE_FIGURES;
	return f->failed ? CACHE_FAILED : CACHE_NONE;
}

static void note_source(const char *source, enum cache_kind k, int64_t age_days, double *least)
{
	for (size_t i = 0; i < COUNT(CALENDARS) && age_days >= 0; i++) {
		const struct calendar *c = &CALENDARS[i];
		double freshness = within(1 - ((double)age_days - c->lag) / c->period, 0, 1);

		if (c->kind == k && strcmp(c->source, source) == 0 &&
		    (*least < 0 || freshness < *least))
			*least = freshness;
	}
}

double cache_freshness(const struct findings *f, enum cache_kind k)
{
	double least = -1;

	if (misses_any(f))
		return 0;
	for (size_t i = 0; k != CACHE_MARKET && i < f->nbenchmarks; i++)
		note_source(f->benchmarks[i].source, CACHE_SALARY, f->benchmarks[i].age_days,
			    &least);
	for (size_t i = 0; k != CACHE_SALARY && i < f->nmarkets; i++)
		note_source(f->markets[i].source, CACHE_MARKET, f->markets[i].age_days, &least);
	return least < 0 ? CACHE_FRESHNESS_UNKNOWN : least;
}
