/* SPDX-License-Identifier: MIT */
#include "workers/dispatcher/scaling.h"

#include <stdlib.h>

#include "common/base/clock.h"
#include "common/base/conf.h"
#include "common/base/err.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/broker/publisher.h"
#include "common/net/units.h"
#include "common/store/pg.h"
#include "workers/dispatcher/autoscale.h"
#include "workers/dispatcher/leader.h"
#include "workers/dispatcher/peers.h"
#include "workers/dispatcher/pools.h"

#define ASK_MS 2000
#define LOOK_MS 5000
#define LOOK_LEAST_MS 250
#define SILENT_MS 30000	/* D-Bus or systemd does not answer: a round costs ASK_MS each time */

/* A program with a queue that is scaled. */
struct scaled {
	char *program;
	struct autoscale_history history;
	int ordered;		/* instances, by our last growth */
	int64_t hold_ms;	/* no change before */
};

struct scaling {
	bool by_units;
	struct scaled *programs;
	size_t n;
	int64_t term;		/* of the lead in which the histories were seen; 0 = none */
	int64_t next_ms;
};

/* What one look at a program finds. */
struct sight {
	struct pools pools;
	struct units *units;
	struct units_view view;
	struct autoscale_queue *queues;
	struct autoscale_load load;
	int least;		/* children of an instance without work */
};

/* Who asks for the rate of a queue looks at each step of the table of what is sent: by index. What
 * runs waits no more, and what has no ledger stays there longer than it waits. */
static const char SQL_QUEUE[] =
	"WITH live AS MATERIALIZED (SELECT info FROM jobfleet.workers WHERE state <> 'stopped'"
	" AND program = $2 AND seen_at > clock_timestamp() - $3::int * interval '3 s'),"
	" busy AS MATERIALIZED (SELECT a ->> 'id' AS id FROM live, jsonb_array_elements(info ->"
	" 'active') AS a)"
	" SELECT EXISTS (SELECT FROM jobfleet.pauses WHERE paused AND (kind = 'fleet'"
	"  OR kind = 'queue' AND name = $1)),"
	" (SELECT (extract(epoch FROM clock_timestamp() - p.sent_at) * 1000)::bigint"
	"  FROM jobfleet.pending p WHERE p.state = 'sent' AND p.queue = $1"
	"  AND NOT EXISTS (SELECT FROM busy WHERE busy.id = p.task_id)"
	"  AND NOT EXISTS (SELECT FROM live WHERE info -> 'loose' ? p.task)"
	"  ORDER BY p.sent_at LIMIT 1)";

static const char SQL_BEGIN[] =
	"SELECT jobfleet.begin_scaling($1, $2::bigint, jsonb_build_array('scale', $3::text,"
	" '--instances=' || $4), $5, clock_timestamp())";

static const char SQL_END[] = "SELECT jobfleet.end_action($1::bigint, $2, $3)";

static const char SQL_ALERT[] = "SELECT jobfleet.raise_alert('autoscale', $1, 'WARNING', $2)";

static const char SQL_ALERT_OVER[] =
	"UPDATE jobfleet.alerts SET resolved_at = clock_timestamp(), resolution = 'scaled again: ' || $2"
	" WHERE name = 'autoscale' AND subject = $1 AND resolved_at IS NULL AND NOT ruled";

/* ---- which programs ---- */

static bool is_scaled(const struct conf *conf, const char *program)
{
	for (size_t i = 0; i < conf->nqueues; i++)
		if (CONF_QUEUE_IS_SCALED(&conf->queues[i]) &&
		    strcmp(conf->queues[i].program, program) == 0)
			return true;
	return false;
}

static struct scaled *find(struct scaling *s, const char *program)
{
	for (size_t i = 0; i < s->n; i++)
		if (strcmp(s->programs[i].program, program) == 0)
			return &s->programs[i];
	return NULL;
}

