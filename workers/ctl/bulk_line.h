/* SPDX-License-Identifier: MIT */
/* bulk_line: one line of a file of tasks. */
#ifndef CTL_BULK_LINE_H
#define CTL_BULK_LINE_H

#include <cjson/cJSON.h>
#include <stddef.h>

#include "workers/ctl/send.h"

struct bulk_line {
	struct send send;
	char *args, *kwargs;
	cJSON *root;
};

/* text as the file has it, defaults where it says nothing. -ERR_USAGE tells what is wrong and what
 * would be right. Release it in any case. */
int bulk_line_read(struct bulk_line *l, const char *text, size_t len, const struct send *defaults,
		   struct err *e);
void bulk_line_release(struct bulk_line *l);

#endif
