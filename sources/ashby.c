/* SPDX-License-Identifier: MIT */
/* Ashby: one employer's job board, without a key
 * (developers.ashbyhq.com/docs/public-job-posting-api).
 *
 * GET /ORG?includeCompensation=true answers {"apiVersion":…,"jobs":[…]}, whole. Rows that are not
 * listed are kept off the board by their employer, so they are no postings. workplaceType is right
 * where isRemote is not (isRemote is true of hybrid jobs, too). Of the components of the
 * compensation Salary alone is pay; equity, bonus and commission are not. Rows do not name their
 * employer.
 * A 404 means that this board is gone; it says nothing of the others. */
#include "common/base/conf.h"
#include "common/base/json.h"
#include "common/net/http.h"
#include "sources/listing.h"
#include "sources/source.h"

static int build(const struct conf_source *conf, const struct source_ask *ask,
		 const struct source_place *at, struct source_request *ret, struct err *e)
{
	struct source_request r;

	(void)at;
	source_request_init(&r);
	buf_puts(&r.url, conf->base_url);
	source_add_board(&r, ask->board);
	source_add_param(&r, "includeCompensation", "true");
	return source_request_finish(&r, ret, e);
}

static void judge(const struct http_response *r, const cJSON *body, struct source_verdict *ret)
{
	if (source_class_of_status(r->status) == SOURCE_OK)
		source_judge_rows(r, body, json_get(body, "jobs"), ret);
	else
		source_judge_keyless(r, json_str(body, "message", json_str(body, "error", "")),
				     ret);
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

/* from: the row, or one of its secondaryLocations. */
static void add_place(const cJSON *from, struct listing *ret)
{
	const cJSON *address = json_get(from, "address"),
		    *postal = json_get(address, "postalAddress");
	struct listing_place place = { .text = listing_text(from, "location") }, *added;

	if (!postal)
		postal = address;
	place.city = listing_text(postal, "addressLocality");
	place.region = listing_text(postal, "addressRegion");
	place.country = listing_text(postal, "addressCountry");
	place.postal_code = listing_text(postal, "postalCode");
	if (!place.text && !place.city && !place.region && !place.country)
		return;
	added = listing_add_place(ret, NULL);
	if (added)
		*added = place;
}

static void read_places(const cJSON *row, struct listing *ret)
{
	const cJSON *other;

	add_place(row, ret);
	cJSON_ArrayForEach(other, json_get(row, "secondaryLocations")) {
		add_place(other, ret);
	}
}

static void read_remote(const cJSON *row, struct listing *ret)
{
	const char *workplace = json_str(row, "workplaceType", "");

	if (strcasecmp(workplace, "Remote") == 0)
		ret->remote = LISTING_REMOTE;
	else if (strcasecmp(workplace, "Hybrid") == 0)
		ret->remote = LISTING_HYBRID;
	else if (strcasecmp(workplace, "OnSite") == 0)
		ret->remote = LISTING_ONSITE;
	else
		ret->remote_flag = listing_flag(row, "isRemote");
}

/* "1 YEAR", "1 HOUR"; "NONE" says nothing. */
static const char *period_of(const cJSON *component)
{
	const char *interval = listing_text(component, "interval");

	if (!interval || strcasecmp(interval, "NONE") == 0)
		return NULL;
	return strncasecmp(interval, "2 WEEK", 6) == 0 ? "two weeks" : interval;
}

static bool is_salary(const cJSON *component)
{
	return strcasecmp(json_str(component, "compensationType", ""), "Salary") == 0;
}

/* The first salary that is a figure. The words are worth keeping only where there is a salary, for
 * they tell of equity and bonus as well. */
static void read_pay(const cJSON *row, struct listing *ret)
{
	const cJSON *pay = json_get(row, "compensation"), *c;
	const char *salary = listing_text(pay, "scrapeableCompensationSalarySummary");

	cJSON_ArrayForEach(c, json_get(pay, "summaryComponents")) {
		if (!is_salary(c) || (!json_get(c, "minValue") && !json_get(c, "maxValue")))
			continue;
		ret->pay_min = json_get(c, "minValue");
		ret->pay_max = json_get(c, "maxValue");
		ret->pay_currency = listing_text(c, "currencyCode");
		ret->pay_period = period_of(c);
		listing_add(&ret->pay, listing_text(pay, "compensationTierSummary"));
		break;
	}
	listing_add(&ret->pay, salary);
}

static bool read_row(const struct source_answer *from, const cJSON *row, struct listing *ret)
{
	const char *page = listing_text(row, "jobUrl"),
		   *text = listing_text(row, "descriptionHtml");

	if (cJSON_IsFalse(json_get(row, "isListed")))
		return false;
	ret->title = json_get(row, "title");
	ret->title_name = "title";
	ret->company_name = "company";
	listing_board_company(ret, from->query, page, "ashbyhq.com");
	listing_add_part(ret, text ? text : listing_text(row, "descriptionPlain"));
	read_places(row, ret);
	read_remote(row, ret);
	listing_add(&ret->employment, listing_text(row, "employmentType"));
	ret->posted.text = listing_text(row, "publishedAt");
	read_pay(row, ret);
	ret->category = listing_text(row, "department");
	if (!ret->category)
		ret->category = listing_text(row, "team");
	ret->apply_url = listing_text(row, "applyUrl");
	listing_add(&ret->apply_more, page);
	ret->external_id = listing_text(row, "id");
	return true;
}

static const struct source ashby = {
	.name = "ashby",
	.kind = SOURCE_BOARD,
	.build = build,
	.judge = judge,
	.read_page = read_page,
	.row_id = row_id,
	.rows_at = "jobs",
	.read_row = read_row,
};
SOURCE(ashby);
