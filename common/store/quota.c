/* SPDX-License-Identifier: MIT */
#include "common/store/quota.h"

#include <stdbool.h>

#include "common/base/conf.h"
#include "common/base/err.h"
#include "common/base/mem.h"
#include "common/store/pg.h"

#define LIMITED "rate_limited"

enum { FAILURES_TO_OPEN = 5, UNKNOWN_END_S = 3600, LOW_PERCENT = 80, LIMITED_MAX_S = 3600 };

/* Opens the next period where the last one has ended. The first one begins with the calendar's;
 * a later one begins today, and ends one period after the end that its provider had stated. Two
 * periods that begin on one day (a provider's reset, a test) share a row. */
static const char SQL_ENSURE[] =
	"INSERT INTO jobfleet.provider_quota AS q (source, period, period_start, allowed, resets_at)"
	" SELECT $1, w.period,"
	"  CASE WHEN old.resets_at IS NULL THEN date_trunc(w.period, now() AT TIME ZONE 'UTC')::date"
	"   ELSE (now() AT TIME ZONE 'UTC')::date END,"
	"  nullif(w.allowed, 0),"
	"  CASE WHEN old.resets_at + w.len > now() THEN old.resets_at + w.len"
	"   ELSE (date_trunc(w.period, now() AT TIME ZONE 'UTC') + w.len) AT TIME ZONE 'UTC' END"
	" FROM (VALUES ('day', $2::int, interval '1 day'), ('month', $3::int, interval '1 month'))"
	"  AS w (period, allowed, len)"
	" CROSS JOIN LATERAL (SELECT max(o.resets_at) AS resets_at FROM jobfleet.provider_quota o"
	"  WHERE o.source = $1 AND o.period = w.period) AS old"
	" WHERE old.resets_at IS NULL OR old.resets_at <= now()"
	" ON CONFLICT (source, period, period_start) DO UPDATE SET used = 0, remaining = NULL,"
	"  allowed = excluded.allowed, resets_at = excluded.resets_at, updated_at = now()"
	"  WHERE q.resets_at <= now()";

/* The bound is the smaller of ours and, once the provider has spoken, its own.
 * Both rows are locked before either is judged, in one order, so two takers never both get the
 * last call nor wait for each other. The rows answered are those before the taking. */
static const char SQL_TAKE[] =
	"WITH cur AS ("
	"  SELECT period, period_start, used, remaining, resets_at,"
	"   least(nullif(CASE period WHEN 'day' THEN $3::int ELSE $4::int END, 0),"
	"    CASE WHEN remaining IS NOT NULL THEN allowed END) AS bound"
	"  FROM jobfleet.provider_quota WHERE source = $1 AND resets_at > now()"
	"  ORDER BY period FOR UPDATE),"
	" judged AS (SELECT *, (bound IS NULL OR used + $2::int <= bound)"
	"   AND (remaining IS NULL OR remaining >= $2::int) AS fits FROM cur),"
	" leave AS (SELECT bool_and(fits) AS given FROM judged),"
	" took AS (UPDATE jobfleet.provider_quota q SET used = j.used + $2::int,"
	"   remaining = j.remaining - $2::int, allowed = j.bound, updated_at = now()"
	"  FROM judged j, leave WHERE leave.given AND q.source = $1 AND q.period = j.period"
	"   AND q.period_start = j.period_start)"
	" SELECT leave.given, j.period, j.used, j.bound,"
	"  ceil(extract(epoch FROM j.resets_at - now()))::bigint FROM judged j, leave"
	" ORDER BY j.fits, j.resets_at DESC";

static const char SQL_CORRECT[] =
	"WITH old AS (SELECT period_start, used FROM jobfleet.provider_quota"
	"  WHERE source = $1 AND period = $2 AND resets_at > now() FOR UPDATE)"
	" UPDATE jobfleet.provider_quota q SET remaining = $4::int,"
	"  used = greatest($3::int - $4::int, 0), allowed = least(nullif($5::int, 0), $3::int),"
	"  resets_at = now() + make_interval(secs => $6::bigint), updated_at = now()"
	" FROM old WHERE q.source = $1 AND q.period = $2 AND q.period_start = old.period_start"
	" RETURNING old.used, q.used, q.allowed";

/* Seconds the circuit still holds calls back; a probe's turn moves the opening to now, so that
 * whoever asks meanwhile is held back. Infinite times cannot be subtracted, hence -1. */
