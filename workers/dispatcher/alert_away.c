/* SPDX-License-Identifier: MIT */
#include "workers/dispatcher/alert_away.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/address.h"
#include "common/base/clock.h"
#include "common/base/conf.h"
#include "common/base/err.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/base/scan.h"
#include "common/base/uuid.h"
#include "common/broker/door.h"
#include "common/broker/message.h"
#include "common/store/pg.h"
#include "common/store/redis.h"
#include "workers/dispatcher/alert_courier.h"
#include "workers/dispatcher/alert_notice.h"
#include "workers/dispatcher/peers.h"
#include "workers/dispatcher/rule.h"
#include "workers/dispatcher/signal.h"

enum { ENQUEUE_MS = 1000, MESSAGE_BYTES = 512, CLAIM_LOOKS = 4, CLAIM_LEAST_MS = 10000,
       CARRIED_MAX = 64, NODE_BYTES = 256 };
#define ALIKE_US (300 * 1000000LL)

/* One rule on one service. */
struct matter {
	char *rule, *subject, *to;
	const char *level;
	char message[MESSAGE_BYTES];
	struct rule_state state;
	bool told, told_by_others;
	bool claimed;			/* Redis has it as ours */
	int64_t told_us, quiet_us;	/* when; until when it is not told again */
	int64_t incident;	/* in the ids of its notices; 0 = not settled yet */
};

/* Who minds it, as Redis says. */
struct owner {
	char node[NODE_BYTES];
	bool told;
};

struct alert_away {
	const char *node;
	struct matter *items;
	size_t n;
	char *carried[CARRIED_MAX];	/* notices that wait for the courier */
	size_t ncarried;
};

static const char *level_name(enum conf_alert_level level)
{
	static const char *const NAMES[] = { "INFO", "WARNING", "ERROR", "CRITICAL" };

	return NAMES[level];
}

struct alert_away *alert_away_new(const char *node)
{
	struct alert_away *w = mem_zalloc(sizeof *w);

	w->node = node;
	return w;
}

static void clear(struct alert_away *w)
{
	for (size_t i = 0; i < w->n; i++) {
		free(w->items[i].rule);
		free(w->items[i].subject);
		free(w->items[i].to);
	}
	free(w->items);
	w->items = NULL;
	w->n = 0;
}

/* The first n. */
static void drop_carried(struct alert_away *w, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free(w->carried[i]);
	w->ncarried -= n;
	memmove(w->carried, w->carried + n, w->ncarried * sizeof *w->carried);
}

void alert_away_free(struct alert_away *w)
{
	if (!w)
		return;
	clear(w);
	drop_carried(w, w->ncarried);
	free(w);
}

static struct matter *matter_at(struct alert_away *w, const char *rule, const char *subject)
{
	for (size_t i = 0; i < w->n; i++)
		if (strcmp(w->items[i].rule, rule) == 0 &&
		    strcmp(w->items[i].subject, subject) == 0)
			return &w->items[i];
	w->items = mem_realloc(w->items, (w->n + 1) * sizeof *w->items);
	w->items[w->n] = (struct matter){ .rule = mem_strdup(rule), .subject = mem_strdup(subject),
					  .to = mem_strdup("") };
	return &w->items[w->n++];
}

static char *key_of(const struct conf *conf, const struct matter *m)
{
	return mem_printf("%salert-away:%s:%s", conf->fleet.redis_prefix, m->rule, m->subject);
}

/* Whose it is, whether that one has told it, and as which incident: "INCIDENT told NODE", before
 * "INCIDENT taken NODE". False: nobody's. */
