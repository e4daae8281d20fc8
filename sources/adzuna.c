/* SPDX-License-Identifier: MIT */
/* Adzuna: search over the boards of 19 countries, one country a request.
 *
 * GET /jobs/{country}/search/{page} answers {"count":…,"results":[…]}. Country and page stand in
 * the path; who names no country gets that of the other searches, us; one that Adzuna does not
 * serve is refused before a call is spent on another country's postings. Application id and key are
 * query parameters, so neither the stored request nor a log has the URL's query.
 * There is no filter for remote work: the word goes into the query.
 * Pay is annual, in the country's currency. What Adzuna guessed is marked "salary_is_predicted":"1"
 * (a text). The country is not in a row, but in the request, and in the host that redirects to the
 * posting; area lists names from the country down: country, region, county, city, quarter.
 * Errors are {"exception":"AUTH_FAIL","display":…}. */
#include "common/base/conf.h"
#include "common/base/err.h"
#include "common/base/json.h"
#include "common/base/mem.h"
#include "common/net/http.h"
#include "sources/listing.h"
#include "sources/source.h"

enum { ROWS = 50, DISTANCE_KM = 30, DAY_S = 86400 };

static const struct country {
	const char *code, *name, *currency, *host;
} COUNTRIES[] = {
	{ "us", "US", "USD", "adzuna.com/" },	 { "gb", "GB", "GBP", "adzuna.co.uk/" },
	{ "at", "AT", "EUR", "adzuna.at/" },	 { "au", "AU", "AUD", "adzuna.com.au/" },
	{ "be", "BE", "EUR", "adzuna.be/" },	 { "br", "BR", "BRL", "adzuna.com.br/" },
	{ "ca", "CA", "CAD", "adzuna.ca/" },	 { "ch", "CH", "CHF", "adzuna.ch/" },
	{ "de", "DE", "EUR", "adzuna.de/" },	 { "es", "ES", "EUR", "adzuna.es/" },
	{ "fr", "FR", "EUR", "adzuna.fr/" },	 { "in", "IN", "INR", "adzuna.in/" },
	{ "it", "IT", "EUR", "adzuna.it/" },	 { "mx", "MX", "MXN", "adzuna.com.mx/" },
	{ "nl", "NL", "EUR", "adzuna.nl/" },	 { "nz", "NZ", "NZD", "adzuna.co.nz/" },
	{ "pl", "PL", "PLN", "adzuna.pl/" },	 { "sg", "SG", "SGD", "adzuna.sg/" },
	{ "za", "ZA", "ZAR", "adzuna.co.za/" },
};

static const struct country *country_of(const char *code)
{
	for (size_t i = 0; i < COUNT(COUNTRIES); i++)
		if (strcasecmp(code, COUNTRIES[i].code) == 0)
			return &COUNTRIES[i];
	return NULL;
}

/* A filter each; two of them would be met by postings that are both, so only one is passed on. */
static void put_employment(const char *types, struct source_request *r)
{
	static const char *const FILTERS[][2] = {
		{ "FULLTIME", "full_time" }, { "PARTTIME", "part_time" },
		{ "CONTRACTOR", "contract" },
	};

	for (size_t i = 0; i < COUNT(FILTERS); i++)
		if (strcasecmp(types, FILTERS[i][0]) == 0)
			source_add_param(r, FILTERS[i][1], "1");
}

static void put_query(const struct source_ask *ask, struct source_request *r)
{
	int64_t days = source_days(ask);
	struct buf text;

	buf_init(&text, 4096);
	buf_puts(&text, ask->query);
	if (ask->remote_only)
		buf_puts(&text, *ask->query ? " remote" : "remote");
	source_add_param(r, "what", buf_text(&text));
	buf_release(&text);
	source_add_param(r, "where", ask->location);
	if (*ask->location)
		source_add_number(r, "distance", DISTANCE_KM);
	if (days)
		source_add_number(r, "max_days_old", days);
	if (ask->since_us > 0)
		source_add_param(r, "sort_by", "date");
	put_employment(ask->employment_types, r);
}

static int build(const struct conf_source *conf, const struct source_ask *ask,
		 const struct source_place *at, struct source_request *ret, struct err *e)
{
	const struct country *country = country_of(*ask->country ? ask->country : "us");
	struct source_request r;

	if (!country)
		return err_set(e, ERR_INVALID, "Adzuna has no postings of country \"%s\"",
			       ask->country);
	source_request_init(&r);
	buf_printf(&r.url, "%s/jobs/%s/search/%d", conf->base_url, country->code, at->page);
	json_set_str(r.params, "country", country->code);
	json_set_num(r.params, "page", at->page);
	put_query(ask, &r);
	source_add_number(&r, "results_per_page", ROWS);
	if (ask->id)
		source_add_secret_param(&r, "app_id", ask->id);
	if (ask->key)
		source_add_secret_param(&r, "app_key", ask->key);
	return source_request_finish(&r, ret, e);
}

