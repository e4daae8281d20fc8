/* SPDX-License-Identifier: MIT */
/* dlq: the dead letters (table jobfleet.dead_letters): list, show, replay, drop. */
#include "common/base/buf.h"
#include "common/base/conf.h"
#include "common/base/err.h"
#include "common/base/json.h"
#include "common/base/mem.h"
#include "common/base/scan.h"
#include "common/broker/message.h"
#include "common/store/pending.h"
#include "common/store/pg.h"
#include "workers/ctl/args.h"
#include "workers/ctl/ctl.h"
#include "workers/ctl/letter.h"
#include "workers/ctl/table.h"

enum { LIST_DEFAULT = 50, LIST_MAX = 100000 };

static const char SQL_LIST[] =
	"SELECT id, to_char(died_at, 'YYYY-MM-DD HH24:MI:SS'), to_json(died_at)#>>'{}', state,"
	" cause, queue,"
	" task, task_id, generation, reason, fingerprint, detail FROM jobfleet.dead_letters"
	" WHERE ($1::bool OR state = 'dead') AND ($2::text IS NULL OR queue = $2)"
	" AND ($3::text IS NULL OR task = $3 OR task LIKE '%.' || $3) AND ($4::text IS NULL OR"
	" cause = $4)"
	" ORDER BY id DESC LIMIT $5";

static const struct table_column LIST_COLUMNS[] = {
	{ "id", "id", TABLE_NUMBER },
	{ "died (UTC)", NULL, TABLE_TEXT },
	{ NULL, "died_at", TABLE_TEXT },
	{ "state", "state", TABLE_TEXT },
	{ "cause", "cause", TABLE_TEXT },
	{ "queue", "queue", TABLE_TEXT },
	{ "task", "task", TABLE_TEXT },
	{ "task id", "task_id", TABLE_TEXT },
	{ NULL, "generation", TABLE_NUMBER },
	{ "reason", "reason", TABLE_TEXT },
	{ NULL, "fingerprint", TABLE_TEXT },
	{ NULL, "detail", TABLE_JSON },
};

static int list(struct ctl *c, int argc, char **argv, struct err *e)
{
	const char *queue = NULL, *task = NULL, *cause = NULL, *limit = NULL;
	bool all = false;
	const struct args_option options[] = {
		{ "queue", "NAME", "only those of this queue", &queue, NULL },
		{ "task", "NAME", "only this task's", &task, NULL },
		{ "cause", "CAUSE", "only this cause: lost, exhausted, malformed, …", &cause, NULL },
		{ "limit", "N", "the newest N; 50", &limit, NULL },
		{ "all", NULL, "replayed and dropped ones, too", NULL, &all },
		CTL_JSON_OPTION(c), CTL_CONFIG_OPTION(c),
	};
	const struct args args = {
		.usage = "dlq list [OPTION...]",
		.about = "Lists what could not go on, newest first.",
		.options = options, .noptions = COUNT(options), .least = 0, .most = 0,
	};
	struct pg_rows *rows = NULL;
	struct pg *p = NULL;
	struct table *t;
	char **operands;
	int n = LIST_DEFAULT, r = args_parse(&args, argc, argv, &operands, e);

	if (r != 0)
		return r < 0 ? r : CTL_OK;
	if (limit && scan_int(limit, 1, LIST_MAX, &n, e) < 0)
		return err_prefix(e, "--limit");
	r = ctl_pg(c, &p, e);
	if (r == 0 &&
	    pg_run(p, SQL_LIST,
		   PG_PARAMS(PG_TEXT(all ? "t" : "f"), PG_TEXT(queue), PG_TEXT(task),
			     PG_TEXT(cause), PG_INT(n)),
		   &rows, e) < 0)
		r = -(int)e->code;
	if (r < 0)
		return r;
	t = table_new(LIST_COLUMNS, COUNT(LIST_COLUMNS));
	table_put_rows(t, rows);
	pg_rows_free(rows);
	return ctl_show(c, t, "no dead letters");
}