static bool read_claim(struct matter *m, struct redis *redis, const char *key, struct owner *ret)
{
	struct redis_reply *reply = NULL;
	char *told, *node;
	bool found;

	found = redis_cmd(redis, &reply, NULL, "GET", key, NULL) >= 0 &&
		reply->type == REDIS_STRING && (told = strchr(reply->str, ' ')) &&
		(node = strchr(told + 1, ' '));
	if (found) {
		*told++ = *node++ = '\0';
		*ret = (struct owner){ .told = strcmp(told, "told") == 0 };
		snprintf(ret->node, sizeof ret->node, "%s", node);
		scan_int64(reply->str, 1, INT64_MAX, &m->incident, NULL);
	}
	redis_reply_free(reply);
	return found;
}

/* 1 = ours, 0 = another one's, or no longer ours, -1 = Redis does not say. Who told renews it with
 * each look: the claim of one that died is over soon, and another tells the same incident, lest it
 * was killed in between. */
static int claim(const struct alert_away *w, struct matter *m, const struct conf *conf,
		 struct peers *peers)
{
	int64_t ms = CLAIM_LOOKS * conf->fleet.alert_every_ms;
	struct redis *redis = peers_redis(peers);
	struct redis_reply *reply = NULL;
	char text[24], *key, *value;
	struct owner owner;
	int r = -1;

	if (!redis)
		return -1;
	key = key_of(conf, m);
	value = mem_printf("%lld %s %s",
			   (long long)(m->incident ? m->incident : m->state.since_us),
			   m->told ? "told" : "taken", w->node);
	snprintf(text, sizeof text, "%lld", (long long)(ms > CLAIM_LEAST_MS ? ms : CLAIM_LEAST_MS));
	if (redis_cmd(redis, &reply, NULL, "SET", key, value, "PX", text, m->claimed ? "XX" : "NX",
		      NULL) >= 0)
		r = reply->type != REDIS_NIL;
	redis_reply_free(reply);
	if (r == 0 && !m->claimed)
		r = read_claim(m, redis, key, &owner) && strcmp(owner.node, w->node) == 0;
	if (r >= 0)
		m->claimed = r > 0;
	if (r > 0 && !m->incident)
		m->incident = m->state.since_us;
	free(value);
	free(key);
	return r;
}

/* Somebody has seen PostgreSQL in between and settled it, and this dispatcher alone has not yet:
 * should it stay away for this one, or be away again for all, that is the next incident. */
static void lapse(struct matter *m, int64_t now_us)
{
	m->told = false;
	m->told_us = 0;
	m->incident = 0;
	m->state.since_us = now_us;
	m->quiet_us = now_us + CLAIM_LEAST_MS * 1000LL;
}

/* ---- telling ---- */

static void send_one(const char *queue, const char *id, const char *notice,
		     const struct conf *conf)
{
	char *args = mem_printf("[%s]", notice);
	struct door *door = door_new(conf, "jobfleet alerts");
	struct err e = { 0 };
	struct message m;

	message_init(&m);
	if (message_new(&m, "jobfleet.deliver_alert", id, args, NULL, &e) < 0 ||
	    door_enqueue(door, queue, &m, ENQUEUE_MS, &e) == DOOR_REJECTED)
		log_error("an alert cannot be handed on reason=\"%s\"", e.msg);
	message_release(&m);
	door_free(door);
	free(args);
}

static void tell_one(struct alert_away *w, const struct alert *a, int64_t incident,
		     const char *address, const struct conf *conf, struct peers *peers,
		     int64_t now_us)
{
	const char *queue = conf_route(conf, "jobfleet.deliver_alert");
	char *name = mem_printf("away/%s/%s/%lld/%s", a->name, a->subject,
				(long long)incident, address);
	char id[UUID_SIZE], *notice;

	uuid_v5(name, strlen(name), id);
	notice = alert_notice_json(a, NOTICE_FIRING, address, id, w->node, now_us);
	send_one(queue ? queue : "alerts", id, notice, conf);
	if (!peers_is_up(peers, PEER_BROKER) && w->ncarried < CARRIED_MAX)
		w->carried[w->ncarried++] = mem_strdup(notice);
	free(notice);
	free(name);
}

