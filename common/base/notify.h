/* SPDX-License-Identifier: MIT */
/* notify: what systemd hears of a program of Type=notify (sd_notify(3)).
 *
 * Without systemd nothing happens. Only the process that systemd started may speak
 * (NotifyAccess=main). notify_status and notify_alive may be called at each turn of a loop: a text
 * leaves when it changed, a sign of life at a quarter of the unit's WatchdogSec (each second
 * without one). Whoever calls notify_alive says that the loop turns and that what it waits for is
 * inside its deadline; when it is called no more, systemd ends the program and starts it again. */
#ifndef COMMON_BASE_NOTIFY_H
#define COMMON_BASE_NOTIFY_H

#include <stdint.h>

void notify_ready(void);	/* also ends notify_reloading */
void notify_reloading(void);
void notify_stopping(void);
void notify_status(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void notify_alive(void);
/* The stop may take so long from now on, whatever TimeoutStopSec says. At most once a second. */
void notify_extend(int64_t ms);

#endif
