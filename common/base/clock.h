/* SPDX-License-Identifier: MIT */
/* clock: what time it is. Wall time is microseconds since the epoch, UTC; durations use the
 * monotonic clock. Tests shift or fix the wall clock; nothing else reads time(2). */
#ifndef COMMON_BASE_CLOCK_H
#define COMMON_BASE_CLOCK_H

#include <stddef.h>
#include <stdint.h>

struct err;

#define CLOCK_ISO_SIZE 40

int64_t clock_mono_us(void);
int64_t clock_mono_ms(void);
int64_t clock_wall_us(void);
int64_t clock_wall_ms(void);
void clock_fix_wall(int64_t us);	/* tests: wall time stands still there; 0 undoes it */

/* "2026-11-21T20:18:49.036633+00:00": always six digits and an offset, as Celery 5.4+ writes */
void clock_iso(int64_t us, char out[CLOCK_ISO_SIZE]);

/* ISO 8601 date or date-time: 'T' or space, 0 to 9 fractional digits, "Z", "+hh", "+hhmm",
 * "+hh:mm" or none (then UTC). Years 1 to 9999. */
int clock_parse_iso(const char *text, int64_t *ret_us, struct err *e);

#endif
