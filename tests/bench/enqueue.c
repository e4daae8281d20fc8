/* SPDX-License-Identifier: MIT */
/* enqueue: what enqueueing costs through our publisher: each message made anew, as a caller does,
 * encoded, sent in a window of 256 and confirmed. Its yardstick is `bare fill`.
 *
 *	enqueue URL QUEUE N TASK [results]
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

enum { WINDOW = 256, LIMIT_MS = 30000, PRIORITIES = 10, PROPS_MAX = 1 << 20 };

struct tally {
	int confirmed;
};

static void done(void *ctx, uint64_t tag, enum publish_outcome outcome)
{
	struct tally *t = ctx;

	(void)tag;
	t->confirmed += outcome == PUBLISH_CONFIRMED;
}

static int send_all(struct publisher *p, const char *queue, int n, const char *task, bool results,
		    struct err *e)
{
	struct message m;
	struct buf props;
	int r = 0;

	message_init(&m);
	buf_init(&props, PROPS_MAX);
	for (int i = 1; i <= n && r >= 0; i++) {
		r = message_new(&m, task, NULL, "[]", "{}", e);
		m.ignore_result = !results;
		buf_clear(&props);
		if (r >= 0)
			r = message_encode(&m, &props, e);
		if (r >= 0)
			r = publisher_send(p, "", queue, props.data, props.len, m.body, m.body_len,
					   (uint64_t)i, LIMIT_MS, e);
		message_clear(&m);
	}
	if (r >= 0)
		r = publisher_wait(p, LIMIT_MS, e);
	buf_release(&props);
	message_release(&m);
	return r;
}

static int enqueue(const char *url, const char *queue, int n, const char *task, bool results,
		   struct err *e)
{
	struct tally tally = { 0 };
	struct publisher *p = NULL;
	int64_t from;
	int r = publisher_open(&p, url, "bench enqueue", WINDOW, LIMIT_MS, e);

	if (r < 0)
		return r;
	publisher_on_done(p, done, &tally);
	r = publisher_declare(p, queue, PRIORITIES, false, LIMIT_MS, e);
	from = clock_mono_us();
	if (r >= 0)
		r = send_all(p, queue, n, task, results, e);
	if (r >= 0 && tally.confirmed == n)
		meter_print(n, from);
	else if (r >= 0)
		r = err_set(e, ERR_BROKER, "%d of %d were confirmed", tally.confirmed, n);
	publisher_close(p);
	return r;
}

int main(int argc, char **argv)
{
	struct err e = { 0 };
	int n = 0;

	if (argc < 5 || scan_int(argv[3], 1, 100000000, &n, NULL) < 0) {
		fprintf(stderr, "usage: enqueue URL QUEUE N TASK [results]\n");
		return 100;
	}
	if (enqueue(argv[1], argv[2], n, argv[4], argc > 5 && strcmp(argv[5], "results") == 0,
		    &e) < 0) {
		fprintf(stderr, "enqueue: %s\n", e.msg);
		return 1;
	}
	return 0;
}
