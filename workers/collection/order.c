/* SPDX-License-Identifier: MIT */
#include "workers/collection/order.h"

#include <ctype.h>
#include <math.h>

#include "common/base/err.h"
#include "common/base/json.h"
#include "common/base/mem.h"

enum { TEXT_BYTES = 500, IDS_BYTES = 4000, PAIRS = 500, RESULTS = 1000, RETRIES = 100 };

static const char *const STRATEGIES[] = { "on_demand", "scheduled", "batch", "incremental" };
static const char *const DATES[] = { "all", "today", "3days", "week", "month" };

/* What the provider must be told, else foreign places find nothing. Places of the United States
 * need no entry: that is the provider's default. */
static const struct {
	const char *name, *code;
} COUNTRIES[] = {
	{ "united states", "us" }, { "usa", "us" }, { "us", "us" }, { "united kingdom", "gb" },
	{ "uk", "gb" }, { "england", "gb" }, { "scotland", "gb" }, { "wales", "gb" },
	{ "london", "gb" }, { "manchester", "gb" }, { "ireland", "ie" }, { "dublin", "ie" },
	{ "germany", "de" }, { "deutschland", "de" }, { "berlin", "de" }, { "munich", "de" },
	{ "münchen", "de" }, { "hamburg", "de" }, { "frankfurt", "de" }, { "france", "fr" },
	{ "paris", "fr" }, { "lyon", "fr" }, { "spain", "es" }, { "españa", "es" },
	{ "madrid", "es" }, { "barcelona", "es" }, { "italy", "it" }, { "italia", "it" },
	{ "milan", "it" }, { "milano", "it" }, { "rome", "it" }, { "netherlands", "nl" },
	{ "amsterdam", "nl" }, { "belgium", "be" }, { "brussels", "be" }, { "switzerland", "ch" },
	{ "zurich", "ch" }, { "zürich", "ch" }, { "austria", "at" }, { "vienna", "at" },
	{ "wien", "at" }, { "poland", "pl" }, { "warsaw", "pl" }, { "portugal", "pt" },
	{ "lisbon", "pt" }, { "sweden", "se" }, { "stockholm", "se" }, { "denmark", "dk" },
	{ "copenhagen", "dk" }, { "norway", "no" }, { "oslo", "no" }, { "finland", "fi" },
	{ "canada", "ca" }, { "toronto", "ca" }, { "montreal", "ca" }, { "vancouver", "ca" },
	{ "ontario", "ca" }, { "quebec", "ca" }, { "india", "in" }, { "bangalore", "in" },
	{ "bengaluru", "in" }, { "mumbai", "in" }, { "delhi", "in" }, { "hyderabad", "in" },
	{ "australia", "au" }, { "sydney", "au" }, { "melbourne", "au" }, { "new zealand", "nz" },
	{ "singapore", "sg" }, { "japan", "jp" }, { "tokyo", "jp" }, { "brazil", "br" },
	{ "mexico", "mx" }, { "south africa", "za" }, { "united arab emirates", "ae" },
	{ "dubai", "ae" }, { "israel", "il" }, { "tel aviv", "il" },
};

const char *order_country(const char *location)
{
	const char *comma = strrchr(location, ','), *last = comma ? comma + 1 : location;
	size_t n;

	last += strspn(last, " ");
	n = strlen(last);
	while (n > 0 && last[n - 1] == ' ')
		n--;
	for (size_t i = 0; i < COUNT(COUNTRIES); i++)
		if (strlen(COUNTRIES[i].name) == n && strncasecmp(COUNTRIES[i].name, last, n) == 0)
			return COUNTRIES[i].code;
	return "";
}

static int check_text(const char *name, const char *text, bool required, size_t max,
		      struct err *e)
{
	if (required && strspn(text, " \t\r\n") == strlen(text))
		return err_set(e, ERR_INVALID, "%s must not be empty", name);
	if (strlen(text) > max)
		return err_set(e, ERR_INVALID, "%s is longer than %zu bytes", name, max);
	for (const char *p = text; *p; p++)
		if (iscntrl((unsigned char)*p))
			return err_set(e, ERR_INVALID, "%s contains a control character", name);
	return 0;
}

/* A text or a list of at most max texts. */
static int read_list(const cJSON *args, const char *name, bool required, int max,
		     const char **ret, int *ret_n, struct err *e)
{
	const cJSON *v = json_get(args, name), *item;
	int n = 0, r = 0;

	if (!v && !required) {
		ret[0] = "";
		*ret_n = 1;
		return 0;
	}
	if (cJSON_IsString(v)) {
		ret[0] = v->valuestring;
		*ret_n = 1;
		return check_text(name, v->valuestring, required, TEXT_BYTES, e);
	}
	if (!cJSON_IsArray(v) || cJSON_GetArraySize(v) < 1 || cJSON_GetArraySize(v) > max)
		return err_set(e, ERR_TYPE, "%s must be a text, or a list of 1 to %d texts", name,
			       max);
	cJSON_ArrayForEach(item, v) {
		if (!cJSON_IsString(item))
			return err_set(e, ERR_TYPE, "%s[%d] must be a text", name, n);
		ret[n++] = item->valuestring;
		r = r < 0 ? r : check_text(name, item->valuestring, required, TEXT_BYTES, e);
	}
	*ret_n = n;
	return r;
}

static int read_long_text(const cJSON *args, const char *name, size_t max, const char **ret,
			  struct err *e)
{
	const cJSON *v = json_get(args, name);

	*ret = "";
	if (!v)
		return 0;
	if (!cJSON_IsString(v))
		return err_set(e, ERR_TYPE, "%s must be a text", name);
	*ret = v->valuestring;
	return check_text(name, v->valuestring, false, max, e);
}

