/* SPDX-License-Identifier: MIT */
/* greeting: what an AMQP broker says of itself before anybody logs in (connection.start). */
#ifndef CTL_GREETING_H
#define CTL_GREETING_H

struct err;

struct greeting {
	char product[64], version[64];		/* "RabbitMQ", "3.10.8"; "" = not said */
};

/* The first of the URL's hosts that answers. */
int greeting_read(struct greeting *ret, const char *url, int timeout_ms, struct err *e);

#endif
