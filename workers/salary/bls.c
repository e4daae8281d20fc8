/* SPDX-License-Identifier: MIT */
#include "workers/salary/bls.h"

#include <string.h>
#include <strings.h>

#include "common/base/clock.h"
#include "common/base/err.h"
#include "common/base/json.h"
#include "common/base/mem.h"
#include "common/base/scan.h"

#define MAX_REPLY_SERIES 200
#define MAX_ROWS 1024			/* of a series: 20 years of months are 260 */
#define DAY_MS INT64_C(86400000)
/* Midnight Eastern is 05:00 UTC in winter, 04:00 in summer: the later one is right for both. */
#define EASTERN_MIDNIGHT_MS (5 * INT64_C(3600000))
/* The ceiling of May 2025 estimates; used when a footnote names no amount. */
#define TOP_ANNUAL 239200
#define TOP_HOURLY 115

const enum bls_datatype BLS_PAIR_TYPES[BLS_PAIR_SERIES] = {
	BLS_EMPLOYMENT, BLS_ANNUAL_MEAN, BLS_ANNUAL_P10, BLS_ANNUAL_P25, BLS_ANNUAL_MEDIAN,
	BLS_ANNUAL_P75, BLS_ANNUAL_P90,
};

struct bls_reply {
	struct bls_cell *cells;
	size_t count;
};

void bls_wage_id(const struct area *a, const struct occupation_row *o, enum bls_datatype type,
		 char out[BLS_ID_SIZE])
{
	char soc[7], area[9];

	occupation_digits(o, soc);
	if (a->level == AREA_METRO)
		snprintf(area, sizeof area, "M00%.5s", a->metro->cbsa);
	else if (a->level == AREA_STATE)
		snprintf(area, sizeof area, "S%.2s00000", a->state->fips);
	else
		snprintf(area, sizeof area, "N0000000");
	snprintf(out, BLS_ID_SIZE, "OEU%s000000%s%02u", area, soc, (unsigned)type % 100);
}

static void local_id(const struct area *a, unsigned measure, const char *nation,
		     char out[BLS_ID_SIZE])
{
	if (a->level == AREA_METRO)
		snprintf(out, BLS_ID_SIZE, "LAUMT%.2s%.5s000000%02u", a->metro->fips,
			 a->metro->cbsa, measure % 100);
	else if (a->level == AREA_STATE)
		snprintf(out, BLS_ID_SIZE, "LASST%.2s00000000000%02u", a->state->fips,
			 measure % 100);
	else
		snprintf(out, BLS_ID_SIZE, "%s", nation);
}

void bls_unemployment_id(const struct area *a, char out[BLS_ID_SIZE])
{
	local_id(a, 3, "LNS14000000", out);
}

void bls_employed_id(const struct area *a, char out[BLS_ID_SIZE])
{
	local_id(a, 5, "LNS12000000", out);
}

int bls_body(const char (*ids)[BLS_ID_SIZE], size_t n, int first_year, int last_year,
	     const char *key, struct buf *ret, struct err *e)
{
	size_t limit = key ? BLS_MAX_SERIES : BLS_MAX_SERIES_NO_KEY;

	if (n == 0 || n > limit)
		return err_set(e, ERR_TOO_BIG,
			       "%zu series in one BLS call; 1 to %zu are taken %s a key", n, limit,
			       key ? "with" : "without");
	buf_puts(ret, "{\"seriesid\":[");
	for (size_t i = 0; i < n; i++) {
		buf_puts(ret, i ? "," : "");
		buf_put_json_string(ret, ids[i]);
	}
	buf_puts(ret, "]");
	if (first_year > 0)
		buf_printf(ret, ",\"startyear\":\"%d\",\"endyear\":\"%d\"", first_year, last_year);
	if (key) {
		buf_puts(ret, ",\"registrationkey\":");
		buf_put_json_string(ret, key);
	}
	buf_puts(ret, "}");
	return buf_overflowed(ret) ? err_set(e, ERR_TOO_BIG, "BLS request is too big") : 0;
}

static int park_till_tomorrow(struct err *e)
{
	int64_t now = clock_wall_ms() - EASTERN_MIDNIGHT_MS;
	int r = err_set(e, ERR_QUOTA, "BLS: the daily number of requests is used up");

	if (e)
		e->retry_after_ms = DAY_MS - now % DAY_MS;
	return r;
}

static bool says(const cJSON *messages, const char *part)
{
	const cJSON *m;

	cJSON_ArrayForEach(m, messages) {
		if (cJSON_IsString(m) && strcasestr(m->valuestring, part))
			return true;
	}
	return false;
}

