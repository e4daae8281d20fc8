/* SPDX-License-Identifier: MIT */
/* alerts test: a notice that says so, through the same table, queue and program as a real one. */
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/address.h"
#include "common/base/clock.h"
#include "common/base/conf.h"
#include "common/base/err.h"
#include "common/base/json.h"
#include "common/base/mem.h"
#include "common/base/scan.h"
#include "common/base/uuid.h"
#include "common/store/pg.h"
#include "workers/ctl/action.h"
#include "workers/ctl/alerts.h"
#include "workers/ctl/args.h"
#include "workers/ctl/operator.h"
#include "workers/ctl/table.h"

enum { LOOK_MS = 200, IDS_BYTES = 4096, USUAL_MS = 30000 };

static const char SQL_NOTIFY[] =
	"SELECT jobfleet.alert_notify($1, NULL, 'test', $2, $3::jsonb, $4, now())";

static const char SQL_LOOK[] =
	"SELECT address, CASE WHEN state = 'waiting' AND attempts > 0 THEN 'trying' ELSE state END,"
	" attempts, nullif(detail, '') FROM jobfleet.alert_notices WHERE id = ANY ($1::text[])"
	" ORDER BY made_at, address";

static const struct table_column COLUMNS[] = {
	{ "address", "address", TABLE_TEXT },
	{ "state", "state", TABLE_TEXT },
	{ "attempts", "attempts", TABLE_NUMBER },
	{ "detail", "detail", TABLE_TEXT },
};

struct probe {
	struct ctl *c;
	const struct conf *conf;
	const struct conf_alert *rule;
	char ids[IDS_BYTES];	/* PostgreSQL's array */
	int sent, logs;
};

static char *notice_of(const struct probe *p, const char *id, const char *address)
{
	static const char *const LEVELS[] = { "INFO", "WARNING", "ERROR", "CRITICAL" };
	cJSON *o = mem_check(cJSON_CreateObject());
	char now[CLOCK_ISO_SIZE], by[OPERATOR_SIZE], *text;

	clock_iso(clock_wall_us(), now);
	operator_name(by);
	json_set_str(o, "id", id);
	json_set_str(o, "kind", "test");
	json_set_str(o, "address", address);
	json_set_str(o, "alert", p->rule->name);
	json_set_str(o, "subject", "");
	json_set_str(o, "level", LEVELS[p->rule->level]);
	json_set_str(o, "message", p->rule->condition);
	json_set_str(o, "since", now);
	json_set_str(o, "at", now);
	json_set_num(o, "told", 0);
	json_set_str(o, "node", by);
	text = json_print(o);
	cJSON_Delete(o);
	return text;
}

static int send_one(struct probe *p, const char *address, struct err *e)
{
	const char *queue = conf_route(p->conf, "jobfleet.deliver_alert");
	char id[UUID_SIZE], *notice;
	size_t n = strlen(p->ids);
	int r;

	if (strcmp(address, "log") == 0) {
		p->logs++;
		return 0;
	}
	if (n + UUID_SIZE + 3 > sizeof p->ids)
		return err_set(e, ERR_TOO_BIG, "too many addresses");
	uuid_v4(id);
	notice = notice_of(p, id, address);
	r = ctl_query(p->c, SQL_NOTIFY,
		      PG_PARAMS(PG_TEXT(id), PG_TEXT(address), PG_TEXT(notice),
				PG_TEXT(queue ? queue : "alerts")), NULL, e);
	free(notice);
	if (r < 0)
		return r;
	snprintf(p->ids + n, sizeof p->ids - n, "%s%s", p->sent++ ? "," : "{", id);
	return 0;
}

static int send_list(struct probe *p, const char *list, struct err *e)
{
	char address[ADDRESS_MAX];
	int r;

	while ((r = address_next(&list, address, e)) > 0)
		if ((r = send_one(p, address, e)) < 0)
			break;
	return r;
}

