/* SPDX-License-Identifier: MIT */
#include "workers/loading/tell.h"

#include <string.h>

#include "common/base/buf.h"
#include "common/base/conf.h"
#include "common/base/err.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/store/pg.h"
#include "common/worker/run.h"

enum { KWARGS_MAX = 256 * 1024, NAME_MAX_BYTES = 256 };

static const char SQL_NOTIFY[] =
	"SELECT pg_notify('jobfleet_loaded', jsonb_build_object('processing_id', $1::text,"
	" 'collection_id', $2::text, 'run_id', $3::text, 'inserted', $4::int, 'updated', $5::int,"
	" 'job_ids', (SELECT coalesce(jsonb_agg(job_id), '[]') FROM (SELECT job_id"
	" FROM pg_temp.load_staging WHERE outcome IN ('inserted', 'updated')"
	" ORDER BY job_index LIMIT $6::int) AS ids))::text)";

/* One row for each call of a subscriber. */
static const char SQL_PARTS[] =
	"SELECT jsonb_agg(job_id ORDER BY job_index) FROM (SELECT job_id, job_index,"
	" (row_number() OVER (ORDER BY job_index) - 1) / $1::int AS part"
	" FROM pg_temp.load_staging WHERE outcome IN ('inserted', 'updated')) AS ids"
	" GROUP BY part ORDER BY part";

static int notify(const struct tidings *t, struct err *e)
{
	int64_t r = pg_run(t->pg, SQL_NOTIFY,
			   PG_PARAMS(PG_TEXT(t->processing_id), PG_TEXT(t->collection_id),
				     PG_TEXT(t->run_id), PG_INT(t->inserted), PG_INT(t->updated),
				     PG_INT(TELL_NOTIFY_IDS)), NULL, e);

	return r < 0 ? (int)r : 0;
}

/* A load does not fail for a listener that is named wrongly. */
static int forgive(const char *task, int r, const struct err *e)
{
	if (r != -ERR_INVALID)
		return r;
	log_error("not called after a load task=%s: %s", task, e->msg);
	return 0;
}

static int call_subscriber(struct run *run, const struct tidings *t, const char *task,
			   const struct pg_rows *parts, struct err *e)
{
	size_t n = pg_rows_count(parts);
	struct buf kwargs;
	int r = 0;

	buf_init(&kwargs, KWARGS_MAX);
	for (size_t i = 0; r >= 0 && i < n; i++) {
		buf_clear(&kwargs);
		buf_puts(&kwargs, "{\"run_id\": ");
		if (*t->run_id)
			buf_put_json_string(&kwargs, t->run_id);
		else
			buf_puts(&kwargs, "null");
		buf_printf(&kwargs, ", \"processing_id\": \"%s\", \"part\": %zu, \"parts\": %zu,"
			   " \"job_ids\": %s}", t->processing_id, i + 1, n, pg_text(parts, i, 0));
		r = run_enqueue(run, &(struct run_enqueue){ .task = task, .priority = -1,
							    .kwargs = buf_text(&kwargs) }, NULL, e);
	}
	buf_release(&kwargs);
	return forgive(task, r, e);
}

static int call_subscribers(struct run *run, const struct tidings *t, const char *names,
			    struct err *e)
{
	struct pg_rows *parts = NULL;
	char name[NAME_MAX_BYTES];
	int64_t r = pg_run(t->pg, SQL_PARTS, PG_PARAMS(PG_INT(TELL_TASK_IDS)), &parts, e);

	while (r >= 0 && *(names += strspn(names, ", \t\n"))) {
		size_t len = strcspn(names, ", \t\n");

		snprintf(name, sizeof name, "%.*s", (int)len, names);
		names += len;
		r = call_subscriber(run, t, name, parts, e);
	}
	pg_rows_free(parts);
	return r < 0 ? (int)r : 0;
}

static int ask_settling(struct run *run, const struct tidings *t, struct err *e)
{
	char *args = mem_printf("[\"%s\"]", t->processing_id);
	int r = run_enqueue(run, &(struct run_enqueue){ .task = "jobfleet.settle_load",
							.args = args, .priority = -1 }, NULL, e);

	free(args);
	return forgive("jobfleet.settle_load", r, e);
}

int tell(struct run *run, const struct tidings *t, struct err *e)
{
	const struct conf *conf = run_conf(run);
	struct err own = { 0 };
	int r = notify(t, &own);

	if (r == 0 && t->inserted + t->updated > 0) {
		if (conf && *conf->fleet.load_subscribers)
			r = call_subscribers(run, t, conf->fleet.load_subscribers, &own);
		if (r == 0)
			r = ask_settling(run, t, &own);
	}
	if (r < 0 && e)
		*e = own;
	return r;
}
