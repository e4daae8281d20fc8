/* SPDX-License-Identifier: MIT */
/* JSearch (OpenWeb Ninja), by RapidAPI or direct.
 *
 * Two generations of search: /search-v2 answers {"data":{"jobs":[…],"cursor":…}} and is paged by
 * that cursor; /search (withdrawn in 2026 for RapidAPI) answers {"data":[…]} and is paged by
 * number. Either shape is taken from either path. One page is one credit: num_pages stays at 1, so
 * that every page is a call, a raw row and a step of its own.
 * /job-details answers {"data":[…]} for up to 20 ids, each a credit, with estimated_salaries beside
 * the fields of a search: what others guess of the title, never the pay of the posting.
 * The gateway's errors are {"message":…}, the provider's own
 * {"status":"ERROR","error":{"message":…}}.
 * x-ratelimit-requests-reset is seconds until the reset, not an epoch. */
#include "common/base/conf.h"
#include "common/base/err.h"
#include "common/base/json.h"
#include "common/base/mem.h"
#include "common/net/http.h"
#include "sources/listing.h"
#include "sources/source.h"

#define PATH_CURSOR "/search-v2"
#define PATH_PAGES "/search"
#define PATH_DETAILS "/job-details"
#define RAPID_HOST "jsearch.p.rapidapi.com"

enum { MINUTE_S = 60, DAY_S = 86400, MONTH_S = 30 * DAY_S };

static const char *path_of(const struct conf_source *conf, const struct source_place *at)
{
	const char *path = conf->path && *conf->path ? conf->path : PATH_CURSOR;

	if (!at->other_path)
		return path;
	return strcmp(path, PATH_PAGES) == 0 ? PATH_CURSOR : PATH_PAGES;
}

static bool is_paged(const struct conf_source *conf, const struct source_place *at)
{
	return strcmp(path_of(conf, at), PATH_PAGES) == 0;
}

/* Title and place go into the one query, as its documentation asks. */
static void put_query(const struct source_ask *ask, struct source_request *r)
{
	struct buf text;

	buf_init(&text, 4096);
	buf_puts(&text, ask->query);
	if (*ask->location)
		buf_printf(&text, " in %s", ask->location);
	source_add_param(r, "query", buf_text(&text));
	buf_release(&text);
}

static void put_key(const struct conf_source *conf, const char *key, struct source_request *r)
{
	if (!key)
		return;
	if (strstr(conf->base_url, "openwebninja.com")) {
		source_add_header(r, "X-API-Key", key);
		return;
	}
	source_add_header(r, "X-RapidAPI-Key", key);
	source_add_header(r, "X-RapidAPI-Host", RAPID_HOST);
}

/* The age that covers what was posted since, of those that it knows. */
static const char *age_of(const struct source_ask *ask)
{
	int64_t days = source_days(ask);

	if (ask->since_us <= 0)
		return ask->date_posted;
	if (days <= 3)
		return days <= 1 ? "today" : "3days";
	return days <= 7 ? "week" : days <= 31 ? "month" : "";
}

static void put_search(const struct conf_source *conf, const struct source_ask *ask,
		       const struct source_place *at, struct source_request *r)
{
	bool paged = is_paged(conf, at);

	buf_printf(&r->url, "%s%s", conf->base_url, path_of(conf, at));
	put_query(ask, r);
	if (paged) {
		source_add_number(r, "page", at->page);
		source_add_param(r, "num_pages", "1");
	} else if (at->token) {
		source_add_param(r, "cursor", at->token);
	}
	source_add_param(r, "country", *ask->country ? ask->country : "us");
	source_add_param(r, "language", ask->language);
	source_add_param(r, "date_posted", age_of(ask));
	source_add_param(r, "employment_types", ask->employment_types);
	if (ask->remote_only)
		source_add_param(r, paged ? "remote_jobs_only" : "work_from_home", "true");
}

/* Each posting of a batch is a call to the quota. */
static void put_details(const struct conf_source *conf, const struct source_ask *ask,
			struct source_request *r)
{
	buf_printf(&r->url, "%s%s", conf->base_url, PATH_DETAILS);
	source_add_param(r, "job_id", ask->ids);
	source_add_param(r, "country", *ask->country ? ask->country : "us");
	source_add_param(r, "language", ask->language);
	for (const char *p = strchr(ask->ids, ','); p; p = strchr(p + 1, ','))
		r->credits++;
}

