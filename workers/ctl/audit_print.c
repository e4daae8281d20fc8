/* SPDX-License-Identifier: MIT */
#include "common/base/json.h"
#include "common/base/mem.h"
#include "workers/ctl/audit.h"
#include "workers/ctl/ctl.h"
#include "workers/ctl/table.h"

enum { SHOWN = 50 };

static const char *const KINDS[] = { [SUSPECT_SENT] = "sent", [SUSPECT_RETRY] = "retry",
				     [SUSPECT_FIRE] = "fire", [SUSPECT_START] = "start" };

int64_t audit_missing(const struct audit *a)
{
	int64_t n = (int64_t)a->missing.n;

	for (size_t i = 0; i < a->missing.nqueues; i++)
		n += a->missing.queues[i].ours - a->missing.queues[i].ready;
	return n;
}

/* Of the rows that were sent, those that are not with RabbitMQ. */
static int64_t missing_of_sent(const struct audit *a)
{
	int64_t n = audit_missing(a);

	for (size_t i = 0; i < a->missing.n; i++)
		n -= a->missing.items[i].kind != SUSPECT_SENT;
	return n;
}

static int64_t in_broker(const struct audit *a)
{
	int64_t n = a->account.n[ACCOUNT_BROKER] - missing_of_sent(a) - a->missing.elsewhere;

	return n > 0 ? n : 0;
}

int64_t audit_foreign(const struct audit *a)
{
	int64_t n = 0;

	for (size_t i = 0; i < a->account.nqueues; i++) {
		const struct account_queue *q = &a->account.queues[i];

		n += q->ready > q->sent ? q->ready - q->sent : 0;
	}
	return n;
}

static int64_t in_place(const struct audit *a, enum account_place place)
{
	return place == ACCOUNT_BROKER ? in_broker(a) : a->account.n[place];
}

static int64_t accepted(const struct audit *a)
{
	int64_t n = audit_missing(a) + a->missing.elsewhere;

	for (int i = 0; i < ACCOUNT_PLACES; i++)
		n += in_place(a, (enum account_place)i);
	return n;
}

/* ---- for programs ---- */

static void set_text(cJSON *o, const char *key, const char *text)
{
	json_set_str(o, key, *text ? text : NULL);
}

static cJSON *missing_json(const struct suspects *s)
{
	cJSON *all = mem_check(cJSON_CreateArray());

	for (size_t i = 0; i < s->n; i++) {
		const struct suspect *x = &s->items[i];
		cJSON *o = mem_check(cJSON_CreateObject());

		json_set_str(o, "task_id", x->id);
		set_text(o, "task", x->task);
		set_text(o, "queue", x->queue);
		set_text(o, "accepted_at", x->accepted);
		json_set_str(o, "kind", KINDS[x->kind]);
		json_set_str(o, "last_seen", x->seen);
		cJSON_AddItemToArray(all, o);
	}
	return all;
}

static cJSON *unnamed_json(const struct suspects *s)
{
	cJSON *all = mem_check(cJSON_CreateArray());

	for (size_t i = 0; i < s->nqueues; i++) {
		const struct suspect_queue *q = &s->queues[i];
		cJSON *o = mem_check(cJSON_CreateObject());

		json_set_str(o, "queue", q->name);
		json_set_num(o, "ours", (double)q->ours);
		json_set_num(o, "ready", (double)q->ready);
		json_set_num(o, "missing", (double)(q->ours - q->ready));
		cJSON_AddItemToArray(all, o);
	}
	return all;
}

static cJSON *unknown_json(const struct hindsight *h)
{
	cJSON *all = mem_check(cJSON_CreateArray());

	for (size_t i = 0; i < h->n; i++) {
		const struct hindsight_item *x = &h->items[i];
		cJSON *o = mem_check(cJSON_CreateObject());

		json_set_str(o, "task_id", x->id);
		json_set_str(o, "status", x->status);
		set_text(o, "ended_at", x->done);
		json_set_bool(o, "runs_again", x->open);
		cJSON_AddItemToArray(all, o);
	}
	return all;
}

static cJSON *queues_json(const struct account *a)
{
	cJSON *all = mem_check(cJSON_CreateArray());

	for (size_t i = 0; i < a->nqueues; i++) {
		const struct account_queue *q = &a->queues[i];
		cJSON *o = mem_check(cJSON_CreateObject());

		json_set_str(o, "queue", q->name);
		json_set_num(o, "ours", (double)q->sent);
		json_set(o, "ready", q->ready < 0 ? cJSON_CreateNull() :
						    cJSON_CreateNumber((double)q->ready));
		json_set_num(o, "consumers", (double)(q->consumers < 0 ? 0 : q->consumers));
		cJSON_AddItemToArray(all, o);
	}
	return all;
}

