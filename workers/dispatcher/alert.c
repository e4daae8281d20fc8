/* SPDX-License-Identifier: MIT */
#include "workers/dispatcher/alert.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/conf.h"
#include "common/base/err.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/store/pg.h"
#include "workers/dispatcher/alert_away.h"
#include "workers/dispatcher/alert_courier.h"
#include "workers/dispatcher/alert_notice.h"
#include "workers/dispatcher/alert_state.h"
#include "workers/dispatcher/peers.h"
#include "workers/dispatcher/signal.h"

enum { LOOK_MS = 5000, MESSAGE_BYTES = 512, STUCK_S = 60, PRUNE_MS = 600000 };

#define TIME(p) "timestamptz 'epoch' + " p "::bigint * interval '1 us'"

struct alerts {
	const char *node;
	struct signals *signals;
	struct alert_away *away;
	struct courier courier;
	int64_t next_ms, prune_ms;	/* monotonic */
	bool led;			/* when PostgreSQL was last there */
};

/* One look, in pg's transaction. */
struct look {
	struct alerts *a;
	const struct conf *conf;
	struct pg *pg;
	int64_t now_us;
	struct alert_states states;
	struct alert_lines lines;
};

struct alerts *alerts_new(const char *node)
{
	struct alerts *a = mem_zalloc(sizeof *a);

	a->node = node;
	a->signals = signals_new();
	a->away = alert_away_new(node);
	return a;
}

void alerts_free(struct alerts *a)
{
	if (!a)
		return;
	signals_free(a->signals);
	alert_away_free(a->away);
	courier_release(&a->courier);
	free(a);
}

/* ---- a rule and a subject ---- */

static const char SQL_FIRE[] =
	"SELECT jobfleet.alert_fire($1, $2, $3, $4, " TIME("$5") ")";

static const char SQL_GOES_ON[] =
	"UPDATE jobfleet.alerts SET last_at = " TIME("$4") ", message = $3 WHERE name = $1"
	" AND subject = $2 AND resolved_at IS NULL AND ruled"
	" AND last_at < " TIME("$4") " - interval '1 minute'";

static const char SQL_RESOLVE[] =
	"UPDATE jobfleet.alerts SET resolved_at = " TIME("$4") ", resolution = $3 WHERE name = $1"
	" AND subject = $2 AND resolved_at IS NULL AND ruled";

static const char *level_name(enum conf_alert_level level)
{
	static const char *const NAMES[] = { "INFO", "WARNING", "ERROR", "CRITICAL" };

	return NAMES[level];
}

static int write_down(struct look *l, const char *sql, const struct alert_state *s,
		      const char *message, struct err *e)
{
	int64_t n = pg_run(l->pg, sql, PG_PARAMS(PG_TEXT(s->rule), PG_TEXT(s->subject),
						PG_TEXT(message), PG_INT(l->now_us)), NULL, e);

	return n < 0 ? (int)n : 0;
}

static int fire(struct look *l, const struct conf_alert *rule, const struct alert_state *s,
		const char *message, struct err *e)
{
	int64_t n = pg_run(l->pg, SQL_FIRE,
			   PG_PARAMS(PG_TEXT(rule->name), PG_TEXT(s->subject),
				     PG_TEXT(level_name(rule->level)), PG_TEXT(message),
				     PG_INT(l->now_us)), NULL, e);

	return n < 0 ? (int)n : 0;
}

static int step(struct look *l, const struct conf_alert *rule, const struct condition *c,
		struct alert_state *s, const double *value, struct err *e)
{
	enum rule_event event = rule_step(&s->now, c, rule->for_ms * 1000, value, l->now_us);
	char message[MESSAGE_BYTES];

	s->known = true;
	condition_say(c, s->subject, s->now.value, message, sizeof message);
	if (event == RULE_FIRES)
		return fire(l, rule, s, message, e);
	if (event == RULE_RESOLVES)
		return write_down(l, SQL_RESOLVE, s, message, e);
	if (event == RULE_FORGETS)
		return write_down(l, SQL_RESOLVE, s, "there was no figure for a day", e);
	if (s->now.phase == RULE_FIRING && value && !s->now.good_us)
		return write_down(l, SQL_GOES_ON, s, message, e);
	return 0;
}

/* ---- all rules ---- */

/* Each subject that has a value now, then those that had one before. */
static int evaluate(struct look *l, const struct conf_alert *rule, struct err *e)
{
	const struct signal *list;
	struct condition c;
	size_t n;
	int r = condition_parse(rule->condition, &c, e);

	if (r < 0)
		return r;
	list = signals_list(l->a->signals, c.measure->id, &n);
	for (size_t i = 0; i < n && r >= 0; i++)
		if (!c.subject[0] || strcmp(c.subject, list[i].subject) == 0)
			r = step(l, rule, &c, alert_states_at(&l->states, rule->name,
							     list[i].subject),
				 &list[i].value, e);
	for (size_t i = 0; i < l->states.n && r >= 0; i++) {
		struct alert_state *s = &l->states.items[i];

		if (!s->known && strcmp(s->rule, rule->name) == 0 &&
		    (!c.subject[0] || strcmp(c.subject, s->subject) == 0))
			r = step(l, rule, &c, s, NULL, e);
	}
	return r;
}

