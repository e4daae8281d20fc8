/* SPDX-License-Identifier: MIT */
/* pay: what a posting offers, from a provider's fields or from text, and a year's worth of it.
 *
 * Amounts are cents in the currency and period as offered; 0 is unknown (never free work). The
 * annualised figures stand beside them: hour x 2,080 (2,087 in the United States' service, 5 U.S.C.
 * 5504), day x 260, week x 52, two weeks x 26, month x 12 or the number of monthly salaries that is
 * stated ("sur 13 mois", "14 pagas"); 0 where the period is unknown and the amount is under 10,000,
 * since a guess there would be invented pay.
 *
 * Text. Words of English, German, French, Spanish and Italian; pure, linear.
 * - Money that is not pay (revenue, funding, bonus, stipend, allowance, benefits, 401k, budgets,
 *   prices, statutory minimum wages) is never taken, nor are add-ons to pay (shift differential).
 *   Base pay is taken where base and bonus are stated.
 * - Without a word for pay an amount is taken only if its form is pay's: a stated period with an
 *   amount that is paid for it, or a range as narrow and high as a year's pay that is no thing's
 *   worth. A short text of amounts and words of pay alone is taken as a salary field.
 * - Several ranges give their span, if they are of one period and currency; else those of the first
 *   one's, of the country's currency before. Single amounts count only where there is no range; OTE
 *   and totals only where there is no base pay. Each is kept with the words that head
 *   it ("New York City", "Zone A", "Level 2") as its place.
 * - "up to" has no min, "from", "at least", "starting at" no max.
 * - A single amount is both bounds in English and French, and the lower one in German, Spanish and
 *   Italian, as the labelled postings have it ("starting salary of" is a single amount).
 * - The period is the stated one, else by size in that language; the amounts stay as they are.
 * - Two weeks have no word of their own among the five intervals: pay_interval halves them. */
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

enum { PAY_PLACES_MAX = 16, PAY_PLACE_SIZE = 128 };

struct pay_range {
	int64_t min_cents, max_cents;		/* as in struct pay */
	char place[PAY_PLACE_SIZE];		/* what heads or follows it; "" when nothing does */
};

struct pay {
	int64_t min_cents, max_cents;		/* 0 unknown; min <= max where both are known */
	int64_t annual_min_cents, annual_max_cents;
	char currency[4];			/* ISO 4217, "" unknown */
	enum pay_period period;
	bool period_assumed;			/* by the amount's size, not stated */
	bool open_top, ote, equity, contractor;
	int salaries;				/* monthly ones a year, as stated: 13, 14, …; else 0 */
	int ranges;				/* how many were found; 0 = no pay at all */
	int nplaces;				/* of the ranges, those below; 0 when there is one only */
	struct pay_range places[PAY_PLACES_MAX];
};

struct pay_hint {
	const char *currency;			/* ISO code stated elsewhere; NULL */
	const char *country;			/* ISO code of the job's country; NULL */
	const char *lang;			/* ISO 639-1 of the text; NULL: told by its words */
	bool is_pay;				/* the text is known to be about pay: no cue needed */
	bool federal;				/* an hour's year is 2,087 hours */
};

/* period: "YEAR", "HOUR", "PA", "Per Year", "per-year-salary", …; NULL unknown. */
enum pay_period pay_period_parse(const char *period);
const char *pay_period_name(enum pay_period period);	/* NULL for unknown */

/* "hour", "day", "week", "month", "year" with the bounds for it (two weeks are halved); NULL
 * unknown, the bounds are as offered then. */
const char *pay_interval(const struct pay *pay, int64_t *ret_min_cents, int64_t *ret_max_cents);

/* From fields: returns ranges (0 or 1). Bounds of 0 or less are unknown, swapped ones put right. */
int pay_from_fields(int64_t min_cents, int64_t max_cents, const char *currency, const char *period,
		    const struct pay_hint *hint, struct pay *ret);
/* From text; 0: it states no pay, *ret is empty then. text is clean UTF-8. */
int pay_from_text(const char *text, size_t len, const struct pay_hint *hint, struct pay *ret);

#endif
