/* SPDX-License-Identifier: MIT */
#include "common/base/buf.h"
#include "common/base/mem.h"
#include "workers/salary/bls.h"
#include "workers/salary/source.h"

#define BODY_MAX 16384
#define OEWS_MONTH 5			/* estimates are those of May */
#define GROWTH_NOTE "growth: all employed people of the area, over a year"
#define NOT_SPLIT "BLS does not split these figures by experience, education or industry"

enum { ALL_SERIES = SOURCE_AREAS * (BLS_PAIR_SERIES + 3) };
_Static_assert(SOURCE_AREAS * (BLS_PAIR_SERIES + 1) + 1 <= BLS_MAX_SERIES_NO_KEY,
	       "one pair, all levels, must fit one call without a key");
_Static_assert(ALL_SERIES <= BLS_MAX_SERIES,
	       "one pair, all levels with all there is, must fit one call with a key");

struct state {
	struct source_area areas[SOURCE_AREAS];
	size_t nareas;
	struct bls_reply *reply;
};

static const struct bls_cell *wage_cell(const struct bls_reply *reply, const struct area *a,
					const struct occupation_row *o, enum bls_datatype type)
{
	char id[BLS_ID_SIZE];
	const struct bls_cell *cell;

	bls_wage_id(a, o, type, id);
	cell = bls_cell(reply, id);
	return cell && cell->exists ? cell : NULL;
}

static struct amount wage_amount(const struct bls_reply *reply, const struct area *a,
				 const struct occupation_row *o, enum bls_datatype type, int *year)
{
	const struct bls_cell *cell = wage_cell(reply, a, o, type);

	if (!cell)
		return (struct amount){ AMOUNT_ABSENT, 0 };
	if (cell->year > *year)
		*year = cell->year;
	return cell->value;
}

/* Whether there is a median. */
static bool read_benchmark(const struct bls_reply *reply, const struct area *a,
			   const struct occupation_row *o, struct benchmark *b)
{
	struct benchmark got = benchmark_empty("bls");
	const struct bls_cell *rse = wage_cell(reply, a, o, BLS_WAGE_RSE);

	got.area = *a;
	got.median = wage_amount(reply, a, o, BLS_ANNUAL_MEDIAN, &got.year);
	got.mean = wage_amount(reply, a, o, BLS_ANNUAL_MEAN, &got.year);
	got.p10 = wage_amount(reply, a, o, BLS_ANNUAL_P10, &got.year);
	got.p25 = wage_amount(reply, a, o, BLS_ANNUAL_P25, &got.year);
	got.p75 = wage_amount(reply, a, o, BLS_ANNUAL_P75, &got.year);
	got.p90 = wage_amount(reply, a, o, BLS_ANNUAL_P90, &got.year);
	got.employment = wage_amount(reply, a, o, BLS_EMPLOYMENT, &got.year);
	if (rse && rse->value.kind == AMOUNT_VALUE && rse->value.e4 >= 0)
		got.error_percent = amount_number(rse->value);
	got.age_days = findings_age_days(got.year, OEWS_MONTH, 15);
	*b = got;
	return amount_is_known(got.median) && got.median.e4 > 0;
}

/* Without a key there is room for the error of the narrowest area alone. A sync buys by the series:
 * of the pairs only what they are made of. */
static size_t list_series(const struct state *s, const struct occupation_row *o, bool has_key,
			  char (*ids)[BLS_ID_SIZE])
{
	size_t count = 0;

	for (size_t i = 0; i < s->nareas; i++) {
		const struct area *a = &s->areas[i].area;

		for (size_t k = 0; k < BLS_PAIR_SERIES; k++)
			bls_wage_id(a, o, BLS_PAIR_TYPES[k], ids[count++]);
		bls_unemployment_id(a, ids[count++]);
		if ((has_key || i == 0) && !ask_is_from_shelf())
			bls_wage_id(a, o, BLS_WAGE_RSE, ids[count++]);
		if (has_key)
			bls_employed_id(a, ids[count++]);
	}
	return count;
}

