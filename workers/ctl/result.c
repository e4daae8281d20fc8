/* SPDX-License-Identifier: MIT */
#include "common/base/conf.h"
#include "common/base/err.h"
#include "common/base/mem.h"
#include "common/store/pg.h"
#include "workers/ctl/args.h"
#include "workers/ctl/await.h"
#include "workers/ctl/ctl.h"
#include "workers/ctl/meta.h"
#include "workers/ctl/outcome.h"

/* Redis forgets after a day, the ledger after a week; what is still to come stands in pending. */
static const char SQL_LOOK[] =
	"SELECT meta, outcome, to_char(settled_at, 'YYYY-MM-DD HH24:MI:SS'), cause, NULL"
	" FROM jobfleet.ledger WHERE task_id = $1 AND final"
	" UNION ALL"
	" SELECT NULL, state, to_char(due, 'YYYY-MM-DD HH24:MI:SS'), reason, kind"
	" FROM jobfleet.pending WHERE task_id = $1 ORDER BY 5 NULLS FIRST LIMIT 1";

static int print_meta(struct ctl *c, const char *text, struct err *e)
{
	struct meta m = { 0 };
	int r = meta_parse(&m, text, strlen(text), e);

	if (r < 0)
		return r;
	r = outcome_print(c, &m);
	meta_release(&m);
	return r;
}

/* The rest of what is known about a task that Redis does not know. */
static int look_further(struct ctl *c, const char *id, struct err *e)
{
	struct pg_rows *rows = NULL;
	struct pg *p = NULL;
	int r = ctl_pg(c, &p, e);

	if (r == 0 && pg_run(p, SQL_LOOK, PG_PARAMS(PG_TEXT(id)), &rows, e) < 0)
		r = -(int)e->code;
	if (r < 0)
		return r;
	if (pg_rows_count(rows) == 0) {
		r = err_set(e, ERR_NOT_FOUND,
			    "nothing is known about task %.100s: not sent yet, waiting in its "
			    "queue, or forgotten",
			    id);
	} else if (pg_cell(rows, 0, 0)) {
		r = print_meta(c, pg_text(rows, 0, 0), e);
	} else if (pg_cell(rows, 0, 4)) {
		fprintf(stderr, "jobfleet: task %s: %s, %s, due %s UTC%s%s\n", id,
			pg_text(rows, 0, 4), pg_text(rows, 0, 1), pg_text(rows, 0, 2),
			pg_cell(rows, 0, 3) ? ": " : "", pg_text(rows, 0, 3));
		r = CTL_TIMEOUT;
	} else {
		fprintf(stderr, "jobfleet: task %s: %s on %s UTC%s%s; no result was kept\n", id,
			pg_text(rows, 0, 1), pg_text(rows, 0, 2), pg_cell(rows, 0, 3) ? ", " : "",
			pg_text(rows, 0, 3));
		r = strcmp(pg_text(rows, 0, 1), "success") == 0 ? CTL_OK : CTL_FAILED;
	}
	pg_rows_free(rows);
	return r;
}

static int look(struct ctl *c, struct await *a, const char *id, struct err *e)
{
	struct meta m = { 0 };
	int r = await_look(a, &m, e);

	if (r < 0)
		return r;
	if (r == 0)
		return look_further(c, id, e);
	if (m.final)
		r = outcome_print(c, &m);
	else if (c->json)
		printf("%s\n", m.text);
	else
		fprintf(stderr, "jobfleet: task %s: %s %s\n", id, m.status, m.step);
	r = m.final ? r : CTL_TIMEOUT;
	meta_release(&m);
	return r;
}

int result_main(struct ctl *c, int argc, char **argv, struct err *e)
{
	const char *timeout = NULL;
	bool wait = false;
	const struct args_option options[] = {
		{ "wait", NULL, "wait until there is one", NULL, &wait },
		{ "timeout", "DURATION", "how long to wait; 5m, 0 for ever", &timeout, NULL },
		CTL_JSON_OPTION(c), CTL_QUIET_OPTION(c), CTL_CONFIG_OPTION(c),
	};
	const struct args args = {
		.usage = "result ID [OPTION...]",
		.about =
			"Prints a task's result as JSON (--json: the whole stored state). Exit"
			" status 1: the\n"
			"task failed or is not known; 2: it has not ended yet.",
		.options = options,
		.noptions = COUNT(options),
		.least = 1,
		.most = 1,
	};
	const struct conf *conf;
	struct await *a = NULL;
	int64_t timeout_ms = 0;
	char **operands;
	int r = args_parse(&args, argc, argv, &operands, e);

	if (r != 0)
		return r < 0 ? r : CTL_OK;
	r = outcome_timeout(timeout, &timeout_ms, e);
	if (r == 0)
		r = ctl_conf(c, &conf, e);
	if (r == 0)
		r = await_open(&a, conf->fleet.redis_url, operands[0], e);
	if (r == 0)
		r = wait ? outcome_wait(c, a, operands[0], timeout_ms, e)
			 : look(c, a, operands[0], e);
	await_close(a);
	return r;
}
