/* SPDX-License-Identifier: MIT */
/* Jobicy: the newest remote jobs, without a key (jobi.cy/apidocs).
 *
 * GET /remote-jobs?count=&geo=&tag= answers {"jobCount":…,"jobs":[…],"success":true}, at most 100
 * and no further page. `tag` is searched for in titles and texts; `geo` is a country by a name of
 * its own and refused otherwise, so only names that are known are sent. It wants to be named and
 * linked to, with applications through its page (`terms` in queues.conf).
 * Titles and categories hold HTML entities. Pay was called annualSalaryMin and -Max before 2026;
 * now salaryPeriod tells of what. */
#include "common/base/conf.h"
#include "common/base/json.h"
#include "common/base/mem.h"
#include "common/net/http.h"
#include "sources/listing.h"
#include "sources/source.h"

enum { PAGE_ROWS = 100 };

/* "" for a country that it has no name for. */
static const char *geo_of(const char *country)
{
	static const char *const NAMES[][2] = {
		{ "at", "austria" },	 { "au", "australia" },	  { "be", "belgium" },
		{ "bg", "bulgaria" },	 { "br", "brazil" },	  { "ca", "canada" },
		{ "ch", "switzerland" }, { "cn", "china" },	  { "cr", "costa-rica" },
		{ "cy", "cyprus" },	 { "cz", "czechia" },	  { "de", "germany" },
		{ "dk", "denmark" },	 { "ee", "estonia" },	  { "es", "spain" },
		{ "fi", "finland" },	 { "fr", "france" },	  { "gb", "uk" },
		{ "gr", "greece" },	 { "hr", "croatia" },	  { "hu", "hungary" },
		{ "ie", "ireland" },	 { "il", "israel" },	  { "it", "italy" },
		{ "jp", "japan" },	 { "lt", "lithuania" },	  { "lv", "latvia" },
		{ "mx", "mexico" },	 { "nl", "netherlands" }, { "no", "norway" },
		{ "nz", "new-zealand" }, { "ph", "philippines" }, { "pl", "poland" },
		{ "pt", "portugal" },	 { "ro", "romania" },	  { "rs", "serbia" },
		{ "se", "sweden" },	 { "sg", "singapore" },	  { "si", "slovenia" },
		{ "sk", "slovakia" },	 { "th", "thailand" },	  { "tr", "turkiye" },
		{ "us", "usa" },	 { "vn", "vietnam" },
	};

	for (size_t i = 0; i < COUNT(NAMES); i++)
		if (strcasecmp(country, NAMES[i][0]) == 0)
			return NAMES[i][1];
	return "";
}

static int build(const struct conf_source *conf, const struct source_ask *ask,
		 const struct source_place *at, struct source_request *ret, struct err *e)
{
	struct source_request r;

	(void)at;
	source_request_init(&r);
	buf_printf(&r.url, "%s%s", conf->base_url, source_path(conf, "/remote-jobs"));
	source_add_number(&r, "count", PAGE_ROWS);
	source_add_param(&r, "geo", geo_of(ask->country));
	source_add_param(&r, "tag", ask->query);
	return source_request_finish(&r, ret, e);
}

static const char *message_of(const cJSON *body)
{
	return json_str(body, "message", json_str(body, "error", ""));
}

static void judge(const struct http_response *r, const cJSON *body, struct source_verdict *ret)
{
	const cJSON *rows = json_get(body, "jobs");
	bool refused = cJSON_IsFalse(json_get(body, "success"));

	if (refused && !rows && (r->status == 200 || r->status == 404))
		source_verdict_set(ret, SOURCE_BAD_REQUEST, 0, "HTTP %d with an error: %s",
				   r->status, message_of(body));
	else if (source_class_of_status(r->status) == SOURCE_OK)
		source_judge_rows(r, body, rows, ret);
	else if (r->status == 404 || r->status == 410)
		source_judge_endpoint(r, message_of(body), ret);
	else
		source_judge_keyless(r, message_of(body), ret);
}

static void read_page(const struct conf_source *conf, const struct source_place *at,
		      const cJSON *body, struct source_page *ret)
{
	(void)conf;
	(void)at;
	*ret = (struct source_page){ .rows = json_get(body, "jobs"), .last = true };
}

static const char *row_id(const cJSON *row, char room[SOURCE_ID])
{
	return source_id(row, "id", room);
}

/* Countries and regions by comma. Of several none is the main one. */
static void read_places(const cJSON *row, struct listing *ret)
{
	const char *geo = json_str(row, "jobGeo", "");

	ret->country_likely = "";
	if (strchr(geo, ','))
		listing_add_place(ret, NULL);
	for (const char *p = geo; *p; p += *p == ',') {
		size_t n = strcspn(p, ",");
		const char *name = listing_keep(ret, p, n);

		if (name)
			listing_add_place(ret, name);
		p += n;
	}
}

/* A text, or the first of a list of them. */
static const char *first_text(const cJSON *row, const char *name)
{
	const cJSON *m = json_get(row, name);

	if (cJSON_IsArray(m))
		m = m->child;
	return cJSON_IsString(m) && *m->valuestring ? m->valuestring : NULL;
}

static void read_pay(const cJSON *row, struct listing *ret)
{
	const cJSON *min = json_get(row, "annualSalaryMin"),
		    *max = json_get(row, "annualSalaryMax");

	ret->pay_min = min || max ? min : json_get(row, "salaryMin");
	ret->pay_max = min || max ? max : json_get(row, "salaryMax");
	ret->pay_period = min || max ? "yearly" : listing_text(row, "salaryPeriod");
	ret->pay_currency = listing_text(row, "salaryCurrency");
}

static void read_employment(const cJSON *row, struct listing *ret)
{
	const cJSON *types = json_get(row, "jobType");

	if (cJSON_IsString(types))
		listing_add(&ret->employment, types->valuestring);
	else
		listing_add_all(&ret->employment, types);
}

static bool read_row(const struct source_answer *from, const cJSON *row, struct listing *ret)
{
	const char *text = listing_text(row, "jobDescription");

	(void)from;
	ret->title = json_get(row, "jobTitle");
	ret->title_name = "jobTitle";
	ret->company = json_get(row, "companyName");
	ret->company_name = "companyName";
	ret->company_logo = listing_text(row, "companyLogo");
	listing_add_part(ret, text ? text : listing_text(row, "jobExcerpt"));
	read_places(row, ret);
	ret->remote = LISTING_REMOTE;
	read_employment(row, ret);
	ret->posted.text = listing_text(row, "pubDate");
	read_pay(row, ret);
	ret->level = listing_text(row, "jobLevel");
	ret->category = first_text(row, "jobIndustry");
	ret->apply_url = listing_text(row, "url");
	ret->external_id = listing_text_or_number(ret, row, "id");
	return true;
}

static const struct source jobicy = {
	.name = "jobicy",
	.kind = SOURCE_SEARCH,
	.build = build,
	.judge = judge,
	.read_page = read_page,
	.row_id = row_id,
	.rows_at = "jobs",
	.read_row = read_row,
};
SOURCE(jobicy);
