/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/base/buf.h"
#include "common/base/mem.h"
#include "common/base/text.h"

struct pair {
	const char *raw, *want;
};

static void check_clean(const struct pair *cases, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct buf b;

		buf_init(&b, 1 << 20);
		text_clean(cases[i].raw, strlen(cases[i].raw), &b);
		assert_string_equal(buf_text(&b), cases[i].want);
		buf_release(&b);
	}
}

static void mark_up_becomes_lines_and_items(void **state)
{
	static const struct pair CASES[] = {
		{ "<ul><li><p>weld</p></li>\n<li>\n<div><p>paint</p></div></li></ul><p>Sail</p>",
		  "• weld\n• paint\n\nSail" },
		{ "<p>We build <b>ships</b>.</p><ul><li>weld</li><li>paint</li></ul>",
		  "We build ships.\n\n• weld\n• paint" },
		{ "one<br/>two<BR>three", "one\ntwo\nthree" },
		{ "a<script>if (a < b) alert('</p>')</script>b<!-- no -->c", "abc" },
		{ "<a href=\"x>y\" title='1 > 0'>link</a>", "link" },
		{ "Vec<String> and x < 5 & y > 3", "Vec<String> and x < 5 & y > 3" },
		{ "<p", "<p" },
		{ "a<br />\r\nb<br>\nc d\ne", "a\nb\nc d e" },
		{ "one\ntwo\nthree <b>bold</b>\nfour", "one\ntwo\nthree bold\nfour" },
		{ "<ul>\n<li>\n<p>one</p>\n</li>\n<li>two</li>\n</ul>", "• one\n• two" },
		{ "<h2>Team</h2><p>We</p><table><tr><td>x</td><td>y</td></tr></table>",
		  "Team\n\nWe\n\nx y" },
		{ "<p>x<o:p></o:p><svg><g/></svg></p>", "x<g/>" },
		{ "", "" },
	};

	(void)state;
	check_clean(CASES, COUNT(CASES));
}

static void entities_are_read_once_or_twice_as_the_text_was_escaped(void **state)
{
	static const struct pair CASES[] = {
		{ "R&amp;D &ndash; caf&eacute; &#8364;5 &#x20AC;6", "R&D – café €5 €6" },
		{ "&lt;p&gt;Tea &amp;amp; cake&lt;/p&gt;&lt;p&gt;&amp;nbsp;daily&lt;/p&gt;",
		  "Tea & cake\n\ndaily" },
		{ "<p>Know &lt;canvas&gt;</p>", "Know <canvas>" },
		{ "AT&T, Q&A; &unknown; &#0; &#1114112;", "AT&T, Q&A; &unknown; &#0; &#1114112;" },
		{ "it&#146;s", "it’s" },
		{ "a&comma; b&colon; &check; &Scaron;koda &frac34;", "a, b: ✓ Škoda ¾" },
	};

	(void)state;
	check_clean(CASES, COUNT(CASES));
}

static void spaces_lines_and_invisible_characters_are_normalised(void **state)
{
	static const struct pair CASES[] = {
		{ "  a\t b\xC2\xA0\xC2\xA0" "c  \r\n\r\n\r\n\n d \n", "a b c\n\nd" },
		{ "zero\xE2\x80\x8B" "width\xEF\xBB\xBF soft\xC2\xADhyphen", "zerowidth softhyphen" },
		{ "full\xE2\x80\x91time", "full-time" },
		{ "bell\x07 \x01 here", "bell here" },
		{ "We build  R and Rust", "We build R and Rust" },
		{ "eight by  eight by   eight by\n  eight", "eight by eight by eight by\neight" },
		{ "\xEF\x82\xB7 item", "• item" },
	};

	(void)state;
	check_clean(CASES, COUNT(CASES));
}

