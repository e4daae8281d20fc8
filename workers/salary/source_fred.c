/* SPDX-License-Identifier: MIT */
#include "common/base/buf.h"
#include "common/base/err.h"
#include "common/worker/run.h"
#include "workers/salary/ask.h"
#include "workers/salary/fred.h"
#include "workers/salary/source.h"

#define PATH_MAX_BYTES 512
#define NOTE "cost of living: regional price parity, US = 100; unemployment of the state"

static int ask_series(struct run *run, const char *id, struct fred_point *ret, struct err *e)
{
	struct ask what = { .source = "fred", .key_parameter = "api_key" };
	struct http_response answer;
	struct buf path;
	int r;

	buf_init(&path, PATH_MAX_BYTES);
	r = fred_path(id, &path, e);
	what.path = buf_text(&path);
	if (r >= 0)
		r = ask_call(run, &what, &answer, e);
	buf_release(&path);
	if (r < 0)
		return r;
	r = fred_parse(answer.status, buf_text(&answer.body), answer.body.len, ret, e);
	http_response_release(&answer);
	ask_settle(run, "fred", r, e);
	return r;
}

/* A series that does not exist is an answer too: the wider area is asked next. */
static int ask_parity(struct run *run, const struct area *areas, size_t n, struct market *m,
		      struct err *e)
{
	struct fred_point p = { .value = { AMOUNT_ABSENT, 0 } };
	char id[FRED_ID_SIZE];

	for (size_t i = 0; i < n; i++) {
		int r;

		m->area = areas[i];
		m->steps_wider = (int)i;
		if (!fred_parity_id(&areas[i], id)) {
			m->living_cost = AMOUNT_OF(100);	/* the nation, by definition */
			return 0;
		}
		r = ask_series(run, id, &p, e);
		if (r < 0 && r != -ERR_NOT_FOUND)
			return r;
		if (r >= 0 && amount_is_known(p.value)) {
			m->living_cost = p.value;
			return 0;
		}
	}
	return 0;
}

static int ask_unemployment(struct run *run, const struct area *asked, struct market *m,
			    struct err *e)
{
	struct fred_point p = { .value = { AMOUNT_ABSENT, 0 } };
	char id[FRED_ID_SIZE];
	int r;

	fred_unemployment_id(asked, id);
	r = ask_series(run, id, &p, e);
	if (r < 0)
		return r == -ERR_NOT_FOUND ? 0 : r;
	m->unemployment = p.value;
	m->year = p.year;
	m->quarter = (p.month + 2) / 3;
	m->age_days = findings_age_days(p.year, p.month, 15);
	return 0;
}

int source_fred(struct run *run, const struct request *r, struct findings *f, struct err *e)
{
	struct area areas[SOURCE_LEVELS];
	size_t n = source_areas(&r->area, areas);
	struct market got = { .source = "fred", .age_days = -1, .note = NOTE }, *m;
	int code = ask_unemployment(run, &r->area, &got, e);

	if (code >= 0)
		code = ask_parity(run, areas, n, &got, e);
	if (got.year > 0 && (m = findings_market(f, "fred")) != NULL)
		*m = got;
	if (code < 0)
		return source_note(f, "fred", code, e);
	findings_note(f, "fred", "ok", NULL);
	return 0;
}
