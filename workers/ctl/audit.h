/* SPDX-License-Identifier: MIT */
/* audit: what jobfleet audit found, and how it is shown. */
#ifndef CTL_AUDIT_H
#define CTL_AUDIT_H

#include <stdbool.h>
#include <stdint.h>

#include "workers/ctl/account.h"
#include "workers/ctl/hindsight.h"
#include "workers/ctl/suspects.h"

struct ctl;

struct audit {
	struct ctl *ctl;
	struct account_filter filter;
	struct account account;
	struct suspects missing;
	struct hindsight unknown;	/* Redis remembers an end that PostgreSQL does not know */
	int64_t sent_again;		/* -1 = nobody asked for it */
};

/* Everything that was accepted is somewhere, as far as that can be known. */
bool audit_balances(const struct audit *a);
int64_t audit_missing(const struct audit *a);	/* named or only counted */
int64_t audit_foreign(const struct audit *a);	/* messages beyond our own */
void audit_print(const struct audit *a);	/* as --json says */

#endif
