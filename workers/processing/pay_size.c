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

static const struct {
	const char *currency;
	int64_t times;
	bool monthly;			/* small sums without a period are a month's */
} SIZES[] = {
	{ "EUR", 1, true },   { "CHF", 1, true },   { "PLN", 4, true },	   { "RON", 4, true },
	{ "BRL", 4, true },   { "ILS", 4, true },   { "CZK", 20, true },   { "SEK", 10, true },
	{ "NOK", 10, true },  { "DKK", 7, true },   { "MXN", 8, true },	   { "ZAR", 8, true },
	{ "TRY", 20, true },  { "INR", 15, true },  { "PHP", 20, true },   { "HUF", 300, true },
	{ "JPY", 100, true }, { "KRW", 1000, true }, { "CLP", 500, true }, { "COP", 2000, true },
	{ "IDR", 5000, true }, { "VND", 8000, true },
};

static int64_t times_of(const char *currency, bool *ret_monthly)
{
	*ret_monthly = false;
	for (size_t i = 0; i < COUNT(SIZES); i++)
		if (!strcmp(SIZES[i].currency, currency)) {
			*ret_monthly = SIZES[i].monthly;
			return SIZES[i].times;
		}
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
