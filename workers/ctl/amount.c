/* SPDX-License-Identifier: MIT */
#include "workers/ctl/amount.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const double MILLION = 1e6, FINE = 1e-9;

/* At most so many digits behind the point, and no zeros at their end. */
static void put_number(char *out, size_t size, double v, int digits)
{
	size_t n;

	snprintf(out, size, "%.*f", digits, v);
	n = strlen(out);
	if (!strchr(out, '.'))
		return;
	while (out[n - 1] == '0')
		out[--n] = '\0';
	if (out[n - 1] == '.')
		out[n - 1] = '\0';
}

static void put_count(char out[AMOUNT_SIZE], double v)
{
	char plain[AMOUNT_SIZE];
	size_t digits;
	char *to = out;

	if (fabs(v) >= MILLION) {
		put_number(out, AMOUNT_SIZE - 4, v / MILLION, v < 10 * MILLION ? 2 : 1);
		strncat(out, " M", 3);
		return;
	}
	put_number(plain, sizeof plain, v, fabs(v) < 100 ? 2 : 0);
	digits = strspn(plain, "0123456789");
	for (size_t i = 0; plain[i]; i++) {
		if (i > 0 && i < digits && (digits - i) % 3 == 0)
			*to++ = ',';
		*to++ = plain[i];
	}
	*to = '\0';
}

static void put_seconds(char out[AMOUNT_SIZE], double v)
{
	static const struct {
		double below, unit;
		const char *name;
	} steps[] = {
		{ 1, 0.001, " ms" }, { 60, 1, " s" }, { 3600, 60, " min" }, { 86400, 3600, " h" },
		{ HUGE_VAL, 86400, " d" },
	};
	int i = 0;

	while (v >= steps[i].below * (1 - FINE))
		i++;
	v /= steps[i].unit;
	put_number(out, AMOUNT_SIZE - 8, v, v < 9.95 ? 1 : 0);
	strncat(out, steps[i].name, 5);
}

void amount_text(enum amount_unit unit, double v, char out[AMOUNT_SIZE])
{
	if (isnan(v)) {
		snprintf(out, AMOUNT_SIZE, "-");
	} else if (unit == AMOUNT_COUNT) {
		put_count(out, v);
	} else if (unit == AMOUNT_SECONDS) {
		put_seconds(out, v);
	} else {
		put_number(out, AMOUNT_SIZE - 4, floor(v * 10 + FINE) / 10, 1);
		strncat(out, " %", 3);
	}
}