static void begin(struct talk *t, const struct request *r)
{
	const char *key = ask_key(t->run, "bls");
	struct state *s = t->of = mem_zalloc(sizeof *s);
	struct ask what = { .method = "POST", .path = "/timeseries/data/" };
	char ids[ALL_SERIES][BLS_ID_SIZE];
	struct buf body;
	size_t n;

	s->nareas = source_areas(&r->area, s->areas);
	n = list_series(s, r->occupation.row, key != NULL, ids);
	buf_init(&body, BODY_MAX);
	if (bls_body((const char (*)[BLS_ID_SIZE])ids, n, 0, 0, key, &body, &t->err) < 0) {
		t->code = -(int)t->err.code;
	} else {
		what.body = body.data;
		what.body_len = body.len;
		talk_ask(t, 0, what);
	}
	buf_release(&body);
}

static int hear(struct talk *t, int question, const struct http_response *a, struct err *e)
{
	struct state *s = t->of;

	(void)question;
	return bls_parse(a->status, a->content_type, buf_text(&a->body), a->body.len, &s->reply, e);
}

static bool add_benchmark(const struct state *s, const struct request *r, struct findings *f)
{
	for (size_t i = 0; i < s->nareas; i++) {
		struct benchmark got, *b;

		if (!read_benchmark(s->reply, &s->areas[i].area, r->occupation.row, &got))
			continue;
		b = findings_benchmark(f, "bls");
		if (!b)
			return false;
		*b = got;
		b->steps_wider = s->areas[i].steps;
		b->unsplit = *r->experience || *r->education || *r->industry;
		if (b->unsplit)
			b->note = NOT_SPLIT;
		return true;
	}
	return false;
}

/* Of the occupation where two years of it came, else of everybody who works there. */
static void read_growth(const struct state *s, const struct area *a, const struct occupation_row *o,
			struct market *m)
{
	const struct bls_cell *cell = wage_cell(s->reply, a, o, BLS_EMPLOYMENT);
	char id[BLS_ID_SIZE];

	if (cell)
		m->growth = bls_growth(cell);
	bls_employed_id(a, id);
	cell = bls_cell(s->reply, id);
	if (amount_is_known(m->growth) || !cell || !cell->exists)
		return;
	m->growth = bls_growth(cell);
	if (amount_is_known(m->growth))
		m->note = GROWTH_NOTE;
}

static bool read_market(const struct state *s, const struct source_area *at,
			const struct occupation_row *o, struct market *m)
{
	const struct bls_cell *rate, *jobs = wage_cell(s->reply, &at->area, o, BLS_EMPLOYMENT);
	char id[BLS_ID_SIZE];

	bls_unemployment_id(&at->area, id);
	rate = bls_cell(s->reply, id);
	if (rate && amount_is_known(rate->value)) {
		m->unemployment = rate->value;
		m->year = rate->year;
		m->quarter = rate->month ? (rate->month + 2) / 3 : 0;
		m->age_days = findings_age_days(rate->year, rate->month ? rate->month : 7, 15);
	} else if (jobs && amount_is_known(jobs->value)) {
		m->year = jobs->year;
		m->age_days = findings_age_days(jobs->year, OEWS_MONTH, 15);
	} else {
		return false;
	}
	m->area = at->area;
	m->steps_wider = at->steps;
	if (jobs)
		m->job_count = jobs->value;
	read_growth(s, &at->area, o, m);
	return true;
}

static void add_market(const struct state *s, const struct request *r, struct findings *f)
{
	struct market *m = findings_market(f, "bls");

	for (size_t i = 0; m && i < s->nareas; i++)
		if (read_market(s, &s->areas[i], r->occupation.row, m))
			return;
	if (m)
		f->nmarkets--;
}

static void end(struct talk *t, const struct request *r, struct findings *f)
{
	struct state *s = t->of;
	bool found = s->reply && add_benchmark(s, r, f);

	if (s->reply)
		add_market(s, r, f);
	source_note(t, f, found, found ? NULL : "no median is published for this occupation");
	bls_reply_free(s->reply);
	free(s);
}

const struct source_side SOURCE_BLS = { .name = "bls", .hear = hear, .begin = begin, .end = end };
