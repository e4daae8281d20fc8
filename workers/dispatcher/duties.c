/* SPDX-License-Identifier: MIT */
/* The dispatcher's duties, in the order of their turns. */
#include <malloc.h>
#include <unistd.h>

#include "common/base/board.h"
#include "common/base/buf.h"
#include "common/base/clock.h"
#include "common/base/conf.h"
#include "common/base/err.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/base/notify.h"
#include "common/base/vitals.h"
#include "common/store/pg.h"
#include "workers/dispatcher/agenda.h"
#include "workers/dispatcher/alert.h"
#include "workers/dispatcher/backlog.h"
#include "workers/dispatcher/dispatcher_private.h"
#include "workers/dispatcher/httpd.h"
#include "workers/dispatcher/joins.h"
#include "workers/dispatcher/leader.h"
#include "workers/dispatcher/level.h"
#include "workers/dispatcher/peers.h"
#include "workers/dispatcher/pidbox.h"
#include "workers/dispatcher/presence.h"
#include "workers/dispatcher/relay.h"
#include "workers/dispatcher/retry.h"
#include "workers/dispatcher/routes.h"
#include "workers/dispatcher/scaling.h"
#include "workers/dispatcher/watcher.h"

#define CLOCK_MS 1000
#define WINDOW_MS 200
#define RELAY_TURN_MS 500 /* then the other duties get their turn, too */
#define COMPLAIN_MS 60000
#define INFO_BYTES (1 << 20)

/* ---- each of them: 1 = there is more to do at once, 0 = done, negative: see e ---- */

static int read_clock(struct dispatcher *d, struct err *e)
{
	struct pg *pg = peers_database(d->peers);
	int64_t before = clock_mono_us(), n;
	struct pg_rows *rows = NULL;

	if (!pg)
		return 0;
	n = pg_run(pg, "SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint", NULL, 0,
		   &rows, e);
	if (n > 0)
		d->offset_us = pg_int(rows, 0, 0) - (before + clock_mono_us()) / 2;
	pg_rows_free(rows);
	return n < 0 ? (int)n : 0;
}

static int write_routes(struct dispatcher *d, struct err *e)
{
	struct pg *pg = peers_database(d->peers);
	int r;

	if (!pg || d->routed || !*d->conf->path)
		return 0;	/* without a file nothing says that routes have to go */
	r = routes_write(pg, d->conf, e);
	d->routed = r == 0;
	return r;
}

/* Schedules wait for the first look at PostgreSQL's clock. */
static struct pg *timed_database(struct dispatcher *d)
{
	return d->offset_us ? peers_database(d->peers) : NULL;
}

static int keep_timetable(struct dispatcher *d, struct err *e)
{
	struct pg *pg = timed_database(d);
	int r = pg ? agenda_turn(d->agenda, pg, dispatcher_now_us(d), e) : 0;

	return r < 0 ? r : r > 0;
}

static int follow_triggers(struct dispatcher *d, struct err *e)
{
	struct pg *pg = timed_database(d);
	int r = pg ? agenda_follow(d->agenda, pg, dispatcher_now_us(d), e) : 0;

	return r < 0 ? r : r > 0;
}

static int mind_runs(struct dispatcher *d, struct err *e)
{
	return timed_database(d) ? runs_turn(&d->runs, d->peers, dispatcher_now_us(d), e) : 0;
}

static int relay(struct dispatcher *d, struct err *e)
{
	int64_t until = clock_mono_ms() + RELAY_TURN_MS;
	int r;

	do {
		r = relay_turn(d->relay, d->peers, e);
	} while (r > 0 && clock_mono_ms() < until);
	return r;
}

static int empty_mailbox(struct dispatcher *d, struct err *e)
{
	return mailbox_turn(&d->mailbox, d->conf, d->peers, e);
}

static int send_spooled(struct dispatcher *d, struct err *e)
{
	return spool_turn(&d->spool, d->conf, d->peers, e);
}

static int watch_queues(struct dispatcher *d, struct err *e)
{
	return watcher_turn(d->watcher, d->conf, d->peers, e);
}

