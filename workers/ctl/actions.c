/* SPDX-License-Identifier: MIT */
/* actions: who did what to the fleet, and how it ended. */
#include "common/base/err.h"
#include "common/base/mem.h"
#include "common/base/scan.h"
#include "common/store/pg.h"
#include "workers/ctl/args.h"
#include "workers/ctl/ctl.h"
#include "workers/ctl/table.h"

enum { MOST = 100000, USUAL = 50 };

static const char SQL[] =
	"SELECT id, to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS'), to_json(at)#>>'{}',"
	" login, operator, action, (SELECT string_agg(x, ' ' ORDER BY n) FROM"
	"  jsonb_array_elements_text(arguments) WITH ORDINALITY w (x, n)), arguments, outcome, detail"
	" FROM jobfleet.operator_actions"
	" WHERE at > now() - $1::bigint * interval '1 ms' AND ($2::text IS NULL OR operator LIKE"
	"  $2 || '%' OR login = $2) AND ($3::text IS NULL OR action = $3 OR action LIKE $3 || ' %')"
	" AND ($4::text IS NULL OR outcome = $4)"
	" ORDER BY id DESC LIMIT $5::integer";

static const struct table_column COLUMNS[] = {
	{ NULL, "id", TABLE_NUMBER },
	{ "at (UTC)", NULL, TABLE_TEXT },
	{ NULL, "at", TABLE_TEXT },
	{ "login", "login", TABLE_TEXT },
	{ "operator", "operator", TABLE_TEXT },
	{ NULL, "action", TABLE_TEXT },
	{ "command", NULL, TABLE_TEXT },
	{ NULL, "arguments", TABLE_JSON },
	{ "outcome", "outcome", TABLE_TEXT },
	{ "detail", "detail", TABLE_TEXT },
};

int actions_main(struct ctl *c, int argc, char **argv, struct err *e)
{
	const char *since = "30d", *by = NULL, *action = NULL, *outcome = NULL, *limit = NULL;
	const struct args_option options[] = {
		{ "since", "DURATION", "of so long ago; 30d", &since, NULL },
		{ "by", "NAME", "of this operator or login", &by, NULL },
		{ "action", "NAME", "of this kind: revoke, purge, schedule, ...", &action, NULL },
		{ "outcome", "WORD", "begun, done, failed or refused", &outcome, NULL },
		{ "limit", "N", "the newest N; 50", &limit, NULL },
		CTL_JSON_OPTION(c), CTL_CONFIG_OPTION(c),
	};
	const struct args args = {
		.usage = "actions [OPTION...]",
		.about =
			"Lists what operators did to the fleet, newest first: who, with which"
			" arguments, and how it\n"
			"ended; also what somebody was refused for want of a role. \"begun\" without"
			" an end: the\n"
			"command was cut off.",
		.options = options, .noptions = COUNT(options), .least = 0, .most = 0,
	};
	char **operands;
	struct table *t = NULL;
	int64_t since_ms;
	int most = USUAL, r = args_parse(&args, argc, argv, &operands, e);

	if (r != 0)
		return r < 0 ? r : CTL_OK;
	if (scan_duration_ms(since, &since_ms, e) < 0 ||
	    (limit && scan_int(limit, 1, MOST, &most, e) < 0)) {
		e->code = ERR_USAGE;
		return err_prefix(e, limit ? "--limit or --since" : "--since");
	}
	r = ctl_query_table(c, SQL,
			    PG_PARAMS(PG_INT(since_ms), PG_TEXT(by), PG_TEXT(action),
				      PG_TEXT(outcome), PG_INT(most)),
			    COLUMNS, COUNT(COLUMNS), &t, e);
	return r < 0 ? r : ctl_show(c, t, "nobody did anything");
}
