/* SPDX-License-Identifier: MIT */
#include "workers/ctl/panel.h"

#include "common/base/clock.h"
#include "common/base/conf.h"
#include "common/base/err.h"
#include "common/base/json.h"
#include "common/base/mem.h"
#include "common/store/pg.h"
#include "workers/ctl/census.h"
#include "workers/ctl/ctl.h"
#include "workers/ctl/glance.h"
#include "workers/ctl/history.h"
#include "workers/ctl/queues.h"
#include "workers/ctl/table.h"
#include "workers/ctl/workers.h"

enum { RUNNING_MAX = 200, ALERTS_MAX = 5 };

struct panel {
	struct ctl *ctl;
	enum panel_order order;
	struct census census;		/* n 0: none yet */
	struct table *workers, *running, *alerts;	/* NULL: not to be had */
	struct pg_rows *totals;
	struct glance glance;
	struct history *history;		/* of the rates out of the queues */
	struct err queues_error, tables_error;	/* code ERR_NONE: all is there */
	char head[256];
};

static const char SQL_RUNNING[] =
	"SELECT round((extract(epoch FROM now()) - (a->>'since')::float8)::numeric, 1), a->>'name',"
	" a->>'id', node FROM jobfleet.workers, jsonb_array_elements(CASE WHEN"
	" jsonb_typeof(info->'active') = 'array' THEN info->'active' ELSE '[]' END) a"
	" WHERE state <> 'stopped' AND seen_at > now() - 3 * $1 * interval '1 s'"
	" ORDER BY (a->>'since')::float8 LIMIT $2";

static const struct table_column RUNNING_COLUMNS[] = {
	{ "running s", "running_s", TABLE_NUMBER },
	{ "task", "task", TABLE_TEXT },
	{ "task id", "task_id", TABLE_TEXT },
	{ "node", "node", TABLE_TEXT },
};

static const char SQL_ALERTS[] =
	"SELECT level, name, subject, message, occurrences,"
	" round(extract(epoch FROM now() - last_at)) FROM jobfleet.alerts"
	" WHERE resolved_at IS NULL ORDER BY last_at DESC LIMIT $1";

static const struct table_column ALERT_COLUMNS[] = {
	{ "alert", "level", TABLE_TEXT },
	{ "name", "name", TABLE_TEXT },
	{ "subject", "subject", TABLE_TEXT },
	{ "message", "message", TABLE_TEXT },
	{ "times", "occurrences", TABLE_NUMBER },
	{ "s ago", "last_s_ago", TABLE_NUMBER },
};

/* $1 the heartbeat */
static const char SQL_TOTALS[] =
	"SELECT count(*) FILTER (WHERE alive), count(*) FILTER (WHERE NOT alive),"
	" coalesce(sum(active) FILTER (WHERE alive), 0),"
	" coalesce(sum(concurrency) FILTER (WHERE alive), 0),"
	" (SELECT count(*) FROM jobfleet.dead_letters WHERE state = 'dead'),"
	" (SELECT count(*) FROM jobfleet.pending WHERE state = 'waiting')"
	" FROM (SELECT *, seen_at > now() - 3 * $1 * interval '1 s' AS alive FROM jobfleet.workers"
	"  WHERE state <> 'stopped' AND program <> 'dispatcher') w";

enum { ALIVE, LOST, ACTIVE, CHILDREN, DEAD, WAITING };

struct panel *panel_new(struct ctl *c, bool blocks)
{
	struct panel *p = mem_zalloc(sizeof *p);

	p->ctl = c;
	p->history = history_new(blocks);
	return p;
}

static void forget_tables(struct panel *p)
{
	table_free(p->workers);
	table_free(p->running);
	table_free(p->alerts);
	pg_rows_free(p->totals);
	p->workers = p->running = p->alerts = NULL;
	p->totals = NULL;
}

void panel_free(struct panel *p)
{
	if (!p)
		return;
	forget_tables(p);
	glance_release(&p->glance);
	history_free(p->history);
	census_release(&p->census);
	free(p);
}

static int by_ready(const void *a, const void *b)
{
	const struct census_queue *x = a, *y = b;

	return x->ready != y->ready ? (x->ready < y->ready) - (x->ready > y->ready)
				    : strcmp(x->name, y->name);
}

