/* SPDX-License-Identifier: MIT */
#include "workers/collection/collect.h"

#include "common/base/clock.h"
#include "common/base/conf.h"
#include "common/base/copies.h"
#include "common/base/err.h"
#include "common/base/json.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/store/asking.h"
#include "common/store/quota.h"
#include "common/worker/run.h"
#include "workers/collection/fresh.h"
#include "workers/collection/order.h"
#include "workers/collection/pickup.h"
#include "workers/collection/plan.h"
#include "workers/collection/rota.h"
#include "workers/collection/sample.h"
#include "workers/collection/tally.h"
#include "workers/collection/walk.h"
#include "workers/collection/watermark.h"

#define KEY_MISSING "provider_key_missing"

enum { ROWS_MAX = 1000 };		/* postings a source a run */

/* One call of collect_jobs on its way. */
struct collect {
	struct run *run;
	struct order order;
	struct plan plan;
	struct tally tally;
	const char *run_id;
	struct err pending;		/* of a source that is to be tried again */
};

static bool is(const struct collect *c, const char *strategy)
{
	return strcmp(c->order.strategy, strategy) == 0;
}

/* Fewer tries than the configuration gives, because the caller said so. What ends so stands in the
 * dead letters, as what used up the configuration's. */
static int limit_retries(const struct collect *c, int r, struct err *e)
{
	int done = run_retries(c->run) + c->order.retry_count;

	if (c->order.max_retries < 0 || done < c->order.max_retries || r == -ERR_LIMITED ||
	    !err_is_transient(e->code))
		return r;
	err_prefix(e, "gave up after %d retries", done);
	snprintf(e->exc_type, sizeof e->exc_type, "RetriesExhausted");
	run_last_try(c->run);
	return r;
}

static bool is_last_try(const struct collect *c)
{
	const struct conf *conf = run_conf(c->run);
	const struct conf_task *task = conf_task(conf, run_task(c->run));
	int most = task && task->max_retries >= 0 ? task->max_retries : conf->fleet.max_retries;

	if (c->order.max_retries >= 0 && c->order.max_retries < most)
		most = c->order.max_retries;
	return run_retries(c->run) + c->order.retry_count >= most;
}

static int64_t fresh_ms(const struct collect *c, const struct conf_source *conf)
{
	if (c->order.refresh)
		return 0;
	return is(c, "scheduled") || is(c, "incremental") ? conf->fresh_for_ms / 4 * 3 :
							    conf->fresh_for_ms;
}

static int set_since(struct collect *c, struct walk *w, struct err *e)
{
	struct watermark mark;
	struct pg *pg;
	int r;

	if (!is(c, "incremental"))
		return 0;
	r = run_db_read(c->run, &pg, e);
	if (r == 0)
		r = watermark_read(pg, w->conf->name, &w->ask, &mark, e);
	if (r == 0 && mark.succeeded_us)
		w->ask.since_us = mark.succeeded_us - WATERMARK_OVERLAP_S * 1000000LL;
	return r;
}

static int walk_one(struct collect *c, const struct plan_source *s, int number, int pages,
		    bool alone, struct err *e)
{
	char board[PLAN_BOARD_BYTES];
	struct walk w = {
		.run = c->run, .order = &c->order, .conf = s->conf, .source = s->source,
		.run_id = c->run_id, .number = number, .budget = pages,
		.rows = ROWS_MAX - c->tally.one.new_jobs, .fresh_ms = fresh_ms(c, s->conf),
	};
	int r;

	plan_question(s, &c->order, number, board, &w.ask);
	if ((r = set_since(c, &w, e)) < 0)
		return r;
	walk_init(&w);
	r = walk_run(&w, e);
	tally_walk(&c->tally, &w);
	if ((r == -ERR_INVALID || r == -ERR_TOO_BIG) && !alone) {
		tally_refusal(&c->tally, &w, e);
		r = 0;
	}
	walk_release(&w);
	return r;
}

/* Enough came, of this source or in all. */
static bool is_enough(const struct collect *c)
{
	const struct order *o = &c->order;

	return c->tally.one.new_jobs >= ROWS_MAX ||
	       (o->results && c->tally.sum.new_jobs >= o->results * o->nqueries * o->nlocations);
}

