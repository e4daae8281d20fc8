/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>

#include "common/base/err.h"
#include "common/base/mem.h"
#include "common/net/url.h"

static const struct {
	const char *text;
	const char *expect;	/* scheme user password path query hosts, or the error */
} CASES[] = {
	{ "amqp://u:p%40ss@h:5672/v%2fh", "amqp u p@ss v/h - h:5672" },
	{ "postgresql://a,b:6432,[::1],[::2]:7/db?sslmode=require",
	  "postgresql - - db sslmode=require a:0 b:6432 ::1:0 ::2:7" },
	{ "redis://:secret,@h/", "redis - secret, - - h:0" },
	{ "redis://h", "redis - - - - h:0" },
	{ "amqp://a,/", "an empty host in a URL" },
	{ "amqp://a,:5/", "an empty host in a URL" },
	{ "amqp://a,b:0/", "a port in a URL is not 1 to 65535" },
	{ "amqp://a,b:70000/", "a port in a URL is not 1 to 65535" },
	{ "amqp://a,b:x/", "a port in a URL is not 1 to 65535" },
	{ "amqp://1,2,3,4,5,6,7,8,9/", "more than 8 hosts in a URL" },
	{ "", "not a URL such as scheme://user:password@host:port/path: " },
	{ "nowhere", "not a URL such as scheme://user:password@host:port/path: " },
	{ "amqp://u:hidden@h:x/", "not a URL such as scheme://user:password@host:port/path: Port "
				  "number was not a decimal number between 0 and 65535" },
};

static const char *shown(const char *part)
{
	return part && *part ? part : "-";
}

static void describe(const struct url *u, char *out, size_t size)
{
	size_t n = (size_t)snprintf(out, size, "%s %s %s %s %s", u->scheme, shown(u->user),
				    shown(u->password), shown(u->path), shown(u->query));

	for (size_t i = 0; i < u->nhosts; i++)
		n += (size_t)snprintf(out + n, size - n, " %s:%d", u->hosts[i].host,
				      u->hosts[i].port);
}

static void urls_are_split_or_refused_without_their_password(void **state)
{
	size_t bad = 0;

	(void)state;
	for (size_t i = 0; i < COUNT(CASES); i++) {
		struct err e = { 0 };
		struct url u;
		char got[1024];

		if (url_parse(&u, CASES[i].text, &e) == 0) {
			describe(&u, got, sizeof got);
			url_release(&u);
		} else {
			snprintf(got, sizeof got, "%s", e.msg);
			assert_int_equal(e.code, ERR_CONFIG);
			assert_null(strstr(e.msg, "hidden"));
		}
		if (strncmp(got, CASES[i].expect, strlen(CASES[i].expect)) != 0) {
			bad++;
			print_error("%s: expected %s, got %s\n", CASES[i].text, CASES[i].expect,
				    got);
		}
	}
	assert_int_equal(bad, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(urls_are_split_or_refused_without_their_password),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