static void forget(struct scaling *s)
{
	for (size_t i = 0; i < s->n; i++)
		free(s->programs[i].program);
	free(s->programs);
	s->programs = NULL;
	s->n = 0;
}

/* Those of queues.conf as it is now; what is known of them stays. */
static void list_programs(struct scaling *s, const struct conf *conf)
{
	for (size_t i = 0; i < s->n;) {
		if (is_scaled(conf, s->programs[i].program)) {
			i++;
			continue;
		}
		free(s->programs[i].program);
		s->programs[i] = s->programs[--s->n];
	}
	for (size_t i = 0; i < conf->nqueues; i++) {
		const struct conf_queue *q = &conf->queues[i];

		if (!CONF_QUEUE_IS_SCALED(q) || find(s, q->program))
			continue;
		s->programs = mem_realloc(s->programs, (s->n + 1) * sizeof *s->programs);
		s->programs[s->n++] = (struct scaled){ .program = mem_strdup(q->program) };
	}
}

/* ---- looking ---- */

/* Tasks a second that may start on a queue whose tasks all have a rate; 0 = as many as come. */
static double limit_of(const struct conf *conf, const char *queue)
{
	double sum = 0;

	for (size_t i = 0; i < conf->ntasks; i++) {
		const struct conf_task *t = &conf->tasks[i];

		if (strcmp(t->queue, queue) != 0)
			continue;
		if (t->rate_per_s <= 0 || t->rate_per_worker || t->rate_at_fetch)
			return 0;
		sum += t->rate_per_s;
	}
	return sum;
}

static int look_at_queue(const struct conf *conf, const struct conf_queue *q, struct peers *peers,
			 const struct pools *pools, struct autoscale_queue *ret, struct err *e)
{
	struct publisher *p = peers_broker(peers);
	struct pg *pg = peers_database(peers);
	struct pg_rows *rows = NULL;
	int64_t n, ready = 0, consumers;
	int r;

	if (!p || !pg)
		return err_set(e, p ? ERR_DB : ERR_BROKER, "it went away");
	r = publisher_queue_depth(p, q->name, &ready, &consumers, ASK_MS, e);
	if (r < 0 && r != -ERR_NOT_FOUND)
		return r;
	n = pg_run(pg, SQL_QUEUE,
		   PG_PARAMS(PG_TEXT(q->name), PG_TEXT(q->program),
			     PG_INT(conf->fleet.heartbeat_s)),
		   &rows, e);
	if (n < 0)
		return (int)n;
	*ret = (struct autoscale_queue){
		.name = q->name, .ready = ready, .oldest_ms = pg_int(rows, 0, 1),
		.run_ms = pools_run_ms(pools, q->name), .limit_per_s = limit_of(conf, q->name),
		.paused = pg_bool(rows, 0, 0), .min = q->instances_min, .max = q->instances_max,
		.target_ms = q->scale_target_ms, .up_ms = q->scale_up_ms,
		.down_ms = q->scale_down_ms,
	};
	pg_rows_free(rows);
	return 0;
}

/* Its queues share the children, the most that one of them asks for. */
static int look_at_queues(struct sight *s, const struct conf *conf, struct peers *peers,
			  const char *program, struct err *e)
{
	int r = 0;

	s->queues = mem_zalloc((conf->nqueues + 1) * sizeof *s->queues);
	s->load.queues = s->queues;
	s->load.children = s->least = 1;
	for (size_t i = 0; i < conf->nqueues && r == 0; i++) {
		const struct conf_queue *q = &conf->queues[i];

		if (strcmp(q->program, program) != 0)
			continue;
		if (q->concurrency_max > s->load.children)
			s->load.children = q->concurrency_max;
		if (q->concurrency_min > s->least)
			s->least = q->concurrency_min;
		if (CONF_QUEUE_IS_SCALED(q))
			r = look_at_queue(conf, q, peers, &s->pools,
					  &s->queues[s->load.nqueues++], e);
	}
	return r;
}