static void broken_encodings_are_repaired(void **state)
{
	static const struct pair CASES[] = {
		{ "don\xC3\xA2\xC2\x80\xC2\x99t", "don’t" },		/* Latin-1 */
		{ "don\xC3\xA2\xE2\x82\xAC\xE2\x84\xA2t", "don’t" },	/* Windows-1252 */
		{ "caf\xC3\x83\xC2\xA9", "café" },
		{ "caf\xE9 \x80 50", "café € 50" },			/* no UTF-8 at all */
		{ "„Spaß“ in São Paulo, Ã la carte, Âme", "„Spaß“ in São Paulo, Ã la carte, Âme" },
		{ "Full\xEF\xBF\xBDtime, don\xEF\xBF\xBDt, 5\xEF\xBF\xBD", "Full-time, don't, 5" },
		{ "e\xCC\x81tude", "étude" },
		{ "cut \xE2\x82", "cut â‚" },
	};

	(void)state;
	check_clean(CASES, COUNT(CASES));
}

static void a_line_has_no_line_ends_and_is_cut_between_characters(void **state)
{
	char out[8];

	(void)state;
	text_line(" a\n\n b ", out, sizeof out);
	assert_string_equal(out, "a b");
	text_line("äöüßé", out, sizeof out);
	assert_string_equal(out, "äöü");
	assert_int_equal(text_line(NULL, out, sizeof out), 0);
	assert_string_equal(out, "");
}

static void folding_keeps_what_tells_words_apart(void **state)
{
	static const struct pair CASES[] = {
		{ "Développeur C++ / C# (H/F)", "developpeur c++ c# h f" },
		{ "Straße–Ñandú,  Inc.", "strasse nandu inc" },
		{ "Bachelor's, Bachelor’s", "bachelors bachelors" },
		{ "データ エンジニア", "テータ エンシニア" },
		{ "...", "" },
	};
	char out[128];

	(void)state;
	for (size_t i = 0; i < COUNT(CASES); i++) {
		text_fold(CASES[i].raw, out, sizeof out);
		assert_string_equal(out, CASES[i].want);
	}
	assert_true(text_has_word("go to market", "go"));
	assert_false(text_has_word("mango to", "go"));
	assert_true(text_has_word("a work from home b", "work from home"));
}

static void bytes_that_are_no_utf8_are_read_as_windows_1252(void **state)
{
	static const struct pair CASES[] = {
		{ "plain ASCII of more than eight bytes", "plain ASCII of more than eight bytes" },
		{ "déjà vu – ok", "déjà vu – ok" },
		{ "d\xE9j\xE0 vu \x80 5, é", "déjà vu € 5, é" },
		{ "\xE2\x82", "â‚" },
		{ "", "" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(CASES); i++) {
		struct buf b;

		buf_init(&b, 1 << 10);
		text_to_utf8(CASES[i].raw, strlen(CASES[i].raw), &b);
		assert_string_equal(buf_text(&b), CASES[i].want);
		buf_release(&b);
	}
}

static void any_bytes_of_any_length_are_survived(void **state)
{
	char *noise = mem_alloc(1 << 20);
	uint32_t seed = 7;
	struct buf b;

	(void)state;
	for (int i = 0; i < 1 << 20; i++) {
		seed = seed * 1664525u + 1013904223u;
		noise[i] = i % 5 == 0 ? "<&;>\xC3"[seed % 5] : (char)(seed >> 24);
	}
	for (size_t len = 0; len < 1 << 20; len = len * 3 + 1) {
		buf_init(&b, 4 << 20);
		text_clean(noise, len, &b);
		buf_release(&b);
	}
	free(noise);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mark_up_becomes_lines_and_items),
		cmocka_unit_test(entities_are_read_once_or_twice_as_the_text_was_escaped),
		cmocka_unit_test(spaces_lines_and_invisible_characters_are_normalised),
		cmocka_unit_test(broken_encodings_are_repaired),
		cmocka_unit_test(a_line_has_no_line_ends_and_is_cut_between_characters),
		cmocka_unit_test(folding_keeps_what_tells_words_apart),
		cmocka_unit_test(bytes_that_are_no_utf8_are_read_as_windows_1252),
		cmocka_unit_test(any_bytes_of_any_length_are_survived),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
