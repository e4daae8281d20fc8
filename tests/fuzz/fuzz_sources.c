/* SPDX-License-Identifier: MIT */
/* Answers of the providers of postings: a byte chooses whose, a byte its status; lines of header up
 * to an empty one, then the body. What a verdict, a quota and a row say is within its bounds. */
#include <string.h>

#include "common/base/conf.h"
#include "common/base/json.h"
#include "common/base/mem.h"
#include "common/net/http.h"
#include "sources/listing.h"
#include "sources/source.h"
#include "tests/fuzz/fuzz.h"

enum { BYTES_MOST = 1 << 20, ROWS_CHECKED = 50, WAIT_MOST_S = 32 * 86400 };

static const char *const NAMES[] = { "adzuna", "arbeitnow", "ashby", "greenhouse", "himalayas",
				     "indeed", "jobicy", "jsearch", "lever", "remoteok", "remotive",
				     "themuse", "usajobs" };
static const int STATUSES[] = { 200, 200, 200, 204, 301, 304, 400, 401, 402,
				403, 404, 408, 410, 422, 429, 500, 503 };

static size_t length(const char *text)
{
	return text ? strlen(text) : 0;		/* what is borrowed ends */
}

static void check_listing(const struct listing *l)
{
	size_t sum = 0;

	fuzz_want(l->title_name && l->company_name, "required members have names");
	fuzz_want(l->nparts <= LISTING_PARTS && l->lines.n <= LISTING_TEXTS, "texts fit");
	for (size_t i = 0; i < l->nparts; i++)
		sum += length(l->part[i]);
	for (size_t i = 0; i < l->skills.n; i++)
		sum += length(l->skills.text[i]);
	for (size_t i = 0; i < l->benefits.n; i++)
		sum += length(l->benefits.text[i]);
	fuzz_want(l->nplaces <= LISTING_PLACES, "places fit");
	for (size_t i = 0; i < l->nplaces; i++)
		sum += length(l->place[i].text) + length(l->place[i].city);
	sum += length(l->company_default) + length(l->language) + length(l->external_id) +
	       length(l->pay_period) + length(l->pay_currency) + length(l->education);
	fuzz_want(sum < 100 * BYTES_MOST, "texts have an end");
}

static void read_row(const struct source *s, const cJSON *query, const cJSON *row)
{
	struct source_answer from = { .query = query };
	char room[SOURCE_ID];
	struct listing l;

	if (s->row_id)
		(void)length(s->row_id(row, room));
	listing_init(&l);
	if (s->read_row(&from, row, &l))
		check_listing(&l);
}

static void read_rows(const struct source *s, const cJSON *rows)
{
	cJSON *query = cJSON_CreateObject();
	const cJSON *row;
	int n = 0;

	cJSON_AddStringToObject(query, "board", "acme");
	cJSON_ArrayForEach(row, rows) {
		read_row(s, n % 2 ? query : NULL, row);
		if (++n == ROWS_CHECKED)
			break;
	}
	cJSON_Delete(query);
}

static void read_answer(const struct source *s, const struct http_response *r, const cJSON *body)
{
	static const struct conf_source CONF = { .name = "x", .base_url = "https://x.test",
						 .path = "", .boards = "", .key_variable = "",
						 .id_variable = "", .page_budget = 3 };
	struct source_quota quota = { -1, -1, -1 };
	struct source_place at = { .page = 2 };
	struct source_verdict verdict = { 0 };
	struct source_page page = { 0 };

	s->judge(r, body, &verdict);
	fuzz_want(verdict.class < SOURCE_CLASS_COUNT && *source_class_name(verdict.class),
		  "a verdict has a name");
	fuzz_want(verdict.wait_s >= 0 && verdict.wait_s <= WAIT_MOST_S, "a wait has an end");
	fuzz_want(verdict.class == SOURCE_OK || verdict.class == SOURCE_UNCHANGED ||
		  verdict.reason[0], "what is wrong has a reason");
	if (s->read_quota)
		s->read_quota(r, &quota);
	fuzz_want(quota.limit >= -1, "a quota is none or a number");
	if (verdict.class != SOURCE_OK)
		return;
	s->read_page(&CONF, &at, body, &page);
	fuzz_want(!page.rows || cJSON_IsArray(page.rows), "rows are a list");
	(void)length(page.token);
	read_rows(s, page.rows);
}

/* Lines end with CR LF, as they come over the wire. */
static size_t take_headers(const uint8_t *data, size_t size, struct buf *headers)
{
	for (size_t i = 0; i < size; i++) {
		if (data[i] != '\n') {
			buf_putc(headers, (char)data[i]);
			continue;
		}
		if (i == 0 || data[i - 1] == '\n')
			return i + 1;
		buf_puts(headers, "\r\n");
	}
	return size;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct http_response r = { .complete = true, .content_type = "application/json" };
	const struct source *s;
	cJSON *body = NULL;
	size_t used;
	char *text;

	if (size < 2)
		return 0;
	s = source_find(NAMES[data[0] % COUNT(NAMES)]);
	r.status = STATUSES[data[1] % COUNT(STATUSES)];
	r.complete = data[1] < 250;
	buf_init(&r.headers, BYTES_MOST);
	buf_init(&r.body, BYTES_MOST);
	used = 2 + take_headers(data + 2, size - 2, &r.headers);
	buf_append(&r.body, data + used, size - used);
	(void)json_parse(buf_text(&r.body), r.body.len, &body, NULL);
	read_answer(s, &r, body);
	text = mem_dup(data + used, size - used);
	(void)source_rows(s, (struct raw){ text, size - used });
	free(text);
	cJSON_Delete(body);
	http_response_release(&r);
	return 0;
}
