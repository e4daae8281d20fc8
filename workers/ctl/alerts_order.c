/* SPDX-License-Identifier: MIT */
/* alerts silence, unsilence, ack, resolve: what operators say to an alert. */
#include <stdio.h>

#include "common/base/err.h"
#include "common/base/json.h"
#include "common/base/mem.h"
#include "common/base/scan.h"
#include "common/store/pg.h"
#include "workers/ctl/action.h"
#include "workers/ctl/alerts.h"
#include "workers/ctl/args.h"
#include "workers/ctl/operator.h"

#define YEAR_MS (366LL * 86400000)

static const char SQL_SILENCE[] =
	"INSERT INTO jobfleet.alert_silences (name, subject, until, reason, made_by)"
	" VALUES ($1, $2, now() + $3::bigint * interval '1 ms', $4, $5)"
	" ON CONFLICT (name, subject) DO UPDATE SET until = excluded.until, reason = excluded.reason,"
	" made_by = excluded.made_by, made_at = now() RETURNING to_json(until)#>>'{}'";

/* Kept, since it tells why nobody was told then. */
static const char SQL_UNSILENCE[] =
	"UPDATE jobfleet.alert_silences SET until = now(), reason = reason || '; ended by ' || $3"
	" || CASE WHEN $4 = '' THEN '' ELSE ': ' || $4 END WHERE name = $1 AND until > now()"
	" AND ($2 = '' OR subject = $2) RETURNING subject";

static const char SQL_ACK[] =
	"UPDATE jobfleet.alerts SET acked_at = now(), acked_by = $3, ack_reason = $4"
	" WHERE name = $1 AND ($2 = '' OR subject = $2) AND resolved_at IS NULL RETURNING subject";

static const char SQL_RESOLVE[] =
	"UPDATE jobfleet.alerts SET resolved_at = now(),"
	" resolution = 'ended by ' || $3 || CASE WHEN $4 = '' THEN '' ELSE ': ' || $4 END"
	" WHERE name = $1 AND ($2 = '' OR subject = $2) AND resolved_at IS NULL AND NOT ruled"
	" RETURNING subject";

static void tell(struct ctl *c, const char *done, const struct alerts_name *n,
		 const struct pg_rows *rows)
{
	cJSON *list = mem_check(cJSON_CreateArray());
	char *text;

	for (size_t i = 0; i < pg_rows_count(rows); i++) {
		const char *subject = pg_text(rows, i, 0);
		cJSON *o = mem_check(cJSON_CreateObject());

		json_set_str(o, "alert", n->name);
		json_set_str(o, "subject", *subject ? subject : NULL);
		cJSON_AddItemToArray(list, o);
		if (!c->json)
			printf("%s %s %s\n", done, n->name, subject);
	}
	text = json_print(list);
	if (c->json)
		printf("{\"%s\": %s}\n", done, text);
	free(text);
	cJSON_Delete(list);
}

static int parse(struct ctl *c, const char *usage, const char *about, int operands_wanted,
		 const char **reason, int argc, char **argv, char ***ret, struct err *e)
{
	const struct args_option options[] = {
		{ "reason", "TEXT", "why, for who looks at it later", reason, NULL },
		CTL_JSON_OPTION(c), CTL_CONFIG_OPTION(c),
	};
	const struct args args = {
		.usage = usage, .about = about, .options = options, .noptions = COUNT(options),
		.least = operands_wanted, .most = operands_wanted,
	};

	return args_parse(&args, argc, argv, ret, e);
}

/* An order on what stands under a name; sql answers the subjects that it touched. */
struct order {
	const char *usage, *about, *action, *done, *sql, *nothing;
};

static int give(struct ctl *c, const struct order *o, int argc, char **argv, struct err *e)
{
	const char *reason = NULL;
	char by[OPERATOR_SIZE], **operands;
	struct pg_rows *rows = NULL;
	struct alerts_name n;
	int r = parse(c, o->usage, o->about, 1, &reason, argc, argv, &operands, e);

	if (r != 0)
		return r < 0 ? r : CTL_OK;
	alerts_name_read(&n, operands[0]);
	operator_name(by);
	r = alerts_name_check(c, n.name, e);
	if (r == 0)
		r = action_begin(c, o->action, e);
	if (r == 0)
		r = ctl_query(c, o->sql, PG_PARAMS(PG_TEXT(n.name), PG_TEXT(n.subject), PG_TEXT(by),
						  PG_TEXT(reason ? reason : "")), &rows, e);
	if (r == 0 && pg_rows_count(rows) == 0)
		r = err_set(e, ERR_NOT_FOUND, "%s%.200s", o->nothing, operands[0]);
	if (r == 0)
		tell(c, o->done, &n, rows);
	pg_rows_free(rows);
	alerts_name_release(&n);
	return r < 0 ? r : CTL_OK;
}

