/* SPDX-License-Identifier: MIT */
/* plan: the schedules of a fleet: those of queues.conf, and what the database has over them.
 *
 * What the database has is keys and texts as they would stand in a schedule block. They are read
 * and checked as the file's are, by the same table; one that is wrong is refused and leaves the
 * plan as it was. A schedule that stands in both has the database's keys over the file's.
 * Ownership: the plan borrows from conf, which must outlive it; what it answers is the plan's and
 * good until the next plan_put. */
#ifndef COMMON_BASE_PLAN_H
#define COMMON_BASE_PLAN_H

#include <stddef.h>

struct conf;
struct conf_schedule;
struct err;
struct plan;

enum plan_origin { PLAN_FILE, PLAN_DATABASE, PLAN_BOTH };

struct plan_setting {
	const char *key, *text;	/* "cron", "0 9 * * *" */
};

struct plan *plan_new(const struct conf *conf);
void plan_free(struct plan *p);

/* -ERR_CONFIG: "schedule NAME: KEY: what is wrong, what would be right", of several the first. */
int plan_put(struct plan *p, const char *name, const struct plan_setting *settings, size_t n,
	     struct err *e);

/* The same, but they stand over what the file says alone, instead of what the database had. */
int plan_replace(struct plan *p, const char *name, const struct plan_setting *settings, size_t n,
		 struct err *e);

size_t plan_count(const struct plan *p);
const struct conf_schedule *plan_at(const struct plan *p, size_t i);
const struct conf_schedule *plan_find(const struct plan *p, const char *name);	/* NULL: none */
enum plan_origin plan_origin(const struct plan *p, size_t i);
/* The name that text most likely meant; NULL: none is near. */
const char *plan_near(const struct plan *p, const char *text);

#endif
