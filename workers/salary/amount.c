/* SPDX-License-Identifier: MIT */
#include "workers/salary/amount.h"

#include <ctype.h>
#include <string.h>

#include "common/base/err.h"
#include "common/base/mem.h"

#define SCALE 10000
#define MAX_DIGITS 12
#define LIMIT_E4 (INT64_C(1000000000000) * SCALE)

static bool is_absent_mark(const char *text)
{
	static const char *const MARKS[] = { "",    "-",     ".", "*",	 "**",
					     "***", "*****", "N", "(X)", "null" };

	for (size_t i = 0; i < COUNT(MARKS); i++)
		if (strcmp(text, MARKS[i]) == 0)
			return true;
	return false;
}

/* Digits, commas, a point; leaves *p behind them. More than four decimals are rounded. */
static bool read_number(const char **p, int64_t *ret)
{
	int64_t v = 0;
	int digits = 0, decimals = -1;
	bool round_up = false;

	for (; isdigit((unsigned char)**p) || **p == ',' || **p == '.'; ++*p) {
		if (**p == ',' && decimals < 0)
			continue;
		if (**p == '.' && decimals < 0) {
			decimals = 0;
			continue;
		}
		if (!isdigit((unsigned char)**p))
			return false;
		if (decimals == 4) {
			round_up = **p >= '5';
			decimals = 5;
		}
		if (decimals > 4)
			continue;
		if (decimals < 0 && ++digits > MAX_DIGITS)
			return false;
		v = v * 10 + (**p - '0');
		decimals += decimals >= 0;
		digits += decimals >= 0;
	}
	for (int i = decimals < 0 ? 0 : decimals; i < 4; i++)
		v *= 10;
	*ret = v + round_up;
	return digits > 0;
}

int amount_parse(const char *text, struct amount *ret, struct err *e)
{
	struct amount a = { AMOUNT_VALUE, 0 };
	const char *p = text ? text : "";
	bool negative;

	while (*p == ' ')
		p++;
	if (is_absent_mark(p)) {
		*ret = (struct amount){ AMOUNT_ABSENT, 0 };
		return 0;
	}
	if (strcmp(p, "#") == 0) {
		*ret = (struct amount){ AMOUNT_BOUND, 0 };
		return 0;
	}
	negative = *p == '-';
	p += negative;
	p += *p == '$';
	if (!read_number(&p, &a.e4))
		return err_set(e, ERR_PROTOCOL, "\"%.40s\" is no figure", text);
	if (*p == '+') {
		a.kind = AMOUNT_BOUND;
		p++;
	} else if (*p == '-' && !negative) {
		a = (struct amount){ AMOUNT_ABSENT, 0 };
		p++;
	}
	while (*p == ' ')
		p++;
	if (*p)
		return err_set(e, ERR_PROTOCOL, "\"%.40s\" is no figure", text);
	if (negative)
		a.e4 = -a.e4;
	*ret = a;
	return 0;
}

bool amount_is_known(struct amount a)
{
	return a.kind == AMOUNT_VALUE || (a.kind == AMOUNT_BOUND && a.e4 > 0);
}

const char *amount_text(struct amount a, int decimals, char out[AMOUNT_TEXT_SIZE])
{
	uint64_t v = a.e4 < 0 ? (uint64_t)-a.e4 : (uint64_t)a.e4, step = 1, unit;

	if (!amount_is_known(a))
		return NULL;
	for (int i = decimals; i < 4; i++)
		step *= 10;
	v = (v + step / 2) / step;
	unit = SCALE / step;
	if (decimals <= 0)
		snprintf(out, AMOUNT_TEXT_SIZE, "%s%llu", a.e4 < 0 && v > 0 ? "-" : "",
			 (unsigned long long)v);
	else
		snprintf(out, AMOUNT_TEXT_SIZE, "%s%llu.%0*llu", a.e4 < 0 && v > 0 ? "-" : "",
			 (unsigned long long)(v / unit), decimals, (unsigned long long)(v % unit));
	return out;
}

__extension__ typedef __int128 wide;

/* v / by, rounded half away from 0; by > 0. */
static wide divide(wide v, wide by)
{
	return v < 0 ? -((-v * 2 + by) / (by * 2)) : (v * 2 + by) / (by * 2);
}

struct amount amount_change(struct amount now, struct amount before)
{
	wide v;

	if (now.kind != AMOUNT_VALUE || before.kind != AMOUNT_VALUE || before.e4 <= 0)
		return (struct amount){ AMOUNT_ABSENT, 0 };
	v = divide(((wide)now.e4 - before.e4) * 100 * SCALE, before.e4);
	if (v >= LIMIT_E4 || v <= -LIMIT_E4)
		return (struct amount){ AMOUNT_ABSENT, 0 };
	return (struct amount){ AMOUNT_VALUE, (int64_t)v };
}

struct amount amount_percent(struct amount part, struct amount whole)
{
	wide v;

	if (!amount_is_known(part) || !amount_is_known(whole) || whole.e4 <= 0 || part.e4 < 0)
		return (struct amount){ AMOUNT_ABSENT, 0 };
	v = divide((wide)part.e4 * 100 * SCALE, whole.e4);
	if (v >= LIMIT_E4)
		return (struct amount){ AMOUNT_ABSENT, 0 };
	return (struct amount){ AMOUNT_VALUE, (int64_t)v };
}

double amount_number(struct amount a)
{
	return amount_is_known(a) ? (double)a.e4 / SCALE : 0;
}
