/* SPDX-License-Identifier: MIT */
/* scheduled: what waits in jobfleet.pending for its time, or for somebody to release it. */
#include "common/base/err.h"
#include "common/base/json.h"
#include "common/base/mem.h"
#include "common/base/scan.h"
#include "common/store/pg.h"
#include "workers/ctl/args.h"
#include "workers/ctl/ctl.h"
#include "workers/ctl/table.h"

enum { LIMIT_DEFAULT = 50, LIMIT_MAX = 100000, COL_TOTAL = 14 };

static const char SQL[] =
	"SELECT CASE WHEN isfinite(due) THEN to_char(due, 'YYYY-MM-DD HH24:MI:SS')"
	"  ELSE 'when released' END,"
	" CASE WHEN isfinite(due) THEN to_json(due)#>>'{}' END,"
	" CASE WHEN isfinite(due) THEN round(extract(epoch FROM due - clock_timestamp()), 1) END,"
	" kind, task, queue, task_id, generation, retries, hop, priority, attempts, reason,"
	" to_json(created_at)#>>'{}', count(*) OVER ()"
	" FROM jobfleet.pending WHERE state = 'waiting'"
	" AND ($1::text IS NULL OR task = $1 OR task LIKE '%.' || $1)"
	" AND ($2::text IS NULL OR queue = $2) AND ($3::text IS NULL OR kind = $3)"
	" ORDER BY due, id LIMIT $4";

/* as the statement's; the total of its last column stands apart */
static const struct table_column COLUMNS[] = {
	{ "due (UTC)", NULL, TABLE_TEXT },
	{ NULL, "due", TABLE_TEXT },
	{ "in s", "in_s", TABLE_NUMBER },
	{ "kind", "kind", TABLE_TEXT },
	{ "task", "task", TABLE_TEXT },
	{ "queue", "queue", TABLE_TEXT },
	{ "task id", "task_id", TABLE_TEXT },
	{ NULL, "generation", TABLE_NUMBER },
	{ NULL, "retries", TABLE_NUMBER },
	{ NULL, "hop", TABLE_NUMBER },
	{ NULL, "priority", TABLE_NUMBER },
	{ NULL, "attempts", TABLE_NUMBER },
	{ "reason", "reason", TABLE_TEXT },
	{ NULL, "created_at", TABLE_TEXT },
};

static void print_json(const struct table *t, int64_t total)
{
	cJSON *o = mem_check(cJSON_CreateObject());
	char *text;

	json_set_num(o, "total", (double)total);
	json_set(o, "scheduled", table_json(t));
	text = json_print(o);
	printf("%s\n", text);
	free(text);
	cJSON_Delete(o);
}

static void show(const struct ctl *c, const struct pg_rows *rows)
{
	int64_t total = pg_rows_count(rows) ? pg_int(rows, 0, COL_TOTAL) : 0;
	struct table *t = table_new(COLUMNS, COUNT(COLUMNS));

	table_put_rows(t, rows);
	if (c->json) {
		print_json(t, total);
	} else {
		table_print(t, "nothing waits", stdout);
		if (total > 0)
			printf("\n%lld wait, %zu shown\n", (long long)total, table_rows(t));
	}
	table_free(t);
}

int scheduled_main(struct ctl *c, int argc, char **argv, struct err *e)
{
	const char *task = NULL, *queue = NULL, *kind = NULL, *limit = NULL;
	const struct args_option options[] = {
		{ "task", "NAME", "only this task's", &task, NULL },
		{ "queue", "NAME", "only what goes to this queue", &queue, NULL },
		{ "kind", "KIND", "eta, retry, parked, claim, enqueued or outbox", &kind, NULL },
		{ "limit", "N", "the next N; 50", &limit, NULL },
		CTL_JSON_OPTION(c), CTL_CONFIG_OPTION(c),
	};
	const struct args args = {
		.usage = "scheduled [OPTION...]",
		.about =
			"Lists what waits in PostgreSQL, next first: for its ETA, for a retry,"
			" parked by a limit or\n"
			"a pause, claimed by a worker as a long task (due when the lease"
			" ends), or on its way out.",
		.options = options,
		.noptions = COUNT(options),
		.least = 0,
		.most = 0,
	};
	struct pg_rows *rows = NULL;
	char **operands;
	int n = LIMIT_DEFAULT, r = args_parse(&args, argc, argv, &operands, e);

	if (r != 0)
		return r < 0 ? r : CTL_OK;
	if (limit && scan_int(limit, 1, LIMIT_MAX, &n, e) < 0)
		return err_prefix(e, "--limit");
	r = ctl_query(c, SQL, PG_PARAMS(PG_TEXT(task), PG_TEXT(queue), PG_TEXT(kind), PG_INT(n)),
		      &rows, e);
	if (r < 0)
		return r;
	show(c, rows);
	pg_rows_free(rows);
	return CTL_OK;
}
