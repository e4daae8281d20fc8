/* SPDX-License-Identifier: MIT */
/* alerts: what fired, how often and when, and what operators said to it. */
#include "workers/ctl/alerts.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/conf.h"
#include "common/base/err.h"
#include "common/base/mem.h"
#include "common/base/near.h"
#include "common/base/scan.h"
#include "common/store/pg.h"
#include "workers/ctl/args.h"
#include "workers/ctl/table.h"

/* The newest time of each name and subject, with what all its times come to. */
static const char SQL_LIST[] =
	"WITH times AS (SELECT name, subject, count(*) AS fired, min(first_at) AS first,"
	" max(id) AS newest FROM jobfleet.alerts GROUP BY name, subject),"
	" notices AS (SELECT alert_id, count(*) FILTER (WHERE state = 'failed') AS failed,"
	" count(*) FILTER (WHERE state = 'waiting') AS waiting FROM jobfleet.alert_notices"
	" WHERE alert_id IS NOT NULL GROUP BY alert_id)"
	" SELECT a.name, nullif(a.subject, ''), a.level,"
	" CASE WHEN a.resolved_at IS NULL THEN 'firing' ELSE 'resolved' END,"
	" CASE WHEN a.resolved_at IS NULL THEN 'firing' ELSE 'resolved' END"
	"  || CASE WHEN s.until IS NOT NULL THEN ', silenced' ELSE '' END"
	"  || CASE WHEN a.resolved_at IS NULL AND a.acked_at IS NOT NULL THEN ', acknowledged' ELSE ''"
	"  END || CASE WHEN n.failed > 0 THEN ', not told' ELSE '' END,"
	" t.fired, a.occurrences, to_char(a.first_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS'),"
	" to_json(t.first)#>>'{}', to_json(a.first_at)#>>'{}', to_json(a.last_at)#>>'{}',"
	" to_json(a.resolved_at)#>>'{}', a.told, to_json(a.told_at)#>>'{}', a.told_to,"
	" coalesce(n.waiting, 0), coalesce(n.failed, 0), to_json(a.escalated_at)#>>'{}',"
	" to_json(a.acked_at)#>>'{}', a.acked_by, a.ack_reason, to_json(s.until)#>>'{}', s.reason,"
	" s.made_by, a.ruled, a.resolution, a.message"
	" FROM times t JOIN jobfleet.alerts a ON a.id = t.newest LEFT JOIN notices n ON n.alert_id = a.id"
	" LEFT JOIN LATERAL (SELECT * FROM jobfleet.alert_silences x WHERE x.name = a.name"
	"  AND x.subject IN ('', a.subject) AND x.until > now() ORDER BY x.until DESC LIMIT 1) s ON true"
	" WHERE a.resolved_at IS NULL OR a.resolved_at > now() - $1::bigint * interval '1 ms'"
	" ORDER BY a.resolved_at DESC NULLS FIRST, a.first_at DESC, a.name, a.subject";

static const struct table_column COLUMNS[] = {
	{ "alert", "alert", TABLE_TEXT },
	{ "subject", "subject", TABLE_TEXT },
	{ "level", "level", TABLE_TEXT },
	{ NULL, "state", TABLE_TEXT },
	{ "state", NULL, TABLE_TEXT },
	{ "fired", "fired", TABLE_NUMBER },
	{ NULL, "raised", TABLE_NUMBER },
	{ "since (UTC)", NULL, TABLE_TEXT },
	{ NULL, "first_at", TABLE_TEXT },
	{ NULL, "since", TABLE_TEXT },
	{ NULL, "last_at", TABLE_TEXT },
	{ NULL, "resolved_at", TABLE_TEXT },
	{ "told", "told", TABLE_NUMBER },
	{ NULL, "told_at", TABLE_TEXT },
	{ NULL, "told_to", TABLE_TEXT },
	{ NULL, "notices_waiting", TABLE_NUMBER },
	{ NULL, "notices_failed", TABLE_NUMBER },
	{ NULL, "escalated_at", TABLE_TEXT },
	{ NULL, "acked_at", TABLE_TEXT },
	{ NULL, "acked_by", TABLE_TEXT },
	{ NULL, "ack_reason", TABLE_TEXT },
	{ NULL, "silenced_until", TABLE_TEXT },
	{ NULL, "silence_reason", TABLE_TEXT },
	{ NULL, "silenced_by", TABLE_TEXT },
	{ NULL, "rule", TABLE_BOOL },
	{ NULL, "resolution", TABLE_TEXT },
	{ "message", "message", TABLE_TEXT },
};

