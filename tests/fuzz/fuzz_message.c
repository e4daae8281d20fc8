/* SPDX-License-Identifier: MIT */
/* The message decoder under arbitrary input: four bytes length of the props (network byte order),
 * the props, the body. Whatever is read must survive encoding and decoding once more. */
#include <stdint.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/base/err.h"
#include "common/base/json.h"
#include "common/base/mem.h"
#include "common/broker/message.h"
#include "tests/fuzz/fuzz.h"

enum { TEXT_MAX = 1 << 20, PROPS_MAX = 1 << 20 };

static void check_body(const struct message *m)
{
	char *text, *args, *kwargs, *embed;
	struct err e = { 0 };
	size_t len;

	if (message_text(m, TEXT_MAX, &text, &len, &e) < 0)
		return;
	fuzz_want(len <= TEXT_MAX && text[len] == '\0', "a text has its length");
	if (message_split(text, len, &args, &kwargs, &embed, &e) >= 0) {
		fuzz_want(args[0] == '[' && kwargs[0] == '{' && embed[0] == '{',
			  "parts are list, object, object");
		free(args);
		free(kwargs);
		free(embed);
	}
	free(text);
}

static bool same(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

static void compare(const struct message *a, const struct message *b)
{
	cJSON *x = message_headers(a), *y = message_headers(b);

	fuzz_want(same(a->task, b->task) && same(a->id, b->id), "task and id survive");
	fuzz_want(same(a->eta, b->eta) && same(a->expires, b->expires), "times survive");
	fuzz_want(a->retries == b->retries && a->generation == b->generation && a->hop == b->hop,
		  "counts survive");
	fuzz_want(a->priority == b->priority && a->delivery_mode == b->delivery_mode,
		  "properties survive");
	fuzz_want(a->hard_ms == b->hard_ms && a->soft_ms == b->soft_ms, "limits survive");
	fuzz_want(a->body_len == b->body_len && memcmp(a->body, b->body, a->body_len) == 0,
		  "the body survives");
	fuzz_want(cJSON_GetArraySize(x) == cJSON_GetArraySize(y), "every header survives");
	cJSON_Delete(x);
	cJSON_Delete(y);
}

static void round_trip(const struct message *m)
{
	struct message again;
	struct buf props;
	struct err e = { 0 };

	buf_init(&props, PROPS_MAX);
	message_init(&again);
	if (message_encode(m, &props, &e) >= 0) {
		int r = message_decode(&again, props.data, props.len, m->body, m->body_len, &e);

		fuzz_want(r >= 0, e.msg);
		compare(m, &again);
	} else {
		fuzz_want(e.code == ERR_TOO_BIG, "only what is too large is not encoded");
	}
	message_release(&again);
	buf_release(&props);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct message m;
	struct err e = { 0 };
	size_t props;
	int r;

	if (size < 4)
		return 0;
	props = (size_t)data[0] << 24 | (size_t)data[1] << 16 | (size_t)data[2] << 8 | data[3];
	if (props > size - 4)
		props = size - 4;
	message_init(&m);
	r = message_decode(&m, data + 4, props, data + 4 + props, size - 4 - props, &e);
	fuzz_want(r >= 0 || e.msg[0], "what is refused has a reason");
	check_body(&m);
	if (r >= 0)
		round_trip(&m);
	message_release(&m);
	return 0;
}
