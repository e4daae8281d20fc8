/* SPDX-License-Identifier: MIT */
/* agenda: what a dispatcher does for schedules: keeps its timetable as queues.conf and the database
 * say, fires what is due, and what comes after others' successes.
 *
 * Schedules that operators add, change or remove (jobfleet.schedule_settings) are seen within
 * AGENDA_LOOK_MS; one that is wrong there raises the alert schedule_wrong, and the others go on. */
#ifndef DISPATCHER_AGENDA_H
#define DISPATCHER_AGENDA_H

#include <stddef.h>
#include <stdint.h>

struct agenda;
struct conf;
struct err;
struct pg;

enum { AGENDA_LOOK_MS = 1000 };

/* conf and node are borrowed. -ERR_INVALID names the schedule of conf that is wrong. */
int agenda_open(struct agenda **ret, const struct conf *conf, const char *node, struct err *e);
void agenda_close(struct agenda *a);

/* Fires what is due by now_us; returns how many. */
int agenda_turn(struct agenda *a, struct pg *pg, int64_t now_us, struct err *e);
/* Fires what comes after successes; returns how many. */
int agenda_follow(struct agenda *a, struct pg *pg, int64_t now_us, struct err *e);
/* When the next one is due; 0: not known yet. */
int64_t agenda_next_us(const struct agenda *a);
size_t agenda_count(const struct agenda *a);

#endif
