/* SPDX-License-Identifier: MIT */
#include "workers/ctl/holders.h"

#include "common/base/conf.h"
#include "common/base/err.h"
#include "common/base/json.h"
#include "common/base/mem.h"
#include "common/store/pg.h"
#include "workers/ctl/ctl.h"
#include "workers/ctl/pidbox.h"
#include "workers/ctl/remote.h"

enum { ASK_MS = 10000 };

static const char SQL_NODES[] =
	"SELECT node FROM jobfleet.workers WHERE state <> 'stopped' AND program <> 'dispatcher'"
	" AND seen_at >= now() - 3 * $2::int * interval '1 s'"
	" AND ($1::text IS NULL OR $1 = ANY(queues))";

static void add_node(struct holders *h, const char *node)
{
	for (size_t i = 0; i < h->nnodes; i++) {
		if (strcmp(h->nodes[i], node) == 0)
			return;
	}
	h->nodes = mem_realloc(h->nodes, (h->nnodes + 2) * sizeof *h->nodes);
	h->nodes[h->nnodes++] = mem_strdup(node);
	h->nodes[h->nnodes] = NULL;
}

int holders_find(struct holders *h, struct ctl *c, const char *queue, struct err *e)
{
	struct pidbox_replies there = { 0 };
	struct pg_rows *rows = NULL;
	int r = remote_ask(c, &(struct remote){ 0 }, "ping", NULL, &there, e);

	*h = (struct holders){ .ctl = c };
	for (size_t i = 0; r >= 0 && i < there.n; i++)
		add_node(h, there.items[i].node);
	pidbox_replies_release(&there);
	if (r >= 0)
		r = ctl_query(c, SQL_NODES,
			      PG_PARAMS(PG_TEXT(queue), PG_INT(c->conf->fleet.heartbeat_s)), &rows,
			      e);
	for (size_t i = 0; r >= 0 && i < pg_rows_count(rows); i++)
		add_node(h, pg_text(rows, i, 0));
	pg_rows_free(rows);
	return r;
}

/* query_task answers {id: …}; scheduled a list of {"request": {"id": …}}. */
static void take(const cJSON *answer, cJSON *held)
{
	const cJSON *one;

	cJSON_ArrayForEach(one, answer) {
		const char *id = cJSON_IsObject(answer) ?
					 one->string :
					 json_str(json_get(one, "request"), "id", NULL);

		if (id)
			json_set_bool(held, id, true);
	}
}

static int ask(struct holders *h, const char *method, const char *arguments, cJSON *held,
	       struct err *e)
{
	struct pidbox_request q = { .method = method, .arguments = arguments,
				    .nodes = (const char *const *)h->nodes, .nnodes = h->nnodes };
	struct pidbox_replies replies = { 0 };
	struct pidbox *box;
	int r = ctl_pidbox(h->ctl, &box, e);

	if (r >= 0)
		r = pidbox_broadcast(box, &q, ASK_MS, &replies, e);
	h->silent |= r >= 0 && replies.n < h->nnodes;
	for (size_t i = 0; r >= 0 && i < replies.n; i++) {
		cJSON *answer = NULL;

		if (json_parse(replies.items[i].json, strlen(replies.items[i].json), &answer,
			       NULL) == 0)
			take(answer, held);
		cJSON_Delete(answer);
	}
	pidbox_replies_release(&replies);
	return r;
}

int holders_ask(struct holders *h, cJSON *ids, cJSON *held, struct err *e)
{
	cJSON *o = mem_check(cJSON_CreateObject());
	int r = h->nnodes ? ask(h, "scheduled", NULL, held, e) : 0;
	char *text;

	json_set(o, "ids", ids);
	text = json_print(o);
	if (r >= 0 && h->nnodes)
		r = ask(h, "query_task", text, held, e);
	free(text);
	cJSON_Delete(o);
	return r;
}

void holders_release(struct holders *h)
{
	for (size_t i = 0; i < h->nnodes; i++)
		free(h->nodes[i]);
	free(h->nodes);
	*h = (struct holders){ 0 };
}
