/* SPDX-License-Identifier: MIT */
/* What the command line reads that others wrote: a byte chooses (a task's state as any Celery
 * worker leaves it in Redis, a line of a file of tasks), the rest is the text. */
#include <string.h>

#include "common/base/err.h"
#include "common/base/mem.h"
#include "common/base/raw.h"
#include "tests/fuzz/fuzz.h"
#include "workers/ctl/bulk_line.h"
#include "workers/ctl/meta.h"

static void read_meta(const char *text, size_t len, struct err *e)
{
	struct meta m = { 0 };
	struct raw whole;

	if (meta_parse(&m, text, len, e) < 0)
		return;
	fuzz_want(m.status && m.result && m.exc_type && m.exc_message && m.traceback && m.step,
		  "a state has all its texts");
	fuzz_want(raw_whole(m.result, strlen(m.result), &whole, NULL), "a result is JSON");
	meta_release(&m);
}

static void read_line(const char *text, size_t len, struct err *e)
{
	static const struct send DEFAULTS = { .task = "t" };
	struct bulk_line l = { .root = NULL };
	struct raw whole;

	if (bulk_line_read(&l, text, len, &DEFAULTS, e) == 0) {
		fuzz_want(l.send.task, "a line has a task");
		fuzz_want(!l.args || raw_whole(l.args, strlen(l.args), &whole, NULL),
			  "arguments are JSON");
	}
	bulk_line_release(&l);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static void (*const READERS[])(const char *, size_t, struct err *) = { read_meta,
									       read_line };
	struct err e = { 0 };
	char *text;

	if (size == 0)
		return 0;
	text = mem_dup(data + 1, size - 1);
	READERS[data[0] % COUNT(READERS)](text, size - 1, &e);
	fuzz_want(e.code == ERR_NONE || e.msg[0], "what is refused has a reason");
	free(text);
	return 0;
}
