/* SPDX-License-Identifier: MIT */
#include "workers/salary/request.h"

#include <stdarg.h>
#include <utf8proc.h>

#include "common/base/err.h"
#include "common/base/json.h"
#include "common/base/mem.h"
#include "common/base/scan.h"
#include "common/market/fold.h"

#define YEAR_MIN 1990
#define YEAR_MAX 2100
#define MAX_AGE_S (366 * 86400)
#define TEXT_MAX 255

static const char *const STRATEGIES[STRATEGY_COUNT] = {
	[STRATEGY_STANDARD] = "standard",
	[STRATEGY_AGGRESSIVE] = "aggressive",
	[STRATEGY_CONSERVATIVE] = "conservative",
};

static const char *const MEMBERS[] = {
	"location", "occupation", "industry", "experience_level", "education_level", "year",
	"include_market_data", "include_confidence_scores", "cache_strategy", "max_age",
	"adjust_for_inflation",
};

const char *strategy_name(enum strategy s)
{
	return STRATEGIES[s];
}

/* What a cut at a length has left of a character would make the whole answer unreadable. */
static void drop_torn(char *text)
{
	const char *p = text;
	char *to = text;

	while (*p) {
		utf8proc_int32_t c;
		utf8proc_ssize_t n = utf8proc_iterate((const utf8proc_uint8_t *)p, -1, &c);

		if (n > 0) {
			memmove(to, p, (size_t)n);
			to += n;
		}
		p += n > 0 ? n : 1;
	}
	*to = '\0';
}

void request_warn(struct request *r, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	drop_torn(text);
	if (*text)
		cJSON_AddItemToArray(r->warnings, mem_check(cJSON_CreateString(text)));
}

static int read_text(const cJSON *o, const char *key, char *out, size_t size, struct err *e)
{
	const cJSON *v = json_get(o, key);

	if (!v)
		return 0;
	if (!cJSON_IsString(v))
		return err_set(e, ERR_INVALID, "request_data.%s must be a text", key);
	if (strlen(v->valuestring) >= size)
		return err_set(e, ERR_INVALID, "request_data.%s is longer than %zu bytes", key,
			       size - 1);
	memcpy(out, v->valuestring, strlen(v->valuestring) + 1);
	return 0;
}

static int read_required(const cJSON *o, const char *key, const char *example, const char **ret,
			 struct err *e)
{
	const cJSON *v = json_get(o, key);

	if (!v)
		return err_set(e, ERR_INVALID,
			       "request_data.%s is missing: give a text such as \"%s\"", key,
			       example);
	if (!cJSON_IsString(v))
		return err_set(e, ERR_INVALID, "request_data.%s must be a text such as \"%s\"", key,
			       example);
	if (strlen(v->valuestring) > TEXT_MAX)
		return err_set(e, ERR_INVALID, "request_data.%s is longer than %d bytes", key,
			       TEXT_MAX);
	*ret = v->valuestring;
	return 0;
}

static int read_flag(const cJSON *o, const char *key, bool *ret, struct err *e)
{
	const cJSON *v = json_get(o, key);

	if (!v)
		return 0;
	if (cJSON_IsString(v))
		return scan_bool(v->valuestring, ret, e) < 0
			? err_prefix(e, "request_data.%s", key)
			: 0;
	if (!cJSON_IsBool(v))
		return err_set(e, ERR_INVALID, "request_data.%s must be true or false", key);
	*ret = cJSON_IsTrue(v);
	return 0;
}

static int read_year(const cJSON *o, int *ret, struct err *e)
{
	const cJSON *v = json_get(o, "year");
	int64_t year = json_int(o, "year", -1);

	if (!v)
		return 0;
	if (year < YEAR_MIN || year > YEAR_MAX ||
	    (cJSON_IsNumber(v) && v->valuedouble != (double)year))
		return err_set(e, ERR_INVALID,
			       "request_data.year must be a whole number from %d to %d", YEAR_MIN,
			       YEAR_MAX);
	*ret = (int)year;
	return 0;
}

static int read_strategy(const cJSON *o, enum strategy *ret, struct err *e)
{
	char text[32] = "", folded[FOLD_SIZE];
	int r = read_text(o, "cache_strategy", text, sizeof text, e);

	fold_text(text, folded);
	if (r < 0 || !*folded)
		return r;
	for (int i = 0; i < STRATEGY_COUNT; i++)
		if (strcmp(folded, STRATEGIES[i]) == 0) {
			*ret = (enum strategy)i;
			return 0;
		}
	return err_set(e, ERR_INVALID,
		       "request_data.cache_strategy \"%s\" is unknown: standard, aggressive "
		       "or conservative",
		       text);
}

