/* SPDX-License-Identifier: MIT */
#include "workers/alerting/webhook.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <string.h>
#include <time.h>

#include "common/base/buf.h"
#include "common/base/err.h"
#include "common/base/mem.h"
#include "common/base/scan.h"
#include "common/net/http.h"
#include "workers/alerting/notice.h"

enum { POST_MS = 15000, ANSWER_MAX = 65536, BODY_MAX = 1 << 20, WAIT_MOST_S = 3600 };

void webhook_sign(const char *secret, int64_t now_s, const void *body, size_t len,
		  char out[WEBHOOK_SIGNATURE_SIZE])
{
	static const char HEX[] = "0123456789abcdef";
	unsigned char mac[EVP_MAX_MD_SIZE];
	unsigned int n = 0;
	struct buf signed_text;

	buf_init(&signed_text, len + 64);
	buf_printf(&signed_text, "%lld.", (long long)now_s);
	buf_append(&signed_text, body, len);
	mem_check(HMAC(EVP_sha256(), secret, (int)strlen(secret),
		       (const unsigned char *)buf_text(&signed_text), signed_text.len, mac, &n));
	buf_release(&signed_text);
	memcpy(out, "v1=", 3);
	for (unsigned int i = 0; i < n && i < 32; i++) {
		out[3 + 2 * i] = HEX[mac[i] >> 4];
		out[4 + 2 * i] = HEX[mac[i] & 15];
	}
	out[WEBHOOK_SIGNATURE_SIZE - 1] = '\0';
}

/* A number of seconds, or an HTTP date (RFC 9110, 10.2.3); 0 = not given. */
static int64_t retry_after_s(const struct http_response *r, int64_t now_s)
{
	char text[64];
	struct tm tm = { 0 };
	int64_t s = 0;

	if (!http_header(r, "Retry-After", text, sizeof text))
		return 0;
	if (scan_int64(text, 0, INT32_MAX, &s, NULL) < 0 &&
	    strptime(text, "%a, %d %b %Y %H:%M:%S GMT", &tm))
		s = timegm(&tm) - now_s;
	return s < 0 ? 0 : s > WAIT_MOST_S ? WAIT_MOST_S : s;
}

static int judge(const struct http_response *r, int64_t now_s, struct err *e)
{
	int rc;

	if (r->status >= 200 && r->status < 300)
		return 0;
	if (r->status < 500 && r->status != 408 && r->status != 425 && r->status != 429)
		return err_set(e, ERR_REFUSED, "the webhook answered %d", r->status);
	rc = err_set(e, ERR_HTTP, "the webhook answered %d", r->status);
	if (e)
		e->retry_after_ms = retry_after_s(r, now_s) * 1000;
	return rc;
}

static int post(struct http *http, const struct http_request *request, bool hidden, int64_t now_s,
		struct err *e)
{
	struct http_response response;
	struct err why = { 0 };
	int r = http_perform(http, request, &response, &why);

	if (r < 0)
		return err_set(e, why.code, "%s", hidden ? err_text(why.code) : why.msg);
	r = judge(&response, now_s, e);
	http_response_release(&response);
	return r;
}

int webhook_post(struct http *http, const char *url, bool hidden, const struct notice *n,
		 const char *secret, int64_t now_s, struct err *e)
{
	char id[160], timestamp[64],
		signature[32 + WEBHOOK_SIGNATURE_SIZE] = "X-Jobfleet-Signature: ";
	const char *headers[] = { "Content-Type: application/json", id, NULL, NULL, NULL };
	struct http_request request = { .method = "POST", .url = url, .headers = headers,
					.timeout_ms = POST_MS, .max_bytes = ANSWER_MAX };
	struct buf body;
	int r;

	buf_init(&body, BODY_MAX);
	notice_json(n, &body);
	snprintf(id, sizeof id, "X-Jobfleet-Notification: %s", n->id);
	if (secret) {
		snprintf(timestamp, sizeof timestamp, "X-Jobfleet-Timestamp: %lld",
			 (long long)now_s);
		webhook_sign(secret, now_s, buf_text(&body), body.len,
			     signature + strlen(signature));
		headers[2] = timestamp;
		headers[3] = signature;
	}
	request.body = buf_text(&body);
	request.body_len = body.len;
	r = post(http, &request, hidden, now_s, e);
	buf_release(&body);
	return r;
}