static void print_json(const struct audit *a)
{
	cJSON *o = mem_check(cJSON_CreateObject());
	char *text;

	json_set_bool(o, "balances", audit_balances(a));
	json_set_bool(o, "certain", !a->missing.unsure);
	json_set_num(o, "accepted", (double)accepted(a));
	for (int i = 0; i < ACCOUNT_PLACES; i++)
		json_set_num(o, account_place_key((enum account_place)i),
			     (double)in_place(a, (enum account_place)i));
	json_set_num(o, "with_other_consumers", (double)a->missing.elsewhere);
	json_set_num(o, "missing", (double)audit_missing(a));
	json_set(o, "missing_tasks", missing_json(&a->missing));
	json_set(o, "missing_unnamed", unnamed_json(&a->missing));
	json_set(o, "ended_unrecorded", unknown_json(&a->unknown));
	json_set_num(o, "foreign_messages", (double)audit_foreign(a));
	json_set_num(o, "put_backs", (double)a->account.put_backs);
	set_text(o, "put_back_from", a->account.stood_at);
	set_text(o, "put_back_until", a->account.lost_until);
	if (a->sent_again >= 0)
		json_set_num(o, "sent_again", (double)a->sent_again);
	json_set(o, "queues", queues_json(&a->account));
	text = json_print(o);
	printf("%s\n", text);
	free(text);
	cJSON_Delete(o);
}

/* ---- for people ---- */

static void print_line(const char *title, int64_t n)
{
	printf("  %-26s %12lld\n", title, (long long)n);
}

static void print_places(const struct audit *a)
{
	printf("%-28s %12lld\n", "accepted", (long long)accepted(a));
	for (int i = 0; i < ACCOUNT_PLACES; i++) {
		int64_t n = in_place(a, (enum account_place)i);

		if (i <= ACCOUNT_BROKER || n > 0)
			print_line(account_place_title((enum account_place)i), n);
	}
	if (a->missing.elsewhere > 0)
		print_line("with other consumers", a->missing.elsewhere);
	print_line("missing", audit_missing(a));
}

static void print_missing(const struct suspects *s)
{
	static const struct table_column COLUMNS[] = {
		{ "task id", NULL, TABLE_TEXT }, { "task", NULL, TABLE_TEXT },
		{ "queue", NULL, TABLE_TEXT },	 { "accepted", NULL, TABLE_TEXT },
		{ "last seen", NULL, TABLE_TEXT },
	};
	struct table *t = table_new(COLUMNS, COUNT(COLUMNS));

	for (size_t i = 0; i < s->n && i < SHOWN; i++) {
		const struct suspect *x = &s->items[i];

		table_put(t, x->id);
		table_put(t, *x->task ? x->task : NULL);
		table_put(t, *x->queue ? x->queue : NULL);
		table_put(t, *x->accepted ? x->accepted : NULL);
		table_put(t, x->seen);
	}
	printf("\nMissing:\n");
	table_print(t, "", stdout);
	table_free(t);
	if (s->n > SHOWN)
		printf("and %zu more (--json names all)\n", s->n - SHOWN);
}

static void print_unknown(const struct hindsight *h)
{
	printf("\nEnded, as Redis remembers, and PostgreSQL does not know of it (a database that"
	       " was put back,\nor a task without a ledger):\n");
	for (size_t i = 0; i < h->n && i < SHOWN; i++) {
		const struct hindsight_item *x = &h->items[i];

		printf("  %s  %s %s%s\n", x->id, x->status, x->done,
		       x->open ? ", and it runs again" : ", its effects may be gone");
	}
	if (h->n > SHOWN)
		printf("and %zu more (--json names all)\n", h->n - SHOWN);
}

static void print_notes(const struct audit *a)
{
	int64_t foreign = audit_foreign(a);

	for (size_t i = 0; i < a->missing.nqueues; i++)
		printf("\nQueue %s should hold %lld of our messages and holds %lld in all: at least"
		       " %lld are missing.\nWhich ones, `jobfleet audit --look` tells.\n",
		       a->missing.queues[i].name, (long long)a->missing.queues[i].ours,
		       (long long)a->missing.queues[i].ready,
		       (long long)(a->missing.queues[i].ours - a->missing.queues[i].ready));
	if (a->account.put_backs > 0)
		printf("\nPostgreSQL was put back to an earlier state: from %s to %s what was"
		       " accepted and done\nmay be missing there.\n", a->account.stood_at,
		       a->account.lost_until);
	if (a->missing.elsewhere > 0)
		printf("\nConsumers that do not report to us hold some queues: what they do with"
		       " our tasks is not known.\n");
	if (foreign > 0)
		printf("\nApart from these, RabbitMQ holds %lld messages that other clients, or"
		       " jobfleet enqueue, sent\nstraight there: they have no account before a"
		       " worker gets them, and what is lost of such\nbefore that cannot be"
		       " known.\n",
		       (long long)foreign);
	if (a->sent_again >= 0)
		printf("\n%lld of the missing were sent again.\n", (long long)a->sent_again);
}

void audit_print(const struct audit *a)
{
	if (a->ctl->json) {
		print_json(a);
		return;
	}
	print_places(a);
	if (a->missing.n > 0)
		print_missing(&a->missing);
	if (a->unknown.n > 0)
		print_unknown(&a->unknown);
	print_notes(a);
	if (audit_balances(a))
		printf("\nIt balances.\n");
	else if (a->missing.unsure)
		printf("\nNot certain: the time was over, or a worker did not answer.\n");
}
