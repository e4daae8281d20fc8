/* SPDX-License-Identifier: MIT */
/* Indeed: an adapter for partners, off by default.
 *
 * Indeed has no open search interface: the Publisher API takes no new users, and partners are given
 * their own jobs alone, by GraphQL at https://apis.indeed.com/graphql with a token of an hour
 * (OAuth2 client credentials) and the header indeed-client-id. Everybody else gets Indeed's
 * postings through aggregators, attributed by publisher. This file asks and reads in the shape of
 * data.jobSearch as it is publicly described; it was never tried against the live service and holds
 * no key of anybody's. Without a token in its key variable it is skipped.
 * GraphQL refuses with HTTP 200 and {"errors":[{"message":…}]}. */
#include "common/base/conf.h"
#include "common/base/json.h"
#include "common/base/mem.h"
#include "common/net/http.h"
#include "sources/listing.h"
#include "sources/source.h"

#define QUERY \
	"query($what:String,$location:JobSearchLocationInput,$limit:Int,$cursor:String){" \
	"jobSearch(what:$what,location:$location,limit:$limit,cursor:$cursor){" \
	"pageInfo{nextCursor} results{trackingKey job{key title datePublished description{html} " \
	"location{countryName countryCode admin1Code city postalCode formatted{long}} " \
	"compensation{estimated{currencyCode baseSalary{unitOfWork range{... on Range{min max}}}} " \
	"baseSalary{unitOfWork range{... on Range{min max}}} currencyCode} " \
	"attributes{key label} employer{name dossier{images{squareLogoUrl} " \
	"links{corporateWebsite}}} recruit{viewJobUrl detailedSalary workSchedule}}}}}"

enum { PAGE_ROWS = 100 };

static void put_body(const struct source_ask *ask, const struct source_place *at, struct buf *ret)
{
	cJSON *o = mem_check(cJSON_CreateObject()), *variables = mem_check(cJSON_CreateObject());
	char *text;

	json_set_str(variables, "what", ask->query);
	if (*ask->location) {
		cJSON *location = mem_check(cJSON_CreateObject());

		json_set_str(location, "where", ask->location);
		json_set(variables, "location", location);
	}
	json_set_num(variables, "limit", PAGE_ROWS);
	json_set_str(variables, "cursor", at->token);
	json_set_str(o, "query", QUERY);
	json_set(o, "variables", variables);
	text = json_print(o);
	buf_puts(ret, text);
	free(text);
	cJSON_Delete(o);
}

static void put_key(const struct source_ask *ask, struct source_request *r)
{
	char *bearer;

	if (!ask->key)
		return;
	bearer = mem_printf("Bearer %s", ask->key);
	source_add_header(r, "Authorization", bearer);
	free(bearer);
	if (ask->id)
		source_add_header(r, "indeed-client-id", ask->id);
}

static int build(const struct conf_source *conf, const struct source_ask *ask,
		 const struct source_place *at, struct source_request *ret, struct err *e)
{
	struct source_request r;

	source_request_init(&r);
	buf_printf(&r.url, "%s%s", conf->base_url, source_path(conf, "/graphql"));
	put_body(ask, at, &r.body);
	source_add_header(&r, "Content-Type", "application/json");
	put_key(ask, &r);
	json_set_str(r.params, "what", ask->query);
	if (*ask->location)
		json_set_str(r.params, "where", ask->location);
	if (at->token)
		json_set_str(r.params, "cursor", at->token);
	return source_request_finish(&r, ret, e);
}

static const cJSON *search_of(const cJSON *body)
{
	return json_get(json_get(body, "data"), "jobSearch");
}

static void judge_refusal(const struct http_response *r, const char *message,
			  struct source_verdict *ret)
{
	bool key = strcasestr(message, "auth") || strcasestr(message, "forbidden") ||
		strcasestr(message, "token");

	source_verdict_set(ret, key ? SOURCE_KEY_REFUSED : SOURCE_BAD_REQUEST, 0,
			   "HTTP %d with an error: %s", r->status, message);
}

