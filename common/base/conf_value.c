/* SPDX-License-Identifier: MIT */
#include <assert.h>
#include <ctype.h>
#include <math.h>
#include <sys/stat.h>

#include "common/base/conf_private.h"
#include "common/base/err.h"
#include "common/base/json.h"
#include "common/base/mem.h"
#include "common/base/scan.h"
#include "common/base/zone.h"

enum { TEXT_MAX = 4096, NAME_MAX_BYTES = 255, JSON_MAX = 65536 };

static void *field(void *block, const struct conf_key *k)
{
	return (char *)block + k->offset;
}

/* bool, int and enum, or int64_t, told apart by size */
static void put_integer(void *block, const struct conf_key *k, int64_t v)
{
	switch (k->size) {
	case sizeof(bool):
		*(bool *)field(block, k) = v != 0;
		break;
	case sizeof(int):
		*(int *)field(block, k) = (int)v;
		break;
	default:
		assert(k->size == sizeof(int64_t));
		*(int64_t *)field(block, k) = v;
	}
}

void conf_value_unset(void *block, const struct conf_key *k)
{
	if (k->type == CONF_RATE || k->type == CONF_NUMBER)
		*(double *)field(block, k) = CONF_UNSET;
	else
		put_integer(block, k, k->size == sizeof(bool) ? 0 : CONF_UNSET);
}

static int word_index(const char *words, const char *text)
{
	int i = 0;

	for (const char *w = words; *w; w += *w == ' ', i++) {
		size_t n = strcspn(w, " ");

		if (strlen(text) == n && strncasecmp(w, text, n) == 0)
			return i;
		w += n;
	}
	return -1;
}

static int refuse_word(const struct conf_key *k, const char *text, struct err *e)
{
	return err_set(e, ERR_INVALID, "\"%.60s\" is none of: %s", text, k->words);
}

static int set_duration(void *block, const struct conf_key *k, const char *text, struct err *e)
{
	int64_t ms;
	int r = scan_duration_ms(text, &ms, e);

	if (r < 0)
		return r;
	if (k->unit > 1 && ms % k->unit)
		return err_set(e, ERR_INVALID, "\"%.60s\" is not a whole number of %s", text,
			       k->unit == 1000 ? "seconds" : "days");
	if ((double)ms < k->min || (double)ms > k->max)
		return err_set(e, ERR_INVALID, "\"%.60s\" is not a duration from %gs to %gs", text,
			       k->min / 1000, k->max / 1000);
	put_integer(block, k, ms / k->unit);
	return 0;
}

static int set_size(void *block, const struct conf_key *k, const char *text, struct err *e)
{
	int64_t v;
	int r = scan_size(text, &v, e);

	if (r < 0)
		return r;
	if ((double)v < k->min || (double)v > k->max)
		return err_set(e, ERR_INVALID, "\"%.60s\" is not a size from %.0f to %.0f bytes",
			       text, k->min, k->max);
	put_integer(block, k, v);
	return 0;
}

static int set_number(void *block, const struct conf_key *k, const char *text, struct err *e)
{
	double *to = field(block, k);
	int64_t whole;
	bool yes;
	int r;

	switch (k->type) {
	case CONF_RATE:
		return scan_rate(text, to, e);
	case CONF_NUMBER:
		return scan_double(text, k->min, k->max, to, e);
	case CONF_BOOL:
		r = scan_bool(text, &yes, e);
		if (r == 0)
			put_integer(block, k, yes);
		return r;
	default:
		r = scan_int64(text, (int64_t)k->min, (int64_t)k->max, &whole, e);
		if (r == 0)
			put_integer(block, k, whole);
		return r;
	}
}

static int set_range(void *block, const struct conf_key *k, const char *const *values, size_t n,
		     struct err *e)
{
	int *to = field(block, k), least, most, r;

	if (n > 2)
		return err_set(e, ERR_INVALID, "takes {MIN, MAX} or one number, not %zu values", n);
	r = scan_int(values[0], (int)k->min, (int)k->max, &least, e);
	if (r == 0)
		r = scan_int(values[n - 1], (int)k->min, (int)k->max, &most, e);
	if (r < 0)
		return r;
	if (least > most)
		return err_set(e, ERR_INVALID, "the minimum %d is above the maximum %d", least,
			       most);
	to[0] = least;
	to[1] = most;
	return 0;
}

static bool made_of(const char *text, const char *more)
{
	for (; *text; text++) {
		if (!isalnum((unsigned char)*text) && !strchr(more, *text))
			return false;
	}
	return true;
}

static int check_name(const struct conf_key *k, const char *text, struct err *e)
{
	bool good = strlen(text) <= NAME_MAX_BYTES;

	switch (k->type) {
	case CONF_NAME:
		if (good && made_of(text, "._-"))
			return 0;
		return err_set(e, ERR_INVALID, "\"%.60s\" is not a name: letters, digits, \".\", "
			       "\"_\" and \"-\", at most 255", text);
	case CONF_PROGRAM:
		if (good && made_of(text, "_-") &&
		    strcspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == strlen(text))
			return 0;
		return err_set(e, ERR_INVALID,
			       "\"%.60s\" is not the name of a worker program such as salary",
			       text);
	default:
		if (good && made_of(text, "_") &&
		    strcspn(text, "abcdefghijklmnopqrstuvwxyz") == strlen(text) &&
		    !isdigit((unsigned char)*text))
			return 0;
		/* what stands here may be the key itself: not quoted */
		return err_set(e, ERR_INVALID, "is not the name of an environment variable such as "
			       "RAPIDAPI_KEY; the key itself never stands in queues.conf");
	}
}

