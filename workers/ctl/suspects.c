/* SPDX-License-Identifier: MIT */
#include "workers/ctl/suspects.h"

#include <unistd.h>

#include "common/base/buf.h"
#include "common/base/clock.h"
#include "common/base/conf.h"
#include "common/base/err.h"
#include "common/base/json.h"
#include "common/base/mem.h"
#include "common/store/pg.h"
#include "workers/ctl/account.h"
#include "workers/ctl/ctl.h"
#include "workers/ctl/holders.h"
#include "workers/ctl/peek.h"

enum { ROUND_MS = 400, SLICE = 2000, LIST_MAX = 64 << 20, ROUNDS = 2 };

/* $1 heartbeat, $2 since, $3 task, $4 queue, $5 queues to look at, $6 these ids alone or null,
 * $7 how many */
static const char SQL[] =
	"SELECT 0, s.task_id, s.task, s.queue, to_json(s.accepted_at)#>>'{}', format("
	"  'sent to queue %s at %s UTC', s.queue,"
	"  to_char(s.sent_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS')), s.pending_id"
	" FROM jobfleet.audit_sent(clock_timestamp(), $1::integer, $5::text[], $2::timestamptz,"
	"  $3::text, $6::text[], $7::integer) s"
	" UNION ALL SELECT CASE x.kind WHEN 'retry' THEN 1 WHEN 'fire' THEN 2 ELSE 3 END, x.task_id,"
	"  x.task, x.queue, to_json(x.accepted_at)#>>'{}', x.seen, NULL"
	" FROM jobfleet.audit_strays(clock_timestamp(), $1::integer, $2::timestamptz, $3::text,"
	"  $4::text, $6::text[], $7::integer) x";

static const char SQL_AGAIN[] =
	"WITH again AS (UPDATE jobfleet.pending SET state = 'waiting', due = clock_timestamp(),"
	" claimed_until = NULL, reason = 'missing, sent again by an operator'"
	" WHERE id = ANY($1::bigint[]) AND state = 'sent' RETURNING id)"
	" SELECT count(*), pg_notify('jobfleet_pending', '') FROM again";

/* ---- lists ---- */

static void put(struct buf *list, const char *text)
{
	buf_puts(list, list->len > 1 ? ",\"" : "\"");
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			buf_putc(list, '\\');
		buf_putc(list, *text);
	}
	buf_putc(list, '"');
}

static void release_items(struct suspects *s)
{
	for (size_t i = 0; i < s->n; i++) {
		struct suspect *x = &s->items[i];

		free(x->id);
		free(x->task);
		free(x->queue);
		free(x->accepted);
		free(x->seen);
		free(x->row);
	}
	free(s->items);
	s->items = NULL;
	s->n = 0;
}

void suspects_release(struct suspects *s)
{
	release_items(s);
	free(s->queues);
	*s = (struct suspects){ 0 };
}

void suspects_drop(struct suspects *s, size_t i)
{
	struct suspect gone = s->items[i];

	s->items[i] = s->items[--s->n];
	s->items[s->n] = gone;
	release_items(&(struct suspects){ .items = mem_dup(&gone, sizeof gone), .n = 1 });
}

/* ---- looks ---- */

/* Which queues hold fewer messages than they should of ours. */
static void suspected_queues(const struct account *a, struct buf *out)
{
	buf_putc(out, '{');
	for (size_t i = 0; i < a->nqueues; i++) {
		const struct account_queue *q = &a->queues[i];

		if (q->sent > (q->ready > 0 ? q->ready : 0))
			put(out, q->name);
	}
	buf_putc(out, '}');
}

/* ids NULL: whoever it is. */
static int look(struct suspects *s, struct ctl *c, const struct account_filter *f,
		const char *queues, const char *ids, struct err *e)
{
	struct pg_rows *rows = NULL;
	int r = ctl_query(c, SQL, PG_PARAMS(PG_INT(c->conf->fleet.heartbeat_s), PG_TEXT(f->since),
					    PG_TEXT(f->task), PG_TEXT(f->queue), PG_TEXT(queues),
					    PG_TEXT(ids), PG_INT(SUSPECTS_MAX)), &rows, e);

	release_items(s);
	if (r < 0)
		return r;
	s->n = pg_rows_count(rows);
	s->cut |= s->n >= SUSPECTS_MAX;
	s->items = mem_zalloc((s->n + 1) * sizeof *s->items);
	for (size_t i = 0; i < s->n; i++)
		s->items[i] = (struct suspect){
			.kind = (enum suspect_kind)pg_int(rows, i, 0),
			.id = mem_strdup(pg_text(rows, i, 1)),
			.task = mem_strdup(pg_text(rows, i, 2)),
			.queue = mem_strdup(pg_text(rows, i, 3)),
			.accepted = mem_strdup(pg_text(rows, i, 4)),
			.seen = mem_strdup(pg_text(rows, i, 5)),
			.row = mem_strdup(pg_text(rows, i, 6)),
		};
	pg_rows_free(rows);
	return 0;
}

