/* SPDX-License-Identifier: MIT */
/* orders (worker): the revokes and pauses that hold, in the parent's memory.
 *
 * The keeper streams them (FRAME_ORDER, store/orders.h); consumption starts when orders_loaded.
 * At most ORDERS_MAX revoked ids and as many stamps: the oldest are forgotten first, as Celery's
 * are. */
#ifndef COMMON_WORKER_ORDERS_H
#define COMMON_WORKER_ORDERS_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>

#include "common/store/orders.h"

struct delivery;
struct orders;

struct orders *orders_new(void);
void orders_free(struct orders *o);
void orders_apply(struct orders *o, const struct order *order);
/* The same or, of a pause, a newer one was applied already. */
bool orders_knows(const struct orders *o, const struct order *order);
void orders_set_loaded(struct orders *o);
bool orders_loaded(const struct orders *o);

bool orders_revokes_id(const struct orders *o, const char *id);
bool orders_has_stamps(const struct orders *o);
/* stamps: the message's stamps header as JSON, values strings or lists of strings. */
bool orders_revokes_stamps(const struct orders *o, const cJSON *stamps);
bool orders_pauses_task(const struct orders *o, const char *task);
bool orders_pauses_queue(const struct orders *o, const char *queue);	/* or the fleet */

size_t orders_revoked(const struct orders *o);
/* The i-th revoked id, newest last, and when (epoch seconds); NULL past the end. */
const char *orders_revoked_id(const struct orders *o, size_t i, double *ret_when);

#endif
