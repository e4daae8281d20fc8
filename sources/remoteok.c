/* SPDX-License-Identifier: MIT */
/* Remote OK: a feed of remote jobs, without a key (remoteok.com/api).
 *
 * The answer is a bare array; its first element is a notice, {"last_updated":…,"legal":…}: whoever
 * shows the postings must link back to each (without nofollow) and name Remote OK (`terms` in
 * queues.conf). Programs that do not say who they are get a page of HTML.
 * Texts are UTF-8 that was decoded twice; pay is yearly in US dollars, 0 for none; some rows are
 * spam. All of that passes here as it came. */
#include "common/base/conf.h"
#include "common/base/json.h"
#include "common/net/http.h"
#include "sources/listing.h"
#include "sources/source.h"

#define USER_AGENT "Mozilla/5.0 (compatible; jobfleet; job postings collector)"

static int build(const struct conf_source *conf, const struct source_ask *ask,
		 const struct source_place *at, struct source_request *ret, struct err *e)
{
	struct source_request r;

	(void)ask;
	(void)at;
	source_request_init(&r);
	buf_printf(&r.url, "%s%s", conf->base_url, source_path(conf, "/api"));
	source_add_header(&r, "User-Agent", USER_AGENT);
	return source_request_finish(&r, ret, e);
}

static void judge(const struct http_response *r, const cJSON *body, struct source_verdict *ret)
{
	if (source_class_of_status(r->status) == SOURCE_OK)
		source_judge_rows(r, body, body, ret);
	else if (r->status == 404 || r->status == 410)
		source_judge_endpoint(r, "", ret);
	else
		source_judge_keyless(r, json_str(body, "error", ""), ret);
}

static void read_page(const struct conf_source *conf, const struct source_place *at,
		      const cJSON *body, struct source_page *ret)
{
	(void)conf;
	(void)at;
	*ret = (struct source_page){ .rows = body, .last = true };
}

static bool is_notice(const cJSON *row)
{
	return !json_get(row, "id") && !json_get(row, "position") &&
		(json_get(row, "legal") || json_get(row, "last_updated"));
}

/* The notice is always the same one, so it is never news. */
static const char *row_id(const cJSON *row, char room[SOURCE_ID])
{
	return is_notice(row) ? "notice" : source_id(row, "id", room);
}

static bool is_positive(const cJSON *row, const char *name)
{
	double value = 0;

	return listing_number(row, name, &value) && value > 0;
}

static void read_pay(const cJSON *row, struct listing *ret)
{
	const char *currency = listing_text(row, "currency");

	if (!is_positive(row, "salary_min") && !is_positive(row, "salary_max"))
		return;
	ret->pay_min = json_get(row, "salary_min");
	ret->pay_max = json_get(row, "salary_max");
	ret->pay_currency = currency ? currency : "USD";
	ret->pay_period = "YEAR";
}

static bool read_row(const struct source_answer *from, const cJSON *row, struct listing *ret)
{
	const char *place = listing_text(row, "location");
	const cJSON *tag;

	(void)from;
	if (is_notice(row))
		return false;
	ret->title = json_get(row, "position");
	ret->title_name = "position";
	ret->company = json_get(row, "company");
	ret->company_name = "company";
	ret->company_logo = listing_text(row, "company_logo");
	if (!ret->company_logo)
		ret->company_logo = listing_text(row, "logo");
	listing_add_part(ret, listing_text(row, "description"));
	if (place)
		listing_add_place(ret, place);
	ret->remote = LISTING_REMOTE;
	cJSON_ArrayForEach(tag, json_get(row, "tags")) {
		listing_add_tag(ret, cJSON_GetStringValue(tag));
	}
	ret->posted = (struct listing_date){ listing_integer(row, "epoch"),
					     listing_text(row, "date") };
	read_pay(row, ret);
	ret->apply_url = listing_text(row, "apply_url");
	listing_add(&ret->apply_more, listing_text(row, "url"));
	ret->external_id = listing_text_or_number(ret, row, "id");
	return true;
}

static const struct source remoteok = {
	.name = "remoteok",
	.kind = SOURCE_FEED,
	.build = build,
	.judge = judge,
	.read_page = read_page,
	.row_id = row_id,
	.rows_at = ".",
	.read_row = read_row,
};
SOURCE(remoteok);