#define HOLD "make_interval(secs => least(600, 60 * 2 ^ least(failures - 5, 10)))"
static const char SQL_STATE[] =
	"WITH s AS (SELECT coalesce(parked_until > now(), false) AS parked, coalesce(reason, '') AS reason,"
	"   CASE WHEN parked_until = 'infinity' THEN -1"
	"    ELSE ceil(extract(epoch FROM parked_until - now()))::bigint END AS parked_s,"
	"   ceil(extract(epoch FROM opened_at + " HOLD " - now()))::bigint AS open_s"
	"  FROM jobfleet.source_state WHERE source = $1 FOR UPDATE),"
	" probe AS (UPDATE jobfleet.source_state q SET opened_at = now(), updated_at = now() FROM s"
	"  WHERE q.source = $1 AND NOT s.parked AND s.open_s <= 0)"
	" SELECT parked, reason, parked_s, coalesce(open_s, 0) FROM s";

static int raise_alert(struct pg *p, const char *name, const char *source, const char *level,
		       const char *text, struct err *e)
{
	int64_t n = pg_run(p, "SELECT jobfleet.raise_alert($1, $2, $3, $4)",
			   PG_PARAMS(PG_TEXT(name), PG_TEXT(source), PG_TEXT(level), PG_TEXT(text)),
			   NULL, e);

	return n < 0 ? (int)n : 0;
}

static int held_back(struct err *e, enum err_code code, int64_t seconds, const char *source,
		     const char *why)
{
	int r = err_set(e, code, "source %s: %s", source, why);

	if (e)
		e->retry_after_ms = (seconds < 0 ? UNKNOWN_END_S : seconds) * 1000;
	return r;
}

static int check_state(struct pg *p, const char *source, struct err *e)
{
	struct pg_rows *rows = NULL;
	int64_t n = pg_run(p, SQL_STATE, PG_PARAMS(PG_TEXT(source)), &rows, e);
	int r = n < 0 ? (int)n : 0;

	if (n > 0 && pg_bool(rows, 0, 0) &&
	    strncmp(pg_text(rows, 0, 1), LIMITED ": ", strlen(LIMITED ": ")) == 0) {
		r = held_back(e, ERR_AGAIN, pg_int(rows, 0, 2), source, pg_text(rows, 0, 1));
	} else if (n > 0 && pg_bool(rows, 0, 0)) {
		r = held_back(e, ERR_PARKED, pg_int(rows, 0, 2), source, pg_text(rows, 0, 1));
	} else if (n > 0 && pg_int(rows, 0, 3) > 0) {
		r = held_back(e, ERR_AGAIN, pg_int(rows, 0, 3), source,
			      "circuit open after repeated failures");
		if (e)
			snprintf(e->exc_type, sizeof e->exc_type, QUOTA_CIRCUIT);
	}
	pg_rows_free(rows);
	return r;
}

/* One alert when the line is crossed, not one a call. */
static int warn_if_low(struct pg *p, const char *source, const char *period, int64_t before,
		       int64_t after, int64_t bound, struct err *e)
{
	char text[160];

	if (bound <= 0 || before * 100 >= bound * LOW_PERCENT || after * 100 < bound * LOW_PERCENT)
		return 0;
	snprintf(text, sizeof text, "%lld of %lld calls of this %s are used", (long long)after,
		 (long long)bound, period);
	return raise_alert(p, "quota_low", source, "WARNING", text, e);
}

/* rows: as SQL_TAKE answers, the period that refused first. */
static int used_up(struct pg *p, const char *source, const struct pg_rows *rows, struct err *e)
{
	char text[160];
	int r;

	snprintf(text, sizeof text, "quota used up: %lld calls made this %s",
		 (long long)pg_int(rows, 0, 2), pg_text(rows, 0, 1));
	r = quota_park(p, source, pg_int(rows, 0, 4), "quota_used_up", text, e);
	return r < 0 ? r : held_back(e, ERR_QUOTA, pg_int(rows, 0, 4), source, text);
}

static int take(struct pg *p, const struct conf_source *s, int calls, struct err *e)
{
	struct pg_rows *rows = NULL;
	int64_t n = pg_run(p, SQL_TAKE, PG_PARAMS(PG_TEXT(s->name), PG_INT(calls),
			   PG_INT(s->daily_quota), PG_INT(s->monthly_quota)), &rows, e);
	int r = n < 0 ? (int)n : 0;

	if (n > 0 && !pg_bool(rows, 0, 0))
		r = used_up(p, s->name, rows, e);
	else
		for (size_t i = 0; r == 0 && i < pg_rows_count(rows); i++)
			r = warn_if_low(p, s->name, pg_text(rows, i, 1), pg_int(rows, i, 2),
					pg_int(rows, i, 2) + calls, pg_int(rows, i, 3), e);
	pg_rows_free(rows);
	return r;
}

