/* SPDX-License-Identifier: MIT */
/* What a message says must follow its end, carried out: the input is the embed of its body, as
 * UTF-8. Callbacks, chain and errbacks are applied into an outbox; every message that would go out
 * must decode, and its body be [args, kwargs, embed]. */
#include <string.h>
#include <utf8proc.h>

#include "common/base/conf.h"
#include "common/base/err.h"
#include "common/base/mem.h"
#include "common/worker/apply.h"
#include "common/worker/canvas.h"
#include "common/worker/outbox.h"
#include "tests/fuzz/fuzz.h"

enum { TUPLE_MAX = 1 << 20, ITEMS_CHECKED = 200 };

static void check_item(const struct outbox_item *item)
{
	char *args, *kwargs, *embed;
	struct message m;
	struct err e = { 0 };

	message_init(&m);
	fuzz_want(message_decode(&m, item->props, item->props_len, item->body, item->body_len,
				 &e) >= 0, e.msg);
	fuzz_want(strcmp(m.id, item->id) == 0 && strcmp(m.task, item->task) == 0,
		  "a message is what its item says");
	fuzz_want(*item->queue, "a message has a queue");
	fuzz_want(message_split(item->body, item->body_len, &args, &kwargs, &embed, &e) >= 0,
		  e.msg);
	free(args);
	free(kwargs);
	free(embed);
	message_release(&m);
}

static void check(const struct outbox *o)
{
	struct raw whole;

	for (size_t i = 0; i < o->n && i < ITEMS_CHECKED; i++)
		check_item(&o->items[i]);
	for (size_t i = 0; i < o->njoins && i < ITEMS_CHECKED; i++)
		fuzz_want(o->joins[i].size >= 0 && raw_whole(o->joins[i].body,
							     strlen(o->joins[i].body), &whole,
							     NULL), "a join has a size and a body");
}

static void carry_out(const struct conf *conf, const struct canvas *c)
{
	static const struct canvas_task TASK = { .id = "i", .name = "t", .priority = 3 };
	struct canvas_losses losses = { 0 };
	struct outbox outbox;
	struct apply apply;
	struct buf children;
	struct err e = { 0 };

	outbox_init(&outbox);
	apply_init(&apply, conf, &outbox, "source");
	apply.queue = "here";
	buf_init(&children, TUPLE_MAX);
	if (canvas_succeed(&apply, c, &TASK, RAW("[1, {\"a\": null}]"), &children, &e) < 0)
		fuzz_want(e.msg[0], "what is refused has a reason");
	else
		check(&outbox);
	outbox_forget_unstored(&outbox);
	if (canvas_fail(&apply, c->errbacks, &TASK, RAW("{\"exc_type\": \"E\"}"), RAW("null"),
			&e) >= 0)
		check(&outbox);
	canvas_lose_chain(&apply, c->chain, &losses, &e);
	buf_release(&children);
	apply_release(&apply);
	outbox_release(&outbox);
}

static bool is_utf8(const uint8_t *data, size_t size)
{
	utf8proc_ssize_t used = 0;
	utf8proc_int32_t cp;

	for (size_t i = 0; i < size; i += (size_t)used) {
		used = utf8proc_iterate(data + i, (utf8proc_ssize_t)(size - i), &cp);
		if (used <= 0)
			return false;
	}
	return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct conf *conf;
	struct canvas canvas;
	struct err e = { 0 };
	struct raw whole;
	char *text;

	if (!conf)
		fuzz_want(conf_load(&conf, NULL, &e) >= 0, e.msg);
	if (!is_utf8(data, size))
		return 0;
	text = mem_dup(data, size);
	if (raw_whole(text, size, &whole, NULL) && raw_is_object(whole) &&
	    canvas_read(whole, &canvas, &e) >= 0)
		carry_out(conf, &canvas);
	free(text);
	return 0;
}
