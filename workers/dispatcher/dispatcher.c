/* SPDX-License-Identifier: MIT */
#include "workers/dispatcher/dispatcher_private.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "common/base/board.h"
#include "common/base/clock.h"
#include "common/base/conf.h"
#include "common/base/err.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/base/notify.h"
#include "common/store/pg.h"
#include "workers/dispatcher/agenda.h"
#include "workers/dispatcher/alert.h"
#include "workers/dispatcher/leader.h"
#include "workers/dispatcher/httpd.h"
#include "workers/dispatcher/level.h"
#include "workers/dispatcher/peers.h"
#include "workers/dispatcher/pidbox.h"
#include "workers/dispatcher/relay.h"
#include "workers/dispatcher/scaling.h"
#include "workers/dispatcher/spool.h"
#include "workers/dispatcher/watcher.h"

#define SLEEP_MS 1000
#define AWAY_SLEEP_MS 100 /* while somebody is away: how often to look for them */
#define CLEANUP_MS 2000

int64_t dispatcher_now_us(const struct dispatcher *d)
{
	return clock_mono_us() + d->offset_us;
}

bool dispatcher_misses_somebody(const struct dispatcher *d)
{
	for (int i = 0; i < PEER_COUNT; i++)
		if (!peers_is_up(d->peers, i))
			return true;
	return false;
}

/* ---- sleeping and waking ---- */

static int sleep_ms(struct dispatcher *d)
{
	int most = dispatcher_misses_somebody(d) ? AWAY_SLEEP_MS : SLEEP_MS;
	int64_t next_us = agenda_next_us(d->agenda);
	int64_t until_schedule_ms = (next_us - dispatcher_now_us(d) + 999) / 1000;

	most = relay_next_ms(d->relay, d->peers, most);
	if (leader_next_ms(d->leader) < most)
		most = leader_next_ms(d->leader);
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
		httpd_renew(d->httpd, conf);
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
		bool more = duties_do(d);

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
		duties_leave(d, NULL);
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
	d->started_ms = clock_mono_ms();
	board_open();
	d->httpd = httpd_new(conf, node);	/* forks: before all that opens */
	d->watcher = watcher_new();
	d->level = level_new();
	d->leader = leader_new(node);
	d->alerts = alerts_new(node);
	d->scaling = scaling_new();
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
	httpd_free(d->httpd);
	watcher_free(d->watcher);
	watch_release(&d->watch);
	pidbox_free(d->pidbox);
	level_free(d->level);
	scaling_free(d->scaling);
	leader_free(d->leader);
	alerts_free(d->alerts);
	relay_close(d->relay);
	peers_close(d->peers);
	agenda_close(d->agenda);
	conf_close(d->conf);
	free(d);
}
