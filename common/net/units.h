/* SPDX-License-Identifier: MIT */
/* units: the worker units of this host's systemd, jobfleet-worker@PROGRAM.service and
 * jobfleet-worker@PROGRAM:2.service and so on, started and stopped over D-Bus.
 *
 * Instance 1 is the one without a number. Starting and stopping return when systemd has the order,
 * not when it is done: a worker that stops ends its tasks first. Who may: root, and by
 * systemd/polkit.rules the user jobfleet for these units.
 * Source: org.freedesktop.systemd1(5), sd-bus(3).
 * Errors: -ERR_NET (the bus or systemd does not answer in time), -ERR_NOT_FOUND (there is no
 * systemd here, or it has no such units), -ERR_CONFIG (the unit is masked), -ERR_REFUSED (by
 * polkit). */
#ifndef COMMON_NET_UNITS_H
#define COMMON_NET_UNITS_H

#include <stdbool.h>

struct err;
struct units;

enum { UNITS_MAX = 200 };

enum unit_state { UNIT_GONE, UNIT_UP, UNIT_LEAVING, UNIT_FAILED };

struct units_view {
	enum unit_state states[UNITS_MAX + 1];	/* by number, from 1 */
	int up;					/* started ones count from their start on */
};

/* Is this process one that systemd started? By SYSTEMD_EXEC_PID (systemd.exec(5)): from inside a
 * hardened unit its control groups do not tell. */
bool units_run_us(void);

/* timeout_ms: of this and of each call after it. */
int units_open(struct units **ret, int timeout_ms, struct err *e);
void units_close(struct units *u);		/* NULL is fine */

int units_look(struct units *u, const char *program, struct units_view *ret, struct err *e);
/* From what was seen to `wanted`: starts the lowest numbers that are free, or stops the highest; a
 * masked one is passed over for the next. Returns how many orders were given, or the first error
 * when none was; *ret_missed how many are still missing, and e why. */
int units_scale(struct units *u, const char *program, const struct units_view *seen, int wanted,
		int *ret_missed, struct err *e);

/* "salary:2", or "salary" for 1; malloc'ed. */
char *unit_instance(const char *program, int number);

#endif
