/* SPDX-License-Identifier: MIT */
/* schedule: when one schedule is due. Pure: times come in as parameters.
 *
 * cron    as common/base/cron.h says, in the schedule's zone
 * every   in its distance from anchor_us (when the first dispatcher saw it: the same for all)
 * at      once; a local time without an offset is the zone's, as zone_first says
 * after   not by time (workers/dispatcher/trigger.h)
 *
 * A due time that is looked at more than SCHEDULE_GRACE_US after it came was missed. Missed ones
 * follow catch_up: skip none of them is fired; last the latest, unless one that is on time follows
 * it anyway; all every one (with catch_up_max N: the latest N).
 * Times are microseconds since the epoch. */
#ifndef COMMON_BASE_SCHEDULE_H
#define COMMON_BASE_SCHEDULE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/cron.h"
#include "common/base/uuid.h"

struct conf_schedule;
struct err;
struct zone;

#define SCHEDULE_GRACE_US INT64_C(60000000)
#define SCHEDULE_NEVER INT64_MAX
#define SCHEDULE_MAX_DUES 256 /* a longer list is continued by the next call */

struct schedule {
	const struct conf_schedule *conf; /* borrowed */
	struct cron cron;
	struct zone *zone;
	char *definition;  /* its settings of time, for people and for comparing */
	int64_t anchor_us; /* for every; the owner sets it */
	int64_t at_us;	   /* for at */
	int64_t offset_us; /* of jitter: fixed by the name, from 0 up to jitter */
};

int schedule_init(struct schedule *s, const struct conf_schedule *conf, struct err *e);
void schedule_release(struct schedule *s);
bool schedule_is_timed(const struct schedule *s); /* cron, every or at */

/* The first due time after after_us, or SCHEDULE_NEVER. */
int64_t schedule_next(const struct schedule *s, int64_t after_us);

/* Which due times to fire at now_us, when next_us is the first that was not looked at yet; in
 * order, into ret_dues (room for SCHEDULE_MAX_DUES). *ret_next_us is the next one to look at: not
 * later than now_us if the list was too long. Returns how many. */
size_t schedule_dues(const struct schedule *s, int64_t next_us, int64_t now_us, int64_t *ret_dues,
		     int64_t *ret_next_us);

/* The id of the task that this due time fires: the same whoever fires it. */
void schedule_task_id(const struct schedule *s, int64_t due_us, char out[UUID_SIZE]);

#endif
