/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "common/base/buf.h"
#include "common/base/err.h"
#include "common/base/mem.h"

static void an_empty_buffer_reads_as_empty_text(void **state)
{
	struct buf b;
	char *taken;

	(void)state;
	buf_init(&b, 10);
	assert_string_equal(buf_text(&b), "");
	assert_int_equal(buf_append(&b, "", 0), 0);
	assert_string_equal(buf_text(&b), "");
	taken = buf_take(&b);
	assert_string_equal(taken, "");
	free(taken);
	buf_release(&b);
}

static void it_grows_to_its_maximum_and_not_a_byte_further(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 1000);
	for (int i = 0; i < 1000; i++)
		assert_int_equal(buf_putc(&b, 'x'), 0);
	assert_false(buf_overflowed(&b));
	assert_int_equal(buf_putc(&b, 'y'), -ERR_TOO_BIG);
	assert_true(buf_overflowed(&b));
	assert_int_equal(b.len, 1000);
	assert_int_equal(strlen(buf_text(&b)), 1000);
	buf_clear(&b);
	assert_false(buf_overflowed(&b));
	assert_string_equal(buf_text(&b), "");
	buf_release(&b);
}

static void a_write_that_does_not_fit_writes_nothing(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 8);
	assert_int_equal(buf_puts(&b, "12345"), 0);
	assert_int_equal(buf_puts(&b, "6789"), -ERR_TOO_BIG);
	assert_int_equal(buf_printf(&b, "%d", 1234), -ERR_TOO_BIG);
	assert_int_equal(buf_put_u32(&b, 1), -ERR_TOO_BIG);
	assert_null(buf_reserve(&b, SIZE_MAX));
	assert_string_equal(buf_text(&b), "12345");
	assert_int_equal(buf_printf(&b, "%d", 678), 0);
	assert_string_equal(buf_text(&b), "12345678");
	buf_release(&b);
}

static void reserved_room_counts_once_it_is_committed(void **state)
{
	struct buf b;
	char *room;

	(void)state;
	buf_init(&b, 1 << 20);
	room = buf_reserve(&b, 70000);
	assert_non_null(room);
	assert_string_equal(buf_text(&b), "");
	memcpy(room, "abc", 3);
	buf_commit(&b, 3);
	assert_int_equal(b.len, 3);
	assert_string_equal(buf_text(&b), "abc");
	buf_release(&b);
}

static void numbers_go_out_in_network_order(void **state)
{
	static const unsigned char expect[] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15 };
	struct buf b;

	(void)state;
	buf_init(&b, 64);
	buf_put_u8(&b, 0x01);
	buf_put_u16(&b, 0x0203);
	buf_put_u32(&b, 0x04050607);
	buf_put_u64(&b, 0x08090a0b0c0d0e0full);
	assert_int_equal(b.len, sizeof expect);
	assert_memory_equal(b.data, expect, sizeof expect);
	buf_release(&b);
}

static void consuming_moves_the_rest_to_the_front(void **state)
{
	struct buf b;
	char *taken;

	(void)state;
	buf_init(&b, 64);
	buf_puts(&b, "hello world");
	buf_consume(&b, 0);
	buf_consume(&b, 6);
	assert_string_equal(buf_text(&b), "world");
	taken = buf_take(&b);
	assert_string_equal(taken, "world");
	assert_int_equal(b.len, 0);
	assert_int_equal(b.max, 64);
	free(taken);
	assert_int_equal(buf_puts(&b, "again"), 0);
	buf_consume(&b, 5);
	assert_string_equal(buf_text(&b), "");
	buf_release(&b);
}

static void zero_bytes_are_bytes(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 64);
	assert_int_equal(buf_append(&b, "a\0b", 3), 0);
	assert_int_equal(b.len, 3);
	assert_memory_equal(b.data, "a\0b", 4);
	buf_release(&b);
}

static void json_strings_are_ascii_as_python_writes_them(void **state)
{
	static const struct { const char *text, *expect; } CASES[] = {
		{ "", "\"\"" },
		{ "plain", "\"plain\"" },
		{ "q\" b\\ n\n r\r t\t", "\"q\\\" b\\\\ n\\n r\\r t\\t\"" },
		{ "\x01\x1f", "\"\\u0001\\u001f\"" },
		{ "/", "\"/\"" },
		{ "é€", "\"\\u00e9\\u20ac\"" },
		{ "😀", "\"\\ud83d\\ude00\"" },
		{ "\U0010FFFF", "\"\\udbff\\udfff\"" },
		{ "a\xff" "b", "\"a\\ufffdb\"" },
		{ "\xc0\xaf", "\"\\ufffd\\ufffd\"" },			/* overlong */
		{ "\xed\xa0\x80", "\"\\ufffd\\ufffd\\ufffd\"" },	/* surrogate */
		{ "\xe2\x82", "\"\\ufffd\\ufffd\"" },			/* cut off */
	};

	(void)state;
	for (size_t i = 0; i < COUNT(CASES); i++) {
		struct buf b;

		buf_init(&b, 1024);
		assert_int_equal(buf_put_json_string(&b, CASES[i].text), 0);
		assert_string_equal(buf_text(&b), CASES[i].expect);
		buf_release(&b);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_empty_buffer_reads_as_empty_text),
		cmocka_unit_test(it_grows_to_its_maximum_and_not_a_byte_further),
		cmocka_unit_test(a_write_that_does_not_fit_writes_nothing),
		cmocka_unit_test(reserved_room_counts_once_it_is_committed),
		cmocka_unit_test(numbers_go_out_in_network_order),
		cmocka_unit_test(consuming_moves_the_rest_to_the_front),
		cmocka_unit_test(zero_bytes_are_bytes),
		cmocka_unit_test(json_strings_are_ascii_as_python_writes_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