/* The ids that no worker holds, as an array for PostgreSQL. */
static int not_held(struct suspects *s, struct ctl *c, struct buf *out, struct err *e)
{
	cJSON *held = mem_check(cJSON_CreateObject());
	struct holders h = { 0 };
	int r = holders_find(&h, c, NULL, e);

	for (size_t from = 0; r >= 0 && from < s->n; from += SLICE) {
		cJSON *ids = mem_check(cJSON_CreateArray());

		for (size_t i = from; i < s->n && i < from + SLICE; i++)
			cJSON_AddItemToArray(ids, mem_check(cJSON_CreateString(s->items[i].id)));
		r = holders_ask(&h, ids, held, e);
	}
	buf_putc(out, '{');
	for (size_t i = 0; r >= 0 && i < s->n; i++) {
		if (!cJSON_GetObjectItemCaseSensitive(held, s->items[i].id))
			put(out, s->items[i].id);
	}
	buf_putc(out, '}');
	s->unsure = h.silent;
	holders_release(&h);
	cJSON_Delete(held);
	return r;
}

/* ---- what the depths say ---- */

static int64_t count_of(const struct suspects *s, const char *queue)
{
	int64_t n = 0;

	for (size_t i = 0; i < s->n; i++)
		n += s->items[i].kind == SUSPECT_SENT && strcmp(s->items[i].queue, queue) == 0;
	return n;
}

static void drop_queue(struct suspects *s, const char *queue)
{
	for (size_t i = s->n; i-- > 0;) {
		if (s->items[i].kind == SUSPECT_SENT && strcmp(s->items[i].queue, queue) == 0)
			suspects_drop(s, i);
	}
}

/* A trace that another client's message left: it may lie in any queue that is not empty. */
static void drop_starts(struct suspects *s)
{
	for (size_t i = s->n; i-- > 0;) {
		if (s->items[i].kind == SUSPECT_START)
			suspects_drop(s, i);
	}
}

static void note_queue(struct suspects *s, const char *name, int64_t ours, int64_t ready)
{
	s->queues = mem_realloc(s->queues, (s->nqueues + 1) * sizeof *s->queues);
	s->queues[s->nqueues++] = (struct suspect_queue){ name, ours, ready };
}

/* Only what is missing, or may be, stays. */
static void judge(struct suspects *s, const struct account *a)
{
	bool empty = true;

	s->nqueues = 0;
	s->elsewhere = 0;
	for (size_t i = 0; i < a->nqueues; i++) {
		const struct account_queue *q = &a->queues[i];
		int64_t ours = count_of(s, q->name);

		empty = empty && q->ready <= 0;
		if (ours == 0)
			continue;
		if (q->consumers > q->serving)
			s->elsewhere += ours;
		else if (q->ready > 0 && ours > q->ready)
			note_queue(s, q->name, ours, q->ready);
		if (q->ready > 0 || q->consumers > q->serving)
			drop_queue(s, q->name);
	}
	if (!empty)
		drop_starts(s);
}

static int round_of_looks(struct suspects *s, struct account *a, struct ctl *c,
			  const struct account_filter *f, const char *queues, struct err *e)
{
	struct buf ids;
	int r = look(s, c, f, queues, NULL, e);

	buf_init(&ids, LIST_MAX);
	for (size_t i = 0; r >= 0 && s->n > 0 && i < a->nqueues; i++)
		r = account_ask_queue(&a->queues[i], c, e);
	if (r >= 0 && s->n > 0)
		r = not_held(s, c, &ids, e);
	if (r >= 0 && s->n > 0)
		r = look(s, c, f, queues, buf_text(&ids), e);
	buf_release(&ids);
	return r < 0 ? r : 0;
}

/* ---- until it is certain ---- */

struct sameness {
	size_t n, nqueues;
	char *first;
	int rounds;
};

