/* SPDX-License-Identifier: MIT */
#include "workers/salary/flight.h"

#include <stdint.h>
#include <time.h>

#include "common/base/clock.h"
#include "common/base/err.h"
#include "common/store/asking.h"
#include "common/store/pg.h"
#include "common/worker/run.h"

#define LEASE_MS 90000			/* longer than the sources take, which are asked at once */
#define TURN_MS 60000
#define NAP_MS 50
#define COME_BACK_MS 1000

static int nap(struct run *run, struct err *e)
{
	const struct timespec t = { .tv_nsec = NAP_MS * 1000000 };

	if (run_cancelled(run))
		return run_cancel_error(run, e);
	nanosleep(&t, NULL);
	return 0;
}

static int lease(struct run *run, const char *key, struct err *e)
{
	struct pg *pg;
	int r = run_db_read(run, &pg, e);

	return r < 0 ? r : asking_lease(pg, key, run_id(run), LEASE_MS, e);
}

int flight_board(struct run *run, const char *key,
		 int (*landed)(void *ctx, bool waited, struct err *e), void *ctx, struct err *e)
{
	int64_t end = clock_mono_ms() + TURN_MS;
	bool waited = false;
	int r;

	for (;;) {
		if ((r = landed(ctx, waited, e)) != 0 || (r = lease(run, key, e)) < 0)
			return r;
		/* Whoever had it may have landed between the two looks. */
		if (r > 0)
			break;
		if (clock_mono_ms() >= end) {
			err_set(e, ERR_LIMITED, "another task is asking the same");
			if (e)
				e->retry_after_ms = COME_BACK_MS;
			return -ERR_LIMITED;
		}
		if ((r = nap(run, e)) < 0)
			return r;
		waited = true;
	}
	r = landed(ctx, waited, e);
	if (r != 0)
		flight_end(run, key);
	return r;
}

void flight_end(struct run *run, const char *key)
{
	struct pg *pg;

	if (run_db_read(run, &pg, NULL) == 0)
		(void)asking_release(pg, key, run_id(run), NULL);
}