static int read_max_age(const cJSON *o, int64_t *ret, struct err *e)
{
	const cJSON *v = json_get(o, "max_age");
	int64_t ms;

	if (!v)
		return 0;
	if (cJSON_IsString(v)) {
		if (scan_duration_ms(v->valuestring, &ms, e) < 0)
			return err_prefix(e, "request_data.max_age");
		*ret = ms / 1000;
		return 0;
	}
	if (!cJSON_IsNumber(v) || !(v->valuedouble >= 0 && v->valuedouble <= MAX_AGE_S))
		return err_set(e, ERR_INVALID,
			       "request_data.max_age must be seconds from 0 to %d, or a text "
			       "such as \"12h\"",
			       MAX_AGE_S);
	*ret = (int64_t)v->valuedouble;
	return 0;
}

static int read_options(const cJSON *o, struct request *r, struct err *e)
{
	struct err mine = { 0 };

	e = e ? e : &mine;
	if (read_text(o, "industry", r->industry, sizeof r->industry, e) < 0 ||
	    read_text(o, "experience_level", r->experience, sizeof r->experience, e) < 0 ||
	    read_text(o, "education_level", r->education, sizeof r->education, e) < 0 ||
	    read_year(o, &r->year, e) < 0 || read_strategy(o, &r->strategy, e) < 0 ||
	    read_max_age(o, &r->max_age_s, e) < 0 ||
	    read_flag(o, "include_market_data", &r->want_market, e) < 0 ||
	    read_flag(o, "include_confidence_scores", &r->want_confidence, e) < 0 ||
	    read_flag(o, "adjust_for_inflation", &r->want_adjusted, e) < 0)
		return -(int)e->code;
	return 0;
}

static void warn_unknown(const cJSON *o, struct request *r)
{
	const cJSON *member;

	cJSON_ArrayForEach(member, o) {
		size_t i = 0;

		while (i < COUNT(MEMBERS) && strcmp(MEMBERS[i], member->string) != 0)
			i++;
		if (i == COUNT(MEMBERS))
			request_warn(r, "request_data.%.60s is not known here and was ignored",
				     member->string);
	}
}

static int resolve(struct request *r, const char *location, const char *occupation, struct err *e)
{
	int code = area_resolve(location, &r->area, e);

	if (code < 0)
		return code;
	code = occupation_resolve(occupation, &r->occupation, e);
	if (code < 0)
		return code;
	request_warn(r, "%s", r->area.warning);
	request_warn(r, "%s", r->occupation.warning);
	if (r->occupation.corrected)
		request_warn(r, "\"%.60s\" was read as %s", occupation, r->occupation.name);
	if (*r->occupation.alternatives[0])
		request_warn(r, "\"%.60s\" was taken for %s; it may also mean %s", occupation,
			     r->occupation.name, r->occupation.alternatives[0]);
	return 0;
}

static struct request blank(void)
{
	return (struct request){
		.want_market = true, .want_confidence = true, .max_age_s = -1,
		.warnings = mem_check(cJSON_CreateArray()),
	};
}

static int finish(struct request *r, int code, struct request *ret)
{
	if (code < 0)
		request_release(r);
	else
		*ret = *r;
	return code;
}

int request_read(const cJSON *request_data, struct request *ret, struct err *e)
{
	const char *location = NULL, *occupation = NULL;
	struct request r;
	int code;

	if (!cJSON_IsObject(request_data))
		return err_set(e, ERR_INVALID,
			       "request_data must be an object such as {\"location\": \"New York, "
			       "NY\", \"occupation\": \"Software Engineer\"}");
	r = blank();
	code = read_required(request_data, "location", "New York, NY", &location, e);
	if (code == 0)
		code = read_required(request_data, "occupation", "Software Engineer", &occupation,
				     e);
	if (code == 0)
		code = read_options(request_data, &r, e);
	if (code == 0)
		code = resolve(&r, location, occupation, e);
	if (code == 0)
		warn_unknown(request_data, &r);
	return finish(&r, code, ret);
}

int request_make(const char *location, const char *occupation, struct request *ret, struct err *e)
{
	struct request r = blank();

	return finish(&r, resolve(&r, location, occupation, e), ret);
}

void request_release(struct request *r)
{
	cJSON_Delete(r->warnings);
	r->warnings = NULL;
}
