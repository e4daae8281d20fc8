/* SPDX-License-Identifier: MIT */
/* health: how the fleet's components are: each with a state, a reason and its last proof.
 *
 * Components: database, redis, broker; dispatcher, collector, processor, loader, salary, confidence
 * (the programs, by their heartbeat rows); api_quota:NAME and api_connectivity:NAME of each enabled
 * source; system_resources (memory, processors, disk of data_dir; of this host); data_quality (the
 * last 24 h, against the thresholds of queues.conf).
 *
 *	ok        a proof is there
 *	degraded  it works in part, or will not for long; or a program of which no worker runs
 *	failed    it does not work, or messages wait that nobody takes
 *	unknown   nothing speaks for or against it: nothing happened, or the database is away
 *
 * Of the whole: failed when a required component is (the services, the programs), degraded when any
 * other is failed or degraded, else ok. The last proof is when somebody last saw it work: the look
 * itself for services, a heartbeat for programs, the last call for sources, the last row for data.
 *
 * A look blocks for at most HEALTH_MS for each of the three services; connections are kept from
 * look to look, and a broken one is opened anew by the next. Nothing here logs, no secret is shown.
 * Ownership: the report is the caller's until health_report_release. */
#ifndef COMMON_WORKER_HEALTH_H
#define COMMON_WORKER_HEALTH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;
struct conf;
struct health;
struct pg;
struct publisher;

enum { HEALTH_MS = 2000, HEALTH_REASON_BYTES = 256 };

enum health_state { HEALTH_OK, HEALTH_UNKNOWN, HEALTH_DEGRADED, HEALTH_FAILED, HEALTH_STATES };

struct component {
	char name[96];
	enum health_state state;
	bool required;
	char reason[HEALTH_REASON_BYTES];
	int64_t proof_us;		/* wall time; 0 = never */
};

struct health_report {
	struct component *components;
	size_t n;
	int64_t taken_us;
};

/* conf and name (how we are called at the services) are borrowed; health_use gives another conf. */
struct health *health_new(const struct conf *conf, const char *name);
void health_free(struct health *h);

void health_look(struct health *h, struct health_report *ret);
void health_report_release(struct health_report *r);
enum health_state health_worst(const struct health_report *r);
const char *health_state_name(enum health_state s);
/* {"status", "at", "components": {name: {"state", "reason", "last_proof", "required"}}}; times as
 * RFC 3339 in UTC, null = never. */
void health_put_json(const struct health_report *r, struct buf *out);

/* The connections of the last look; NULL while the service is away. */
struct pg *health_database(struct health *h);
struct publisher *health_broker(struct health *h);

/* Appends one; for what only the caller knows. */
struct component *health_add(struct health_report *r, const char *name, bool required,
			     enum health_state state, int64_t proof_us, const char *reason, ...)
	__attribute__((format(printf, 6, 7)));

#endif