void alerts_name_read(struct alerts_name *n, const char *text)
{
	char *slash;

	n->name = mem_strdup(text);
	slash = strchr(n->name, '/');
	n->subject = slash ? slash + 1 : "";
	if (slash)
		*slash = '\0';
}

void alerts_name_release(struct alerts_name *n)
{
	free(n->name);
}

const struct conf_alert *alerts_rule(const struct conf *conf, const char *name)
{
	for (size_t i = 0; i < conf->nalerts; i++)
		if (strcmp(conf->alerts[i].name, name) == 0)
			return &conf->alerts[i];
	return NULL;
}

int alerts_name_check(struct ctl *c, const char *name, struct err *e)
{
	struct pg_rows *rows = NULL;
	const struct conf *conf;
	struct near near;
	bool known;
	int r = ctl_conf(c, &conf, e);

	if (r < 0 || alerts_rule(conf, name))
		return r;
	r = ctl_query(c, "SELECT 1 FROM jobfleet.alerts WHERE name = $1 LIMIT 1",
		      PG_PARAMS(PG_TEXT(name)), &rows, e);
	known = r == 0 && pg_rows_count(rows) > 0;
	pg_rows_free(rows);
	if (r < 0 || known)
		return r;
	near_init(&near, name);
	for (size_t i = 0; i < conf->nalerts; i++)
		near_offer(&near, conf->alerts[i].name);
	return err_set(e, ERR_NOT_FOUND, "no rule and no alert is called %.60s%s%s%s", name,
		       near.word ? "; did you mean " : "", near.word ? near.word : "",
		       near.word ? "?" : "");
}

static int list(struct ctl *c, int argc, char **argv, struct err *e)
{
	const char *since = NULL;
	bool all = false;
	const struct args_option options[] = {
		{ "all", NULL, "also those that are over, as far as they are kept", NULL, &all },
		{ "since", "DURATION", "also those that were over so long ago at most", &since, NULL },
		CTL_JSON_OPTION(c), CTL_CONFIG_OPTION(c),
	};
	const struct args args = {
		.usage = "alerts [COMMAND] [OPTION...]",
		.about =
			"Lists what is wrong now: since when, how often it has fired, how often it was"
			" told, and\n"
			"whether somebody silenced or acknowledged it.\n"
			"\n"
			"Commands:\n"
			"  rules      each rule of queues.conf with its present figures\n"
			"  silence    tell nobody of it for a while\n"
			"  unsilence  tell of it again\n"
			"  ack        somebody has taken it: no repeats, no escalation\n"
			"  resolve    it is over, of what a program raised and nobody ends\n"
			"  test       send a test the real way",
		.options = options, .noptions = COUNT(options), .least = 0, .most = 0,
	};
	char **operands;
	struct table *t = NULL;
	int64_t since_ms = 0;
	int r = args_parse(&args, argc, argv, &operands, e);

	if (r != 0)
		return r < 0 ? r : CTL_OK;
	if (all)
		since_ms = 100LL * 366 * 86400000;
	if (since && scan_duration_ms(since, &since_ms, e) < 0) {
		e->code = ERR_USAGE;
		return err_prefix(e, "--since");
	}
	r = ctl_query_table(c, SQL_LIST, PG_PARAMS(PG_INT(since_ms)), COLUMNS, COUNT(COLUMNS), &t,
			    e);
	return r < 0 ? r : ctl_show(c, t, all || since ? "nothing has fired" : "nothing is wrong");
}

int alerts_main(struct ctl *c, int argc, char **argv, struct err *e)
{
	static const struct ctl_command commands[] = {
		{ "rules", alerts_rules, NULL },
		{ "silence", alerts_silence, NULL },
		{ "unsilence", alerts_unsilence, NULL },
		{ "ack", alerts_ack, NULL },
		{ "resolve", alerts_resolve, NULL },
		{ "test", alerts_test, NULL },
	};
	struct near near;

	if (argc < 2 || argv[1][0] == '-')
		return list(c, argc, argv, e);
	near_init(&near, argv[1]);
	for (size_t i = 0; i < COUNT(commands); i++) {
		near_offer(&near, commands[i].name);
		if (strcmp(commands[i].name, argv[1]) == 0)
			return commands[i].run(c, argc - 1, argv + 1, e);
	}
	return err_set(e, ERR_USAGE, "alerts has no command \"%.40s\"%s%s%s", argv[1],
		       near.word ? "; did you mean " : "; jobfleet alerts --help lists them",
		       near.word ? near.word : "", near.word ? "?" : "");
}
