/* SPDX-License-Identifier: MIT */
#include "workers/processing/weblink.h"

#include <ctype.h>
#include <curl/curl.h>

#include "common/base/mem.h"
#include "common/base/utf8.h"
#include "common/base/sure.h"

enum { PARAMS_MAX = 16, SLUG_WORDS = 3 };

/* Names of parameters that say where a visitor came from, what he clicked or how the page looks,
 * not what he sees. One that ends with '_' is the beginning of many. */
static const char *const TRACKING[] = {
	"utm_", "ga_", "_ga", "_gl", "gclid", "gclsrc", "dclid", "gbraid", "wbraid", "fbclid",
	"fb_", "msclkid", "mc_", "mkt_", "hsa_", "_hsenc", "_hsmi", "wt.mc_id", "vero_", "oly_", "pk_", "piwik_",
	"matomo_", "mtm_", "rx_", "at_", "wt_", "trk_", "itm_", "li_", "gh_src",
	"lever-source", "lever-origin", "lever-via", "ashby_src", "utm", "ref", "ref_src",
	"refid", "refsrc", "referer", "referrer", "referral", "reff", "src", "src_", "source",
	"sourceid", "source_id", "sourcetype", "sourcename", "trk", "trkinfo", "trkid",
	"trackingid", "trackingtag", "tracking", "trackingsource", "campaign", "campaignid",
	"campaign_id", "cmp", "cmpid", "cmpgn", "origin", "icid", "iis", "iisn", "iisp",
	"igshid", "jobboard", "jobboardsource", "job_site", "job_source", "jobsource",
	"jobsite", "board", "publisher", "pub_", "feed", "feedid", "feedname", "medium",
	"channel", "google_jobs_apply", "se", "v", "from", "from_", "lang", "language",
	"locale", "hl", "adref", "adid", "ad_id", "adgroup", "adgroupid", "adset", "affiliate",
	"affid", "aff", "aff_id", "partner", "partnerid", "partner_id", "via", "applysource",
	"apply_source", "jobposition", "yclid", "twclid", "ttclid", "li_fat_id", "mkwid",
	"s_kwcid", "ef_id", "vjs", "advn", "xkcb", "xpse", "jsa", "sjdu", "spm", "scm",
	"shared", "shareid", "social", "sessionid", "session_id", "sid", "jsessionid",
	"phpsessid", "clickid", "click_id", "clk", "clkid", "cb", "cachebuster", "timestamp",
	"ts_", "searchid", "search_id", "impressionid", "impression", "popup", "embed",
	"device", "tm_", "tmevent", "tm_event", "tm_company", "icims_src", "needsredirect",
	"jan1offset", "jun1offset", "in_iframe", "media", "mediasource", "ssrc", "mcid",
	"mcloud", "jobsrc", "adv_src", "bst_src", "dotd", "ats_src", "dpsrc", "s_cid", "ncid",
	"ocid", "rcid", "scid", "wcmmode", "ito", "cid_src", "sid_src", "sponsored", "tracker",
	"click", "track", "share", "mobile", "iframe", "hub",
};

static bool is_tracking(const char *name, size_t len)
{
	for (size_t i = 0; i < COUNT(TRACKING); i++) {
		size_t n = strlen(TRACKING[i]);
		bool prefix = TRACKING[i][n - 1] == '_';

		if ((prefix ? len >= n : len == n) && !strncasecmp(name, TRACKING[i], n))
			return true;
	}
	return false;
}

static bool is_utf8(const char *text)
{
	const char *end = text + strlen(text);
	size_t n;

	for (const char *p = text; p < end; p += n) {
		utf8_next(p, end, &n);
		if (n == 1 && (unsigned char)*p >= 0x80)
			return false;
	}
	return true;
}

