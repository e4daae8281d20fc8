/* SPDX-License-Identifier: MIT */
/* conf: what queues.conf and the environment say, checked, with defaults filled in.
 *
 * Order: environment over file over default; conf_origin tells where a value came from.
 * conf_load collects every error of the file (file, line, key, what would be right) before it
 * fails with -ERR_CONFIG; conf_errors has them all, e the first. Unknown keys are errors.
 * Secrets never stand in the file: keys of providers are read from the variable that a source
 * names (or from systemd's $CREDENTIALS_DIRECTORY/<variable>), only when they are used.
 * Ownership: everything in struct conf belongs to it; conf_close frees it. Read-only after load.
 * Units are in the names. A limit of 0 means none unless said otherwise. */
#ifndef COMMON_BASE_CONF_H
#define COMMON_BASE_CONF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "common/base/log.h"

struct err;

/* by priority over all queues; the queues' own order; by weight */
enum conf_order { CONF_ORDER_PRIORITY, CONF_ORDER_STRICT, CONF_ORDER_WEIGHTED };

enum conf_alert_level {
	CONF_ALERT_INFO,
	CONF_ALERT_WARNING,
	CONF_ALERT_ERROR,
	CONF_ALERT_CRITICAL,
	CONF_ALERT_LEVELS
};

struct conf_fleet {
	const char *broker_url;		/* JOBFLEET_BROKER_URL; amqp[s]://user:pass@host[:port][,host…]/vhost */
	const char *database_url;	/* JOBFLEET_DATABASE_URL, else DATABASE_URL */
	const char *database_direct_url; /* JOBFLEET_DATABASE_DIRECT_URL, else database_url; LISTEN, leases */
	const char *redis_url;		/* JOBFLEET_REDIS_URL, else REDIS_HOST, _PORT, _DB, _PASSWORD */
	const char *redis_prefix;	/* put before our own keys ("jobfleet:"); Celery's keys have none */
	enum log_level log_level;	/* ETL_LOG_LEVEL or LOG_LEVEL */
	const char *http_listen;	/* "127.0.0.1:9470", "[::1]:0", "unix:/path"; "" and "off" = none */
	const char *log_file;		/* "" = journal or stderr */
	bool timing_lines;		/* one line per finished task at INFO */
	bool development;		/* ETL_MODE=development */
	bool demo_fallback;		/* USE_DEMO_FALLBACK, or development: sample data without a key */
	bool monitoring;		/* ENABLE_MONITORING */
	bool skill_extraction, duplicate_detection;	/* of processing */
	const char *processing_steps;	/* by comma; "" */
	/* Shares from 0 to 1: what a collection should reach, and under which completeness a
	 * posting is refused. */
	double quality_completeness, quality_consistency, quality_skills, quality_duplicates,
		quality_errors, quality_reject;
	const char *data_dir;		/* raw files and spool; "data" */
	int batch_size;			/* ETL_BATCH_SIZE, 100 */
	int requests_per_minute;	/* ETL_REQUESTS_PER_MINUTE, 60 */
	int max_retries;		/* ETL_MAX_RETRIES, 3 */
	int heartbeat_s;		/* AMQP heartbeat and worker heartbeat row, 10 */
	int64_t eta_hold_ms;		/* due sooner is held in the worker, later parked, 5000 */
	int64_t max_message_bytes;	/* 16 MiB */
	int64_t buffer_bytes;		/* undelivered messages a worker may hold, 32 MiB */
	int64_t consumer_timeout_ms;	/* the broker's consumer_timeout, 30 min */
	int64_t lease_ms;		/* claim of a long task, 15 s */
	int64_t result_expires_s;	/* 86400 */
	int ledger_days;		/* the duplicate window, 7 */
	int start_budget;		/* starts that did not end before dead-lettering, 3 */
	int64_t shutdown_ms;		/* drain at most this long after SIGTERM; 0 = till tasks end */
	bool events;			/* task-* events from the start; worker-* always go */
	int64_t event_heartbeat_ms;	/* distance of worker-heartbeat events, 2 s */
	bool result_extended;		/* name, args, worker … in every result, as Celery's setting */
	bool inherit_priority;		/* callbacks get the priority of the task they follow */
	int64_t join_timeout_ms;	/* a chord without news for so long fails, 1 h */
	enum conf_order queue_order;	/* which of several queues comes first */
	int64_t idle_child_ms;		/* children above MIN leave after so long without work, 30 s */
	int64_t enqueue_timeout_ms;	/* deadline of our own enqueue doors, 5 s */
	int64_t spool_max_bytes;	/* what the local spool may hold, 256 MiB */
	int64_t lost_after_ms;		/* sent so long ago and nowhere seen: sent again, 60 s */
	int64_t dead_letter_retry_ms;	/* transient causes are sent again after so long, 1 h */
	int dead_letter_retries;	/* so often, 3; 0 = never */
	bool raw_copies, processed_copies, failed_copies;	/* files below data_dir (copies.h) */
	int copies_days;		/* how long those stay, 30 */
	int64_t expire_after_s;		/* a posting not seen for so long expires, 30 d */
	const char *load_subscribers;	/* tasks called after each load, by comma; "" */
	const char *salary_occupations, *salary_locations;	/* of sync_salary_data, by ';' */
	const char *embedding_url;	/* of an OpenAI-compatible endpoint, "…/v1/embeddings"; "" none */
	const char *embedding_model;	/* what it is asked for, and what stands beside each vector */
	const char *embedding_key_variable;	/* "JOBFLEET_EMBEDDING_KEY" */
	int embedding_batch;		/* texts a request, 64 */
	/* Alerts: where those of a level go that name no address, by comma (address.h). */
	const char *alert_to[CONF_ALERT_LEVELS];
	int64_t alert_every_ms;		/* between two looks at the rules, 5 s */
	int64_t alert_repeat_ms;	/* one that stays is told again; 0 = never */
	int64_t alert_escalate_after_ms;	/* one that nobody acknowledged; 0 = never */
	const char *alert_escalate_to;
	const char *smtp_url;		/* smtps://user@host:465, smtp://host:587; "" = no mail goes */
	const char *smtp_from;
};

