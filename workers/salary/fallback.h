/* SPDX-License-Identifier: MIT */
/* fallback: bundled pay figures for the day when no source answers.
 *
 * National medians as the Bureau of Labor Statistics published them: of every occupation and major
 * group that the OEWS survey of May 2024 has an annual median for (fallback_table.c), and newer
 * ones where one is known (fallback.c). Real figures of an earlier time, never invented ones,
 * always marked (data_source "fallback", metadata.fallback), with their survey and date, and scored
 * low. A top-coded median is a lower bound. An occupation without a row gets the median of its
 * major group, else of all occupations, and the row says so. */
#ifndef SALARY_FALLBACK_H
#define SALARY_FALLBACK_H

#include <stddef.h>

#include "workers/salary/findings.h"
#include "workers/salary/request.h"

#define FALLBACK_SOURCE "national medians published by BLS"
#define FALLBACK_YEAR 2024		/* of the table's survey, in May */
#define FALLBACK_CEILING 239200		/* dollars, at or above which that survey gives no figure */

struct fallback_median {
	int code, dollars;
};
extern const struct fallback_median FALLBACK_MEDIANS[];
extern const size_t FALLBACK_MEDIANS_COUNT;

/* Adds the one benchmark and marks the findings; never fails. */
void fallback_add(const struct request *r, struct findings *f);

#endif
