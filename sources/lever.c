/* SPDX-License-Identifier: MIT */
/* Lever: one employer's postings, without a key (github.com/lever/postings-api).
 *
 * GET /SITE?mode=json answers a bare array, cut into pages by skip and limit. European sites
 * stand behind https://api.eu.lever.co/v0/postings (base_url). robots.txt asks for a second between
 * calls.
 * `description` is opening and descriptionBody in one; `lists` are headings with their items; the
 * closing is `additional`. createdAt counts milliseconds. The interval of salaryRange is words:
 * "per-year-salary", "per-hour-wage". Rows do not name their employer.
 * A 404 means that this site is gone; it says nothing of the others. */
#include "common/base/conf.h"
#include "common/base/json.h"
#include "common/net/http.h"
#include "sources/listing.h"
#include "sources/source.h"

enum { PAGE_ROWS = 100 };

static int build(const struct conf_source *conf, const struct source_ask *ask,
		 const struct source_place *at, struct source_request *ret, struct err *e)
{
	struct source_request r;

	source_request_init(&r);
	buf_puts(&r.url, conf->base_url);
	source_add_board(&r, ask->board);
	source_add_param(&r, "mode", "json");
	source_add_number(&r, "skip", (int64_t)(at->page - 1) * PAGE_ROWS);
	source_add_number(&r, "limit", PAGE_ROWS);
	return source_request_finish(&r, ret, e);
}

static void judge(const struct http_response *r, const cJSON *body, struct source_verdict *ret)
{
	if (source_class_of_status(r->status) == SOURCE_OK)
		source_judge_rows(r, body, body, ret);
	else
		source_judge_keyless(r, json_str(body, "error", ""), ret);
}

static void read_page(const struct conf_source *conf, const struct source_place *at,
		      const cJSON *body, struct source_page *ret)
{
	(void)conf;
	(void)at;
	*ret = (struct source_page){ .rows = body,
				     .last = cJSON_GetArraySize(body) < PAGE_ROWS };
}

static const char *row_id(const cJSON *row, char room[SOURCE_ID])
{
	return source_id(row, "id", room);
}

/* HTML, or where there is none the plain text beside it. */
static bool add_text(const cJSON *row, const char *name, const char *plain_name,
		     struct listing *ret)
{
	const char *text = listing_text(row, name);

	if (!text)
		text = listing_text(row, plain_name);
	listing_add_part(ret, text);
	return text;
}

static void read_description(const cJSON *row, struct listing *ret)
{
	const cJSON *list;

	if (!add_text(row, "description", "descriptionPlain", ret)) {
		add_text(row, "opening", "openingPlain", ret);
		add_text(row, "descriptionBody", "descriptionBodyPlain", ret);
	}
	cJSON_ArrayForEach(list, json_get(row, "lists")) {
		listing_add_part(ret, listing_text(list, "text"));
		listing_add_part(ret, listing_text(list, "content"));
	}
	add_text(row, "additional", "additionalPlain", ret);
}

/* `country` is of the main place. */
static void read_places(const cJSON *row, struct listing *ret)
{
	const cJSON *categories = json_get(row, "categories"), *other;
	const char *main = listing_text(categories, "location"),
		   *country = listing_text(row, "country");

	if (main || country)
		listing_add_place(ret, main)->country = country;
	cJSON_ArrayForEach(other, json_get(categories, "allLocations")) {
		const char *place = cJSON_IsString(other) ? other->valuestring : "";

		if (*place && (!main || strcmp(place, main) != 0))
			listing_add_place(ret, place);
	}
}

static enum listing_remote remote_of(const char *workplace)
{
	if (strcasecmp(workplace, "remote") == 0)
		return LISTING_REMOTE;
	if (strcasecmp(workplace, "hybrid") == 0)
		return LISTING_HYBRID;
	return strcasecmp(workplace, "onsite") == 0 || strcasecmp(workplace, "on-site") == 0 ?
		LISTING_ONSITE : LISTING_UNSAID;
}

/* Beside a range the words explain it; alone they may state the pay. */
static void read_pay(const cJSON *row, struct listing *ret)
{
	const cJSON *range = json_get(row, "salaryRange");
	const char *words = listing_text(row, "salaryDescriptionPlain");

	if (!words)
		words = listing_text(row, "salaryDescription");
	ret->pay_min = json_get(range, "min");
	ret->pay_max = json_get(range, "max");
	ret->pay_currency = listing_text(range, "currency");
	ret->pay_period = listing_text(range, "interval");
	listing_add(ret->pay_min || ret->pay_max ? &ret->lines : &ret->pay, words);
}

static bool read_row(const struct source_answer *from, const cJSON *row, struct listing *ret)
{
	const cJSON *categories = json_get(row, "categories");
	const char *page = listing_text(row, "hostedUrl");

	ret->title = json_get(row, "text");
	ret->title_name = "text";
	ret->company_name = "company";
	listing_board_company(ret, from->query, page, "lever.co");
	read_description(row, ret);
	read_places(row, ret);
	ret->remote = remote_of(json_str(row, "workplaceType", ""));
	listing_add(&ret->employment, listing_text(categories, "commitment"));
	ret->posted.epoch = listing_integer(row, "createdAt");
	read_pay(row, ret);
	ret->category = listing_text(categories, "team");
	if (!ret->category)
		ret->category = listing_text(categories, "department");
	ret->apply_url = listing_text(row, "applyUrl");
	listing_add(&ret->apply_more, page);
	ret->external_id = listing_text(row, "id");
	return true;
}

static const struct source lever = {
	.name = "lever",
	.kind = SOURCE_BOARD,
	.build = build,
	.judge = judge,
	.read_page = read_page,
	.row_id = row_id,
	.rows_at = ".",
	.read_row = read_row,
};
SOURCE(lever);
