/* SPDX-License-Identifier: MIT */
#include "common/base/clock.h"
#include "common/base/conf_private.h"
#include "common/base/cron.h"
#include "common/base/err.h"
#include "common/base/mem.h"
#include "common/base/proviso.h"

enum { EVERY_MIN_MS = 1000 };

static void check_kind(const struct conf *c, size_t i, struct conf_faults *faults)
{
	const struct conf_schedule *s = &c->schedules[i];
	int kinds = (*s->cron != '\0') + (s->every_ms > 0) + (*s->at != '\0') + (*s->after != '\0');
	struct cron cron;
	int64_t us;
	struct err e = { 0 };

	if (kinds == 0)
		conf_fault_at(faults, c, CONF_SCHEDULE, i, "cron",
			      "nothing says when: give one of cron, every, at and after");
	else if (kinds > 1)
		conf_fault_at(faults, c, CONF_SCHEDULE, i,
			      *s->after			? "after"
				      : s->every_ms > 0 ? "every"
							: "at",
			      "one of cron, every, at and after is allowed, here are %d", kinds);
	if (*s->cron && cron_parse(s->cron, &cron, &e) < 0)
		conf_fault_at(faults, c, CONF_SCHEDULE, i, "cron", "%s", e.msg);
	if (*s->at && clock_parse_iso(s->at, &us, &e) < 0)
		conf_fault_at(faults, c, CONF_SCHEDULE, i, "at",
			      "%s; write 2026-12-24T18:00 (local to"
			      " timezone) or 2026-12-24T18:00Z",
			      e.msg);
	if (s->every_ms > 0 && s->every_ms < EVERY_MIN_MS)
		conf_fault_at(faults, c, CONF_SCHEDULE, i, "every",
			      "is under 1s, the least distance");
	if (s->every_ms > 0 && s->jitter_ms >= s->every_ms)
		conf_fault_at(faults, c, CONF_SCHEDULE, i, "jitter", "is not below every");
	if (s->delay_ms > 0 && !*s->after)
		conf_fault_at(faults, c, CONF_SCHEDULE, i, "delay",
			      "goes with after only; to shift a time, change cron");
	if (s->catch_up_max > 0 && s->catch_up != CONF_CATCH_UP_ALL)
		conf_fault_at(faults, c, CONF_SCHEDULE, i, "catch_up_max",
			      "goes with catch_up = all only");
}

static void check_target(const struct conf *c, size_t i, struct conf_faults *faults)
{
	const struct conf_schedule *s = &c->schedules[i];

	if (!*s->task)
		conf_fault_at(faults, c, CONF_SCHEDULE, i, "task",
			      "is missing; it names the task to enqueue");
	else if (!*s->queue && !conf_task(c, s->task))
		conf_fault_unknown(faults, c, CONF_SCHEDULE, i, "task", s->task, CONF_TASK);
	else if (!*s->queue && !conf_route(c, s->task))
		conf_fault_at(faults, c, CONF_SCHEDULE, i, "task",
			      "nothing says where \"%s\" goes: give its "
			      "task block or this schedule a queue",
			      s->task);
	if (*s->queue && !conf_queue(c, s->queue))
		conf_fault_unknown(faults, c, CONF_SCHEDULE, i, "queue", s->queue, CONF_QUEUE);
	if (*s->after && !conf_schedule(c, s->after) && !conf_task(c, s->after))
		conf_fault_unknown(faults, c, CONF_SCHEDULE, i, "after", s->after, CONF_SCHEDULE);
}

static bool is_data(const struct conf *c, const char *name)
{
	for (const char *const *data = proviso_data(); *data; data++)
		if (strcmp(*data, name) == 0)
			return true;
	return conf_schedule(c, name) != NULL;
}

static void check_condition(const struct conf *c, size_t i, struct conf_faults *faults)
{
	struct proviso p;
	struct err e = { 0 };

	if (proviso_parse(c->schedules[i].condition, &p, &e) < 0) {
		conf_fault_at(faults, c, CONF_SCHEDULE, i, "condition", "%s", e.msg);
		return;
	}
	for (size_t n = 0; n < p.n; n++) {
		const char *name = p.terms[n].name;

		if (p.terms[n].kind == PROVISO_QUOTA && !conf_source(c, name))
			conf_fault_unknown(faults, c, CONF_SCHEDULE, i, "condition", name,
					   CONF_SOURCE);
		else if (p.terms[n].kind == PROVISO_AGE && !is_data(c, name))
			conf_fault_at(faults, c, CONF_SCHEDULE, i, "condition",
				      "there is no data \"%s\": write raw, postings, benchmarks, "
				      "market, scores, or the name of a schedule", name);
	}
}

/* `after` names a schedule, or a task that any schedule may enqueue. */
static bool follows(const struct conf_schedule *s, const struct conf_schedule *first)
{
	return *s->after &&
		(strcmp(s->after, first->name) == 0 || strcmp(s->after, first->task) == 0);
}

/* Everything that a success of schedule `from` sets off, by flooding. */
static bool leads_to_itself(const struct conf *c, size_t from)
{
	bool *reached = mem_zalloc(c->nschedules * sizeof *reached), grew = true;
	bool itself;

	for (size_t i = 0; i < c->nschedules; i++)
		reached[i] = follows(&c->schedules[i], &c->schedules[from]);
	while (grew) {
		grew = false;
		for (size_t i = 0; i < c->nschedules; i++) {
			for (size_t j = 0; reached[i] && j < c->nschedules; j++) {
				if (!reached[j] && follows(&c->schedules[j], &c->schedules[i]))
					grew = reached[j] = true;
			}
		}
	}
	itself = reached[from];
	free(reached);
	return itself;
}

void conf_check_schedules(const struct conf *c, struct conf_faults *faults)
{
	for (size_t i = 0; i < c->nschedules; i++) {
		check_kind(c, i, faults);
		check_target(c, i, faults);
		check_condition(c, i, faults);
		if (*c->schedules[i].after && leads_to_itself(c, i))
			conf_fault_at(faults, c, CONF_SCHEDULE, i, "after",
				      "\"%s\" comes after this schedule "
				      "itself: the two would set each other off for ever",
				      c->schedules[i].after);
	}
}
