/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <zlib.h>

#include "common/base/buf.h"
#include "common/base/err.h"
#include "common/base/json.h"
#include "common/base/mem.h"
#include "common/broker/message.h"

/* The content header of `t.add.delay(2, 3)` behind the body size, typed from the wire page's
 * description of a Celery 5.2 message: properties, then the headers table. */
static void encode_celery(struct buf *out)
{
	struct message m;
	struct err e;

	message_init(&m);
	assert_int_equal(message_new(&m, "t.add", "7a74-d5", "[2, 3]", "{}", &e), 0);
	m.lang = "py";
	m.priority = 0;
	m.soft_ms = 1500;
	m.hard_ms = 9000;
	m.group = "g1";
	m.group_index = 2;
	m.eta = "2026-11-21T20:18:49.036633+00:00";
	assert_int_equal(message_encode(&m, out, &e), 0);
	message_release(&m);
}

static void a_message_survives_encoding_and_decoding(void **state)
{
	static const char body[] = "[[2, 3], {}, {}]";
	struct message m;
	struct buf props;
	struct err e = { 0 };

	(void)state;
	buf_init(&props, 1 << 20);
	encode_celery(&props);
	message_init(&m);
	assert_int_equal(message_decode(&m, props.data, props.len, body, sizeof body - 1, &e), 0);
	assert_string_equal(m.task, "t.add");
	assert_string_equal(m.id, "7a74-d5");
	assert_string_equal(m.root_id, "7a74-d5");
	assert_null(m.parent_id);
	assert_string_equal(m.group, "g1");
	assert_int_equal(m.group_index, 2);
	assert_int_equal(m.hard_ms, 9000);
	assert_int_equal(m.soft_ms, 1500);
	assert_int_equal(m.priority, 0);
	assert_string_equal(m.eta, "2026-11-21T20:18:49.036633+00:00");
	assert_null(m.expires);
	assert_string_equal(m.correlation_id, "7a74-d5");
	message_release(&m);
	buf_release(&props);
}

static void headers_we_do_not_know_keep_their_types(void **state)
{
	struct message m, back;
	struct buf props;
	struct err e = { 0 };
	cJSON *v = cJSON_Parse(
		"{\"deep\": [1, 2.5, null, true, {\"x\": \"ü\"}], \"big\": 5000000000}");
	cJSON *got;

	(void)state;
	buf_init(&props, 1 << 20);
	message_init(&m);
	message_new(&m, "t", NULL, NULL, NULL, &e);
	assert_int_equal(message_set_header(&m, "mine", v, &e), 0);
	m.generation = 3;
	m.hop = 2;
	assert_int_equal(message_encode(&m, &props, &e), 0);
	message_init(&back);
	assert_int_equal(message_decode(&back, props.data, props.len, "[]", 2, &e), 0);
	got = message_header(&back, "mine");
	assert_true(cJSON_Compare(got, v, true));
	assert_int_equal(back.generation, 3);
	assert_int_equal(back.hop, 2);
	cJSON_Delete(got);
	cJSON_Delete(v);
	message_release(&m);
	message_release(&back);
	buf_release(&props);
}

static void all_headers_are_read_at_once(void **state)
{
	struct message m;
	struct buf props;
	struct err e = { 0 };
	cJSON *all, *mine = cJSON_Parse("[1, \"two\"]");

	(void)state;
	buf_init(&props, 1 << 20);
	encode_celery(&props);
	message_init(&m);
	assert_int_equal(message_decode(&m, props.data, props.len, "[]", 2, &e), 0);
	assert_int_equal(message_set_header(&m, "mine", mine, &e), 0);
	all = message_headers(&m);
	assert_string_equal(json_str(all, "task", ""), "t.add");
	assert_true(cJSON_IsNull(cJSON_GetObjectItemCaseSensitive(all, "parent_id")));
	assert_int_equal(json_int(all, "group_index", -1), 2);
	assert_true(cJSON_Compare(json_get(all, "mine"), mine, true));
	assert_int_equal(cJSON_GetArrayItem(json_get(all, "timelimit"), 0)->valueint, 9);
	cJSON_Delete(all);
	cJSON_Delete(mine);
	message_release(&m);
	buf_release(&props);
}

