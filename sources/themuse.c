/* SPDX-License-Identifier: MIT */
/* The Muse: a feed of postings with full texts, narrowed by category and place, without a search
 * for words.
 *
 * GET /jobs?page=1 answers {"page":1,"page_count":…,"results":[…]}, 20 rows a page, the newest
 * first with descending. page_count tells of thousands, but nothing is given beyond page 99. A
 * query that is the name of a category asks for it; other words would find nothing and are left
 * out. Places are The Muse's own: "Denver, CO", "London, United Kingdom", "Flexible / Remote".
 * Errors are {"code":…,"error":…}; a 403 is also what too many requests get, told apart by
 * X-RateLimit-Remaining. X-RateLimit-Reset is seconds until the reset. There is no pay but in the
 * texts. */
#include "common/base/conf.h"
#include "common/base/err.h"
#include "common/base/json.h"
#include "common/base/mem.h"
#include "common/net/http.h"
#include "sources/listing.h"
#include "sources/source.h"

#define PATH "/jobs"
#define REMOTE "Flexible / Remote"

enum { PAGES_MAX = 99, SHORT_S = 60 };

/* The spelling counts. */
static const char *category_of(const char *query)
{
	static const char *const CATEGORIES[] = {
		"Accounting and Finance", "Account Management", "Administration and Office",
		"Advertising and Marketing", "Business Operations", "Computer and IT",
		"Construction", "Customer Service", "Data and Analytics", "Design and UX",
		"Education", "Food and Hospitality Services", "Healthcare",
		"Human Resources and Recruitment", "Installation, Maintenance, and Repairs",
		"Legal Services", "Management", "Manufacturing and Warehouse",
		"Media, PR, and Communications", "Product Management", "Project Management",
		"Protective Services", "Real Estate", "Retail", "Sales", "Science and Engineering",
		"Social Services", "Software Engineering", "Transportation and Logistics",
		"Writing and Editing",
	};

	for (size_t i = 0; i < COUNT(CATEGORIES); i++)
		if (strcasecmp(query, CATEGORIES[i]) == 0)
			return CATEGORIES[i];
	return "";
}

static int build(const struct conf_source *conf, const struct source_ask *ask,
		 const struct source_place *at, struct source_request *ret, struct err *e)
{
	struct source_request r;

	source_request_init(&r);
	buf_printf(&r.url, "%s%s", conf->base_url, source_path(conf, PATH));
	source_add_number(&r, "page", at->page);
	source_add_param(&r, "descending", "true");
	source_add_param(&r, "category", category_of(ask->query));
	source_add_param(&r, "location", ask->remote_only ? REMOTE : ask->location);
	if (ask->key)
		source_add_secret_param(&r, "api_key", ask->key);
	return source_request_finish(&r, ret, e);
}

static bool is_used_up(const struct http_response *r, const char *message)
{
	if (r->status == 429)
		return true;
	return r->status == 403 && (source_header_int(r, "X-RateLimit-Remaining") == 0 ||
				    strcasestr(message, "rate limit") ||
				    strcasestr(message, "too many"));
}

/* The limit is by the hour: a long wait is for its end, a short one only for calmness. */
static void judge_limit(const struct http_response *r, const char *message,
			struct source_verdict *ret)
{
	int64_t wait = source_header_int(r, "X-RateLimit-Reset");

	if (wait <= 0)
		wait = source_retry_after(r);
	if (wait <= 0)
		wait = SHORT_S;
	source_verdict_set(ret, wait > SHORT_S ? SOURCE_USED_UP : SOURCE_LIMITED, wait,
			   "HTTP %d: %s", r->status, *message ? message : "too many requests");
}

static void judge_200(const struct http_response *r, const cJSON *body, struct source_verdict *ret)
{
	const cJSON *rows = json_get(body, "results");
	const char *message = json_str(body, "error", "");

	if (*message)
		source_verdict_set(ret, SOURCE_RETRY, 0, "HTTP %d with an error: %s", r->status,
				   message);
	else if (json_bool(body, "timed_out", false) && cJSON_GetArraySize(rows) == 0)
		source_verdict_set(ret, SOURCE_RETRY, 0, "HTTP %d, but the search timed out",
				   r->status);
	else
		source_judge_rows(r, body, rows, ret);
}

static void judge(const struct http_response *r, const cJSON *body, struct source_verdict *ret)
{
	const char *message = json_str(body, "error", "");

	if (source_class_of_status(r->status) == SOURCE_OK)
		judge_200(r, body, ret);
	else if (is_used_up(r, message))
		judge_limit(r, message, ret);
	else
		source_judge_endpoint(r, message, ret);
}

static void read_quota(const struct http_response *r, struct source_quota *ret)
{
	*ret = (struct source_quota){
		.limit = source_header_int(r, "X-RateLimit-Limit"),
		.remaining = source_header_int(r, "X-RateLimit-Remaining"),
		.reset_s = source_header_int(r, "X-RateLimit-Reset"),
	};
	if (ret->remaining < 0 || ret->reset_s <= 0 || ret->remaining > ret->limit)
		ret->limit = -1;
}

static void read_page(const struct conf_source *conf, const struct source_place *at,
		      const cJSON *body, struct source_page *ret)
{
	(void)conf;
	*ret = (struct source_page){ .rows = json_get(body, "results") };
	ret->last = at->page >= PAGES_MAX || at->page >= json_int(body, "page_count", INT64_MAX) ||
		cJSON_GetArraySize(ret->rows) == 0;
}

static const char *row_id(const cJSON *row, char room[SOURCE_ID])
{
	return source_id(row, "id", room);
}

/* "Flexible / Remote" stands in the list of places, alone or beside offices. */
static void read_places(const cJSON *row, struct listing *ret)
{
	const cJSON *item, *locations = json_get(row, "locations");

	cJSON_ArrayForEach(item, locations) {
		const char *name = listing_text(item, "name");

		if (name && strcasestr(name, "remote"))
			ret->remote_flag = true;
		else if (name)
			listing_add_place(ret, name);
	}
	if (ret->remote_flag && ret->nplaces == 0)
		ret->remote = LISTING_REMOTE;
}

static const char *first_name(const cJSON *row, const char *name)
{
	const cJSON *list = json_get(row, name);

	return listing_text(cJSON_IsArray(list) ? list->child : NULL, "name");
}

static bool read_row(const struct source_answer *from, const cJSON *row, struct listing *ret)
{
	(void)from;
	ret->title = json_get(row, "name");
	ret->title_name = "name";
	ret->company = json_get(json_get(row, "company"), "name");
	ret->company_name = "company.name";
	listing_add_part(ret, listing_text(row, "contents"));
	read_places(row, ret);
	ret->posted.text = listing_text(row, "publication_date");
	ret->apply_url = listing_text(json_get(row, "refs"), "landing_page");
	ret->level = first_name(row, "levels");
	ret->category = first_name(row, "categories");
	ret->external_id = listing_text_or_number(ret, row, "id");
	return true;
}

static const struct source themuse = {
	.name = "themuse",
	.kind = SOURCE_FEED,
	.build = build,
	.judge = judge,
	.read_quota = read_quota,
	.read_page = read_page,
	.row_id = row_id,
	.rows_at = "results",
	.read_row = read_row,
};
SOURCE(themuse);
