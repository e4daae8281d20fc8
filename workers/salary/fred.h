/* SPDX-License-Identifier: MIT */
/* fred: series of the Federal Reserve Bank of St. Louis, on paper: ids, paths, the answer read.
 *
 * Format: https://fred.stlouisfed.org/docs/api/fred/series_observations.html; one series a call,
 * newest first; "." is a missing value. "This product uses the FRED API but is not endorsed or
 * certified by the Federal Reserve Bank of St. Louis" goes with every answer (the source's terms).
 * Errors of fred_parse, by code: -ERR_REFUSED (key), -ERR_NOT_FOUND (no such series: dead for this
 * item), -ERR_LIMITED (429: 20 s), -ERR_AGAIN (423 locked), -ERR_HTTP (5xx, not JSON),
 * -ERR_INVALID. */
#ifndef SALARY_FRED_H
#define SALARY_FRED_H

#include <stddef.h>

#include "common/base/buf.h"
#include "common/market/area.h"
#include "workers/salary/amount.h"

struct err;

#define FRED_CPI "CPIAUCSL"		/* CPI-U, all items, city average, 1982-84 = 100, monthly, adjusted */
#define FRED_ID_SIZE 24
#define FRED_NOTICE "This product uses the FRED(R) API but is not endorsed or certified by the " \
	"Federal Reserve Bank of St. Louis."

/* Regional price parity, US = 100: of the metro, else the state. 0 for the nation (it is 100 by
 * definition), 1 otherwise. */
int fred_parity_id(const struct area *a, char out[FRED_ID_SIZE]);
/* The same of a metro under the code it had before OMB Bulletin 23-01: series keep the name they
 * were begun with. 0 where the code did not change. */
int fred_former_parity_id(const struct area *a, char out[FRED_ID_SIZE]);
/* Unemployment, seasonally adjusted: state or nation (metro ids are not derivable: its state's). */
void fred_unemployment_id(const struct area *a, char out[FRED_ID_SIZE]);

/* Paths below the base URL with their query, without the key: the newest observations of a series,
 * or all since a year began. */
void fred_path(const char *id, struct buf *ret);
void fred_path_since(const char *id, int year, struct buf *ret);

struct fred_point {
	struct amount value;
	int year, month, day;
};

/* The newest observation that is not missing; its value is absent when there is none. */
int fred_parse(int status, const char *body, size_t len, struct fred_point *ret, struct err *e);
/* All that are not missing, as they came; what is past max is left out. *ret_n: how many. */
int fred_parse_all(int status, const char *body, size_t len, struct fred_point *points, size_t max,
		   size_t *ret_n, struct err *e);

#endif
