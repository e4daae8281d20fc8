/* SPDX-License-Identifier: MIT */
/* cachelife: how long a cached answer is fresh, and how long it is kept.
 *
 * Nominal times, as callers know them:
 *			     salary   market   confidence
 *	standard             24 h     7 d      1 h
 *	aggressive           7 d      30 d     24 h
 *	conservative         1 h      24 h     30 min
 *
 * fresh_s = nominal * (1/2 + freshness) * jitter
 *	freshness is 1 for figures just released and 0 when a newer release is due: the former can't
 *	change before that release, so asking their source again is a call wasted, and they stay up
 *	to 1.5 times as long; the latter may be replaced any day, and are asked for up to twice as
 *	often. Halfway (1/2), and where nothing is known of the release, it is the nominal time.
 *	jitter is 0.9 to 1.1, a hash of key and time: entries that one sync wrote together don't end
 *	together, and the same put computed twice ends at the same second.
 * keep_s = fresh_s + grace: the nominal time again, a day at most. Past fresh_s an entry is stale:
 *	it still answers while somebody asks its sources (stale-while-revalidate, RFC 5861 3). Past
 *	keep_s it is gone.
 * CACHE_NONE, "no source has such figures", is as certain as figures are and lives the nominal
 * time; CACHE_FAILED, "not all could be asked" (bundled figures, second-best ones, or none), 10
 * minutes, so that they are soon asked again. Both are jittered and have no grace: a stale
 * "nothing" is worth nothing.
 * Pure functions; the clock is a parameter. */
#ifndef SALARY_CACHELIFE_H
#define SALARY_CACHELIFE_H

#include <stdint.h>

#include "workers/salary/request.h"

struct findings;

enum cache_kind { CACHE_SALARY, CACHE_MARKET, CACHE_CONFIDENCE, CACHE_KIND_COUNT };
enum cache_verdict { CACHE_FIGURES, CACHE_NONE, CACHE_FAILED };

/* Seconds from the moment of storing; 0 < fresh_s <= keep_s. */
struct cache_life {
	int64_t fresh_s, keep_s;
};

#define CACHE_FRESHNESS_UNKNOWN 0.5

/* freshness outside of 0..1 is brought into it. */
struct cache_life cache_life(enum strategy s, enum cache_kind k, enum cache_verdict v,
			     double freshness, const char *key, int64_t now_s);
int64_t cache_nominal_s(enum strategy s, enum cache_kind k);

/* The bound a reader puts on age: what the caller asked for (max_age, -1 = nothing), else as long
 * as an entry of the reader's own strategy could have been kept. So a conservative reader never
 * gets the week-old entry of an aggressive one. Within that bound another strategy's entry is fresh
 * to the reader for the nominal time of his own, then stale (bundle.h); his own strategy's entry
 * for its fresh_s. */
int64_t cache_age_limit_s(enum strategy reader, enum cache_kind k, int64_t asked_s);

/* Failed or was skipped; what merely lacks its key is not missed, since it never answers. */
bool cache_misses(const struct findings *f, const char *source);

/* What the findings hold for this kind: figures, surely none, or CACHE_FAILED: none because sources
 * failed, or pay that is not BLS's while a source is missed: a better answer is likely soon.
 * With BLS's there the others may be missed: to ask all again every ten minutes while one is away
 * would use up the quota of those that answer. */
enum cache_verdict cache_verdict(const struct findings *f, enum cache_kind k);

/* 1 - (age - lag) / period of the source whose next release comes first, bounded to 0..1: lag is
 * how old its figures are when they appear, period how often they do. Sources and their calendars
 * stand in cachelife.c. CACHE_FRESHNESS_UNKNOWN without one; 0 when a source is missed, as the next
 * time it may answer. */
double cache_freshness(const struct findings *f, enum cache_kind k);

#endif