static int by_settled(const void *a, const void *b)
{
	const struct census_queue *x = a, *y = b;

	return x->settled != y->settled ? (x->settled < y->settled) - (x->settled > y->settled)
					: strcmp(x->name, y->name);
}

static int by_name(const void *a, const void *b)
{
	const struct census_queue *x = a, *y = b;

	return strcmp(x->name, y->name);
}

static void look_into_queues(struct panel *p)
{
	struct census now = { 0 };
	bool first = p->census.n == 0;

	err_clear(&p->queues_error);
	if (census_take(&now, p->ctl, NULL, first, first ? NULL : &p->census,
			&p->queues_error) < 0)
		return;
	census_release(&p->census);
	p->census = now;
	for (size_t i = 0; i < now.n; i++)
		history_put(p->history, now.queues[i].name, now.queues[i].settled_per_s);
}

static void look_into_tables(struct panel *p)
{
	static const enum workers_order orders[] = {
		[PANEL_BY_NAME] = WORKERS_BY_NAME, [PANEL_BY_BUSY] = WORKERS_BY_ACTIVE,
		[PANEL_BY_RATE] = WORKERS_BY_RATE,
	};
	struct ctl *c = p->ctl;
	int beat = c->conf->fleet.heartbeat_s;
	struct err *e = &p->tables_error;
	int r;

	forget_tables(p);
	err_clear(e);
	r = workers_table(c, false, true, orders[p->order], &p->workers, e);
	if (r == 0)
		r = ctl_query_table(c, SQL_RUNNING, PG_PARAMS(PG_INT(beat), PG_INT(RUNNING_MAX)),
				    RUNNING_COLUMNS, COUNT(RUNNING_COLUMNS), &p->running, e);
	if (r == 0)
		r = ctl_query_table(c, SQL_ALERTS, PG_PARAMS(PG_INT(ALERTS_MAX)), ALERT_COLUMNS,
				    COUNT(ALERT_COLUMNS), &p->alerts, e);
	if (r == 0)
		ctl_query(c, SQL_TOTALS, PG_PARAMS(PG_INT(beat)), &p->totals, e);
}

/* Of all queues, since the look before; 0 until there was one. */
static double settled_per_s(const struct panel *p)
{
	double sum = 0;

	for (size_t i = 0; i < p->census.n; i++) {
		if (p->census.queues[i].settled_per_s > 0)
			sum += p->census.queues[i].settled_per_s;
	}
	return sum;
}

static void make_head(struct panel *p)
{
	const struct pg_rows *t = p->totals;
	char at[CLOCK_ISO_SIZE];
	int n;

	clock_iso(clock_wall_us(), at);
	n = snprintf(p->head, sizeof p->head, "jobfleet  %.10s %.8s UTC", at, at + 11);
	if (!t)
		return;
	n += snprintf(p->head + n, sizeof p->head - (size_t)n, "  workers %s",
		      pg_text(t, 0, ALIVE));
	if (pg_int(t, 0, LOST) > 0)
		n += snprintf(p->head + n, sizeof p->head - (size_t)n, " (%s lost)",
			      pg_text(t, 0, LOST));
	snprintf(p->head + n, sizeof p->head - (size_t)n,
		 "  running %s of %s  done/s %.1f  waiting %s  dead letters %s",
		 pg_text(t, 0, ACTIVE), pg_text(t, 0, CHILDREN), settled_per_s(p),
		 pg_text(t, 0, WAITING), pg_text(t, 0, DEAD));
}

void panel_look(struct panel *p)
{
	look_into_queues(p);
	look_into_tables(p);
	if (p->tables_error.code == ERR_NONE)
		glance_look(&p->glance, p->ctl, &p->tables_error);
	else
		glance_release(&p->glance);
	panel_sort(p, p->order);
	make_head(p);
}

void panel_sort(struct panel *p, enum panel_order order)
{
	bool changed = order != p->order;

	p->order = order;
	if (p->census.n > 0)
		qsort(p->census.queues, p->census.n, sizeof *p->census.queues,
		      order == PANEL_BY_BUSY ? by_ready : order == PANEL_BY_RATE ? by_settled :
		      by_name);
	if (changed)
		look_into_tables(p);
}

const char *panel_head(const struct panel *p)
{
	return p->head;
}

