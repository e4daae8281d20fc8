/* SPDX-License-Identifier: MIT */
/* Redis: version, rights, memory and what happens when it is full, persistence, clock. */
#include "common/base/clock.h"
#include "common/base/conf.h"
#include "common/base/err.h"
#include "common/base/mem.h"
#include "common/base/scan.h"
#include "common/store/redis.h"
#include "workers/ctl/checkup.h"
#include "workers/ctl/ctl.h"
#include "workers/ctl/doctor.h"

#define AREA "redis"

enum { MEMORY_WARN_PERCENT = 80 };

/* "key:value\r\n" of INFO; "" if it is not there. */
static void info_text(const char *info, const char *key, char *out, size_t size)
{
	size_t n = strlen(key);

	out[0] = '\0';
	for (const char *at = info; at && *at; at = strchr(at, '\n')) {
		at += *at == '\n';
		if (strncmp(at, key, n) == 0 && at[n] == ':') {
			snprintf(out, size, "%.*s", (int)strcspn(at + n + 1, "\r\n"), at + n + 1);
			return;
		}
	}
}

static int64_t info_number(const char *info, const char *key)
{
	char text[32];
	int64_t n = 0;

	info_text(info, key, text, sizeof text);
	scan_int64(text, 0, INT64_MAX, &n, NULL);
	return n;
}

static void check_memory(struct checkup *k, const char *info)
{
	int64_t used = info_number(info, "used_memory"), max = info_number(info, "maxmemory");
	char policy[32];
	bool evicts, full = max > 0 && used * 100 > max * MEMORY_WARN_PERCENT;

	info_text(info, "maxmemory_policy", policy, sizeof policy);
	evicts = *policy && strcmp(policy, "noeviction") != 0;
	checkup_add(k, AREA, "eviction", !evicts ? CHECKUP_OK : max > 0 ? CHECKUP_FAIL :
		    CHECKUP_WARN,
		    evicts ? "CONFIG SET maxmemory-policy noeviction: when it is full, Redis would"
			     " throw away results, joins and limits instead of saying so."
			   : NULL,
		    "maxmemory-policy %s", *policy ? policy : "not told");
	checkup_add(k, AREA, "memory", full ? CHECKUP_WARN : CHECKUP_OK,
		    full ? "Raise maxmemory, or shorten result_expires." : NULL,
		    max > 0 ? "%lld MiB of %lld MiB used" : "%lld MiB used, no maxmemory",
		    (long long)used >> 20, (long long)max >> 20);
}

static void check_persistence(struct checkup *k, struct redis *r, const char *info)
{
	struct redis_reply *reply = NULL;
	bool aof = info_number(info, "aof_enabled") == 1, saves = true;
	char last[16];

	info_text(info, "rdb_last_bgsave_status", last, sizeof last);
	/* a managed Redis may not let us look */
	if (redis_cmd(r, &reply, NULL, "CONFIG", "GET", "save", NULL) == 0 &&
	    reply->type == REDIS_ARRAY && reply->nitems == 2)
		saves = reply->items[1]->len > 0;
	redis_reply_free(reply);
	if (strcmp(last, "err") == 0)
		checkup_add(k, AREA, "persistence", CHECKUP_FAIL,
			    "See its log; with stop-writes-on-bgsave-error it refuses writes.",
			    "the last snapshot failed");
	else if (!aof && !saves)
		checkup_add(k, AREA, "persistence", CHECKUP_WARN,
			    "A restart loses results and limits; the ledger keeps outcomes, and"
			    " joins are rebuilt from it. appendonly yes keeps them.",
			    "neither append-only file nor snapshots");
	else
		checkup_add(k, AREA, "persistence", CHECKUP_OK, NULL, "%s",
			    aof ? "append-only file" : "snapshots");
}

static void check_rights(struct checkup *k, struct redis *r, const char *prefix)
{
	char *key = mem_printf("%sdoctor", prefix);
	struct err e = { 0 };
	int n = redis_cmd(r, NULL, &e, "EVAL",
			  "redis.call('SETEX', KEYS[1], 10, '1'); redis.call('PUBLISH', KEYS[1],"
			  " '1'); return redis.call('DEL', KEYS[1])", "1", key, NULL);

	checkup_add(k, AREA, "rights", n == 0 ? CHECKUP_OK : CHECKUP_FAIL,
		    n == 0 ? NULL : "The user needs ~* &* +@all but +@admin and +@dangerous.",
		    "%s", n == 0 ? "scripts, keys and channels work" : e.msg);
	free(key);
}

static void check_clock(struct checkup *k, struct redis *r)
{
	struct redis_reply *reply = NULL;
	int64_t before = clock_wall_us(), after, s = 0, us = 0;
	int n = redis_cmd(r, &reply, NULL, "TIME", NULL);

	after = clock_wall_us();
	if (n == 0 && reply->type == REDIS_ARRAY && reply->nitems == 2 &&
	    scan_int64(reply->items[0]->str, 0, INT64_MAX / 2000000, &s, NULL) == 0 &&
	    scan_int64(reply->items[1]->str, 0, 999999, &us, NULL) == 0)
		doctor_clock(k, AREA, s * 1000000 + us, before, after);
	redis_reply_free(reply);
}

/* Without a password or a database connecting alone says nothing yet. A user without the right to
 * PING is in nevertheless: check_rights names what it lacks. */
static int log_in(struct ctl *c, struct redis **ret, struct err *e)
{
	int n = ctl_redis(c, ret, e);

	if (n == 0)
		n = redis_cmd(*ret, NULL, e, "PING", NULL);
	return n == -ERR_REFUSED && strstr(e->msg, "NOPERM") ? 0 : n;
}

void doctor_redis(struct checkup *k, struct ctl *c)
{
	struct redis_reply *info = NULL;
	struct redis *r = NULL;
	struct err e = { 0 };
	char version[32];

	if (log_in(c, &r, &e) < 0) {
		checkup_add(k, AREA, "login", CHECKUP_FAIL,
			    "Is it running, and JOBFLEET_REDIS_URL right?", "%s", e.msg);
		return;
	}
	checkup_add(k, AREA, "login", CHECKUP_OK, NULL, "as JOBFLEET_REDIS_URL says");
	if (redis_cmd(r, &info, &e, "INFO", NULL) == 0 && info->type == REDIS_STRING) {
		info_text(info->str, "redis_version", version, sizeof version);
		checkup_add(k, AREA, "version", CHECKUP_OK, NULL, "%s", version);
		check_memory(k, info->str);
		check_persistence(k, r, info->str);
	} else {
		checkup_add(k, AREA, "memory", CHECKUP_UNKNOWN, NULL, "INFO: %s", e.msg);
	}
	redis_reply_free(info);
	check_rights(k, r, c->conf->fleet.redis_prefix);
	check_clock(k, r);
}
