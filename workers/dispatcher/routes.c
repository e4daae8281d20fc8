/* SPDX-License-Identifier: MIT */
#include "workers/dispatcher/routes.h"

#include "common/base/conf.h"
#include "common/base/err.h"
#include "common/base/json.h"
#include "common/base/mem.h"
#include "common/store/pg.h"

static const char SQL_WRITE[] =
	"WITH wanted AS (SELECT * FROM jsonb_to_recordset($1::jsonb)"
	" AS w (task text, queue text, priority smallint)),"
	" gone AS (DELETE FROM jobfleet.routes WHERE task NOT IN (SELECT task FROM wanted))"
	" INSERT INTO jobfleet.routes AS r (task, queue, priority)"
	" SELECT task, queue, priority FROM wanted"
	" ON CONFLICT (task) DO UPDATE SET queue = excluded.queue, priority = excluded.priority"
	" WHERE (r.queue, r.priority) IS DISTINCT FROM (excluded.queue, excluded.priority)";

static char *print_routes(const struct conf *conf)
{
	cJSON *list = mem_check(cJSON_CreateArray());
	char *text;

	for (size_t i = 0; i < conf->ntasks; i++) {
		const struct conf_task *task = &conf->tasks[i];
		const char *queue = conf_route(conf, task->name);
		cJSON *row;

		if (!queue || !*queue)
			continue;
		row = mem_check(cJSON_CreateObject());
		json_set_str(row, "task", task->name);
		json_set_str(row, "queue", queue);
		if (task->priority != CONF_UNSET)
			json_set_num(row, "priority", task->priority);
		cJSON_AddItemToArray(list, row);
	}
	text = json_print(list);
	cJSON_Delete(list);
	return text;
}

int routes_write(struct pg *pg, const struct conf *conf, struct err *e)
{
	char *routes = print_routes(conf);
	int64_t n = pg_run(pg, SQL_WRITE, PG_PARAMS(PG_TEXT(routes)), NULL, e);

	free(routes);
	return n < 0 ? (int)n : 0;
}
