/* SPDX-License-Identifier: MIT */
/* fallback: bundled pay figures for the day when no source answers.
 *
 * Medians of the whole nation as the Bureau of Labor Statistics published them (Occupational
 * Outlook Handbook, figures of May 2023; bls.gov/ooh): real figures of an earlier year, never
 * invented ones, always marked (data_source "fallback", metadata.fallback) and scored low. An
 * occupation that is not in the table gets the median of its group, else of all occupations. */
#ifndef SALARY_FALLBACK_H
#define SALARY_FALLBACK_H

#include "workers/salary/findings.h"
#include "workers/salary/request.h"

#define FALLBACK_SOURCE "BLS Occupational Outlook Handbook, May 2023 medians"

/* Adds the one benchmark and marks the findings; never fails. */
void fallback_add(const struct request *r, struct findings *f);

#endif
