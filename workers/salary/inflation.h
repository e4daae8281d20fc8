/* SPDX-License-Identifier: MIT */
/* inflation: from the money of one year to that of the newest full one, by consumer prices.
 *
 * The factor is the annual mean of the CPI-U (all items, U.S. city average) of the newest full year
 * over that of the year in question: FRED's CPIAUCSL, or, when FRED may not be asked or fails, the
 * bureau's own CUUR0000SA0 (not adjusted; over whole years the two differ by less than a tenth of a
 * per cent). A year is full when its December is there and one month at most is missing: the
 * bureau never collected October 2025, and takes the mean of the other eleven as well.
 * Means are remembered in Redis for 30 days; all arithmetic is in whole numbers. */
#ifndef SALARY_INFLATION_H
#define SALARY_INFLATION_H

#include <stdint.h>

struct err;
struct run;

struct inflation {
	int from_year, to_year;
	int64_t factor_e6;		/* 1,024,567 = 1.024567: dollars of from_year times it */
	char series[16];		/* "CPIAUCSL" */
};

/* A from_year not before the newest full one has the factor 1. -ERR_NOT_FOUND: the series does not
 * reach back so far. Else the source's error (talk.h), or what ends the task. */
int inflation_factor(struct run *run, int from_year, struct inflation *ret, struct err *e);

#endif