/* A table of headers with "retries" and "other" as one kind of number, by hand (AMQP 0-9-1, 4.2.5.5
 * with RabbitMQ's letters). */
static void put_numbers(struct buf *props, char kind, const char *value, size_t len)
{
	static const char texts[] = "\x04taskS\0\0\0\x05t.add\x02idS\0\0\0\x04" "6e15";
	static const char *const names[] = { "\x07retries", "\x05other" };

	buf_put_u16(props, 0x2000);
	buf_put_u32(props, (uint32_t)(sizeof texts - 1 + 8 + 6 + 2 * (1 + len)));
	buf_append(props, texts, sizeof texts - 1);
	for (size_t i = 0; i < COUNT(names); i++) {
		buf_puts(props, names[i]);
		buf_putc(props, kind);
		buf_append(props, value, len);
	}
}

static void numbers_of_every_width_are_read(void **state)
{
	static const struct {
		char kind;
		const char *value;
		size_t len;
		double expect;
		bool refused;		/* as a number of retries */
	} cases[] = {
		{ 'b', "\x03", 1, 3, false },
		{ 'B', "\xc8", 1, 200, false },
		{ 's', "\x01\x02", 2, 258, false },
		{ 'u', "\xff\xfe", 2, 65534, false },
		{ 'I', "\0\0\0\x07", 4, 7, false },
		{ 'i', "\0\x01\0\0", 4, 65536, false },
		{ 'l', "\0\0\0\0\0\0\0\x09", 8, 9, false },
		{ 'L', "\0\0\0\0\0\0\0\x0a", 8, 10, false },
		{ 'f', "\x3f\xc0\0\0", 4, 1.5, true },
		{ 'd', "\x40\x04\0\0\0\0\0\0", 8, 2.5, true },
		{ 't', "\x01", 1, 1, true },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct err e = { 0 };
		struct message m;
		struct buf props;
		cJSON *got;

		buf_init(&props, 1024);
		put_numbers(&props, cases[i].kind, cases[i].value, cases[i].len);
		message_init(&m);
		assert_int_equal(message_decode(&m, props.data, props.len, "[[], {}, {}]", 12, &e),
				 cases[i].refused ? -ERR_PROTOCOL : 0);
		if (!cases[i].refused)
			assert_int_equal(m.retries, (int)cases[i].expect);
		got = message_header(&m, "other");
		assert_true(cases[i].kind == 't' ? cJSON_IsTrue(got) : cJSON_IsNumber(got));
		assert_true(cases[i].kind == 't' || got->valuedouble == cases[i].expect);
		cJSON_Delete(got);
		message_release(&m);
		buf_release(&props);
	}
}

static void a_task_name_has_its_bounds(void **state)
{
	enum { LONG = 5000 };
	static const char head[] = "\x04taskS\0\0";
	struct err e = { 0 };
	struct message m;
	struct buf props;

	(void)state;
	for (int len = 0; len <= LONG; len += LONG) {
		buf_init(&props, 8192);
		buf_put_u16(&props, 0x2000);
		buf_put_u32(&props, (uint32_t)(sizeof head - 1 + 2 + (size_t)len + 12));
		buf_append(&props, head, sizeof head - 1);
		buf_put_u16(&props, (uint16_t)len);
		for (int i = 0; i < len; i++)
			buf_putc(&props, 'x');
		buf_append(&props, "\x02idS\0\0\0\x04" "6e15", 12);
		message_init(&m);
		assert_int_equal(message_decode(&m, props.data, props.len, "[[], {}, {}]", 12, &e),
				 -ERR_PROTOCOL);
		assert_non_null(strstr(e.msg, len ? "task name is longer than " : "no task name"));
		message_release(&m);
		buf_release(&props);
	}
}

