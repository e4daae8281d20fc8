/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "common/base/err.h"
#include "common/broker/publisher.h"
#include "common/net/url.h"

int publisher_check_url(const char *url, struct err *e)
{
	struct url parsed;
	int r = url_parse(&parsed, url, e);

	if (r < 0)
		return err_prefix(e, "broker URL");
	if (strcmp(parsed.scheme, "amqp") != 0 && strcmp(parsed.scheme, "amqps") != 0)
		r = err_set(e, ERR_CONFIG, "broker URL: the scheme is not amqp or amqps");
	else if (parsed.nhosts == 0 || strncmp(url + strlen(parsed.scheme), ":///", 4) == 0)
		r = err_set(e, ERR_CONFIG, "broker URL names no host");
	url_release(&parsed);
	return r;
}
