/* SPDX-License-Identifier: MIT */
/* schedule next and simulate: when schedules come, reckoned and not asked of anybody. */
#include "common/base/clock.h"
#include "common/base/conf.h"
#include "common/base/err.h"
#include "common/base/mem.h"
#include "common/base/plan.h"
#include "common/base/scan.h"
#include "common/base/zone.h"
#include "common/store/pg.h"
#include "workers/ctl/args.h"
#include "workers/ctl/moment.h"
#include "workers/ctl/plans.h"
#include "workers/ctl/schedules.h"
#include "workers/ctl/table.h"

#define SECOND_US INT64_C(1000000)
#define WEEK_US (7 * 86400 * SECOND_US)

enum { COUNT_MOST = 10000, COUNT_USUAL = 1, SIMULATE_MOST = 100000, SIMULATE_USUAL = 1000 };

struct due {
	const struct conf_schedule *conf;
	int64_t due_us, late_us;
	struct zone *zone;
};

static const struct table_column COLUMNS[] = {
	{ "schedule", "schedule", TABLE_TEXT },
	{ "due (UTC)", "due", TABLE_TEXT },
	{ "local time", "local", TABLE_TEXT },
	{ "zone", "timezone", TABLE_TEXT },
	{ "goes out (UTC)", "goes_out", TABLE_TEXT },
	{ "note", "note", TABLE_TEXT },
};

/* To the second, or the millisecond where it has a part of one. */
static void print_utc(int64_t us, char out[CLOCK_ISO_SIZE])
{
	clock_iso(us, out);
	out[10] = ' ';
	out[us % SECOND_US ? 23 : 19] = '\0';
}

/* "2026-03-29 03:00:00 +02:00" */
static void print_local(int64_t us, const struct zone *z, char out[64])
{
	int64_t s = us / SECOND_US, local = zone_local(z, s), minutes = (local - s) / 60;
	char iso[CLOCK_ISO_SIZE];

	print_utc(local * SECOND_US, iso);
	snprintf(out, 64, "%s %c%02d:%02d", iso, minutes < 0 ? '-' : '+', abs((int)minutes) / 60,
		 abs((int)minutes) % 60);
}

/* What the clock of the zone did right there. */
static const char *note_of(int64_t us, const struct zone *z)
{
	int64_t s = us / SECOND_US, before = zone_local(z, s - 1) - (s - 1);
	int64_t now = zone_local(z, s) - s;

	if (now > before)
		return "right after a gap of the clock";
	if (now < before || zone_first(z, zone_local(z, s)) < s)
		return "the clock shows this time again";
	return NULL;
}

static void put_due(struct table *t, const struct due *d)
{
	char utc[CLOCK_ISO_SIZE], goes[CLOCK_ISO_SIZE], local[64];

	print_utc(d->due_us, utc);
	print_utc(d->due_us + d->late_us, goes);
	print_local(d->due_us, d->zone, local);
	table_put(t, d->conf->name);
	table_put(t, utc);
	table_put(t, local);
	table_put(t, zone_name(d->zone));
	table_put(t, goes);
	table_put(t, note_of(d->due_us, d->zone));
}

static int take_number(const char *text, const char *option, int most, int *ret, struct err *e)
{
	if (!text || scan_int(text, 1, most, ret, e) == 0)
		return 0;
	e->code = ERR_USAGE;
	return err_prefix(e, "%s", option);
}

static int open_zone(const char *name, struct zone **ret, struct err *e)
{
	int r = zone_open(ret, name, e);

	if (r < 0)
		e->code = ERR_USAGE;
	return r < 0 ? -ERR_USAGE : 0;
}

/* ---- next ---- */

static int by_due(const void *a, const void *b)
{
	const struct due *x = a, *y = b;

	return (x->due_us > y->due_us) - (x->due_us < y->due_us);
}

struct dues {
	struct due *items;
	size_t n;
};

static int add_dues(struct ctl *c, const struct conf_schedule *conf, int64_t now_us, int count,
		    struct dues *dues, struct err *e)
{
	struct schedule s = { 0 };
	struct zone *zone = NULL;
	int64_t t = now_us;
	int r = plans_schedule(c, conf, now_us, &s, e);

	for (int i = 0; r == 0 && i < count; i++) {
		t = schedule_next(&s, t);
		if (t == SCHEDULE_NEVER)
			break;
		r = zone_open(&zone, conf->timezone, e);
		dues->items = mem_realloc(dues->items, (dues->n + 1) * sizeof *dues->items);
		if (r == 0)
			dues->items[dues->n++] = (struct due){ conf, t, s.offset_us, zone };
	}
	schedule_release(&s);
	return r;
}

static int show_next(struct ctl *c, const struct plan *plan, const char *name, int count,
		     struct err *e)
{
	struct table *t = table_new(COLUMNS, COUNT(COLUMNS));
	struct dues dues = { 0 };
	int64_t now_us = clock_wall_us();
	int r = 0;

	for (size_t i = 0; r == 0 && i < plan_count(plan); i++) {
		const struct conf_schedule *conf = plan_at(plan, i);

		if (name ? strcmp(conf->name, name) == 0 : conf->enabled)
			r = add_dues(c, conf, now_us, count, &dues, e);
	}
	if (dues.n > 1)
		qsort(dues.items, dues.n, sizeof *dues.items, by_due);
	for (size_t i = 0; i < dues.n; i++) {
		put_due(t, &dues.items[i]);
		zone_close(dues.items[i].zone);
	}
	free(dues.items);
	if (r == 0)
		return ctl_show(c, t, "nothing comes by time");
	table_free(t);
	return r;
}

