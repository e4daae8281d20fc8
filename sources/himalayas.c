/* SPDX-License-Identifier: MIT */
/* Himalayas: remote jobs, without a key (himalayas.app/api).
 *
 * GET /jobs/api?limit=&offset= tells all there is, about 100,000 postings; /jobs/api/search?q=
 * finds some, by pages. Either answers {"offset":…,"limit":…,"totalCount":…,"jobs":[…]}, 20 rows a
 * page at most, whatever limit says. It wants to be named and linked to (`terms` in queues.conf).
 * All postings are remote: locationRestrictions are the countries one may live in, none means
 * anywhere; timezoneRestrictions are no places. Pay is null where it is unknown, its period stands
 * there nevertheless. pubDate and expiryDate are seconds. */
#include "common/base/conf.h"
#include "common/base/json.h"
#include "common/net/http.h"
#include "sources/listing.h"
#include "sources/source.h"

#define PATH "/jobs/api"

enum { PAGE_ROWS = 20 };

static void put_country(struct source_request *r, const char *country)
{
	char code[3] = { 0 };

	for (size_t i = 0; i < 2 && country[i]; i++)
		code[i] = (char)(country[i] >= 'a' && country[i] <= 'z' ? country[i] - 'a' + 'A' :
									  country[i]);
	source_add_param(r, "country", code);
}

static int build(const struct conf_source *conf, const struct source_ask *ask,
		 const struct source_place *at, struct source_request *ret, struct err *e)
{
	bool search = *ask->query || *ask->country;
	struct source_request r;

	source_request_init(&r);
	buf_printf(&r.url, "%s%s%s", conf->base_url, source_path(conf, PATH),
		   search ? "/search" : "");
	if (search) {
		source_add_param(&r, "q", ask->query);
		put_country(&r, ask->country);
		source_add_param(&r, "sort", "recent");
		source_add_number(&r, "page", at->page);
	} else {
		source_add_number(&r, "limit", PAGE_ROWS);
		source_add_number(&r, "offset", (int64_t)(at->page - 1) * PAGE_ROWS);
	}
	return source_request_finish(&r, ret, e);
}

static void judge(const struct http_response *r, const cJSON *body, struct source_verdict *ret)
{
	const char *message = json_str(body, "message", json_str(body, "error", ""));

	if (source_class_of_status(r->status) == SOURCE_OK)
		source_judge_rows(r, body, json_get(body, "jobs"), ret);
	else if (r->status == 404 || r->status == 410)
		source_judge_endpoint(r, message, ret);
	else
		source_judge_keyless(r, message, ret);
}

static void read_page(const struct conf_source *conf, const struct source_place *at,
		      const cJSON *body, struct source_page *ret)
{
	const cJSON *rows = json_get(body, "jobs");
	int64_t total = listing_integer(body, "totalCount"), limit = listing_integer(body, "limit");
	int64_t end = (int64_t)at->page * (limit > 0 && limit < PAGE_ROWS ? limit : PAGE_ROWS);

	(void)conf;
	*ret = (struct source_page){ .rows = rows };
	ret->last = cJSON_GetArraySize(rows) == 0 || (total > 0 && end >= total);
}

static const char *row_id(const cJSON *row, char room[SOURCE_ID])
{
	return source_id(row, "guid", room);
}

/* Names, or objects that hold one. Of several countries none is the main one. */
static void read_places(const cJSON *row, struct listing *ret)
{
	const cJSON *country;

	ret->country_likely = "";
	if (cJSON_GetArraySize(json_get(row, "locationRestrictions")) > 1)
		listing_add_place(ret, NULL);
	cJSON_ArrayForEach(country, json_get(row, "locationRestrictions")) {
		const char *name = cJSON_IsString(country) ? country->valuestring :
			json_str(country, "name", "");
		struct listing_place *place = *name ? listing_add_place(ret, NULL) : NULL;

		if (place)
			place->country = name;
	}
}

/* A level that is one of several is none. */
static void read_tags(const cJSON *row, struct listing *ret)
{
	const cJSON *levels = json_get(row, "seniority"),
		    *parents = json_get(row, "parentCategories");
	const char *level = cJSON_IsArray(levels) && cJSON_GetArraySize(levels) == 1 ?
		cJSON_GetStringValue(levels->child) : NULL;
	const char *category = cJSON_IsArray(parents) ? cJSON_GetStringValue(parents->child) : NULL;

	ret->level = level && *level ? level : NULL;
	ret->category = category && *category ? category : NULL;
	listing_add_all(&ret->skills, json_get(row, "categories"));
}

static void read_pay(const cJSON *row, struct listing *ret)
{
	ret->pay_min = json_get(row, "minSalary");
	ret->pay_max = json_get(row, "maxSalary");
	ret->pay_currency = listing_text(row, "currency");
	ret->pay_period = listing_text(row, "salaryPeriod");
}

static bool read_row(const struct source_answer *from, const cJSON *row, struct listing *ret)
{
	const char *text = listing_text(row, "description");

	(void)from;
	ret->title = json_get(row, "title");
	ret->title_name = "title";
	ret->company = json_get(row, "companyName");
	ret->company_name = "companyName";
	ret->company_logo = listing_text(row, "companyLogo");
	listing_add_part(ret, text ? text : listing_text(row, "excerpt"));
	read_places(row, ret);
	ret->remote = LISTING_REMOTE;
	listing_add(&ret->employment, listing_text(row, "employmentType"));
	ret->posted.epoch = listing_integer(row, "pubDate");
	ret->expires.epoch = listing_integer(row, "expiryDate");
	read_pay(row, ret);
	read_tags(row, ret);
	ret->apply_url = listing_text(row, "applicationLink");
	ret->external_id = listing_text(row, "guid");
	listing_add(&ret->apply_more, ret->external_id);
	return true;
}

static const struct source himalayas = {
	.name = "himalayas",
	.kind = SOURCE_SEARCH,
	.build = build,
	.judge = judge,
	.read_page = read_page,
	.row_id = row_id,
	.rows_at = "jobs",
	.read_row = read_row,
};
SOURCE(himalayas);
