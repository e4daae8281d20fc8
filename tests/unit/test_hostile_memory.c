/* SPDX-License-Identifier: MIT */
/* services: shared */
/* timeout: 120 */
/* Every allocation fails in turn, ours and those inside libraries, while messages, queues.conf and
 * descriptions are read and the services are talked to (tests/hostile/famine.h). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/arena.h"
#include "common/base/buf.h"
#include "common/base/conf.h"
#include "common/base/err.h"
#include "common/base/json.h"
#include "common/base/mem.h"
#include "common/base/text.h"
#include "common/base/uuid.h"
#include "common/broker/message.h"
#include "common/broker/publisher.h"
#include "common/net/http.h"
#include "common/store/pg.h"
#include "common/store/redis.h"
#include "common/worker/control_decode.h"
#include "common/worker/signature.h"
#include "tests/hostile/famine.h"

enum { LIMIT_MS = 20000 };

/* ---- messages ---- */

static void tell_message(const struct message *m)
{
	char *text = NULL, *parts[3] = { NULL };
	struct err e = { 0 };
	size_t len;
	int r = message_text(m, 1 << 20, &text, &len, &e);

	if (r >= 0)
		r = message_split(text, len, &parts[0], &parts[1], &parts[2], &e);
	famine_end();
	if (r < 0)
		tell_error(&e);
	tell("%s %s %s %s %s\n", m->id, m->task, parts[0], parts[1], parts[2]);
	for (int i = 0; i < 3; i++)
		free(parts[i]);
	free(text);
}

static void read_message(const struct input *in)
{
	const unsigned char *p = (const unsigned char *)in->bytes;
	size_t props = (size_t)p[0] << 24 | (size_t)p[1] << 16 | (size_t)p[2] << 8 | p[3];
	struct message m;
	struct buf out;
	struct err e = { 0 };

	message_init(&m);
	buf_init(&out, 1 << 20);
	if (message_decode(&m, p + 4, props, p + 4 + props, in->len - 4 - props, &e) < 0 ||
	    message_encode(&m, &out, &e) < 0) {
		tell_error(&e);
	} else {
		tell_message(&m);
		tell_bytes(out.data, out.len);
	}
	message_release(&m);
	buf_release(&out);
}

static void a_message_is_read_as_it_is_or_not_at_all(void **state)
{
	(void)state;
	starve_seed(read_message, "message", "chord_0");
	starve_seed(read_message, "message", "zlib_0");
	starve_seed(read_message, "message", "proto1_eta_0");
	starve_seed(read_message, "message", "headers_0");
}

static void read_signature(const struct input *in)
{
	struct signature *s = NULL;
	struct arena arena;
	struct raw whole;
	struct err e = { 0 };

	arena_init(&arena);
	if (!raw_whole(in->bytes, in->len, &whole, NULL))
		tell("no JSON\n");
	else if (signature_read(&arena, whole, &s, &e) < 0)
		tell_error(&e);
	else
		tell("%s\n", (signature_set_int(&arena, s, "x", 1), signature_text(&arena, s)));
	arena_release(&arena);
}

static void read_control(const struct input *in)
{
	const unsigned char *p = (const unsigned char *)in->bytes;
	size_t props = (size_t)p[0] << 24 | (size_t)p[1] << 16 | (size_t)p[2] << 8 | p[3];
	struct control_call call;
	struct err e = { 0 };
	int r = control_decode(&call, p + 4 + props, in->len - 4 - props, p + 4, props, &e), is_for;

	if (r >= 0) {
		is_for = control_is_for(&call, "one@test", &e);
		r = is_for < 0 ? is_for : 0;
	}
	famine_end();
	if (r < 0)
		tell_error(&e);
	else
		tell("%s %s %s %s %d %s\n", call.method, call.ticket, call.exchange, call.key,
		     is_for, json_print(call.root));
}

static void a_signature_and_a_control_message_too(void **state)
{
	(void)state;
	starve_seed(read_signature, "signature", "chord_nested_1_0");
	starve_seed(read_control, "control", "hello_0");
	starve_seed(read_control, "control", "pattern_0");
}

/* ---- queues.conf ---- */

static void load_conf(const struct input *in)
{
	struct conf *c = NULL;
	struct err e = { 0 };
	char *text = NULL;
	size_t len;
	FILE *out;

	if (conf_load(&c, in->bytes, &e) < 0) {
		tell_error(&e);
		return;
	}
	famine_end();
	out = open_memstream(&text, &len);
	conf_print(c, out);
	fclose(out);
	tell("%s", text);
	free(text);
	conf_close(c);
}

static void queues_conf_is_taken_as_it_is_or_not_at_all(void **state)
{
	(void)state;
	starve("queues.conf", load_conf, &(struct input){ .bytes = (char *)"queues.conf" },
	       true);	/* libconfuse */
}