enum conf_queue_type { CONF_QUEUE_CLASSIC, CONF_QUEUE_QUORUM };

struct conf_queue {
	const char *name;
	const char *program;		/* which worker program serves it: "salary" */
	int max_priority;		/* 10; 0 = declared without x-max-priority */
	int prefetch;			/* 0 = tuned by measured run time */
	int concurrency_min, concurrency_max;
	int max_tasks_per_child;	/* 0 = no recycling */
	int64_t max_memory_per_child;	/* bytes */
	enum conf_queue_type type;
	int weight;			/* its share with queue_order = weighted, 1 */
	int delivery_limit;		/* quorum: the broker dead-letters after so many; 0 = none */
	int instances_min, instances_max;	/* of its program, kept between by dispatchers; 1, 1: never */
	int64_t scale_target_ms;	/* a backlog is to drain in so long, 60 s */
	int64_t scale_up_ms, scale_down_ms;	/* cool-down before more, 30 s, and before fewer, 5 min */
};

/* Do dispatchers scale the queue's program? */
#define CONF_QUEUE_IS_SCALED(q) ((q)->instances_max > 1)

enum conf_retry_on { CONF_RETRY_TRANSIENT, CONF_RETRY_ANY, CONF_RETRY_NEVER };

/* Values below -1 … INT_MIN never occur; "unset" is CONF_UNSET: the worker's task table decides. */
#define CONF_UNSET (-1)

struct conf_task {
	const char *name;
	const char *queue;		/* "" = the program's first queue */
	int priority;			/* 0 to 9, or CONF_UNSET */
	double rate_per_s;		/* 0 = none; < 0 unset */
	bool rate_at_fetch;		/* rate_limit_at = fetch */
	bool rate_per_worker;		/* rate_limit_scope = worker: not cluster-wide */
	int rate_burst;			/* starts at once before the rate holds, 1 */
	const char *concurrency_key;	/* parameter whose value is the key, or "*": one for all; "" */
	int concurrency_limit;		/* runs at once per key, cluster-wide, 1 */
	int64_t soft_ms, hard_ms;	/* time limits; CONF_UNSET */
	int max_retries;
	int64_t retry_backoff_ms;	/* first distance */
	int64_t retry_backoff_max_ms;
	bool retry_fixed;		/* always retry_backoff: no doubling, no jitter */
	enum conf_retry_on retry_on;
	int ledger;			/* 1 on, 0 off, CONF_UNSET */
	int redeliver;			/* 1 yes, 0: interrupted runs go to the dead letters */
	int track_started;
	int ignore_result;
};

enum conf_overlap {
	CONF_OVERLAP_ALLOW,
	CONF_OVERLAP_SKIP,
	CONF_OVERLAP_QUEUE,
	CONF_OVERLAP_REPLACE
};
enum conf_catch_up { CONF_CATCH_UP_SKIP, CONF_CATCH_UP_LAST, CONF_CATCH_UP_ALL };