static void a_protocol_1_body_becomes_protocol_2(void **state)
{
	/* no headers, content type and encoding only: flags c000 */
	static const char props[] = "\xc0\x00\x10" "application/json\x05utf-8";
	static const char body[] =
		"{\"task\": \"t.add\", \"id\": \"6e15\", \"args\": [2, 12345678901234567890],"
		" \"kwargs\": {\"y\": 3}, \"retries\": 1, \"timelimit\": [9, 8], \"eta\": null}";
	struct message m;
	struct err e = { 0 };
	char *args, *kwargs, *embed;

	(void)state;
	message_init(&m);
	assert_int_equal(message_decode(&m, props, sizeof props - 1, body, sizeof body - 1, &e), 0);
	assert_string_equal(m.task, "t.add");
	assert_string_equal(m.id, "6e15");
	assert_int_equal(m.retries, 1);
	assert_int_equal(m.hard_ms, 9000);
	assert_int_equal(message_split(m.body, m.body_len, &args, &kwargs, &embed, &e), 0);
	assert_string_equal(args, "[2, 12345678901234567890]");	/* not through a double */
	assert_string_equal(kwargs, "{\"y\": 3}");
	free(args);
	free(kwargs);
	free(embed);
	message_release(&m);
}

static void limits_keep_their_milliseconds(void **state)
{
	struct message m, back;
	struct buf props;
	struct err e = { 0 };

	(void)state;
	for (int64_t ms = 1; ms < 3000; ms += 7) {
		buf_init(&props, 1 << 20);
		message_init(&m);
		message_init(&back);
		message_new(&m, "t", "i", NULL, NULL, &e);
		m.hard_ms = ms;
		assert_int_equal(message_encode(&m, &props, &e), 0);
		assert_int_equal(message_decode(&back, props.data, props.len, "[]", 2, &e), 0);
		assert_int_equal(back.hard_ms, ms);
		message_release(&m);
		message_release(&back);
		buf_release(&props);
	}
}

static void a_protocol_1_body_with_numbers_out_of_range_is_read(void **state)
{
	static const char props[] = "\xc0\x00\x10" "application/json\x05utf-8";
	static const char body[] = "{\"task\": \"t\", \"id\": \"i\", \"retries\": 1e300,"
				   " \"group_index\": -1e300, \"timelimit\": [1e308, 1e-9]}";
	struct message m;
	struct err e = { 0 };

	(void)state;
	message_init(&m);
	assert_int_equal(message_decode(&m, props, sizeof props - 1, body, sizeof body - 1, &e), 0);
	assert_int_equal(m.retries, 0);
	assert_int_equal(m.group_index, -1);
	assert_int_equal(m.hard_ms, 1000000000000);
	assert_int_equal(m.soft_ms, 1);
	message_release(&m);
}

static void a_message_without_task_and_id_is_refused(void **state)
{
	static const char props[] = "\xc0\x00\x10" "application/json\x05utf-8";
	static const struct { const char *body, *want; } cases[] = {
		{ "{\"id\": \"1\"}", "neither a task header nor a protocol 1 body" },
		{ "[]", "neither a task header nor a protocol 1 body" },
		{ "{\"task\": \"t\"}", "no id header" },
		{ "{", "not valid JSON" },
		{ "\xff\xfe", "not UTF-8" },
	};
	struct message m;

	(void)state;
	message_init(&m);
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct err e = { 0 };
		int r = message_decode(&m, props, sizeof props - 1, cases[i].body,
				       strlen(cases[i].body), &e);

		assert_int_equal(r, -ERR_PROTOCOL);
		if (!strstr(e.msg, cases[i].want))
			fail_msg("%s: got \"%s\"", cases[i].body, e.msg);
	}
	message_release(&m);
}

static void torn_properties_are_refused_at_every_length(void **state)
{
	struct message m;
	struct buf props;

	(void)state;
	buf_init(&props, 1 << 20);
	encode_celery(&props);
	message_init(&m);
	for (size_t n = 0; n < props.len; n++) {
		char *torn = mem_dup(props.data, n);	/* its own block: ASan sees a read past it */
		struct err e = { 0 };

		assert_true(message_decode(&m, torn, n, "[]", 2, &e) < 0);
		free(torn);
	}
	message_release(&m);
	buf_release(&props);
}

static void with_body(struct message *m, const void *body, size_t n, const char *codec)
{
	message_clear(m);
	m->content_type = "application/json";
	m->content_encoding = "utf-8";
	m->compression = codec;
	message_take_body(m, mem_dup(body, n), n);
}

