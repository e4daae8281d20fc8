/* SPDX-License-Identifier: MIT */
/* Health of what runs on the services: programs, sources, the host, the data. */
#include <sys/statvfs.h>

#include "common/base/buf.h"
#include "common/base/clock.h"
#include "common/base/conf.h"
#include "common/base/err.h"
#include "common/base/mem.h"
#include "common/base/vitals.h"
#include "common/broker/publisher.h"
#include "common/store/pg.h"
#include "common/worker/health_private.h"

#define AWAY "the database is away"
#define US(t) "coalesce((extract(epoch FROM " t ") * 1000000)::bigint, 0)"

enum { QUOTA_LOW_PERCENT = 80, SUCCESS_LOW_PERCENT = 90, MEMORY_LOW_PERCENT = 10,
       DISK_LOW_PERCENT = 10, LAST_PERCENT = 2, LOAD_HIGH = 4, DEPTH_MS = 1000,
       DISPATCHER_S = 10 };	/* a dispatcher's rows come so often whatever heartbeat says */

static const struct {
	const char *component, *program;
} PROGRAMS[] = {
	{ "dispatcher", "dispatcher" }, { "collector", "collection" },
	{ "processor", "processing" }, { "loader", "loading" }, { "salary", "salary" },
	{ "confidence", "confidence" },
};

/* ---- programs ---- */

/* Silent: it did not say that it stops, and was there within the last day. */
static const char SQL_PROGRAM[] =
	"SELECT count(*) FILTER (WHERE state IN ('running', 'starting', 'draining') AND alive),"
	" count(*) FILTER (WHERE state <> 'stopped' AND NOT alive AND seen_at > now() - interval '1 day'),"
	" count(*) FILTER (WHERE state = 'starting' AND alive), " US("max(seen_at)")
	" FROM (SELECT *, seen_at > now() - 3 * $2::int * interval '1 s' AS alive"
	"  FROM jobfleet.workers WHERE program = $1) w";

struct crew {
	int64_t live, silent, starting, seen_us;
};

static int read_crew(struct health *h, const char *program, struct crew *ret)
{
	struct pg_rows *rows = NULL;
	struct err e;
	int beat_s = strcmp(program, "dispatcher") == 0 ? DISPATCHER_S :
		h->conf->fleet.heartbeat_s;
	int64_t n = pg_run(h->pg, SQL_PROGRAM,
			   PG_PARAMS(PG_TEXT(program), PG_INT(beat_s)), &rows, &e);

	if (n > 0)
		*ret = (struct crew){ pg_int(rows, 0, 0), pg_int(rows, 0, 1), pg_int(rows, 0, 2),
				      pg_int(rows, 0, 3) };
	pg_rows_free(rows);
	return n > 0 ? 0 : -1;
}

/* Messages ready in queues of a program from which nobody consumes. */
static int64_t abandoned(struct health *h, const char *program)
{
	int64_t sum = 0, ready, consumers;

	for (size_t i = 0; i < h->conf->nqueues && h->publisher; i++) {
		const struct conf_queue *q = &h->conf->queues[i];

		if (strcmp(q->program, program) == 0 &&
		    publisher_queue_depth(h->publisher, q->name, &ready, &consumers, DEPTH_MS,
					  NULL) == 0 && consumers == 0)
			sum += ready;
	}
	return sum;
}

static void judge_crew(struct health *h, struct health_report *r, const char *name,
		       const char *program, const struct crew *c)
{
	int64_t left = c->live > 0 ? 0 : abandoned(h, program);

	if (c->live > 0 && c->live == c->starting)
		health_add(r, name, true, HEALTH_DEGRADED, c->seen_us, "it is starting");
	else if (c->live > 0 && c->silent > 0)
		health_add(r, name, true, HEALTH_DEGRADED, c->seen_us,
			   "%lld running, %lld silent for three heartbeats", (long long)c->live,
			   (long long)c->silent);
	else if (c->live > 0)
		health_add(r, name, true, HEALTH_OK, c->seen_us, "%lld running",
			   (long long)c->live);
	else if (left > 0)
		health_add(r, name, true, HEALTH_FAILED, c->seen_us,
			   "none is running, and %lld messages wait", (long long)left);
	else if (c->silent > 0)
		health_add(r, name, true, HEALTH_FAILED, c->seen_us,
			   "%lld silent for three heartbeats, none is running",
			   (long long)c->silent);
	else
		health_add(r, name, true, HEALTH_DEGRADED, c->seen_us, "none is running");
}

