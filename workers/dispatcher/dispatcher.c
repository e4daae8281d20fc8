/* SPDX-License-Identifier: MIT */
#include "workers/dispatcher/dispatcher.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/conf.h"
#include "common/base/err.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/base/notify.h"
#include "common/store/pg.h"
#include "workers/dispatcher/agenda.h"
#include "workers/dispatcher/backlog.h"
#include "workers/dispatcher/joins.h"
#include "workers/dispatcher/level.h"
#include "workers/dispatcher/mailbox.h"
#include "workers/dispatcher/peers.h"
#include "workers/dispatcher/pidbox.h"
#include "workers/dispatcher/presence.h"
#include "workers/dispatcher/prune.h"
#include "workers/dispatcher/relay.h"
#include "workers/dispatcher/retry.h"
#include "workers/dispatcher/routes.h"
#include "workers/dispatcher/runs.h"
#include "workers/dispatcher/spool.h"
#include "workers/dispatcher/watcher.h"

#define SLEEP_MS 1000
#define AWAY_SLEEP_MS 100 /* while somebody is away: how often to look for them */
#define SLOW_MS 1000
#define CLOCK_MS 1000
#define RELAY_TURN_MS 500 /* then the other duties get their turn, too */
#define COMPLAIN_MS 60000
#define CLEANUP_MS 2000

struct dispatcher {
	struct conf *conf;
	const char *node;
	dispatcher_reload *reload;
	void *ctx;
	struct peers *peers;
	struct relay *relay;
	struct agenda *agenda;
	struct runs runs;
	struct mailbox mailbox;
	struct prune prune;
	struct spool_duty spool;
	struct watcher *watcher;
	struct level *level;
	struct pidbox *pidbox;
	int64_t offset_us;   /* PostgreSQL's clock minus our monotonic one */
	int signals;
	bool routed, stopping;
};

/* ---- duties: 1 = there is more to do at once, 0 = done, negative: see e ---- */

static int64_t now_us(const struct dispatcher *d)
{
	return clock_mono_us() + d->offset_us;
}

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
	int r = pg ? agenda_turn(d->agenda, pg, now_us(d), e) : 0;

	return r < 0 ? r : r > 0;
}

static int follow_triggers(struct dispatcher *d, struct err *e)
{
	struct pg *pg = timed_database(d);
	int r = pg ? agenda_follow(d->agenda, pg, now_us(d), e) : 0;

	return r < 0 ? r : r > 0;
}