static int hold_together(struct dispatcher *d, struct err *e)
{
	return watch_turn(&d->watch, d->conf, d->peers, e);
}

static int scale_programs(struct dispatcher *d, struct err *e)
{
	return scaling_turn(d->scaling, d->conf, d->peers, d->leader, e);
}

static int deliver_results(struct dispatcher *d, struct err *e)
{
	return backlog_turn(d->peers, d->conf->fleet.result_expires_s, e);
}

static int hear_control(struct dispatcher *d, struct err *e)
{
	return pidbox_turn(d->pidbox, d->conf, d->peers, e);
}

static int level_orders(struct dispatcher *d, struct err *e)
{
	return level_turn(d->level, d->conf, d->peers, e);
}

static int sweep_joins(struct dispatcher *d, struct err *e)
{
	return joins_turn(d->peers, d->conf, d->node, e);
}

static int tidy_up(struct dispatcher *d, struct err *e)
{
	struct pg *pg = peers_database(d->peers);

	return pg ? prune_turn(&d->prune, pg, d->conf->fleet.ledger_days, e) : 0;
}

static int retry_dead(struct dispatcher *d, struct err *e)
{
	const struct conf_fleet *fleet = &d->conf->fleet;
	struct pg *pg = fleet->dead_letter_retries > 0 ? peers_database(d->peers) : NULL;

	return pg ? retry_turn(pg, fleet->dead_letter_retry_ms, fleet->dead_letter_retries, e) : 0;
}

static void count_relayed(struct dispatcher *d)
{
	const struct relay_counts *now = relay_counts(d->relay);

	board_add(now->sent - d->counted.sent, "relay_messages", "sent", NULL);
	board_add(now->returned - d->counted.returned, "relay_messages", "returned", NULL);
	board_add(now->dead - d->counted.dead, "relay_messages", "dead", NULL);
	d->counted = *now;
}

/* As a worker's meter has it (common/worker/meter.c). */
static void put_info(struct dispatcher *d, struct buf *out)
{
	struct vitals self = { 0 }, window = { 0 };

	count_relayed(d);
	vitals_add(&self, getpid(), false);
	httpd_add_vitals(d->httpd, &window);
	buf_printf(out, "{\"since\": %lld, \"processes\": {", (long long)d->started_ms);
	vitals_put(out, "parent", &self);
	buf_puts(out, ", ");
	vitals_put(out, "window", &window);
	buf_puts(out, "}, \"counts\": ");
	board_put(out);
	buf_putc(out, '}');
}

static int show_presence(struct dispatcher *d, struct err *e)
{
	const struct relay_counts *counts = relay_counts(d->relay);
	struct pg *pg = peers_database(d->peers);
	struct presence p = { .node = d->node,
			      .state = d->stopping ? "stopped" : "running",
			      .sent = counts->sent,
			      .failed = counts->returned + counts->dead,
			      .leads = leader_leads(d->leader),
			      .term = leader_term(d->leader) };
	struct buf info;
	int r = 0;

	d->shown_leading = p.leads;
	buf_init(&info, INFO_BYTES);
	put_info(d, &info);
	p.info = buf_text(&info);
	if (pg)
		r = presence_write(&p, pg, e);
	buf_release(&info);
	return r;
}

static int lead(struct dispatcher *d, struct err *e)
{
	int r = leader_turn(d->leader, d->peers, e);

	return r == 0 && leader_leads(d->leader) != d->shown_leading ? show_presence(d, e) : r;
}

static int mind_alerts(struct dispatcher *d, struct err *e)
{
	return alerts_turn(d->alerts, d->conf, d->peers, leader_leads(d->leader) && d->offset_us,
			   dispatcher_now_us(d), e);
}

static int mind_window(struct dispatcher *d, struct err *e)
{
	(void)e;
	httpd_turn(d->httpd);
	return 0;
}

/* A batch of rows, a look at all schedules: what they needed is not needed the rest of the time. */
static int give_memory_back(struct dispatcher *d, struct err *e)
{
	(void)d;
	(void)e;
	malloc_trim(0);
	return 0;
}

