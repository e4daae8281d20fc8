/* SPDX-License-Identifier: MIT */
#include "common/worker/keeper_parked.h"

#include "common/base/clock.h"
#include "common/base/json.h"
#include "common/base/mem.h"
#include "common/broker/message.h"
#include "common/store/pg.h"
#include "common/worker/info.h"
#include "common/worker/stores.h"

enum { PATIENCE_MS = 2000 };

static const char SQL[] =
	"SELECT task_id, task, queue, (extract(epoch FROM due) * 1000000)::bigint, props, body,"
	" coalesce(priority, 0)"
	" FROM jobfleet.pending WHERE state = 'waiting' AND kind IN ('eta', 'retry', 'enqueued')"
	" AND queue = ANY ($1::text[]) AND due > clock_timestamp() AND due < 'infinity'"
	" AND octet_length(body) <= $2 ORDER BY due, id LIMIT 500";

/* Rows that SQL made have no properties: their body is JSON. */
static void read_message(struct message *m, const struct pg_rows *rows, size_t row)
{
	size_t props_len = 0, body_len = 0;
	char *props = pg_bytea(rows, row, 4, &props_len);
	char *body = pg_bytea(rows, row, 5, &body_len);

	if (props) {
		message_decode(m, props, props_len, body ? body : "", body_len, NULL);
	} else {
		message_clear(m);
		m->content_type = "application/json";
		m->content_encoding = "utf-8";
		m->priority = (int)pg_int(rows, row, 6);
		message_take_body(m, mem_dup(body ? body : "", body_len), body_len);
	}
	free(props);
	free(body);
}

static cJSON *entry(struct message *m, const struct pg_rows *rows, size_t row, const char *node)
{
	struct info i = {
		.id = pg_text(rows, row, 0), .type = pg_text(rows, row, 1), .node = node,
		.queue = pg_text(rows, row, 2), .acknowledged = true,
	};
	cJSON *o = cJSON_CreateObject();
	char when[CLOCK_ISO_SIZE];

	read_message(m, rows, row);
	i.priority = m->priority > 0 ? m->priority : 0;
	clock_iso(pg_int(rows, row, 3), when);
	json_set_str(o, "eta", when);
	json_set_num(o, "priority", 6);		/* of Celery's timer */
	json_set(o, "request", info_message(m, &i));
	return o;
}

int keeper_parked(struct stores *stores, const char *queues, const char *node, char **ret,
		  struct err *e)
{
	cJSON *list;
	struct message m;
	struct pg_rows *rows = NULL;
	struct pg *pg;
	int64_t r = stores_pg(stores, &pg, e);

	if (r < 0)
		return (int)r;
	pg_set_deadline(pg, clock_mono_ms() + PATIENCE_MS);
	r = pg_run(pg, SQL, PG_PARAMS(PG_TEXT(queues), PG_INT(INFO_ARGUMENTS_MAX)), &rows, e);
	pg_set_deadline(pg, 0);
	if (r < 0)
		return (int)r;
	list = cJSON_CreateArray();
	message_init(&m);
	for (size_t i = 0; i < pg_rows_count(rows); i++)
		cJSON_AddItemToArray(list, entry(&m, rows, i, node));
	message_release(&m);
	pg_rows_free(rows);
	*ret = json_print(list);
	cJSON_Delete(list);
	return 0;
}
