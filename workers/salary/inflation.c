/* SPDX-License-Identifier: MIT */
#include "workers/salary/inflation.h"

#include <string.h>

#include "common/base/clock.h"
#include "common/base/conf.h"
#include "common/base/mem.h"
#include "common/base/scan.h"
#include "common/store/redis.h"
#include "common/worker/run.h"
#include "workers/salary/bls.h"
#include "workers/salary/fred.h"
#include "workers/salary/source.h"

#define FIRST_YEAR 1980
#define YEARS_MAX 200
#define POINTS_MAX 2000
#define TEXT_MAX 16384
#define TTL "2592000"			/* 30 days */
#define MISSING_MONTHS 1
#define INDEX_MAX_E4 (INT64_C(100000) * 10000)	/* 2026 has about 330 */
#define FACTOR_MAX_E6 (INT64_C(50) * 1000000)

/* A year's months added up. */
struct year {
	int months, last_month;
	int64_t sum_e4;
};

struct prices {
	char series[16];
	struct year years[YEARS_MAX];	/* from FIRST_YEAR */
};

static bool is_full(const struct year *y)
{
	return y->last_month == 12 && y->months >= 12 - MISSING_MONTHS;
}

static void add(struct prices *p, int year, int month, struct amount index)
{
	struct year *y;

	if (year < FIRST_YEAR || year >= FIRST_YEAR + YEARS_MAX || month < 1 || month > 12 ||
	    index.kind != AMOUNT_VALUE || index.e4 <= 0 || index.e4 > INDEX_MAX_E4)
		return;
	y = &p->years[year - FIRST_YEAR];
	y->months++;
	y->sum_e4 += index.e4;
	if (month > y->last_month)
		y->last_month = month;
}

static int newest_full(const struct prices *p)
{
	for (int i = YEARS_MAX - 1; i >= 0; i--)
		if (is_full(&p->years[i]))
			return FIRST_YEAR + i;
	return 0;
}

/* ---- what is remembered: "CPIAUCSL 2023:12:36540000 2024:12:37620000", full years ---- */

static void put_key(struct run *run, char key[80])
{
	snprintf(key, 80, "%.60sconsumer_prices", run_conf(run)->fleet.redis_prefix);
}

static void read_year(char *word, struct prices *p)
{
	char *year = strsep(&word, ":"), *months = strsep(&word, ":");
	int at, n;
	int64_t sum;

	if (!word || scan_int(year, FIRST_YEAR, FIRST_YEAR + YEARS_MAX - 1, &at, NULL) < 0 ||
	    scan_int(months, 12 - MISSING_MONTHS, 12, &n, NULL) < 0 ||
	    scan_int64(word, 1, 12 * INDEX_MAX_E4, &sum, NULL) < 0)
		return;
	p->years[at - FIRST_YEAR] = (struct year){ n, 12, sum };
}

static bool recall(struct run *run, struct prices *p)
{
	struct redis_reply *reply = NULL;
	struct redis *redis;
	char key[80], *rest, *word;

	put_key(run, key);
	if (run_redis(run, &redis, NULL) < 0 ||
	    redis_cmd(redis, &reply, NULL, "GET", key, NULL) < 0)
		return false;
	*p = (struct prices){ 0 };
	rest = reply->type == REDIS_STRING ? reply->str : NULL;
	if (rest && (word = strsep(&rest, " ")))
		snprintf(p->series, sizeof p->series, "%s", word);
	while (rest && (word = strsep(&rest, " ")))
		read_year(word, p);
	redis_reply_free(reply);
	return newest_full(p) > 0;
}

static void remember(struct run *run, const struct prices *p)
{
	struct redis *redis;
	struct buf text;
	char key[80];

	buf_init(&text, TEXT_MAX);
	buf_puts(&text, p->series);
	for (int i = 0; i < YEARS_MAX; i++)
		if (is_full(&p->years[i]))
			buf_printf(&text, " %d:%d:%lld", FIRST_YEAR + i, p->years[i].months,
				   (long long)p->years[i].sum_e4);
	put_key(run, key);
	if (run_redis(run, &redis, NULL) >= 0)
		(void)redis_cmd(redis, NULL, NULL, "SETEX", key, TTL, buf_text(&text), NULL);
	buf_release(&text);
}

/* ---- the sources ---- */

static int hear_fred(struct talk *t, int question, const struct http_response *a, struct err *e)
{
	struct fred_point *points = mem_zalloc(POINTS_MAX * sizeof *points);
	struct prices *p = t->of;
	size_t n = 0;
	int r = fred_parse_all(a->status, buf_text(&a->body), a->body.len, points, POINTS_MAX, &n,
			       e);

	(void)question;
	for (size_t i = 0; r == 0 && i < n; i++)
		add(p, points[i].year, points[i].month, points[i].value);
	free(points);
	return r;
}

