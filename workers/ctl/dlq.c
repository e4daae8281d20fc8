/* SPDX-License-Identifier: MIT */
/* dlq: the dead letters (table jobfleet.dead_letters): list, show, replay, drop. */
#include <stdlib.h>

#include "common/base/err.h"
#include "common/base/json.h"
#include "common/base/mem.h"
#include "common/base/scan.h"
#include "common/store/pg.h"
#include "workers/ctl/action.h"
#include "workers/ctl/args.h"
#include "workers/ctl/ctl.h"
#include "workers/ctl/letters.h"
#include "workers/ctl/operator.h"
#include "workers/ctl/replay.h"
#include "workers/ctl/table.h"

enum { LIST_DEFAULT = 50, LIST_MAX = 100000 };

static const char SQL_LIST[] =
	"SELECT id, to_char(died_at, 'YYYY-MM-DD HH24:MI:SS'), to_json(died_at)#>>'{}', state,"
	" cause, queue,"
	" task, task_id, generation, reason, fingerprint, detail FROM jobfleet.dead_letters"
	" WHERE " LETTERS_WHERE " AND ($6::bool OR state = 'dead') ORDER BY id DESC LIMIT $7";

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

static const char SQL_GROUPS[] =
	"SELECT count(*), left(fingerprint, 10), fingerprint, cause, task,"
	" string_agg(DISTINCT queue, ','), to_char(min(died_at), 'YYYY-MM-DD HH24:MI:SS'),"
	" to_json(min(died_at))#>>'{}', to_char(max(died_at), 'YYYY-MM-DD HH24:MI:SS'),"
	" to_json(max(died_at))#>>'{}', (array_agg(reason ORDER BY id DESC))[1]"
	" FROM jobfleet.dead_letters WHERE " LETTERS_WHERE " AND ($6::bool OR state = 'dead')"
	" GROUP BY fingerprint, cause, task ORDER BY count(*) DESC, max(died_at) DESC LIMIT $7";

static const struct table_column GROUP_COLUMNS[] = {
	{ "letters", "letters", TABLE_NUMBER },
	{ "fingerprint", NULL, TABLE_TEXT },
	{ NULL, "fingerprint", TABLE_TEXT },
	{ "cause", "cause", TABLE_TEXT },
	{ "task", "task", TABLE_TEXT },
	{ "queues", "queues", TABLE_TEXT },
	{ "first (UTC)", NULL, TABLE_TEXT },
	{ NULL, "first_at", TABLE_TEXT },
	{ "last (UTC)", NULL, TABLE_TEXT },
	{ NULL, "last_at", TABLE_TEXT },
	{ "reason of the last", "reason", TABLE_TEXT },
};

static int list(struct ctl *c, int argc, char **argv, struct err *e)
{
	struct letters which = { 0 };
	const char *limit = NULL;
	bool all = false, group = false;
	const struct args_option options[] = {
		LETTERS_FINGERPRINT_OPTION(&which), LETTERS_CAUSE_OPTION(&which),
		LETTERS_TASK_OPTION(&which), LETTERS_QUEUE_OPTION(&which),
		LETTERS_SINCE_OPTION(&which),
		{ "group", NULL, "one line for all that died alike", NULL, &group },
		{ "limit", "N", "at most N lines; 50", &limit, NULL },
		{ "all", NULL, "replayed and dropped ones, too", NULL, &all },
		CTL_JSON_OPTION(c), CTL_CONFIG_OPTION(c),
	};
	const struct args args = {
		.usage = "dlq list [OPTION...]",
		.about =
			"Lists what could not go on, newest first; with --group, one line for"
			" all with the same\n"
			"cause, task and reason (their fingerprint), the largest group first.",
		.options = options, .noptions = COUNT(options), .least = 0, .most = 0,
	};
	struct table *t = NULL;
	char **operands;
	int n = LIST_DEFAULT, r = args_parse(&args, argc, argv, &operands, e);

	if (r != 0)
		return r < 0 ? r : CTL_OK;
	if (limit && scan_int(limit, 1, LIST_MAX, &n, e) < 0)
		return err_prefix(e, "--limit");
	r = letters_init(&which, e);
	if (r == 0)
		r = ctl_query_table(c, group ? SQL_GROUPS : SQL_LIST,
				    PG_PARAMS(LETTERS_PARAMS(&which), PG_TEXT(all ? "t" : "f"),
					      PG_INT(n)),
				    group ? GROUP_COLUMNS : LIST_COLUMNS,
				    group ? COUNT(GROUP_COLUMNS) : COUNT(LIST_COLUMNS), &t, e);
	return r < 0 ? r : ctl_show(c, t, "no dead letters");
}

/* One letter is an object, several are a list of them. */
static int show_all(struct ctl *c, char *const *ids, size_t n, struct err *e)
{
	struct pg *p = NULL;
	int r = ctl_pg(c, &p, e);

	if (r == 0 && c->json && n > 1)
		printf("[");
	for (size_t i = 0; i < n && r == 0; i++) {
		struct letter l = { 0 };

		if (i > 0)
			printf(c->json ? "," : "\n");
		r = letter_load(&l, p, ids[i], false, e);
		if (r == 0)
			letter_print(&l, c->json, stdout);
		letter_release(&l);
	}
	if (r == 0 && c->json && n > 1)
		printf("]\n");
	return r;
}

