/* SPDX-License-Identifier: MIT */
/* orders: the revokes and pauses that hold, in the parent's memory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "common/base/json.h"
#include "common/base/mem.h"
#include "common/worker/orders.h"

static void revoke(struct orders *o, const char *id)
{
	orders_apply(o, &(struct order){ .kind = ORDER_REVOKE_ID, .name = "", .value = id });
}

static void revoke_stamp(struct orders *o, const char *name, const char *value)
{
	struct order order = { .kind = ORDER_REVOKE_STAMP, .name = name, .value = value };

	orders_apply(o, &order);
}

static void pause_it(struct orders *o, enum order_kind kind, const char *name, bool on)
{
	orders_apply(o, &(struct order){ .kind = kind, .name = name, .value = "", .on = on });
}

static void a_revoked_id_is_known_and_others_are_not(void **state)
{
	struct orders *o = orders_new();
	double when = 0;

	(void)state;
	assert_false(orders_revokes_id(o, "a"));
	assert_null(orders_revoked_id(o, 0, NULL));
	revoke(o, "a");
	revoke(o, "b");
	revoke(o, "a");
	assert_true(orders_revokes_id(o, "a"));
	assert_true(orders_revokes_id(o, "b"));
	assert_false(orders_revokes_id(o, "c"));
	assert_int_equal(orders_revoked(o), 2);
	assert_string_equal(orders_revoked_id(o, 1, &when), "b");
	assert_true(when > 1e9);
	assert_null(orders_revoked_id(o, 2, NULL));
	orders_free(o);
}

static void past_the_bound_the_oldest_id_is_forgotten_first(void **state)
{
	struct orders *o = orders_new();
	char id[32];

	(void)state;
	for (int i = 0; i < ORDERS_MAX + 1000; i++) {
		snprintf(id, sizeof id, "id-%d", i);
		revoke(o, id);
	}
	assert_int_equal(orders_revoked(o), ORDERS_MAX);
	assert_false(orders_revokes_id(o, "id-999"));
	assert_true(orders_revokes_id(o, "id-1000"));
	assert_true(orders_revokes_id(o, id));
	assert_string_equal(orders_revoked_id(o, 0, NULL), "id-1000");
	assert_string_equal(orders_revoked_id(o, ORDERS_MAX - 1, NULL), id);
	orders_free(o);
}

static bool stamped(struct orders *o, const char *json)
{
	cJSON *stamps = mem_check(cJSON_Parse(json));
	bool is = orders_revokes_stamps(o, stamps);

	cJSON_Delete(stamps);
	return is;
}

static void stamps_are_compared_by_name_and_value_also_in_lists(void **state)
{
	struct orders *o = orders_new();

	(void)state;
	assert_false(orders_has_stamps(o));
	revoke_stamp(o, "who", "me");
	revoke_stamp(o, "n", "7");
	assert_true(orders_has_stamps(o));
	assert_true(stamped(o, "{\"who\":\"me\"}"));
	assert_true(stamped(o, "{\"x\":\"y\",\"who\":[\"you\",\"me\"]}"));
	assert_true(stamped(o, "{\"n\":7}"));
	assert_false(stamped(o, "{\"who\":\"you\"}"));
	assert_false(stamped(o, "{\"me\":\"who\"}"));
	assert_false(stamped(o, "{\"who\":null}"));
	assert_false(stamped(o, "[\"who\",\"me\"]"));
	assert_false(orders_revokes_stamps(o, NULL));
	orders_free(o);
}

static void a_pause_holds_until_it_is_resumed(void **state)
{
	struct orders *o = orders_new();

	(void)state;
	pause_it(o, ORDER_PAUSE_QUEUE, "q", true);
	pause_it(o, ORDER_PAUSE_QUEUE, "q", true);
	pause_it(o, ORDER_PAUSE_TASK, "t", true);
	assert_true(orders_pauses_queue(o, "q"));
	assert_false(orders_pauses_queue(o, "t"));
	assert_true(orders_pauses_task(o, "t"));
	assert_false(orders_pauses_task(o, "q"));
	pause_it(o, ORDER_PAUSE_QUEUE, "q", false);
	pause_it(o, ORDER_PAUSE_QUEUE, "never", false);
	assert_false(orders_pauses_queue(o, "q"));
	assert_true(orders_pauses_task(o, "t"));
	pause_it(o, ORDER_PAUSE_FLEET, "", true);
	assert_true(orders_pauses_queue(o, "any"));
	pause_it(o, ORDER_PAUSE_FLEET, "", false);
	assert_false(orders_pauses_queue(o, "any"));
	orders_free(o);
}

static void an_older_order_does_not_undo_a_newer_one(void **state)
{
	struct order on = { .kind = ORDER_PAUSE_QUEUE, .name = "q", .on = true, .at_ms = 1000 };
	struct order off = { .kind = ORDER_PAUSE_QUEUE, .name = "q", .on = false, .at_ms = 2000 };
	struct orders *o = orders_new();

	(void)state;
	assert_false(orders_knows(o, &on));
	orders_apply(o, &off);
	assert_true(orders_knows(o, &on));
	orders_apply(o, &on);
	assert_false(orders_pauses_queue(o, "q"));
	on.at_ms = 3000;
	assert_false(orders_knows(o, &on));
	orders_apply(o, &on);
	assert_true(orders_pauses_queue(o, "q"));
	orders_free(o);
}

static void consumption_may_start_once_they_are_loaded(void **state)
{
	struct orders *o = orders_new();

	(void)state;
	assert_false(orders_loaded(o));
	orders_set_loaded(o);
	assert_true(orders_loaded(o));
	orders_free(o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_revoked_id_is_known_and_others_are_not),
		cmocka_unit_test(past_the_bound_the_oldest_id_is_forgotten_first),
		cmocka_unit_test(stamps_are_compared_by_name_and_value_also_in_lists),
		cmocka_unit_test(a_pause_holds_until_it_is_resumed),
		cmocka_unit_test(an_older_order_does_not_undo_a_newer_one),
		cmocka_unit_test(consumption_may_start_once_they_are_loaded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