static void judge(const struct http_response *r, const cJSON *body, struct source_verdict *ret)
{
	const cJSON *rows = json_get(search_of(body), "results"),
		    *errors = json_get(body, "errors");
	const char *message = cJSON_IsArray(errors) ? json_str(errors->child, "message", "") : "";

	if (source_class_of_status(r->status) != SOURCE_OK)
		source_judge_status(r, message, ret);
	else if (*message && !rows)
		judge_refusal(r, message, ret);
	else
		source_judge_rows(r, body, rows, ret);
}

static void read_page(const struct conf_source *conf, const struct source_place *at,
		      const cJSON *body, struct source_page *ret)
{
	const cJSON *search = search_of(body);

	(void)conf;
	(void)at;
	*ret = (struct source_page){
		.rows = json_get(search, "results"),
		.token = listing_text(json_get(search, "pageInfo"), "nextCursor"),
	};
	ret->last = !ret->token;
}

static const char *row_id(const cJSON *row, char room[SOURCE_ID])
{
	return source_id(json_get(row, "job"), "key", room);
}

static void read_place(const cJSON *job, struct listing *ret)
{
	const cJSON *at = json_get(job, "location");
	struct listing_place *place;

	if (!at)
		return;
	place = listing_add_place(ret, listing_text(json_get(at, "formatted"), "long"));
	place->city = listing_text(at, "city");
	place->region = listing_text(at, "admin1Code");
	place->country = listing_text(at, "countryCode");
	if (!place->country)
		place->country = listing_text(at, "countryName");
	place->postal_code = listing_text(at, "postalCode");
}

/* What the employer states, else what Indeed guessed. */
static void read_pay(const cJSON *job, struct listing *ret)
{
	const cJSON *pay = json_get(job, "compensation"), *base = json_get(pay, "baseSalary"),
		    *range;

	if (!json_get(base, "range")) {
		pay = json_get(pay, "estimated");
		base = json_get(pay, "baseSalary");
		ret->pay_estimated = json_get(base, "range");
	}
	range = json_get(base, "range");
	ret->pay_min = json_get(range, "min");
	ret->pay_max = json_get(range, "max");
	ret->pay_period = listing_text(base, "unitOfWork");
	ret->pay_currency = listing_text(pay, "currencyCode");
	listing_add(&ret->pay, listing_text(json_get(job, "recruit"), "detailedSalary"));
}

static void read_company(const cJSON *job, struct listing *ret)
{
	const cJSON *employer = json_get(job, "employer"), *dossier = json_get(employer, "dossier");

	ret->company = json_get(employer, "name");
	ret->company_name = "employer.name";
	ret->company_logo = listing_text(json_get(dossier, "images"), "squareLogoUrl");
	ret->company_website = listing_text(json_get(dossier, "links"), "corporateWebsite");
}

static bool read_row(const struct source_answer *from, const cJSON *row, struct listing *ret)
{
	const cJSON *job = json_get(row, "job"), *attribute;

	(void)from;
	ret->title = json_get(job, "title");
	ret->title_name = "title";
	read_company(job, ret);
	listing_add_part(ret, listing_text(json_get(job, "description"), "html"));
	read_place(job, ret);
	cJSON_ArrayForEach(attribute, json_get(job, "attributes")) {
		listing_add_tag(ret, listing_text(attribute, "label"));
	}
	ret->posted.epoch = listing_integer(job, "datePublished");
	read_pay(job, ret);
	ret->apply_url = listing_text(json_get(job, "recruit"), "viewJobUrl");
	ret->publisher = "Indeed";
	ret->external_id = listing_text(job, "key");
	return true;
}

static const struct source indeed = {
	.name = "indeed",
	.kind = SOURCE_SEARCH,
	.build = build,
	.judge = judge,
	.read_page = read_page,
	.row_id = row_id,
	.rows_at = "data.jobSearch.results",
	.read_row = read_row,
};
SOURCE(indeed);
