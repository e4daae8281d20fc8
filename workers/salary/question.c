/* SPDX-License-Identifier: MIT */
#include "workers/salary/question.h"

#include <string.h>

#include "common/base/buf.h"
#include "common/base/err.h"
#include "common/base/json.h"
#include "common/base/mem.h"
#include "workers/salary/ask.h"
#include "workers/salary/bls.h"
#include "workers/salary/shelf.h"

#define BODY_MAX (32 << 20)
#define COLUMNS_MAX 50

static void answer_begin(struct http_response *r, int status, const char *type)
{
	*r = (struct http_response){ .status = status, .complete = true };
	snprintf(r->content_type, sizeof r->content_type, "%s", type);
	buf_init(&r->body, BODY_MAX);
	buf_init(&r->headers, 1);
}

static int not_here(const char *source, struct err *e)
{
	return err_set(e, ERR_AGAIN, "%s: not gathered yet", source);
}

/* ---- BLS ---- */

enum span { SPAN_METRO, SPAN_STATE, SPAN_NATION, SPAN_COUNT };

static bool is_pay(const char *id)
{
	return strncmp(id, "OE", 2) == 0;
}

static enum span span_of(const char *id)
{
	if (is_pay(id) && strlen(id) > 3)
		return id[3] == 'M' ? SPAN_METRO : id[3] == 'S' ? SPAN_STATE : SPAN_NATION;
	if (strncmp(id, "LA", 2) == 0 && strlen(id) > 3)
		return id[3] == 'S' ? SPAN_STATE : SPAN_METRO;
	return SPAN_NATION;
}

/* Does this series say what the question is about: a median, or a rate of unemployment? */
static bool tells(const struct part *p, const char *id)
{
	struct bls_reply *reply = NULL;
	const struct bls_cell *c;
	char *body;
	bool known;

	if (is_pay(id) && (strlen(id) != 25 || strcmp(id + 23, "13") != 0))
		return false;
	body = mem_printf("{\"status\":\"REQUEST_SUCCEEDED\",\"message\":[],\"Results\":"
			  "{\"series\":[%s]}}", p->text);
	known = bls_parse(200, "application/json", body, strlen(body), &reply, NULL) == 0 &&
		(c = bls_cell(reply, id)) != NULL && c->exists && amount_is_known(c->value);
	bls_reply_free(reply);
	free(body);
	return known;
}

static void series_name(const cJSON *root, const char *id, char out[QUESTION_NAME_SIZE])
{
	const char *first = json_str(root, "startyear", ""), *last = json_str(root, "endyear", "");

	if (*first)
		snprintf(out, QUESTION_NAME_SIZE, "%.60s@%.4s-%.4s", id, first, last);
	else
		snprintf(out, QUESTION_NAME_SIZE, "%.60s", id);
}

/* The series of one span that are still asked for: 1 if one of them tells, 0 if none, negative if
 * some are missing. */
struct need {
	bool pay, rate, told_pay, told_rate;
};

static int gather_span(struct shelf *s, const cJSON *root, enum span span, struct need *n,
		       struct buf *out, struct err *e)
{
	const cJSON *item;
	int missing = 0;

	cJSON_ArrayForEach(item, json_get(root, "seriesid")) {
		const char *id = cJSON_IsString(item) ? item->valuestring : "";
		bool pay = is_pay(id);
		char name[QUESTION_NAME_SIZE];
		const struct part *p;

		if (span_of(id) != span || !(pay ? n->pay : n->rate))
			continue;
		series_name(root, id, name);
		p = shelf_want(s, "bls", name);
		if (!p->text) {
			missing++;
			continue;
		}
		if (pay)
			n->told_pay = n->told_pay || tells(p, id);
		else
			n->told_rate = n->told_rate || tells(p, id);
		buf_printf(out, "%s%s", out->len ? "," : "", p->text);
	}
	return missing ? not_here("bls", e) : 0;
}

static int answer_bls(struct shelf *s, const struct ask *what, struct http_response *ret,
		      struct err *e)
{
	struct need n = { .pay = true, .rate = true };
	struct buf series;
	cJSON *root = NULL;
	int r = json_parse(what->body, what->body_len, &root, e);

	buf_init(&series, BODY_MAX);
	for (int span = SPAN_METRO; r == 0 && span < SPAN_COUNT && (n.pay || n.rate); span++) {
		r = gather_span(s, root, (enum span)span, &n, &series, e);
		n.pay = !n.told_pay;
		n.rate = !n.told_rate;
	}
	if (r == 0) {
		answer_begin(ret, 200, "application/json");
		buf_printf(&ret->body, "{\"status\":\"REQUEST_SUCCEEDED\",\"message\":[],"
			   "\"Results\":{\"series\":[");
		buf_append(&ret->body, series.data, series.len);
		buf_puts(&ret->body, "]}}");
	}
	buf_release(&series);
	cJSON_Delete(root);
	return r;
}

/* ---- Census ---- */

