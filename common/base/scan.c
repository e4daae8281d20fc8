/* SPDX-License-Identifier: MIT */
#include "common/base/scan.h"

#include <errno.h>
#include <math.h>

#include "common/base/err.h"
#include "common/base/mem.h"

static int refuse(struct err *e, const char *text, const char *want)
{
	return err_set(e, ERR_INVALID, "\"%.60s\" is not %s", text ? text : "", want);
}

int scan_int64(const char *text, int64_t min, int64_t max, int64_t *ret, struct err *e)
{
	char *end = NULL, want[96];
	long long v;

	snprintf(want, sizeof want, "a whole number from %lld to %lld", (long long)min,
		 (long long)max);
	if (!text || !*text || strspn(text, "+-0123456789") != strlen(text))
		return refuse(e, text, want);
	errno = 0;
	v = strtoll(text, &end, 10);
	if (*end || errno || v < min || v > max)
		return refuse(e, text, want);
	*ret = v;
	return 0;
}

int scan_int(const char *text, int min, int max, int *ret, struct err *e)
{
	int64_t v;
	int r = scan_int64(text, min, max, &v, e);

	if (r == 0)
		*ret = (int)v;
	return r;
}

/* strtod also takes "inf", "nan" and hex; none of them is a number here, so it may not read on
 * past the characters of decimals. */
static bool plain_number(const char *text, double *ret, const char **ret_end)
{
	char *end = NULL;
	size_t n = text ? strspn(text, "+-.0123456789eE") : 0;

	if (n == 0)
		return false;
	errno = 0;
	*ret = strtod(text, &end);
	*ret_end = end;
	return end != text && end <= text + n && !errno && isfinite(*ret);
}

int scan_double(const char *text, double min, double max, double *ret, struct err *e)
{
	const char *end = NULL;
	char want[96];
	double v;

	snprintf(want, sizeof want, "a number from %g to %g", min, max);
	if (!plain_number(text, &v, &end) || *end || v < min || v > max)
		return refuse(e, text, want);
	*ret = v;
	return 0;
}

int scan_bool(const char *text, bool *ret, struct err *e)
{
	static const char *const yes[] = { "true", "yes", "on", "1" };
	static const char *const no[] = { "false", "no", "off", "0" };

	for (size_t i = 0; text && i < COUNT(yes); i++) {
		if (strcasecmp(text, yes[i]) == 0) {
			*ret = true;
			return 0;
		}
		if (strcasecmp(text, no[i]) == 0) {
			*ret = false;
			return 0;
		}
	}
	return refuse(e, text, "true or false");
}

static int with_unit(const char *text, const char *const *names, const double *factors, size_t n,
		     double *ret)
{
	const char *end = NULL;
	double v;

	if (!plain_number(text, &v, &end) || v < 0)
		return -1;
	while (end[0] == ' ' && end[1])
		end++;
	for (size_t i = 0; i < n; i++) {
		if (strcmp(end, names[i]) == 0) {
			*ret = v * factors[i];
			return 0;
		}
	}
	return -1;
}

int scan_duration_ms(const char *text, int64_t *ret_ms, struct err *e)
{
	static const char *const names[] = { "", "ms", "s", "m", "min", "h", "d" };
	static const double factors[] = { 1000, 1, 1000, 60e3, 60e3, 3600e3, 86400e3 };
	double v;

	if (with_unit(text, names, factors, COUNT(names), &v) < 0 || v > 1e15)
		return refuse(e, text, "a duration such as 250ms, 5s, 10m, 2h or 7d");
	*ret_ms = (int64_t)(v + 0.5);
	return 0;
}

int scan_size(const char *text, int64_t *ret_bytes, struct err *e)
{
	static const char *const names[] = { "", "K", "M", "G", "KiB", "MiB", "GiB" };
	static const double factors[] = { 1, 1 << 10, 1 << 20, 1 << 30, 1 << 10, 1 << 20, 1 << 30 };
	double v;

	if (with_unit(text, names, factors, COUNT(names), &v) < 0 || v > 1e15)
		return refuse(e, text, "a size such as 4096, 64K, 32M or 1G");
	*ret_bytes = (int64_t)(v + 0.5);
	return 0;
}

int scan_rate(const char *text, double *ret_per_s, struct err *e)
{
	static const char *const names[] = { "", "/s", "/m", "/h", "/d" };
	static const double factors[] = { 1, 1, 1 / 60.0, 1 / 3600.0, 1 / 86400.0 };
	double v;

	if (text && !*text) {
		*ret_per_s = 0;
		return 0;
	}
	if (with_unit(text, names, factors, COUNT(names), &v) < 0 || v > 1e9)
		return refuse(e, text, "a rate such as 10/m, 0.5/s, 100/h or 0 for none");
	*ret_per_s = v;
	return 0;
}
