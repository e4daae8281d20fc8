/* SPDX-License-Identifier: MIT */
/* runs: one run of the whole pipeline, followed through all its stages in the database.
 *
 * A run is named by the id of its jobfleet.run_pipeline task, and is over with it: that task ends
 * when every answer was processed, and every posting made of them was loaded, merged or refused. */
#ifndef CTL_RUNS_H
#define CTL_RUNS_H

#include "workers/ctl/ctl.h"

ctl_fn runs_main;	/* jobfleet pipeline run QUERY [LOCATION] … */

#endif
