/* SPDX-License-Identifier: MIT */
#include "workers/ctl/moment.h"

#include <string.h>

#include "common/base/clock.h"
#include "common/base/err.h"
#include "common/base/scan.h"
#include "common/base/zone.h"

enum { SECOND_US = 1000000, DATE_LENGTH = 10 };

int moment_read(const char *text, const char *option, const struct zone *z, int64_t *ret_us,
		struct err *e)
{
	int64_t us;

	if (clock_parse_iso(text, &us, e) < 0) {
		e->code = ERR_USAGE;
		return err_prefix(e, "%s", option);
	}
	if (strlen(text) <= DATE_LENGTH || !strpbrk(text + DATE_LENGTH, "Zz+-"))
		us = zone_first(z, us / SECOND_US) * SECOND_US;
	*ret_us = us;
	return 0;
}

int moment_read_ago(const char *text, const char *option, const struct zone *z, int64_t now_us,
		    int64_t *ret_us, struct err *e)
{
	int64_t ms;

	if (scan_duration_ms(text, &ms, NULL) == 0) {
		*ret_us = now_us - ms * 1000;
		return 0;
	}
	if (moment_read(text, option, z, ret_us, e) == 0)
		return 0;
	return err_set(e, ERR_USAGE,
		       "%s: \"%.60s\" is neither a duration such as 2h nor a time such as "
		       "2026-11-21T20:15:00+00:00",
		       option, text);
}
