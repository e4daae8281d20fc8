/* SPDX-License-Identifier: MIT */
#include "workers/dispatcher/expiry.h"

#include <stdbool.h>

#include "common/base/buf.h"
#include "common/base/clock.h"
#include "common/base/err.h"
#include "common/base/json.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/broker/message.h"
#include "common/broker/publisher.h"
#include "common/store/ledger.h"
#include "common/store/pg.h"
#include "common/store/result.h"

#define STORE_MS 5000
#define PUBLISH_MS 3000
#define MAX_META_BYTES 16384
#define MAX_BODY_BYTES (16 << 20)

static const char SQL_RESULT[] =
	"INSERT INTO jobfleet.result_backlog (task_id, generation, retries, final, meta)"
	" VALUES ($1, $2::integer, $3::integer, true, $4)";

static bool is_chord_part(const struct message *m)
{
	char *text = NULL, *args = NULL, *kwargs = NULL, *embed = NULL, *chord = NULL;
	size_t len = 0;
	bool found = false;

	if (message_text(m, MAX_BODY_BYTES, &text, &len, NULL) == 0 &&
	    message_split(text, len, &args, &kwargs, &embed, NULL) == 0)
		found = json_raw_member(embed, strlen(embed), "chord", &chord, NULL) == 1;
	free(chord);
	free(embed);
	free(kwargs);
	free(args);
	free(text);
	return found;
}

static int send_back(struct message *m, const char *queue, struct publisher *p, struct err *e)
{
	char now[CLOCK_ISO_SIZE];

	if (!p)
		return err_set(e, ERR_BROKER, "RabbitMQ is away");
	clock_iso(clock_wall_us(), now);
	if (!m->expires)
		m->expires = message_strdup(m, now);
	m->expiration = NULL;
	return publisher_publish(p, queue, m, PUBLISH_MS, e);
}

static char *print_meta(const struct message *m)
{
	struct result result = { .task_id = m->id, .status = "REVOKED", .group_id = m->group,
				 .parent_id = m->parent_id, .generation = m->generation,
				 .retries = m->retries };
	struct buf error, meta;

	buf_init(&error, MAX_META_BYTES);
	buf_init(&meta, 2 * MAX_META_BYTES);
	result_print_error(&error, "TaskRevokedError", "expired", "celery.exceptions", NULL);
	result.json = buf_text(&error);
	result_print(&meta, &result, NULL);
	buf_release(&error);
	return buf_take(&meta);
}

static int store(const struct message *m, const char *queue, const char *node, const char *meta,
		 struct pg *pg, struct err *e)
{
	struct ledger_entry row = {
		.key = { m->id, m->generation, m->nesting, m->retries },
		.outcome = LEDGER_REVOKED, .task = m->task, .queue = queue, .node = node,
		.meta = meta, .cause = "expired", .join_index = -1, .traces = true,
	};
	int64_t r = pg_begin(pg, STORE_MS, e);

	if (r >= 0)
		r = ledger_insert(pg, &row, e);
	if (r >= 0 && meta)
		r = pg_run(pg, SQL_RESULT,
			   PG_PARAMS(PG_TEXT(m->id), PG_INT(m->generation), PG_INT(m->retries),
				     PG_TEXT(meta)),
			   NULL, e);
	if (r >= 0)
		r = pg_commit(pg, e);
	if (r < 0)
		pg_rollback(pg);
	return r < 0 ? (int)r : 0;
}

int expiry_settle(struct message *m, const char *queue, const char *node, struct pg *pg,
		  struct publisher *p, struct err *e)
{
	char *meta;
	int r;

	if (is_chord_part(m))
		return send_back(m, queue, p, e);
	meta = m->ignore_result ? NULL : print_meta(m);
	r = store(m, queue, node, meta, pg, e);
	free(meta);
	if (r == 0)
		log_info("task expired in its queue task=%s task_id=%s queue=%s", m->task, m->id,
			 queue);
	return r == -ERR_CONFLICT ? 0 : r;
}
