/* SPDX-License-Identifier: MIT */
/* score: how far a figure can be trusted, as five parts and one whole, each in 0..1.
 *
 * What is judged is a set of figures for one place and one occupation. Each figure has its five
 * parts and its whole; the best of them leads and gives the set its score, the others only
 * confirm or contradict it. One scale for all parts: 1/2 is where a figure is off, or may be
 * off, by so much that an office would print a warning beside it.
 *
 * sample_size   With a relative standard error r in per cent: 1 / (1 + (r / 16.5)^2), so 1/2 at
 *               16.5 %, up to which Statistics Canada releases an estimate without a warning,
 *               and 1/5 at 33 %, from which it releases none (quality guidelines of its surveys;
 *               Esri draws the lines for the ACS at 12 and 40 %; the Census Bureau's handbooks
 *               leave them to the user). BLS publishes r for OEWS. Without r, from n answers:
 *               ln(1 + n) / ln(1 + 10,000): the error falls with the root of n, so each answer
 *               more matters less, and 10,000 are as good as any. r replaces n: it says what n
 *               only hints at. Neither known: 0.3, as 15 answers.
 * freshness     0.5 ^ (age / half-life). Pay: 3 years, as wages drift by 3 to 4 % a year (BLS,
 *               Employment Cost Index), so that a figure is then off by a tenth. Market rates:
 *               half a year, as an unemployment rate moves by as much in that time. Age unknown:
 *               0.3.
 * reliability   Who says it, from the table in score.c with its reasons (score_source).
 * methodology   How it was made: the source's method for this kind of figure, times 0.8 for each
 *               step wider than the area asked for (metro, state, nation; the 10 to 20 % by
 *               which neighbouring levels differ), times 0.7 if it is only a lower bound (top-
 *               coded), times 0.7 if it is an estimate from a wider occupation group.
 * consistency   Do independent sources agree? Against each of the k others z = |ln(a/b)| /
 *               sqrt(ea^2 + eb^2), ea and eb the relative errors to expect, gives the agreement
 *               1 / (1 + (z/2)^2) (Cauchy's weight: bounded, so that an outlier costs its own
 *               vote and no more), A their sum; they pull from 0.5 towards it: (0.5 + 2 A) / (1
 *               + 2 k). Alone: 0.5, neither confirmed nor contradicted. Sources that copy each
 *               other (family) are one: FRED's rates are those of BLS, bundled figures are old
 *               OEWS. A family speaks by its member of the least expected error, a member by the
 *               middle between its values. A lower bound contradicts only what is below it.
 *               Ratios only: the unit cancels.
 * overall       E x (0.7 + 0.3 W): E is the least of freshness, reliability and methodology, the
 *               essential parts; W = 0.3 sample_size + 0.3 consistency + 0.4 x the mean of the
 *               essential ones. And at most 0.5 + sample_size, and 0.5 + consistency: what
 *               stands on a handful of answers, or is contradicted, is little better than a
 *               coin. So the whole never passes its weakest essential part, and every part
 *               counts.
 *
 * Properties (tested on random sets): all stay in 0..1 whatever comes in (NaN, infinities,
 * negative and zero count as unknown or worst); a younger, larger, surer, nearer figure never
 * lowers the whole; order, repeated figures, copies of a source and the unit do not matter; no
 * jumps.
 * The weights and the table are judgements, not measurements: they order figures, and are no
 * probabilities. Doubles, written with two decimals, as scores are no money. Pure functions. */
#ifndef COMMON_MARKET_SCORE_H
#define COMMON_MARKET_SCORE_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>

#define SCORE_MAX_FAMILIES 16
#define SCORE_HALF_LIFE_PAY_DAYS 1095.0
#define SCORE_HALF_LIFE_MARKET_DAYS 180.0
/* OEWS does not publish how many answers are behind a figure. Its sample holds 57 % of all
 * employment (1.1 million establishments; BLS Handbook of Methods, and 78 of 136 million people in
 * the Survey methods and reliability statement of May 2014). With 20 people of an occupation in one
 * establishment, which is many and therefore cautious: one answer for 20 / 0.57 = 35 employed. */
#define SCORE_EMPLOYED_PER_ANSWER 35.0

struct score_source {
	const char *name;		/* as in data_source */
	const char *family;		/* equal ones copy each other; NULL: on its own */
	double reliability, method;
	double expected_error;		/* relative: 0.05 = 5 % */
	const char *who, *how;		/* reasons for reliability and method */
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

/* One of the sources that the leading figure was compared with. */
struct score_witness {
	const char *source;		/* borrowed from the evidence */
	double ratio;			/* its value / the leading one's */
	double agreement;		/* 0..1; 1/2 at two expected errors */
};

struct score {
	double sample_size, freshness, reliability, methodology, consistency, overall;
	size_t leading;			/* index of the evidence that leads */
	size_t nwitnesses;		/* of other families, SCORE_MAX_FAMILIES at most: */
	struct score_witness witnesses[SCORE_MAX_FAMILIES];	/* the surest first */
};

/* n = 0 gives zeros. Past SCORE_MAX_FAMILIES the families of the largest expected errors are left
 * out. */
void score_compute(const struct score_evidence *evidence, size_t n, struct score *ret);

/* The same in words, for metadata: an object with one sentence a part. Ages are told in months, so
 * that the words do not change every day. */
cJSON *score_explain(const struct score *s, const struct score_evidence *evidence);

#endif
