/* SPDX-License-Identifier: MIT */
/* letter: one dead letter on its way into jobfleet.dead_letters, and the answer to its client.
 *
 * Texts may come from any peer: letter_store makes them clean UTF-8 of bounded length first. */
#ifndef DISPATCHER_LETTER_H
#define DISPATCHER_LETTER_H

#include "common/store/dead_letter.h"

struct letter {
	struct dead_letter dead;
	int retries; /* of the dead attempt */
};

/* In p's transaction, or in one of its own. With a task id that has no final outcome yet, a FAILURE
 * result (for cause "expired" a REVOKED one) goes to jobfleet.result_backlog as well. */
int letter_store(struct pg *p, const struct letter *l, struct err *e);

#endif
