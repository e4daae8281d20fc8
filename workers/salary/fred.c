/* SPDX-License-Identifier: MIT */
#include "workers/salary/fred.h"

#include <string.h>

#include "common/base/err.h"
#include "common/base/json.h"
#include "common/base/mem.h"
#include "common/base/scan.h"

#define NEWEST 24
#define POINTS_MAX 2000
#define LIMIT_WAIT_MS 20000
#define LOCK_WAIT_MS 20000

/* CBSA codes of 2023 and of before. */
static const struct {
	const char *now, *former;
} RENAMED[] = {
	{ "17410", "17460" },	/* Cleveland, OH; was Cleveland-Elyria */
};

int fred_former_parity_id(const struct area *a, char out[FRED_ID_SIZE])
{
	for (size_t i = 0; a->level == AREA_METRO && i < COUNT(RENAMED); i++)
		if (strcmp(RENAMED[i].now, a->metro->cbsa) == 0) {
			snprintf(out, FRED_ID_SIZE, "RPPALL%s", RENAMED[i].former);
			return 1;
		}
	return 0;
}

int fred_parity_id(const struct area *a, char out[FRED_ID_SIZE])
{
	if (a->level == AREA_NATION)
		return 0;
	if (a->level == AREA_METRO)
		snprintf(out, FRED_ID_SIZE, "RPPALL%.5s", a->metro->cbsa);
	else
		snprintf(out, FRED_ID_SIZE, "%.2sRPPALL", a->state->abbr);
	return 1;
}

void fred_unemployment_id(const struct area *a, char out[FRED_ID_SIZE])
{
	if (a->level == AREA_NATION)
		snprintf(out, FRED_ID_SIZE, "UNRATE");
	else
		snprintf(out, FRED_ID_SIZE, "%.2sUR", a->state->abbr);
}

void fred_path(const char *id, struct buf *ret)
{
	buf_printf(ret, "/series/observations?series_id=%s&file_type=json&sort_order=desc&limit=%d",
		   id, NEWEST);
}

void fred_path_since(const char *id, int year, struct buf *ret)
{
	buf_printf(ret,
		   "/series/observations?series_id=%s&file_type=json&observation_start=%04d-01-01",
		   id, year);
}

static int wait_a_while(struct err *e, enum err_code code, int64_t ms, const char *text)
{
	int r = err_set(e, code, "%s", text);

	if (e)
		e->retry_after_ms = ms;
	return r;
}

/* The message may come as JSON or as XML; the same words tell either way. */
static int judge(int status, const char *body, size_t len, struct err *e)
{
	if (status == 200)
		return 0;
	if (status == 423)
		return wait_a_while(e, ERR_AGAIN, LOCK_WAIT_MS, "FRED answers 423: locked");
	if (status == 429)
		return wait_a_while(e, ERR_LIMITED, LIMIT_WAIT_MS,
				    "FRED answers 429: too many requests");
	if (memmem(body, len, "api_key", 7))
		return err_set(e, ERR_REFUSED, "FRED refuses the key");
	if (memmem(body, len, "series does not exist", 21))
		return err_set(e, ERR_NOT_FOUND, "FRED knows no such series");
	if (status == 401 || status == 403 || status == 404)
		return err_set(e, ERR_REFUSED, "FRED answers %d", status);
	if (status >= 500 || status == 408 || status == 425)
		return err_set(e, ERR_HTTP, "FRED answers %d", status);
	return err_set(e, ERR_INVALID, "FRED answers %d to our request", status);
}

static bool read_date(const char *text, struct fred_point *p)
{
	char y[5], m[3], d[3];

	if (strlen(text) != 10 || text[4] != '-' || text[7] != '-')
		return false;
	snprintf(y, sizeof y, "%.4s", text);
	snprintf(m, sizeof m, "%.2s", text + 5);
	snprintf(d, sizeof d, "%.2s", text + 8);
	return scan_int(y, 1600, 9999, &p->year, NULL) == 0 &&
		scan_int(m, 1, 12, &p->month, NULL) == 0 && scan_int(d, 1, 31, &p->day, NULL) == 0;
}

static bool newer(const struct fred_point *a, const struct fred_point *b)
{
	return a->year != b->year ? a->year > b->year :
	       a->month != b->month ? a->month > b->month : a->day > b->day;
}

int fred_parse_all(int status, const char *body, size_t len, struct fred_point *points, size_t max,
		   size_t *ret_n, struct err *e)
{
	const cJSON *list, *row;
	cJSON *root = NULL;
	size_t n = 0;
	int r = judge(status, body, len, e);

	if (r < 0)
		return r;
	if (json_parse(body, len, &root, e) < 0)
		return err_set(e, ERR_HTTP, "FRED answers what is no JSON (%zu bytes)", len);
	list = json_get(root, "observations");
	cJSON_ArrayForEach(row, list) {
		struct fred_point p;

		if (n < max && cJSON_IsObject(row) && read_date(json_str(row, "date", ""), &p) &&
		    amount_parse(json_str(row, "value", "."), &p.value, NULL) == 0 &&
		    p.value.kind == AMOUNT_VALUE)
			points[n++] = p;
	}
	if (!cJSON_IsArray(list))
		r = err_set(e, ERR_PROTOCOL, "FRED answers without observations");
	cJSON_Delete(root);
	if (r == 0)
		*ret_n = n;
	return r;
}

int fred_parse(int status, const char *body, size_t len, struct fred_point *ret, struct err *e)
{
	struct fred_point best = { .value = { AMOUNT_ABSENT, 0 } };
	struct fred_point *points = mem_zalloc(POINTS_MAX * sizeof *points);
	size_t n = 0;
	int r = fred_parse_all(status, body, len, points, POINTS_MAX, &n, e);

	for (size_t i = 0; r == 0 && i < n; i++)
		if (best.value.kind != AMOUNT_VALUE || newer(&points[i], &best))
			best = points[i];
	free(points);
	if (r == 0)
		*ret = best;
	return r;
}
