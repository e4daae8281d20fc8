/* SPDX-License-Identifier: MIT */
/* pay: what a posting offers, from a provider's fields or from text, and a year's worth of it.
 *
 * Amounts are cents in the currency and period as offered; 0 is unknown (never free work). The
 * annualised figures stand beside them: hour x 2,080, day x 260, week x 52, two weeks x 26,
 * month x 12 (US full-time convention); 0 where the period is unknown and the amount is under
 * 10,000, since a guess there would be invented pay.
 * Text: money that is not pay (revenue, funding, bonus, stipend, benefits, 401k, budgets) is never
 * taken; several ranges give their span; "up to" has no min, "from" no max. A single amount is both
 * bounds in English and French, the lower one in German and Spanish, as it is used there.
 * Words of English, German, French, Spanish and Italian. Pure, linear. */
#ifndef WORKERS_PROCESSING_PAY_H
#define WORKERS_PROCESSING_PAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PAY_PERIOD_LIST(X) \
	X(UNKNOWN, NULL, 0) X(HOUR, "HOUR", 2080) X(DAY, "DAY", 260) X(WEEK, "WEEK", 52) \
	X(TWO_WEEKS, "TWO_WEEKS", 26) X(MONTH, "MONTH", 12) X(YEAR, "YEAR", 1)

enum pay_period {
#define X(id, text, times) PAY_##id,
	PAY_PERIOD_LIST(X)
#undef X
	PAY_PERIOD_COUNT
};

struct pay {
	int64_t min_cents, max_cents;		/* 0 unknown; min <= max where both are known */
	int64_t annual_min_cents, annual_max_cents;
	char currency[4];			/* ISO 4217, "" unknown */
	enum pay_period period;
	bool period_assumed;			/* by the amount's size, not stated */
	bool open_top, ote, equity;
	int ranges;				/* how many were found; 0 = no pay at all */
};

struct pay_hint {
	const char *currency;			/* ISO code stated elsewhere; NULL */
	const char *country;			/* ISO code of the job's country; NULL */
	bool is_pay;				/* the text is known to be about pay: no cue needed */
};

/* period: "YEAR", "HOUR", "PA", "Per Year", "per-year-salary", …; NULL unknown. */
enum pay_period pay_period_parse(const char *period);
const char *pay_period_name(enum pay_period period);	/* NULL for unknown */

/* From fields: returns ranges (0 or 1). Bounds of 0 or less are unknown, swapped ones put right. */
int pay_from_fields(int64_t min_cents, int64_t max_cents, const char *currency, const char *period,
		    const struct pay_hint *hint, struct pay *ret);
/* From text; 0: it states no pay, *ret is empty then. text is clean UTF-8. */
int pay_from_text(const char *text, size_t len, const struct pay_hint *hint, struct pay *ret);

/* Fills the annualised figures, and the period by size where it is not stated. Pay of more than a
 * hundred billion a year is emptied. */
void pay_annualise(struct pay *pay);

#endif
