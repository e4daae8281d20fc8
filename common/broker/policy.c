/* SPDX-License-Identifier: MIT */
#include "common/broker/policy.h"

#include <stdbool.h>

#include "common/base/buf.h"
#include "common/base/conf.h"
#include "common/base/mem.h"
#include "common/net/url.h"

static const char MAILBOX[] = "failed_operations";

/* Letters with a meaning in Perl's regular expressions, which Erlang's follow. */
static void put_literal(struct buf *out, const char *name)
{
	for (; *name; name++) {
		if (strchr("\\^$.|?*+()[]{}", *name))
			buf_putc(out, '\\');
		buf_putc(out, *name);
	}
}

void policy_pattern(const struct conf *conf, struct buf *out)
{
	bool first = true;

	buf_puts(out, "^(");
	for (size_t i = 0; i < conf->nqueues; i++) {
		if (strcmp(conf->queues[i].name, MAILBOX) == 0)
			continue;
		if (!first)
			buf_putc(out, '|');
		first = false;
		put_literal(out, conf->queues[i].name);
	}
	buf_puts(out, ")$");
}

static void put_quoted(struct buf *out, const char *text)
{
	buf_putc(out, '\'');
	for (; *text; text++) {
		if (*text == '\'')
			buf_puts(out, "'\\''");
		else
			buf_putc(out, *text);
	}
	buf_putc(out, '\'');
}

void policy_command(const struct conf *conf, struct buf *out)
{
	struct buf pattern;
	struct url url;

	buf_init(&pattern, out->max);
	policy_pattern(conf, &pattern);
	buf_puts(out, "rabbitmqctl set_policy --apply-to queues --vhost ");
	if (url_parse(&url, conf->fleet.broker_url, NULL) == 0) {
		put_quoted(out, url.path && *url.path ? url.path : "/");
		url_release(&url);
	} else {
		put_quoted(out, "/");
	}
	buf_puts(out, " " POLICY_NAME " ");
	put_quoted(out, buf_text(&pattern));
	buf_putc(out, ' ');
	put_quoted(out, POLICY_DEFINITION);
	buf_release(&pattern);
}
