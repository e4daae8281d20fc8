/* SPDX-License-Identifier: MIT */
/* Arbeitnow: a feed of postings in Germany and remote ones, mostly in German.
 *
 * GET /job-board-api?page=1 answers {"data":[…],"links":{"next":…},"meta":{…}}; no next is the end.
 * job_types holds hours and seniority alike, in either language ("full time", "Berufserfahren");
 * tags are occupations as often as skills. created_at is in seconds. There is no pay but in title
 * and text. */
#include "common/base/conf.h"
#include "common/base/err.h"
#include "common/base/json.h"
#include "common/base/mem.h"
#include "common/net/http.h"
#include "sources/listing.h"
#include "sources/source.h"

#define PATH "/job-board-api"

static int build(const struct conf_source *conf, const struct source_ask *ask,
		 const struct source_place *at, struct source_request *ret, struct err *e)
{
	struct source_request r;

	(void)ask;
	source_request_init(&r);
	buf_printf(&r.url, "%s%s", conf->base_url, source_path(conf, PATH));
	source_add_number(&r, "page", at->page);
	return source_request_finish(&r, ret, e);
}

static void judge(const struct http_response *r, const cJSON *body, struct source_verdict *ret)
{
	const char *message = json_str(body, "message", "");

	if (source_class_of_status(r->status) == SOURCE_OK)
		source_judge_rows(r, body, json_get(body, "data"), ret);
	else if (source_class_of_status(r->status) == SOURCE_KEY_REFUSED)
		source_judge_keyless(r, message, ret);
	else
		source_judge_endpoint(r, message, ret);
}

static void read_page(const struct conf_source *conf, const struct source_place *at,
		      const cJSON *body, struct source_page *ret)
{
	(void)conf;
	(void)at;
	*ret = (struct source_page){ .rows = json_get(body, "data") };
	ret->last = !listing_text(json_get(body, "links"), "next");
}

static const char *row_id(const cJSON *row, char room[SOURCE_ID])
{
	return source_id(row, "slug", room);
}

static bool is_level(const char *type)
{
	static const char *const WORDS[] = {
		"experienced", "erfahren", "professional", "entry", "einstieg", "einsteiger",
		"senior", "junior", "manage", "leitung", "leitend", "executive", "director", "lead",
	};

	for (size_t i = 0; i < COUNT(WORDS); i++)
		if (strcasestr(type, WORDS[i]))
			return true;
	return false;
}

static void read_types(const cJSON *row, struct listing *ret)
{
	const cJSON *item, *types = json_get(row, "job_types");

	cJSON_ArrayForEach(item, types) {
		if (!cJSON_IsString(item) || !*item->valuestring)
			continue;
		if (!is_level(item->valuestring))
			listing_add(&ret->employment, item->valuestring);
		else if (!ret->level)
			ret->level = item->valuestring;
	}
}

static bool read_row(const struct source_answer *from, const cJSON *row, struct listing *ret)
{
	const char *place = listing_text(row, "location");

	(void)from;
	ret->title = json_get(row, "title");
	ret->title_name = "title";
	ret->company = json_get(row, "company_name");
	ret->company_name = "company_name";
	listing_add_part(ret, listing_text(row, "description"));
	if (place) {
		listing_add_place(ret, place);
		ret->country_likely = "DE";
	}
	ret->remote_flag = listing_flag(row, "remote");
	read_types(row, ret);
	listing_add_all(&ret->skills, json_get(row, "tags"));
	ret->posted.epoch = listing_integer(row, "created_at");
	ret->apply_url = listing_text(row, "url");
	ret->external_id = listing_text(row, "slug");
	return true;
}

static const struct source arbeitnow = {
	.name = "arbeitnow",
	.kind = SOURCE_FEED,
	.build = build,
	.judge = judge,
	.read_page = read_page,
	.row_id = row_id,
	.rows_at = "data",
	.read_row = read_row,
};
SOURCE(arbeitnow);
