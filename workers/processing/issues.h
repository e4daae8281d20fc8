/* SPDX-License-Identifier: MIT */
/* issues: what is wrong with a posting or missing in it, as a set of names from a closed list.
 *
 * Two kinds: what is missing lowers its completeness; what contradicts itself or the world makes it
 * inconsistent. Neither refuses a posting: it is loaded with its issues in metadata.issues, and the
 * collection's metrics count them. Plausible pay is, a year, 1,000 to 10,000,000 of a currency in
 * which that is money (a yen or a rupee is about a hundredth of a dollar, so up to 1,000,000,000
 * there), and an hour's at least 1. Pure. */
#ifndef WORKERS_PROCESSING_ISSUES_H
#define WORKERS_PROCESSING_ISSUES_H

#include <stdbool.h>
#include <stdint.h>

/* bit, name, is it a contradiction? */
#define ISSUE_LIST(X) \
	X(NO_PLACE, "no_place", false)			/* neither city nor remote */ \
	X(NO_COUNTRY, "no_country", false) \
	X(NO_DESCRIPTION, "no_description", false) \
	X(SHORT_DESCRIPTION, "short_description", false)	/* under 200 bytes */ \
	X(NO_APPLY_URL, "no_apply_url", false) \
	X(NO_DATE, "no_date", false) \
	X(NO_EMPLOYMENT, "no_employment_type", false) \
	X(PAY_SWAPPED, "pay_bounds_swapped", true)	/* put right */ \
	X(PAY_IMPLAUSIBLE, "pay_implausible", true) \
	X(PAY_CURRENCY, "pay_without_currency", true) \
	X(FOREIGN_CURRENCY, "currency_not_of_country", true) \
	X(FUTURE, "posted_in_future", true)		/* by more than a day */ \
	X(EXPIRED, "expired_before_posted", true)

enum issue {
#define X(id, name, contradiction) ISSUE_##id,
	ISSUE_LIST(X)
#undef X
	ISSUE_COUNT
};

struct posting;

/* reference_us: when the answer was fetched. swapped: its pay's bounds came in the wrong order. */
uint32_t issues_find(const struct posting *p, int64_t reference_us, bool swapped);
const char *issue_name(enum issue issue);
/* Is none of them a contradiction? */
bool issues_consistent(uint32_t issues);

#endif
