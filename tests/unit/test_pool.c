/* SPDX-License-Identifier: MIT */
/* pool: how often it asks for a child, whatever became of the one before. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <signal.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include <uv.h>

#include "common/base/clock.h"
#include "common/worker/pool.h"
#include "common/worker/slot.h"

enum { AGAIN_MS = 500, LIMIT_MS = 20000 };

struct bed {
	uv_loop_t loop;
	struct pool *pool;
	int asked;
	int peer[2];		/* the children's ends */
};

static void ask(void *ctx, int row)
{
	struct bed *b = ctx;

	(void)row;
	b->asked++;
}

static void begin(struct bed *b, int children)
{
	struct pool_conf conf = { .loop = &b->loop, .program = "test", .slots = slot_map(),
				  .ctx = b, .fork = ask };

	*b = (struct bed){ .peer = { -1, -1 } };
	uv_loop_init(&b->loop);
	b->pool = pool_new(&conf);
	pool_resize(b->pool, children);
	assert_int_equal(b->asked, children);
}

static void come(struct bed *b, int row)
{
	int pair[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	b->peer[row] = pair[1];
	pool_forked(b->pool, row, getpid(), pair[0], -1);
}

static void die(struct bed *b, int row)
{
	close(b->peer[row]);
	b->peer[row] = -1;
	pool_exited(b->pool, row, SIGKILL);
}

static void end(struct bed *b)
{
	pool_free(b->pool);
	uv_run(&b->loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&b->loop), 0);
	for (int i = 0; i < 2; i++)
		if (b->peer[i] >= 0)
			close(b->peer[i]);
}

static void tick_until(struct bed *b, int asked)
{
	int64_t limit = clock_mono_ms() + LIMIT_MS;

	while (b->asked < asked && clock_mono_ms() < limit) {
		nanosleep(&(struct timespec){ .tv_nsec = 5000000 }, NULL);
		pool_tick(b->pool);
	}
	assert_int_equal(b->asked, asked);
}

static void a_resize_and_a_death_ask_for_one_child_not_for_two(void **state)
{
	struct bed b;
	int64_t until;

	(void)state;
	begin(&b, 2);
	come(&b, 0);
	come(&b, 1);
	die(&b, 0);		/* young: another comes after a while */
	pool_resize(b.pool, 2);
	assert_int_equal(b.asked, 3);
	until = clock_mono_ms() + AGAIN_MS + 50;
	while (clock_mono_ms() < until)
		nanosleep(&(struct timespec){ .tv_nsec = 5000000 }, NULL);
	pool_tick(b.pool);
	assert_int_equal(b.asked, 3);
	end(&b);
}

static void a_fork_that_failed_is_asked_for_again_after_a_while(void **state)
{
	struct bed b;

	(void)state;
	begin(&b, 1);
	pool_not_forked(b.pool, 0);
	pool_tick(b.pool);
	assert_int_equal(b.asked, 1);
	assert_int_equal(pool_children(b.pool), 0);
	tick_until(&b, 2);
	come(&b, 0);
	assert_int_equal(pool_children(b.pool), 1);
	assert_int_equal(pool_room(b.pool, true), 0);
	end(&b);
}

static void a_child_whose_descriptors_were_cut_off_is_replaced_when_it_ended(void **state)
{
	struct bed b;

	(void)state;
	begin(&b, 1);
	pool_forked(b.pool, 0, getpid(), -1, -1);
	assert_int_equal(pool_room(b.pool, true), -1);
	pool_tell_conf(b.pool, "/nowhere");
	pool_resize(b.pool, 1);
	pool_flush(b.pool);
	assert_int_equal(b.asked, 1);
	pool_exited(b.pool, 0, 0);
	tick_until(&b, 2);
	end(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_resize_and_a_death_ask_for_one_child_not_for_two),
		cmocka_unit_test(a_fork_that_failed_is_asked_for_again_after_a_while),
		cmocka_unit_test(a_child_whose_descriptors_were_cut_off_is_replaced_when_it_ended),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
