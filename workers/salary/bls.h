/* SPDX-License-Identifier: MIT */
/* bls: the BLS public data API v2, on paper: series ids, the request's body, the answer's reading.
 * No network here.
 *
 * Format: https://www.bls.gov/developers/api_signature_v2.htm; series ids: OEWS 25 characters
 * (OEU + area type + area 7 + industry 6 + SOC 6 + data type 2), LAUS 20 (LAU + area 15 + measure
 * 2), nation's rate from the CPS.
 * An answer is judged by three channels: HTTP status, content type, the status inside. Errors of
 * bls_parse say what to do by their code alone:
 *   -ERR_QUOTA     daily threshold: park until retry_after_ms (midnight US Eastern)
 *   -ERR_REFUSED   key invalid or refused: dead, an operator must act
 *   -ERR_HTTP, -ERR_LIMITED  trouble over there, HTML or torn JSON under 200 included: retry
 *   -ERR_INVALID   our request was not accepted
 * Texts never repeat what the service said about a key, since it echoes the key.
 * Ownership: a reply is yours until bls_reply_free; cells are borrowed from it. */
#ifndef SALARY_BLS_H
#define SALARY_BLS_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base/buf.h"
#include "common/market/area.h"
#include "common/market/occupation.h"
#include "workers/salary/amount.h"

struct err;
struct bls_reply;

#define BLS_ID_SIZE 26
#define BLS_MAX_SERIES 50		/* a call, with a key */
#define BLS_MAX_SERIES_NO_KEY 25
#define BLS_MAX_YEARS 20		/* a call, with a key; longer spans are silently cut */
#define BLS_MAX_YEARS_NO_KEY 10
#define BLS_DAILY_NO_KEY 25		/* calls a day and address */
#define BLS_CPI "CUUR0000SA0"		/* CPI-U, all items, city average, 1982-84 = 100, not adjusted */

enum bls_datatype {
	BLS_EMPLOYMENT = 1, BLS_EMPLOYMENT_RSE = 2, BLS_HOURLY_MEAN = 3, BLS_ANNUAL_MEAN = 4,
	BLS_WAGE_RSE = 5, BLS_HOURLY_MEDIAN = 8, BLS_ANNUAL_P10 = 11, BLS_ANNUAL_P25 = 12,
	BLS_ANNUAL_MEDIAN = 13, BLS_ANNUAL_P75 = 14, BLS_ANNUAL_P90 = 15,
};
#define BLS_PAIR_SERIES 7		/* what one place and occupation asks for, in this order: */
extern const enum bls_datatype BLS_PAIR_TYPES[BLS_PAIR_SERIES];

void bls_wage_id(const struct area *a, const struct occupation_row *o, enum bls_datatype type,
		 char out[BLS_ID_SIZE]);
/* Monthly: LAUS for metro (not adjusted) and state (adjusted), CPS for the nation. Employed people
 * of all occupations count in persons, the nation's in thousands. */
void bls_unemployment_id(const struct area *a, char out[BLS_ID_SIZE]);
void bls_employed_id(const struct area *a, char out[BLS_ID_SIZE]);

/* The POST body for n series; key may be NULL. years 0 = the service's default (three). */
int bls_body(const char (*ids)[BLS_ID_SIZE], size_t n, int first_year, int last_year,
	     const char *key, struct buf *ret, struct err *e);

/* A figure of a series; averages over months (M13, S03, Q05) are left out. */
struct bls_row {
	struct amount value;
	int year, month;		/* 0 for yearly figures */
	bool preliminary;
};

/* The newest row of a series that holds anything, and all its rows as they came. */
struct bls_cell {
	char id[BLS_ID_SIZE];
	struct amount value;
	int year, month;
	bool preliminary;
	bool exists;			/* false: the service knows no such series */
	struct bls_row *rows;
	size_t nrows;
};

int bls_parse(int status, const char *content_type, const char *body, size_t len,
	      struct bls_reply **ret, struct err *e);
void bls_reply_free(struct bls_reply *r);
/* NULL if the answer does not speak of it; ids past the limit are silently dropped over there. */
const struct bls_cell *bls_cell(const struct bls_reply *r, const char *id);
/* From the same period a year before to the newest row, in per cent; absent without both. */
struct amount bls_growth(const struct bls_cell *cell);

#endif
