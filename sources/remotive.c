/* SPDX-License-Identifier: MIT */
/* Remotive: remote jobs, a day late, all on one page.
 *
 * GET /remote-jobs answers {"00-warning":…,"0-legal-notice":…,"job-count":…,"jobs":[…]}; the
 * notices stand beside the postings. It asks for four fetches a day at most and blocks who asks
 * more often than twice a minute; it also wants its name and a link back shown (`terms` in
 * queues.conf).
 * All postings are remote: candidate_required_location is where one may live, with time zones among
 * it. Pay is free text. Dates have no zone and are UTC. */
#include "common/base/conf.h"
#include "common/base/err.h"
#include "common/base/json.h"
#include "common/base/mem.h"
#include "common/net/http.h"
#include "sources/listing.h"
#include "sources/source.h"

#define PATH "/remote-jobs"

enum { FETCH_S = 6 * 3600 };		/* four a day */

static int build(const struct conf_source *conf, const struct source_ask *ask,
		 const struct source_place *at, struct source_request *ret, struct err *e)
{
	struct source_request r;

	(void)at;
	source_request_init(&r);
	buf_printf(&r.url, "%s%s", conf->base_url, source_path(conf, PATH));
	source_add_param(&r, "search", ask->query);
	return source_request_finish(&r, ret, e);
}

/* Nobody has a key, so a 403 is a block for asking too often. */
static void judge(const struct http_response *r, const cJSON *body, struct source_verdict *ret)
{
	const char *message = json_str(body, "message", json_str(body, "error", ""));
	int64_t after = source_retry_after(r);

	if (source_class_of_status(r->status) == SOURCE_OK)
		source_judge_rows(r, body, json_get(body, "jobs"), ret);
	else if (r->status == 403)
		source_verdict_set(ret, SOURCE_USED_UP, after > 0 ? after : FETCH_S,
				   "HTTP 403: %s", *message ? message : "blocked");
	else
		source_judge_endpoint(r, message, ret);
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

static void read_employment(const cJSON *row, struct listing *ret)
{
	const char *type = listing_text(row, "job_type");

	if (type && strcmp(type, "other") != 0)
		listing_add(&ret->employment, type);
}

static bool read_row(const struct source_answer *from, const cJSON *row, struct listing *ret)
{
	const char *place = listing_text(row, "candidate_required_location");

	(void)from;
	ret->title = json_get(row, "title");
	ret->title_name = "title";
	ret->company = json_get(row, "company_name");
	ret->company_name = "company_name";
	ret->company_logo = listing_text(row, "company_logo_url");
	if (!ret->company_logo)
		ret->company_logo = listing_text(row, "company_logo");
	listing_add_part(ret, listing_text(row, "description"));
	if (place)
		listing_add_place(ret, place);
	ret->remote = LISTING_REMOTE;
	read_employment(row, ret);
	ret->posted.text = listing_text(row, "publication_date");
	listing_add(&ret->pay, listing_text(row, "salary"));
	listing_add_all(&ret->skills, json_get(row, "tags"));
	ret->category = listing_text(row, "category");
	ret->apply_url = listing_text(row, "url");
	ret->external_id = listing_text_or_number(ret, row, "id");
	return true;
}

static const struct source remotive = {
	.name = "remotive",
	.kind = SOURCE_FEED,
	.build = build,
	.judge = judge,
	.read_page = read_page,
	.row_id = row_id,
	.rows_at = "jobs",
	.read_row = read_row,
};
SOURCE(remotive);
