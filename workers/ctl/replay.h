/* SPDX-License-Identifier: MIT */
/* replay: dead letters sent again: in order, at a rate, canaries first. */
#ifndef CTL_REPLAY_H
#define CTL_REPLAY_H

#include "workers/ctl/ctl.h"

ctl_fn replay_main;			/* dlq replay */

#endif
