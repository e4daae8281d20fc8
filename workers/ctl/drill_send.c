/* SPDX-License-Identifier: MIT */
#include "workers/ctl/drill_send.h"

#include <time.h>

#include "common/base/buf.h"
#include "common/base/clock.h"
#include "common/base/conf.h"
#include "common/base/err.h"
#include "common/base/json.h"
#include "common/base/mem.h"
#include "common/base/uuid.h"
#include "common/broker/door.h"
#include "common/broker/message.h"
#include "common/store/pg.h"
#include "workers/ctl/ctl.h"
#include "workers/ctl/drill_mix.h"
#include "workers/ctl/send.h"

enum {
	BATCH_MOST = 200,
	TURN_MS = 20,
	AGAIN_MS = 200,		/* between tries while PostgreSQL is away */
	AWAY_MS = 600000,	/* longer than any outage of a drill */
	DRAIN_MS = 30000,
	SHOW_MS = 5000,
	TEXT_MOST = 1 << 20,
};

static const char INTENTS[] =
	"INSERT INTO jobfleet.drill_intents (run, number, task_id, kind, n, door, due)"
	" SELECT $1, number, task_id, kind, n, door, to_timestamp(due)"
	" FROM jsonb_to_recordset($2::jsonb) AS t (number int, task_id text, kind text, n int,"
	"  door text, due double precision) ON CONFLICT DO NOTHING";
static const char BY_SQL[] =
	"WITH sent AS (SELECT number, jobfleet.enqueue('drill.' || kind, kwargs => kwargs,"
	"  queue => 'drill', priority => priority, eta => to_timestamp(due), task_id => task_id)"
	" FROM jsonb_to_recordset($2::jsonb) AS t (number int, task_id text, kind text, door text,"
	"  due double precision, kwargs jsonb, priority int) WHERE door = 'sql')"
	" UPDATE jobfleet.drill_intents i SET answer = 'confirmed', answered_at = clock_timestamp()"
	" FROM sent WHERE i.run = $1 AND i.number = sent.number";
static const char ANSWERS[] =
	"UPDATE jobfleet.drill_intents i SET answer = t.answer, answered_at = to_timestamp(t.at)"
	" FROM jsonb_to_recordset($2::jsonb) AS t (number int, answer text, at double precision)"
	" WHERE i.run = $1 AND i.number = t.number";

struct producer {
	struct ctl *ctl;
	const struct drill_plan *plan;
	struct door *door;
	struct message message;
	struct buf answers;	/* JSON objects that are not written yet */
	int64_t number, planned;	/* roots and tasks so far */
	int64_t began_ms, shown_ms;
};

static void nap(int ms)
{
	nanosleep(&(struct timespec){ .tv_nsec = ms * 1000000L }, NULL);
}

static double seconds_from_now(int64_t ms)
{
	return (double)(clock_wall_us() + ms * 1000) / 1e6;
}

static void on_answer(void *ctx, uint64_t tag, enum door_answer answer, const struct err *e)
{
	static const char *const WORDS[] = { "confirmed", "spooled", "rejected" };
	struct producer *p = ctx;
	char text[128];

	/* without a confirm in time it may have arrived all the same: there is no answer */
	if (answer == DOOR_REJECTED && err_is_transient(e->code))
		return;
	snprintf(text, sizeof text, "%s{\"number\": %lld, \"answer\": \"%s\", \"at\": %.6f}",
		 p->answers.len ? ", " : "", (long long)tag, WORDS[answer], seconds_from_now(0));
	buf_puts(&p->answers, text);
}

/* Tries until PostgreSQL answers; its other errors end the drill. */
static int persist(struct producer *p, const char *sql, const char *json, struct err *e)
{
	int64_t end = clock_mono_ms() + AWAY_MS;
	int r;

	for (;;) {
		struct pg *pg = NULL;

		r = ctl_pg(p->ctl, &pg, e);
		if (r == 0)
			r = (int)pg_run(pg, sql, PG_PARAMS(PG_TEXT(p->plan->run), PG_TEXT(json)),
					NULL, e);
		if (r >= 0 || !err_is_transient(e->code) || clock_mono_ms() > end)
			return r < 0 ? r : 0;
		door_poll(p->door);
		nap(AGAIN_MS);
	}
}

static int put_answers(struct producer *p, struct err *e)
{
	char *rows, *json;
	int r;

	if (p->answers.len == 0)
		return 0;
	rows = buf_take(&p->answers);
	buf_init(&p->answers, TEXT_MOST);
	json = mem_printf("[%s]", rows);
	r = persist(p, ANSWERS, json, e);
	free(rows);
	free(json);
	return r;
}

/* ---- a batch ---- */

