/* SPDX-License-Identifier: MIT */
/* expire: jobfleet.expire_postings(): postings past their own end, and those that no answer has
 * shown for expire_after (queues.conf), get status expired, EXPIRE_BATCH at a commit. Nothing is
 * deleted; a load that shows one again makes it active (merge.h). Answers {status, expired}. */
#ifndef WORKERS_LOADING_EXPIRE_H
#define WORKERS_LOADING_EXPIRE_H

#include "common/worker/run.h"

enum { EXPIRE_BATCH = 2000, EXPIRE_AFTER_S = 30 * 86400 /* without a queues.conf */ };

task_fn expire_postings;

#endif