static int show(struct ctl *c, int argc, char **argv, struct err *e)
{
	const struct args_option options[] = { CTL_JSON_OPTION(c), CTL_CONFIG_OPTION(c) };
	const struct args args = {
		.usage = "dlq show ID [OPTION...]",
		.about = "Shows one dead letter: cause, reason, every header, the body as it came.",
		.options = options, .noptions = COUNT(options), .least = 1, .most = 1,
	};
	struct letter l = { 0 };
	struct pg *p = NULL;
	char **operands;
	int r = args_parse(&args, argc, argv, &operands, e);

	if (r != 0)
		return r < 0 ? r : CTL_OK;
	r = ctl_pg(c, &p, e);
	if (r == 0)
		r = letter_load(&l, p, operands[0], false, e);
	if (r < 0)
		return r;
	letter_print(&l, c->json, stdout);
	letter_release(&l);
	return CTL_OK;
}

/* One letter in a transaction of its own, so that one that cannot be moved holds up no other. */
static int move(struct ctl *c, const char *id,
		int (*act)(struct letter *l, struct pg *p, const char *queue, struct err *e),
		const char *queue, struct err *e)
{
	struct letter l = { 0 };
	struct pg *p = NULL;
	int r = ctl_pg(c, &p, e);

	if (r == 0)
		r = pg_begin(p, CTL_PUBLISH_MS, e);
	if (r < 0)
		return r;
	r = letter_load(&l, p, id, true, e);
	if (r == 0)
		r = act(&l, p, queue, e);
	if (r == 0)
		r = pg_commit(p, e);
	pg_rollback(p);
	letter_release(&l);
	return r;
}

/* Every ID is tried; the first failure is the answer, the others are told as they come. */
static int move_all(struct ctl *c, char **ids,
		    int (*act)(struct letter *l, struct pg *p, const char *queue, struct err *e),
		    const char *queue, const char *done, struct err *e)
{
	int first = 0;

	for (; *ids; ids++) {
		struct err own = { 0 };
		int r = move(c, *ids, act, queue, &own);

		if (r == 0)
			printf("%s %s\n", *ids, done);
		else if (first < 0)
			fprintf(stderr, "jobfleet: %s\n", own.msg);
		if (r < 0 && first == 0) {
			first = r;
			*e = own;
		}
	}
	return first;
}

static int replay(struct ctl *c, int argc, char **argv, struct err *e)
{
	const char *queue = NULL;
	const struct args_option options[] = {
		{ "queue", "NAME", "to this queue instead of the one it came from", &queue, NULL },
		CTL_CONFIG_OPTION(c),
	};
	const struct args args = {
		.usage = "dlq replay ID... [OPTION...]",
		.about =
			"Sends dead letters again, with fresh retries and without a due or an"
			" expiry time. The\n"
			"task keeps its id and starts a new generation, so its effects may"
			" happen once more.\n"
			"The dispatcher publishes them.",
		.options = options,
		.noptions = COUNT(options),
		.least = 1,
		.most = -1,
	};
	char **operands;
	int r = args_parse(&args, argc, argv, &operands, e);

	if (r != 0)
		return r < 0 ? r : CTL_OK;
	return move_all(c, operands, letter_replay, queue, "replayed", e);
}

static int drop(struct ctl *c, int argc, char **argv, struct err *e)
{
	const struct args_option options[] = { CTL_CONFIG_OPTION(c) };
	const struct args args = {
		.usage = "dlq drop ID... [OPTION...]",
		.about =
			"Marks dead letters as dropped: they are kept, but listed with --all only.",
		.options = options,
		.noptions = COUNT(options),
		.least = 1,
		.most = -1,
	};
	char **operands;
	int r = args_parse(&args, argc, argv, &operands, e);

	if (r != 0)
		return r < 0 ? r : CTL_OK;
	return move_all(c, operands, letter_drop, NULL, "dropped", e);
}

int dlq_main(struct ctl *c, int argc, char **argv, struct err *e)
{
	static const struct ctl_command commands[] = {
		{ "list", list, "what could not go on, newest first" },
		{ "show", show, "one of them, with headers and body" },
		{ "replay", replay, "send them again" },
		{ "drop", drop, "mark them as dropped" },
	};

	return ctl_sub(c, "dlq", "jobfleet dlq list | show ID | replay ID... | drop ID...",
		       commands, COUNT(commands), argc, argv, e);
}
