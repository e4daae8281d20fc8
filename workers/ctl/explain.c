/* SPDX-License-Identifier: MIT */
/* explain: what happened to one task so far, in time order, and why it is not further. */
#include "common/base/buf.h"
#include "common/base/err.h"
#include "common/base/json.h"
#include "common/base/mem.h"
#include "common/store/pg.h"
#include "workers/ctl/args.h"
#include "workers/ctl/ctl.h"
#include "workers/ctl/standing.h"

enum { WHY_MAX = 65536 };

enum { COL_TIME, COL_AT, COL_KIND, COL_TEXT, COL_DETAIL };

#define DUE(column) "CASE WHEN isfinite(" column ") THEN to_char(" column \
	", 'YYYY-MM-DD HH24:MI:SS') || ' UTC' ELSE 'its release' END"
#define CAUSES(column) \
	"(SELECT string_agg(x || CASE WHEN n > 1 THEN ', ' || n || ' times' ELSE '' END," \
	" '; ') FROM (SELECT x, count(*) AS n FROM jsonb_array_elements_text(" column ") x" \
	" GROUP BY x) causes)"
#define COLON(column) "coalesce(': ' || nullif(" column ", ''), '')"

/* One row a thing that happened. */
static const char SQL_STORY[] =
	"SELECT to_char(at, 'YYYY-MM-DD HH24:MI:SS.MS'), to_json(at)#>>'{}', kind, text, detail"
	" FROM ("
	" SELECT created_at AS at, 0 AS step, 'stored' AS kind, format(CASE kind"
	"  WHEN 'outbox' THEN 'was stored to be sent to queue %s'"
	"  WHEN 'enqueued' THEN 'was enqueued by a transaction for queue %s'"
	"  WHEN 'eta' THEN 'was set aside until its time for queue %s'"
	"  WHEN 'retry' THEN 'was set aside for a retry on queue %s'"
	"  WHEN 'parked' THEN 'was parked, for queue %s'"
	"  ELSE 'was claimed as a long task of queue %s' END || ', due %s%s', queue, " DUE("due")
	"  , " COLON("reason") ") AS text, jsonb_build_object('kind', kind, 'queue', queue,"
	"  'due', due::text, 'reason', reason, 'generation', generation, 'retries', retries,"
	"  'hop', hop) AS detail FROM jobfleet.pending WHERE task_id = $1"
	" UNION ALL SELECT sent_at, 1, 'sent', format('was sent to queue %s', queue),"
	"  jsonb_build_object('queue', queue, 'generation', generation, 'retries', retries, 'hop',"
	"  hop) FROM jobfleet.pending WHERE task_id = $1 AND sent_at IS NOT NULL"
	" UNION ALL SELECT fired_at, 0, 'fired', format('was fired by schedule %s, due %s',"
	"  schedule, " DUE("due") "), jsonb_build_object('schedule', schedule, 'due', due::text,"
	"  'fired_by', fired_by) FROM jobfleet.schedule_fires WHERE task_id = $1"
	" UNION ALL SELECT started_at, 2, 'started', format('attempt %s started on %s',"
	"  retries + 1, node), jsonb_build_object('retries', retries, 'generation', generation,"
	"  'node', node, 'queue', queue) FROM jobfleet.ledger WHERE task_id = $1"
	"  AND started_at IS NOT NULL"
	" UNION ALL SELECT settled_at, 4, 'settled', format('attempt %s ended on %s: %s%s%s%s',"
	"  retries + 1, node, outcome, coalesce(format(' after %s s', round(extract(epoch FROM"
	"  settled_at - started_at), 3)), ''), " COLON("nullif(cause, outcome)") ","
	"  ', a part of chord ' || join_id), jsonb_build_object('outcome',"
	"  outcome, 'final', final, 'retries', retries, 'generation', generation, 'nesting',"
	"  nesting, 'node', node, 'cause', cause, 'follow_ups', follow_ups, 'join_id', join_id)"
	"  FROM jobfleet.ledger WHERE task_id = $1"
	" UNION ALL SELECT done_at, 3, 'step', format('step %s was done', step),"
	"  jsonb_build_object('step', step, 'generation', generation) FROM jobfleet.steps"
	"  WHERE task_id = $1"
	" UNION ALL SELECT updated_at, 3, 'interrupted',"
	"  format('%s starts had not ended%s; %s times it came back unstarted', starts,"
	"  coalesce(' (' || " CAUSES("causes") " || ')', ''), arrivals), jsonb_build_object("
	"  'starts', starts, 'arrivals', arrivals, 'causes', causes, 'generation', generation)"
	"  FROM jobfleet.starts WHERE task_id = $1"
	" UNION ALL SELECT died_at, 5, 'dead letter', format('became dead letter %s, %s%s', id,"
	"  cause, " COLON("reason") "), jsonb_build_object('id', id, 'cause', cause, 'reason',"
	"  reason, 'state', state, 'generation', generation) FROM jobfleet.dead_letters"
	"  WHERE task_id = $1"
	" UNION ALL SELECT updated_at, 6, state, format('dead letter %s was %s', id, state),"
	"  jsonb_build_object('id', id) FROM jobfleet.dead_letters WHERE task_id = $1"
	"  AND state <> 'dead'"
	" UNION ALL SELECT ordered_at, 0, 'revoked', 'was revoked' || coalesce(' by ' ||"
	"  nullif(ordered_by, ''), ''), jsonb_build_object('by', ordered_by)"
	"  FROM jobfleet.revokes WHERE kind = 'id' AND value = $1"
	" UNION ALL SELECT created_at, 5, 'result kept', 'its result could not be written to Redis"
	" and waits for the dispatcher', jsonb_build_object('final', final) FROM"
	"  jobfleet.result_backlog WHERE task_id = $1"
	") story ORDER BY at, step";