static void tell(struct alert_away *w, struct matter *m, const struct conf *conf,
		 struct peers *peers, int64_t now_us)
{
	const struct alert a = { .name = m->rule, .subject = m->subject, .level = m->level,
				 .message = m->message, .first_us = m->state.since_us,
				 .resolution = "" };
	const char *list = m->to;
	char address[ADDRESS_MAX];

	if (!m->incident)
		m->incident = m->state.since_us / ALIKE_US;
	while (address_next(&list, address, NULL) > 0)
		if (strcmp(address, "log") != 0)
			tell_one(w, &a, m->incident, address, conf, peers, now_us);
	m->told = true;
	m->told_us = now_us;
}

/* Whose turn it is to tell what fires: see the header. */
static bool is_ours(const struct alert_away *w, struct matter *m, const struct conf *conf,
		    struct peers *peers, bool led, int64_t now_us)
{
	int claimed = claim(w, m, conf, peers);

	if (claimed >= 0)
		m->told_by_others = claimed == 0;
	return claimed > 0 ||
		(claimed < 0 && !m->told_by_others &&
		 (led || now_us - m->state.since_us >= AWAY_LATE_US));
}

static void look_at(struct alert_away *w, const struct conf_alert *rule, const struct condition *c,
		    const char *subject, double value, int64_t now_us)
{
	struct matter *m = matter_at(w, rule->name, subject);
	struct alert a;

	m->level = level_name(rule->level);
	condition_say(c, subject, value, m->message, sizeof m->message);
	if (rule_step(&m->state, c, rule->for_ms * 1000, &value, now_us) != RULE_FIRES)
		return;
	a = (struct alert){ .name = m->rule, .subject = m->subject, .level = m->level,
			    .message = m->message, .resolution = "" };
	alert_log(&a, NOTICE_FIRING);
}

static void look_at_rule(struct alert_away *w, const struct signals *s, const struct conf *conf,
			 const struct conf_alert *rule, int64_t now_us)
{
	const struct signal *list;
	struct alert_policy policy;
	struct condition c;
	size_t n;

	if (!rule->enabled || condition_parse(rule->condition, &c, NULL) < 0 ||
	    c.measure->id != MEASURE_AWAY)
		return;
	list = signals_list(s, MEASURE_AWAY, &n);
	for (size_t i = 0; i < n; i++) {
		if (c.subject[0] && strcmp(c.subject, list[i].subject) != 0)
			continue;
		look_at(w, rule, &c, list[i].subject, list[i].value, now_us);
		alert_policy_of(conf, level_name(rule->level), rule, &policy);
		mem_replace(&matter_at(w, rule->name, list[i].subject)->to, mem_strdup(policy.to));
	}
}

void alert_away_look(struct alert_away *w, const struct signals *s, const struct conf *conf,
		     struct peers *peers, bool led, int64_t now_us)
{
	for (size_t i = 0; i < conf->nalerts; i++)
		look_at_rule(w, s, conf, &conf->alerts[i], now_us);
	for (size_t i = 0; i < w->n; i++) {
		struct matter *m = &w->items[i];
		bool had = m->claimed;

		if (m->state.phase != RULE_FIRING)
			continue;
		if (!m->told && now_us >= m->quiet_us && is_ours(w, m, conf, peers, led, now_us))
			tell(w, m, conf, peers, now_us);
		if (m->told && claim(w, m, conf, peers) == 0 && had)
			lapse(m, now_us);
	}
}

void alert_away_carry(struct alert_away *w, const struct conf *conf, struct peers *peers,
		      struct courier *courier)
{
	struct err e = { 0 };

	if (w->ncarried > 0 && peers_is_up(peers, PEER_BROKER))
		drop_carried(w, w->ncarried);	/* the queue and the spool have them all */
	if (w->ncarried == 0 || !courier_is_free(courier))
		return;
	if (courier_send(courier, conf->path, w->carried[0], &e) < 0)
		log_error("an alert cannot be told directly reason=\"%s\"", e.msg);
	drop_carried(w, 1);
}

