/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "common/base/mem.h"
#include "common/worker/buffer.h"

static struct delivery *put(struct buffer *b, int queue, int priority, const char *id)
{
	struct delivery *d = mem_zalloc(sizeof *d);

	d->queue = queue;
	d->priority = priority;
	d->id = (char *)id;
	buffer_put(b, d);
	return d;
}

/* Takes n deliveries and writes their ids down. */
static const char *take(struct buffer *b, int n)
{
	static char seen[256];
	size_t at = 0;

	seen[0] = '\0';
	for (int i = 0; i < n; i++) {
		struct delivery *d = buffer_next(b);

		assert_non_null(d);
		buffer_take(b, d);
		at += (size_t)snprintf(seen + at, sizeof seen - at, "%s", d->id);
		free(d);
	}
	return seen;
}

static void by_priority_the_highest_of_all_queues_comes_first_then_the_oldest(void **state)
{
	struct buffer b;

	(void)state;
	buffer_init(&b, CONF_ORDER_PRIORITY);
	put(&b, 0, 0, "a");
	put(&b, 1, 5, "b");
	put(&b, 2, 0, "c");
	put(&b, 1, 0, "d");
	put(&b, 0, 9, "e");
	assert_string_equal(take(&b, 5), "ebacd");
	assert_null(buffer_next(&b));
	assert_int_equal(b.n, 0);
	assert_int_equal(b.bytes, 0);
}

static void strictly_a_queue_comes_first_whatever_the_others_hold(void **state)
{
	struct buffer b;

	(void)state;
	buffer_init(&b, CONF_ORDER_STRICT);
	put(&b, 1, 9, "x");
	put(&b, 0, 0, "a");
	put(&b, 1, 9, "y");
	put(&b, 0, 3, "b");
	assert_string_equal(take(&b, 4), "baxy");
}

static void by_weight_queues_take_turns(void **state)
{
	struct buffer b;
	int heavy = 0;

	(void)state;
	buffer_init(&b, CONF_ORDER_WEIGHTED);
	buffer_set_weight(&b, 0, 3);
	for (int i = 0; i < 40; i++)
		put(&b, 0, 0, "h");
	for (int i = 0; i < 40; i++)
		put(&b, 1, 0, "l");
	for (const char *c = take(&b, 40); *c; c++)
		heavy += *c == 'h';
	assert_int_equal(heavy, 30);
	take(&b, 40);
}

static void what_comes_back_unstarted_keeps_its_place(void **state)
{
	struct buffer b;
	struct delivery *first;

	(void)state;
	buffer_init(&b, CONF_ORDER_PRIORITY);
	put(&b, 0, 1, "a");
	put(&b, 1, 1, "b");
	first = buffer_next(&b);
	buffer_take(&b, first);
	buffer_put_front(&b, first);
	assert_string_equal(take(&b, 2), "ab");
}

static void count(void *ctx, struct delivery *d)
{
	int *n = ctx;

	*n += d->priority == 4;
}

static void one_queue_can_be_emptied_and_all_be_looked_at(void **state)
{
	struct buffer b;
	int n = 0;

	(void)state;
	buffer_init(&b, CONF_ORDER_PRIORITY);
	put(&b, 0, 4, "a");
	put(&b, 1, 4, "b");
	buffer_each(&b, count, &n);
	assert_int_equal(n, 2);
	free(buffer_pop(&b, 0));
	assert_null(buffer_pop(&b, 0));
	assert_string_equal(take(&b, 1), "b");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(by_priority_the_highest_of_all_queues_comes_first_then_the_oldest),
		cmocka_unit_test(strictly_a_queue_comes_first_whatever_the_others_hold),
		cmocka_unit_test(by_weight_queues_take_turns),
		cmocka_unit_test(what_comes_back_unstarted_keeps_its_place),
		cmocka_unit_test(one_queue_can_be_emptied_and_all_be_looked_at),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
