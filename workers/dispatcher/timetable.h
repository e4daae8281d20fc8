/* SPDX-License-Identifier: MIT */
/* timetable: all schedules of a plan, and what of them is due.
 *
 * Where each one stands is jobfleet.schedules (next_due, paused), so that dispatchers can come and
 * go. Who looks first locks the schedule's row, fires and moves next_due on, all in one
 * transaction; the others find it done. A schedule whose settings of time differ from the row's
 * was changed by a dispatcher with newer settings: this one leaves it alone until it has them, too.
 * What falls due while a schedule is paused is not fired. */
#ifndef DISPATCHER_TIMETABLE_H
#define DISPATCHER_TIMETABLE_H

#include <stddef.h>
#include <stdint.h>

struct conf;
struct err;
struct pg;
struct plan;
struct schedule;
struct timetable;

/* plan and conf are borrowed. -ERR_INVALID names the schedule that is wrong. */
int timetable_open(struct timetable **ret, const struct plan *plan, const struct conf *conf,
		   const char *node, struct err *e);
void timetable_close(struct timetable *t);

/* Writes each schedule's settings into jobfleet.schedules and reads where it stands; needed
 * after open, before any turn. */
int timetable_register(struct timetable *t, struct pg *pg, int64_t now_us, struct err *e);

/* Fires what is due by now_us; *ret_next_us is when to look again. Returns the number of fires. */
int timetable_turn(struct timetable *t, struct pg *pg, int64_t now_us, int64_t *ret_next_us,
		   struct err *e);

/* Those by "after", for trigger; borrowed. */
size_t timetable_count(const struct timetable *t);
const struct schedule *timetable_at(const struct timetable *t, size_t i);

#endif