static int hear_bls(struct talk *t, int question, const struct http_response *a, struct err *e)
{
	struct bls_reply *reply = NULL;
	const struct bls_cell *cell;
	int r = bls_parse(a->status, a->content_type, buf_text(&a->body), a->body.len, &reply, e);

	(void)question;
	cell = r == 0 ? bls_cell(reply, BLS_CPI) : NULL;
	for (size_t i = 0; cell && i < cell->nrows; i++)
		add(t->of, cell->rows[i].year, cell->rows[i].month, cell->rows[i].value);
	bls_reply_free(reply);
	return r;
}

static int listen_to(struct talk *t, struct prices *p, const char *series, struct err *e)
{
	int r = talk_listen(t->run, e);

	if (r < 0)
		return r;
	if (t->code < 0) {
		*e = t->err;
		return t->code;
	}
	snprintf(p->series, sizeof p->series, "%s", series);
	return newest_full(p) > 0 ? 0 : err_set(e, ERR_PROTOCOL, "%s: no full year of %s",
						t->source, series);
}

static int ask_fred(struct run *run, struct prices *p, struct err *e)
{
	struct ask what = { .key_parameter = "api_key" };
	struct buf path;
	struct talk t;

	*p = (struct prices){ 0 };
	buf_init(&path, 512);
	fred_path_since(FRED_CPI, FIRST_YEAR, &path);
	what.path = buf_text(&path);
	talk_init(&t, run, "fred", hear_fred, p);
	talk_ask(&t, 0, what);
	buf_release(&path);
	return listen_to(&t, p, FRED_CPI, e);
}

static int this_year(void)
{
	char now[CLOCK_ISO_SIZE];
	int year = FIRST_YEAR;

	clock_iso(clock_wall_us(), now);
	now[4] = '\0';
	(void)scan_int(now, FIRST_YEAR, 9999, &year, NULL);
	return year;
}

static int ask_bls(struct run *run, struct prices *p, struct err *e)
{
	const char *key = ask_key(run, "bls");
	int last = this_year(), span = key ? BLS_MAX_YEARS : BLS_MAX_YEARS_NO_KEY;
	struct ask what = { .method = "POST", .path = "/timeseries/data/" };
	const char id[1][BLS_ID_SIZE] = { BLS_CPI };
	struct buf body;
	struct talk t;
	int r;

	*p = (struct prices){ 0 };
	buf_init(&body, 1024);
	r = bls_body(id, 1, last - span + 1, last, key, &body, e);
	what.body = body.data;
	what.body_len = body.len;
	talk_init(&t, run, "bls", hear_bls, p);
	if (r >= 0)
		talk_ask(&t, 0, what);
	buf_release(&body);
	return r < 0 ? r : listen_to(&t, p, BLS_CPI, e);
}

static int find_prices(struct run *run, struct prices *p, struct err *e)
{
	int r;

	if (recall(run, p))
		return 0;
	r = ask_fred(run, p, e);
	if (r < 0 && !source_ends_task(r))
		r = ask_bls(run, p, e);
	if (r >= 0)
		remember(run, p);
	return r;
}

static int64_t factor_e6(const struct year *from, const struct year *to)
{
	__extension__ typedef __int128 wide;
	wide above = (wide)to->sum_e4 * from->months * 1000000,
	     below = (wide)from->sum_e4 * to->months;

	return (int64_t)((2 * above + below) / (2 * below));
}

int inflation_factor(struct run *run, int from_year, struct inflation *ret, struct err *e)
{
	struct prices p;
	struct inflation got = { .from_year = from_year, .factor_e6 = 1000000 };
	int r = find_prices(run, &p, e);

	if (r < 0)
		return r;
	got.to_year = newest_full(&p);
	memcpy(got.series, p.series, sizeof got.series);
	if (from_year < FIRST_YEAR ||
	    (from_year < got.to_year && !is_full(&p.years[from_year - FIRST_YEAR])))
		return err_set(e, ERR_NOT_FOUND, "%s has no prices of %d", p.series, from_year);
	if (from_year < got.to_year)
		got.factor_e6 = factor_e6(&p.years[from_year - FIRST_YEAR],
					  &p.years[got.to_year - FIRST_YEAR]);
	if (got.factor_e6 <= 0 || got.factor_e6 > FACTOR_MAX_E6)
		return err_set(e, ERR_PROTOCOL, "%s: prices of %d and %d do not go together",
			       p.series, from_year, got.to_year);
	*ret = got;
	return 0;
}
