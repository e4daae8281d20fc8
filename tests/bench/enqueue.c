/* SPDX-License-Identifier: MIT */
/* enqueue: what enqueueing costs through our publisher: each message made anew, as a caller does,
 * encoded, sent in a window of 256 and confirmed. Its yardstick is `bare fill`.
 *
 *	enqueue URL QUEUE N TASK BYTES [results]
 *
 * Prints one JSON line: {"n": N, "seconds": S, "cpu_us": per message}. */
#include <string.h>

#include "common/base/buf.h"
#include "common/base/clock.h"
#include "common/base/err.h"
#include "common/base/scan.h"
#include "common/broker/message.h"
#include "common/broker/publisher.h"
#include "tests/bench/meter.h"

enum { WINDOW = 256, LIMIT_MS = 30000, PRIORITIES = 10, PROPS_MAX = 1 << 20, BYTES_MAX = 1 << 20 };

struct tally {
	int confirmed;
};

static void done(void *ctx, uint64_t tag, enum publish_outcome outcome)
{
	struct tally *t = ctx;

	(void)tag;
	t->confirmed += outcome == PUBLISH_CONFIRMED;
}

struct order {
	const char *queue, *task;
	int n, bytes;
	bool results;
};

static int send_all(struct publisher *p, const struct order *o, struct err *e)
{
	char *args = meter_args(o->bytes);
	struct message m;
	struct buf props;
	int r = 0;

	message_init(&m);
	buf_init(&props, PROPS_MAX);
	for (int i = 1; i <= o->n && r >= 0; i++) {
		r = message_new(&m, o->task, NULL, args, "{}", e);
		m.ignore_result = !o->results;
		buf_clear(&props);
		if (r >= 0)
			r = message_encode(&m, &props, e);
		if (r >= 0)
			r = publisher_send(p, "", o->queue, props.data, props.len, m.body,
					   m.body_len, (uint64_t)i, LIMIT_MS, e);
		message_clear(&m);
	}
	if (r >= 0)
		r = publisher_wait(p, LIMIT_MS, e);
	buf_release(&props);
	message_release(&m);
	free(args);
	return r;
}

static int enqueue(const char *url, const struct order *o, struct err *e)
{
	struct tally tally = { 0 };
	struct publisher *p = NULL;
	int64_t from;
	int r = publisher_open(&p, url, "bench enqueue", WINDOW, LIMIT_MS, e);

	if (r < 0)
		return r;
	publisher_on_done(p, done, &tally);
	r = publisher_declare(p, o->queue, PRIORITIES, false, LIMIT_MS, e);
	from = clock_mono_us();
	if (r >= 0)
		r = send_all(p, o, e);
	if (r >= 0 && tally.confirmed == o->n)
		meter_print(o->n, from);
	else if (r >= 0)
		r = err_set(e, ERR_BROKER, "%d of %d were confirmed", tally.confirmed, o->n);
	publisher_close(p);
	return r;
}

int main(int argc, char **argv)
{
	struct err e = { 0 };
	struct order o = { 0 };

	if (argc < 6 || scan_int(argv[3], 1, 100000000, &o.n, NULL) < 0 ||
	    scan_int(argv[5], 0, BYTES_MAX, &o.bytes, NULL) < 0) {
		fprintf(stderr, "usage: enqueue URL QUEUE N TASK BYTES [results]\n");
		return 100;
	}
	o.queue = argv[2];
	o.task = argv[4];
	o.results = argc > 6 && strcmp(argv[6], "results") == 0;
	if (enqueue(argv[1], &o, &e) < 0) {
		fprintf(stderr, "enqueue: %s\n", e.msg);
		return 1;
	}
	return 0;
}
