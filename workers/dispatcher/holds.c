/* SPDX-License-Identifier: MIT */
#include "workers/dispatcher/holds.h"

#include <stdbool.h>

#include "common/base/clock.h"
#include "common/base/conf.h"
#include "common/base/err.h"
#include "common/base/mem.h"
#include "common/base/proviso.h"
#include "common/store/pg.h"

static const char SQL_AGE[] =
	"SELECT (extract(epoch FROM jobfleet.data_age($1, $2::timestamptz)) * 1000)::bigint";

static const char SQL_QUOTA[] =
	"SELECT jobfleet.quota_left($1, $2::integer, $3::integer, $4::timestamptz)";

static int64_t ask_age(struct pg *pg, const char *name, const char *now, struct pg_rows **ret,
		       struct err *e)
{
	return pg_run(pg, SQL_AGE, PG_PARAMS(PG_TEXT(name), PG_TEXT(now)), ret, e);
}

static int64_t ask_quota(struct pg *pg, const struct conf *conf, const char *name, const char *now,
			 struct pg_rows **ret, struct err *e)
{
	const struct conf_source *s = conf_source(conf, name);

	return pg_run(pg, SQL_QUOTA,
		      PG_PARAMS(PG_TEXT(name), PG_INT(s ? s->daily_quota : 0),
				PG_INT(s ? s->monthly_quota : 0), PG_TEXT(now)),
		      ret, e);
}

/* What has no figure holds: data that is not there is old, and without a bound much is left. */
static int ask_term(struct pg *pg, const struct conf *conf, const struct proviso_term *t,
		    const char *now, char **ret_why, struct err *e)
{
	struct pg_rows *rows = NULL;
	bool age = t->kind == PROVISO_AGE;
	int64_t n = age ? ask_age(pg, t->name, now, &rows, e)
			: ask_quota(pg, conf, t->name, now, &rows, e);
	int64_t got = n > 0 ? pg_int(rows, 0, 0) : 0;
	bool fits = n > 0 && (!pg_cell(rows, 0, 0) || got > t->least);

	pg_rows_free(rows);
	if (n < 0)
		return (int)n;
	if (!fits && age)
		*ret_why = mem_printf("age(%s) is %lld s, not over %lld s", t->name,
				      (long long)got / 1000, (long long)t->least / 1000);
	else if (!fits)
		*ret_why = mem_printf("quota(%s) is %lld, not over %lld", t->name, (long long)got,
				      (long long)t->least);
	return fits;
}

int holds_ask(struct pg *pg, const struct conf *conf, const char *condition, int64_t now_us,
	      char **ret_why, struct err *e)
{
	char now[CLOCK_ISO_SIZE];
	struct proviso p;
	int r = proviso_parse(condition, &p, e);

	if (r < 0)
		return r;
	clock_iso(now_us, now);
	for (size_t i = 0; i < p.n; i++) {
		r = ask_term(pg, conf, &p.terms[i], now, ret_why, e);
		if (r <= 0)
			return r;
	}
	return 1;
}
