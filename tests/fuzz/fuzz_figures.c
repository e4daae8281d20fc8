/* SPDX-License-Identifier: MIT */
/* Answers of the sources of salary figures: the first byte chooses whose (modulo 3) and the status
 * (divided by 3), the rest is the body.
 * What is read is within its bounds. */
#include <string.h>

#include "common/base/err.h"
#include "common/base/mem.h"
#include "tests/fuzz/fuzz.h"
#include "workers/salary/bls.h"
#include "workers/salary/census.h"
#include "workers/salary/fred.h"

#define JSON "application/json"
#define MOST_E4 (INT64_C(1000000000000) * 10000)
#define POINTS 64

static const int STATUSES[] = { 200, 204, 302, 400, 401, 403, 404, 408, 423, 429, 500, 503 };

static void check_amount(struct amount a)
{
	char text[AMOUNT_TEXT_SIZE];

	fuzz_want(a.e4 < MOST_E4 && a.e4 > -MOST_E4, "an amount is below its limit");
	fuzz_want(a.kind == AMOUNT_VALUE || a.kind == AMOUNT_BOUND || a.e4 == 0,
		  "what is absent has no amount");
	fuzz_want(amount_is_known(a) == (amount_text(a, 4, text) != NULL),
		  "what is known can be written");
}

static void read_bls(int status, const char *body, size_t len)
{
	struct bls_reply *r = NULL;
	const struct bls_cell *cell;

	if (bls_parse(status, JSON, body, len, &r, NULL) < 0)
		return;
	cell = bls_cell(r, "OEUM003562000000015125213");
	for (size_t i = 0; cell && i < cell->nrows; i++)
		check_amount(cell->rows[i].value);
	if (cell)
		check_amount(bls_growth(cell));
	bls_reply_free(r);
}

static void read_census(int status, const char *body, size_t len)
{
	struct census_table *t = NULL;
	char column[CENSUS_COLUMN_SIZE];
	struct amount a;

	if (census_find_column(body, len, "Management occupations", column, NULL) == 0)
		fuzz_want(census_is_column(column), "a column that is found is one");
	if (census_parse(status, JSON, body, len, &t, NULL) < 0)
		return;
	for (size_t row = 0; row < census_rows(t) && row < POINTS; row++)
		if (census_amount(t, row, "B24011_013E", &a, NULL) == 0)
			check_amount(a);
	census_table_free(t);
}

static void read_fred(int status, const char *body, size_t len)
{
	struct fred_point points[POINTS], last;
	struct err e = { 0 };
	size_t n = 0;

	if (fred_parse(status, body, len, &last, &e) == 0)
		check_amount(last.value);
	else
		fuzz_want(e.msg[0], "what is refused has a reason");

	if (fred_parse_all(status, body, len, points, POINTS, &n, NULL) < 0)
		return;
	fuzz_want(n <= POINTS, "no more points than there is room for");
	for (size_t i = 0; i < n; i++) {
		fuzz_want(points[i].month >= 1 && points[i].month <= 12, "a month is one");
		check_amount(points[i].value);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static void (*const READERS[])(int, const char *, size_t) = { read_bls, read_census,
								      read_fred };
	char *body;

	if (size == 0)
		return 0;
	body = malloc(size > 1 ? size - 1 : 1);	/* no byte behind its end */
	memcpy(body, data + 1, size - 1);
	READERS[data[0] % COUNT(READERS)](STATUSES[data[0] / COUNT(READERS) % COUNT(STATUSES)],
					  body, size - 1);
	free(body);
	return 0;
}
