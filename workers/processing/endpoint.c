/* SPDX-License-Identifier: MIT */
#include "workers/processing/endpoint.h"

#include <math.h>
#include <time.h>

#include "common/base/buf.h"
#include "common/base/conf.h"
#include "common/base/err.h"
#include "common/base/json.h"
#include "common/base/mem.h"
#include "common/base/scan.h"
#include "common/base/utf8.h"
#include "common/net/http.h"
#include "workers/processing/embed.h"

enum { FIRST_WAIT_MS = 500, WAIT_MAX_MS = 10000, NUMBER_BYTES = 32, BODY_MAX = 64 * 1024 * 1024 };

bool endpoint_is_set(const struct conf *conf)
{
	return conf && conf->fleet.embedding_url[0];
}

static void put_body(struct buf *body, const struct conf *conf, const char *const *texts, size_t n)
{
	buf_puts(body, "{\"model\":");
	buf_put_json_string(body, conf->fleet.embedding_model);
	buf_puts(body, ",\"encoding_format\":\"float\",\"input\":[");
	for (size_t i = 0; i < n; i++) {
		char *cut = mem_strndup(texts[i],
					utf8_cut(texts[i], strlen(texts[i]), ENDPOINT_TEXT_MAX));

		buf_puts(body, i ? "," : "");
		buf_put_json_string(body, cut[0] ? cut : " ");	/* an empty text is refused */
		free(cut);
	}
	buf_puts(body, "]}");
}

/* ---- the answer ---- */

static int read_vector(const struct conf *conf, const cJSON *list, float *ret, struct err *e)
{
	int n = cJSON_GetArraySize(list), i = 0;
	const cJSON *number;

	if (n != EMBED_DIMENSIONS)
		return err_set(e, ERR_CONFIG,
			       "the endpoint of embedding_url answers %d dimensions for model %s,"
			       " not %d", n, conf->fleet.embedding_model, EMBED_DIMENSIONS);
	cJSON_ArrayForEach(number, list) {
		if (!cJSON_IsNumber(number) || !isfinite((float)number->valuedouble))
			return err_set(e, ERR_PROTOCOL, "an embedding holds what is no number");
		ret[i++] = (float)number->valuedouble;
	}
	return 0;
}

static int read_data(const struct conf *conf, const cJSON *answer, size_t n, float *ret,
		     struct err *e)
{
	bool *seen = mem_zalloc(n * sizeof *seen);
	const cJSON *item;
	size_t found = 0;
	int r = 0;

	cJSON_ArrayForEach(item, json_get(answer, "data")) {
		int64_t at = json_int(item, "index", -1);

		if (at < 0 || (size_t)at >= n || seen[at])
			continue;
		r = read_vector(conf, json_get(item, "embedding"), ret + at * EMBED_DIMENSIONS, e);
		if (r < 0)
			break;
		seen[at] = true;
		found++;
	}
	free(seen);
	if (r == 0 && found < n)
		r = err_set(e, ERR_PROTOCOL, "the endpoint answered %zu of %zu embeddings", found,
			    n);
	return r;
}

static int read_answer(const struct conf *conf, const struct http_response *response, size_t n,
		       float *ret, struct err *e)
{
	float *vectors = mem_alloc(n * EMBED_DIMENSIONS * sizeof *vectors);
	cJSON *answer = NULL;
	int r = json_parse(buf_text(&response->body), response->body.len, &answer, e);

	if (r < 0)
		r = err_prefix(e, "the endpoint's answer");
	else
		r = read_data(conf, answer, n, vectors, e);
	if (r == 0)
		memcpy(ret, vectors, n * EMBED_DIMENSIONS * sizeof *vectors);
	cJSON_Delete(answer);
	free(vectors);
	return r;
}

/* ---- the call ---- */