static bool take(const char **p, char stop, char *out, size_t size)
{
	const char *end = strchr(*p, stop);
	size_t n = end ? (size_t)(end - *p) : strlen(*p);

	if (n == 0 || n >= size)
		return false;
	memcpy(out, *p, n);
	out[n] = '\0';
	*p += n + (end != NULL);
	return true;
}

bool question_cell(const char *name, struct cell *ret)
{
	struct cell c = { 0 };

	if (!take(&name, '|', c.dataset, sizeof c.dataset) ||
	    !take(&name, '|', c.kind, sizeof c.kind) || !take(&name, '|', c.code, sizeof c.code) ||
	    !take(&name, '|', c.column, sizeof c.column) || *name)
		return false;
	*ret = c;
	return true;
}

void question_kind_plain(const char *kind, char *out, size_t size)
{
	size_t n = 0;

	while (*kind && n + 1 < size) {
		bool blank = strncmp(kind, "%20", 3) == 0;

		out[n++] = blank ? ' ' : *kind;
		kind += blank ? 3 : 1;
	}
	out[n] = '\0';
}

/* A table's path in pieces; columns are those of `get`, by comma. */
static bool read_table_path(const char *path, struct cell *c, char *columns, size_t size)
{
	const char *p = path, *code;

	*c = (struct cell){ 0 };
	if (!take(&p, '?', c->dataset, sizeof c->dataset) || strncmp(p, "get=", 4) != 0)
		return false;
	p += 4;
	if (!take(&p, '&', columns, size) || strncmp(p, "for=", 4) != 0 || strchr(p, '&'))
		return false;
	p += 4;
	code = strrchr(p, ':');
	if (!code || (size_t)(code - p) >= sizeof c->kind || strlen(code + 1) >= sizeof c->code ||
	    strpbrk(code, ",*") || !code[1])
		return false;
	memcpy(c->kind, p, (size_t)(code - p));
	memcpy(c->code, code + 1, strlen(code));
	return true;
}

static void put_row(struct shelf *s, const struct cell *c, char *columns, struct buf *head,
		    struct buf *row, int *missing, bool *absent)
{
	char *rest = columns, *column;

	while ((column = strsep(&rest, ","))) {
		char name[QUESTION_NAME_SIZE];
		const struct part *p;

		snprintf(name, sizeof name, "%s|%s|%s|%s", c->dataset, c->kind, c->code, column);
		p = shelf_want(s, "census", name);
		*missing += !p->text;
		*absent = *absent || (p->text && !*p->text);
		buf_put_json_string(head, column);
		buf_putc(head, ',');
		buf_puts(row, p->text ? p->text : "null");
		buf_putc(row, ',');
	}
}

static int answer_census(struct shelf *s, const struct cell *c, char *columns,
			 struct http_response *ret, struct err *e)
{
	char plain[sizeof c->kind];
	struct buf head, row;
	int missing = 0;
	bool absent = false;

	buf_init(&head, BODY_MAX);
	buf_init(&row, BODY_MAX);
	put_row(s, c, columns, &head, &row, &missing, &absent);
	question_kind_plain(c->kind, plain, sizeof plain);
	buf_put_json_string(&head, plain);
	buf_put_json_string(&row, c->code);
	if (missing == 0) {
		answer_begin(ret, absent ? 204 : 200, absent ? "" : "application/json");
		if (!absent)
			buf_printf(&ret->body, "[[%s],[%s]]", buf_text(&head), buf_text(&row));
	}
	buf_release(&head);
	buf_release(&row);
	return missing ? not_here("census", e) : 0;
}

/* ---- all others ---- */

static int answer_whole(struct shelf *s, const struct ask *what, struct http_response *ret,
			struct err *e)
{
	struct part *p;
	cJSON *said = NULL;
	int r;

	if (what->body || strlen(what->path) >= QUESTION_NAME_SIZE)
		return err_set(e, ERR_INVALID, "%s: such a call cannot be gathered", what->source);
	p = shelf_want(s, what->source, what->path);
	if (!p->text) {
		mem_replace(&p->key_parameter, mem_strdup(what->key_parameter));
		p->free_of_charge = what->free_of_charge;
		return not_here(what->source, e);
	}
	r = json_parse(p->text, strlen(p->text), &said, e);
	if (r < 0)
		return r;
	answer_begin(ret, (int)json_int(said, "status", 0), json_str(said, "type", ""));
	buf_puts(&ret->body, json_str(said, "body", ""));
	cJSON_Delete(said);
	return 0;
}

int question_answer(struct shelf *s, const struct ask *what, struct http_response *ret,
		    struct err *e)
{
	char columns[COLUMNS_MAX * sizeof ((struct cell *)0)->column];
	struct cell c;
	int r;

	if (strcmp(what->source, "bls") == 0 && what->body)
		r = answer_bls(s, what, ret, e);
	else if (strcmp(what->source, "census") == 0 &&
		 read_table_path(what->path, &c, columns, sizeof columns))
		r = answer_census(s, &c, columns, ret, e);
	else
		r = answer_whole(s, what, ret, e);
	if (r == -ERR_AGAIN && shelf_trouble(s, what->source, e))
		r = shelf_trouble(s, what->source, e);
	return r;
}