static void print_part(const struct table *t, const char *empty, FILE *out)
{
	if (t) {
		fputc('\n', out);
		table_print(t, empty, out);
	}
}

static void print_errors(const struct panel *p, FILE *out)
{
	if (p->queues_error.code != ERR_NONE)
		fprintf(out, "! %s\n", p->queues_error.msg);
	if (p->tables_error.code != ERR_NONE &&
	    strcmp(p->tables_error.msg, p->queues_error.msg) != 0)
		fprintf(out, "! %s\n", p->tables_error.msg);
}

static void print_queues(const struct panel *p, FILE *out)
{
	struct table *queues;

	if (p->queues_error.code != ERR_NONE || p->census.n == 0)
		return;
	queues = queues_table(&p->census, true, p->history);
	print_part(queues, "", out);
	table_free(queues);
}

/* always: also when there is nothing in it. */
static void print_glance(const struct panel *p, enum glance_part part, bool always, FILE *out)
{
	const struct table *t = p->glance.parts[part];

	if (always || (t && table_rows(t) > 0))
		print_part(t, glance_empty(part), out);
}

static void print_alerts(const struct panel *p, bool always, FILE *out)
{
	if (p->alerts && (always || table_rows(p->alerts) > 0))
		print_part(p->alerts, "no alert is open", out);
}

static void print_all(const struct panel *p, FILE *out)
{
	print_alerts(p, false, out);
	print_queues(p, out);
	print_glance(p, GLANCE_FAILING, false, out);
	print_glance(p, GLANCE_RUNS, false, out);
	print_part(p->workers, "no worker has reported itself", out);
	print_part(p->running, "nothing runs", out);
	print_glance(p, GLANCE_SCHEDULES, false, out);
	print_glance(p, GLANCE_STAGES, false, out);
	print_glance(p, GLANCE_SOURCES, false, out);
}

static void print_view(const struct panel *p, enum panel_view view, FILE *out)
{
	switch (view) {
	case PANEL_QUEUES:
		print_queues(p, out);
		break;
	case PANEL_WORKERS:
		print_part(p->workers, "no worker has reported itself", out);
		break;
	case PANEL_RUNNING:
		print_part(p->running, "nothing runs", out);
		break;
	case PANEL_FAILING:
		print_glance(p, GLANCE_FAILING, true, out);
		print_alerts(p, true, out);
		break;
	case PANEL_SCHEDULES:
		print_glance(p, GLANCE_SCHEDULES, true, out);
		break;
	case PANEL_FLOW:
		print_glance(p, GLANCE_RUNS, true, out);
		print_glance(p, GLANCE_STAGES, true, out);
		print_glance(p, GLANCE_SOURCES, true, out);
		break;
	default:
		print_all(p, out);
	}
}

char *panel_text(const struct panel *p, enum panel_view view)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = mem_check(open_memstream(&text, &size));

	print_errors(p, out);
	print_view(p, view, out);
	fclose(out);
	return text;
}

static cJSON *part_json(const struct table *t)
{
	return mem_check(t ? table_json(t) : cJSON_CreateNull());
}

static void set_error(cJSON *o, const char *key, const struct err *e)
{
	json_set_str(o, key, e->code == ERR_NONE ? NULL : e->msg);
}

char *panel_json(const struct panel *p)
{
	static const char *const keys[] = {
		"workers_alive", "workers_lost", "active", "children", "dead_letters", "waiting",
	};
	cJSON *o = mem_check(cJSON_CreateObject());
	struct table *queues = queues_table(&p->census, true, NULL);
	char *text;

	set_error(o, "queues_error", &p->queues_error);
	set_error(o, "tables_error", &p->tables_error);
	json_set_num(o, "settled_per_s", settled_per_s(p));
	for (size_t i = 0; p->totals && i < COUNT(keys); i++)
		json_set_raw(o, keys[i], pg_text(p->totals, 0, (int)i));
	json_set(o, "queues", part_json(queues));
	json_set(o, "workers", part_json(p->workers));
	json_set(o, "running", part_json(p->running));
	json_set(o, "alerts", part_json(p->alerts));
	for (int i = 0; i < GLANCE_COUNT; i++)
		json_set(o, glance_key(i), part_json(p->glance.parts[i]));
	text = json_print(o);
	table_free(queues);
	cJSON_Delete(o);
	return text;
}
