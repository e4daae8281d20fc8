/* SPDX-License-Identifier: MIT */
#include "workers/processing/pay.h"

#include <string.h>
#include <strings.h>

#include "common/base/mem.h"
#include "common/base/text.h"
#include "common/market/country.h"
#include "workers/processing/money.h"
#include "workers/processing/pay_find.h"
#include "workers/processing/pay_words.h"

enum { ASSUME_YEAR_FROM_CENTS = 1000000, FEDERAL_HOURS = 2087 };

/* A hundred billion a year is a broken field in any currency; the columns hold ten times that. */
#define ANNUAL_LIMIT_CENTS INT64_C(10000000000000)

static const struct {
	const char *name;
	int64_t times;
} PERIODS[PAY_PERIOD_COUNT] = {
#define X(id, text, factor) { text, factor },
	PAY_PERIOD_LIST(X)
#undef X
};

const char *pay_period_name(enum pay_period period)
{
	return PERIODS[period].name;
}

static enum pay_period period_of(const char *word)
{
	struct pay_term term = pay_term_of(word, strlen(word));

	return term.unit ? term.unit : term.rate;
}

enum pay_period pay_period_parse(const char *period)
{
	static const struct {
		const char *code;
		enum pay_period period;
	} CODES[] = {			/* USAJOBS' RateIntervalCode */
		{ "pa", PAY_YEAR }, { "ph", PAY_HOUR }, { "pd", PAY_DAY }, { "pw", PAY_WEEK },
		{ "bw", PAY_TWO_WEEKS }, { "pm", PAY_MONTH },
	};
	char line[64], folded[64];
	enum pay_period found = PAY_UNKNOWN;

	text_line(period, line, sizeof line);
	text_fold(line, folded, sizeof folded);
	for (size_t i = 0; i < COUNT(CODES); i++)
		if (!strcmp(folded, CODES[i].code))
			return CODES[i].period;
	if (strstr(folded, "two weeks") || strstr(folded, "biweekly") ||
	    strstr(folded, "bi weekly"))
		return PAY_TWO_WEEKS;
	for (char *save = NULL, *w = strtok_r(folded, " ", &save); w && !found;
	     w = strtok_r(NULL, " ", &save))
		found = period_of(w);
	return found;
}

const char *pay_interval(const struct pay *pay, int64_t *ret_min_cents, int64_t *ret_max_cents)
{
	static const char *const NAMES[PAY_PERIOD_COUNT] = {
		[PAY_HOUR] = "hour",	   [PAY_DAY] = "day",	  [PAY_WEEK] = "week",
		[PAY_TWO_WEEKS] = "week", [PAY_MONTH] = "month", [PAY_YEAR] = "year",
	};
	int64_t weeks = pay->period == PAY_TWO_WEEKS ? 2 : 1;

	*ret_min_cents = pay->min_cents / weeks;
	*ret_max_cents = pay->max_cents / weeks;
	return NAMES[pay->period];
}

static int64_t times_a_year(const struct pay *pay, const struct pay_hint *hint)
{
	if (pay->period == PAY_HOUR && hint && hint->federal)
		return FEDERAL_HOURS;
	if (pay->period == PAY_MONTH && pay->salaries)
		return pay->salaries;
	return PERIODS[pay->period].times;
}

/* Fills the annualised figures, and the period by size where it is not stated; empties pay that
 * nobody is paid. */
static void annualise(struct pay *pay, const struct pay_hint *hint)
{
	int64_t least = pay->min_cents ? pay->min_cents : pay->max_cents;
	int64_t times;

	if (pay->period == PAY_UNKNOWN && least >= ASSUME_YEAR_FROM_CENTS &&
	    strcmp(pay->currency, "INR") != 0 && strcmp(pay->currency, "JPY") != 0) {
		pay->period = PAY_YEAR;
		pay->period_assumed = true;
	}
	times = times_a_year(pay, hint);
	if (pay->min_cents > ANNUAL_LIMIT_CENTS / (times ? times : 1) ||
	    pay->max_cents > ANNUAL_LIMIT_CENTS / (times ? times : 1)) {
		*pay = (struct pay){ 0 };
		return;
	}
	pay->annual_min_cents = pay->min_cents * times;
	pay->annual_max_cents = pay->max_cents * times;
}

static void set_currency(struct pay *pay, const char *code)
{
	snprintf(pay->currency, sizeof pay->currency, "%s", code);
}

/* A bare "$" is the local dollar where there is one. */
static void resolve_currency(struct pay *pay, const struct pay_hint *hint)
{
	static const char *const DOLLARS[] = { "CAD", "AUD", "SGD", "NZD", "HKD", "MXN" };
	const struct country *country = hint ? country_by_code(hint->country) : NULL;
	const char *local = country ? country->currency : "";

	if (pay->currency[0] == '$') {
		set_currency(pay, "USD");
		for (size_t i = 0; i < COUNT(DOLLARS); i++)
			if (!strcmp(local, DOLLARS[i]))
				set_currency(pay, local);
	} else if (!pay->currency[0] && hint && hint->currency) {
		set_currency(pay, hint->currency);
	} else if (!pay->currency[0]) {
		set_currency(pay, local);
	}
}

static void order(struct pay *pay)
{
	if (pay->min_cents && pay->max_cents && pay->min_cents > pay->max_cents) {
		int64_t t = pay->min_cents;

		pay->min_cents = pay->max_cents;
		pay->max_cents = t;
	}
}

int pay_from_fields(int64_t min_cents, int64_t max_cents, const char *currency, const char *period,
		    const struct pay_hint *hint, struct pay *ret)
{
	struct pay pay = { .min_cents = min_cents > 0 ? min_cents : 0,
			   .max_cents = max_cents > 0 ? max_cents : 0,
			   .ranges = 1,
			   .period = pay_period_parse(period) };

	*ret = (struct pay){ 0 };
	if (!pay.min_cents && !pay.max_cents)
		return 0;
	if (currency && strlen(currency) == 3 && money_is_code(currency))
		set_currency(&pay, currency);
	else if (currency && !strcmp(currency, "$"))
		set_currency(&pay, "$");
	order(&pay);
	resolve_currency(&pay, hint);
	annualise(&pay, hint);
	*ret = pay;
	return pay.ranges;
}

int pay_from_text(const char *text, size_t len, const struct pay_hint *hint, struct pay *ret)
{
	struct pay pay = { 0 };

	*ret = pay;
	pay_find(text, len, hint, &pay);
	if (!pay.ranges)
		return 0;
	order(&pay);
	resolve_currency(&pay, hint);
	annualise(&pay, hint);
	*ret = pay;
	return pay.ranges;
}