static void print_text(const struct standing *s, const struct pg_rows *story, const char *why)
{
	printf("task %s%s%s%s%s\n", s->id, *s->task ? ", " : "", s->task,
	       *s->queue ? ", queue " : "", s->queue);
	for (size_t i = 0; i < pg_rows_count(story); i++)
		printf("  %s  %s\n", pg_text(story, i, COL_TIME), pg_text(story, i, COL_TEXT));
	fputs(why, stdout);
}

static cJSON *story_json(const struct pg_rows *story)
{
	cJSON *all = mem_check(cJSON_CreateArray());

	for (size_t i = 0; i < pg_rows_count(story); i++) {
		cJSON *o = mem_check(cJSON_CreateObject());

		json_set_str(o, "at", pg_text(story, i, COL_AT));
		json_set_str(o, "kind", pg_text(story, i, COL_KIND));
		json_set_str(o, "text", pg_text(story, i, COL_TEXT));
		json_set_raw(o, "detail", pg_text(story, i, COL_DETAIL));
		cJSON_AddItemToArray(all, o);
	}
	return all;
}

/* why has one sentence, or two, a line. */
static cJSON *lines_json(const char *why)
{
	cJSON *all = mem_check(cJSON_CreateArray());
	char *copy = mem_strdup(why), *rest = copy, *line;

	while ((line = strsep(&rest, "\n"))) {
		if (*line)
			cJSON_AddItemToArray(all, mem_check(cJSON_CreateString(line)));
	}
	free(copy);
	return all;
}

static void set_text(cJSON *o, const char *key, const char *text)
{
	json_set_str(o, key, *text ? text : NULL);
}

static void set_count(cJSON *o, const char *key, int64_t n)
{
	json_set(o, key, mem_check(n < 0 ? cJSON_CreateNull() : cJSON_CreateNumber((double)n)));
}

static void print_json(const struct standing *s, enum standing_state state,
		       const struct pg_rows *story, const char *why)
{
	cJSON *o = mem_check(cJSON_CreateObject());
	char *text;

	json_set_str(o, "task_id", s->id);
	set_text(o, "task", s->task);
	set_text(o, "queue", s->queue);
	json_set_str(o, "state", standing_name(state));
	json_set(o, "why", lines_json(why));
	set_text(o, "outcome", s->outcome);
	set_text(o, "node", *s->runs_on ? s->runs_on : *s->held_by ? s->held_by : s->ended_on);
	set_text(o, "dead_letter", s->letter);
	set_text(o, "redis_status", s->redis_status);
	set_text(o, "paused", s->pause_kind);
	set_count(o, "queue_ready", s->ready);
	set_count(o, "queue_consumers", s->consumers);
	set_count(o, "unfinished_starts", s->starts);
	set_count(o, "results_waiting", s->backlog);
	json_set(o, "story", story_json(story));
	text = json_print(o);
	printf("%s\n", text);
	free(text);
	cJSON_Delete(o);
}

static int explain(struct ctl *c, const char *id, const char *queue, struct err *e)
{
	enum standing_state state = STANDING_UNKNOWN;
	struct pg_rows *story = NULL;
	struct standing s = { 0 };
	struct buf why;
	int r = standing_load(&s, c, id, queue, e);

	buf_init(&why, WHY_MAX);
	if (r == 0)
		r = ctl_query(c, SQL_STORY, PG_PARAMS(PG_TEXT(id)), &story, e);
	if (r == 0) {
		state = standing_judge(&s, &why);
		if (c->json)
			print_json(&s, state, story, buf_text(&why));
		else
			print_text(&s, story, buf_text(&why));
	}
	pg_rows_free(story);
	standing_release(&s);
	buf_release(&why);
	return r < 0 ? r : state == STANDING_UNKNOWN ? CTL_FAILED : CTL_OK;
}

int explain_main(struct ctl *c, int argc, char **argv, struct err *e)
{
	const char *queue = NULL;
	const struct args_option options[] = {
		{ "queue", "NAME", "where it was sent, if nothing else tells", &queue, NULL },
		CTL_JSON_OPTION(c), CTL_CONFIG_OPTION(c),
	};
	const struct args args = {
		.usage = "explain TASK_ID [OPTION...]",
		.about =
			"Tells what happened to a task so far, in time order, and why it is not"
			" further. Exit status 1:\n"
			"nothing is stored about it.",
		.options = options,
		.noptions = COUNT(options),
		.least = 1,
		.most = 1,
	};
	char **operands;
	int r = args_parse(&args, argc, argv, &operands, e);

	if (r != 0)
		return r < 0 ? r : CTL_OK;
	return explain(c, operands[0], queue, e);
}
