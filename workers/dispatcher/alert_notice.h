/* SPDX-License-Identifier: MIT */
/* alert_notice: who is told what of an alert, and when.
 *
 * Told are: that it is there (firing), that it still is (repeated, each `repeat`), that nobody
 * acknowledged it (escalated, once, after `escalate_after`), and that it is over (resolved, to all
 * who were told). An acknowledged alert is not repeated and not escalated. A silenced one is not
 * told until the silence ends; that one is over which had been told before is told at once, for it
 * closes a matter. What came and went between two looks, or within a silence, is told to nobody.
 *
 * A notice is a row of jobfleet.alert_notices and a task jobfleet.deliver_alert of the same id, in
 * one transaction with the alert's own row. The id follows from the alert, the kind, the number and
 * the address, so that it cannot be made twice, whoever leads; and from when the alert began, since
 * a database that was restored from a backup gives numbers again whose notices were told. The
 * address "log" needs no task: the line is written here, after the commit. */
#ifndef DISPATCHER_ALERT_NOTICE_H
#define DISPATCHER_ALERT_NOTICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/conf.h"

struct err;
struct pg;

enum notice_kind { NOTICE_NONE, NOTICE_FIRING, NOTICE_REPEATED, NOTICE_ESCALATED, NOTICE_RESOLVED };

/* Times are microseconds of PostgreSQL's clock, 0 = not yet. Texts are borrowed. */
struct alert {
	int64_t id;
	const char *name, *subject, *level, *message;
	int64_t first_us, told_us, last_told_us, escalated_us, acked_us, resolved_us, end_told_us;
	int told;
	bool silenced;
	const char *told_to, *escalated_to, *resolution;
};

/* Of the rule, or of the level for what a program raised. */
struct alert_policy {
	const char *to, *escalate_to;
	int64_t repeat_us, escalate_after_us;	/* 0 = never */
};

/* Pure. */
enum notice_kind alert_due(const struct alert *a, const struct alert_policy *p, int64_t now_us);

/* rule NULL: by level. */
void alert_policy_of(const struct conf *conf, const char *level, const struct conf_alert *rule,
		     struct alert_policy *ret);

/* The task's argument (workers/alerting/notice.h); malloc'ed. */
char *alert_notice_json(const struct alert *a, enum notice_kind kind, const char *address,
			const char *id, const char *node, int64_t now_us);
/* Of the same alert, kind, number and address always the same. */
void alert_notice_id(const struct alert *a, enum notice_kind kind, const char *address,
		     char out[37]);
void alert_log(const struct alert *a, enum notice_kind kind);

/* Lines that are logged when the transaction has been committed. */
struct alert_lines {
	struct alert_line *items;
	size_t n;
};
void alert_lines_write(const struct alert_lines *l);
void alert_lines_release(struct alert_lines *l);

/* Makes all notices that are due, in pg's transaction. */
int alert_notices_make(struct pg *pg, const struct conf *conf, const char *node, int64_t now_us,
		       struct alert_lines *lines, struct err *e);

#endif