struct conf_schedule {
	const char *name;
	const char *cron;		/* "" unless this kind */
	int64_t every_ms;		/* 0 unless this kind */
	const char *at;			/* once: ISO 8601, local to timezone without an offset; "" */
	const char *after;		/* name of a schedule or task whose success triggers; "" */
	int64_t delay_ms;		/* for after */
	const char *timezone;		/* IANA name, "UTC" */
	const char *task;
	const char *args, *kwargs;	/* raw JSON, "[]" and "{}" */
	const char *queue;		/* "" = the task's */
	int priority;			/* CONF_UNSET */
	enum conf_overlap overlap;
	enum conf_catch_up catch_up;
	int catch_up_max;		/* for CATCH_UP_ALL; 0 = no bound */
	int64_t jitter_ms;
	const char *condition;		/* what must hold (common/base/proviso.h); "" */
	int max_retries;		/* of a run, over the task's; CONF_UNSET */
	int64_t retry_distance_ms;	/* fixed, over the task's; 0 = the task's */
	int64_t limit_ms;		/* time limit of a run, whole seconds; 0 = the task's */
	bool enabled;
};

struct conf_source {
	const char *name;		/* "jsearch" */
	const char *base_url;		/* JOBFLEET_SOURCE_<NAME>_URL over it; https only, http for loopback */
	bool enabled;
	double weight;
	double rate_per_s;		/* cluster-wide; default fleet.requests_per_minute; 0 = none */
	int monthly_quota, daily_quota;	/* 0 = none */
	const char *key_variable;	/* "RAPIDAPI_KEY"; "" = no key */
	bool key_required;		/* without the key the source is parked */
	int64_t timeout_ms;		/* one request, 30 s */
	int64_t max_response_bytes;	/* 64 MiB */
	int max_retries;
	int page_budget;		/* pages a query at most */
	const char *path;		/* source specific, e.g. "/search-v2" */
	const char *terms;		/* notice the provider demands; "" */
	const char *backup;		/* name of the source that stands in; "" */
	const char *boards;		/* whose postings, by comma: "gitlab, airbnb"; "" */
	const char *id_variable;	/* "ADZUNA_APP_ID": the key's second half, or who asks; "" */
	int64_t fresh_for_ms;		/* the same question asked again within it costs no call; 24 h */
};

struct conf_alert {
	const char *name;
	const char *condition;		/* common/base/measure.h */
	enum conf_alert_level level;
	const char *to;			/* addresses by comma (address.h); "" = the level's */
	int64_t for_ms;
	int64_t repeat_ms;		/* 0 = never; CONF_UNSET = the fleet's */
	int64_t escalate_after_ms;	/* 0 = never; CONF_UNSET = the fleet's */
	const char *escalate_to;	/* "" = the fleet's */
	bool enabled;
};

struct conf {
	struct conf_fleet fleet;
	struct conf_queue *queues;
	struct conf_task *tasks;
	struct conf_schedule *schedules;
	struct conf_source *sources;
	struct conf_alert *alerts;
	size_t nqueues, ntasks, nschedules, nsources, nalerts;
	const char *path;		/* the file that was read; "" = none, defaults and environment */
	struct conf_private *private;
};

/* path NULL: $JOBFLEET_CONFIG, else ./queues.conf, else /etc/jobfleet/queues.conf. */
int conf_load(struct conf **ret, const char *path, struct err *e);
void conf_close(struct conf *c);

/* Every error of the last failed conf_load in this process, one per line, "file:line: key: …". */
const char *conf_errors(void);

const struct conf_queue *conf_queue(const struct conf *c, const char *name);	/* NULL: not there */
const struct conf_task *conf_task(const struct conf *c, const char *name);
const struct conf_source *conf_source(const struct conf *c, const char *name);
const struct conf_schedule *conf_schedule(const struct conf *c, const char *name);
/* The queue a task goes to by configuration, or NULL when no task block names it. */
const char *conf_route(const struct conf *c, const char *task);

/* The secret that a source's key_variable names; NULL when unset or empty. Borrowed.
 * From then on it is hidden in what peers answer (secrets.h). */
const char *conf_secret(const char *variable);

/* Where a setting came from, into out: "queues.conf:12", "environment ETL_MODE", "credential …" or
 * "default". block is "fleet", "queue" …; name NULL for fleet. NULL: no such setting. */
const char *conf_origin(const struct conf *c, const char *block, const char *name, const char *key,
			char *out, size_t size);

/* Writes every setting as "block.name.key = value  # origin", passwords in URLs masked ("***"). */
void conf_print(const struct conf *c, FILE *out);

#endif
