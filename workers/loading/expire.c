/* SPDX-License-Identifier: MIT */
#include "workers/loading/expire.h"

#include "common/base/conf.h"
#include "common/base/err.h"
#include "common/base/json.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/store/pg.h"

/* One batch; *ret_n is how many it found. */
static int expire_batch(struct run *run, int64_t after_s, int64_t *ret_n, struct err *e)
{
	struct pg_rows *rows = NULL;
	struct pg *pg;
	int64_t r = run_db(run, &pg, e);

	if (r >= 0)
		r = pg_run(pg, "SELECT jobfleet.expire_postings($1::bigint, $2::int)",
			   PG_PARAMS(PG_INT(after_s), PG_INT(EXPIRE_BATCH)), &rows, e);
	if (r >= 0)
		*ret_n = pg_int(rows, 0, 0);
	pg_rows_free(rows);
	return r < 0 ? (int)r : 0;
}

static int expire_step(struct run *run, int step, int64_t after_s, int64_t *ret_n, struct err *e)
{
	char name[32];
	cJSON *saved = NULL;
	int r;

	snprintf(name, sizeof name, "batch-%d", step);
	r = run_step_begin(run, name, &saved, e);
	if (r > 0) {
		*ret_n = json_int(saved, "expired", 0);
	} else if (r == 0) {
		r = expire_batch(run, after_s, ret_n, e);
		saved = mem_check(cJSON_CreateObject());
		json_set_num(saved, "expired", r < 0 ? 0 : (double)*ret_n);
		if (r == 0)
			r = run_step_commit(run, name, saved, e);
	}
	cJSON_Delete(saved);
	return r < 0 ? r : 0;
}

int expire_postings(struct run *run, const cJSON *args, cJSON **ret_result, struct err *e)
{
	const struct conf *conf = run_conf(run);
	int64_t after_s = conf ? conf->fleet.expire_after_s : EXPIRE_AFTER_S;
	int64_t n = EXPIRE_BATCH, total = 0;

	(void)args;
	for (int step = 0; n == EXPIRE_BATCH; step++) {
		int r = run_cancelled(run) ? run_cancel_error(run, e) :
					     expire_step(run, step, after_s, &n, e);

		if (r < 0)
			return r;
		total += n;
		run_progress(run, total, 0, "expiring");
	}
	log_info("postings expired=%lld", (long long)total);
	*ret_result = mem_check(cJSON_CreateObject());
	json_set_str(*ret_result, "status", "success");
	json_set_num(*ret_result, "expired", (double)total);
	return 0;
}
