/* SPDX-License-Identifier: MIT */
/* canvas_bench: signatures applied into an outbox, and their messages read back. */
#ifndef TESTS_UNIT_CANVAS_BENCH_H
#define TESTS_UNIT_CANVAS_BENCH_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/base/conf.h"
#include "common/base/err.h"
#include "common/base/json.h"
#include "common/base/mem.h"
#include "common/worker/apply.h"
#include "common/worker/canvas.h"
#include "common/worker/outbox.h"

struct bench {
	struct conf *conf;
	struct outbox outbox;
	struct apply apply;
	struct buf tuple;
	struct err e;
};

static inline int set_up(void **state)
{
	static const char config[] = "/tmp/test_canvas.conf";
	struct bench *b = mem_zalloc(sizeof *b);
	FILE *f = fopen(config, "w");

	assert_non_null(f);
	fputs("fleet { }\n", f);
	fclose(f);
	if (conf_load(&b->conf, config, &b->e) < 0)
		fail_msg("%s", b->e.msg);
	outbox_init(&b->outbox);
	apply_init(&b->apply, b->conf, &b->outbox, "parent/0/0/0");
	b->apply.queue = "here";
	buf_init(&b->tuple, 1 << 20);
	*state = b;
	return 0;
}

static inline int tear_down(void **state)
{
	struct bench *b = *state;

	apply_release(&b->apply);
	outbox_release(&b->outbox);
	buf_release(&b->tuple);
	conf_close(b->conf);
	free(b);
	return 0;
}

static inline struct raw text_of(const char *text)
{
	return (struct raw){ text, strlen(text) };
}

static inline int try_apply(struct bench *b, const char *text, const char *partial)
{
	struct signature *s;
	int r = signature_read(&b->apply.arena, text_of(text), &s, &b->e);

	return r < 0 ? r : apply_signature(&b->apply, s, text_of(partial), NULL, &b->tuple, &b->e);
}

static inline void apply_text(struct bench *b, const char *text, const char *partial)
{
	if (try_apply(b, text, partial) < 0)
		fail_msg("%s: %s", text, b->e.msg);
}

/* The i-th message of the outbox, decoded; release it. */
static inline struct message sent(struct bench *b, size_t i)
{
	const struct outbox_item *x = &b->outbox.items[i];
	struct message m;

	assert_true(i < b->outbox.n);
	message_init(&m);
	if (message_decode(&m, x->props, x->props_len, x->body, x->body_len, &b->e) < 0)
		fail_msg("%s", b->e.msg);
	return m;
}

static inline cJSON *embed_of(const struct message *m, const char *want_args)
{
	char *text, *args, *kwargs, *embed;
	size_t len;
	cJSON *v = NULL;

	assert_int_equal(message_text(m, 1 << 26, &text, &len, NULL), 0);
	assert_int_equal(message_split(text, len, &args, &kwargs, &embed, NULL), 0);
	if (want_args)
		assert_string_equal(args, want_args);
	assert_int_equal(json_parse(embed, strlen(embed), &v, NULL), 0);
	free(text);
	free(args);
	free(kwargs);
	free(embed);
	return v;
}

#define SIG(name, args, options) \
	"{\"task\": \"" name "\", \"args\": " args ", \"kwargs\": {}, \"options\": {" options "}}"
#define SHAPE(type, options, kwargs) \
	"{\"task\": \"celery." type "\", \"args\": [], \"options\": {" options "}, " \
	"\"subtask_type\": \"" type "\", \"kwargs\": {" kwargs "}}"

#define ON_BENCH(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

#endif
