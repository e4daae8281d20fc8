/* SPDX-License-Identifier: MIT */
/* What the report is drawn with: axes, amounts, intervals of time, escaped text, marks. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "common/base/buf.h"
#include "common/base/mem.h"
#include "common/base/zone.h"
#include "workers/ctl/amount.h"
#include "workers/ctl/axis.h"
#include "workers/ctl/markup.h"
#include "workers/ctl/plot.h"
#include "workers/ctl/span.h"

enum { OUT_BYTES = 1 << 20, NOON = 1795262400 /* 2026-11-21 12:00 UTC */, HOUR = 3600 };

static void amounts_are_read_with_their_unit(void **state)
{
	static const struct {
		enum amount_unit unit;
		double v;
		const char *text;
	} cases[] = {
		{ AMOUNT_COUNT, 0, "0" }, { AMOUNT_COUNT, 2.5, "2.5" }, { AMOUNT_COUNT, 999, "999" },
		{ AMOUNT_COUNT, 1234, "1,234" }, { AMOUNT_COUNT, 123456, "123,456" },
		{ AMOUNT_COUNT, 1200000, "1.2 M" }, { AMOUNT_COUNT, NAN, "-" },
		{ AMOUNT_SECONDS, 0.0001, "0.1 ms" }, { AMOUNT_SECONDS, 0.012, "12 ms" },
		{ AMOUNT_SECONDS, 0.1, "100 ms" }, { AMOUNT_SECONDS, 1, "1 s" },
		{ AMOUNT_SECONDS, 59.6, "60 s" }, { AMOUNT_SECONDS, 60, "1 min" },
		{ AMOUNT_SECONDS, 5400, "1.5 h" }, { AMOUNT_SECONDS, 864000, "10 d" },
		{ AMOUNT_PERCENT, 95, "95 %" }, { AMOUNT_PERCENT, 99.97, "99.9 %" },
		{ AMOUNT_PERCENT, 100, "100 %" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		char out[AMOUNT_SIZE];

		amount_text(cases[i].unit, cases[i].v, out);
		assert_string_equal(out, cases[i].text);
	}
}

static void an_axis_covers_its_numbers_in_a_few_round_steps(void **state)
{
	static const double most[] = { 0, 0.3, 1, 2, 3, 7, 10, 11, 99, 100, 4999, 1e9, 3.7e12 };

	(void)state;
	for (size_t i = 0; i < COUNT(most); i++) {
		for (int whole = 0; whole < 2; whole++) {
			struct axis a;

			axis_init(&a, most[i], whole);
			assert_true(a.top >= most[i] && a.low == 0);
			assert_in_range(a.nticks, 2, 7);
			assert_true(!whole || a.ticks[1] == floor(a.ticks[1]));
			assert_true(axis_place(&a, most[i]) >= 0 && axis_place(&a, most[i]) <= 1);
			/* no more room than one step is left over */
			assert_true(a.nticks == 2 || a.ticks[a.nticks - 2] < most[i]);
		}
	}
}

static void a_logarithmic_axis_keeps_distances(void **state)
{
	struct axis a;

	(void)state;
	axis_init_seconds(&a, 0.02, 3);
	assert_true(a.low == 0.01 && a.top == 10 && a.nticks == 4);
	assert_true(fabs(axis_place(&a, 0.1) - 1.0 / 3) < 1e-9);
	assert_true(fabs(axis_place(&a, 1) - 2.0 / 3) < 1e-9);
	assert_true(axis_place(&a, 0) == 0 && axis_place(&a, 1000) == 1);
	axis_init_seconds(&a, 0, 1e9);
	assert_in_range(a.nticks, 2, AXIS_TICKS_MAX);
	axis_init_seconds(&a, 5000000, 5000000);
	assert_true(a.top > a.low);
	axis_init_seconds(&a, INFINITY, 0);	/* no number at all */
	assert_true(a.top > a.low);
}

static struct zone *open_zone(const char *name)
{
	struct zone *z = NULL;

	assert_int_equal(zone_open(&z, name, NULL), 0);
	return z;
}

static void intervals_are_round_and_few(void **state)
{
	static const int64_t seconds[] = { 1, 59, 600, 3599, 3601, 86399, 86400, 7 * 86400,
					   90 * 86400, 3660LL * 86400 };
	static const char *const zones[] = { "UTC", "Asia/Kolkata", "America/New_York" };

	(void)state;
	for (size_t k = 0; k < COUNT(zones); k++) {
		struct zone *z = open_zone(zones[k]);

		for (size_t i = 0; i < COUNT(seconds); i++) {
			int64_t ticks[SPAN_TICKS_MAX], end;
			struct span s;
			size_t n;

			span_init(&s, NOON - seconds[i], NOON, z);
			end = s.from_s + (int64_t)s.n * s.step_s;
			assert_in_range(s.n, 1, SPAN_INTERVALS_MAX);
			assert_true(s.from_s <= NOON - seconds[i]);
			assert_true(s.from_s > NOON - seconds[i] - s.step_s && end >= NOON);
			assert_true(end - s.step_s < NOON);
			n = span_ticks(&s, ticks);
			assert_true(n <= SPAN_TICKS_MAX);
			for (size_t t = 0; t < n; t++) {
				assert_true(ticks[t] >= s.from_s && ticks[t] <= end);
				assert_true(t == 0 || ticks[t] > ticks[t - 1]);
			}
		}
		zone_close(z);
	}
}

static void times_are_those_of_the_zone(void **state)
{
	struct zone *z = open_zone("America/New_York");
	char out[SPAN_LABEL_SIZE];
	int64_t ticks[SPAN_TICKS_MAX];
	struct span s;
	size_t n;

	(void)state;
	span_init(&s, NOON - 24 * HOUR, NOON, z);
	span_step_text(&s, out);
	assert_string_equal(out, "15 min");
	span_label(&s, 0, out);
	assert_string_equal(out, "Nov 20 07:00 to 07:15");
	span_time(&s, NOON, out);
	assert_string_equal(out, "2026-11-21 07:00");
	n = span_ticks(&s, ticks);
	assert_int_equal(n, 8);
	span_tick_label(&s, ticks[0], out);
	assert_string_equal(out, "09:00");
	span_tick_label(&s, ticks[5], out);
	assert_string_equal(out, "Nov 21");
	zone_close(z);
}

static void no_text_becomes_mark_up(void **state)
{
	static const struct {
		const char *text, *out;
	} cases[] = {
		{ "<b onclick='x'>\"&\"", "&lt;b onclick=&#39;x&#39;&gt;&quot;&amp;&quot;" },
		{ "a\x01\x1b[2J\x7f", "a\xEF\xBF\xBD\xEF\xBF\xBD[2J\xEF\xBF\xBD" },
		{ "\xE2\x80\xAE" "evil", "\xEF\xBF\xBD" "evil" },	/* right to left override */
		{ "\xC2\x85", "\xEF\xBF\xBD" }, { "\xEF\xBF\xBF", "\xEF\xBF\xBD" },
		{ "\xFCmlaut", "\xC3\xBCmlaut" }, { "tab\tline\n", "tab\tline\n" }, { NULL, "" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct buf b;

		buf_init(&b, OUT_BYTES);
		markup_text(&b, cases[i].text);
		assert_string_equal(buf_text(&b), cases[i].out);
		buf_release(&b);
	}
}

static void a_line_is_cut_to_its_columns(void **state)
{
	static const struct {
		const char *text;
		int columns;
		const char *out;
	} cases[] = {
		{ "abc", 3, "abc" }, { "abcd", 3, "ab…" }, { "a\nb", 5, "a b" }, { "", 3, "" },
		{ "<<<<", 3, "&lt;&lt;…" }, { "日本語", 6, "日本語" }, { "日本語", 5, "日本…" },
		{ "日本語", 4, "日…" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct buf b;

		buf_init(&b, OUT_BYTES);
		markup_line(&b, cases[i].text, cases[i].columns);
		assert_string_equal(buf_text(&b), cases[i].out);
		buf_release(&b);
	}
}

static size_t count(const char *text, const char *what)
{
	size_t n = 0;

	for (; (text = strstr(text, what)); text += strlen(what))
		n++;
	return n;
}

static void a_plot_has_a_mark_for_each_number_and_names_for_all(void **state)
{
	struct zone *z = open_zone("UTC");
	double a[SPAN_INTERVALS_MAX], b[SPAN_INTERVALS_MAX];
	const struct plot_series series[] = { { "</svg><i>", "good", a }, { "two", "bad", b } };
	const struct plot p = { "p-x", "a <title>", "desc \"x\"", "axis", AMOUNT_COUNT };
	const struct plot_bar bars[] = {
		{ "</text><script>", NULL, "good", 3, NAN }, { "none", "-", "bad", NAN, 1 },
		{ "zero", NULL, "good", 0, NAN },
	};
	const struct plot_stretch stretches[] = { { "before", "x", "bad", 0, 1 },
						  { "now", "y", "bad", NOON - 60, NOON + 9999 } };
	struct span span;
	struct buf out;

	(void)state;
	span_init(&span, NOON - 24 * HOUR, NOON, z);
	for (size_t i = 0; i < span.n; i++) {
		a[i] = i % 3 == 0 ? 5 : i % 3 == 1 ? 0 : NAN;
		b[i] = i < 10 ? 0.5 : NAN;
	}
	buf_init(&out, OUT_BYTES);
	plot_columns(&out, &p, &span, series, COUNT(series));
	assert_int_equal(count(buf_text(&out), "class=\"mark good\""), (span.n + 2) / 3);
	assert_int_equal(count(buf_text(&out), "class=\"mark bad\""), 10);
	buf_clear(&out);
	plot_lines(&out, &p, &span, series, COUNT(series));
	assert_int_equal(count(buf_text(&out), "<circle class=\"mark good\""), 64);
	assert_int_equal(count(buf_text(&out), "<circle class=\"mark bad\""), 10);
	assert_int_equal(count(buf_text(&out), "<polyline class=\"line bad\""), 1);
	plot_bars(&out, &p, bars, COUNT(bars), 0);
	assert_int_equal(count(buf_text(&out), "class=\"before\""), 1);
	plot_stretches(&out, &p, &span, stretches, COUNT(stretches));
	assert_null(strstr(buf_text(&out), "<script>"));
	assert_null(strstr(buf_text(&out), "<i>"));
	assert_null(strstr(buf_text(&out), "nan"));
	assert_int_equal(count(buf_text(&out), "<svg class=\"plot"), 3);
	assert_false(buf_overflowed(&out));
	buf_release(&out);
	zone_close(z);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(amounts_are_read_with_their_unit),
		cmocka_unit_test(an_axis_covers_its_numbers_in_a_few_round_steps),
		cmocka_unit_test(a_logarithmic_axis_keeps_distances),
		cmocka_unit_test(intervals_are_round_and_few),
		cmocka_unit_test(times_are_those_of_the_zone),
		cmocka_unit_test(no_text_becomes_mark_up),
		cmocka_unit_test(a_line_is_cut_to_its_columns),
		cmocka_unit_test(a_plot_has_a_mark_for_each_number_and_names_for_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