static cJSON *kwargs_of(const struct producer *p, const struct drill_task *t, const char *id)
{
	cJSON *o = mem_check(cJSON_CreateObject());

	json_set_str(o, "run", p->plan->run);
	json_set_str(o, "root", id);
	json_set_num(o, "n", t->n);
	json_set_num(o, "work_ms", t->work_ms);
	return o;
}

static cJSON *row_of(struct producer *p)
{
	cJSON *o = mem_check(cJSON_CreateObject());
	char id[UUID_SIZE], *name;
	struct drill_task t;

	drill_mix_task(p->plan->mix, p->number, &t);
	name = mem_printf("drill/%s/%lld", p->plan->run, (long long)p->number);
	uuid_v5(name, strlen(name), id);
	free(name);
	json_set_num(o, "number", (double)p->number);
	json_set_str(o, "task_id", id);
	json_set_str(o, "kind", t.kind);
	json_set_num(o, "n", t.n);
	json_set_str(o, "door", t.by_sql ? "sql" : "broker");
	json_set(o, "kwargs", kwargs_of(p, &t, id));
	json_set_num(o, "priority", t.priority);
	if (t.delay_ms)
		json_set_num(o, "due", seconds_from_now(t.delay_ms));
	p->number++;
	p->planned += t.tasks;
	return o;
}

/* The roots that are due by now. */
static cJSON *next_batch(struct producer *p)
{
	double elapsed = (double)(clock_mono_ms() - p->began_ms) / 1000;
	double due = elapsed * p->plan->rate;
	cJSON *rows = mem_check(cJSON_CreateArray());

	if (due > (double)p->plan->tasks)
		due = (double)p->plan->tasks;
	while ((double)p->planned < due && cJSON_GetArraySize(rows) < BATCH_MOST)
		cJSON_AddItemToArray(rows, row_of(p));
	return rows;
}

static int to_broker(struct producer *p, const cJSON *row, struct err *e)
{
	char *task = mem_printf("drill.%s", json_str(row, "kind", ""));
	char *kwargs = json_print(json_get(row, "kwargs"));
	struct send s = {
		.task = task, .id = json_str(row, "task_id", ""), .kwargs = kwargs,
		.queue = "drill", .priority = (int)json_int(row, "priority", 0),
		.eta_us = (int64_t)(json_num(row, "due", 0) * 1e6),
	};
	uint64_t number = (uint64_t)json_int(row, "number", 0);
	const char *queue;
	struct err why = { 0 };
	int r = send_make(p->ctl->conf, &s, "", &p->message, &queue, e);

	if (r == 0 && door_send(p->door, queue, &p->message, number, on_answer, p, 0, &why) < 0)
		on_answer(p, number, DOOR_REJECTED, &why);
	free(task);
	free(kwargs);
	return r;
}

static int send_batch(struct producer *p, const cJSON *rows, struct err *e)
{
	char *json = json_print(rows);
	int r = persist(p, INTENTS, json, e);
	struct pg *pg = NULL;
	struct err why = { 0 };
	const cJSON *row;

	/* without an answer nobody knows, and the accounting says so */
	if (r == 0 && ctl_pg(p->ctl, &pg, &why) == 0)
		pg_run(pg, BY_SQL, PG_PARAMS(PG_TEXT(p->plan->run), PG_TEXT(json)), NULL, &why);
	cJSON_ArrayForEach(row, rows) {
		if (r == 0 && strcmp(json_str(row, "door", ""), "broker") == 0)
			r = to_broker(p, row, e);
	}
	free(json);
	return r;
}

static void show(struct producer *p)
{
	int64_t now = clock_mono_ms();

	if (now - p->shown_ms < SHOW_MS)
		return;
	p->shown_ms = now;
	ctl_note(p->ctl, "%lld of %lld tasks enqueued", (long long)p->planned,
		 (long long)p->plan->tasks);
}

static int send_all(struct producer *p, struct err *e)
{
	int r = 0;

	while (r == 0 && p->planned < p->plan->tasks) {
		cJSON *rows = next_batch(p);

		if (cJSON_GetArraySize(rows) > 0)
			r = send_batch(p, rows, e);
		else
			nap(TURN_MS);
		cJSON_Delete(rows);
		door_poll(p->door);
		if (r == 0)
			r = put_answers(p, e);
		show(p);
	}
	door_drain(p->door, DRAIN_MS);
	return r < 0 ? r : put_answers(p, e);
}

int drill_send(struct ctl *c, const struct drill_plan *plan, struct err *e)
{
	struct producer p = { .ctl = c, .plan = plan, .began_ms = clock_mono_ms(),
			      .shown_ms = clock_mono_ms() };
	int r = ctl_door(c, &p.door, e);

	if (r < 0)
		return r;
	message_init(&p.message);
	buf_init(&p.answers, TEXT_MOST);
	r = send_all(&p, e);
	buf_release(&p.answers);
	message_release(&p.message);
	return r;
}