static int ensure(struct pg *p, const struct conf_source *s, struct err *e)
{
	int64_t n = pg_run(p, SQL_ENSURE, PG_PARAMS(PG_TEXT(s->name), PG_INT(s->daily_quota),
			   PG_INT(s->monthly_quota)), NULL, e);

	if (n > 0)	/* a period began: what was said about the last one is over */
		n = pg_run(p, "UPDATE jobfleet.alerts SET resolved_at = now() WHERE subject = $1"
			   " AND resolved_at IS NULL AND NOT ruled AND name IN ('quota_low', 'quota_used_up')",
			   PG_PARAMS(PG_TEXT(s->name)), NULL, e);
	return n < 0 ? (int)n : 0;
}

int quota_take(struct pg *p, const struct conf_source *s, int calls, struct err *e)
{
	int r = check_state(p, s->name, e);

	if (r == 0)
		r = ensure(p, s, e);
	if (r == 0)
		r = take(p, s, calls, e);
	return r;
}

int quota_correct(struct pg *p, const struct conf_source *s, enum quota_period period,
		  int64_t limit, int64_t remaining, int64_t reset_s, struct err *e)
{
	const char *name = period == QUOTA_DAY ? "day" : "month";
	struct pg_rows *rows = NULL;
	int64_t n;
	int r;

	if (limit < 0 || limit > INT32_MAX || remaining < 0 || remaining > limit || reset_s <= 0 ||
	    reset_s > 400LL * 86400)
		return err_set(e, ERR_PROTOCOL, "source %s: impossible quota headers", s->name);
	if ((r = ensure(p, s, e)) < 0)
		return r;
	n = pg_run(p, SQL_CORRECT, PG_PARAMS(PG_TEXT(s->name), PG_TEXT(name), PG_INT(limit),
		   PG_INT(remaining),
		   PG_INT(period == QUOTA_DAY ? s->daily_quota : s->monthly_quota),
		   PG_INT(reset_s)), &rows, e);
	r = n < 0 ? (int)n : 0;
	if (n > 0)
		r = warn_if_low(p, s->name, name, pg_int(rows, 0, 0), pg_int(rows, 0, 1),
				pg_int(rows, 0, 2), e);
	pg_rows_free(rows);
	return r;
}

int quota_park(struct pg *p, const char *source, int64_t seconds, const char *alert,
	       const char *reason, struct err *e)
{
	char *named = mem_printf("%s: %s", alert, reason);
	int64_t n = pg_run(p,
		"INSERT INTO jobfleet.source_state AS s (source, parked_until, reason) VALUES ($1,"
		" CASE WHEN $2::bigint < 0 THEN 'infinity' ELSE now() + make_interval(secs => $2::bigint) END,"
		" $3) ON CONFLICT (source) DO UPDATE SET parked_until = excluded.parked_until,"
		" reason = excluded.reason, updated_at = now()",
		PG_PARAMS(PG_TEXT(source), PG_INT(seconds), PG_TEXT(named)), NULL, e);

	free(named);
	return n < 0 ? (int)n : raise_alert(p, alert, source, "ERROR", reason, e);
}

int quota_unpark(struct pg *p, const char *source, const char *alert, struct err *e)
{
	int64_t n = pg_run(p,
		"UPDATE jobfleet.source_state SET parked_until = NULL, reason = NULL, updated_at = now()"
		" WHERE source = $1 AND parked_until IS NOT NULL AND starts_with(reason, $2 || ': ')",
		PG_PARAMS(PG_TEXT(source), PG_TEXT(alert)), NULL, e);

	if (n > 0)
		n = pg_run(p, "UPDATE jobfleet.alerts SET resolved_at = now() WHERE name = $1"
			   " AND subject = $2 AND resolved_at IS NULL AND NOT ruled",
			   PG_PARAMS(PG_TEXT(alert), PG_TEXT(source)), NULL, e);
	return n < 0 ? (int)n : 0;
}

/* How long it was limited before stands in the row: from updated_at to parked_until. Calls that
 * were under way at the same time are told the same thing, which doubles nothing. */
