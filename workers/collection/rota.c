/* SPDX-License-Identifier: MIT */
#include "workers/collection/rota.h"

#include "common/base/conf.h"
#include "common/base/err.h"
#include "common/base/json.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/store/pg.h"
#include "common/store/quota.h"
#include "common/worker/run.h"
#include "workers/collection/order.h"
#include "workers/collection/plan.h"
#include "workers/collection/watermark.h"

struct turn {
	int number;
	int64_t asked_us;
};

static int by_age(const void *a, const void *b)
{
	const struct turn *x = a, *y = b;

	if (x->asked_us != y->asked_us)
		return x->asked_us < y->asked_us ? -1 : 1;
	return x->number - y->number;
}

/* Schedules come round daily or a little sooner. */
static int calls_today(struct pg *pg, const char *source, int *ret, struct err *e)
{
	struct pg_rows *rows = NULL;
	int64_t n = pg_run(pg, "SELECT count(*) FROM public.raw_job_collections WHERE timestamp >"
			   " now() - interval '20 hours' AND api_provider = $1"
			   " AND metadata->>'collection_strategy' = 'scheduled' AND NOT is_demo",
			   PG_PARAMS(PG_TEXT(source)), &rows, e);

	*ret = n > 0 ? (int)pg_int(rows, 0, 0) : 0;
	pg_rows_free(rows);
	return n < 0 ? (int)n : 0;
}

static int sort_by_age(struct rota *rota, struct pg *pg, const struct order *order,
		       const struct plan_source *s, struct err *e)
{
	struct turn turns[ROTA_QUESTIONS] = { { 0 } };
	int r = 0;

	for (int i = 0; i < rota->all && r == 0; i++) {
		char board[PLAN_BOARD_BYTES];
		struct source_ask ask;
		struct watermark mark;

		plan_question(s, order, i, board, &ask);
		r = watermark_read(pg, s->conf->name, &ask, &mark, e);
		turns[i] = (struct turn){ i, mark.asked_us };
	}
	if (r < 0)
		return r;
	qsort(turns, (size_t)rota->all, sizeof *turns, by_age);
	for (int i = 0; i < rota->all; i++)
		rota->numbers[i] = turns[i].number;
	return 0;
}

static void cut(struct rota *rota)
{
	if (rota->share < 0 || rota->share >= rota->all * rota->pages)
		return;
	rota->rotated = true;
	if (rota->share < rota->pages)
		rota->pages = rota->share;
	rota->n = rota->pages > 0 ? rota->share / rota->pages : 0;
}

static int make(struct rota *rota, struct run *run, const struct order *order,
		const struct plan_source *s, struct err *e)
{
	struct pg *pg;
	int spent = 0, r = run_db_read(run, &pg, e);

	if (r == 0)
		r = calls_today(pg, s->conf->name, &spent, e);
	if (r == 0)
		r = quota_share(pg, s->conf, spent, &rota->share, e);
	if (r == 0)
		r = sort_by_age(rota, pg, order, s, e);
	if (r == 0)
		cut(rota);
	if (r == 0 && rota->rotated)
		log_info("the quota would not last, so questions take turns source=%s calls=%d"
			 " questions=%d of=%d pages=%d", s->conf->name, rota->share, rota->n,
			 rota->all, rota->pages);
	return r;
}

static cJSON *to_json(const struct rota *rota)
{
	cJSON *o = mem_check(cJSON_CreateObject());

	json_set(o, "numbers", mem_check(cJSON_CreateIntArray(rota->numbers, rota->n)));
	json_set_num(o, "pages", rota->pages);
	json_set_num(o, "share", rota->share);
	json_set_bool(o, "rotated", rota->rotated);
	return o;
}

static void from_json(struct rota *rota, const cJSON *o)
{
	const cJSON *number;

	rota->n = 0;
	cJSON_ArrayForEach(number, json_get(o, "numbers")) {
		if (rota->n < rota->all)
			rota->numbers[rota->n++] = number->valueint;
	}
	rota->pages = (int)json_int(o, "pages", rota->pages);
	rota->share = (int)json_int(o, "share", -1);
	rota->rotated = json_bool(o, "rotated", false);
}

static int make_once(struct rota *rota, struct run *run, const struct order *order,
		     const struct plan_source *s, struct err *e)
{
	char step[80];
	cJSON *saved = NULL;
	int r;

	snprintf(step, sizeof step, "%.50s rota", s->conf->name);
	r = run_step_begin(run, step, &saved, e);
	if (r > 0)
		from_json(rota, saved);
	if (r == 0 && (r = make(rota, run, order, s, e)) == 0) {
		saved = to_json(rota);
		r = run_step_commit(run, step, saved, e);
	}
	cJSON_Delete(saved);
	return r < 0 ? r : 0;
}

int rota_make(struct rota *ret, struct run *run, const struct order *order,
	      const struct plan_source *s, struct err *e)
{
	int all = plan_questions(s, order);

	*ret = (struct rota){ .pages = order->pages ? order->pages : s->conf->page_budget,
			      .share = -1 };
	ret->n = ret->all = all < ROTA_QUESTIONS ? all : ROTA_QUESTIONS;
	for (int i = 0; i < ret->all; i++)
		ret->numbers[i] = i;
	if (strcmp(order->strategy, "scheduled") != 0 ||
	    (s->conf->daily_quota == 0 && s->conf->monthly_quota == 0))
		return 0;
	return make_once(ret, run, order, s, e);
}