static int show(struct ctl *c, int argc, char **argv, struct err *e)
{
	struct letters which = { 0 };
	const struct args_option options[] = {
		LETTERS_FINGERPRINT_OPTION(&which), LETTERS_CAUSE_OPTION(&which),
		LETTERS_TASK_OPTION(&which), LETTERS_QUEUE_OPTION(&which),
		LETTERS_SINCE_OPTION(&which), CTL_JSON_OPTION(c), CTL_CONFIG_OPTION(c),
	};
	const struct args args = {
		.usage = "dlq show ID... | --fingerprint=F ... [OPTION...]",
		.about = "Shows dead letters: cause, reason, every header, the body as it came.",
		.options = options, .noptions = COUNT(options), .least = 0, .most = -1,
	};
	char **operands, **ids = NULL;
	size_t n = 0;
	int r = args_parse(&args, argc, argv, &operands, e);

	if (r != 0)
		return r < 0 ? r : CTL_OK;
	r = letters_init(&which, e);
	if (r == 0)
		r = letters_choose(&which, c, operands, &ids, &n, e);
	if (r == 0 && n == 0)
		r = err_set(e, ERR_NOT_FOUND, "no dead letter is like that");
	if (r == 0)
		r = show_all(c, ids, n, e);
	letters_free(ids);
	return r;
}

/* letters_act */
static int drop_letter(void *ctx, struct letter *l, struct pg *p, struct err *e)
{
	(void)ctx;
	return letter_drop(l, p, e);
}

/* Every one is tried; the first failure is the answer, the others are told as they come. */
static int drop_all(struct ctl *c, char **ids, struct err *e)
{
	cJSON *done = mem_check(cJSON_CreateArray());
	int first = 0;

	for (; *ids; ids++) {
		struct err own = { 0 };
		int r = letters_move(c, *ids, drop_letter, NULL, &own);

		if (r == 0)
			cJSON_AddItemToArray(done, mem_check(cJSON_CreateRaw(*ids)));
		if (r == 0 && !c->json)
			printf("%s dropped\n", *ids);
		else if (r < 0 && first < 0)
			fprintf(stderr, "jobfleet: %s\n", own.msg);
		if (r < 0 && first == 0) {
			first = r;
			*e = own;
		}
	}
	if (c->json) {
		char *text = json_print(done);

		printf("{\"dropped\": %s}\n", text);
		free(text);
	}
	cJSON_Delete(done);
	return first;
}

/* 1 = go on. Who calls from a script has made up their mind. */
static int confirm_drop(size_t n, bool yes, struct err *e)
{
	char *question;
	int r;

	if (yes || !operator_is_at_terminal())
		return 1;
	question = mem_printf("Drop %zu dead letter%s?", n, n == 1 ? "" : "s");
	r = operator_confirm(question, e);
	free(question);
	return r;
}

static int drop(struct ctl *c, int argc, char **argv, struct err *e)
{
	struct letters which = { 0 };
	bool yes = false;
	const struct args_option options[] = {
		LETTERS_FINGERPRINT_OPTION(&which), LETTERS_CAUSE_OPTION(&which),
		LETTERS_TASK_OPTION(&which), LETTERS_QUEUE_OPTION(&which),
		LETTERS_SINCE_OPTION(&which),
		{ "yes", NULL, "do not ask", NULL, &yes },
		CTL_JSON_OPTION(c), CTL_CONFIG_OPTION(c),
	};
	const struct args args = {
		.usage = "dlq drop ID... | --fingerprint=F ... [OPTION...]",
		.about =
			"Marks dead letters as dropped: they are kept, but listed with --all only."
			" Asks first,\n"
			"on a terminal.",
		.options = options,
		.noptions = COUNT(options),
		.least = 0,
		.most = -1,
	};
	char **operands, **ids = NULL;
	size_t n = 0;
	int r = args_parse(&args, argc, argv, &operands, e);

	if (r != 0)
		return r < 0 ? r : CTL_OK;
	r = letters_init(&which, e);
	if (r == 0)
		r = letters_choose(&which, c, operands, &ids, &n, e);
	if (r == 0 && n == 0)
		r = err_set(e, ERR_NOT_FOUND, "no dead letter is like that");
	if (r == 0)
		r = confirm_drop(n, yes, e);
	if (r == 1)
		r = action_begin(c, "dlq drop", e) < 0 ? -(int)e->code : 1;
	if (r == 1) {
		r = drop_all(c, ids, e);
	} else if (r == 0) {
		ctl_note(c, "nothing is dropped");
		r = CTL_FAILED;
	}
	letters_free(ids);
	return r;
}

int dlq_main(struct ctl *c, int argc, char **argv, struct err *e)
{
	static const struct ctl_command commands[] = {
		{ "list", list, "what could not go on, newest first" },
		{ "show", show, "one of them, with headers and body" },
		{ "replay", replay_main, "send them again" },
		{ "drop", drop, "mark them as dropped" },
	};

	return ctl_sub(c, "dlq", "jobfleet dlq list | show ID | replay ID... | drop ID...",
		       commands, COUNT(commands), argc, argv, e);
}
