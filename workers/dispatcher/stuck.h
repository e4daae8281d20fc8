/* SPDX-License-Identifier: MIT */
/* stuck: stages of the pipeline whose task ended or is nowhere.
 *
 * An answer that waits to be processed, or postings that wait to be loaded, for STUCK_AFTER_MS,
 * without a task in jobfleet.pending or the dead letters that would take them on (a message by
 * hand that a deleted queue lost, a row set by hand, a database put back), get their task anew,
 * at most once an hour each (the unique key "stuck ID"). A processing run that stands open though
 * its task is gone ends as failed. Alert: stage_stuck. The rules are jobfleet.mend_stuck's. */
#ifndef DISPATCHER_STUCK_H
#define DISPATCHER_STUCK_H

#define STUCK_AFTER_MS 600000

struct err;
struct pg;

int stuck_look(struct pg *pg, struct err *e);

#endif
