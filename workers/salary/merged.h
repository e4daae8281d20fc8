/* SPDX-License-Identifier: MIT */
/* merged: one median out of what the sources say, for callers who want one number.
 *
 * The weight of a source is reliability x freshness x methodology of its figure (score.h): who says
 * it, how old it is, how it was made and how far from the place that was asked for. The merged
 * median is the weighted mean of the medians, in whole ten-thousandths, rounded half up.
 * Only like is merged with like: lower bounds take part only where there is no figure of the very
 * occupation, figures of a wider group of occupations only where there is no bound either, bundled
 * ones only where there is nothing else at all. lower_bound: the median is at least that.
 *
 *	{"median_salary": 135980.00, "lowest": 131000.00, "highest": 139500.00,
 *	 "lower_bound": false,
 *	 "weights": {"bls": 0.6213, "postings": 0.3787}, "left_out": ["census"]}
 *
 * lowest and highest are those of the medians that take part. Pure functions. */
#ifndef SALARY_MERGED_H
#define SALARY_MERGED_H

#include <cjson/cJSON.h>

struct findings;

/* Owned by the caller; JSON null where no source has a median. */
cJSON *merged_make(const struct findings *f);

#endif