static int send_all(struct probe *p, struct err *e)
{
	const struct conf_alert *rule = p->rule;
	const struct conf_fleet *f = &p->conf->fleet;
	int r = send_list(p, *rule->to ? rule->to : f->alert_to[rule->level], e);

	if (r >= 0)
		r = send_list(p, *rule->escalate_to ? rule->escalate_to : f->alert_escalate_to, e);
	if (r >= 0)
		snprintf(p->ids + strlen(p->ids), sizeof p->ids - strlen(p->ids), "%s",
			 p->sent ? "}" : "{}");
	return r;
}

static bool is_over(const struct pg_rows *rows)
{
	for (size_t i = 0; i < pg_rows_count(rows); i++)
		if (strcmp(pg_text(rows, i, 1), "sent") != 0 &&
		    strcmp(pg_text(rows, i, 1), "failed") != 0)
			return false;
	return true;
}

static int exit_code(const struct pg_rows *rows)
{
	for (size_t i = 0; i < pg_rows_count(rows); i++)
		if (strcmp(pg_text(rows, i, 1), "failed") == 0)
			return CTL_FAILED;
	return is_over(rows) ? CTL_OK : CTL_TIMEOUT;
}

static int await_all(struct probe *p, int64_t deadline_ms, struct err *e)
{
	struct pg_rows *rows = NULL;
	struct table *t;
	int r, code;

	for (;;) {
		r = ctl_query(p->c, SQL_LOOK, PG_PARAMS(PG_TEXT(p->ids)), &rows, e);
		if (r < 0)
			return r;
		if (is_over(rows) || clock_mono_ms() >= deadline_ms)
			break;
		pg_rows_free(rows);
		rows = NULL;
		poll(NULL, 0, LOOK_MS);
	}
	t = table_new(COLUMNS, COUNT(COLUMNS));
	table_put_rows(t, rows);
	code = exit_code(rows);
	pg_rows_free(rows);
	ctl_show(p->c, t, "it goes to the log alone: nothing to send");
	return code;
}

static int test(struct ctl *c, const char *name, int64_t wait_ms, struct err *e)
{
	struct probe p = { .c = c };
	int r = ctl_conf(c, &p.conf, e);

	if (r < 0)
		return r;
	p.rule = alerts_rule(p.conf, name);
	if (!p.rule) {
		r = alerts_name_check(c, name, e);
		return r < 0 ? r : err_set(e, ERR_NOT_FOUND,
					   "%.60s is raised by programs; test a rule of its level",
					   name);
	}
	r = action_begin(c, "alerts test", e);
	if (r == 0)
		r = send_all(&p, e);
	return r < 0 ? r : await_all(&p, clock_mono_ms() + wait_ms, e);
}

int alerts_test(struct ctl *c, int argc, char **argv, struct err *e)
{
	const char *timeout = NULL;
	const struct args_option options[] = {
		{ "timeout", "DURATION", "how long to wait for the deliveries; 30s", &timeout, NULL },
		CTL_JSON_OPTION(c), CTL_CONFIG_OPTION(c),
	};
	const struct args args = {
		.usage = "alerts test NAME [OPTION...]",
		.about =
			"Sends a test notice to every address of a rule, escalation included, by the"
			" same queue and\n"
			"program as a real one, and waits for what becomes of each. Exit status 1: one"
			" failed; 2: one\n"
			"is still tried.",
		.options = options, .noptions = COUNT(options), .least = 1, .most = 1,
	};
	int64_t wait_ms = USUAL_MS;
	char **operands;
	int r = args_parse(&args, argc, argv, &operands, e);

	if (r != 0)
		return r < 0 ? r : CTL_OK;
	if (timeout && scan_duration_ms(timeout, &wait_ms, e) < 0) {
		e->code = ERR_USAGE;
		return err_prefix(e, "--timeout");
	}
	return test(c, operands[0], wait_ms, e);
}