static int judge_status(const cJSON *root, struct err *e)
{
	const char *status = json_str(root, "status", "");
	const cJSON *messages = json_get(root, "message");

	if (strcmp(status, "REQUEST_SUCCEEDED") == 0)
		return 0;
	if (says(messages, "threshold"))
		return park_till_tomorrow(e);
	if (says(messages, "key") && says(messages, "invalid"))
		return err_set(e, ERR_REFUSED,
			       "BLS refuses the key (keys must be renewed every year)");
	if (strcmp(status, "REQUEST_NOT_PROCESSED") == 0 || strstr(status, "INVALID"))
		return err_set(e, ERR_INVALID, "BLS does not accept the request");
	if (strncmp(status, "REQUEST_", 8) == 0)
		return err_set(e, ERR_HTTP, "BLS answers %.40s", status);
	return err_set(e, ERR_HTTP, "BLS answers JSON without a status it documents");
}

static int judge_http(int status, const char *content_type, struct err *e)
{
	bool json = strcmp(content_type, "application/json") == 0 ||
		strcmp(content_type, "text/json") == 0;

	if (status == 429)
		return err_set(e, ERR_LIMITED, "BLS answers 429: too many requests");
	if (status == 401 || status == 403)
		return err_set(e, ERR_REFUSED, "BLS answers %d", status);
	if (status == 404)
		return err_set(e, ERR_REFUSED, "BLS answers 404: the endpoint is gone");
	if (status >= 500 || status == 202 || status == 408 || status == 425)
		return err_set(e, ERR_HTTP, "BLS answers %d", status);
	if (status != 200)
		return err_set(e, ERR_INVALID, "BLS answers %d to our request", status);
	if (!json)
		return err_set(e, ERR_HTTP, "BLS answers %.60s instead of JSON",
			       *content_type ? content_type : "nothing it names");
	return 0;
}

static bool has_footnote(const cJSON *row, const char *code, const char **ret_text)
{
	const cJSON *note;

	cJSON_ArrayForEach(note, cJSON_GetObjectItemCaseSensitive(row, "footnotes")) {
		if (cJSON_IsObject(note) && strcmp(json_str(note, "code", ""), code) == 0) {
			*ret_text = json_str(note, "text", "");
			return true;
		}
	}
	return false;
}

/* "… equal to or greater than $115.00 per hour or $239,200 per year": the amount before `unit`. */
static struct amount top_amount(const char *text, bool hourly)
{
	const char *unit = strstr(text, hourly ? "per hour" : "per year"), *dollar = NULL;
	char number[24];
	struct amount a;

	for (const char *p = text; unit && p < unit; p++)
		if (*p == '$')
			dollar = p + 1;
	if (dollar) {
		snprintf(number, sizeof number, "%.*s", (int)strspn(dollar, "0123456789,."),
			 dollar);
		if (amount_parse(number, &a, NULL) == 0 && a.kind == AMOUNT_VALUE && a.e4 > 0)
			return (struct amount){ AMOUNT_BOUND, a.e4 };
	}
	return (struct amount){ AMOUNT_BOUND, (hourly ? TOP_HOURLY : TOP_ANNUAL) * INT64_C(10000) };
}

/* The data type of an OEWS wage, 0 for any other series: footnote 5 means something else there. */
static int wage_type(const char *id)
{
	int type = 0;

	if (strlen(id) != 25 || strncmp(id, "OE", 2) != 0 ||
	    scan_int(id + 23, 0, 99, &type, NULL) < 0 || type < BLS_HOURLY_MEAN ||
	    type == BLS_WAGE_RSE || type > BLS_ANNUAL_P90)
		return 0;
	return type;
}

static bool is_hourly(int type)
{
	return type == BLS_HOURLY_MEAN || (type > BLS_WAGE_RSE && type < BLS_ANNUAL_P10);
}

static struct amount row_amount(const cJSON *row, const char *id)
{
	struct amount a = { AMOUNT_ABSENT, 0 };
	int type = wage_type(id);
	const char *text = "";

	if (amount_parse(json_str(row, "value", ""), &a, NULL) < 0)
		return (struct amount){ AMOUNT_ABSENT, 0 };
	if (amount_is_known(a))
		return a;
	if (type > 0 && (has_footnote(row, "5", &text) || a.kind == AMOUNT_BOUND))
		return top_amount(text, is_hourly(type));
	if (has_footnote(row, "8", &text) || has_footnote(row, "4", &text))
		return (struct amount){ AMOUNT_SUPPRESSED, 0 };
	return (struct amount){ AMOUNT_ABSENT, 0 };
}