static CURLU *parsed(const char *link)
{
	CURLU *u;
	char *part = NULL;
	bool good;

	if (!link || strlen(link) >= WEBLINK_MAX || !is_utf8(link))
		return NULL;
	u = mem_check(curl_url());
	good = sure(curl_url_set(u, CURLUPART_URL, link, CURLU_NON_SUPPORT_SCHEME)) == CURLUE_OK &&
		sure(curl_url_get(u, CURLUPART_SCHEME, &part, 0)) == CURLUE_OK &&
		(!strcmp(part, "https") || !strcmp(part, "http"));
	curl_free(part);
	part = NULL;
	good = good && sure(curl_url_get(u, CURLUPART_USER, &part, 0)) == CURLUE_NO_USER &&
		sure(curl_url_get(u, CURLUPART_HOST, &part, 0)) == CURLUE_OK && strchr(part, '.') &&
		part[0] != '.' && part[strlen(part) - 1] != '.';
	curl_free(part);
	if (good)
		return u;
	curl_url_cleanup(u);
	return NULL;
}

bool weblink_is_valid(const char *link)
{
	CURLU *u = parsed(link);

	curl_url_cleanup(u);
	return u != NULL;
}

/* Four digits in a row, or a slug of several words: what names a single posting. */
static bool names_one(const char *text)
{
	int digits = 0, dashes = 0;

	for (; *text; text++) {
		digits = isdigit((unsigned char)*text) ? digits + 1 : 0;
		dashes += *text == '-' || *text == '_';
		if (digits >= 4 || dashes >= SLUG_WORDS)
			return true;
	}
	return false;
}

static int compare_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Cuts query in place and fills params with those that identify, sorted. */
static size_t identifying(char *query, char *params[PARAMS_MAX])
{
	size_t n = 0;

	for (char *save = NULL, *p = strtok_r(query, "&;", &save); p && n < PARAMS_MAX;
	     p = strtok_r(NULL, "&;", &save)) {
		const char *eq = strchr(p, '=');

		if (eq && eq[1] && !is_tracking(p, (size_t)(eq - p)))
			params[n++] = p;
	}
	qsort(params, n, sizeof *params, compare_text);
	return n;
}

static void append(char out[WEBLINK_KEY_MAX], const char *text)
{
	size_t n = strlen(out);

	snprintf(out + n, WEBLINK_KEY_MAX - n, "%s", text);
}

/* A posting and its form are one: Lever's /apply, Ashby's /application. */
static void drop_form(char *path)
{
	static const char *const FORMS[] = { "/apply", "/application" };
	size_t len = strlen(path);

	for (size_t i = 0; i < COUNT(FORMS); i++) {
		size_t n = strlen(FORMS[i]);

		if (len <= n || strcasecmp(path + len - n, FORMS[i]) != 0)
			continue;
		path[len - n] = '\0';
		if (!names_one(path))
			path[len - n] = '/';
		return;
	}
}

static void build_key(char out[WEBLINK_KEY_MAX], const char *host, char *path, char *query)
{
	char *params[PARAMS_MAX];
	size_t len = strlen(path), n = query ? identifying(query, params) : 0;
	bool one;

	while (len > 0 && path[len - 1] == '/')
		path[--len] = '\0';
	drop_form(path);
	append(out, !strncasecmp(host, "www.", 4) ? host + 4 : host);
	append(out, path);
	one = names_one(path);
	for (size_t i = 0; i < n; i++) {
		append(out, i ? "&" : "?");
		append(out, params[i]);
		one = one || names_one(params[i]);
	}
	if (!one || strlen(out) == WEBLINK_KEY_MAX - 1)	/* cut, it could be another's too */
		out[0] = '\0';
	for (char *p = out; *p; p++)
		*p = (char)tolower((unsigned char)*p);
}

void weblink_match_key(const char *link, char out[WEBLINK_KEY_MAX])
{
	CURLU *u = parsed(link);
	char *host = NULL, *path = NULL, *query = NULL;

	out[0] = '\0';
	if (!u)
		return;
	sure(curl_url_get(u, CURLUPART_QUERY, &query, 0));
	if (sure(curl_url_get(u, CURLUPART_HOST, &host, 0)) == CURLUE_OK &&
	    sure(curl_url_get(u, CURLUPART_PATH, &path, 0)) == CURLUE_OK)
		build_key(out, host, path, query);
	curl_free(host);
	curl_free(path);
	curl_free(query);
	curl_url_cleanup(u);
}
