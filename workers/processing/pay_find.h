/* SPDX-License-Identifier: MIT */
/* pay_find: the offers of a text brought together. Inside of pay (pay.h is the interface). */
#ifndef WORKERS_PROCESSING_PAY_FIND_H
#define WORKERS_PROCESSING_PAY_FIND_H

#include "workers/processing/pay.h"

/* Fills bounds, period, currency, flags and places; pay->ranges is how many there are. The currency
 * may be "$" still. */
void pay_find(const char *text, size_t len, const struct pay_hint *hint, struct pay *pay);

#endif
