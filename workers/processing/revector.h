/* SPDX-License-Identifier: MIT */
/* revector: the task that asks an endpoint for better vectors than those made here.
 *
 * jobfleet.embed_postings(processing_id): sent by process_collection where embedding_url is set. It
 * waits for the load of that processing, then takes the postings it loaded whose embedding_model is
 * another, embedding_batch at a time: read, ask (outside any transaction), write, commit. A task
 * that is repeated goes on where it was. What the endpoint does not answer, after its own tries and
 * the task's, keeps the local vector, and embedding_model says so. */
#ifndef WORKERS_PROCESSING_REVECTOR_H
#define WORKERS_PROCESSING_REVECTOR_H

#include "common/worker/run.h"

task_fn embed_postings;

/* Sends the task for what was just processed; nothing where no endpoint is set. */
int revector_enqueue(struct run *run, const char *processing_id, struct err *e);

#endif
