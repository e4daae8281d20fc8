/* SPDX-License-Identifier: MIT */
/* pay_timing: for what time an amount is paid, by the words around it. Working hours ("35 hours a
 * week") and the days of payment ("paid monthly") are no periods. Inside of pay (pay.h is the
 * interface). Pure. */
#ifndef WORKERS_PROCESSING_PAY_TIMING_H
#define WORKERS_PROCESSING_PAY_TIMING_H

#include <stdbool.h>
#include <stdint.h>

#include "workers/processing/pay_context.h"

/* Behind an amount of so many cents: a unit right there or behind words that may stand between, or
 * a rate one word on. */
enum pay_period pay_timing_after(const struct pay_context *c, int64_t cents);
/* The nearest rate word before, but not across other money ("annual bonus … 20 $"). */
enum pay_period pay_timing_before(const struct pay_context *c);
/* "$5,000 per employee", "0.26 €/km": for a thing, not for a time. */
bool pay_timing_is_thing(const struct pay_context *c);
/* Monthly salaries a year, as stated behind: "sur 13 mois", "14 pagas", "x13", "14x"; 0: not. */
int pay_timing_salaries(const struct pay_context *c);

#endif