static int count_units(struct sight *s, const char *program, struct err *e)
{
	int r = units_open(&s->units, ASK_MS, e);

	if (r == 0)
		r = units_look(s->units, program, &s->view, e);
	s->load.instances = s->view.up;
	for (size_t i = 0; i < s->pools.n; i++)
		if (!s->pools.nodes[i].here)
			s->load.elsewhere += s->pools.nodes[i].most;
	return r;
}

static void release(struct sight *s)
{
	units_close(s->units);
	pools_release(&s->pools);
	free(s->queues);
}

static int look(const struct scaling *s, const char *program, const struct conf *conf,
		struct peers *peers, struct sight *ret, struct err *e)
{
	int r = pools_read(peers_database(peers), conf, program, &ret->pools, e);

	if (r == 0)
		r = look_at_queues(ret, conf, peers, program, e);
	if (r < 0)
		return r;
	ret->load.busy = ret->pools.active;
	if (s->by_units)
		return count_units(ret, program, e);
	ret->load.instances =
		(ret->pools.most + ret->load.children - 1) / ret->load.children;
	return 0;
}

/* ---- acting ---- */

static void end(struct pg *pg, int64_t action, const char *program, bool done, const char *text)
{
	if (!pg)
		return;		/* it stays there as begun */
	pg_run(pg, SQL_END,
	       PG_PARAMS(PG_INT(action), PG_TEXT(done ? "done" : "failed"), PG_TEXT(text)), NULL,
	       NULL);
	pg_run(pg, done ? SQL_ALERT_OVER : SQL_ALERT, PG_PARAMS(PG_TEXT(program), PG_TEXT(text)),
	       NULL, NULL);
}

static int make_it(const struct sight *sight, const struct scaled *p, const struct conf *conf,
		   int wanted, struct err *e)
{
	int missed = 0, r;

	if (!sight->units)
		return pools_scale(&sight->pools, conf, wanted * sight->load.children,
				   sight->least, e);
	r = units_scale(sight->units, p->program, &sight->view, wanted, &missed, e);
	return r < 0 ? r : missed > 0 ? -(int)e->code : 0;
}

static void change(struct scaled *p, const struct sight *sight, const struct conf *conf,
		   struct peers *peers, const struct leader *leader, int64_t action,
		   const struct autoscale_decision *d)
{
	struct err why = { 0 };
	int r = make_it(sight, p, conf, d->wanted, &why);
	char *text = r < 0 ? mem_printf("%s; for %d instances instead of %d: %s", why.msg,
					d->wanted, sight->load.instances, d->reason) :
			     mem_strdup(d->reason);

	autoscale_done(&p->history, clock_mono_ms());
	if (r == 0)
		log_info("scaled program=%s from=%d to=%d by=%s term=%lld reason=\"%s\"",
			 p->program, sight->load.instances, d->wanted,
			 sight->units ? "systemd" : "children", (long long)leader_term(leader),
			 d->reason);
	else
		log_error("cannot scale program=%s from=%d to=%d reason=\"%s\"", p->program,
			  sight->load.instances, d->wanted, text);
	p->hold_ms = r < 0 ? clock_mono_ms() + SCALING_RETRY_MS : 0;
	p->ordered = d->wanted;
	end(peers_database(peers), action, p->program, r == 0, text);
	free(text);
}

/* Null where the lease is another's by now. */
static int begin(struct pg *pg, const struct scaled *p, const struct leader *leader,
		 const struct autoscale_decision *d, int64_t *ret, struct err *e)
{
	struct pg_rows *rows = NULL;
	int64_t n = pg_run(pg, SQL_BEGIN,
			   PG_PARAMS(PG_TEXT(leader_holder(leader)), PG_INT(leader_term(leader)),
				     PG_TEXT(p->program), PG_INT(d->wanted), PG_TEXT(d->reason)),
			   &rows, e);

	if (n > 0)
		*ret = pg_int(rows, 0, 0);
	pg_rows_free(rows);
	return n < 0 ? (int)n : 0;
}

