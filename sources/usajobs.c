/* SPDX-License-Identifier: MIT */
/* USAJOBS: the postings of the federal government of the United States.
 *
 * GET /Search answers {"SearchResult":{"SearchResultItems":[{"MatchedObjectDescriptor":{…}}],
 * "UserArea":{"NumberOfPages":"3"}}}. Whoever asks says so with the e-mail address the key was
 * registered with, as User-Agent; Host is the URL's. A query gives at most 10,000 rows, and a very
 * broad one may end in a 503.
 * Pay is text ("32318.0000") by RateIntervalCode: PA, PH …, in old answers "Per Year"; WC and FB
 * are no pay. Coordinates 0/0 and names like "Location Negotiable After Selection" are no place.
 * Dates have four fractional digits and no zone. */
#include "common/base/conf.h"
#include "common/base/err.h"
#include "common/base/json.h"
#include "common/base/mem.h"
#include "common/net/http.h"
#include "sources/listing.h"
#include "sources/source.h"

#define PATH "/Search"

enum { ROWS = 250, ROWS_MAX = 10000, DAYS_MAX = 60 };

/* PositionScheduleTypeCode: 1 full-time, 2 part-time. It has no others that are asked for. */
static void put_schedule(const char *types, struct source_request *r)
{
	if (strcasecmp(types, "FULLTIME") == 0)
		source_add_param(r, "PositionScheduleTypeCode", "1");
	else if (strcasecmp(types, "PARTTIME") == 0)
		source_add_param(r, "PositionScheduleTypeCode", "2");
}

static void put_query(const struct source_ask *ask, const struct source_place *at,
		      struct source_request *r)
{
	int64_t days = source_days(ask);

	source_add_param(r, "Keyword", ask->query);
	source_add_param(r, "LocationName", ask->location);
	if (days && days <= DAYS_MAX)
		source_add_number(r, "DatePosted", days);
	if (ask->remote_only)
		source_add_param(r, "RemoteIndicator", "True");
	put_schedule(ask->employment_types, r);
	source_add_param(r, "Fields", "Full");
	source_add_number(r, "Page", at->page);
	source_add_number(r, "ResultsPerPage", ROWS);
}

static int build(const struct conf_source *conf, const struct source_ask *ask,
		 const struct source_place *at, struct source_request *ret, struct err *e)
{
	struct source_request r;

	if (!ask->id)
		return err_set(e, ERR_INVALID, "USAJOBS wants to know the e-mail address that its "
			       "key was registered with: set %s",
			       conf->id_variable && *conf->id_variable ? conf->id_variable
								       : "id_variable");
	source_request_init(&r);
	buf_printf(&r.url, "%s%s", conf->base_url, source_path(conf, PATH));
	put_query(ask, at, &r);
	source_add_header(&r, "User-Agent", ask->id);
	if (ask->key)
		source_add_header(&r, "Authorization-Key", ask->key);
	return source_request_finish(&r, ret, e);
}

static const cJSON *items_of(const cJSON *body)
{
	return json_get(json_get(body, "SearchResult"), "SearchResultItems");
}

static void judge(const struct http_response *r, const cJSON *body, struct source_verdict *ret)
{
	if (source_class_of_status(r->status) == SOURCE_OK)
		source_judge_rows(r, body, items_of(body), ret);
	else
		source_judge_endpoint(r, json_str(body, "Message", json_str(body, "message", "")),
				      ret);
}

static void read_page(const struct conf_source *conf, const struct source_place *at,
		      const cJSON *body, struct source_page *ret)
{
	const cJSON *area = json_get(json_get(body, "SearchResult"), "UserArea");
	int64_t pages = listing_integer(area, "NumberOfPages");

	(void)conf;
	*ret = (struct source_page){ .rows = items_of(body) };
	ret->last = at->page >= ROWS_MAX / ROWS ||
		(pages > 0 ? at->page >= pages : cJSON_GetArraySize(ret->rows) < ROWS);
}

static const char *row_id(const cJSON *row, char room[SOURCE_ID])
{
	return source_id(row, "MatchedObjectId", room);
}

static bool is_nowhere(const char *name)
{
	return strcasestr(name, "negotiable") || strncasecmp(name, "anywhere", 8) == 0 ||
		strcasestr(name, "multiple locations");
}

static void read_places(const cJSON *object, struct listing *ret)
{
	const cJSON *from, *all = json_get(object, "PositionLocation");

	cJSON_ArrayForEach(from, all) {
		const char *name = listing_text(from, "LocationName"),
			   *region = listing_text(from, "CountrySubDivisionCode");
		struct listing_place *place;

		if (!name || is_nowhere(name) || !(place = listing_add_place(ret, name)))
			continue;
		place->region = region && strcmp(region, "N/A") != 0 ? region : NULL;
		place->country = listing_text(from, "CountryCode");
		place->has_coordinates = listing_number(from, "Latitude", &place->latitude) &&
			listing_number(from, "Longitude", &place->longitude) &&
			(place->latitude != 0 || place->longitude != 0);
	}
	if (ret->nplaces == 0) {
		const char *name = listing_text(object, "PositionLocationDisplay");

		listing_add_place(ret, name && !is_nowhere(name) ? name : NULL)->country =
			"United States";
	}
}