static const char SQL_LIMITED[] =
	"INSERT INTO jobfleet.source_state AS s (source, parked_until, reason)"
	" VALUES ($1, now() + make_interval(secs => $2::bigint), $3)"
	" ON CONFLICT (source) DO UPDATE SET parked_until = greatest(s.parked_until, now() +"
	"  make_interval(secs => greatest($2::bigint, CASE WHEN s.parked_until <= now()"
	"   AND starts_with(s.reason, '" LIMITED ": ')"
	"   THEN least(2 * extract(epoch FROM s.parked_until - s.updated_at), $4::bigint) END))),"
	"  reason = excluded.reason, updated_at = CASE WHEN s.parked_until > now()"
	"   THEN s.updated_at ELSE now() END"
	" RETURNING CASE WHEN parked_until = 'infinity' THEN $4::bigint"
	"  ELSE ceil(extract(epoch FROM parked_until - now()))::bigint END";

int quota_limited(struct pg *p, const char *source, int64_t seconds, const char *reason,
		  int64_t *ret_wait_s, struct err *e)
{
	char *named = mem_printf(LIMITED ": %s", reason);
	struct pg_rows *rows = NULL;
	int64_t n = pg_run(p, SQL_LIMITED, PG_PARAMS(PG_TEXT(source),
			   PG_INT(seconds > 0 ? seconds : 1), PG_TEXT(named),
			   PG_INT(LIMITED_MAX_S)), &rows, e);

	if (n > 0 && ret_wait_s)
		*ret_wait_s = pg_int(rows, 0, 0);
	pg_rows_free(rows);
	free(named);
	return n < 0 ? (int)n : raise_alert(p, LIMITED, source, "WARNING", reason, e);
}

int quota_share(struct pg *p, const struct conf_source *s, int spent, int *ret_calls,
		struct err *e)
{
	static const char SQL[] =
		"SELECT min(greatest(floor((least(bound - used, remaining) + $4::int)"
		" / greatest(ceil(extract(epoch FROM resets_at - now()) / 86400), 1)) - $4::int, 0))"
		" FROM (SELECT used, remaining, resets_at,"
		"  least(nullif(CASE period WHEN 'day' THEN $2::int ELSE $3::int END, 0),"
		"   CASE WHEN remaining IS NOT NULL THEN allowed END) AS bound"
		"  FROM jobfleet.provider_quota WHERE source = $1 AND resets_at > now()) q"
		" WHERE bound IS NOT NULL";
	struct pg_rows *rows = NULL;
	int64_t n = ensure(p, s, e);

	if (n == 0)
		n = pg_run(p, SQL, PG_PARAMS(PG_TEXT(s->name), PG_INT(s->daily_quota),
			   PG_INT(s->monthly_quota), PG_INT(spent)), &rows, e);
	if (n > 0)
		*ret_calls = pg_cell(rows, 0, 0) ? (int)pg_int(rows, 0, 0) : -1;
	pg_rows_free(rows);
	return n < 0 ? (int)n : 0;
}

int quota_failed(struct pg *p, const char *source, struct err *e)
{
	struct pg_rows *rows = NULL;
	int64_t n = pg_run(p,
		"INSERT INTO jobfleet.source_state AS s (source, failures) VALUES ($1, 1)"
		" ON CONFLICT (source) DO UPDATE SET failures = s.failures + 1, updated_at = now(),"
		" opened_at = CASE WHEN s.failures + 1 >= $2::int THEN now() ELSE s.opened_at END"
		" RETURNING failures", PG_PARAMS(PG_TEXT(source), PG_INT(FAILURES_TO_OPEN)), &rows, e);
	int64_t failures = n > 0 ? pg_int(rows, 0, 0) : 0;
	char text[96];

	pg_rows_free(rows);
	if (n < 0 || failures < FAILURES_TO_OPEN)
		return n < 0 ? (int)n : 0;
	snprintf(text, sizeof text, "%lld failures in a row", (long long)failures);
	return raise_alert(p, "circuit_open", source, "ERROR", text, e);
}

int quota_succeeded(struct pg *p, const char *source, struct err *e)
{
	int64_t n = pg_run(p,
		"UPDATE jobfleet.source_state SET failures = 0, opened_at = NULL, parked_until = NULL,"
		" reason = NULL, updated_at = now() WHERE source = $1"
		" AND (failures > 0 OR opened_at IS NOT NULL OR parked_until <= now())",
		PG_PARAMS(PG_TEXT(source)), NULL, e);

	if (n > 0)
		n = pg_run(p, "UPDATE jobfleet.alerts SET resolved_at = now() WHERE subject = $1"
			   " AND resolved_at IS NULL AND NOT ruled AND name <> 'quota_low'",
			   PG_PARAMS(PG_TEXT(source)), NULL, e);
	return n < 0 ? (int)n : 0;
}
