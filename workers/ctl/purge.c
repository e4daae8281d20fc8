/* SPDX-License-Identifier: MIT */
/* purge: a queue emptied, for good: what the fleet kept safe of it gets an end, too, so that
 * nothing sends it again. */
#include <stdlib.h>
#include <unistd.h>

#include "common/base/conf.h"
#include "common/base/err.h"
#include "common/base/json.h"
#include "common/base/mem.h"
#include "common/broker/publisher.h"
#include "common/store/pg.h"
#include "workers/ctl/action.h"
#include "workers/ctl/args.h"
#include "workers/ctl/ctl.h"
#include "workers/ctl/holders.h"
#include "workers/ctl/operator.h"
#include "workers/ctl/purged.h"

enum { PURGE_MS = 60000 };

struct purge {
	struct ctl *ctl;
	const char *queue;
	int64_t messages;		/* ready, then: how many were purged */
	int64_t safe;			/* tasks of it that the fleet keeps safe */
	int64_t ended, held, waiting;
	struct holders holders;		/* whom to ask what is running */
	bool there;			/* the broker has the queue */
};

static const char SQL_COUNT[] =
	"SELECT (SELECT count(*) FROM jobfleet.pending p WHERE " PURGED_ROWS "),"
	" (SELECT count(*) FROM jobfleet.pending WHERE queue = $1 AND state = 'waiting'),"
	" to_json(clock_timestamp())#>>'{}'";

static int count(struct purge *p, char **ret_now, struct err *e)
{
	struct pg_rows *rows = NULL;
	int r = ctl_query(p->ctl, SQL_COUNT, PG_PARAMS(PG_TEXT(p->queue)), &rows, e);

	if (r < 0)
		return r;
	p->safe = pg_int(rows, 0, 0);
	p->waiting = pg_int(rows, 0, 1);
	mem_replace(ret_now, mem_strdup(pg_text(rows, 0, 2)));
	pg_rows_free(rows);
	return 0;
}

/* Which of a slice a worker holds: members of held. */
static int find_held(struct purge *p, const struct purged *slice, cJSON *held, struct err *e)
{
	cJSON *ids = mem_check(cJSON_CreateArray());

	for (size_t i = 0; i < slice->n; i++)
		cJSON_AddItemToArray(ids, mem_check(cJSON_CreateString(purged_id(slice, i))));
	return holders_ask(&p->holders, ids, held, e);
}

static int end_slice(struct purge *p, const struct purged *slice, struct err *e)
{
	cJSON *held = mem_check(cJSON_CreateObject());
	int r = find_held(p, slice, held, e);

	for (size_t i = 0; i < slice->n && r >= 0; i++) {
		if (p->holders.silent ||
		    cJSON_GetObjectItemCaseSensitive(held, purged_id(slice, i))) {
			p->held++;
			continue;
		}
		r = purged_end(slice, i, p->ctl, e);
		p->ended += r > 0;
	}
	cJSON_Delete(held);
	if (!p->ctl->quiet && isatty(STDERR_FILENO) && p->safe > 1)
		fprintf(stderr, "\r\033[Kended %lld of %lld%s", (long long)p->ended,
			(long long)p->safe, p->ended + p->held >= p->safe ? "\n" : "");
	return r;
}

static int end_tasks(struct purge *p, const char *before, struct err *e)
{
	struct purged slice = { .queue = p->queue, .before = before };
	int r = p->safe > 0 ? holders_find(&p->holders, p->ctl, p->queue, e) : 0;

	while (r >= 0 && p->safe > 0 && (r = purged_next(&slice, p->ctl, e)) > 0)
		r = end_slice(p, &slice, e);
	purged_release(&slice);
	return r;
}

static void print_json(const struct purge *p)
{
	cJSON *o = mem_check(cJSON_CreateObject());
	char *text;

	json_set_str(o, "queue", p->queue);
	json_set_num(o, "messages", (double)p->messages);
	json_set_num(o, "ended", (double)p->ended);
	json_set_num(o, "held", (double)p->held);
	json_set_num(o, "waiting", (double)p->waiting);
	text = json_print(o);
	printf("%s\n", text);
	free(text);
	cJSON_Delete(o);
}