/* Growing a pool by what a row from before the last growth says would grow it twice. */
static bool is_stale(const struct scaled *p, const struct sight *sight)
{
	return !sight->units && p->history.changed_ms &&
	       clock_mono_ms() - sight->pools.age_ms <= p->history.changed_ms;
}

/* They were ordered and did not come, or did not stay: more of the same would not either. */
static bool is_in_vain(struct scaled *p, const struct sight *sight, int wanted)
{
	if (!sight->units || wanted <= sight->load.instances || p->ordered < wanted)
		return false;
	p->ordered = 0;
	p->hold_ms = clock_mono_ms() + SCALING_RETRY_MS;
	log_error("instances that were started do not stay up program=%s wanted=%d up=%d",
		  p->program, wanted, sight->load.instances);
	return true;
}

static int decide(struct scaled *p, const struct sight *sight, const struct conf *conf,
		  struct peers *peers, const struct leader *leader, struct err *e)
{
	struct pg *pg = peers_database(peers);
	struct autoscale_decision d;
	int64_t action = 0;
	int r;

	if (is_stale(p, sight))
		return 0;
	autoscale_decide(&sight->load, &p->history, clock_mono_ms(), &d);
	if (d.wanted == sight->load.instances) {
		log_debug("not scaled program=%s instances=%d reason=\"%s\"", p->program,
			  d.wanted, d.reason);
		return 0;
	}
	if (clock_mono_ms() < p->hold_ms || is_in_vain(p, sight, d.wanted) || !pg)
		return 0;
	r = begin(pg, p, leader, &d, &action, e);
	if (r == 0 && action && leader_leads(leader))
		change(p, sight, conf, peers, leader, action, &d);
	return r;
}

/* ---- the round ---- */

static int look_pace_ms(const struct conf *conf)
{
	int64_t pace = LOOK_MS;

	for (size_t i = 0; i < conf->nqueues; i++) {
		const struct conf_queue *q = &conf->queues[i];

		if (CONF_QUEUE_IS_SCALED(q) && q->scale_up_ms / 4 < pace)
			pace = q->scale_up_ms / 4;
	}
	return pace < LOOK_LEAST_MS ? LOOK_LEAST_MS : (int)pace;
}

static bool is_possible(struct peers *peers)
{
	struct publisher *p = peers_broker(peers);

	return p && publisher_is_alive(p) && !publisher_is_blocked(p) && peers_database(peers);
}

int scaling_turn(struct scaling *s, const struct conf *conf, struct peers *peers,
		 const struct leader *leader, struct err *e)
{
	struct err later;
	int r = 0;

	if (!leader_leads(leader) || s->term != leader_term(leader))
		forget(s);
	s->term = leader_leads(leader) ? leader_term(leader) : 0;
	if (clock_mono_ms() < s->next_ms || !s->term)
		return 0;
	s->next_ms = clock_mono_ms() + look_pace_ms(conf);
	list_programs(s, conf);
	for (size_t i = 0; i < s->n && is_possible(peers) && leader_leads(leader); i++) {
		struct sight sight = { 0 };
		int one = look(s, s->programs[i].program, conf, peers, &sight, r < 0 ? &later : e);

		if (one == 0)
			one = decide(&s->programs[i], &sight, conf, peers, leader,
				     r < 0 ? &later : e);
		release(&sight);
		r = r < 0 ? r : one;
		if (one == -ERR_NET && s->by_units) {
			s->next_ms = clock_mono_ms() + SILENT_MS;
			break;
		}
	}
	return r;
}

struct scaling *scaling_new(void)
{
	struct scaling *s = mem_zalloc(sizeof *s);

	s->by_units = units_run_us();
	return s;
}

void scaling_free(struct scaling *s)
{
	if (!s)
		return;
	forget(s);
	free(s);
}
