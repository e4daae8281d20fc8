/* SPDX-License-Identifier: MIT */
#include "workers/processing/issues.h"

#include "common/base/mem.h"
#include "common/market/country.h"
#include "workers/processing/posting.h"

enum { SHORT_BYTES = 200, HOUR_MIN_CENTS = 100 };
#define DAY_US INT64_C(86400000000)
#define YEAR_MIN_CENTS INT64_C(100000)
#define YEAR_MAX_CENTS INT64_C(1000000000)
#define SMALL_UNIT 100		/* of a dollar's worth in the currencies below */

static const struct {
	const char *name;
	bool contradiction;
} ISSUES[ISSUE_COUNT] = {
#define X(id, name, contradiction) { name, contradiction },
	ISSUE_LIST(X)
#undef X
};

const char *issue_name(enum issue issue)
{
	return ISSUES[issue].name;
}

bool issues_consistent(uint32_t issues)
{
	for (int i = 0; i < ISSUE_COUNT; i++)
		if (issues & 1u << i && ISSUES[i].contradiction)
			return false;
	return true;
}

static bool has_small_unit(const char *currency)
{
	static const char *const SMALL[] = { "JPY", "INR", "KRW", "IDR", "VND", "HUF", "CLP", "COP",
					     "PKR", "NGN", "PHP", "ARS", "CRC", "ISK", "KES", "LKR" };

	for (size_t i = 0; i < COUNT(SMALL); i++)
		if (strcmp(SMALL[i], currency) == 0)
			return true;
	return false;
}

static bool is_plausible(const struct pay *pay)
{
	int64_t factor = has_small_unit(pay->currency) ? SMALL_UNIT : 1;
	const int64_t bounds[] = { pay->annual_min_cents, pay->annual_max_cents };

	for (size_t i = 0; i < COUNT(bounds); i++)
		if (bounds[i] &&
		    (bounds[i] < YEAR_MIN_CENTS || bounds[i] > YEAR_MAX_CENTS * factor))
			return false;
	return pay->period != PAY_HOUR || !pay->min_cents || pay->min_cents >= HOUR_MIN_CENTS;
}

static uint32_t of_pay(const struct posting *p)
{
	const struct country *country = country_by_code(p->place.country[0] ? p->place.country
									    : NULL);
	uint32_t set = 0;

	if (!p->pay.ranges)
		return 0;
	set |= is_plausible(&p->pay) ? 0 : 1u << ISSUE_PAY_IMPLAUSIBLE;
	set |= p->pay.currency[0] ? 0 : 1u << ISSUE_PAY_CURRENCY;
	if (country && country->currency[0] && p->pay.currency[0] &&
	    strcmp(country->currency, p->pay.currency) != 0 && p->remote != REMOTE_REMOTE)
		set |= 1u << ISSUE_FOREIGN_CURRENCY;
	return set;
}

uint32_t issues_find(const struct posting *p, int64_t reference_us, bool swapped)
{
	const struct {
		enum issue issue;
		bool is;
	} FOUND[] = {
		{ ISSUE_NO_PLACE, !p->place.city[0] && p->remote != REMOTE_REMOTE },
		{ ISSUE_NO_COUNTRY, !p->place.country[0] },
		{ ISSUE_NO_DESCRIPTION, p->description.len == 0 },
		{ ISSUE_SHORT_DESCRIPTION, p->description.len > 0 && p->description.len < SHORT_BYTES },
		{ ISSUE_NO_APPLY_URL, !p->apply_url[0] },
		{ ISSUE_NO_DATE, !p->has_posted },
		{ ISSUE_NO_EMPLOYMENT, !p->employment },
		{ ISSUE_PAY_SWAPPED, swapped && p->pay.ranges },
		{ ISSUE_FUTURE, p->has_posted && p->posted.us > reference_us + DAY_US },
		{ ISSUE_EXPIRED, p->has_posted && p->has_expiry && p->expires.us < p->posted.us },
	};
	uint32_t set = of_pay(p);

	for (size_t i = 0; i < COUNT(FOUND); i++)
		set |= FOUND[i].is ? 1u << FOUND[i].issue : 0;
	return set;
}