static int build(const struct conf_source *conf, const struct source_ask *ask,
		 const struct source_place *at, struct source_request *ret, struct err *e)
{
	struct source_request r;

	source_request_init(&r);
	if (ask->ids && *ask->ids)
		put_details(conf, ask, &r);
	else
		put_search(conf, ask, at, &r);
	put_key(conf, ask->key, &r);
	return source_request_finish(&r, ret, e);
}

static const char *message_of(const cJSON *body)
{
	const char *text = json_str(body, "message", NULL);

	return text ? text : json_str(json_get(body, "error"), "message", "");
}

/* 429 has two meanings, told apart by the text alone. */
static void judge_429(const struct http_response *r, const char *message,
		      struct source_verdict *ret)
{
	int64_t after = source_retry_after(r);
	int64_t reset = source_header_int(r, "x-ratelimit-requests-reset");

	if (strcasestr(message, "quota")) {
		int64_t rule = strcasestr(message, "daily") ? DAY_S : MONTH_S;

		source_verdict_set(ret, SOURCE_USED_UP,
				   reset > 0	       ? reset
					   : after > 0 ? after
						       : rule,
				   "HTTP 429: %s", message);
		return;
	}
	source_verdict_set(ret, SOURCE_LIMITED,
			   after > 0 ? after : strcasestr(message, "second") ? 1 : MINUTE_S,
			   "HTTP 429: %s", *message ? message : "too many requests");
}

static void judge_200(const struct http_response *r, const cJSON *body, struct source_verdict *ret)
{
	const cJSON *data = json_get(body, "data");

	if (strcasecmp(json_str(body, "status", ""), "ERROR") == 0)
		source_verdict_set(ret, SOURCE_RETRY, 0, "HTTP 200 with an error: %s",
				   message_of(body));
	else
		source_judge_rows(r, body, cJSON_IsArray(data) ? data : json_get(data, "jobs"),
				  ret);
}

static void judge(const struct http_response *r, const cJSON *body, struct source_verdict *ret)
{
	const char *message = message_of(body);

	if (source_class_of_status(r->status) == SOURCE_OK)
		judge_200(r, body, ret);
	else if (r->status == 429)
		judge_429(r, message, ret);
	else if (r->status == 404 && strstr(message, "does not exist"))
		source_verdict_set(ret, SOURCE_MOVED, 0, "HTTP 404: %s", message);
	else
		source_judge_status(r, message, ret);
}

static void read_quota(const struct http_response *r, struct source_quota *ret)
{
	*ret = (struct source_quota){
		.limit = source_header_int(r, "x-ratelimit-requests-limit"),
		.remaining = source_header_int(r, "x-ratelimit-requests-remaining"),
		.reset_s = source_header_int(r, "x-ratelimit-requests-reset"),
	};
	if (ret->remaining < 0 || ret->reset_s <= 0 || ret->remaining > ret->limit)
		ret->limit = -1;
}

static void read_page(const struct conf_source *conf, const struct source_place *at,
		      const cJSON *body, struct source_page *ret)
{
	const cJSON *data = json_get(body, "data");
	const char *token = json_str(data, "cursor", "");

	*ret = (struct source_page){
		.rows = cJSON_IsArray(data) ? data : json_get(data, "jobs"),
		.token = *token ? token : NULL,
	};
	ret->last = (!is_paged(conf, at) && !ret->token) ||
		json_get(json_get(body, "parameters"), "job_id");
}

static const char *row_id(const cJSON *row, char room[SOURCE_ID])
{
	return source_id(row, "job_id", room);
}

static void read_place(const cJSON *row, struct listing *ret)
{
	struct listing_place *place = listing_add_place(ret, listing_text(row, "job_location"));

	place->city = listing_text(row, "job_city");
	place->region = listing_text(row, "job_state");
	place->country = listing_text(row, "job_country");
	place->has_coordinates = listing_number(row, "job_latitude", &place->latitude) &&
		listing_number(row, "job_longitude", &place->longitude);
	ret->remote_flag = listing_flag(row, "job_is_remote");
}

/* The clean list came in 2025; before it there is one text, or the list under that name. */
static void read_employment(const cJSON *row, struct listing *ret)
{
	const cJSON *types = json_get(row, "job_employment_types");

	listing_add_all(&ret->employment, types);
	if (ret->employment.n == 0)
		listing_add(&ret->employment, cJSON_IsString(types) ? types->valuestring :
			    listing_text(row, "job_employment_type"));
}