static int judge_status(const struct conf *conf, int status, struct err *e)
{
	if (status == 200)
		return 0;
	if (status == 401 || status == 403)
		return err_set(e, ERR_REFUSED, "the endpoint refuses the key in %s (status %d)",
			       conf->fleet.embedding_key_variable, status);
	if (status == 404 || status == 400 || status == 422)
		return err_set(e, ERR_CONFIG, "the endpoint refuses model %s (status %d)",
			       conf->fleet.embedding_model, status);
	if (status == 429)
		return err_set(e, ERR_LIMITED, "the endpoint is busy (status 429)");
	if (status == 408 || status >= 500)
		return err_set(e, ERR_HTTP, "the endpoint fails (status %d)", status);
	return err_set(e, ERR_PROTOCOL, "the endpoint answers with status %d", status);
}

static int64_t wait_of(const struct http_response *response, int turn)
{
	int64_t wait_ms = (int64_t)FIRST_WAIT_MS << turn, seconds;
	char text[32];

	if (http_header(response, "Retry-After", text, sizeof text) &&
	    scan_int64(text, 0, WAIT_MAX_MS, &seconds, NULL) == 0)
		wait_ms = seconds * 1000;
	return wait_ms < WAIT_MAX_MS ? wait_ms : WAIT_MAX_MS;
}

static void wait_ms(int64_t ms)
{
	struct timespec t = { ms / 1000, ms % 1000 * 1000000 };

	nanosleep(&t, NULL);	/* a signal may end it early: that is a cancel */
}

static int call_once(struct http *http, const struct conf *conf, const struct http_request *request,
		     size_t n, float *ret, int64_t *ret_wait_ms, int turn, struct err *e)
{
	struct http_response response = { 0 };
	int r = http_perform(http, request, &response, e);

	*ret_wait_ms = (int64_t)FIRST_WAIT_MS << turn;
	if (r < 0)
		return r;
	*ret_wait_ms = wait_of(&response, turn);
	r = judge_status(conf, response.status, e);
	if (r == 0)
		r = read_answer(conf, &response, n, ret, e);
	http_response_release(&response);
	return r;
}

static bool is_worth_another(int r)
{
	return r == -ERR_NET || r == -ERR_TIMEOUT || r == -ERR_HTTP || r == -ERR_LIMITED ||
		r == -ERR_PROTOCOL;
}

int endpoint_ask(struct http *http, const struct conf *conf, const char *const *texts, size_t n,
		 float *ret, struct err *e)
{
	const char *key = conf_secret(conf->fleet.embedding_key_variable);
	char *bearer = key ? mem_printf("Authorization: Bearer %s", key) : NULL;
	const char *headers[] = { "Content-Type: application/json", bearer, NULL };
	struct http_request request = {
		.method = "POST", .url = conf->fleet.embedding_url, .headers = headers,
		.timeout_ms = ENDPOINT_TIMEOUT_MS,
		.max_bytes = (int64_t)n * EMBED_DIMENSIONS * NUMBER_BYTES + 65536,
	};
	struct err own = { 0 };
	struct buf body;
	int64_t pause = 0;
	int r = 0;

	buf_init(&body, BODY_MAX);
	put_body(&body, conf, texts, n);
	request.body = body.data;
	request.body_len = body.len;
	for (int turn = 0; turn < ENDPOINT_TRIES; turn++) {
		if (turn > 0)
			wait_ms(pause);
		err_clear(&own);
		r = call_once(http, conf, &request, n, ret, &pause, turn, &own);
		if (!is_worth_another(r))
			break;
	}
	buf_release(&body);
	free(bearer);
	if (r < 0 && e)
		*e = own;
	return r;
}

int endpoint_one(const struct conf *conf, const char *text, float *ret, struct err *e)
{
	struct http *http;
	int r = http_open(&http, "jobfleet/" JOBFLEET_VERSION, e);

	if (r < 0)
		return r;
	r = endpoint_ask(http, conf, &text, 1, ret, e);
	http_close(http);
	return r;
}

int endpoint_check(const struct conf *conf, struct err *e)
{
	float vector[EMBED_DIMENSIONS];

	return endpoint_one(conf, "software engineer", vector, e);
}
