/* SPDX-License-Identifier: MIT */
/* peek: which tasks lie in a queue: its messages are taken on a connection of their own and given
 * back, all at once, when that closes. They keep their places; workers see them flagged as
 * redelivered, and meanwhile do not see them at all. At most PEEK_MAX. */
#ifndef CTL_PEEK_H
#define CTL_PEEK_H

#include <cjson/cJSON.h>

struct ctl;
struct err;

enum { PEEK_MAX = 200000 };

/* Their ids become members of ids, an object. How many messages there were. -ERR_TOO_BIG. */
int peek_ids(struct ctl *c, const char *queue, cJSON *ids, struct err *e);

#endif