static int mind_runs(struct dispatcher *d, struct err *e)
{
	return timed_database(d) ? runs_turn(&d->runs, d->peers, now_us(d), e) : 0;
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

static int show_presence(struct dispatcher *d, struct err *e)
{
	const struct relay_counts *counts = relay_counts(d->relay);
	struct pg *pg = peers_database(d->peers);
	struct presence p = { .node = d->node,
			      .state = d->stopping ? "stopped" : "running",
			      .sent = counts->sent,
			      .failed = counts->returned + counts->dead };

	return pg ? presence_write(&p, pg, e) : 0;
}

/* In the order in which they get their turns; pace_ms 0 = each time round. */
static struct duty {
	const char *name;
	int (*turn)(struct dispatcher *d, struct err *e);
	int pace_ms;
	int64_t next_ms, complain_ms; /* monotonic */
} DUTIES[] = {
	{ .name = "clock", .turn = read_clock, .pace_ms = CLOCK_MS },
	{ .name = "routes", .turn = write_routes, .pace_ms = SLOW_MS },
	{ .name = "schedules", .turn = keep_timetable },
	{ .name = "triggers", .turn = follow_triggers, .pace_ms = SLOW_MS },
	{ .name = "runs", .turn = mind_runs, .pace_ms = SLOW_MS },
	{ .name = "remote control", .turn = hear_control },
	{ .name = "orders", .turn = level_orders, .pace_ms = SLOW_MS },
	{ .name = "relay", .turn = relay },
	{ .name = "mailbox", .turn = empty_mailbox, .pace_ms = SLOW_MS },
	{ .name = "dead letters", .turn = retry_dead, .pace_ms = SLOW_MS },
	{ .name = "spool", .turn = send_spooled, .pace_ms = SLOW_MS },
	{ .name = "lost messages", .turn = watch_queues, .pace_ms = SLOW_MS },
	{ .name = "results", .turn = deliver_results, .pace_ms = SLOW_MS },
	{ .name = "joins", .turn = sweep_joins, .pace_ms = SLOW_MS },
	{ .name = "prune", .turn = tidy_up, .pace_ms = SLOW_MS },
	{ .name = "presence", .turn = show_presence, .pace_ms = 10 * SLOW_MS },
};

static bool somebody_is_away(const struct dispatcher *d)
{
	for (int i = 0; i < PEER_COUNT; i++)
		if (!peers_is_up(d->peers, i))
			return true;
	return false;
}

/* A neighbour that went away is logged by peers. The rest would repeat each second. */
static void complain(struct dispatcher *d, struct duty *duty, const struct err *e)
{
	if (!peers_is_up(d->peers, PEER_DATABASE)) {
		peers_drop(d->peers, PEER_DATABASE, e);
		return;
	}
	if ((somebody_is_away(d) && err_is_transient(e->code)) ||
	    clock_mono_ms() < duty->complain_ms)
		return;
	duty->complain_ms = clock_mono_ms() + COMPLAIN_MS;
	log_error("a duty fails, trying again duty=%s reason=\"%s\"", duty->name, e->msg);
}

/* True if one of them has more to do at once. */
static bool do_duties(struct dispatcher *d)
{
	bool more = false;

	for (size_t i = 0; i < COUNT(DUTIES); i++) {
		struct duty *duty = &DUTIES[i];
		struct err e = { 0 };
		int r;

		if (clock_mono_ms() < duty->next_ms)
			continue;
		r = duty->turn(d, &e);
		notify_alive();		/* each has its deadline; all together may take longer */
		if (r < 0)
			complain(d, duty, &e);
		if (r <= 0)
			duty->next_ms = clock_mono_ms() + (r < 0 ? SLOW_MS : duty->pace_ms);
		more = more || r > 0;
	}
	return more;
}

/* ---- sleeping and waking ---- */

static int sleep_ms(struct dispatcher *d)
{
	int most = somebody_is_away(d) ? AWAY_SLEEP_MS : SLEEP_MS;
	int64_t next_us = agenda_next_us(d->agenda);
	int64_t until_schedule_ms = (next_us - now_us(d) + 999) / 1000;

	most = relay_next_ms(d->relay, d->peers, most);
	if (next_us && until_schedule_ms < most)
		most = until_schedule_ms > 0 ? (int)until_schedule_ms : 0;
	return most;
}

/* Notifications that came along with other answers do not show on the socket any more. */
static bool was_notified(struct dispatcher *d)
{
	struct pg *pg = peers_is_up(d->peers, PEER_DATABASE) ? peers_database(d->peers) : NULL;

	return pg && pg_wait_notify(pg, 0, NULL) > 0;
}

static void wait_for_work(struct dispatcher *d)
{
	struct pollfd fds[3] = { { .fd = d->signals, .events = POLLIN } };
	int timeout_ms = sleep_ms(d), n = 2;

	if (was_notified(d))
		return;
	fds[1].fd = pidbox_fd(d->pidbox, &fds[1].events);
	if (peers_is_up(d->peers, PEER_DATABASE))
		fds[n++] =
			(struct pollfd){ .fd = pg_fd(peers_database(d->peers)), .events = POLLIN };
	poll(fds, (nfds_t)n, timeout_ms);
}

/* ---- signals ---- */

static void reload(struct dispatcher *d)
{
	struct agenda *agenda = NULL;
	struct conf *conf = NULL;
	struct err e = { 0 };
	int r;

	notify_reloading();
	r = d->reload(d->ctx, &conf, &e);
	if (r == 0)
		r = agenda_open(&agenda, conf, d->node, &e);
	if (r < 0) {
		log_error("reload refused, nothing changed reason=\"%s\"", e.msg);
		conf_close(conf);
	} else {
		agenda_close(d->agenda);
		peers_use(d->peers, conf);
		relay_use(d->relay, conf);
		conf_close(d->conf);
		d->agenda = agenda;
		d->conf = conf;
		d->routed = false;
		log_info("reloaded schedules=%zu", agenda_count(agenda));
	}
	notify_ready();
}

static void take_signals(struct dispatcher *d)
{
	struct signalfd_siginfo info;

	while (read(d->signals, &info, sizeof info) == sizeof info) {
		if (info.ssi_signo == SIGHUP)
			reload(d);
		else
			d->stopping = true;
	}
}

static int open_signals(struct dispatcher *d, struct err *e)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	d->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return d->signals < 0 ? err_set(e, ERR_IO, "signalfd: %s", strerror(errno)) : 0;
}