static int tell(const struct purge *p)
{
	if (p->ctl->json)
		print_json(p);
	else
		printf("%lld messages purged; %lld tasks that the fleet kept safe end as revoked\n",
		       (long long)p->messages, (long long)p->ended);
	if (p->holders.silent)
		fprintf(stderr, "jobfleet: a node of the queue did not answer: %lld tasks that it "
				"may hold were left alone; purge again when it does\n",
			(long long)p->held);
	else if (p->held > 0)
		ctl_note(p->ctl, "%lld are with workers already and go on", (long long)p->held);
	if (p->waiting > 0)
		ctl_note(p->ctl, "%lld wait in PostgreSQL (due later, retried or parked) and stay",
			 (long long)p->waiting);
	return p->holders.silent ? CTL_TIMEOUT : CTL_OK;
}

static int confirm(const struct purge *p, bool yes, struct err *e)
{
	char *question;
	int r;

	if (yes)
		return 1;
	question = mem_printf("Purge queue %s: %lld messages are ready, %lld tasks of it are kept "
			      "safe and would end as revoked?", p->queue, (long long)p->messages,
			      (long long)p->safe);
	r = operator_confirm(question, e);
	free(question);
	return r;
}

/* A deleted queue may have left tasks that the fleet would send again. */
static int look(struct purge *p, struct publisher **ret, char **ret_now, struct err *e)
{
	int r = ctl_publisher(p->ctl, ret, e);

	if (r == 0)
		r = publisher_queue_depth(*ret, p->queue, &p->messages, &(int64_t){ 0 },
					  CTL_PUBLISH_MS, e);
	p->there = r == 0;
	if (r == 0 || r == -ERR_NOT_FOUND)
		r = count(p, ret_now, e);
	if (r == 0 && !p->there && p->safe == 0)
		r = err_set(e, ERR_NOT_FOUND, "there is no queue %.200s", p->queue);
	return r;
}

/* The time is taken before the purge: what is sent after it has not been purged. */
static int empty(struct purge *p, struct publisher *publisher, char **before, struct err *e)
{
	int r = count(p, before, e);
	int64_t gone = r == 0 && p->there ?
			       publisher_purge(publisher, p->queue, PURGE_MS, e) : r;

	if (gone < 0)
		return (int)gone;
	p->messages = gone;
	return end_tasks(p, *before, e);
}

static int purge(struct purge *p, bool yes, struct err *e)
{
	struct publisher *publisher = NULL;
	char *before = NULL;
	int r = look(p, &publisher, &before, e);

	if (r == 0)
		r = confirm(p, yes, e);
	if (r > 0)
		r = action_begin(p->ctl, "purge", e) < 0 ? -(int)e->code : 1;
	if (r > 0) {
		r = empty(p, publisher, &before, e);
		r = r < 0 ? r : tell(p);
	} else if (r == 0) {
		ctl_note(p->ctl, "nothing is purged");
		r = CTL_FAILED;
	}
	free(before);
	return r;
}

int purge_main(struct ctl *c, int argc, char **argv, struct err *e)
{
	bool yes = false;
	const struct args_option options[] = {
		{ "yes", NULL, "do not ask", NULL, &yes },
		CTL_JSON_OPTION(c), CTL_QUIET_OPTION(c), CTL_CONFIG_OPTION(c),
	};
	const struct args args = {
		.usage = "purge QUEUE [--yes] [OPTION...]",
		.about =
			"Drops what is ready in a queue, after asking. Tasks that came through our"
			" own doors end as\n"
			"REVOKED (\"purged\"), so that nothing sends them again; other clients'"
			" messages are gone\n"
			"without an end. What workers hold goes on; what is due later, retried or"
			" parked stays.\n"
			"Exit status 1: there is no such queue; 2: a worker did not answer, its"
			" tasks were left.",
		.options = options, .noptions = COUNT(options), .least = 1, .most = 1,
	};
	struct purge p = { .ctl = c };
	char **operands;
	int r = args_parse(&args, argc, argv, &operands, e);

	if (r != 0)
		return r < 0 ? r : CTL_OK;
	p.queue = operands[0];
	if (!*p.queue)
		return err_set(e, ERR_USAGE, "the queue's name is empty");
	r = purge(&p, yes, e);
	holders_release(&p.holders);
	return r;
}
