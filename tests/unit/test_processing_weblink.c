/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/base/mem.h"
#include "workers/processing/weblink.h"

static void only_absolute_web_links_with_a_host_are_valid(void **state)
{
	static const char *const GOOD[] = {
		"https://jobs.example.com/1", "http://example.org", "https://example.com/a?b=c#d",
		"https://münchen.example/stelle",
	};
	static const char *const BAD[] = {
		"", "jobs.example.com/1", "ftp://example.com/x", "javascript:alert(1)", "mailto:a@b.example",
		"https://", "https://localhost/x", "https://user:pass@example.com/", "//example.com/x",
		"https://example.com/caf\xe9", "https://example.com/\xed\xa0\x80",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(GOOD); i++)
		assert_true(weblink_is_valid(GOOD[i]));
	for (size_t i = 0; i < COUNT(BAD); i++)
		assert_false(weblink_is_valid(BAD[i]));
	assert_false(weblink_is_valid(NULL));
}

static void the_match_key_drops_what_only_tracks(void **state)
{
	static const struct {
		const char *link, *want;
	} CASES[] = {
		{ "https://www.Example.com/jobs/4711/?utm_source=x&utm_medium=y#top", "example.com/jobs/4711" },
		{ "http://example.com/jobs/4711", "example.com/jobs/4711" },
		{ "https://example.com/apply?jid=98765&utm_campaign=a", "example.com/apply?jid=98765" },
		{ "https://example.com/apply?b=22222&a=11111&gclid=z", "example.com/apply?a=11111&b=22222" },
		{ "https://example.com/jobs/senior-data-engineer-rome",
		  "example.com/jobs/senior-data-engineer-rome" },
		{ "https://jobs.lever.co/tide/0d9d52a4-6c1f-4c0e-9d8e-0b1f7f3c1a01/apply",
		  "jobs.lever.co/tide/0d9d52a4-6c1f-4c0e-9d8e-0b1f7f3c1a01" },
		{ "https://jobs.ashbyhq.com/x/5b0c8d1e-90a4-4f0e-8a55-2f6a31d0b001/application/?src=a",
		  "jobs.ashbyhq.com/x/5b0c8d1e-90a4-4f0e-8a55-2f6a31d0b001" },
		{ "https://example.com/careers/apply?jid=98765", "example.com/careers/apply?jid=98765" },
		{ "https://example.com/careers/apply", "" },
		{ "https://example.com/jobs/4711?gh_src=abc&ref=board&source=LinkedIn", "example.com/jobs/4711" },
		{ "https://example.com/jobs/4711?fbclid=1&msclkid=2&gbraid=3&ttclid=4", "example.com/jobs/4711" },
		{ "https://example.com/jobs/4711?lever-source=x&_hsenc=y&mc_cid=z", "example.com/jobs/4711" },
		{ "https://example.com/jobs/4711?iis=Job+Board&iisn=Indeed&trk=a", "example.com/jobs/4711" },
		{ "https://example.com/job?gh_jid=4711001&gh_src=1", "example.com/job?gh_jid=4711001" },
		{ "https://example.com/job?id=4711&sessionid=99999", "example.com/job?id=4711" },
		{ "https://example.com/careers", "" },
		{ "https://example.com/?utm_source=20261121", "" },
		{ "not a link", "" },
	};
	char key[WEBLINK_KEY_MAX];

	(void)state;
	for (size_t i = 0; i < COUNT(CASES); i++) {
		weblink_match_key(CASES[i].link, key);
		assert_string_equal(key, CASES[i].want);
	}
}

static void a_link_too_long_for_a_key_has_none(void **state)
{
	static const char START[] = "https://example.com/jobs/12345/";
	char link[WEBLINK_MAX], key[WEBLINK_KEY_MAX];

	(void)state;
	for (size_t letters = 1; letters < 600; letters++) {
		size_t len = sizeof START - 1;

		memcpy(link, START, len);
		for (size_t i = 0; i < letters; i++, len += 3)
			memcpy(link + len, "職", 3);
		link[len] = '\0';
		assert_true(weblink_is_valid(link));
		weblink_match_key(link, key);
		if (len - strlen("https://") < WEBLINK_KEY_MAX - 1)
			assert_string_equal(key, link + strlen("https://"));
		else
			assert_string_equal(key, "");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_absolute_web_links_with_a_host_are_valid),
		cmocka_unit_test(the_match_key_drops_what_only_tracks),
		cmocka_unit_test(a_link_too_long_for_a_key_has_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