/* Four limits, told apart by the text alone; the month's is the last resort. */
static int64_t used_up_s(const char *text)
{
	if (strcasestr(text, "daily") || strcasestr(text, "per day"))
		return DAY_S;
	if (strcasestr(text, "week"))
		return 7 * DAY_S;
	return strcasestr(text, "month") ? 30 * DAY_S : 0;
}

static void judge(const struct http_response *r, const cJSON *body, struct source_verdict *ret)
{
	const char *exception = json_str(body, "exception", ""),
		   *display = json_str(body, "display", exception);
	int64_t after = source_retry_after(r);

	if (strcmp(exception, "AUTH_FAIL") == 0)
		source_verdict_set(ret, SOURCE_KEY_REFUSED, 0, "HTTP %d: %s", r->status, display);
	else if (r->status == 429 && used_up_s(display))
		source_verdict_set(ret, SOURCE_USED_UP, after > 0 ? after : used_up_s(display),
				   "HTTP 429: %s", display);
	else if (source_class_of_status(r->status) != SOURCE_OK)
		source_judge_endpoint(r, display, ret);
	else if (*exception)
		source_verdict_set(ret, SOURCE_RETRY, 0, "HTTP %d with an error: %s", r->status,
				   display);
	else
		source_judge_rows(r, body, json_get(body, "results"), ret);
}

static void read_page(const struct conf_source *conf, const struct source_place *at,
		      const cJSON *body, struct source_page *ret)
{
	int n;

	(void)conf;
	*ret = (struct source_page){ .rows = json_get(body, "results") };
	n = cJSON_GetArraySize(ret->rows);
	ret->last = n < ROWS || json_int(body, "count", INT64_MAX) <= (int64_t)at->page * ROWS;
}

static const char *row_id(const cJSON *row, char room[SOURCE_ID])
{
	return source_id(row, "id", room);
}

static const struct country *country_of_row(const struct source_answer *from, const cJSON *row)
{
	const char *link = json_str(row, "redirect_url", "");
	const struct country *asked = country_of(json_str(from->query, "country", ""));

	for (size_t i = 0; !asked && i < COUNT(COUNTRIES); i++)
		if (strstr(link, COUNTRIES[i].host))
			asked = &COUNTRIES[i];
	return asked;
}

static const char *area_at(const cJSON *area, int i)
{
	const cJSON *name = cJSON_IsArray(area) ? cJSON_GetArrayItem(area, i) : NULL;

	return cJSON_IsString(name) && *name->valuestring ? name->valuestring : NULL;
}

/* A region whose parts bear its name ("London", "Central London") is the city itself. */
static const char *city_of(const cJSON *area)
{
	const char *region = area_at(area, 1), *county = area_at(area, 2), *city = area_at(area, 3);

	if (region && county && strlen(county) > strlen(region) && strstr(county, region))
		return region;
	if (city)
		return city;
	return county && !strstr(county, " County") ? county : NULL;
}

static void read_place(const struct country *country, const cJSON *row, struct listing *ret)
{
	const cJSON *location = json_get(row, "location"), *area = json_get(location, "area");
	struct listing_place *place =
		listing_add_place(ret, listing_text(location, "display_name"));

	place->country = country ? country->name : area_at(area, 0);
	place->region = area_at(area, 1);
	place->city = city_of(area);
	place->has_coordinates = listing_number(row, "latitude", &place->latitude) &&
		listing_number(row, "longitude", &place->longitude);
}

static void read_pay(const struct country *country, const cJSON *row, struct listing *ret)
{
	ret->pay_min = json_get(row, "salary_min");
	ret->pay_max = json_get(row, "salary_max");
	ret->pay_estimated = listing_flag(row, "salary_is_predicted");
	ret->pay_period = ret->pay_min || ret->pay_max ? "YEAR" : NULL;
	ret->pay_currency = country ? country->currency : NULL;
}

static bool read_row(const struct source_answer *from, const cJSON *row, struct listing *ret)
{
	const struct country *country = country_of_row(from, row);

	ret->title = json_get(row, "title");
	ret->title_name = "title";
	ret->company = json_get(json_get(row, "company"), "display_name");
	ret->company_name = "company.display_name";
	listing_add_part(ret, listing_text(row, "description"));
	read_place(country, row, ret);
	read_pay(country, row, ret);
	listing_add(&ret->employment, listing_text(row, "contract_time"));
	listing_add(&ret->employment, listing_text(row, "contract_type"));
	ret->posted.text = listing_text(row, "created");
	ret->apply_url = listing_text(row, "redirect_url");
	ret->category = listing_text(json_get(row, "category"), "label");
	if (ret->category && strcmp(ret->category, "Unknown") == 0)
		ret->category = NULL;
	ret->external_id = listing_text_or_number(ret, row, "id");
	return true;
}

static const struct source adzuna = {
	.name = "adzuna",
	.kind = SOURCE_SEARCH,
	.build = build,
	.judge = judge,
	.read_page = read_page,
	.row_id = row_id,
	.rows_at = "results",
	.read_row = read_row,
};
SOURCE(adzuna);
