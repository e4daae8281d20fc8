/* SPDX-License-Identifier: MIT */
#include "workers/salary/errand_call.h"

#include <string.h>

#include "common/base/err.h"
#include "common/base/json.h"
#include "common/base/mem.h"
#include "common/base/scan.h"
#include "workers/salary/ask.h"
#include "workers/salary/bls.h"
#include "workers/salary/census.h"
#include "workers/salary/fred.h"
#include "workers/salary/question.h"

#define BODY_MAX 16384
#define PATH_MAX_BYTES 4096
#define COLUMNS 50			/* a Census call */

/* ---- which parts go together ---- */

static size_t series_a_call(struct run *run)
{
	return ask_key(run, "bls") ? BLS_MAX_SERIES : BLS_MAX_SERIES_NO_KEY;
}

static bool is_series(const struct part *p)
{
	return strcmp(p->source, "bls") == 0;
}

static const char *years_of(const struct part *p)
{
	const char *at = strchr(p->name, '@');

	return at ? at : "";
}

static bool same_table(const struct part *a, const struct part *b)
{
	struct cell x, y;

	return strcmp(a->source, "census") == 0 && strcmp(b->source, "census") == 0 &&
		question_cell(a->name, &x) && question_cell(b->name, &y) &&
		strcmp(x.dataset, y.dataset) == 0 && strcmp(x.kind, y.kind) == 0;
}

static size_t columns_of(const struct errand_call *c, const char *columns[COLUMNS],
			 struct cell cells[COLUMNS])
{
	size_t n = 0;

	for (size_t i = 0; i < c->count; i++) {
		struct cell cell;
		size_t k = 0;

		if (!question_cell(c->parts[i]->name, &cell))
			continue;
		while (k < n && strcmp(columns[k], cell.column) != 0)
			k++;
		if (k < n || n == COLUMNS)
			continue;
		cells[n] = cell;
		columns[n] = cells[n].column;
		n++;
	}
	return n;
}

static bool has_room(const struct errand_call *c, const struct part *p)
{
	const char *columns[COLUMNS];
	struct cell cells[COLUMNS], cell;
	size_t n = columns_of(c, columns, cells);

	if (n < COLUMNS || !question_cell(p->name, &cell))
		return true;
	for (size_t i = 0; i < n; i++)
		if (strcmp(columns[i], cell.column) == 0)
			return true;
	return false;
}

static bool joins(struct run *run, const struct errand_call *c, const struct part *p)
{
	const struct part *first = c->parts[0];

	if (is_series(first))
		return is_series(p) && c->count < series_a_call(run) &&
			strcmp(years_of(first), years_of(p)) == 0;
	return same_table(first, p) && has_room(c, p);
}

static void take(struct errand_call *c, struct part *p)
{
	c->parts = mem_realloc(c->parts, (c->count + 1) * sizeof *c->parts);
	c->parts[c->count++] = p;
}

static bool is_open(const struct shelf *s, const struct part *p)
{
	return p->wanted && shelf_trouble(s, p->source, NULL) == 0;
}

bool errand_call_next(struct run *run, struct shelf *s, bool free_of_charge,
		      struct errand_call *ret)
{
	struct errand_call c = { 0 };

	for (size_t i = 0; i < shelf_count(s); i++) {
		struct part *p = shelf_at(s, i);

		if (is_open(s, p) && p->free_of_charge == free_of_charge &&
		    (c.count == 0 || joins(run, &c, p)))
			take(&c, p);
	}
	*ret = c;
	return c.count > 0;
}

void errand_call_clear(struct errand_call *c)
{
	free(c->parts);
	*c = (struct errand_call){ 0 };
}

/* ---- BLS ---- */

static int put_series_body(struct run *run, const struct errand_call *c, struct buf *body,
			   struct err *e)
{
	char ids[BLS_MAX_SERIES][BLS_ID_SIZE], first[8] = "", last[8] = "";
	const char *years = years_of(c->parts[0]);
	int from = 0, to = 0;

