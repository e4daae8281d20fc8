/* SPDX-License-Identifier: MIT */
/* Pay, demand and remote share as the postings of our own database have them; source.h has the
 * formulas. */
#include <string.h>

#include "common/base/clock.h"
#include "common/base/conf.h"
#include "common/base/err.h"
#include "common/base/mem.h"
#include "common/base/scan.h"
#include "common/store/pg.h"
#include "common/store/redis.h"
#include "common/worker/run.h"
#include "workers/salary/source.h"

#define ENOUGH_TEXT "30"
#define ENOUGH 30			/* offers or postings below which nothing is said */
#define WIDE_TTL "3600"			/* counts over a state or the nation read every posting */
#define PAY_NOTE "pay as advertised: the middle of each offer's annualised range"
#define MARKET_NOTE "open postings of the last 30 days that this fleet has collected"
#define NOT_SPLIT "pay as advertised for all levels, degrees and industries together"

/* Rows that loading keeps up to date: of one city, by the SOC title (sql/011_loading.sql). */
static const char SQL_CITY[] =
	"SELECT median_salary, mean_salary, percentile_25, percentile_75, percentile_90, sample_size,"
	" year, coalesce(data_freshness_days, 0) + greatest(0, current_date - updated_at::date)"
	" FROM salary_benchmarks WHERE data_source = 'postings' AND location = $1 AND occupation = $2"
	" AND industry IS NULL AND experience_level IS NULL AND education_level IS NULL"
	" AND metadata ? 'basis' AND sample_size >= " ENOUGH_TEXT " ORDER BY year DESC LIMIT 1";

/* The same over all cities of a metro, of the last year. */
static const char SQL_METRO[] =
	"SELECT round(jobfleet.percentile(amounts, 0.5), 2), mean,"
	" round(jobfleet.percentile(amounts, 0.25), 2), round(jobfleet.percentile(amounts, 0.75), 2),"
	" round(jobfleet.percentile(amounts, 0.9), 2), n, extract(year FROM newest)::int,"
	" greatest(0, current_date - newest) FROM ("
	"  SELECT array_agg(b.amount ORDER BY b.amount) AS amounts, round(avg(b.amount), 2) AS mean,"
	"   count(*) AS n, max(b.day) AS newest"
	"  FROM enhanced_jobs j JOIN jobfleet.posting_pay b ON b.id = j.id"
	"  WHERE j.cbsa = $1 AND j.soc_code = $2 AND b.day > current_date - 365) AS offers"
	" WHERE n >= " ENOUGH_TEXT;

#define COUNTS \
	"SELECT count(*) FILTER (WHERE soc_code = $1), count(*)," \
	" count(*) FILTER (WHERE soc_code = $1 AND remote <> 'unknown')," \
	" count(*) FILTER (WHERE soc_code = $1 AND remote = 'remote')" \
	" FROM enhanced_jobs WHERE status = 'active' AND NOT is_demo" \
	" AND coalesce(posted_at, first_seen) >= now() - interval '30 days' AND "
static const char SQL_IN_METRO[] = COUNTS "cbsa = $2";
static const char SQL_IN_STATE[] = COUNTS "country = 'US' AND state = $2";
static const char SQL_IN_NATION[] = COUNTS "country = $2";

/* Open postings of a place. */
struct counts {
	int64_t here, all;		/* of the occupation, of every one */
	int64_t known, remote;		/* of here: that say where one works, and anywhere */
};

static struct amount cell(const struct pg_rows *rows, size_t column)
{
	struct amount a = { AMOUNT_ABSENT, 0 };

	if (amount_parse(pg_text(rows, 0, column), &a, NULL) < 0 || a.e4 <= 0)
		return (struct amount){ AMOUNT_ABSENT, 0 };
	return a;
}

static void read_pay(const struct pg_rows *rows, const struct request *r, struct findings *f)
{
	struct benchmark *b = findings_benchmark(f, "postings");

	if (!b)
		return;
	b->area = r->area;
	b->median = cell(rows, 0);
	b->mean = cell(rows, 1);
	b->p25 = cell(rows, 2);
	b->p75 = cell(rows, 3);
	b->p90 = cell(rows, 4);
	b->sample = pg_int(rows, 0, 5);
	b->year = (int)pg_int(rows, 0, 6);
	b->age_days = pg_int(rows, 0, 7);
	b->unsplit = *r->experience || *r->education || *r->industry;
	b->note = b->unsplit ? NOT_SPLIT : PAY_NOTE;
}

/* 1: there are enough offers. */
static int find_pay(struct pg *pg, const struct request *r, struct findings *f, struct err *e)
{
	const struct occupation_row *o = r->occupation.row;
	struct pg_rows *rows = NULL;
	int64_t n = pg_run(pg, SQL_CITY, PG_PARAMS(PG_TEXT(r->area.label), PG_TEXT(o->title)),
			   &rows, e);

	if (n == 0 && r->area.level == AREA_METRO) {
		pg_rows_free(rows);
		rows = NULL;
		n = pg_run(pg, SQL_METRO, PG_PARAMS(PG_TEXT(r->area.metro->cbsa), PG_TEXT(o->soc)),
			   &rows, e);
	}
	if (n > 0 && amount_is_known(cell(rows, 0)))
		read_pay(rows, r, f);
	pg_rows_free(rows);
	return n < 0 ? (int)n : n > 0;
}

