/* SPDX-License-Identifier: MIT */
#include "sources/source.h"

#include <assert.h>
#include <curl/curl.h>
#include <math.h>
#include <stdarg.h>

#include "common/base/clock.h"
#include "common/base/conf.h"
#include "common/base/err.h"
#include "common/base/json.h"
#include "common/base/mem.h"
#include "common/base/scan.h"
#include "common/net/http.h"

enum {
	URL_BYTES = 16 * 1024, BODY_BYTES = 64 * 1024, LIMITED_S = 60, BLOCKED_S = 3600,
	WAIT_MAX_S = 32 * 86400,	/* a month's quota; a header that asks for more is wrong */
};

static const int64_t DAY_US = INT64_C(86400) * 1000000;

/* The linker names the bounds of a section whose name is an identifier. */
extern const struct source *const __start_jobfleet_sources[];
extern const struct source *const __stop_jobfleet_sources[];

const struct source *source_find(const char *name)
{
	for (const struct source *const *s = __start_jobfleet_sources;
	     s < __stop_jobfleet_sources; s++)
		if (strcmp((*s)->name, name) == 0)
			return *s;
	return NULL;
}

static struct raw array_at(struct raw value, const char *path, size_t len)
{
	const char *end = path + len;

	while (*path != '.' && path < end) {
		size_t n = strcspn(path, ". ");
		char name[64];

		snprintf(name, sizeof name, "%.*s", (int)n, path);
		value = raw_is_object(value) ? raw_member(value, name) : RAW_NONE;
		path += n + (path[n] == '.');
	}
	return raw_is_array(value) ? value : RAW_NONE;
}

struct raw source_rows(const struct source *source, struct raw answer)
{
	struct raw rows = RAW_NONE;

	for (const char *p = source->rows_at; *p && !rows.at; p += strspn(p, " ")) {
		size_t n = strcspn(p, " ");

		rows = array_at(answer, p, n);
		p += n;
	}
	return rows;
}

const char *source_class_name(enum source_class class)
{
	static const char *const names[SOURCE_CLASS_COUNT] = {
		[SOURCE_OK] = "ok", [SOURCE_UNCHANGED] = "unchanged",
		[SOURCE_RETRY] = "retry", [SOURCE_LIMITED] = "limited",
		[SOURCE_USED_UP] = "quota_used_up", [SOURCE_KEY_REFUSED] = "key_refused",
		[SOURCE_MOVED] = "endpoint_gone", [SOURCE_BAD_REQUEST] = "bad_request",
	};

	assert(class < SOURCE_CLASS_COUNT);
	return names[class];
}

void source_request_init(struct source_request *r)
{
	*r = (struct source_request){ .params = mem_check(cJSON_CreateObject()), .credits = 1 };
	buf_init(&r->url, URL_BYTES);
	buf_init(&r->body, BODY_BYTES);
}

void source_request_release(struct source_request *r)
{
	for (char **h = r->headers; *h; h++)
		free(*h);
	buf_release(&r->url);
	buf_release(&r->body);
	cJSON_Delete(r->params);
}

void source_add_header(struct source_request *r, const char *name, const char *value)
{
	size_t n = 0;

	while (r->headers[n])
		n++;
	assert(n < SOURCE_HEADERS);
	r->headers[n] = mem_printf("%s: %s", name, value);
}

void source_add_param(struct source_request *r, const char *name, const char *value)
{
	if (!*value)
		return;
	http_put_query(&r->url, name, value);
	json_set_str(r->params, name, value);
}

void source_add_secret_param(struct source_request *r, const char *name, const char *value)
{
	http_put_query(&r->url, name, value);
}

void source_add_number(struct source_request *r, const char *name, int64_t value)
{
	char text[24];

	snprintf(text, sizeof text, "%lld", (long long)value);
	source_add_param(r, name, text);
}

void source_add_board(struct source_request *r, const char *board)
{
	const char *name = strchr(board, '=');
	char *site = mem_strndup(board, name ? (size_t)(name - board) : strlen(board));

	http_put_path(&r->url, site);
	json_set_str(r->params, "board", site);
	if (name && name[1])
		json_set_str(r->params, "company", name + 1);
	free(site);
}

int64_t source_days(const struct source_ask *ask)
{
	static const struct {
		const char *name;
		int days;
	} AGES[] = { { "today", 1 }, { "3days", 3 }, { "week", 7 }, { "month", 31 } };
	int64_t days = 0, since;

	for (size_t i = 0; i < COUNT(AGES); i++)
		if (strcmp(ask->date_posted, AGES[i].name) == 0)
			days = AGES[i].days;
	if (ask->since_us <= 0)
		return days;
	since = (clock_wall_us() - ask->since_us) / DAY_US + 1;
	if (since < 1)
		since = 1;
	return days && days < since ? days : since;
}