/* What a rule said that is gone, off, or about another subject now. */
static int drop_gone(struct look *l, struct err *e)
{
	int r = 0;

	for (size_t i = 0; i < l->states.n && r >= 0; i++) {
		const struct alert_state *s = &l->states.items[i];

		if (!s->known && s->now.phase == RULE_FIRING)
			r = write_down(l, SQL_RESOLVE, s, "its rule is gone from queues.conf", e);
	}
	return r;
}

static int look_at_all(struct look *l, struct err *e)
{
	int r = 0;

	for (size_t i = 0; i < l->conf->nalerts && r >= 0; i++)
		if (l->conf->alerts[i].enabled)
			r = evaluate(l, &l->conf->alerts[i], e);
	if (r >= 0)
		r = drop_gone(l, e);
	if (r >= 0)
		r = alert_states_save(&l->states, l->pg, e);
	if (r >= 0)
		r = alert_notices_make(l->pg, l->conf, l->a->node, l->now_us, &l->lines, e);
	return r;
}

static int look(struct alerts *a, const struct conf *conf, struct pg *pg, int64_t now_us,
		struct err *e)
{
	struct look l = { .a = a, .conf = conf, .pg = pg, .now_us = now_us };
	int r = pg_begin(pg, LOOK_MS, e);

	if (r < 0)
		return r;
	r = alert_states_load(&l.states, pg, e);
	if (r > 0) {
		r = look_at_all(&l, e);
		if (r >= 0)
			r = pg_commit(pg, e);
		if (r >= 0)
			alert_lines_write(&l.lines);
	}
	pg_rollback(pg);
	alert_lines_release(&l.lines);
	alert_states_release(&l.states);
	return r < 0 ? r : 0;
}

/* ---- ways around ---- */

static const char SQL_STUCK[] =
	"SELECT notice::text FROM jobfleet.alert_notices WHERE state = 'waiting' AND attempts = 0"
	" AND made_at <= " TIME("$1") " - $2::int * interval '1 s'"
	" AND made_at > " TIME("$1") " - interval '1 hour' ORDER BY made_at LIMIT 1";

/* A notice that nobody has tried to deliver. */
static int help_out(struct alerts *a, const struct conf *conf, struct peers *peers, struct pg *pg,
		    int64_t now_us, struct err *e)
{
	int wait_s = peers_is_up(peers, PEER_BROKER) ? STUCK_S : 0;
	struct pg_rows *rows = NULL;
	int64_t n;
	int r = 0;

	if (!courier_is_free(&a->courier))
		return 0;
	n = pg_run(pg, SQL_STUCK, PG_PARAMS(PG_INT(now_us), PG_INT(wait_s)), &rows, e);
	if (n > 0)
		r = courier_send(&a->courier, conf->path, pg_text(rows, 0, 0), e);
	pg_rows_free(rows);
	return n < 0 ? (int)n : r;
}

static int settle_away(struct alerts *a, const struct conf *conf, struct peers *peers,
		       struct pg *pg, struct err *e)
{
	int r = pg_begin(pg, LOOK_MS, e);

	if (r >= 0)
		r = alert_away_settle(a->away, conf, peers, pg, e);
	if (r >= 0)
		r = pg_commit(pg, e);
	pg_rollback(pg);
	if (r >= 0)
		alert_away_forget(a->away, conf, peers);
	return r;
}

static int prune(struct alerts *a, struct pg *pg, int64_t now_us, struct err *e)
{
	int64_t n;

	if (clock_mono_ms() < a->prune_ms)
		return 0;
	a->prune_ms = clock_mono_ms() + PRUNE_MS;
	n = pg_run(pg, "SELECT jobfleet.alert_prune(" TIME("$1") ")", PG_PARAMS(PG_INT(now_us)),
		   NULL, e);
	return n < 0 ? (int)n : 0;
}

/* ---- the duty ---- */

static void want(const struct conf *conf, bool ret[MEASURE_IDS])
{
	struct condition c;

	for (size_t i = 0; i < conf->nalerts; i++)
		if (conf->alerts[i].enabled &&
		    condition_parse(conf->alerts[i].condition, &c, NULL) == 0)
			ret[c.measure->id] = true;
}

static int lead(struct alerts *a, const struct conf *conf, struct peers *peers, int64_t now_us,
		struct err *e)
{
	bool wanted[MEASURE_IDS] = { false };
	struct pg *pg;
	int r;

	want(conf, wanted);
	signals_read(a->signals, conf, peers, wanted, now_us);
	pg = peers_database(peers);
	if (!pg)
		return 0;
	r = look(a, conf, pg, now_us, e);
	if (r >= 0)
		r = help_out(a, conf, peers, pg, now_us, e);
	return r < 0 ? r : prune(a, pg, now_us, e);
}

int alerts_turn(struct alerts *a, const struct conf *conf, struct peers *peers, bool leads,
		int64_t now_us, struct err *e)
{
	struct pg *pg;
	int r = 0;

	signals_watch(a->signals, peers);
	courier_is_free(&a->courier);
	alert_away_carry(a->away, conf, peers, &a->courier);
	if (clock_mono_ms() < a->next_ms)
		return 0;
	a->next_ms = clock_mono_ms() + conf->fleet.alert_every_ms;
	pg = peers_database(peers);
	if (!pg) {
		signals_read_away(a->signals);
		alert_away_look(a->away, a->signals, conf, peers, a->led, clock_wall_us());
		return 0;
	}
	if (alert_away_has(a->away))
		r = settle_away(a, conf, peers, pg, e);
	a->led = leads;
	return r < 0 || !leads ? r : lead(a, conf, peers, now_us, e);
}
