/* SPDX-License-Identifier: MIT */
/* What somebody is paid: bounds by period, in the larger currencies; the others are so many times
 * as many units (the order of magnitude of their exchange rate, not the rate of a day). */
#include <string.h>

#include "common/base/mem.h"
#include "workers/processing/pay_offer.h"

enum {
	YEAR_FROM = 1500000,
	HOUR_FROM = 700,
	HOUR_TO = 15000,
	MONTH_FROM = 40000,
	MONTH_TO = 1000000
};

/* What is not listed is a dollar or a pound, and its small sums without a period are no month's. */
static const struct {
	const char *currency;
	int64_t times;
} SIZES[] = {
	{ "EUR", 1 },	 { "CHF", 1 },	  { "PLN", 4 },	  { "RON", 4 },	   { "BRL", 4 },
	{ "ILS", 4 },	 { "DKK", 7 },	  { "MXN", 8 },	  { "ZAR", 8 },	   { "SEK", 10 },
	{ "NOK", 10 },	 { "INR", 15 },	  { "CZK", 20 },  { "TRY", 20 },   { "PHP", 20 },
	{ "JPY", 100 },	 { "HUF", 300 },  { "CLP", 500 }, { "KRW", 1000 }, { "COP", 2000 },
	{ "IDR", 5000 }, { "VND", 8000 },
};

static int64_t times_of(const char *currency, bool *ret_monthly)
{
	*ret_monthly = true;
	for (size_t i = 0; i < COUNT(SIZES); i++)
		if (!strcmp(SIZES[i].currency, currency))
			return SIZES[i].times;
	*ret_monthly = false;
	return 1;
}

bool pay_offer_is_plausible(int64_t cents, const char *currency, enum pay_period period)
{
	static const int64_t BOUNDS[PAY_PERIOD_COUNT][2] = {
		[PAY_UNKNOWN] = { 500, 200000000 },   [PAY_HOUR] = { 300, 150000 },
		[PAY_DAY] = { 3000, 1000000 },	      [PAY_WEEK] = { 10000, 4000000 },
		[PAY_TWO_WEEKS] = { 20000, 8000000 }, [PAY_MONTH] = { 20000, 15000000 },
		[PAY_YEAR] = { 500000, 500000000 },
	};
	bool monthly;
	int64_t times = times_of(currency, &monthly);

	return cents >= BOUNDS[period][0] &&
		cents / (times * (times > 1 ? 3 : 1)) <= BOUNDS[period][1];
}

enum pay_period pay_offer_guess(int64_t cents, const char *currency, bool english)
{
	bool monthly;
	int64_t value = cents / times_of(currency, &monthly);

	if (value >= YEAR_FROM)
		return PAY_YEAR;
	if (monthly && !english && value >= MONTH_FROM && value < MONTH_TO)
		return PAY_MONTH;
	return value >= HOUR_FROM && value <= HOUR_TO ? PAY_HOUR : PAY_UNKNOWN;
}
