/* SPDX-License-Identifier: MIT */
/* httpd_private: what the window's processes share. */
#ifndef DISPATCHER_HTTPD_PRIVATE_H
#define DISPATCHER_HTTPD_PRIVATE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "workers/dispatcher/httpd.h"

struct conf;

enum { LOOK_METRICS, LOOK_READY, LOOK_KINDS, LOOK_BYTES = 4 << 20 };

/* Memory of all of them; pages that nobody wrote cost nothing. The server asks by a datagram and
 * reads an answer only between its arrival and the next question of that kind. */
struct window {
	_Atomic int64_t beat_ms;	/* the loop's last sign of life, monotonic */
	struct look {
		int status;		/* of HTTP */
		size_t len;
		char text[LOOK_BYTES];
	} looks[LOOK_KINDS];
};

/* Questions and answers alike. */
struct look_note {
	uint32_t kind, number;
};

struct httpd_child {
	struct window *window;
	const struct conf *conf;
	const char *node;
	int parent;			/* at its end of file we are to go */
	int notes;			/* our end of the datagrams between server and lookout */
};

int httpd_serve(const struct httpd_child *c);
int lookout_main(const struct httpd_child *c);

#endif
