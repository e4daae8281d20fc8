/* SPDX-License-Identifier: MIT */
/* limiter against a real Redis (JOBFLEET_REDIS_URL), and without one.
 * services: shared */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/base/err.h"
#include "common/base/mem.h"
#include "common/store/limiter.h"
#include "common/store/redis.h"

static const char *url;

static struct redis *open_redis(void)
{
	struct redis *r = NULL;
	struct err e = { 0 };

	if (redis_open(&r, url, 5000, &e) < 0)
		fail_msg("%s", e.msg);
	return r;
}

static void check_burst_then_reservations(struct redis *r, const char *name, bool want_local)
{
	int64_t wait = -1;
	bool local;

	for (int i = 0; i < 3; i++) {
		assert_int_equal(limiter_take(r, "t:", name, 0.1, 3, 0, &wait, &local),
				 LIMITER_TAKEN);
		assert_int_equal(wait, 0);
		assert_int_equal(local, want_local);
	}
	assert_int_equal(limiter_take(r, "t:", name, 0.1, 3, 5000, &wait, &local), LIMITER_REFUSED);
	assert_in_range(wait, 5001, 10000);
	assert_int_equal(limiter_take(r, "t:", name, 0.1, 3, 60000, &wait, &local), LIMITER_TAKEN);
	assert_in_range(wait, 5000, 10000);
	assert_int_equal(limiter_take(r, "t:", name, 0.1, 3, 60000, &wait, &local), LIMITER_TAKEN);
	assert_in_range(wait, 15000, 20000);
}

static void redis_gives_a_burst_and_then_reserved_slots(void **state)
{
	struct redis *r = open_redis();
	struct redis_reply *reply = NULL;

	(void)state;
	assert_int_equal(redis_cmd(r, NULL, NULL, "DEL", "t:limit:a", NULL), 0);
	check_burst_then_reservations(r, "a", false);
	assert_int_equal(redis_cmd(r, &reply, NULL, "PTTL", "t:limit:a", NULL), 0);
	assert_in_range(reply->integer, 1, 60000);
	redis_reply_free(reply);
	redis_close(r);
}

static void without_redis_a_bucket_of_the_process_stands_in(void **state)
{
	(void)state;
	check_burst_then_reservations(NULL, "b", true);
}

static void a_lost_redis_is_no_error(void **state)
{
	struct redis *r = open_redis();
	int64_t wait;
	bool local = false;

	(void)state;
	assert_true(redis_cmd(r, NULL, NULL, "QUIT", NULL) <= 0);
	assert_int_equal(limiter_take(r, "t:", "c", 1, 1, 0, &wait, &local), LIMITER_TAKEN);
	assert_true(local);
	redis_close(r);
}

static void no_rate_is_no_limit(void **state)
{
	int64_t wait;

	(void)state;
	for (int i = 0; i < 1000; i++)
		assert_int_equal(limiter_take(NULL, "t:", "d", 0, 1, 0, &wait, NULL),
				 LIMITER_TAKEN);
}

static void more_names_than_buckets_are_served(void **state)
{
	char name[16];
	int64_t wait;

	(void)state;
	for (int i = 0; i < 500; i++) {
		snprintf(name, sizeof name, "many%d", i);
		assert_int_equal(limiter_take(NULL, "t:", name, 1, 1, 0, &wait, NULL),
				 LIMITER_TAKEN);
	}
}

static void processes_share_one_rate(void **state)
{
	struct redis *r = open_redis();
	int taken = 0;

	(void)state;
	assert_int_equal(redis_cmd(r, NULL, NULL, "DEL", "t:limit:e", NULL), 0);
	redis_close(r);
	for (int i = 0; i < 4; i++) {
		if (fork() == 0) {
			struct redis *own = open_redis();
			int64_t wait;
			int n = 0;

			for (int k = 0; k < 100; k++)
				n += limiter_take(own, "t:", "e", 0.001, 50, 0, &wait, NULL) ==
				     LIMITER_TAKEN;
			_exit(n);
		}
	}
	for (int i = 0, status; i < 4; i++) {
		assert_true(wait(&status) > 0 && WIFEXITED(status));
		taken += WEXITSTATUS(status);
	}
	assert_int_equal(taken, 50);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(redis_gives_a_burst_and_then_reserved_slots),
		cmocka_unit_test(without_redis_a_bucket_of_the_process_stands_in),
		cmocka_unit_test(a_lost_redis_is_no_error),
		cmocka_unit_test(no_rate_is_no_limit),
		cmocka_unit_test(more_names_than_buckets_are_served),
		cmocka_unit_test(processes_share_one_rate),
	};

	url = getenv("JOBFLEET_REDIS_URL");
	if (!url) {
		fprintf(stderr, "test_limiter: JOBFLEET_REDIS_URL is not set; use tests/run\n");
		return 1;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