void health_programs(struct health *h, struct health_report *r, bool database)
{
	for (size_t i = 0; i < COUNT(PROGRAMS); i++) {
		struct crew crew = { 0 };

		if (!database || read_crew(h, PROGRAMS[i].program, &crew) < 0)
			health_add(r, PROGRAMS[i].component, true, HEALTH_UNKNOWN, 0, AWAY);
		else
			judge_crew(h, r, PROGRAMS[i].component, PROGRAMS[i].program, &crew);
	}
}

/* ---- sources ---- */

static const char SQL_SOURCES[] =
	"SELECT f.source, f.calls, f.success_rate, f.mean_s, f.quota_used, f.circuit, f.failures,"
	" f.parked_until IS NOT NULL, coalesce(f.reason, ''), f.parked_until = 'infinity',"
	" to_char(f.parked_until, 'YYYY-MM-DD HH24:MI TZ'),"
	" (SELECT " US("max(c.minute)") " FROM jobfleet.source_calls c"
	"  WHERE c.source = f.source AND c.calls > c.failed), f.day_used, f.day_allowed,"
	" f.month_used, f.month_allowed FROM jobfleet.source_figures(now(), interval '1 hour') f";

enum { SOURCE, CALLS, SUCCESS, MEAN, QUOTA, CIRCUIT, FAILURES, PARKED, REASON, FOREVER, UNTIL,
       PROOF, DAY_USED, DAY, MONTH_USED, MONTH };

static void judge_quota(struct health_report *r, const char *name, const struct pg_rows *f,
			size_t i)
{
	double used = pg_num(f, i, QUOTA);
	bool month = pg_cell(f, i, MONTH) != NULL, parked = pg_bool(f, i, PARKED) &&
		strncmp(pg_text(f, i, REASON), "quota", 5) == 0;

	if (parked)
		health_add(r, name, false, HEALTH_FAILED, pg_int(f, i, PROOF), "%s, until %s",
			   pg_text(f, i, REASON), pg_text(f, i, UNTIL));
	else if (!pg_cell(f, i, QUOTA))
		health_add(r, name, false, HEALTH_OK, pg_int(f, i, PROOF), "no bound is known");
	else
		health_add(r, name, false, used >= 1 ? HEALTH_FAILED :
			   used * 100 >= QUOTA_LOW_PERCENT ? HEALTH_DEGRADED : HEALTH_OK,
			   pg_int(f, i, PROOF), "%.0f %% used: %s of %s calls this %s", used * 100,
			   pg_text(f, i, month ? MONTH_USED : DAY_USED),
			   pg_text(f, i, month ? MONTH : DAY), month ? "month" : "day");
}

static void judge_calls(struct health_report *r, const char *name, const struct pg_rows *f,
			size_t i)
{
	int64_t calls = pg_int(f, i, CALLS), proof = pg_int(f, i, PROOF);
	double success = pg_num(f, i, SUCCESS);

	if (strcmp(pg_text(f, i, CIRCUIT), "open") == 0)
		health_add(r, name, false, HEALTH_FAILED, proof,
			   "circuit open after %lld failures in a row",
			   (long long)pg_int(f, i, FAILURES));
	else if (pg_bool(f, i, PARKED))
		health_add(r, name, false, HEALTH_FAILED, proof, "parked %s%s: %s",
			   pg_bool(f, i, FOREVER) ? "until somebody acts" : "until ",
			   pg_bool(f, i, FOREVER) ? "" : pg_text(f, i, UNTIL),
			   pg_text(f, i, REASON));
	else if (calls == 0)
		health_add(r, name, false, HEALTH_UNKNOWN, proof, "not called in the last hour");
	else
		health_add(r, name, false, success * 100 < SUCCESS_LOW_PERCENT ? HEALTH_DEGRADED :
			   HEALTH_OK, proof, "%lld calls in the last hour, %.1f %% answered, "
			   "%.0f ms each", (long long)calls, success * 100,
			   pg_num(f, i, MEAN) * 1000);
}

static void judge_source(struct health_report *r, const char *source, const struct pg_rows *f)
{
	size_t i = 0, n = pg_rows_count(f);
	char quota[96], calls[96];

	snprintf(quota, sizeof quota, "api_quota:%s", source);
	snprintf(calls, sizeof calls, "api_connectivity:%s", source);
	while (i < n && strcmp(pg_text(f, i, SOURCE), source) != 0)
		i++;
	if (i == n) {
		health_add(r, quota, false, HEALTH_OK, 0, "no call was counted");
		health_add(r, calls, false, HEALTH_UNKNOWN, 0, "never called");
		return;
	}
	judge_quota(r, quota, f, i);
	judge_calls(r, calls, f, i);
}