static int check_service_url(const struct conf_key *k, const char *text, struct err *e)
{
	static const struct { const char *schemes, *example;
	} KNOWN[] = {
		[CONF_BROKER_URL] = { "amqp amqps", "amqp://user:password@host:5672/vhost" },
		[CONF_DATABASE_URL] = { "postgresql postgres",
					"postgresql://user:password@host/jobfleet" },
		[CONF_REDIS_URL] = { "redis rediss unix", "redis://:password@host:6379/0" },
	};

	if (!*text || conf_url_has_scheme(text, KNOWN[k->type].schemes))
		return 0;
	return err_set(e, ERR_INVALID, "the scheme is none of: %s; a right URL looks like %s",
		       KNOWN[k->type].schemes, KNOWN[k->type].example);
}

/* Depth is cJSON's limit; a fault names the member, never its value. */
static const char *secret_member(const cJSON *v)
{
	static const char *const names[] = { "password", "passwd", "secret", "api_key", "apikey" };
	const cJSON *item;

	cJSON_ArrayForEach(item, v) {
		const char *deeper = secret_member(item);

		for (size_t i = 0; item->string && i < COUNT(names); i++) {
			if (strcasecmp(item->string, names[i]) == 0)
				return names[i];
		}
		if (deeper)
			return deeper;
	}
	return NULL;
}

static int check_json(const struct conf_key *k, const char *text, struct err *e)
{
	bool array = k->type == CONF_JSON_ARRAY;
	const char *secret;
	cJSON *v = NULL;
	int r;

	if (strlen(text) > JSON_MAX)
		return err_set(e, ERR_INVALID, "is longer than 64 KiB");
	r = json_parse(text, strlen(text), &v, e);
	if (r < 0)
		return err_prefix(e, "a JSON %s is needed, such as %s", array ? "array" : "object",
				  array ? "'[1, \"two\"]'" : "'{\"query\": \"engineer\"}'");
	secret = secret_member(v);
	if (array ? !cJSON_IsArray(v) : !cJSON_IsObject(v))
		r = err_set(e, ERR_INVALID, "is JSON, but no %s",
			    array ? "array, such as '[1, \"two\"]'"
				  : "object, such as '{\"query\": \"engineer\"}'");
	else if (secret)
		r = err_set(e, ERR_INVALID, "holds \"%s\": secrets never stand in queues.conf",
			    secret);
	cJSON_Delete(v);
	return r;
}

static int check_zone(const char *text, struct err *e)
{
	char path[320], meant[ZONE_NAME_SIZE];
	struct stat st;

	if (strcmp(text, "UTC") == 0)
		return 0;
	snprintf(path, sizeof path, "/usr/share/zoneinfo/%s", text);
	if (*text && made_of(text, "_-+/") && *text != '/' && strlen(text) < ZONE_NAME_SIZE &&
	    isupper((unsigned char)*text) && stat(path, &st) == 0 && S_ISREG(st.st_mode))
		return 0;
	zone_suggest(text, meant);
	if (*meant)
		return err_set(e, ERR_INVALID, "\"%.60s\" is no time zone; did you mean %s?", text,
			       meant);
	return err_set(e, ERR_INVALID,
		       "\"%.60s\" is no time zone of /usr/share/zoneinfo, such as UTC or "
		       "Europe/Berlin",
		       text);
}

static int check_text(const struct conf_key *k, const char *text, struct err *e)
{
	const char *why;

	switch (k->type) {
	case CONF_NAME:
	case CONF_PROGRAM:
	case CONF_VARIABLE:
		return *text ? check_name(k, text, e) : 0;
	case CONF_BROKER_URL:
	case CONF_DATABASE_URL:
	case CONF_REDIS_URL:
		return check_service_url(k, text, e);
	case CONF_HTTP_URL:
		why = *text ? conf_url_http_fault(text) : NULL;
		return why ? err_set(e, ERR_INVALID, "%s", why) : 0;
	case CONF_JSON_ARRAY:
	case CONF_JSON_OBJECT:
		return check_json(k, text, e);
	case CONF_ZONE:
		return check_zone(text, e);
	case CONF_PATH:
		return !*text || *text == '/' ? 0
					      : err_set(e, ERR_INVALID,
							"\"%.60s\" is not a path "
							"such as /search-v2",
							text);
	default:
		if (k->words && word_index(k->words, text) < 0)
			return refuse_word(k, text, e);
		return strlen(text) <= TEXT_MAX ? 0
						: err_set(e, ERR_INVALID, "is longer than 4 KiB");
	}
}

static int set_one(struct conf *c, void *block, const struct conf_key *k, const char *text,
		   struct err *e)
{
	enum log_level level;
	int r;

	switch (k->type) {
	case CONF_BOOL:
	case CONF_INT:
	case CONF_NUMBER:
	case CONF_RATE:
		return set_number(block, k, text, e);
	case CONF_DURATION:
		return set_duration(block, k, text, e);
	case CONF_SIZE:
		return set_size(block, k, text, e);
	case CONF_WORD:
		r = word_index(k->words, text);
		if (r < 0)
			return refuse_word(k, text, e);
		put_integer(block, k, r);
		return 0;
	case CONF_LEVEL:
		r = log_parse_level(text, &level, e);
		if (r == 0)
			put_integer(block, k, level);
		return r;
	default:
		r = check_text(k, text, e);
		if (r == 0)
			*(const char **)field(block, k) = conf_keep(c, text);
		return r;
	}
}

int conf_value_set(struct conf *c, void *block, const struct conf_key *k,
		   const char *const *values, size_t n, struct err *e)
{
	if (k->type == CONF_RANGE)
		return set_range(block, k, values, n, e);
	if (n != 1)
		return err_set(e, ERR_INVALID, "takes one value, not a list of %zu", n);
	return set_one(c, block, k, values[0], e);
}
