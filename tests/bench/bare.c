/* SPDX-License-Identifier: MIT */
/* bare: the yardstick: librabbitmq used as its own examples do, nothing else.
 *
 *	bare fill URL QUEUE N TASK BYTES [results]	publishes N persistent tasks, window 256
 *	bare drain URL QUEUE N PREFETCH			consumes N, late acks by 100
 *	bare stamps URL QUEUE N PREFETCH		consumes N, acks each: when it came
 *
 * Prints one JSON line: {"n": N, "seconds": S, "cpu_us": per message}; stamps: READY once it
 * consumes, then {id: seconds since the epoch}. */
#include <amqp.h>
#include <amqp_framing.h>
#include <amqp_tcp_socket.h>
#include <assert.h>

#include "common/base/buf.h"
#include "common/base/clock.h"
#include "common/base/err.h"
#include "common/base/scan.h"
#include "common/broker/message.h"
#include "tests/bench/meter.h"

enum {
	CHANNEL = 1,
	WINDOW = 256,
	ACK_BATCH = 100,
	FRAME_MAX = 131072,
	PRIORITIES = 10,
	PROPS_MAX = 1 << 20,
	ID_LEN = 36,
	ID_PLACES = 8,
	BYTES_MAX = 1 << 20,
};

static const char ID[] = "00000000-0000-4000-8000-000000000000";

static void must(amqp_rpc_reply_t r, const char *what)
{
	if (r.reply_type == AMQP_RESPONSE_NORMAL)
		return;
	fprintf(stderr, "bare: %s failed: %s\n", what, amqp_error_string2(r.library_error));
	exit(1);
}

static amqp_connection_state_t connect_to(char *url)
{
	amqp_connection_state_t c = amqp_new_connection();
	amqp_socket_t *s = amqp_tcp_socket_new(c);
	struct amqp_connection_info at;

	if (amqp_parse_url(url, &at) != 0 || amqp_socket_open(s, at.host, at.port) != 0) {
		fprintf(stderr, "bare: no connection\n");
		exit(1);
	}
	must(amqp_login(c, at.vhost, 0, FRAME_MAX, 0, AMQP_SASL_METHOD_PLAIN, at.user, at.password),
	     "login");
	amqp_channel_open(c, CHANNEL);
	must(amqp_get_rpc_reply(c), "channel.open");
	return c;
}

static void declare(amqp_connection_state_t c, const char *queue)
{
	amqp_table_entry_t arg = {
		.key = amqp_cstring_bytes("x-max-priority"),
		.value = { .kind = AMQP_FIELD_KIND_I32, .value.i32 = PRIORITIES },
	};
	amqp_table_t args = { 1, &arg };

	amqp_queue_declare(c, CHANNEL, amqp_cstring_bytes(queue), 0, 1, 0, 0, args);
	must(amqp_get_rpc_reply(c), "queue.declare");
}

/* One frame from the broker; how many messages it confirmed. */
static int wait_confirm(amqp_connection_state_t c, uint64_t *acked)
{
	amqp_frame_t f;

	amqp_maybe_release_buffers(c);
	if (amqp_simple_wait_frame(c, &f) != AMQP_STATUS_OK)
		exit(1);
	if (f.frame_type == AMQP_FRAME_METHOD && f.payload.method.id == AMQP_BASIC_ACK_METHOD) {
		amqp_basic_ack_t *a = f.payload.method.decoded;

		*acked = a->delivery_tag;
		return 1;
	}
	return 0;
}

/* The template's id, wherever it stands in the encoded properties. */
struct id_places {
	char *at[ID_PLACES];
	int n;
};

static void find_id(struct id_places *places, struct buf *props)
{
	char *at = props->data, *end = props->data + props->len;

	while (places->n < ID_PLACES && (at = memmem(at, (size_t)(end - at), ID, ID_LEN))) {
		places->at[places->n++] = at;
		at += ID_LEN;
	}
}

/* As a uuid: without order, so that whoever keys by it meets what real ids do. */
static void write_id(const struct id_places *places, uint64_t seed, uint64_t i)
{
	uint64_t a = (seed + i) * 0x9e3779b97f4a7c15, b;
	char id[ID_LEN + 1];

	a = (a ^ (a >> 30)) * 0xbf58476d1ce4e5b9;
	a = (a ^ (a >> 27)) * 0x94d049bb133111eb;
	b = (a ^ (a >> 31)) * 0x9e3779b97f4a7c15;
	snprintf(id, sizeof id, "%08x-%04x-4%03x-8%03x-%012llx", (unsigned)(a >> 32),
		 (unsigned)(a >> 16 & 0xffff), (unsigned)(a >> 4 & 0xfff), (unsigned)(b >> 52),
		 (unsigned long long)(b & 0xffffffffffff));
	for (int p = 0; p < places->n; p++)
		memcpy(places->at[p], id, ID_LEN);
}

/* The properties are made once and only ids change: the least a publisher can do. */
static amqp_basic_properties_t *make_template(struct message *m, const char *task, int bytes,
					      bool results, struct buf *props,
					      struct id_places *places)
{
	char *args = meter_args(bytes);
	amqp_pool_t *pool = malloc(sizeof *pool);
	void *decoded = NULL;

