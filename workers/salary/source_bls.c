/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "common/base/buf.h"
#include "common/base/err.h"
#include "common/worker/run.h"
#include "workers/salary/ask.h"
#include "workers/salary/bls.h"
#include "workers/salary/source.h"

#define BODY_MAX 16384
#define OEWS_MONTH 5			/* estimates are those of May */

_Static_assert(SOURCE_LEVELS * (BLS_PAIR_SERIES + 1) <= BLS_MAX_SERIES_NO_KEY,
	       "one pair, all levels, must fit one call without a key");

int source_bls_ask(struct run *run, const char (*ids)[BLS_ID_SIZE], size_t n,
		   struct bls_reply **ret, struct err *e)
{
	struct ask what = { .source = "bls", .method = "POST", .path = "/timeseries/data/" };
	struct http_response answer;
	struct buf body;
	int r;

	buf_init(&body, BODY_MAX);
	r = bls_body(ids, n, 0, 0, ask_key(run, "bls"), &body, e);
	what.body = body.data;
	what.body_len = body.len;
	if (r >= 0)
		r = ask_call(run, &what, &answer, e);
	buf_release(&body);
	if (r < 0)
		return r;
	r = bls_parse(answer.status, answer.content_type, buf_text(&answer.body), answer.body.len,
		      ret, e);
	http_response_release(&answer);
	ask_settle(run, "bls", r, e);
	return r;
}

static struct amount cell_amount(const struct bls_reply *reply, const struct area *a,
				 const struct occupation_row *o, enum bls_datatype type, int *year)
{
	char id[BLS_ID_SIZE];
	const struct bls_cell *cell;

	bls_wage_id(a, o, type, id);
	cell = bls_cell(reply, id);
	if (!cell || !cell->exists)
		return (struct amount){ AMOUNT_ABSENT, 0 };
	if (cell->year > *year)
		*year = cell->year;
	return cell->value;
}

int source_bls_benchmark(const struct bls_reply *reply, const struct area *a,
			 const struct occupation_row *o, struct benchmark *b)
{
	struct benchmark got = benchmark_empty("bls");

	got.area = *a;
	got.median = cell_amount(reply, a, o, BLS_ANNUAL_MEDIAN, &got.year);
	got.mean = cell_amount(reply, a, o, BLS_ANNUAL_MEAN, &got.year);
	got.p10 = cell_amount(reply, a, o, BLS_ANNUAL_P10, &got.year);
	got.p25 = cell_amount(reply, a, o, BLS_ANNUAL_P25, &got.year);
	got.p75 = cell_amount(reply, a, o, BLS_ANNUAL_P75, &got.year);
	got.p90 = cell_amount(reply, a, o, BLS_ANNUAL_P90, &got.year);
	got.employment = cell_amount(reply, a, o, BLS_EMPLOYMENT, &got.year);
	got.age_days = findings_age_days(got.year, OEWS_MONTH, 15);
	*b = got;
	return amount_is_known(got.median) && got.median.e4 > 0;
}

static size_t list_series(const struct request *r, const struct area *areas, size_t n,
			  char (*ids)[BLS_ID_SIZE])
{
	size_t count = 0;

	for (size_t i = 0; i < n; i++) {
		for (size_t k = 0; k < BLS_PAIR_SERIES; k++)
			bls_wage_id(&areas[i], r->occupation.row, BLS_PAIR_TYPES[k], ids[count++]);
		bls_unemployment_id(&areas[i], ids[count++]);
	}
	return count;
}

static void add_benchmark(const struct bls_reply *reply, const struct request *r,
			  const struct area *areas, size_t n, struct findings *f)
{
	for (size_t i = 0; i < n; i++) {
		struct benchmark got, *b;

		if (!source_bls_benchmark(reply, &areas[i], r->occupation.row, &got))
			continue;
		b = findings_benchmark(f, "bls");
		if (b)
			*b = got;
		if (b)
			b->steps_wider = (int)i;
		if (b && (*r->experience || *r->education || *r->industry)) {
			b->group = true;
			b->note =
				"BLS does not split these figures by experience, education or industry";
		}
		return;
	}
}

static void add_market(const struct bls_reply *reply, const struct request *r,
		       const struct area *areas, size_t n, struct findings *f)
{
	char id[BLS_ID_SIZE];

	for (size_t i = 0; i < n; i++) {
		const struct bls_cell *cell;
		struct market *m;

		bls_unemployment_id(&areas[i], id);
		cell = bls_cell(reply, id);
		if (!cell || !amount_is_known(cell->value))
			continue;
		m = findings_market(f, "bls");
		if (!m)
			return;
		m->area = areas[i];
		m->steps_wider = (int)i;
		m->unemployment = cell->value;
		m->year = cell->year;
		m->quarter = cell->month ? (cell->month + 2) / 3 : 0;
		m->age_days = findings_age_days(cell->year, cell->month ? cell->month : 7, 15);
		bls_wage_id(&areas[i], r->occupation.row, BLS_EMPLOYMENT, id);
		cell = bls_cell(reply, id);
		if (cell)
			m->job_count = cell->value;
		return;
	}
}

int source_bls(struct run *run, const struct request *r, struct findings *f, struct err *e)
{
	char ids[SOURCE_LEVELS * (BLS_PAIR_SERIES + 1)][BLS_ID_SIZE];
	struct area areas[SOURCE_LEVELS];
	size_t n = source_areas(&r->area, areas);
	struct bls_reply *reply = NULL;
	int code = source_bls_ask(run, (const char (*)[BLS_ID_SIZE])ids,
				  list_series(r, areas, n, ids), &reply, e);

	if (code < 0)
		return source_note(f, "bls", code, e);
	add_benchmark(reply, r, areas, n, f);
	add_market(reply, r, areas, n, f);
	findings_note(f, "bls", "ok",
		      f->nbenchmarks ? NULL : "no median is published for this occupation");
	bls_reply_free(reply);
	return 0;
}