/* ---- descriptions ---- */

static void clean_text(const struct input *in)
{
	struct buf out;

	buf_init(&out, 8 << 20);
	text_clean(in->bytes, in->len, &out);
	tell("%s\n", buf_text(&out));
	buf_release(&out);
}

static void html_too(void **state)
{
	(void)state;
	starve_seed(clean_text, "text", "html");
	starve_seed(clean_text, "text", "mojibake");
}

/* ---- services ---- */

static void use_postgresql(const struct input *in)
{
	struct pg_rows *rows = NULL;
	struct pg *p = NULL;
	struct err e = { 0 };
	int64_t r = pg_open(&p, in->bytes, "hostile", LIMIT_MS, &e);

	if (r >= 0)
		r = pg_begin_for(p, LIMIT_MS, "a'task", &e);
	if (r >= 0)
		r = pg_run(p, "SELECT $1::text || current_setting('jobfleet.task_id')"
			   " FROM generate_series(1, 50)", PG_PARAMS(PG_TEXT("x")), &rows, &e);
	if (r >= 0)
		r = pg_exec(p, "CREATE TEMPORARY TABLE t (n int); INSERT INTO t VALUES (1)", &e);
	if (r >= 0)
		r = pg_commit(p, &e);
	if (r >= 0)
		tell("%zu %s\n", pg_rows_count(rows), pg_text(rows, 49, 0));
	else
		tell_error(&e);
	pg_rows_free(rows);
	pg_close(p);
}

static void use_redis(const struct input *in)
{
	struct redis_reply *reply = NULL;
	struct redis *r = NULL;
	struct err e = { 0 };
	int got = redis_open(&r, in->bytes, LIMIT_MS, &e);

	if (got == 0)
		got = redis_eval(r, "return {'a', {'b', 3}}", 0, NULL, NULL, 0, &reply, &e);
	if (got == 0)
		tell("%s %lld\n", reply->items[0]->str,
		     (long long)reply->items[1]->items[1]->integer);
	else
		tell_error(&e);
	redis_reply_free(reply);
	redis_close(r);
}

static void use_rabbitmq(const struct input *in)
{
	char queue[UUID_SIZE];
	struct publisher *p = NULL;
	struct message m;
	struct err e = { 0 };
	int r = publisher_open(&p, in->bytes, "hostile", 0, LIMIT_MS, &e);

	uuid_v4(queue);
	message_init(&m);
	if (r >= 0)
		r = publisher_declare_own(p, queue, LIMIT_MS, &e);
	if (r >= 0)
		r = message_new(&m, "t", "an-id", "[1]", NULL, &e);
	if (r >= 0)
		r = publisher_publish(p, queue, &m, LIMIT_MS, &e);
	if (r >= 0)
		tell("published\n");
	else
		tell_error(&e);
	message_release(&m);
	publisher_close(p);
}

/* Nobody listens there. */
static void use_http(const struct input *in)
{
	struct http_request q = { .url = in->bytes, .timeout_ms = LIMIT_MS };
	struct http_response a = { 0 };
	struct http *h = NULL;
	struct err e = { 0 };
	int r = http_open(&h, "hostile", &e);

	if (r >= 0)
		r = http_perform(h, &q, &a, &e);
	if (r >= 0)
		tell("answered\n");
	else
		tell_error(&e);
	http_close(h);
}

static void starve_url(const char *name, flow *f, const char *variable, bool careless)
{
	const char *url = getenv(variable);
	struct input in = { .bytes = mem_strdup(url ? url : "") };

	if (!url)
		skip();
	starve(name, f, &in, careless);
	free(in.bytes);
}

static void services_are_used_or_it_is_said_that_they_are_not(void **state)
{
	unsigned char digest[SHA_DIGEST_LENGTH];

	(void)state;
	/* OpenSSL's start, once in a process, uses what it did not get */
	SHA1((const unsigned char *)"", 0, digest);
	starve_url("PostgreSQL", use_postgresql, "JOBFLEET_DATABASE_URL", false);
	starve_url("Redis", use_redis, "JOBFLEET_REDIS_URL", false);
	/* libcurl calls a login that it has no room for a bad one */
	starve_url("RabbitMQ", use_rabbitmq, "JOBFLEET_BROKER_URL", true);
	starve("HTTP", use_http, &(struct input){ .bytes = (char *)"http://127.0.0.1:1/" },
	       false);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_message_is_read_as_it_is_or_not_at_all),
		cmocka_unit_test(a_signature_and_a_control_message_too),
		cmocka_unit_test(queues_conf_is_taken_as_it_is_or_not_at_all),
		cmocka_unit_test(html_too),
		cmocka_unit_test(services_are_used_or_it_is_said_that_they_are_not),
	};

	return cmocka_run_group_tests(tests, famine_open, NULL);
}
