/* SPDX-License-Identifier: MIT */
/* holds: whether what a schedule's condition asks for (common/base/proviso.h) holds now. */
#ifndef DISPATCHER_HOLDS_H
#define DISPATCHER_HOLDS_H

#include <stdint.h>

struct conf;
struct err;
struct pg;

/* conf knows the sources' bounds. 1 = it holds; 0 = not: *ret_why says what does not, malloc'ed. */
int holds_ask(struct pg *pg, const struct conf *conf, const char *condition, int64_t now_us,
	      char **ret_why, struct err *e);

#endif
