/* SPDX-License-Identifier: MIT */
/* score: how far a figure can be trusted, as five parts and one whole, each in 0..1.
 *
 * What is judged is a set of figures for one place and one occupation, one a source. The best of
 * them leads (highest whole when looked at alone); the others only confirm or contradict it.
 *
 * sample_size   With a relative standard error r (per cent; OEWS publishes one): 1 / (1 +
 *               (r/10)^2), 1/2 where the error is 10 %, the bound above which statistical offices
 *               flag an estimate. With n answers: ln(1 + n) / ln(1 + 10,000), because the error
 *               falls with the root of n and an answer more matters less each time; 10,000 is as
 *               good as any. With both, the better one. Unknown: 0.3.
 * freshness     0.5 ^ (age / half-life). Pay halves its worth in two years (wages drift 3 to 4 % a
 *               year, twice OEWS's own error by then), market rates in half a year. Unknown: 0.3.
 * reliability   Who says it; table in score.c with the reasons (score_source).
 * methodology   How it was made: the source's method for this kind of figure, times 0.8 for each
 *               step wider than the area asked for (metro, state, nation), times 0.7 if it is only
 *               a lower bound (top-coded), times 0.7 if it is an estimate from a wider occupation
 *               group.
 * consistency   Do the sources agree? For each pair z = |ln(a/b)| / sqrt(ea^2 + eb^2), ea and eb
 *               the relative errors to expect of each source; the median z of all pairs gives the
 *               agreement 1 / (1 + (z/2)^2), and k further sources pull from 0.5 towards it:
 *               (0.5 + 2k * agreement) / (1 + 2k). One source alone: 0.5, neither confirmed nor
 *               contradicted.
 * overall       0.20 sample + 0.25 freshness + 0.25 reliability + 0.20 methodology + 0.10
 *               consistency, but at most 1.25 times the least of freshness, reliability and
 *               methodology: no strong part may hide a weak essential one by more than a quarter.
 *
 * Properties (tested): every part and the whole stay in 0..1; better evidence never lowers the
 * whole; order, duplicates of a source and the unit of the figures do not matter.
 * Scores are no money: doubles, written with two decimals. Pure functions. */
#ifndef COMMON_MARKET_SCORE_H
#define COMMON_MARKET_SCORE_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>

#define SCORE_MAX_SOURCES 16
#define SCORE_HALF_LIFE_PAY_DAYS 730.0
#define SCORE_HALF_LIFE_MARKET_DAYS 180.0

struct score_source {
	const char *name;		/* as in data_source */
	double reliability, method;
	double expected_error;		/* relative: 0.05 = 5 % */
	const char *reason;
};

/* NULL or unknown names give the row for strangers, which scores low. */
const struct score_source *score_source(const char *name);

struct score_evidence {
	const char *source;
	double value;			/* > 0, in one unit for all; else it takes no part in consistency */
	double age_days;		/* < 0 unknown */
	double half_life_days;
	double sample;			/* answers behind it; < 0 unknown */
	double error_percent;		/* relative standard error; < 0 unknown */
	int steps_wider;		/* 0 as asked, 1 or 2 wider */
	bool lower_bound, estimate;
};

struct score {
	double sample_size, freshness, reliability, methodology, consistency, overall;
	size_t leading;			/* index of the evidence that leads */
	size_t sources;			/* distinct ones that were compared */
};

/* n from 1; what goes past SCORE_MAX_SOURCES distinct sources is left out. n = 0 gives zeros. */
void score_compute(const struct score_evidence *evidence, size_t n, struct score *ret);

/* The same in words, for metadata: an object with one sentence a part. */
cJSON *score_explain(const struct score *s, const struct score_evidence *evidence);

#endif
