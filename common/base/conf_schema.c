/* SPDX-License-Identifier: MIT */
#include "common/base/conf_schema.h"

#include "common/base/conf.h"
#include "common/base/mem.h"
#include "common/base/near.h"

#define AT(block, field) .offset = offsetof(struct conf_##block, field), \
			 .size = sizeof(((struct conf_##block *)0)->field)
#define ENV(...) .env = { __VA_ARGS__ }

enum { MS = 1, S = 1000, DAY = 86400000 };
#define DAY_MS 86400e3
#define YEAR_MS (366 * DAY_MS)

static const struct conf_key FLEET[] = {
	{ "broker_url", CONF_BROKER_URL, AT(fleet, broker_url), "amqp://guest:guest@127.0.0.1:5672/%2F" },
	{ "database_url", CONF_DATABASE_URL, AT(fleet, database_url), "postgresql:///jobfleet",
	  ENV("DATABASE_URL") },
	{ "database_direct_url", CONF_DATABASE_URL, AT(fleet, database_direct_url), "" },
	{ "redis_url", CONF_REDIS_URL, AT(fleet, redis_url), "redis://127.0.0.1:6379/0" },
	{ "redis_prefix", CONF_TEXT, AT(fleet, redis_prefix), "jobfleet:" },
	{ "log_level", CONF_LEVEL, AT(fleet, log_level), "INFO", ENV("ETL_LOG_LEVEL", "LOG_LEVEL") },
	{ "log_file", CONF_TEXT, AT(fleet, log_file), "" },
	{ "http_listen", CONF_TEXT, AT(fleet, http_listen), "127.0.0.1:9470" },
	{ "timing_lines", CONF_BOOL, AT(fleet, timing_lines), "yes" },
	{ "mode", CONF_WORD, AT(fleet, development), "production", .words = "production development",
	  ENV("ETL_MODE") },
	{ "use_demo_fallback", CONF_BOOL, AT(fleet, demo_fallback), NULL, ENV("USE_DEMO_FALLBACK") },
	{ "enable_skill_extraction", CONF_BOOL, AT(fleet, skill_extraction), "yes" },
	{ "enable_duplicate_detection", CONF_BOOL, AT(fleet, duplicate_detection), "yes" },
	{ "processing_steps", CONF_TEXT, AT(fleet, processing_steps), "" },
	{ "quality_completeness", CONF_NUMBER, AT(fleet, quality_completeness), "0.8", 0, 1 },
	{ "quality_consistency", CONF_NUMBER, AT(fleet, quality_consistency), "0.9", 0, 1 },
	{ "quality_skills", CONF_NUMBER, AT(fleet, quality_skills), "0.85", 0, 1 },
	{ "quality_duplicates", CONF_NUMBER, AT(fleet, quality_duplicates), "0.1", 0, 1 },
	{ "quality_errors", CONF_NUMBER, AT(fleet, quality_errors), "0.1", 0, 1 },
	{ "quality_reject", CONF_NUMBER, AT(fleet, quality_reject), "0.25", 0, 1 },
	{ "enable_monitoring", CONF_BOOL, AT(fleet, monitoring), "yes", ENV("ENABLE_MONITORING") },
	{ "data_dir", CONF_TEXT, AT(fleet, data_dir), "data" },
	{ "batch_size", CONF_INT, AT(fleet, batch_size), "100", 1, 10000, ENV("ETL_BATCH_SIZE") },
	{ "requests_per_minute", CONF_INT, AT(fleet, requests_per_minute), "60", 1, 60000,
	  ENV("ETL_REQUESTS_PER_MINUTE") },
	{ "max_retries", CONF_INT, AT(fleet, max_retries), "3", 0, 1000, ENV("ETL_MAX_RETRIES") },
	{ "heartbeat", CONF_DURATION, AT(fleet, heartbeat_s), "10s", 1e3, 600e3, .unit = S },
	{ "eta_hold", CONF_DURATION, AT(fleet, eta_hold_ms), "5s", 0, 600e3, .unit = MS },
	{ "max_message", CONF_SIZE, AT(fleet, max_message_bytes), "16M", 4096, 134217728 },
	{ "buffer", CONF_SIZE, AT(fleet, buffer_bytes), "32M", 65536, 4294967296 },
	{ "broker_consumer_timeout", CONF_DURATION, AT(fleet, consumer_timeout_ms), "30m",
	  10e3, YEAR_MS, .unit = MS },
	{ "lease", CONF_DURATION, AT(fleet, lease_ms), "15s", 1e3, 3600e3, .unit = MS },
	{ "result_expires", CONF_DURATION, AT(fleet, result_expires_s), "1d", 1e3, YEAR_MS, .unit = S },
	{ "ledger_keep", CONF_DURATION, AT(fleet, ledger_days), "7d", DAY_MS, YEAR_MS, .unit = DAY },
	{ "start_budget", CONF_INT, AT(fleet, start_budget), "3", 1, 50 },
	{ "shutdown", CONF_DURATION, AT(fleet, shutdown_ms), "0", 0, DAY_MS, .unit = MS },
	{ "events", CONF_BOOL, AT(fleet, events), "no" },
	{ "event_heartbeat", CONF_DURATION, AT(fleet, event_heartbeat_ms), "2s", 500, 60e3, .unit = MS },
	{ "result_extended", CONF_BOOL, AT(fleet, result_extended), "no" },
	{ "inherit_priority", CONF_BOOL, AT(fleet, inherit_priority), "no" },
	{ "join_timeout", CONF_DURATION, AT(fleet, join_timeout_ms), "1h", 1e3, DAY_MS * 7, .unit = MS },
	{ "queue_order", CONF_WORD, AT(fleet, queue_order), "priority",
	  .words = "priority strict weighted" },
	{ "idle_child", CONF_DURATION, AT(fleet, idle_child_ms), "30s", 1e3, DAY_MS, .unit = MS },
	{ "enqueue_timeout", CONF_DURATION, AT(fleet, enqueue_timeout_ms), "5s", 100, 600e3, .unit = MS },
	{ "spool_max", CONF_SIZE, AT(fleet, spool_max_bytes), "256M", 0, 1099511627776 },
	{ "lost_after", CONF_DURATION, AT(fleet, lost_after_ms), "60s", 1e3, DAY_MS, .unit = MS },
	{ "dead_letter_retry", CONF_DURATION, AT(fleet, dead_letter_retry_ms), "1h", 1e3, YEAR_MS,
	  .unit = MS },
	{ "dead_letter_retries", CONF_INT, AT(fleet, dead_letter_retries), "3", 0, 100 },
	{ "raw_copies", CONF_BOOL, AT(fleet, raw_copies), "yes" },
	{ "processed_copies", CONF_BOOL, AT(fleet, processed_copies), "yes" },
	{ "failed_copies", CONF_BOOL, AT(fleet, failed_copies), "yes" },
	{ "copies_keep", CONF_DURATION, AT(fleet, copies_days), "30d", DAY_MS, YEAR_MS, .unit = DAY },
	{ "expire_after", CONF_DURATION, AT(fleet, expire_after_s), "30d", 60e3, 10 * YEAR_MS, .unit = S },
	{ "load_subscribers", CONF_TEXT, AT(fleet, load_subscribers), "" },
	{ "salary_occupations", CONF_TEXT, AT(fleet, salary_occupations),
	  "Software Engineer; Data Scientist; Data Engineer; DevOps Engineer; Product Manager; "
	  "Project Manager; Security Analyst; Systems Analyst; Web Developer; UX Designer; "
	  "QA Engineer; Database Administrator; Network Architect; Engineering Manager; "
	  "Business Analyst; Research Scientist; Hardware Engineer; Technical Writer; "
	  "Sales Engineer; Marketing Manager" },
	{ "salary_locations", CONF_TEXT, AT(fleet, salary_locations),
	  "New York, NY; Los Angeles, CA; Chicago, IL; Dallas, TX; Houston, TX; Washington, DC; "
	  "Miami, FL; Philadelphia, PA; Atlanta, GA; Boston, MA; Phoenix, AZ; San Francisco, CA; "
	  "San Jose, CA; Seattle, WA; San Diego, CA; Denver, CO; Austin, TX; Minneapolis, MN; "
	  "Detroit, MI; Tampa, FL" },
	{ "embedding_url", CONF_HTTP_URL, AT(fleet, embedding_url), "" },
	{ "embedding_model", CONF_TEXT, AT(fleet, embedding_model), "text-embedding-3-small" },
	{ "embedding_key_variable", CONF_TEXT, AT(fleet, embedding_key_variable),
	  "JOBFLEET_EMBEDDING_KEY" },
	{ "embedding_batch", CONF_INT, AT(fleet, embedding_batch), "64", 1, 2048 },
	{ "alert_info_to", CONF_TEXT, AT(fleet, alert_to[CONF_ALERT_INFO]), "log" },
	{ "alert_warning_to", CONF_TEXT, AT(fleet, alert_to[CONF_ALERT_WARNING]), "log" },
	{ "alert_error_to", CONF_TEXT, AT(fleet, alert_to[CONF_ALERT_ERROR]), "log" },
	{ "alert_critical_to", CONF_TEXT, AT(fleet, alert_to[CONF_ALERT_CRITICAL]), "log" },
	{ "alert_every", CONF_DURATION, AT(fleet, alert_every_ms), "5s", 100, 3600e3, .unit = MS },
	{ "alert_repeat", CONF_DURATION, AT(fleet, alert_repeat_ms), "1d", 0, YEAR_MS, .unit = MS },
	{ "alert_escalate_after", CONF_DURATION, AT(fleet, alert_escalate_after_ms), "0", 0, YEAR_MS,
	  .unit = MS },
	{ "alert_escalate_to", CONF_TEXT, AT(fleet, alert_escalate_to), "" },
	{ "smtp_url", CONF_TEXT, AT(fleet, smtp_url), "" },
	{ "smtp_from", CONF_TEXT, AT(fleet, smtp_from), "" },
};

static const struct conf_key QUEUE[] = {
	{ "program", CONF_PROGRAM, AT(queue, program), "" },
	{ "max_priority", CONF_INT, AT(queue, max_priority), "10", 0, 255 },
	{ "prefetch", CONF_INT, AT(queue, prefetch), "0", 0, 10000 },
	{ "concurrency", CONF_RANGE, AT(queue, concurrency_min), "2", 1, 1000 },
	{ "max_tasks_per_child", CONF_INT, AT(queue, max_tasks_per_child), "0", 0, 1e9 },
	{ "max_memory_per_child", CONF_SIZE, AT(queue, max_memory_per_child), "0", 0, 1099511627776 },
	{ "type", CONF_WORD, AT(queue, type), "classic", .words = "classic quorum" },
	{ "weight", CONF_INT, AT(queue, weight), "1", 1, 1000 },
	{ "delivery_limit", CONF_INT, AT(queue, delivery_limit), "0", 0, 1000 },
	{ "instances", CONF_RANGE, AT(queue, instances_min), "1", 1, 100 },
	{ "scale_target", CONF_DURATION, AT(queue, scale_target_ms), "60s", 1e3, DAY_MS, .unit = MS },
	{ "scale_up_after", CONF_DURATION, AT(queue, scale_up_ms), "30s", 1e3, DAY_MS, .unit = MS },
	{ "scale_down_after", CONF_DURATION, AT(queue, scale_down_ms), "5m", 1e3, DAY_MS, .unit = MS },
};

static const struct conf_key TASK[] = {
	{ "queue", CONF_NAME, AT(task, queue), "" },
	{ "priority", CONF_INT, AT(task, priority), NULL, 0, 9 },
	{ "rate_limit", CONF_RATE, AT(task, rate_per_s), NULL },
	{ "rate_limit_at", CONF_WORD, AT(task, rate_at_fetch), "start", .words = "start fetch" },
	{ "rate_limit_scope", CONF_WORD, AT(task, rate_per_worker), "cluster", .words = "cluster worker" },
	{ "rate_limit_burst", CONF_INT, AT(task, rate_burst), "1", 1, 10000 },
	{ "concurrency_key", CONF_TEXT, AT(task, concurrency_key), "" },
	{ "concurrency_limit", CONF_INT, AT(task, concurrency_limit), "1", 1, 1000 },
	{ "soft_time_limit", CONF_DURATION, AT(task, soft_ms), NULL, 0, YEAR_MS, .unit = MS },
	{ "time_limit", CONF_DURATION, AT(task, hard_ms), NULL, 0, YEAR_MS, .unit = MS },
	{ "max_retries", CONF_INT, AT(task, max_retries), NULL, 0, 1000 },
	{ "retry_backoff", CONF_DURATION, AT(task, retry_backoff_ms), NULL, 0, YEAR_MS, .unit = MS },
	{ "retry_backoff_max", CONF_DURATION, AT(task, retry_backoff_max_ms), NULL, 0, YEAR_MS, .unit = MS },
	{ "retry_fixed", CONF_BOOL, AT(task, retry_fixed), "no" },
	{ "retry_on", CONF_WORD, AT(task, retry_on), "transient", .words = "transient any never" },
	{ "ledger", CONF_BOOL, AT(task, ledger), NULL },
	{ "redeliver", CONF_BOOL, AT(task, redeliver), NULL },
	{ "track_started", CONF_BOOL, AT(task, track_started), NULL },
	{ "ignore_result", CONF_BOOL, AT(task, ignore_result), NULL },
};

static const struct conf_key SCHEDULE[] = {
	{ "cron", CONF_CRON, AT(schedule, cron), "" },
	{ "every", CONF_DURATION, AT(schedule, every_ms), "0", 0, YEAR_MS, .unit = MS },
	{ "at", CONF_TEXT, AT(schedule, at), "" },
	{ "after", CONF_NAME, AT(schedule, after), "" },
	{ "delay", CONF_DURATION, AT(schedule, delay_ms), "0", 0, YEAR_MS, .unit = MS },
	{ "timezone", CONF_ZONE, AT(schedule, timezone), "UTC" },
	{ "task", CONF_NAME, AT(schedule, task), "" },
	{ "args", CONF_JSON_ARRAY, AT(schedule, args), "[]" },
	{ "kwargs", CONF_JSON_OBJECT, AT(schedule, kwargs), "{}" },
	{ "queue", CONF_NAME, AT(schedule, queue), "" },
	{ "priority", CONF_INT, AT(schedule, priority), NULL, 0, 9 },
	{ "overlap", CONF_WORD, AT(schedule, overlap), "skip", .words = "allow skip queue replace" },
	{ "catch_up", CONF_WORD, AT(schedule, catch_up), "skip", .words = "skip last all" },
	{ "catch_up_max", CONF_INT, AT(schedule, catch_up_max), "0", 0, 10000 },
	{ "jitter", CONF_DURATION, AT(schedule, jitter_ms), "0", 0, DAY_MS, .unit = MS },
	{ "condition", CONF_TEXT, AT(schedule, condition), "" },
	{ "max_retries", CONF_INT, AT(schedule, max_retries), NULL, 0, 1000 },
	{ "retry_distance", CONF_DURATION, AT(schedule, retry_distance_ms), "0", 0, DAY_MS, .unit = MS },
	{ "time_limit", CONF_DURATION, AT(schedule, limit_ms), "0", 0, YEAR_MS, .unit = MS },
	{ "enabled", CONF_BOOL, AT(schedule, enabled), "yes" },
};

static const struct conf_key SOURCE[] = {
	{ "base_url", CONF_HTTP_URL, AT(source, base_url), "" },
	{ "enabled", CONF_BOOL, AT(source, enabled), "yes" },
	{ "weight", CONF_NUMBER, AT(source, weight), "1", 0, 1 },
	{ "rate", CONF_RATE, AT(source, rate_per_s), NULL },
	{ "monthly_quota", CONF_INT, AT(source, monthly_quota), "0", 0, 1e9 },
	{ "daily_quota", CONF_INT, AT(source, daily_quota), "0", 0, 1e9 },
	{ "key_variable", CONF_VARIABLE, AT(source, key_variable), "" },
	{ "key_required", CONF_BOOL, AT(source, key_required), "no" },
	{ "timeout", CONF_DURATION, AT(source, timeout_ms), "30s", 100, 600e3, .unit = MS },
	{ "max_response", CONF_SIZE, AT(source, max_response_bytes), "64M", 1024, 1073741824 },
	{ "max_retries", CONF_INT, AT(source, max_retries), "3", 0, 100 },
	{ "page_budget", CONF_INT, AT(source, page_budget), "1", 1, 1000 },
	{ "path", CONF_PATH, AT(source, path), "" },
	{ "terms", CONF_TEXT, AT(source, terms), "" },
	{ "backup", CONF_NAME, AT(source, backup), "" },
	{ "boards", CONF_TEXT, AT(source, boards), "" },
	{ "id_variable", CONF_VARIABLE, AT(source, id_variable), "" },
	{ "fresh_for", CONF_DURATION, AT(source, fresh_for_ms), "24h", 0, 365 * 86400e3, .unit = MS },
};

static const struct conf_key ALERT[] = {
	{ "condition", CONF_TEXT, AT(alert, condition), "" },
	{ "level", CONF_WORD, AT(alert, level), "WARNING", .words = "INFO WARNING ERROR CRITICAL" },
	{ "for", CONF_DURATION, AT(alert, for_ms), "0", 0, YEAR_MS, .unit = MS },
	{ "to", CONF_TEXT, AT(alert, to), "" },
	{ "repeat", CONF_DURATION, AT(alert, repeat_ms), NULL, 0, YEAR_MS, .unit = MS },
	{ "escalate_after", CONF_DURATION, AT(alert, escalate_after_ms), NULL, 0, YEAR_MS, .unit = MS },
	{ "escalate_to", CONF_TEXT, AT(alert, escalate_to), "" },
	{ "enabled", CONF_BOOL, AT(alert, enabled), "yes" },
};

#define KIND(id, block, array, count) \
	[id] = { .name = #block, .titled = true, .keys = BLOCK_##id, .nkeys = COUNT(BLOCK_##id), \
		 .size = sizeof(struct conf_##block), .at = offsetof(struct conf, array), \
		 .count_at = offsetof(struct conf, count) }
#define BLOCK_CONF_QUEUE QUEUE
#define BLOCK_CONF_TASK TASK
#define BLOCK_CONF_SCHEDULE SCHEDULE
#define BLOCK_CONF_SOURCE SOURCE
#define BLOCK_CONF_ALERT ALERT

const struct conf_kind CONF_SCHEMA[CONF_KINDS] = {
	[CONF_FLEET] = { .name = "fleet", .keys = FLEET, .nkeys = COUNT(FLEET),
			 .size = sizeof(struct conf_fleet), .at = offsetof(struct conf, fleet) },
	KIND(CONF_QUEUE, queue, queues, nqueues),
	KIND(CONF_TASK, task, tasks, ntasks),
	KIND(CONF_SCHEDULE, schedule, schedules, nschedules),
	KIND(CONF_SOURCE, source, sources, nsources),
	KIND(CONF_ALERT, alert, alerts, nalerts),
};

const struct conf_kind *conf_kind_find(const char *name)
{
	for (size_t i = 0; i < CONF_KINDS; i++) {
		if (strcmp(CONF_SCHEMA[i].name, name) == 0)
			return &CONF_SCHEMA[i];
	}
	return NULL;
}

int conf_key_find(const struct conf_kind *kind, const char *name)
{
	for (size_t i = 0; i < kind->nkeys; i++) {
		if (strcmp(kind->keys[i].name, name) == 0)
			return (int)i;
	}
	return -1;
}

const char *conf_near_key(const struct conf_kind *kind, const char *text)
{
	struct near near;

	near_init(&near, text);
	for (size_t i = 0; i < kind->nkeys; i++)
		near_offer(&near, kind->keys[i].name);
	return near.word;
}

const char *conf_near_kind(const char *text)
{
	struct near near;

	near_init(&near, text);
	for (size_t i = 0; i < CONF_KINDS; i++)
		near_offer(&near, CONF_SCHEMA[i].name);
	near_offer(&near, "include");
	return near.word;
}