/* ---- when PostgreSQL is back ---- */

#define TIME(p) "timestamptz 'epoch' + " p "::bigint * interval '1 us'"

static const char SQL_ALERT[] =
	"INSERT INTO jobfleet.alerts AS a (name, subject, level, message, first_at, last_at, ruled,"
	" told_at, last_told_at, told, told_to) SELECT $1::text, $2::text, $3::text, $4::text, "
	TIME("$5") ", " TIME("$6") ", true, " TIME("$6") ", " TIME("$6") ", 1, $7::text"
	" WHERE NOT EXISTS (SELECT FROM jobfleet.alerts o WHERE o.name = $1 AND o.subject = $2"
	" AND coalesce(o.resolved_at, o.last_at) >= " TIME("$5") ")"
	" ON CONFLICT (name, subject) WHERE resolved_at IS NULL DO UPDATE SET ruled = true,"
	" told_at = coalesce(a.told_at, excluded.told_at),"
	" last_told_at = coalesce(a.last_told_at, excluded.last_told_at),"
	" told_to = coalesce(a.told_to, excluded.told_to), told = greatest(a.told, 1)";

static const char SQL_STATE[] =
	"INSERT INTO jobfleet.alert_states AS s (rule, subject, phase, since, fired, fired_at)"
	" VALUES ($1, $2, 'firing', " TIME("$3") ", 1, " TIME("$3") ")"
	" ON CONFLICT (rule, subject) DO UPDATE SET phase = 'firing', since = excluded.since,"
	" good = NULL, fired = greatest(s.fired, 1), fired_at = excluded.fired_at";

static int settle_one(const struct matter *m, struct pg *pg, struct err *e)
{
	int64_t n = pg_run(pg, SQL_ALERT,
			   PG_PARAMS(PG_TEXT(m->rule), PG_TEXT(m->subject), PG_TEXT(m->level),
				     PG_TEXT(m->message), PG_INT(m->state.since_us),
				     PG_INT(m->told_us), PG_TEXT(m->to)), NULL, e);

	if (n > 0)
		n = pg_run(pg, SQL_STATE, PG_PARAMS(PG_TEXT(m->rule), PG_TEXT(m->subject),
						   PG_INT(m->state.since_us)), NULL, e);
	return n < 0 ? (int)n : 0;
}

bool alert_away_has(const struct alert_away *w)
{
	return w->n > 0;
}

/* Another dispatcher may have told it and not know yet that PostgreSQL is back. */
static bool is_told(struct matter *m, const struct conf *conf, struct peers *peers)
{
	struct redis *redis = peers_redis(peers);
	struct owner owner;
	char *key;

	if (m->told_us || m->state.phase != RULE_FIRING || !redis)
		return m->told_us != 0;
	key = key_of(conf, m);
	if (read_claim(m, redis, key, &owner) && owner.told)
		m->told_us = m->state.since_us;
	free(key);
	return m->told_us != 0;
}

int alert_away_settle(struct alert_away *w, const struct conf *conf, struct peers *peers,
		      struct pg *pg, struct err *e)
{
	for (size_t i = 0; i < w->n; i++) {
		struct matter *m = &w->items[i];
		int r = is_told(m, conf, peers) ? settle_one(m, pg, e) : 0;

		if (r < 0)
			return r;
	}
	return 0;
}

void alert_away_forget(struct alert_away *w, const struct conf *conf, struct peers *peers)
{
	for (size_t i = 0; i < w->n; i++) {
		struct redis *redis = w->items[i].told_us ? peers_redis(peers) : NULL;
		char *key = key_of(conf, &w->items[i]);

		if (redis)
			redis_cmd(redis, NULL, NULL, "DEL", key, NULL);
		free(key);
	}
	clear(w);
}