static void read_pay(const cJSON *row, struct listing *ret)
{
	ret->pay_min = json_get(row, "job_min_salary");
	ret->pay_max = json_get(row, "job_max_salary");
	if (!cJSON_IsNumber(ret->pay_min) && !cJSON_IsNumber(ret->pay_max) &&
	    !cJSON_IsString(ret->pay_min) && !cJSON_IsString(ret->pay_max))
		ret->pay_min = ret->pay_max = json_get(row, "job_salary");
	ret->pay_currency = listing_text(row, "job_salary_currency");
	ret->pay_period = listing_text(row, "job_salary_period");
	listing_add(&ret->pay, listing_text(row, "job_salary_string"));
}

static void read_links(const cJSON *row, struct listing *ret)
{
	const cJSON *option, *options = json_get(row, "apply_options");

	ret->apply_url = listing_text(row, "job_apply_link");
	cJSON_ArrayForEach(option, options) {
		listing_add(&ret->apply_more, listing_text(option, "apply_link"));
	}
	if (cJSON_IsArray(options) && options->child)
		ret->apply_options = options;
}

static void read_requirements(const cJSON *row, struct listing *ret)
{
	static const struct {
		const char *flag, *name;
	} DEGREES[] = {
		{ "postgraduate_degree", "postgraduate" }, { "bachelors_degree", "bachelors" },
		{ "associates_degree", "associates" }, { "high_school", "high_school" },
	};
	const cJSON *experience = json_get(row, "job_required_experience"),
		    *education = json_get(row, "job_required_education"),
		    *highlights = json_get(row, "job_highlights");
	int64_t months = json_int(experience, "required_experience_in_months", -1);

	if (json_bool(experience, "no_experience_required", false))
		months = 0;
	if (months >= 0 && months <= INT16_MAX)
		ret->experience_months = (int)months;
	for (size_t i = 0; !ret->education && i < COUNT(DEGREES); i++)
		if (json_bool(education, DEGREES[i].flag, false))
			ret->education = DEGREES[i].name;
	listing_add_all(&ret->lines, json_get(highlights, "Benefits"));
	listing_add_all(&ret->lines, json_get(highlights, "Qualifications"));
	listing_add_all(&ret->lines, json_get(highlights, "Responsibilities"));
	listing_add_all(&ret->skills, json_get(row, "job_required_skills"));
	listing_add_all(&ret->benefits, json_get(row, "job_benefits"));
}

static void read_company(const cJSON *row, struct listing *ret)
{
	ret->company = json_get(row, "employer_name");
	ret->company_name = "employer_name";
	ret->company_website = listing_text(row, "employer_website");
	ret->company_logo = listing_text(row, "employer_logo");
	ret->company_type = listing_text(row, "employer_company_type");
	ret->company_linkedin = listing_text(row, "employer_linkedin");
	ret->naics_code = listing_text_or_number(ret, row, "job_naics_code");
	ret->naics_name = listing_text(row, "job_naics_name");
}

static bool read_row(const struct source_answer *from, const cJSON *row, struct listing *ret)
{
	(void)from;
	ret->title = json_get(row, "job_title");
	ret->title_name = "job_title";
	read_company(row, ret);
	listing_add_part(ret, listing_text(row, "job_description"));
	read_place(row, ret);
	read_employment(row, ret);
	ret->posted = (struct listing_date){ listing_integer(row, "job_posted_at_timestamp"),
					     listing_text(row, "job_posted_at_datetime_utc") };
	if (!ret->posted.text)
		ret->posted.text = listing_text_or_number(ret, row, "job_posted_at");
	ret->expires = (struct listing_date){
		listing_integer(row, "job_offer_expiration_timestamp"),
		listing_text(row, "job_offer_expiration_datetime_utc"),
	};
	read_pay(row, ret);
	read_links(row, ret);
	read_requirements(row, ret);
	ret->onet_soc = listing_text_or_number(ret, row, "job_onet_soc");
	ret->language = listing_text(row, "job_posting_language");
	ret->publisher = listing_text(row, "job_publisher");
	ret->external_id = listing_text_or_number(ret, row, "job_id");
	if (!ret->external_id)
		ret->external_id = listing_text(row, "job_uid");
	return true;
}

static const struct source jsearch = {
	.name = "jsearch",
	.kind = SOURCE_SEARCH,
	.two_paths = true,
	.ids_a_call = 20,
	.build = build,
	.judge = judge,
	.read_quota = read_quota,
	.read_page = read_page,
	.row_id = row_id,
	.rows_at = "data.jobs data .",
	.read_row = read_row,
};
SOURCE(jsearch);
