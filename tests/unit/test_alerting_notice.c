/* SPDX-License-Identifier: MIT */
/* services: none
 *
 * Notices as people and programs get them, and how a webhook's are signed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/base/err.h"
#include "common/base/json.h"
#include "workers/alerting/notice.h"
#include "workers/alerting/webhook.h"

#define NOTICE \
	"{\"id\": \"1\", \"kind\": \"firing\", \"address\": \"env:HOOK\", \"alert\": \"a\"," \
	" \"subject\": \"q\\r\\nBcc: x\", \"level\": \"ERROR\", \"message\": \"caf\\u00e9\\nline\"," \
	" \"since\": \"s\", \"at\": \"t\"}"

static cJSON *parsed(const char *text)
{
	cJSON *o = NULL;

	assert_int_equal(json_parse(text, strlen(text), &o, NULL), 0);
	return o;
}

/* The value of `printf '1700000000.{}' | openssl dgst -sha256 -hmac Jefe`. */
static void a_signature_is_the_hmac_of_time_and_body(void **state)
{
	char got[WEBHOOK_SIGNATURE_SIZE], other[WEBHOOK_SIGNATURE_SIZE];

	(void)state;
	webhook_sign("Jefe", 1700000000, "{}", 2, got);
	assert_string_equal(got,
			    "v1=d3793e2b4103edfbd98cc19591832f5fad701d413db9fcae0ae7dab8184ed207");
	webhook_sign("Jefe", 1700000001, "{}", 2, other);
	assert_string_not_equal(got, other);
}

static void no_text_that_came_makes_a_line_of_its_own(void **state)
{
	cJSON *o = parsed(NOTICE);
	struct notice n;
	struct buf title, text;

	(void)state;
	buf_init(&title, 4096);
	buf_init(&text, 4096);
	assert_int_equal(notice_read(o, &n, NULL), 0);
	notice_title(&n, &title);
	assert_string_equal(buf_text(&title), "[ERROR] a q??Bcc: x");
	notice_text(&n, &text);
	assert_non_null(strstr(buf_text(&text), "subject  q  Bcc: x\n"));
	assert_non_null(strstr(buf_text(&text), "message  caf\xc3\xa9 line\n"));
	assert_null(strstr(buf_text(&text), "HOOK"));
	buf_release(&title);
	buf_release(&text);
	cJSON_Delete(o);
}

static void a_long_subject_does_not_make_a_line_that_mail_servers_refuse(void **state)
{
	char subject[2000];
	cJSON *o = parsed(NOTICE);
	struct notice n;
	struct buf title;

	(void)state;
	memset(subject, 'x', sizeof subject - 1);
	subject[sizeof subject - 1] = '\0';
	json_set_str(o, "subject", subject);
	buf_init(&title, 4096);
	assert_int_equal(notice_read(o, &n, NULL), 0);
	notice_title(&n, &title);
	assert_int_equal(title.len, NOTICE_TITLE_MAX);
	buf_release(&title);
	cJSON_Delete(o);
}

static void a_webhook_is_not_told_where_the_others_are(void **state)
{
	cJSON *o = parsed(NOTICE), *body;
	struct notice n;
	struct buf out;

	(void)state;
	buf_init(&out, 4096);
	assert_int_equal(notice_read(o, &n, NULL), 0);
	notice_json(&n, &out);
	body = parsed(buf_text(&out));
	assert_null(json_get(body, "address"));
	assert_string_equal(json_str(body, "status", ""), "firing");
	assert_string_equal(json_str(body, "text", ""), "[ERROR] a q??Bcc: x: caf\xc3\xa9\nline");
	cJSON_Delete(body);
	cJSON_Delete(o);
	buf_release(&out);
}

static void what_is_missing_or_wrong_is_named(void **state)
{
	static const char *const keys[] = { "id", "kind", "address", "alert", "subject", "level",
					    "message", "since", "at" };
	struct notice n;
	struct err e = { 0 };
	cJSON *o;

	(void)state;
	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
		o = parsed(NOTICE);
		cJSON_DeleteItemFromObjectCaseSensitive(o, keys[i]);
		assert_int_equal(notice_read(o, &n, &e), -ERR_INVALID);
		assert_non_null(strstr(e.msg, keys[i]));
		cJSON_Delete(o);
	}
	o = parsed(NOTICE);
	json_set_str(o, "kind", "rumour");
	assert_int_equal(notice_read(o, &n, &e), -ERR_INVALID);
	json_set_str(o, "kind", "test");
	json_set_str(o, "id", "1>\r\nBcc: x@example.org");
	assert_int_equal(notice_read(o, &n, &e), -ERR_INVALID);
	json_set_str(o, "id", "1-a");
	json_set_str(o, "address", "http://example.org/plain");
	assert_int_equal(notice_read(o, &n, &e), -ERR_INVALID);
	cJSON_Delete(o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_signature_is_the_hmac_of_time_and_body),
		cmocka_unit_test(no_text_that_came_makes_a_line_of_its_own),
		cmocka_unit_test(a_long_subject_does_not_make_a_line_that_mail_servers_refuse),
		cmocka_unit_test(a_webhook_is_not_told_where_the_others_are),
		cmocka_unit_test(what_is_missing_or_wrong_is_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
