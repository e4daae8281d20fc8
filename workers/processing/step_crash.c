/* SPDX-License-Identifier: MIT */
/* The step "crash" of builds with FAULTS=1: dies of a posting whose title begins with "crash", and
 * hangs at one with "hang", as a bug in a rule would. */
#include "workers/processing/step.h"

#ifdef FAULTS
#include <signal.h>
#include <unistd.h>

#include "workers/processing/posting.h"

static bool crash(struct posting *p, char reason[STEP_REASON])
{
	(void)reason;
	if (strncasecmp(p->title, "crash", 5) == 0)
		raise(SIGKILL);
	while (strncasecmp(p->title, "hang", 4) == 0)
		pause();
	return true;
}

static const struct step step_crash = { "crash", crash };
STEP(step_crash);
#endif