	for (size_t i = 0; i < c->count; i++)
		snprintf(ids[i], BLS_ID_SIZE, "%.*s", (int)strcspn(c->parts[i]->name, "@"),
			 c->parts[i]->name);
	if (*years) {
		snprintf(first, sizeof first, "%.4s", years + 1);
		snprintf(last, sizeof last, "%.4s", years + 6);
		if (scan_int(first, 1900, 2200, &from, e) < 0 ||
		    scan_int(last, 1900, 2200, &to, e) < 0)
			return -ERR_INVALID;
	}
	return bls_body((const char (*)[BLS_ID_SIZE])ids, c->count, from, to, ask_key(run, "bls"),
			body, e);
}

static void put_series(const cJSON *results, struct errand_call *c)
{
	const cJSON *one;

	if (cJSON_IsArray(results)) {
		cJSON_ArrayForEach(one, results) {
			put_series(one, c);
		}
		return;
	}
	cJSON_ArrayForEach(one, json_get(results, "series")) {
		const char *id = json_str(one, "seriesID", "");
		char *text = json_print(one);

		for (size_t i = 0; i < c->count; i++) {
			const char *name = c->parts[i]->name;

			if (strlen(id) == strcspn(name, "@") && strncmp(id, name, strlen(id)) == 0)
				shelf_put(c->parts[i], text, strlen(text));
		}
		free(text);
	}
}

/* What an answer that succeeded leaves out is not there to be had. */
static void put_missing_series(struct errand_call *c)
{
	for (size_t i = 0; i < c->count; i++) {
		struct part *p = c->parts[i];
		char *text;

		if (p->text)
			continue;
		text = mem_printf("{\"seriesID\":\"%.*s\",\"data\":[]}",
				  (int)strcspn(p->name, "@"), p->name);
		shelf_put(p, text, strlen(text));
		free(text);
	}
}

static int take_series(struct errand_call *c, const struct http_response *a, struct err *e)
{
	struct bls_reply *reply = NULL;
	cJSON *root = NULL;
	int r = bls_parse(a->status, a->content_type, buf_text(&a->body), a->body.len, &reply, e);

	if (r >= 0)
		r = json_parse(buf_text(&a->body), a->body.len, &root, e);
	if (r >= 0) {
		put_series(json_get(root, "Results"), c);
		put_missing_series(c);
	}
	cJSON_Delete(root);
	bls_reply_free(reply);
	return r;
}

static int call_bls(struct run *run, struct errand_call *c, struct err *e)
{
	struct ask what = { .source = "bls", .method = "POST", .path = "/timeseries/data/" };
	struct http_response a;
	struct buf body;
	int r;

	buf_init(&body, BODY_MAX);
	r = put_series_body(run, c, &body, e);
	what.body = body.data;
	what.body_len = body.len;
	if (r >= 0)
		r = ask_call(run, &what, &a, e);
	buf_release(&body);
	if (r < 0)
		return r;
	r = take_series(c, &a, e);
	http_response_release(&a);
	ask_settle(run, "bls", r, e);
	return r;
}

/* ---- Census ---- */

static void put_table_path(const struct errand_call *c, struct buf *path)
{
	const char *columns[COLUMNS];
	struct cell cells[COLUMNS];
	size_t n = columns_of(c, columns, cells);

	buf_printf(path, "%s?get=", cells[0].dataset);
	for (size_t i = 0; i < n; i++)
		buf_printf(path, "%s%s", i ? "," : "", columns[i]);
	buf_printf(path, "&for=%s:%s", cells[0].kind, strcmp(cells[0].kind, "us") == 0 ? "1" : "*");
}

static void put_cells(const struct census_table *t, struct errand_call *c)
{
	char plain[160];

	for (size_t i = 0; i < c->count; i++) {
		struct cell cell;
		const char *text = NULL;

		if (!question_cell(c->parts[i]->name, &cell))
			continue;
		question_kind_plain(cell.kind, plain, sizeof plain);
		shelf_put(c->parts[i], "", 0);
		for (size_t row = 0; row < census_rows(t); row++) {
			const char *code = census_text(t, row, plain);
			struct buf value;

			if (!code || strcmp(code, cell.code) != 0)
				continue;
			text = census_text(t, row, cell.column);
			buf_init(&value, PATH_MAX_BYTES);
			if (text)
				buf_put_json_string(&value, text);
			else
				buf_puts(&value, "null");
			shelf_put(c->parts[i], buf_text(&value), value.len);
			buf_release(&value);
			break;
		}
	}
}

