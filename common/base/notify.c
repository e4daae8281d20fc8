/* SPDX-License-Identifier: MIT */
#include "common/base/notify.h"

#include <stdarg.h>
#include <systemd/sd-daemon.h>

#include "common/base/clock.h"
#include "common/base/mem.h"

enum { STATUS_BYTES = 256, PACE_MS = 1000, ALIVE_PARTS = 4 };

static char last_status[STATUS_BYTES];
static int64_t alive_ms, alive_pace_ms, extended_ms;	/* monotonic; 0 = not yet */

void notify_ready(void)
{
	sd_notify(0, "READY=1");
}

void notify_reloading(void)
{
	sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%lld", (long long)clock_mono_us());
}

void notify_stopping(void)
{
	sd_notify(0, "STOPPING=1");
}

void notify_status(const char *fmt, ...)
{
	char status[STATUS_BYTES];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(status, sizeof status, fmt, ap);
	va_end(ap);
	if (strcmp(status, last_status) == 0)
		return;
	memcpy(last_status, status, sizeof status);
	sd_notifyf(0, "STATUS=%s", status);
}

static int64_t pace_ms(void)
{
	uint64_t usec = 0;

	return sd_watchdog_enabled(0, &usec) > 0 ? (int64_t)(usec / 1000 / ALIVE_PARTS) : PACE_MS;
}

void notify_alive(void)
{
	int64_t now = clock_mono_ms();

	if (!alive_ms)
		alive_pace_ms = pace_ms();
	else if (now < alive_ms + alive_pace_ms)
		return;
	alive_ms = now;
	sd_notify(0, "WATCHDOG=1");
}

void notify_extend(int64_t ms)
{
	int64_t now = clock_mono_ms();

	if (extended_ms && now < extended_ms + PACE_MS)
		return;
	extended_ms = now;
	sd_notifyf(0, "EXTEND_TIMEOUT_USEC=%lld", (long long)ms * 1000);
}