int schedules_next(struct ctl *c, int argc, char **argv, struct err *e)
{
	const char *count_text = NULL;
	int count = COUNT_USUAL;
	const struct args_option options[] = {
		{ "count", "N", "so many of each; 1", &count_text, NULL },
		CTL_JSON_OPTION(c), CTL_QUIET_OPTION(c), CTL_CONFIG_OPTION(c),
	};
	const struct args args = {
		.usage = "schedule next [NAME] [OPTION...]",
		.about = "Shows when each schedule is due next, soonest first, in UTC and in its"
			 " own time zone.",
		.options = options, .noptions = COUNT(options), .least = 0, .most = 1,
	};
	const struct conf_schedule *known;
	struct plan *plan = NULL;
	char **operands;
	int r = args_parse(&args, argc, argv, &operands, e);

	if (r != 0)
		return r < 0 ? r : CTL_OK;
	r = take_number(count_text, "--count", COUNT_MOST, &count, e);
	if (r == 0)
		r = plans_load(c, &plan, e);
	if (r == 0 && operands[0])
		r = plans_find(plan, operands[0], &known, e);
	if (r == 0)
		r = show_next(c, plan, operands[0], count, e);
	plan_free(plan);
	return r;
}

/* ---- simulate ---- */

struct simulation {
	const char *from, *to, *zone, *limit;
	int64_t from_us, to_us;
	int most;
};

static int read_span(struct simulation *m, const struct zone *z, struct err *e)
{
	int r = take_number(m->limit, "--limit", SIMULATE_MOST, &m->most, e);

	m->from_us = clock_wall_us();
	if (r == 0 && m->from)
		r = moment_read(m->from, "--from", z, &m->from_us, e);
	m->to_us = m->from_us + WEEK_US;
	if (r == 0 && m->to)
		r = moment_read(m->to, "--to", z, &m->to_us, e);
	if (r == 0 && m->to_us <= m->from_us)
		r = err_set(e, ERR_USAGE, "--to is not after --from");
	return r;
}

static int simulate(struct ctl *c, const struct conf_schedule *conf, struct simulation *m,
		    struct err *e)
{
	struct table *t = table_new(COLUMNS, COUNT(COLUMNS));
	struct due due = { .conf = conf };
	struct schedule s = { 0 };
	int n = 0, r = open_zone(conf->timezone, &due.zone, e);

	if (r == 0)
		r = read_span(m, due.zone, e);
	if (r == 0)
		r = plans_schedule(c, conf, m->from_us, &s, e);
	due.late_us = s.offset_us;
	/* what is due at --from itself counts */
	due.due_us = m->from_us - 1;
	while (r == 0 && (due.due_us = schedule_next(&s, due.due_us)) <= m->to_us &&
	       due.due_us != SCHEDULE_NEVER) {
		if (n++ == m->most) {
			ctl_note(c, "jobfleet: only the first %d; --limit shows more", m->most);
			break;
		}
		put_due(t, &due);
	}
	zone_close(due.zone);
	if (r == 0)
		schedule_release(&s);
	if (r == 0)
		return ctl_show(c, t, "it does not come in that time");
	table_free(t);
	return r;
}

/* A schedule by its name, or an expression: it has blanks in it, or an '@' before it. */
static int choose(const struct plan *plan, const char *what, struct conf_schedule *ret,
		  struct err *e)
{
	const struct conf_schedule *known;
	struct cron cron;
	int r;

	if (!strchr(what, ' ') && *what != '@') {
		r = plans_find(plan, what, &known, e);
		if (r == 0 && *known->after)
			r = err_set(e, ERR_USAGE,
				    "schedule %s comes after %s, not by time; simulate "
				    "that",
				    known->name, known->after);
		if (r == 0)
			*ret = *known;
		return r;
	}
	r = cron_parse(what, &cron, e);
	if (r < 0)
		e->code = ERR_USAGE;
	*ret = (struct conf_schedule){ .name = what, .cron = what, .at = "", .after = "",
				       .timezone = "UTC", .condition = "" };
	return r < 0 ? -ERR_USAGE : 0;
}

int schedules_simulate(struct ctl *c, int argc, char **argv, struct err *e)
{
	struct simulation m = { .most = SIMULATE_USUAL };
	const struct args_option options[] = {
		{ "from", "TIME", "2026-03-28, 2026-03-28T12:00, ...Z; now", &m.from, NULL },
		{ "to", "TIME", "a week after --from", &m.to, NULL },
		{ "tz", "ZONE", "as if its timezone were this one", &m.zone, NULL },
		{ "limit", "N", "the first N; 1000", &m.limit, NULL },
		CTL_JSON_OPTION(c), CTL_QUIET_OPTION(c), CTL_CONFIG_OPTION(c),
	};
	const struct args args = {
		.usage = "schedule simulate NAME|CRON [OPTION...]",
		.about =
			"Shows when a schedule, or a cron expression, would fire between two"
			" times, and what the\n"
			"clock of its time zone does there. Times without an offset are the"
			" zone's. Conditions,\n"
			"overlap and pauses are not looked at.",
		.options = options, .noptions = COUNT(options), .least = 1, .most = 1,
	};
	struct conf_schedule chosen;
	struct plan *plan = NULL;
	char **operands;
	int r = args_parse(&args, argc, argv, &operands, e);

	if (r != 0)
		return r < 0 ? r : CTL_OK;
	r = plans_load(c, &plan, e);
	if (r == 0)
		r = choose(plan, operands[0], &chosen, e);
	if (r == 0 && m.zone)
		chosen.timezone = m.zone;
	if (r == 0)
		r = simulate(c, &chosen, &m, e);
	plan_free(plan);
	return r;
}
