/* SPDX-License-Identifier: MIT */
#include "workers/ctl/action.h"

#include "common/base/err.h"
#include "common/base/json.h"
#include "common/base/mem.h"
#include "common/store/pg.h"
#include "workers/ctl/ctl.h"
#include "workers/ctl/operator.h"

enum { WORDS_MOST = 200, WORD_BYTES = 2000 };

static const char SQL_BEGIN[] =
	"SELECT id, missing, session_user FROM jobfleet.begin_action($1, $2::jsonb, $3)";

static const char SQL_END[] = "SELECT jobfleet.end_action($1::bigint, $2, $3)";

/* The command line, which never carries a secret; of a very long one the beginning. */
static char *print_words(const struct ctl *c)
{
	cJSON *list = mem_check(cJSON_CreateArray());
	char *text;

	for (int i = 0; i < c->nwords && i < WORDS_MOST; i++) {
		char *word = mem_printf("%.*s", WORD_BYTES, c->words[i]);

		cJSON_AddItemToArray(list, mem_check(cJSON_CreateString(word)));
		free(word);
	}
	text = json_print(list);
	cJSON_Delete(list);
	return text;
}

static int refuse(const char *name, const struct pg_rows *rows, struct err *e)
{
	return err_set(e, ERR_REFUSED, "%s needs the role %s; you are connected as %s, who is no "
		       "member of it", name, pg_text(rows, 0, 1), pg_text(rows, 0, 2));
}

int action_begin(struct ctl *c, const char *name, struct err *e)
{
	char by[OPERATOR_SIZE], *words;
	struct pg_rows *rows = NULL;
	struct err why = { 0 };
	int r;

	operator_name(by);
	words = print_words(c);
	r = ctl_query(c, SQL_BEGIN, PG_PARAMS(PG_TEXT(name), PG_TEXT(words), PG_TEXT(by)), &rows,
		      &why);
	free(words);
	if (r < 0 && c->conf && err_is_transient(why.code)) {
		ctl_note(c, "jobfleet: not written to the record of actions: %s", why.msg);
		return 0;
	}
	if (r < 0) {
		*e = why;
		return r;
	}
	if (pg_cell(rows, 0, 1))
		r = refuse(name, rows, e);
	else
		c->action = pg_int(rows, 0, 0);
	pg_rows_free(rows);
	return r;
}

void action_end(struct ctl *c, int r, const struct err *e)
{
	bool done = r == CTL_OK || r == CTL_SPOOLED;
	char code[32];

	if (!c->action)
		return;
	snprintf(code, sizeof code, done ? "" : "exit status %d", r);
	if (ctl_query(c, SQL_END,
		      PG_PARAMS(PG_INT(c->action), PG_TEXT(done ? "done" : "failed"),
				PG_TEXT(r < 0 ? e->msg : code)),
		      NULL, NULL) < 0)
		ctl_note(c, "jobfleet: the record of actions does not have how this ended");
	c->action = 0;
}