static void tell_silence(struct ctl *c, const struct alerts_name *n, const char *until)
{
	cJSON *o;
	char *text;

	if (!c->json) {
		printf("%s %s: nobody is told until %s\n", n->name, n->subject, until);
		return;
	}
	o = mem_check(cJSON_CreateObject());
	json_set_str(o, "alert", n->name);
	json_set_str(o, "subject", *n->subject ? n->subject : NULL);
	json_set_str(o, "until", until);
	text = json_print(o);
	printf("%s\n", text);
	free(text);
	cJSON_Delete(o);
}

static int silence(struct ctl *c, const char *typed, int64_t ms, const char *reason, struct err *e)
{
	char by[OPERATOR_SIZE];
	struct pg_rows *rows = NULL;
	struct alerts_name n;
	int r;

	alerts_name_read(&n, typed);
	operator_name(by);
	r = alerts_name_check(c, n.name, e);
	if (r == 0)
		r = action_begin(c, "alerts silence", e);
	if (r == 0)
		r = ctl_query(c, SQL_SILENCE,
			      PG_PARAMS(PG_TEXT(n.name), PG_TEXT(n.subject), PG_INT(ms),
					PG_TEXT(reason ? reason : ""), PG_TEXT(by)), &rows, e);
	if (r == 0)
		tell_silence(c, &n, pg_text(rows, 0, 0));
	pg_rows_free(rows);
	alerts_name_release(&n);
	return r < 0 ? r : CTL_OK;
}

int alerts_silence(struct ctl *c, int argc, char **argv, struct err *e)
{
	const char *reason = NULL;
	char **operands;
	int64_t ms;
	int r = parse(c, "alerts silence NAME[/SUBJECT] DURATION [OPTION...]",
		      "Nobody is told of this alert, or of this subject of it, for so long. It goes on"
		      " being\n"
		      "looked at, listed and logged; if it still fires then, it is told then.",
		      2, &reason, argc, argv, &operands, e);

	if (r != 0)
		return r < 0 ? r : CTL_OK;
	if (scan_duration_ms(operands[1], &ms, e) < 0) {
		e->code = ERR_USAGE;
		return -ERR_USAGE;
	}
	if (ms <= 0 || ms > YEAR_MS)
		return err_set(e, ERR_USAGE, "\"%.40s\" is not a time up to a year, such as 2h; to"
			       " switch a rule off for good: enabled = no in queues.conf",
			       operands[1]);
	return silence(c, operands[0], ms, reason, e);
}

int alerts_unsilence(struct ctl *c, int argc, char **argv, struct err *e)
{
	static const struct order order = {
		"alerts unsilence NAME[/SUBJECT] [OPTION...]",
		"Ends a silence before its time; without a subject, all of that alert.",
		"alerts unsilence", "unsilenced", SQL_UNSILENCE, "nothing silences ",
	};

	return give(c, &order, argc, argv, e);
}

int alerts_ack(struct ctl *c, int argc, char **argv, struct err *e)
{
	static const struct order order = {
		"alerts ack NAME[/SUBJECT] [OPTION...]",
		"Says that somebody has taken the matter: it is neither repeated nor escalated any"
		" more.\n"
		"That it is over is still told, and so is the next time it fires.",
		"alerts ack", "acknowledged", SQL_ACK, "nothing fires that is called ",
	};

	return give(c, &order, argc, argv, e);
}

int alerts_resolve(struct ctl *c, int argc, char **argv, struct err *e)
{
	static const struct order order = {
		"alerts resolve NAME[/SUBJECT] [OPTION...]",
		"Ends an alert that a program raised. What a rule says ends when its condition does"
		" not\n"
		"hold any more; silence it until then.",
		"alerts resolve", "resolved", SQL_RESOLVE,
		"nothing that a program raised is open and called ",
	};

	return give(c, &order, argc, argv, e);
}