/* The error that ended it; the rota is told by ret. */
static int walk_all(struct collect *c, const struct plan_source *s, struct rota *ret, struct err *e)
{
	bool alone = c->plan.n == 1;
	struct pg *pg;
	int r = 0;

	if (s->key && (r = run_db_read(c->run, &pg, e)) == 0)
		r = quota_unpark(pg, s->conf->name, KEY_MISSING, e);
	if (r == 0)
		r = rota_make(ret, c->run, &c->order, s, e);
	for (int i = 0; i < ret->n && r == 0 && !is_enough(c); i++)
		r = walk_one(c, s, ret->numbers[i], ret->pages, alone && ret->all == 1, e);
	return r;
}

static int sample(struct collect *c, const struct plan_source *s, struct err *e)
{
	char id[37];
	int jobs = 0, r;

	r = sample_collect(c->run, &c->order, s->conf->name, c->run_id, id, &jobs, e);
	if (r < 0)
		return r;
	tally_sample(&c->tally, id, jobs);
	tally_source(&c->tally, s, TALLY_DONE, NULL, NULL);
	return 0;
}

static int without_key(struct collect *c, const struct plan_source *s, struct err *e)
{
	const struct conf_fleet *fleet = &run_conf(c->run)->fleet;
	bool demo = fleet->development || fleet->demo_fallback;
	struct err why = { 0 };
	char text[160];
	struct pg *pg;
	size_t len;
	int r;

	if (demo && (!c->plan.all || sample_body(s->conf->name, &len)))
		return sample(c, s, e);
	snprintf(text, sizeof text, "no key in %s", s->key ? s->conf->id_variable :
							     s->conf->key_variable);
	err_set(&why, ERR_PARKED, "source %s: %s", s->conf->name, text);
	if (!demo) {
		r = run_db_read(c->run, &pg, e);
		if (r == 0)
			r = quota_park(pg, s->conf->name, QUOTA_FOR_EVER, KEY_MISSING, text, e);
		if (r < 0)
			return r;
	}
	tally_source(&c->tally, s, c->plan.all ? TALLY_SKIPPED : TALLY_PARKED, &why, NULL);
	return 0;
}

/* Errors of the source, not of the task or of our own stores. */
static bool is_of_source(const struct err *e)
{
	switch (e->code) {
	case ERR_QUOTA:
	case ERR_PARKED:
	case ERR_REFUSED:
	case ERR_LIMITED:
	case ERR_HTTP:
	case ERR_NET:
	case ERR_TIMEOUT:
	case ERR_INVALID:
	case ERR_TOO_BIG:
		return true;
	default:
		return false;
	}
}

/* It will not answer soon; or with this task's last try it did not. */
static bool is_down(const struct collect *c, const struct err *e)
{
	if (e->code == ERR_LIMITED)
		return strcmp(e->exc_type, QUOTA_CIRCUIT) == 0;
	return e->code == ERR_QUOTA || e->code == ERR_PARKED || e->code == ERR_REFUSED ||
	       (err_is_transient(e->code) && is_last_try(c));
}

static int ask_source(struct collect *c, const struct plan_source *s, struct err *e);

/* What the failure of one source means for the task: 0 = the others go on. */
static int take_error(struct collect *c, const struct plan_source *s, const struct rota *rota,
		      struct err *e)
{
	bool waits = e->code == ERR_LIMITED, parked = e->code == ERR_QUOTA || e->code == ERR_PARKED;
	struct plan_source backup;

	if (!is_of_source(e))
		return -(int)e->code;
	if (is_down(c, e) && plan_backup(&c->plan, run_conf(c->run), s, &backup)) {
		log_warn("source %s is down, %s stands in error=\"%s\"", s->conf->name,
			 backup.conf->name, e->msg);
		tally_source(&c->tally, s, TALLY_DOWN, e, rota);
		return ask_source(c, &backup, e);
	}
	if (!parked && c->plan.n == 1)
		return limit_retries(c, -(int)e->code, e);
	if (err_is_transient(e->code) && !parked && (waits || !is_last_try(c)) &&
	    c->pending.code == ERR_NONE)
		c->pending = *e;
	tally_source(&c->tally, s, parked ? TALLY_PARKED : TALLY_FAILED, e, rota);
	return 0;
}

