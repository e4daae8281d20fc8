/* SPDX-License-Identifier: MIT */
/* Greenhouse: one employer's job board, without a key (developers.greenhouse.io/job-board.html).
 *
 * A board comes whole: {"jobs":[…],"meta":{"total":…}}, no pages. `content` is HTML that is escaped
 * once more. Pay is told by few: pay_input_ranges in cents, or a custom field among the metadata
 * whose type is currency_range, {"unit","min_value","max_value"} with amounts as texts. Metadata
 * are the employer's own fields: which of them speaks of the workplace or the kind of employment
 * is known by its name alone.
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
	buf_puts(&r.url, "/jobs");
	source_add_param(&r, "content", "true");
	source_add_param(&r, "pay_transparency", "true");
	return source_request_finish(&r, ret, e);
}

static void judge(const struct http_response *r, const cJSON *body, struct source_verdict *ret)
{
	if (source_class_of_status(r->status) == SOURCE_OK)
		source_judge_rows(r, body, json_get(body, "jobs"), ret);
	else
		source_judge_keyless(r, json_str(body, "error", ""), ret);
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

static bool is_same(const char *a, const char *b)
{
	size_t n = strlen(a), m = strlen(b);

	while (n > 0 && a[n - 1] == ' ')
		n--;
	while (m > 0 && b[m - 1] == ' ')
		m--;
	return n == m && strncasecmp(a, b, n) == 0;
}

/* An office without a location is a label ("EMEA Sales"): it counts where nothing else does. */
static void read_places(const cJSON *row, struct listing *ret)
{
	const char *main = listing_text(json_get(row, "location"), "name");
	const cJSON *office;

	if (main)
		listing_add_place(ret, main);
	cJSON_ArrayForEach(office, json_get(row, "offices")) {
		const char *place = listing_text(office, "location");

		if (!place && !main)
			place = listing_text(office, "name");
		if (place && (!main || !is_same(place, main)))
			listing_add_place(ret, place);
	}
}

static bool names_one_of(const char *name, const char *const *words)
{
	for (; *words; words++)
		if (strcasestr(name, *words))
			return true;
	return false;
}

/* A flag says less than a word for the arrangement. */
static void read_workplace(const char *value, struct listing *ret)
{
	static const char *const ONSITE[] = { "onsite", "on-site", "on site", "in office",
					      "in-office", "in person", "in-person", NULL };

	if (strcasecmp(value, "yes") == 0)
		ret->remote_flag = true;
	else if (ret->remote != LISTING_UNSAID)
		return;
	else if (strcasestr(value, "hybrid"))
		ret->remote = LISTING_HYBRID;
	else if (strcasestr(value, "remote"))
		ret->remote = LISTING_REMOTE;
	else if (names_one_of(value, ONSITE))
		ret->remote = LISTING_ONSITE;
}

/* Of several that were selected the first; a box that was ticked is a yes. */
static const char *value_of(const cJSON *field)
{
	const cJSON *value = json_get(field, "value");

	if (cJSON_IsArray(value))
		value = value->child;
	if (cJSON_IsTrue(value))
		return "yes";
	return cJSON_IsString(value) && *value->valuestring ? value->valuestring : NULL;
}

static void read_metadata_pay(const cJSON *field, const char *name, struct listing *ret)
{
	static const char *const PAY[] = { "pay", "salary", "compensation", "hiring range", "wage",
					   NULL },
				 *const OTHER[] = { "bonus", "commission", "equity", "ote",
						    "on target", "on-target", "sign-on", NULL };
	const cJSON *value = json_get(field, "value");

	if (ret->pay_min || ret->pay_max || !cJSON_IsObject(value) || !names_one_of(name, PAY) ||
	    names_one_of(name, OTHER))
		return;
	ret->pay_min = json_get(value, "min_value");
	ret->pay_max = json_get(value, "max_value");
	ret->pay_currency = listing_text(value, "unit");
}

static void read_metadata(const cJSON *row, struct listing *ret)
{
	static const char *const WORKPLACE[] = { "workplace", "work place", "remote", "work model",
						 "working model", "location type", "work type",
						 NULL },
				 *const EMPLOYMENT[] = { "employment type", "time type", "job type",
							 "contract type", "employment status",
							 NULL },
				 *const PERIOD[] = { "pay frequency", "pay period", "pay type",
						     "salary frequency", "pay interval", NULL };
	const cJSON *field;

	cJSON_ArrayForEach(field, json_get(row, "metadata")) {
		const char *name = json_str(field, "name", ""), *value = value_of(field);

		if (strcmp(json_str(field, "value_type", ""), "currency_range") == 0)
			read_metadata_pay(field, name, ret);
		else if (value && names_one_of(name, PERIOD))
			ret->pay_period = value;
		else if (value && names_one_of(name, EMPLOYMENT))
			listing_add(&ret->employment, value);
		else if (value && names_one_of(name, WORKPLACE))
			read_workplace(value, ret);
	}
}

/* The span of all ranges in the first one's currency. Where the range is is in its title. */
static void read_pay(const cJSON *row, struct listing *ret)
{
	const cJSON *range;

	cJSON_ArrayForEach(range, json_get(row, "pay_input_ranges")) {
		const char *currency = json_str(range, "currency_type", "");
		const cJSON *min = json_get(range, "min_cents"),
			    *max = json_get(range, "max_cents");

		if (!cJSON_IsNumber(min) && !cJSON_IsNumber(max))
			continue;
		if (!ret->pay_currency && *currency)
			ret->pay_currency = currency;
		if (ret->pay_currency && strcmp(ret->pay_currency, currency) != 0)
			continue;
		if (!ret->pay_period)
			ret->pay_period = listing_text(range, "title");
		if (cJSON_IsNumber(min) &&
		    (!ret->pay_min || min->valuedouble < ret->pay_min->valuedouble))
			ret->pay_min = min;
		if (cJSON_IsNumber(max) &&
		    (!ret->pay_max || max->valuedouble > ret->pay_max->valuedouble))
			ret->pay_max = max;
	}
	ret->pay_in_cents = ret->pay_min || ret->pay_max;
}

static bool read_row(const struct source_answer *from, const cJSON *row, struct listing *ret)
{
	ret->title = json_get(row, "title");
	ret->title_name = "title";
	ret->company = json_get(row, "company_name");
	ret->company_name = "company_name";
	ret->apply_url = listing_text(row, "absolute_url");
	listing_board_company(ret, from->query, ret->apply_url, "greenhouse.io");
	listing_add_part(ret, listing_text(row, "content"));
	read_places(row, ret);
	read_pay(row, ret);
	read_metadata(row, ret);
	ret->posted.text = listing_text(row, "first_published");
	if (!ret->posted.text)
		ret->posted.text = listing_text(row, "updated_at");
	ret->expires.text = listing_text(row, "application_deadline");
	ret->category = listing_text(cJSON_GetArrayItem(json_get(row, "departments"), 0), "name");
	ret->language = listing_text(row, "language");
	ret->external_id = listing_text_or_number(ret, row, "id");
	return true;
}

static const struct source greenhouse = {
	.name = "greenhouse",
	.kind = SOURCE_BOARD,
	.build = build,
	.judge = judge,
	.read_page = read_page,
	.row_id = row_id,
	.rows_at = "jobs .",
	.read_row = read_row,
};
SOURCE(greenhouse);