static int call_census(struct run *run, struct errand_call *c, struct err *e)
{
	struct ask what = { .source = "census", .key_parameter = "key" };
	struct census_table *t = NULL;
	struct http_response a;
	struct buf path;
	int r;

	buf_init(&path, PATH_MAX_BYTES);
	put_table_path(c, &path);
	what.path = buf_text(&path);
	r = ask_call(run, &what, &a, e);
	buf_release(&path);
	if (r < 0)
		return r;
	r = census_parse(a.status, a.content_type, buf_text(&a.body), a.body.len, &t, e);
	if (r >= 0)
		put_cells(t, c);
	census_table_free(t);
	http_response_release(&a);
	ask_settle(run, "census", r, e);
	return r;
}

/* ---- all others ---- */

/* An answer worth keeping: a figure, or that there is none. */
static int judge(const struct part *p, const struct http_response *a, struct err *e)
{
	struct fred_point point;
	int r;

	if (strcmp(p->source, "fred") == 0)
		r = fred_parse(a->status, buf_text(&a->body), a->body.len, &point, e);
	else if (strcmp(p->source, "census") == 0)
		r = census_judge(a->status, a->content_type, buf_text(&a->body), a->body.len, e);
	else
		r = a->status == 200 ? 0 : err_set(e, ERR_HTTP, "%s answers %d", p->source,
						   a->status);
	return r == -ERR_NOT_FOUND ? 0 : r;
}

static void put_whole(struct part *p, const struct http_response *a)
{
	cJSON *o = mem_check(cJSON_CreateObject());
	char *text;

	json_set_num(o, "status", a->status);
	json_set_str(o, "type", a->content_type);
	json_set_str(o, "body", buf_text(&a->body));
	text = json_print(o);
	shelf_put(p, text, strlen(text));
	free(text);
	cJSON_Delete(o);
}

static int call_whole(struct run *run, struct part *p, struct err *e)
{
	struct ask what = { .source = p->source, .path = p->name,
			    .key_parameter = p->key_parameter,
			    .free_of_charge = p->free_of_charge };
	struct http_response a;
	int r = ask_call(run, &what, &a, e);

	if (r < 0)
		return r;
	r = judge(p, &a, e);
	if (r >= 0)
		put_whole(p, &a);
	http_response_release(&a);
	ask_settle(run, p->source, r, e);
	return r;
}

int errand_call_make(struct run *run, struct errand_call *c, struct err *e)
{
	struct cell cell;
	int r;

	if (is_series(c->parts[0]))
		r = call_bls(run, c, e);
	else if (strcmp(c->parts[0]->source, "census") == 0 &&
		 question_cell(c->parts[0]->name, &cell))
		r = call_census(run, c, e);
	else
		r = call_whole(run, c->parts[0], e);
	for (size_t i = 0; r >= 0 && i < c->count; i++)
		c->parts[i]->bought = true;
	return r;
}

/* ---- the least ---- */

static bool seen_before(struct shelf *s, size_t i)
{
	struct part *p = shelf_at(s, i);

	for (size_t k = 0; k < i; k++)
		if (shelf_at(s, k)->bought && same_table(shelf_at(s, k), p))
			return true;
	return false;
}

int errand_call_least(struct run *run, struct shelf *s, const char *source)
{
	size_t series = 0, others = 0, a_call = series_a_call(run);

	for (size_t i = 0; i < shelf_count(s); i++) {
		const struct part *p = shelf_at(s, i);

		if (!p->bought || strcmp(p->source, source) != 0)
			continue;
		if (is_series(p))
			series++;
		else if (!seen_before(s, i))
			others++;
	}
	return (int)((series + a_call - 1) / a_call + others);
}