void health_sources(struct health *h, struct health_report *r, bool database)
{
	struct pg_rows *rows = NULL;
	char name[96];
	bool known = database && pg_run(h->pg, SQL_SOURCES, NULL, 0, &rows, NULL) >= 0;

	for (size_t i = 0; i < h->conf->nsources; i++) {
		const struct conf_source *s = &h->conf->sources[i];

		if (!s->enabled)
			continue;
		if (known) {
			judge_source(r, s->name, rows);
			continue;
		}
		snprintf(name, sizeof name, "api_quota:%s", s->name);
		health_add(r, name, false, HEALTH_UNKNOWN, 0, AWAY);
		snprintf(name, sizeof name, "api_connectivity:%s", s->name);
		health_add(r, name, false, HEALTH_UNKNOWN, 0, AWAY);
	}
	pg_rows_free(rows);
}

/* ---- the host ---- */

/* data_dir, or the folder that it will be made in. */
static int free_percent(const char *dir)
{
	struct statvfs fs;

	if (statvfs(dir, &fs) < 0 && statvfs(".", &fs) < 0)
		return -1;
	return fs.f_blocks > 0 ? (int)(100 * fs.f_bavail / fs.f_blocks) : -1;
}

void health_host(const struct health *h, struct health_report *r)
{
	int disk = free_percent(h->conf->fleet.data_dir), memory;
	enum health_state state = HEALTH_OK;
	struct vitals_host v;
	char text[40];

	vitals_host(&v);
	memory = v.memory_kib > 0 ? (int)(100 * v.memory_free_kib / v.memory_kib) : 100;
	if ((disk >= 0 && disk < LAST_PERCENT) || memory < LAST_PERCENT)
		state = HEALTH_FAILED;
	else if ((disk >= 0 && disk < DISK_LOW_PERCENT) || memory < MEMORY_LOW_PERCENT ||
		 v.load > LOAD_HIGH)
		state = HEALTH_DEGRADED;
	snprintf(text, sizeof text, "memory %d %% free, ", memory);
	health_add(r, "system_resources", false, state, r->taken_us,
		   "%sdisk of data_dir %d %% free, load %.2f for each processor",
		   v.memory_kib > 0 ? text : "", disk, v.load);
}

/* ---- the data ---- */

static const char SQL_DATA[] =
	"SELECT q.processed + q.refused, q.completeness, q.consistency, q.duplicates, q.error_rate,"
	" q.quality_score, (SELECT " US("max(completed_at)") " FROM public.job_processing_log)"
	" FROM jobfleet.quality_figures(now(), interval '24 hours') q WHERE q.source IS NULL";

/* Appends ", completeness 71.0 % (80 % asked for)" when a share is on the wrong side. */
static void miss(struct buf *b, const char *name, const struct pg_rows *f, int col, double bound,
		 bool at_most)
{
	double v = pg_num(f, 0, col);

	if (!pg_cell(f, 0, col) || (at_most ? v <= bound : v >= bound))
		return;
	buf_printf(b, "%s%s %.1f %% (%s %.0f %%)", b->len ? ", " : "", name, v * 100,
		   at_most ? "at most" : "at least", bound * 100);
}

static void judge_data(const struct health *h, struct health_report *r, const struct pg_rows *f)
{
	const struct conf_fleet *fleet = &h->conf->fleet;
	int64_t rows = pg_int(f, 0, 0), proof = pg_int(f, 0, 6);
	struct buf b;

	buf_init(&b, HEALTH_REASON_BYTES);
	miss(&b, "completeness", f, 1, fleet->quality_completeness, false);
	miss(&b, "consistency", f, 2, fleet->quality_consistency, false);
	miss(&b, "duplicates", f, 3, fleet->quality_duplicates, true);
	miss(&b, "validation errors", f, 4, fleet->quality_errors, true);
	if (rows == 0)
		health_add(r, "data_quality", false, HEALTH_UNKNOWN, proof,
			   "nothing was processed in the last 24 hours");
	else if (b.len > 0)
		health_add(r, "data_quality", false, HEALTH_DEGRADED, proof, "%s", buf_text(&b));
	else
		health_add(r, "data_quality", false, HEALTH_OK, proof,
			   "%lld postings in the last 24 hours, completeness %.1f %%, score %.2f",
			   (long long)rows, pg_num(f, 0, 1) * 100, pg_num(f, 0, 5));
	buf_release(&b);
}

void health_data(struct health *h, struct health_report *r, bool database)
{
	struct pg_rows *rows = NULL;

	if (database && pg_run(h->pg, SQL_DATA, NULL, 0, &rows, NULL) > 0)
		judge_data(h, r, rows);
	else
		health_add(r, "data_quality", false, HEALTH_UNKNOWN, 0, AWAY);
	pg_rows_free(rows);
}