static bool is_settled(struct sameness *was, const struct suspects *s)
{
	const char *first = s->n > 0 ? s->items[0].id : "";
	bool same = was->first && was->n == s->n && was->nqueues == s->nqueues &&
		    strcmp(was->first, first) == 0;

	was->rounds = same ? was->rounds + 1 : 1;
	was->n = s->n;
	was->nqueues = s->nqueues;
	mem_replace(&was->first, mem_strdup(first));
	return (s->n == 0 && s->nqueues == 0) || (was->rounds >= ROUNDS && !s->unsure);
}

static int settle(struct suspects *s, struct account *a, struct ctl *c,
		  const struct account_filter *f, const char *queues, int64_t deadline,
		  struct err *e)
{
	struct sameness was = { 0 };
	bool settled = false;
	int r = 0;

	while (r == 0 && !settled) {
		if (was.first)
			usleep(ROUND_MS * 1000);
		r = round_of_looks(s, a, c, f, queues, e);
		if (r < 0)
			break;
		judge(s, a);
		settled = is_settled(&was, s);
		if (was.rounds == 1 && !settled)
			ctl_note(c, "looking again: %zu tasks are not where they should be", s->n);
		if (!settled && clock_mono_ms() >= deadline) {
			s->unsure = true;
			break;
		}
	}
	free(was.first);
	return r;
}

/* Ours that are neither in the queue now, nor held, nor ended since. */
static int peek_queue(struct suspects *s, struct ctl *c, const struct account_filter *f,
		      const char *name, struct err *e)
{
	cJSON *there = mem_check(cJSON_CreateObject());
	struct buf queue, ids;
	int r;

	buf_init(&queue, LIST_MAX);
	buf_init(&ids, LIST_MAX);
	buf_putc(&queue, '{');
	put(&queue, name);
	buf_putc(&queue, '}');
	r = look(s, c, f, buf_text(&queue), NULL, e);
	if (r == 0)
		r = peek_ids(c, name, there, e);
	for (size_t i = s->n; r >= 0 && i-- > 0;) {
		if (s->items[i].kind != SUSPECT_SENT ||
		    cJSON_GetObjectItemCaseSensitive(there, s->items[i].id))
			suspects_drop(s, i);
	}
	if (r >= 0)
		r = not_held(s, c, &ids, e);
	if (r >= 0)
		r = look(s, c, f, buf_text(&queue), buf_text(&ids), e);
	buf_release(&queue);
	buf_release(&ids);
	cJSON_Delete(there);
	return r < 0 ? r : 0;
}

/* Names what is missing in queues that are not empty. */
static int peek_queues(struct suspects *s, struct ctl *c, const struct account_filter *f,
		       struct err *e)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < s->nqueues; i++) {
		struct suspects more = { 0 };

		r = peek_queue(&more, c, f, s->queues[i].name, e);
		s->items = mem_realloc(s->items, (s->n + more.n + 1) * sizeof *s->items);
		for (size_t k = 0; r == 0 && k < more.n; k++)
			s->items[s->n++] = more.items[k];
		if (r == 0)
			free(more.items);
		else
			release_items(&more);
		s->unsure |= more.unsure;
	}
	s->nqueues = r == 0 ? 0 : s->nqueues;
	return r;
}

int suspects_find(struct suspects *ret, struct account *a, struct ctl *c,
		  const struct account_filter *f, bool peek, int64_t deadline, struct err *e)
{
	struct suspects s = { 0 };
	struct buf queues;
	int r;

	buf_init(&queues, LIST_MAX);
	suspected_queues(a, &queues);
	r = settle(&s, a, c, f, buf_text(&queues), deadline, e);
	if (r == 0 && peek)
		r = peek_queues(&s, c, f, e);
	buf_release(&queues);
	if (r < 0) {
		suspects_release(&s);
		return r;
	}
	*ret = s;
	return 0;
}

int suspects_send_again(const struct suspects *s, struct ctl *c, struct err *e)
{
	struct pg_rows *rows = NULL;
	struct buf ids;
	int r, n = 0;

	buf_init(&ids, LIST_MAX);
	buf_putc(&ids, '{');
	for (size_t i = 0; i < s->n; i++)
		if (s->items[i].kind == SUSPECT_SENT)
			buf_printf(&ids, "%s%s", n++ ? "," : "", s->items[i].row);
	buf_putc(&ids, '}');
	r = n ? ctl_query(c, SQL_AGAIN, PG_PARAMS(PG_TEXT(buf_text(&ids))), &rows, e) : 0;
	if (r == 0 && n)
		n = (int)pg_int(rows, 0, 0);
	pg_rows_free(rows);
	buf_release(&ids);
	return r < 0 ? r : n;
}
