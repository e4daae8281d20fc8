/* SPDX-License-Identifier: MIT */
#include "workers/dispatcher/alert_state.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/err.h"
#include "common/base/json.h"
#include "common/base/mem.h"
#include "common/store/pg.h"

#define SEEN_US (60 * 1000000LL)

#define US(column) "(extract(epoch FROM " column ") * 1000000)::bigint"
#define TIME(column) "timestamptz 'epoch' + " column " * interval '1 us'"

static const char SQL_LOCK[] =
	"SELECT pg_try_advisory_xact_lock(hashtext('jobfleet.alerts'), 0)";

static const char SQL_LOAD[] =
	"SELECT rule, subject, phase, " US("since") ", " US("good") ", " US("seen") ", value, fired, "
	US("fired_at") " FROM jobfleet.alert_states";

static const char SQL_SAVE[] =
	"INSERT INTO jobfleet.alert_states AS s (rule, subject, phase, since, good, seen, value, fired,"
	" fired_at) SELECT rule, subject, phase, " TIME("since") ", " TIME("nullif(good, 0)") ", "
	TIME("nullif(seen, 0)") ", value, fired, " TIME("nullif(fired_at, 0)")
	" FROM jsonb_to_recordset($1::jsonb) AS x (rule text, subject text, phase text, since bigint,"
	" good bigint, seen bigint, value float8, fired integer, fired_at bigint)"
	" ON CONFLICT (rule, subject) DO UPDATE SET phase = excluded.phase, since = excluded.since,"
	" good = excluded.good, seen = excluded.seen, value = excluded.value, fired = excluded.fired,"
	" fired_at = excluded.fired_at";

static const char SQL_DROP[] =
	"DELETE FROM jobfleet.alert_states s USING jsonb_to_recordset($1::jsonb)"
	" AS x (rule text, subject text) WHERE s.rule = x.rule AND s.subject = x.subject";

static void add(struct alert_states *s, const char *rule, const char *subject)
{
	s->items = mem_realloc(s->items, (s->n + 1) * sizeof *s->items);
	s->items[s->n++] = (struct alert_state){ .rule = mem_strdup(rule),
						 .subject = mem_strdup(subject) };
}

static void read_row(struct alert_states *s, const struct pg_rows *rows, size_t i)
{
	struct alert_state *a;

	add(s, pg_text(rows, i, 0), pg_text(rows, i, 1));
	a = &s->items[s->n - 1];
	a->there = true;
	a->now = (struct rule_state){ .phase = rule_phase_read(pg_text(rows, i, 2)),
				      .since_us = pg_int(rows, i, 3), .good_us = pg_int(rows, i, 4),
				      .seen_us = pg_int(rows, i, 5), .value = pg_num(rows, i, 6),
				      .fired = (int)pg_int(rows, i, 7),
				      .fired_us = pg_int(rows, i, 8) };
	a->stored = a->now;
}

int alert_states_load(struct alert_states *s, struct pg *pg, struct err *e)
{
	struct pg_rows *rows = NULL;
	int64_t n = pg_run(pg, SQL_LOCK, NULL, 0, &rows, e);
	bool locked = n > 0 && pg_bool(rows, 0, 0);

	*s = (struct alert_states){ 0 };
	pg_rows_free(rows);
	rows = NULL;
	if (n < 0 || !locked)
		return n < 0 ? (int)n : 0;
	n = pg_run(pg, SQL_LOAD, NULL, 0, &rows, e);
	for (size_t i = 0; i < pg_rows_count(rows); i++)
		read_row(s, rows, i);
	pg_rows_free(rows);
	return n < 0 ? (int)n : 1;
}

void alert_states_release(struct alert_states *s)
{
	for (size_t i = 0; i < s->n; i++) {
		free(s->items[i].rule);
		free(s->items[i].subject);
	}
	free(s->items);
	*s = (struct alert_states){ 0 };
}

struct alert_state *alert_states_at(struct alert_states *s, const char *rule, const char *subject)
{
	for (size_t i = 0; i < s->n; i++)
		if (strcmp(s->items[i].rule, rule) == 0 &&
		    strcmp(s->items[i].subject, subject) == 0)
			return &s->items[i];
	add(s, rule, subject);
	return &s->items[s->n - 1];
}

static bool is_changed(const struct alert_state *a)
{
	const struct rule_state *x = &a->now, *y = &a->stored;

	return !a->there || x->phase != y->phase || x->since_us != y->since_us ||
		x->good_us != y->good_us || x->fired_us != y->fired_us ||
		x->value != y->value || x->seen_us - y->seen_us > SEEN_US;
}

static cJSON *named(const struct alert_state *a)
{
	cJSON *o = mem_check(cJSON_CreateObject());

	json_set_str(o, "rule", a->rule);
	json_set_str(o, "subject", a->subject);
	return o;
}

static void set_us(cJSON *o, const char *key, int64_t us)
{
	char text[24];

	json_set_raw(o, key, pg_int_text(text, us));
}

static cJSON *row_of(const struct alert_state *a)
{
	cJSON *o = named(a);

	json_set_str(o, "phase", rule_phase_word(a->now.phase));
	set_us(o, "since", a->now.since_us);
	set_us(o, "good", a->now.good_us);
	set_us(o, "seen", a->now.seen_us);
	set_us(o, "fired", a->now.fired);
	set_us(o, "fired_at", a->now.fired_us);
	if (a->now.seen_us)
		json_set_num(o, "value", a->now.value);
	return o;
}

static int run_with(struct pg *pg, const char *sql, cJSON *rows, struct err *e)
{
	int64_t n = 0;
	char *text;

	if (cJSON_GetArraySize(rows) > 0) {
		text = json_print(rows);
		n = pg_run(pg, sql, PG_PARAMS(PG_TEXT(text)), NULL, e);
		free(text);
	}
	cJSON_Delete(rows);
	return n < 0 ? (int)n : 0;
}

int alert_states_save(struct alert_states *s, struct pg *pg, struct err *e)
{
	cJSON *changed = mem_check(cJSON_CreateArray()), *gone = mem_check(cJSON_CreateArray());
	int r;

	for (size_t i = 0; i < s->n; i++) {
		const struct alert_state *a = &s->items[i];

		if (!a->known && a->there)
			cJSON_AddItemToArray(gone, named(a));
		else if (a->known && a->now.since_us && is_changed(a))
			cJSON_AddItemToArray(changed, row_of(a));
	}
	r = run_with(pg, SQL_SAVE, changed, e);
	if (r < 0) {
		cJSON_Delete(gone);
		return r;
	}
	return run_with(pg, SQL_DROP, gone, e);
}
