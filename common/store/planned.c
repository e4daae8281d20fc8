/* SPDX-License-Identifier: MIT */
#include "common/store/planned.h"

#include <stdbool.h>
#include <string.h>

#include "common/base/err.h"
#include "common/base/mem.h"
#include "common/base/plan.h"
#include "common/store/pg.h"

enum { KEYS_MOST = 64 };

static const char SQL_MARK[] =
	"SELECT count(*) || ' ' || coalesce(md5(string_agg(name || ' ' || settings::text, E'\\n'"
	" ORDER BY name)), '') FROM jobfleet.schedule_settings";

/* A schedule after another; jsonb_each_text gives each value as it would stand in the file. */
static const char SQL_READ[] =
	"SELECT s.name, k.key, k.value FROM jobfleet.schedule_settings s"
	" LEFT JOIN LATERAL jsonb_each_text(s.settings) k ON true ORDER BY s.name, k.key";

int planned_mark(struct pg *pg, char **ret, struct err *e)
{
	struct pg_rows *rows = NULL;
	int64_t n = pg_run(pg, SQL_MARK, NULL, 0, &rows, e);

	if (n > 0)
		*ret = mem_strdup(pg_text(rows, 0, 0));
	pg_rows_free(rows);
	return n < 0 ? (int)n : 0;
}

/* One schedule's rows from `from` on; returns where the next one begins. */
static size_t take(const struct pg_rows *rows, size_t from, struct plan_setting *out, size_t *ret_n)
{
	const char *name = pg_text(rows, from, 0);
	size_t i = from;

	*ret_n = 0;
	for (; i < pg_rows_count(rows) && strcmp(pg_text(rows, i, 0), name) == 0; i++) {
		if (pg_cell(rows, i, 1) && pg_cell(rows, i, 2) && *ret_n < KEYS_MOST)
			out[(*ret_n)++] = (struct plan_setting){ pg_text(rows, i, 1),
								 pg_text(rows, i, 2) };
	}
	return i;
}

/* One round over those not taken yet: whoever names one that comes later is taken in the next.
 * wrong is told in the last round only. Returns how many were taken. */
static size_t put_round(struct plan *p, const struct pg_rows *rows, bool *taken,
			planned_wrong *wrong, void *ctx)
{
	struct plan_setting settings[KEYS_MOST];
	size_t n, done = 0;

	for (size_t at = 0, next; at < pg_rows_count(rows); at = next) {
		struct err e = { 0 };

		next = take(rows, at, settings, &n);
		if (taken[at])
			continue;
		taken[at] = plan_put(p, pg_text(rows, at, 0), settings, n, &e) == 0;
		done += taken[at];
		if (!taken[at] && wrong)
			wrong(ctx, pg_text(rows, at, 0), &e);
	}
	return done;
}

static void put_all(struct plan *p, const struct pg_rows *rows, planned_wrong *wrong, void *ctx)
{
	bool *taken = mem_zalloc((pg_rows_count(rows) + 1) * sizeof *taken);

	while (put_round(p, rows, taken, NULL, NULL) > 0)
		;
	put_round(p, rows, taken, wrong, ctx);
	free(taken);
}

int planned_read(struct pg *pg, const struct conf *conf, planned_wrong *wrong, void *ctx,
		 struct plan **ret, char **ret_mark, struct err *e)
{
	struct pg_rows *rows = NULL;
	char *mark = NULL;
	int64_t n = planned_mark(pg, &mark, e);

	if (n == 0)
		n = pg_run(pg, SQL_READ, NULL, 0, &rows, e);
	if (n >= 0) {
		*ret = plan_new(conf);
		put_all(*ret, rows, wrong, ctx);
		if (ret_mark)
			*ret_mark = mark;
		else
			free(mark);
	} else {
		free(mark);
	}
	pg_rows_free(rows);
	return n < 0 ? (int)n : 0;
}