static int read_text(const cJSON *args, const char *name, const char **ret, struct err *e)
{
	return read_long_text(args, name, TEXT_BYTES, ret, e);
}

static int read_job_ids(struct order *o, const cJSON *args, struct err *e)
{
	int r = read_long_text(args, "job_ids", IDS_BYTES, &o->job_ids, e);

	if (r < 0 || !*o->job_ids)
		return r;
	o->njob_ids = 1;
	for (const char *p = strchr(o->job_ids, ','); p; p = strchr(p + 1, ','))
		o->njob_ids++;
	return 0;
}

static int read_word(const cJSON *args, const char *name, const char *const *words, size_t n,
		     const char **ret, struct err *e)
{
	int r = read_text(args, name, ret, e);

	if (r < 0 || !**ret)
		return r;
	for (size_t i = 0; i < n; i++)
		if (strcmp(words[i], *ret) == 0)
			return 0;
	return err_set(e, ERR_INVALID, "%s \"%.40s\" is none of %s … %s", name, *ret, words[0],
		       words[n - 1]);
}

static int read_int(const cJSON *args, const char *name, int min, int max, int fallback, int *ret,
		    struct err *e)
{
	const cJSON *v = json_get(args, name);

	*ret = fallback;
	if (!v)
		return 0;
	if (!cJSON_IsNumber(v) || v->valuedouble != floor(v->valuedouble))
		return err_set(e, ERR_TYPE, "%s must be a whole number", name);
	if (v->valuedouble < min || v->valuedouble > max)
		return err_set(e, ERR_INVALID, "%s must be %d to %d", name, min, max);
	*ret = (int)v->valuedouble;
	return 0;
}

static int read_priority(const cJSON *args, int *ret, struct err *e)
{
	const cJSON *v = json_get(args, "priority");

	if (!cJSON_IsString(v))
		return read_int(args, "priority", 0, 9, -1, ret, e);
	if (strcasecmp(v->valuestring, "low") == 0)
		*ret = 2;
	else if (strcasecmp(v->valuestring, "normal") == 0)
		*ret = 5;
	else if (strcasecmp(v->valuestring, "high") == 0)
		*ret = 8;
	else
		return err_set(e, ERR_INVALID,
			       "priority must be \"low\", \"normal\", \"high\" or 0 to 9");
	return 0;
}

static int read_numbers(struct order *o, const cJSON *args, struct err *e)
{
	int r = read_int(args, "page", 1, 1000, 1, &o->first_page, e);

	if (r == 0)
		r = read_int(args, "num_pages", 1, ORDER_PAGES, 0, &o->pages, e);
	if (r == 0)
		r = read_int(args, "results", 1, RESULTS, 0, &o->results, e);
	if (r == 0)
		r = read_int(args, "max_retries", 0, RETRIES, -1, &o->max_retries, e);
	if (r == 0)
		r = read_int(args, "retry_count", 0, RETRIES, 0, &o->retry_count, e);
	if (r == 0)
		r = read_priority(args, &o->priority, e);
	if (r == 0 && o->results && !o->pages)
		o->pages = (o->results + ORDER_PAGE_ROWS - 1) / ORDER_PAGE_ROWS;
	return r;
}

static int read_words(struct order *o, const cJSON *args, struct err *e)
{
	int r = read_word(args, "strategy", STRATEGIES, COUNT(STRATEGIES), &o->strategy, e);

	if (r == 0)
		r = read_word(args, "date_posted", DATES, COUNT(DATES), &o->date_posted, e);
	if (r == 0)
		r = read_text(args, "employment_types", &o->employment_types, e);
	if (r == 0)
		r = read_text(args, "country", &o->country, e);
	if (r == 0)
		r = read_text(args, "language", &o->language, e);
	if (r == 0)
		r = read_text(args, "run_id", &o->run_id, e);
	return r;
}

static int read_sources(struct order *o, const cJSON *args, struct err *e)
{
	int r = read_list(args, "source", false, ORDER_SOURCES, o->sources, &o->nsources, e);

	if (r == 0 && o->nsources == 1 &&
	    (!*o->sources[0] || strcmp(o->sources[0], "all") == 0))
		o->nsources = 0;
	return r;
}

static int read_flag(const cJSON *args, const char *name, bool *ret, struct err *e)
{
	const cJSON *v = json_get(args, name);

	if (v && !cJSON_IsBool(v))
		return err_set(e, ERR_TYPE, "%s must be true or false", name);
	*ret = cJSON_IsTrue(v);
	return 0;
}

int order_read(struct order *ret, const cJSON *args, struct err *e)
{
	struct order o = { 0 };
	int r = read_job_ids(&o, args, e);

	if (r == 0)
		r = read_list(args, "query", !*o.job_ids, ORDER_LIST, o.queries, &o.nqueries, e);
	if (r == 0)
		r = read_list(args, "location", false, ORDER_LIST, o.locations, &o.nlocations, e);
	if (r == 0 && o.nqueries * o.nlocations > PAIRS)
		r = err_set(e, ERR_INVALID, "query and location make more than %d pairs", PAIRS);
	if (r == 0)
		r = read_numbers(&o, args, e);
	if (r == 0)
		r = read_words(&o, args, e);
	if (r == 0)
		r = read_sources(&o, args, e);
	if (r == 0)
		r = read_flag(args, "remote", &o.remote_only, e);
	if (r == 0)
		r = read_flag(args, "refresh", &o.refresh, e);
	if (r < 0)
		return r;
	if (!*o.strategy)
		o.strategy = o.nqueries * o.nlocations > 1 ? "batch" : "on_demand";
	*ret = o;
	return 0;
}
