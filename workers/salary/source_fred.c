/* SPDX-License-Identifier: MIT */
#include "common/base/buf.h"
#include "common/base/err.h"
#include "common/base/json.h"
#include "common/base/mem.h"
#include "common/net/http.h"
#include "workers/salary/fred.h"
#include "workers/salary/source.h"

#define PATH_MAX_BYTES 512
#define MID_YEAR 7			/* a parity is its whole year's */

/* What a question is about: the unemployment or the parity of areas[i], by its former code too. */
enum { UNEMPLOYMENT = 0, PARITY = 100, FORMER_PARITY = 200, STEP = 100 };

struct state {
	struct source_area areas[SOURCE_AREAS];
	size_t nareas;
	struct fred_point rate, parity;
	const struct source_area *rate_of, *parity_of;	/* NULL: nobody's */
};

static void ask_series(struct talk *t, int question, const char *id)
{
	struct ask what = { .key_parameter = "api_key" };
	struct buf path;

	buf_init(&path, PATH_MAX_BYTES);
	fred_path(id, &path);
	what.path = buf_text(&path);
	talk_ask(t, question, what);
	buf_release(&path);
}

/* A metro's own rate has no name one could derive: its state's comes first. */
static void ask_unemployment(struct talk *t, size_t from)
{
	struct state *s = t->of;
	char id[FRED_ID_SIZE];

	while (from < s->nareas && s->areas[from].area.level == AREA_METRO)
		from++;
	if (from == s->nareas)
		return;
	fred_unemployment_id(&s->areas[from].area, id);
	ask_series(t, UNEMPLOYMENT + (int)from, id);
}

static void ask_parity(struct talk *t, size_t from)
{
	struct state *s = t->of;
	char id[FRED_ID_SIZE];

	if (from == s->nareas)
		return;
	if (fred_parity_id(&s->areas[from].area, id)) {
		ask_series(t, PARITY + (int)from, id);
		return;
	}
	s->parity = (struct fred_point){ .value = AMOUNT_OF(100) };	/* the nation, by definition */
	s->parity_of = &s->areas[from];
}

static void ask_next_parity(struct talk *t, int question, size_t which)
{
	struct state *s = t->of;
	char id[FRED_ID_SIZE];

	if (question < FORMER_PARITY && fred_former_parity_id(&s->areas[which].area, id))
		ask_series(t, FORMER_PARITY + (int)which, id);
	else
		ask_parity(t, which + 1);
}

static void begin(struct talk *t, const struct request *r)
{
	struct state *s = t->of = mem_zalloc(sizeof *s);

	s->nareas = source_areas(&r->area, s->areas);
	ask_unemployment(t, 0);
	ask_parity(t, 0);
}

/* A series that does not exist is an answer too: the wider area is asked next. */
static int hear(struct talk *t, int question, const struct http_response *a, struct err *e)
{
	struct state *s = t->of;
	struct fred_point p = { .value = { AMOUNT_ABSENT, 0 } };
	size_t which = (size_t)(question % STEP);
	int r = fred_parse(a->status, buf_text(&a->body), a->body.len, &p, e);
	bool known = r == 0 && amount_is_known(p.value);

	if (r < 0 && r != -ERR_NOT_FOUND)
		return r;
	if (question >= PARITY && known) {
		s->parity = p;
		s->parity_of = &s->areas[which];
	} else if (question >= PARITY) {
		ask_next_parity(t, question, which);
	} else if (known) {
		s->rate = p;
		s->rate_of = &s->areas[which];
	} else {
		ask_unemployment(t, which + 1);
	}
	return 0;
}

static void put_part(cJSON *parts, const char *column, const struct source_area *of,
		     const struct fred_point *p, bool monthly)
{
	cJSON *o = mem_check(cJSON_CreateObject());

	json_set_str(o, "level", area_level_name(of->area.level));
	json_set_str(o, "area", area_name(&of->area));
	if (p->year > 0)
		json_set_num(o, "year", p->year);
	if (monthly)
		json_set_num(o, "month", p->month);
	json_set(parts, column, o);
}

/* The two figures are of different areas and times. */
static cJSON *parts_of(const struct state *s)
{
	cJSON *parts = mem_check(cJSON_CreateObject());

	if (s->rate_of)
		put_part(parts, "unemployment_rate", s->rate_of, &s->rate, true);
	if (s->parity_of)
		put_part(parts, "cost_of_living_index", s->parity_of, &s->parity, false);
	return parts;
}

static const char *note_of(const struct state *s)
{
	if (!s->rate_of)
		return "cost of living: regional price parity, US = 100";
	if (!s->parity_of)
		return s->rate_of->area.level == AREA_STATE ? "unemployment of the state" :
							      "unemployment of the nation";
	return s->rate_of->area.level == AREA_STATE ?
		       "cost of living: regional price parity, US = 100; unemployment of the state" :
		       "cost of living: regional price parity, US = 100; unemployment of the nation";
}

/* The row is of the widest area that a figure in it is of. */
static const struct source_area *widest(const struct state *s)
{
	if (!s->rate_of || !s->parity_of)
		return s->rate_of ? s->rate_of : s->parity_of;
	return s->rate_of->steps > s->parity_of->steps ? s->rate_of : s->parity_of;
}

/* 100 for the nation is a definition: alone it is nothing that was found. */
static bool found_any(const struct state *s)
{
	return s->rate_of || (s->parity_of && s->parity.year > 0);
}

static void add_market(const struct state *s, struct findings *f)
{
	const struct source_area *at = widest(s);
	const struct fred_point *dated = s->rate_of ? &s->rate : &s->parity;
	struct market *m = findings_market(f, "fred");

	if (!m)
		return;
	m->parts = parts_of(s);
	m->area = at->area;
	m->steps_wider = at->steps;
	if (s->rate_of)
		m->unemployment = s->rate.value;
	if (s->parity_of)
		m->living_cost = s->parity.value;
	m->year = dated->year;
	m->quarter = s->rate_of ? (dated->month + 2) / 3 : 0;
	m->age_days = findings_age_days(dated->year, s->rate_of ? dated->month : MID_YEAR, 15);
	m->note = note_of(s);
}

static void end(struct talk *t, const struct request *r, struct findings *f)
{
	struct state *s = t->of;
	bool found = found_any(s);

	(void)r;
	if (found)
		add_market(s, f);
	source_note(t, f, found, NULL);
	free(s);
}

const struct source_side SOURCE_FRED = { .name = "fred", .hear = hear, .begin = begin, .end = end };
