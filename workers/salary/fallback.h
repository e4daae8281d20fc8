/* SPDX-License-Identifier: MIT */
/* fallback: bundled pay figures for the day when no source answers.
 *
 * National medians as the Bureau of Labor Statistics published them, each with its survey: real
 * figures of an earlier time, never invented ones, always marked (data_source "fallback",
 * metadata.fallback) and scored low. Only figures traced to what the bureau itself published stand
 * here: the Occupational Outlook Handbook's page of computer and information technology
 * occupations (May 2023) and OEWS series OEUN000000000000015125213 (May 2025). Any other occupation
 * gets the median of its group or of all occupations, and the row says so. */
#ifndef SALARY_FALLBACK_H
#define SALARY_FALLBACK_H

#include "workers/salary/findings.h"
#include "workers/salary/request.h"

#define FALLBACK_SOURCE "national medians published by BLS"

/* Adds the one benchmark and marks the findings; never fails. */
void fallback_add(const struct request *r, struct findings *f);

#endif