int source_request_finish(struct source_request *r, struct source_request *ret, struct err *e)
{
	if (buf_overflowed(&r->url) || buf_overflowed(&r->body)) {
		source_request_release(r);
		return err_set(e, ERR_TOO_BIG, "the query makes a request that is too long");
	}
	*ret = *r;
	return 0;
}

int64_t source_header_int(const struct http_response *r, const char *name)
{
	char value[32];
	int64_t n;

	if (!http_header(r, name, value, sizeof value) ||
	    scan_int64(value, 0, INT64_MAX, &n, NULL) < 0)
		return -1;
	return n;
}

int64_t source_retry_after(const struct http_response *r)
{
	int64_t seconds = source_header_int(r, "Retry-After");
	char value[64];
	time_t at;

	if (seconds >= 0 || !http_header(r, "Retry-After", value, sizeof value))
		return seconds;
	at = curl_getdate(value, NULL);
	return at < 0 ? -1 : at > time(NULL) ? (int64_t)(at - time(NULL)) : 0;
}

enum source_class source_class_of_status(int status)
{
	if (status >= 200 && status <= 299)
		return SOURCE_OK;
	if (status == 304)
		return SOURCE_UNCHANGED;
	if (status == 401 || status == 403)
		return SOURCE_KEY_REFUSED;
	if (status == 429)
		return SOURCE_LIMITED;
	if (status == 408 || status == 425 || status >= 500)
		return SOURCE_RETRY;
	return SOURCE_BAD_REQUEST;
}

void source_verdict_set(struct source_verdict *v, enum source_class class, int64_t wait_s,
			const char *fmt, ...)
{
	va_list ap;

	v->class = class;
	v->wait_s = wait_s < 0 ? 0 : wait_s > WAIT_MAX_S ? WAIT_MAX_S : wait_s;
	va_start(ap, fmt);
	vsnprintf(v->reason, sizeof v->reason, fmt, ap);
	va_end(ap);
}

void source_judge_rows(const struct http_response *r, const cJSON *body, const cJSON *rows,
		       struct source_verdict *ret)
{
	if (!r->complete)
		source_verdict_set(ret, SOURCE_RETRY, 0, "the answer was cut off after %zu bytes",
				   r->body.len);
	else if (!body)
		source_verdict_set(ret, SOURCE_RETRY, 0, "HTTP %d with %s", r->status,
				   r->body.len == 0 ? "an empty body" :
				   *buf_text(&r->body) == '<' ? "a page of HTML" :
				   "a body that is not valid JSON");
	else if (!cJSON_IsArray(rows))
		source_verdict_set(ret, SOURCE_RETRY, 0, "HTTP %d without a list of jobs",
				   r->status);
	else
		source_verdict_set(ret, SOURCE_OK, 0, "%s", "");
}

void source_judge_status(const struct http_response *r, const char *message,
			 struct source_verdict *ret)
{
	enum source_class class = source_class_of_status(r->status);
	int64_t after = source_retry_after(r);

	if (class == SOURCE_LIMITED && after <= 0)
		after = LIMITED_S;
	source_verdict_set(ret, class, after, "HTTP %d%s%s", r->status, *message ? ": " : "",
			   message);
}

void source_judge_endpoint(const struct http_response *r, const char *message,
			   struct source_verdict *ret)
{
	static const int GONE[] = { 301, 308, 404, 410 };

	source_judge_status(r, message, ret);
	for (size_t i = 0; i < COUNT(GONE); i++)
		if (r->status == GONE[i])
			ret->class = SOURCE_MOVED;
}

void source_judge_keyless(const struct http_response *r, const char *message,
			  struct source_verdict *ret)
{
	source_judge_status(r, message, ret);
	if (ret->class != SOURCE_KEY_REFUSED)
		return;
	ret->class = SOURCE_USED_UP;
	if (ret->wait_s == 0)
		ret->wait_s = BLOCKED_S;
}

const char *source_path(const struct conf_source *conf, const char *fallback)
{
	return conf->path && *conf->path ? conf->path : fallback;
}

const char *source_id(const cJSON *row, const char *name, char room[SOURCE_ID])
{
	const cJSON *m = json_get(row, name);

	if (cJSON_IsString(m) && *m->valuestring)
		return m->valuestring;
	if (!cJSON_IsNumber(m) || !isfinite(m->valuedouble))
		return NULL;
	snprintf(room, SOURCE_ID, "%.15g", m->valuedouble);
	return room;
}