static int ask_source(struct collect *c, const struct plan_source *s, struct err *e)
{
	struct rota rota = { 0 };
	int r;

	if (s->keyless)
		return without_key(c, s, e);
	log_info("collection started run_id=%s source=%s query=\"%s\" location=\"%s\" questions=%d",
		 c->run_id, s->conf->name, c->order.queries[0], c->order.locations[0],
		 plan_questions(s, &c->order));
	r = walk_all(c, s, &rota, e);
	if (r < 0)
		return take_error(c, s, &rota, e);
	tally_source(&c->tally, s, TALLY_DONE, NULL, &rota);
	return 0;
}

/* The run's id is seen before anything else happens. */
static void show_start(struct collect *c)
{
	char *text = mem_printf("run %s", c->run_id);

	run_progress(c->run, 0, (int64_t)c->plan.n, text);
	free(text);
}

static int collect(struct collect *c, struct err *e)
{
	int r = plan_make(&c->plan, run_conf(c->run), &c->order, e);

	if (r < 0)
		return r;
	c->run_id = *c->order.run_id ? c->order.run_id : run_id(c->run);
	show_start(c);
	if ((r = pickup_files(c->run, e)) < 0)
		return r;
	r = 0;
	for (size_t i = 0; i < c->plan.n && r == 0; i++) {
		if (i > 0 && is_enough(c))
			break;
		r = ask_source(c, &c->plan.sources[i], e);
	}
	if (r == 0 && c->pending.code != ERR_NONE) {
		*e = c->pending;
		return limit_retries(c, -(int)e->code, e);
	}
	return r;
}

int collect_order(struct run *run, const struct order *order, const char *run_id_,
		  cJSON **ret_result, struct err *e)
{
	struct collect c = { .run = run, .order = *order };
	int64_t start = clock_mono_ms();
	int r;

	if (run_id_)
		c.order.run_id = run_id_;
	tally_init(&c.tally);
	r = collect(&c, e);
	if (r == 0)
		*ret_result = tally_result(&c.tally, c.run_id, c.order.strategy);
	if (c.run_id)
		log_info("collection ended run_id=%s outcome=%s jobs=%d calls=%d fresh=%d ms=%lld",
			 c.run_id, r == 0 ? tally_status(&c.tally) : err_name(e->code),
			 c.tally.sum.jobs, c.tally.sum.calls, c.tally.sum.fresh,
			 (long long)(clock_mono_ms() - start));
	tally_release(&c.tally);
	return r;
}

int collect_jobs(struct run *run, const cJSON *args, cJSON **ret_result, struct err *e)
{
	struct order order;
	int r = order_read(&order, args, e);

	return r < 0 ? r : collect_order(run, &order, NULL, ret_result, e);
}

/* Also what processing wrote: this comes round anyway. */
static int expire_copies(struct run *run)
{
	static const char *const kinds[] = { COPIES_RAW, COPIES_PROCESSED, COPIES_FAILED };
	const struct conf_fleet *fleet = &run_conf(run)->fleet;
	int gone = 0;

	for (size_t i = 0; i < COUNT(kinds); i++) {
		struct err e = { 0 };
		int n = copies_expire(fleet->data_dir, kinds[i], clock_wall_us(),
				      fleet->copies_days, &e);

		if (n < 0)
			log_warn("old copies stay error=\"%s\"", e.msg);
		gone += n > 0 ? n : 0;
	}
	return gone;
}

int collect_pick_up(struct run *run, const cJSON *args, cJSON **ret_result, struct err *e)
{
	int gone = expire_copies(run), n = pickup_files(run, e), r;
	struct pg *pg;

	(void)args;
	if (n < 0)
		return n;
	if ((r = run_db(run, &pg, e)) < 0 || (r = asking_prune(pg, e)) < 0)
		return r;
	*ret_result = mem_check(cJSON_CreateObject());
	json_set_str(*ret_result, "status", "success");
	json_set_num(*ret_result, "picked_up", n);
	json_set_num(*ret_result, "copies_expired", gone);
	return 0;
}