/* ---- life ---- */

static void tell_systemd(struct dispatcher *d)
{
	const struct relay_counts *counts = relay_counts(d->relay);
	char status[160];
	size_t n;

	n = (size_t)snprintf(status, sizeof status, "%lld relayed, %lld given back",
			     (long long)counts->sent, (long long)counts->returned);
	for (int i = 0; i < PEER_COUNT; i++)
		if (!peers_is_up(d->peers, i) && n < sizeof status)
			n += (size_t)snprintf(status + n, sizeof status - n, ", %s away",
					      peers_name(i));
	notify_status("%s", status);
	notify_alive();
}

int dispatcher_run(struct dispatcher *d, struct err *e)
{
	bool ready = false;
	int r = open_signals(d, e);

	if (r < 0)
		return r;
	while (!d->stopping) {
		bool more = do_duties(d);

		if (peers_refusal(d->peers)) {
			*e = *peers_refusal(d->peers);
			return -(int)e->code;
		}
		if (!ready)
			notify_ready();
		ready = true;
		tell_systemd(d);
		if (!more)
			wait_for_work(d);
		take_signals(d);
	}
	notify_stopping();
	log_info("stopping relayed=%lld", (long long)relay_counts(d->relay)->sent);
	if (peers_is_up(d->peers, PEER_DATABASE)) {
		pg_set_deadline(peers_database(d->peers), clock_mono_ms() + CLEANUP_MS);
		show_presence(d, NULL);
	}
	return 0;
}

int dispatcher_open(struct dispatcher **ret, struct conf *conf, const char *node,
		    dispatcher_reload *reload_conf, void *ctx, struct err *e)
{
	struct dispatcher *d = mem_zalloc(sizeof *d);
	int r = agenda_open(&d->agenda, conf, node, e);

	d->signals = -1;
	if (r < 0) {
		dispatcher_close(d);
		return r;
	}
	d->conf = conf;
	d->node = node;
	d->reload = reload_conf;
	d->ctx = ctx;
	d->watcher = watcher_new();
	d->level = level_new();
	d->pidbox = pidbox_new(node);
	peers_open(&d->peers, conf, node);
	relay_open(&d->relay, conf);
	*ret = d;
	return 0;
}

void dispatcher_close(struct dispatcher *d)
{
	if (!d)
		return;
	if (d->signals >= 0)
		close(d->signals);
	spool_release(&d->spool);
	watcher_free(d->watcher);
	pidbox_free(d->pidbox);
	level_free(d->level);
	relay_close(d->relay);
	peers_close(d->peers);
	agenda_close(d->agenda);
	conf_close(d->conf);
	free(d);
}