/* The first that states an amount; the others are of other grades. */
static void read_pay(const cJSON *object, struct listing *ret)
{
	const cJSON *from, *all = json_get(object, "PositionRemuneration");

	cJSON_ArrayForEach(from, all) {
		const char *period = listing_text(from, "RateIntervalCode");
		double min = 0, max = 0;

		if (period && (strcmp(period, "WC") == 0 || strcmp(period, "FB") == 0 ||
			       strcasestr(period, "without") || strcasestr(period, "fee")))
			continue;
		listing_number(from, "MinimumRange", &min);
		listing_number(from, "MaximumRange", &max);
		if (min <= 0 && max <= 0)
			continue;
		ret->pay_min = json_get(from, "MinimumRange");
		ret->pay_max = json_get(from, "MaximumRange");
		ret->pay_period = period;
		ret->pay_currency = "USD";
		ret->pay_federal = true;
		return;
	}
}

static void add_names(struct listing_texts *texts, const cJSON *array)
{
	const cJSON *item;

	cJSON_ArrayForEach(item, array) {
		listing_add(texts, listing_text(item, "Name"));
	}
}

/* A text, or a list of texts. */
static void add_parts(const cJSON *object, const char *name, struct listing *ret)
{
	const cJSON *item, *member = json_get(object, name);

	if (cJSON_IsString(member))
		listing_add_part(ret, member->valuestring);
	cJSON_ArrayForEach(item, member) {
		listing_add_part(ret, cJSON_IsString(item) ? item->valuestring : NULL);
	}
}

static void read_text(const cJSON *object, const cJSON *details, struct listing *ret)
{
	static const char *const PARTS[] = { "Education", "Requirements", "KeyRequirements",
					     "OtherInformation", "Benefits" };

	add_parts(details, "JobSummary", ret);
	add_parts(details, "MajorDuties", ret);
	add_parts(object, "QualificationSummary", ret);
	for (size_t i = 0; i < COUNT(PARTS); i++)
		add_parts(details, PARTS[i], ret);
}

/* Telework is from home for a part of the week. */
static enum listing_remote remote_of(const cJSON *details)
{
	if (listing_flag(details, "RemoteIndicator"))
		return LISTING_REMOTE;
	if (listing_flag(details, "TeleworkEligible"))
		return LISTING_HYBRID;
	return json_get(details, "RemoteIndicator") && json_get(details, "TeleworkEligible")
		? LISTING_ONSITE : LISTING_UNSAID;
}

static void read_links(const cJSON *object, struct listing *ret)
{
	const char *page = listing_text(object, "PositionURI");

	listing_add_all(&ret->apply_more, json_get(object, "ApplyURI"));
	ret->apply_url = ret->apply_more.n ? ret->apply_more.text[0] : page;
	listing_add(&ret->apply_more, page);
}

static void read_employer(const cJSON *object, struct listing *ret)
{
	ret->company = json_get(object, "OrganizationName");
	ret->company_name = "OrganizationName";
	if (!listing_text(object, "OrganizationName") && listing_text(object, "DepartmentName"))
		ret->company = json_get(object, "DepartmentName");
}

static bool read_row(const struct source_answer *from, const cJSON *row, struct listing *ret)
{
	const cJSON *object = json_get(row, "MatchedObjectDescriptor"),
		    *details = json_get(json_get(object, "UserArea"), "Details"),
		    *categories = json_get(object, "JobCategory");

	(void)from;
	ret->title = json_get(object, "PositionTitle");
	ret->title_name = "PositionTitle";
	read_employer(object, ret);
	read_text(object, details, ret);
	read_places(object, ret);
	ret->remote = remote_of(details);
	read_pay(object, ret);
	read_links(object, ret);
	add_names(&ret->employment, json_get(object, "PositionSchedule"));
	add_names(&ret->employment, json_get(object, "PositionOfferingType"));
	ret->posted.text = listing_text(object, "PublicationStartDate");
	ret->expires.text = listing_text(object, "ApplicationCloseDate");
	ret->category = listing_text(cJSON_IsArray(categories) ? categories->child : NULL, "Name");
	ret->company_type = "Government";
	ret->external_id = listing_text_or_number(ret, row, "MatchedObjectId");
	return true;
}

static const struct source usajobs = {
	.name = "usajobs",
	.kind = SOURCE_SEARCH,
	.build = build,
	.judge = judge,
	.read_page = read_page,
	.row_id = row_id,
	.rows_at = "SearchResult.SearchResultItems",
	.read_row = read_row,
};
SOURCE(usajobs);