/* M13, S03 and Q05 are averages: they are no newer than the months before them. */
static bool is_average(const char *period)
{
	return strcmp(period, "M13") == 0 || strcmp(period, "S03") == 0 ||
	       strcmp(period, "Q05") == 0;
}

static bool read_row(const cJSON *row, const char *id, struct bls_row *ret)
{
	const char *period = json_str(row, "period", ""), *note;
	int number = 0;

	if (scan_int(json_str(row, "year", ""), 1900, 2200, &ret->year, NULL) < 0 ||
	    strlen(period) != 3 || scan_int(period + 1, 0, 99, &number, NULL) < 0 ||
	    is_average(period))
		return false;
	ret->month = *period == 'M' ? number : 0;
	ret->value = row_amount(row, id);
	ret->preliminary = has_footnote(row, "P", &note);
	return true;
}

static void read_rows(const cJSON *data, struct bls_cell *cell)
{
	size_t room = (size_t)cJSON_GetArraySize(data);
	const cJSON *row;

	room = room < MAX_ROWS ? room : MAX_ROWS;
	if (room == 0)
		return;
	cell->rows = mem_zalloc(room * sizeof *cell->rows);
	cJSON_ArrayForEach(row, data) {
		if (cell->nrows < room && cJSON_IsObject(row) &&
		    read_row(row, cell->id, &cell->rows[cell->nrows]))
			cell->nrows++;
	}
}

/* A month without a figure ("-", the gap of October 2025) leaves the one before. */
static const struct bls_row *newest_row(const struct bls_cell *cell)
{
	const struct bls_row *best = NULL;

	for (size_t i = 0; i < cell->nrows; i++) {
		const struct bls_row *row = &cell->rows[i];
		bool newer = !best || row->year > best->year ||
			     (row->year == best->year && row->month > best->month);

		if (!best || (row->value.kind != AMOUNT_ABSENT &&
			      (newer || best->value.kind == AMOUNT_ABSENT)))
			best = row;
	}
	return best;
}

static void read_series(const cJSON *series, struct bls_reply *r)
{
	const char *id = json_str(series, "seriesID", "");
	const struct bls_row *best;
	struct bls_cell *cell;

	if (!*id || strlen(id) >= BLS_ID_SIZE || r->count == MAX_REPLY_SERIES)
		return;
	cell = &r->cells[r->count++];
	memcpy(cell->id, id, strlen(id) + 1);
	read_rows(json_get(series, "data"), cell);
	best = newest_row(cell);
	if (!best)
		return;
	cell->value = best->value;
	cell->year = best->year;
	cell->month = best->month;
	cell->preliminary = best->preliminary;
	cell->exists = true;
}

static void read_results(const cJSON *results, struct bls_reply *r)
{
	const cJSON *part, *series;

	if (cJSON_IsArray(results)) {
		cJSON_ArrayForEach(part, results) {
			if (cJSON_IsObject(part))
				read_results(part, r);
		}
		return;
	}
	cJSON_ArrayForEach(series, cJSON_GetObjectItemCaseSensitive(results, "series")) {
		if (cJSON_IsObject(series))
			read_series(series, r);
	}
}

int bls_parse(int status, const char *content_type, const char *body, size_t len,
	      struct bls_reply **ret, struct err *e)
{
	struct bls_reply *reply;
	cJSON *root = NULL;
	int r = judge_http(status, content_type, e);

	if (r < 0)
		return r;
	if (json_parse(body, len, &root, e) < 0)
		return err_set(e, ERR_HTTP, "BLS answers what is no JSON (%zu bytes)", len);
	r = judge_status(root, e);
	if (r == 0) {
		reply = mem_zalloc(sizeof *reply);
		reply->cells = mem_zalloc(MAX_REPLY_SERIES * sizeof *reply->cells);
		read_results(json_get(root, "Results"), reply);
		*ret = reply;
	}
	cJSON_Delete(root);
	return r;
}

void bls_reply_free(struct bls_reply *r)
{
	for (size_t i = 0; r && i < r->count; i++)
		free(r->cells[i].rows);
	if (!r)
		return;
	free(r->cells);
	free(r);
}

const struct bls_cell *bls_cell(const struct bls_reply *r, const char *id)
{
	for (size_t i = 0; i < r->count; i++)
		if (strcmp(r->cells[i].id, id) == 0)
			return &r->cells[i];
	return NULL;
}

struct amount bls_growth(const struct bls_cell *cell)
{
	for (size_t i = 0; i < cell->nrows; i++)
		if (cell->rows[i].year == cell->year - 1 && cell->rows[i].month == cell->month)
			return amount_change(cell->value, cell->rows[i].value);
	return (struct amount){ AMOUNT_ABSENT, 0 };
}
