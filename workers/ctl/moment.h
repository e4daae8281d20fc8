/* SPDX-License-Identifier: MIT */
/* moment: a time that somebody wrote on the command line. */
#ifndef CTL_MOMENT_H
#define CTL_MOMENT_H

#include <stdint.h>

struct err;
struct zone;

/* ISO 8601; without an offset it is a time of the zone. -ERR_USAGE, with the option's name. */
int moment_read(const char *text, const char *option, const struct zone *z, int64_t *ret_us,
		struct err *e);
/* The same, or a duration: so long before now_us. */
int moment_read_ago(const char *text, const char *option, const struct zone *z, int64_t now_us,
		    int64_t *ret_us, struct err *e);

#endif
