/* SPDX-License-Identifier: MIT */
/* Any text as an address: of a service, as a setting, as a posting's link. A password is masked
 * wherever it is shown, and a link's form for matching is bounded and stands for itself. */
#include <string.h>

#include "common/base/buf.h"
#include "common/base/conf_private.h"
#include "common/base/err.h"
#include "common/base/mem.h"
#include "common/net/url.h"
#include "tests/fuzz/fuzz.h"
#include "workers/processing/weblink.h"

enum { SHOWN_LEAST = 12 };		/* a shorter one may stand elsewhere in the text */

static void check_service(const char *text)
{
	struct err e = { 0 };
	struct url u;

	if (url_parse(&u, text, &e) < 0) {
		fuzz_want(e.msg[0], "what is refused has a reason");
		return;
	}
	fuzz_want(u.scheme && u.user && u.password && u.query, "parts are texts");
	fuzz_want(u.nhosts <= URL_MAX_HOSTS, "hosts fit");
	for (size_t i = 0; i < u.nhosts; i++)
		fuzz_want(u.hosts[i].host[0] && u.hosts[i].port >= 0 && u.hosts[i].port <= 65535,
			  "a host has a name and a port");
	url_release(&u);
}

/* Between the user's colon and the last "@" of what stands before the path. */
static void check_masked(const char *text)
{
	char *masked = conf_url_masked(text), *password;
	const char *from = strstr(text, "://"), *at, *colon;

	from = from ? from + 3 : text;
	at = memrchr(from, '@', strcspn(from, "/?#"));
	colon = at ? memchr(from, ':', (size_t)(at - from)) : NULL;
	if (strstr(text, "://") && colon && at - colon > SHOWN_LEAST) {
		password = mem_strndup(colon + 1, (size_t)(at - colon - 1));
		fuzz_want(conf_url_has_password(text), "a password is seen");
		if (strstr(text, password) == colon + 1 && !strstr(at, password))
			fuzz_want(!strstr(masked, password), "a password is masked");
		free(password);
	}
	fuzz_want(!conf_url_has_password(text) || conf_url_http_fault(text),
		  "a source's address holds no secret");
	(void)conf_url_has_scheme(text, "amqp amqps");
	free(masked);
}

static void check_link(const char *text)
{
	char key[WEBLINK_KEY_MAX], again[WEBLINK_KEY_MAX];

	weblink_match_key(text, key);
	fuzz_want(memchr(key, 0, sizeof key) != NULL, "a key ends");
	fuzz_want(!*key || weblink_is_valid(text), "only a valid link has a key");
	weblink_match_key(text, again);
	fuzz_want(strcmp(key, again) == 0, "the same link has the same key");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = mem_strndup((const char *)data, size);

	check_service(text);
	check_masked(text);
	check_link(text);
	free(text);
	return 0;
}