static void zlib_and_gzip_bodies_are_read_and_bombs_are_not(void **state)
{
	static const char text[] = "[[1], {}, {}]";
	unsigned char packed[4096];
	uLongf n = sizeof packed;
	struct message m;
	struct err e = { 0 };
	char *zeros = mem_zalloc(1 << 20), *got;
	size_t len;

	(void)state;
	message_init(&m);
	compress(packed, &n, (const Bytef *)text, sizeof text - 1);
	with_body(&m, packed, n, "application/x-gzip");
	assert_int_equal(message_text(&m, 1 << 16, &got, &len, &e), 0);
	assert_string_equal(got, text);
	free(got);
	with_body(&m, packed, n - 1, "application/x-gzip");
	assert_int_equal(message_text(&m, 1 << 16, &got, &len, &e), -ERR_PROTOCOL);
	memset(zeros, ' ', 1 << 20);
	n = sizeof packed;
	assert_int_equal(compress(packed, &n, (const Bytef *)zeros, 1 << 20), Z_OK);
	with_body(&m, packed, n, "zlib");
	assert_int_equal(message_text(&m, 1 << 16, &got, &len, &e), -ERR_TOO_BIG);
	with_body(&m, text, sizeof text - 1, "application/x-bz2");
	assert_int_equal(message_text(&m, 1 << 16, &got, &len, &e), -ERR_PROTOCOL);
	assert_string_equal(err_exc_type(&e), "ContentDisallowed");
	free(zeros);
	message_release(&m);
}

static void other_content_types_are_refused(void **state)
{
	struct message m;
	struct err e = { 0 };
	char *got;
	size_t len;

	(void)state;
	message_init(&m);
	with_body(&m, "x", 1, NULL);
	m.content_type = "application/x-python-serialize";
	assert_int_equal(message_text(&m, 100, &got, &len, &e), -ERR_PROTOCOL);
	assert_non_null(strstr(e.msg, "application/x-python-serialize"));
	message_release(&m);
}

static void a_body_must_have_three_parts_of_the_right_kind(void **state)
{
	static const struct { const char *text; int want; } cases[] = {
		{ "[[], {}, {}]", 0 }, { "[null, null, null]", 0 }, { " [ [1] , {} , {} ] ", 0 },
		{ "[[], {}]", -ERR_PROTOCOL }, { "[[], {}, {}, 1]", -ERR_PROTOCOL },
		{ "[{}, {}, {}]", -ERR_PROTOCOL }, { "[[], [], {}]", -ERR_PROTOCOL },
		{ "{}", -ERR_PROTOCOL }, { "", -ERR_PROTOCOL }, { "[[], {}, {}] x", -ERR_PROTOCOL },
		{ "[[], {}, ", -ERR_PROTOCOL },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		char *a = NULL, *k = NULL, *m = NULL;
		struct err e = { 0 };
		int r = message_split(cases[i].text, strlen(cases[i].text), &a, &k, &m, &e);

		if (r != cases[i].want)
			fail_msg("%s: got %d (%s), expected %d", cases[i].text, r, e.msg,
				 cases[i].want);
		if (r == 0) {
			free(a);
			free(k);
			free(m);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_message_survives_encoding_and_decoding),
		cmocka_unit_test(headers_we_do_not_know_keep_their_types),
		cmocka_unit_test(all_headers_are_read_at_once),
		cmocka_unit_test(numbers_of_every_width_are_read),
		cmocka_unit_test(a_task_name_has_its_bounds),
		cmocka_unit_test(a_protocol_1_body_becomes_protocol_2),
		cmocka_unit_test(limits_keep_their_milliseconds),
		cmocka_unit_test(a_protocol_1_body_with_numbers_out_of_range_is_read),
		cmocka_unit_test(a_message_without_task_and_id_is_refused),
		cmocka_unit_test(torn_properties_are_refused_at_every_length),
		cmocka_unit_test(zlib_and_gzip_bodies_are_read_and_bombs_are_not),
		cmocka_unit_test(other_content_types_are_refused),
		cmocka_unit_test(a_body_must_have_three_parts_of_the_right_kind),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
