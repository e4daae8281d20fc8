/* SPDX-License-Identifier: MIT */
/* instances: how many worker units of a program this host's systemd runs, before and after. */
#ifndef CTL_INSTANCES_H
#define CTL_INSTANCES_H

struct ctl;
struct err;

/* target: a queue or a program; count: 1 to UNITS_MAX as text. Prints a row for each instance; an
 * exit code. -ERR_NOT_FOUND: no such queue or program, or no systemd here; -ERR_REFUSED: systemd
 * does not let this user. */
int instances_scale(struct ctl *c, const char *target, const char *count, struct err *e);

#endif