static bool recall(struct run *run, const char *key, struct counts *ret)
{
	int64_t *const parts[] = { &ret->here, &ret->all, &ret->known, &ret->remote };
	struct redis_reply *reply = NULL;
	struct redis *redis;
	size_t n = 0;
	char *rest, *word;

	if (run_redis(run, &redis, NULL) < 0 ||
	    redis_cmd(redis, &reply, NULL, "GET", key, NULL) < 0)
		return false;
	rest = reply->type == REDIS_STRING ? reply->str : NULL;
	while (rest && n < COUNT(parts) && (word = strsep(&rest, " ")) &&
	       scan_int64(word, 0, INT32_MAX, parts[n], NULL) == 0)
		n++;
	redis_reply_free(reply);
	return n == COUNT(parts);
}

static void remember(struct run *run, const char *key, const struct counts *c)
{
	struct redis *redis;
	char text[96];

	snprintf(text, sizeof text, "%lld %lld %lld %lld", (long long)c->here, (long long)c->all,
		 (long long)c->known, (long long)c->remote);
	if (run_redis(run, &redis, NULL) >= 0)
		(void)redis_cmd(redis, NULL, NULL, "SETEX", key, WIDE_TTL, text, NULL);
}

static int count(struct run *run, struct pg *pg, const struct area *a, const char *soc,
		 struct counts *ret, struct err *e)
{
	static const char *const SQL[] = { [AREA_NATION] = SQL_IN_NATION,
					   [AREA_STATE] = SQL_IN_STATE,
					   [AREA_METRO] = SQL_IN_METRO };
	const char *code = a->level == AREA_METRO ? a->metro->cbsa :
			   a->level == AREA_STATE ? a->state->abbr :
						    "US";
	struct pg_rows *rows = NULL;
	char key[128];
	int64_t n;

	snprintf(key, sizeof key, "%.60sopen_postings:%.8s:%.16s",
		 run_conf(run)->fleet.redis_prefix, code, soc);
	if (a->level != AREA_METRO && recall(run, key, ret))
		return 0;
	n = pg_run(pg, SQL[a->level], PG_PARAMS(PG_TEXT(soc), PG_TEXT(code)), &rows, e);
	if (n > 0)
		*ret = (struct counts){ pg_int(rows, 0, 0), pg_int(rows, 0, 1), pg_int(rows, 0, 2),
					pg_int(rows, 0, 3) };
	pg_rows_free(rows);
	if (n > 0 && a->level != AREA_METRO)
		remember(run, key, ret);
	return n < 0 ? (int)n : 0;
}

/* The place's share of the occupation over the sum of its share and the nation's, in whole
 * ten-thousandths. */
static struct amount demand(const struct counts *place, const struct counts *nation)
{
	__extension__ typedef __int128 wide;
	wide ours = (wide)place->here * nation->all, both = ours + (wide)nation->here * place->all;

	if (place->here < ENOUGH || both <= 0)
		return (struct amount){ AMOUNT_ABSENT, 0 };
	return (struct amount){ AMOUNT_VALUE, (int64_t)((20000 * ours + both) / (2 * both)) };
}

static void add_market(const struct request *r, const struct counts *place,
		       const struct counts *nation, struct findings *f)
{
	struct market *m = findings_market(f, "postings");
	int month = 1, year = 0;
	char now[CLOCK_ISO_SIZE];

	if (!m)
		return;
	clock_iso(clock_wall_us(), now);
	now[4] = now[7] = '\0';
	(void)scan_int(now, 1970, 9999, &year, NULL);
	(void)scan_int(now + 5, 1, 12, &month, NULL);
	m->area = r->area;
	m->year = year;
	m->quarter = (month + 2) / 3;
	m->age_days = 0;
	m->job_count = AMOUNT_OF(place->here);
	if (place->known >= ENOUGH)
		m->remote = amount_percent(AMOUNT_OF(place->remote), AMOUNT_OF(place->known));
	if (r->area.level != AREA_NATION)
		m->demand = demand(place, nation);
	m->note = MARKET_NOTE;
}

int source_postings(struct run *run, const struct request *r, struct findings *f, struct err *e)
{
	struct area nation = r->area;
	struct counts here = { 0 }, us = { 0 };
	const char *soc = r->occupation.row->soc;
	struct pg *pg;
	int found, code = run_db_read(run, &pg, e);

	if (code >= 0)
		code = found = find_pay(pg, r, f, e);
	if (code < 0 || r->area.level == AREA_FOREIGN) {	/* shares are counted in the US alone */
		if (code > 0)
			findings_note(f, "postings", "ok", NULL);
		return code < 0 ? code : 0;
	}
	while (nation.level != AREA_NATION)
		nation = area_widen(&nation);
	code = count(run, pg, &r->area, soc, &here, e);
	if (code >= 0 && here.here >= ENOUGH)
		code = count(run, pg, &nation, soc, &us, e);
	if (code < 0)
		return code;
	if (here.here >= ENOUGH)
		add_market(r, &here, &us, f);
	if (found || here.here >= ENOUGH)
		findings_note(f, "postings", "ok", NULL);
	return 0;
}
