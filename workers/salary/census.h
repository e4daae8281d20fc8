/* SPDX-License-Identifier: MIT */
/* census: the Census Bureau's ACS 5-year tables, on paper: paths, columns, the answer's reading.
 *
 * Formats: https://www.census.gov/data/developers/guidance/api-user-guide.html. An answer is an
 * array of arrays, header first, every cell a string or null. Column numbers of B24011 shift
 * between vintages, so columns are resolved by the last part of their label ("…!!Computer and
 * mathematical occupations") from the group's variables; what is not found is an error, never a
 * guess. Errors of census_parse, by code: -ERR_REFUSED (302 or the key page: key missing or wrong;
 * 404: no such vintage), -ERR_NOT_FOUND (204, unknown variable or geography: dead for this item),
 * -ERR_HTTP and -ERR_LIMITED (retry), -ERR_PROTOCOL (not the documented shape).
 * Redirects are not followed: a followed one answers 200 with a page of HTML.
 * Ownership: a table is yours until census_table_free; texts are borrowed from it. */
#ifndef SALARY_CENSUS_H
#define SALARY_CENSUS_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base/buf.h"
#include "common/market/area.h"
#include "common/market/occupation.h"
#include "workers/salary/amount.h"

struct err;
struct census_table;

#define CENSUS_VINTAGE 2024		/* 2020-2024, published December 2025 */
#define CENSUS_COLUMN_SIZE 16
#define CENSUS_GROUP "B24011"		/* median earnings by occupation */

/* Columns that do not move: labour force, unemployed, workers, working from home. */
#define CENSUS_LABOUR_FORCE "B23025_003E"
#define CENSUS_UNEMPLOYED "B23025_005E"
#define CENSUS_WORKERS "B08301_001E"
#define CENSUS_AT_HOME "B08301_021E"

/* The label of the occupation group that holds this SOC code, as ACS words it; NULL: none does. */
const char *census_group_label(const struct occupation_row *o);

/* Paths below the base URL, query included, without the key. */
void census_group_path(int vintage, struct buf *ret);
void census_table_path(int vintage, const struct area *a, const char *const *columns, size_t n,
		       struct buf *ret);

/* The column whose label ends in `label`, from a group's (or the whole) variables JSON. */
int census_find_column(const char *body, size_t len, const char *label,
		       char out[CENSUS_COLUMN_SIZE], struct err *e);

/* Does the text name an estimate of the group, as census_find_column gives it? */
bool census_is_column(const char *text);
/* The margin of error (90 %) beside an estimate: "B24011_013E" has "B24011_013M". */
void census_margin_column(const char *estimate, char out[CENSUS_COLUMN_SIZE]);

int census_judge(int status, const char *content_type, const char *body, size_t len, struct err *e);
int census_parse(int status, const char *content_type, const char *body, size_t len,
		 struct census_table **ret, struct err *e);
void census_table_free(struct census_table *t);
size_t census_rows(const struct census_table *t);
/* Is the first row about this area? */
bool census_is_of(const struct census_table *t, const struct area *a);
/* NULL for null or a column that is not there. row counts from 0, without the header. */
const char *census_text(const struct census_table *t, size_t row, const char *column);
/* Sentinels (-666666666 and the others, also "-666666666.0") are absent; 250001 of a median is a
 * bound ("250,000+"). -ERR_NOT_FOUND if the column is not there. */
int census_amount(const struct census_table *t, size_t row, const char *column, struct amount *ret,
		  struct err *e);

#endif