	message_init(m);
	message_new(m, task, ID, args, "{}", NULL);
	free(args);
	m->ignore_result = !results;
	buf_init(props, PROPS_MAX);
	message_encode(m, props, NULL);
	init_amqp_pool(pool, 4096);
	amqp_decode_properties(AMQP_BASIC_CLASS, pool, (amqp_bytes_t){ props->len, props->data },
			       &decoded);
	find_id(places, props);
	return decoded;
}

static int fill(char *url, const char *queue, int n, const char *task, int bytes,
		bool results)
{
	amqp_connection_state_t c = connect_to(url);
	struct id_places places = { 0 };
	struct message m;
	struct buf props;
	amqp_basic_properties_t *p = make_template(&m, task, bytes, results, &props, &places);
	uint64_t acked = 0, seed = (uint64_t)clock_wall_us();
	int64_t from;

	declare(c, queue);
	amqp_confirm_select(c, CHANNEL);
	must(amqp_get_rpc_reply(c), "confirm.select");
	from = clock_mono_us();
	for (int i = 1; i <= n; i++) {
		write_id(&places, seed, (uint64_t)i);
		amqp_basic_publish(c, CHANNEL, amqp_empty_bytes, amqp_cstring_bytes(queue), 1, 0, p,
				   (amqp_bytes_t){ m.body_len, m.body });
		while ((uint64_t)i - acked >= WINDOW)
			wait_confirm(c, &acked);
	}
	while (acked < (uint64_t)n)
		wait_confirm(c, &acked);
	meter_print(n, from);
	return 0;
}

static int drain(char *url, const char *queue, int n, int prefetch)
{
	amqp_connection_state_t c = connect_to(url);
	int64_t from;

	amqp_basic_qos(c, CHANNEL, 0, (uint16_t)prefetch, 1);
	must(amqp_get_rpc_reply(c), "basic.qos");
	from = clock_mono_us();
	amqp_basic_consume(c, CHANNEL, amqp_cstring_bytes(queue), amqp_empty_bytes, 0, 0, 0,
			   amqp_empty_table);
	must(amqp_get_rpc_reply(c), "basic.consume");
	for (int i = 1; i <= n; i++) {
		amqp_envelope_t envelope;

		amqp_maybe_release_buffers(c);
		must(amqp_consume_message(c, &envelope, NULL, 0), "consume");
		if (i % ACK_BATCH == 0 || i == n)
			amqp_basic_ack(c, CHANNEL, envelope.delivery_tag, 1);
		amqp_destroy_envelope(&envelope);
	}
	amqp_channel_close(c, CHANNEL, AMQP_REPLY_SUCCESS);
	meter_print(n, from);
	return 0;
}

/* What a worker could at best know of when a task begins. */
static int stamps(char *url, const char *queue, int n, int prefetch)
{
	amqp_connection_state_t c = connect_to(url);

	declare(c, queue);
	amqp_basic_qos(c, CHANNEL, 0, (uint16_t)prefetch, 1);
	must(amqp_get_rpc_reply(c), "basic.qos");
	amqp_basic_consume(c, CHANNEL, amqp_cstring_bytes(queue), amqp_empty_bytes, 0, 0, 0,
			   amqp_empty_table);
	must(amqp_get_rpc_reply(c), "basic.consume");
	puts("READY");
	fflush(stdout);
	for (int i = 1; i <= n; i++) {
		amqp_envelope_t envelope;
		amqp_bytes_t id;

		amqp_maybe_release_buffers(c);
		must(amqp_consume_message(c, &envelope, NULL, 0), "consume");
		id = envelope.message.properties.correlation_id;
		printf("%s\"%.*s\": %.6f", i == 1 ? "{" : ", ", (int)id.len, (char *)id.bytes,
		       (double)clock_wall_us() / 1e6);
		amqp_basic_ack(c, CHANNEL, envelope.delivery_tag, 0);
		amqp_destroy_envelope(&envelope);
	}
	puts("}");
	amqp_channel_close(c, CHANNEL, AMQP_REPLY_SUCCESS);
	return 0;
}

int main(int argc, char **argv)
{
	int n = 0, bytes = 0, prefetch = 0;

	if (argc >= 6 && scan_int(argv[4], 1, 100000000, &n, NULL) == 0) {
		if (argc > 6 && strcmp(argv[1], "fill") == 0 &&
		    scan_int(argv[6], 0, BYTES_MAX, &bytes, NULL) == 0)
			return fill(argv[2], argv[3], n, argv[5], bytes,
				    argc > 7 && strcmp(argv[7], "results") == 0);
		if (strcmp(argv[1], "drain") == 0 &&
		    scan_int(argv[5], 1, 65535, &prefetch, NULL) == 0)
			return drain(argv[2], argv[3], n, prefetch);
		if (strcmp(argv[1], "stamps") == 0 &&
		    scan_int(argv[5], 1, 65535, &prefetch, NULL) == 0)
			return stamps(argv[2], argv[3], n, prefetch);
	}
	fprintf(stderr, "usage: bare fill URL QUEUE N TASK BYTES [results] | bare "
		"drain|stamps URL QUEUE N PREFETCH\n");
	return 100;
}