/* In the order in which they get their turns; pace_ms 0 = each time round. */
static struct duty {
	const char *name;
	int (*turn)(struct dispatcher *d, struct err *e);
	int pace_ms;
	int64_t next_ms, complain_ms; /* monotonic */
} DUTIES[] = {
	{ .name = "window", .turn = mind_window, .pace_ms = WINDOW_MS },
	{ .name = "clock", .turn = read_clock, .pace_ms = CLOCK_MS },
	{ .name = "leader", .turn = lead },
	{ .name = "routes", .turn = write_routes, .pace_ms = DUTIES_SLOW_MS },
	{ .name = "schedules", .turn = keep_timetable },
	{ .name = "triggers", .turn = follow_triggers, .pace_ms = DUTIES_SLOW_MS },
	{ .name = "runs", .turn = mind_runs, .pace_ms = DUTIES_SLOW_MS },
	{ .name = "remote control", .turn = hear_control },
	{ .name = "orders", .turn = level_orders, .pace_ms = DUTIES_SLOW_MS },
	{ .name = "relay", .turn = relay },
	{ .name = "mailbox", .turn = empty_mailbox, .pace_ms = DUTIES_SLOW_MS },
	{ .name = "dead letters", .turn = retry_dead, .pace_ms = DUTIES_SLOW_MS },
	{ .name = "spool", .turn = send_spooled, .pace_ms = DUTIES_SLOW_MS },
	{ .name = "lost messages", .turn = watch_queues, .pace_ms = DUTIES_SLOW_MS },
	{ .name = "watching", .turn = hold_together, .pace_ms = DUTIES_SLOW_MS },
	{ .name = "autoscale", .turn = scale_programs },
	{ .name = "results", .turn = deliver_results, .pace_ms = DUTIES_SLOW_MS },
	{ .name = "joins", .turn = sweep_joins, .pace_ms = DUTIES_SLOW_MS },
	{ .name = "alerts", .turn = mind_alerts },
	{ .name = "prune", .turn = tidy_up, .pace_ms = DUTIES_SLOW_MS },
	{ .name = "presence", .turn = show_presence, .pace_ms = 10 * DUTIES_SLOW_MS },
	{ .name = "memory", .turn = give_memory_back, .pace_ms = 10 * DUTIES_SLOW_MS },
};

/* A neighbour that went away is logged by peers. The rest would repeat each second. */
static void complain(struct dispatcher *d, struct duty *duty, const struct err *e)
{
	if (!peers_is_up(d->peers, PEER_DATABASE)) {
		peers_drop(d->peers, PEER_DATABASE, e);
		return;
	}
	if ((dispatcher_misses_somebody(d) && err_is_transient(e->code)) ||
	    clock_mono_ms() < duty->complain_ms)
		return;
	duty->complain_ms = clock_mono_ms() + COMPLAIN_MS;
	log_error("a duty fails, trying again duty=%s reason=\"%s\"", duty->name, e->msg);
}

/* However long the other duties take: the lease must not run out meanwhile. */
static void keep_lease(struct dispatcher *d)
{
	if (leader_leads(d->leader) && leader_next_ms(d->leader) == 0)
		lead(d, NULL);
}

/* True if one of them has more to do at once. */
bool duties_do(struct dispatcher *d)
{
	bool more = false;

	for (size_t i = 0; i < COUNT(DUTIES); i++) {
		struct duty *duty = &DUTIES[i];
		struct err e = { 0 };
		int r;

		if (clock_mono_ms() < duty->next_ms)
			continue;
		r = duty->turn(d, &e);
		httpd_beat(d->httpd);
		notify_alive();		/* each has its deadline; all together may take longer */
		keep_lease(d);
		if (r < 0)
			complain(d, duty, &e);
		if (r <= 0)
			duty->next_ms = clock_mono_ms() + (r < 0 ? DUTIES_SLOW_MS : duty->pace_ms);
		more = more || r > 0;
	}
	return more;
}

int duties_leave(struct dispatcher *d, struct err *e)
{
	int r = leader_leave(d->leader, d->peers, e);

	return r < 0 ? r : show_presence(d, e);
}
