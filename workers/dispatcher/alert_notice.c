/* SPDX-License-Identifier: MIT */
#include "workers/dispatcher/alert_notice.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/address.h"
#include "common/base/clock.h"
#include "common/base/err.h"
#include "common/base/json.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/base/uuid.h"
#include "common/store/pg.h"

enum { ALERTS_MOST = 500 };

static const char *const WORDS[] = {
	[NOTICE_NONE] = "", [NOTICE_FIRING] = "firing", [NOTICE_REPEATED] = "repeated",
	[NOTICE_ESCALATED] = "escalated", [NOTICE_RESOLVED] = "resolved",
};

#define US(column) "coalesce((extract(epoch FROM a." column ") * 1000000)::bigint, 0)"
#define AT "(timestamptz 'epoch' + $1::bigint * interval '1 us')"

/* Those that nobody was told of come first; the silenced, who may be many, keep nobody waiting. */
static const char SQL_ALERTS[] =
	"SELECT a.id, a.name, a.subject, a.level, a.message, " US("first_at") ", " US("told_at") ", "
	US("last_told_at") ", " US("escalated_at") ", " US("acked_at") ", " US("resolved_at")
	", a.told, jobfleet.alert_silenced(a.name, a.subject, " AT "), coalesce(a.told_to, ''),"
	" coalesce(a.escalated_to, ''), coalesce(a.resolution, ''), a.ruled"
	" FROM jobfleet.alerts a WHERE (a.resolved_at IS NULL"
	" AND NOT jobfleet.alert_silenced(a.name, a.subject, " AT "))"
	" OR (a.resolved_at IS NOT NULL AND a.told_at IS NOT NULL AND a.end_told_at IS NULL)"
	" ORDER BY a.resolved_at IS NULL, a.last_told_at NULLS FIRST, a.id LIMIT $2::integer";

static const char SQL_NOTIFY[] =
	"SELECT jobfleet.alert_notify($1, $2::bigint, $3, $4, $5::jsonb, $6,"
	" timestamptz 'epoch' + $7::bigint * interval '1 us')";

static const char *const SQL_TOLD[] = {
	[NOTICE_FIRING] = "UPDATE jobfleet.alerts SET told_at = " AT ", last_told_at = " AT
			  ", told = told + 1, told_to = $3 WHERE id = $2::bigint",
	[NOTICE_REPEATED] = "UPDATE jobfleet.alerts SET last_told_at = " AT ", told = told + 1,"
			    " told_to = $3 WHERE id = $2::bigint",
	[NOTICE_ESCALATED] = "UPDATE jobfleet.alerts SET escalated_at = " AT ", escalated_to = $3"
			     " WHERE id = $2::bigint",
	[NOTICE_RESOLVED] = "UPDATE jobfleet.alerts SET end_told_at = " AT
			    " WHERE id = $2::bigint AND $3::text IS NOT NULL",
};

struct alert_line {
	struct alert alert;	/* its texts are ours */
	enum notice_kind kind;
};

enum notice_kind alert_due(const struct alert *a, const struct alert_policy *p, int64_t now_us)
{
	if (a->resolved_us)
		return a->told_us && !a->end_told_us ? NOTICE_RESOLVED : NOTICE_NONE;
	if (a->silenced)
		return NOTICE_NONE;
	if (!a->told_us)
		return NOTICE_FIRING;
	if (a->acked_us)
		return NOTICE_NONE;
	if (p->escalate_after_us > 0 && !a->escalated_us &&
	    now_us - a->told_us >= p->escalate_after_us)
		return NOTICE_ESCALATED;
	if (p->repeat_us > 0 && now_us - a->last_told_us >= p->repeat_us)
		return NOTICE_REPEATED;
	return NOTICE_NONE;
}

static int level_of(const char *name)
{
	static const char *const NAMES[] = {
		[CONF_ALERT_INFO] = "INFO", [CONF_ALERT_WARNING] = "WARNING",
		[CONF_ALERT_ERROR] = "ERROR", [CONF_ALERT_CRITICAL] = "CRITICAL",
	};

	for (int i = 0; i < CONF_ALERT_LEVELS; i++)
		if (strcmp(NAMES[i], name) == 0)
			return i;
	return CONF_ALERT_WARNING;
}

void alert_policy_of(const struct conf *conf, const char *level, const struct conf_alert *rule,
		     struct alert_policy *ret)
{
	const struct conf_fleet *f = &conf->fleet;
	bool own_escalation = rule && rule->escalate_after_ms != CONF_UNSET;

	ret->to = rule && *rule->to ? rule->to : f->alert_to[level_of(level)];
	ret->escalate_to = rule && *rule->escalate_to ? rule->escalate_to : f->alert_escalate_to;
	ret->repeat_us = 1000 * (rule && rule->repeat_ms != CONF_UNSET ? rule->repeat_ms
								       : f->alert_repeat_ms);
	ret->escalate_after_us = 1000 * (own_escalation ? rule->escalate_after_ms
							: f->alert_escalate_after_ms);
}

/* ---- one notice ---- */

void alert_notice_id(const struct alert *a, enum notice_kind kind, const char *address,
		     char out[UUID_SIZE])
{
	char *name = mem_printf("alert/%lld/%lld/%s/%d/%s", (long long)a->id,
				(long long)a->first_us, WORDS[kind], a->told, address);

	uuid_v5(name, strlen(name), out);
	free(name);
}

static const char *text_of(const struct alert *a, enum notice_kind kind)
{
	return kind == NOTICE_RESOLVED && *a->resolution ? a->resolution : a->message;
}

char *alert_notice_json(const struct alert *a, enum notice_kind kind, const char *address,
			const char *id, const char *node, int64_t now_us)
{
	cJSON *o = mem_check(cJSON_CreateObject());
	char since[CLOCK_ISO_SIZE], at[CLOCK_ISO_SIZE], *text;

	clock_iso(a->first_us, since);
	clock_iso(now_us, at);
	json_set_str(o, "id", id);
	json_set_str(o, "kind", WORDS[kind]);
	json_set_str(o, "address", address);
	json_set_str(o, "alert", a->name);
	json_set_str(o, "subject", a->subject);
	json_set_str(o, "level", a->level);
	json_set_str(o, "message", text_of(a, kind));
	json_set_str(o, "since", since);
	json_set_str(o, "at", at);
	json_set_num(o, "told", a->told + (kind == NOTICE_FIRING || kind == NOTICE_REPEATED));
	json_set_num(o, "alert_id", (double)a->id);
	json_set_str(o, "node", node);
	text = json_print(o);
	cJSON_Delete(o);
	return text;
}

void alert_log(const struct alert *a, enum notice_kind kind)
{
	static const enum log_level LEVELS[] = {
		[CONF_ALERT_INFO] = LOG_LEVEL_INFO, [CONF_ALERT_WARNING] = LOG_LEVEL_WARNING,
		[CONF_ALERT_ERROR] = LOG_LEVEL_ERROR, [CONF_ALERT_CRITICAL] = LOG_LEVEL_CRITICAL,
	};

	log_line(kind == NOTICE_RESOLVED ? LOG_LEVEL_INFO : LEVELS[level_of(a->level)],
		 "alert %s name=%s subject=\"%s\" level=%s message=\"%s\"", WORDS[kind], a->name,
		 a->subject, a->level, text_of(a, kind));
}

/* ---- lines ---- */

static void put_line(struct alert_lines *l, const struct alert *a, enum notice_kind kind)
{
	struct alert copy = { .name = mem_strdup(a->name), .subject = mem_strdup(a->subject),
			      .level = mem_strdup(a->level), .message = mem_strdup(a->message),
			      .resolution = mem_strdup(a->resolution) };

	l->items = mem_realloc(l->items, (l->n + 1) * sizeof *l->items);
	l->items[l->n++] = (struct alert_line){ copy, kind };
}

void alert_lines_write(const struct alert_lines *l)
{
	for (size_t i = 0; i < l->n; i++)
		alert_log(&l->items[i].alert, l->items[i].kind);
}

void alert_lines_release(struct alert_lines *l)
{
	for (size_t i = 0; i < l->n; i++) {
		free((char *)l->items[i].alert.name);
		free((char *)l->items[i].alert.subject);
		free((char *)l->items[i].alert.level);
		free((char *)l->items[i].alert.message);
		free((char *)l->items[i].alert.resolution);
	}
	free(l->items);
	*l = (struct alert_lines){ 0 };
}

/* ---- all that are due ---- */

struct teller {
	struct pg *pg;
	const struct conf *conf;
	const char *node;
	int64_t now_us;
	struct alert_lines *lines;
};

static int notify(const struct teller *t, const struct alert *a, enum notice_kind kind,
		  const char *address, struct err *e)
{
	const char *queue = conf_route(t->conf, "jobfleet.deliver_alert");
	char id[UUID_SIZE], *notice;
	int64_t n;

	if (strcmp(address, "log") == 0) {
		put_line(t->lines, a, kind);
		return 0;
	}
	alert_notice_id(a, kind, address, id);
	notice = alert_notice_json(a, kind, address, id, t->node, t->now_us);
	n = pg_run(t->pg, SQL_NOTIFY,
		   PG_PARAMS(PG_TEXT(id), PG_INT(a->id), PG_TEXT(WORDS[kind]), PG_TEXT(address),
			     PG_TEXT(notice), PG_TEXT(queue ? queue : "alerts"), PG_INT(t->now_us)),
		   NULL, e);
	free(notice);
	return n < 0 ? (int)n : 0;
}

static int tell_list(const struct teller *t, const struct alert *a, enum notice_kind kind,
		     const char *list, struct err *e)
{
	char address[ADDRESS_MAX];
	int r;

	while ((r = address_next(&list, address, e)) > 0)
		if ((r = notify(t, a, kind, address, e)) < 0)
			break;
	return r;
}

static int tell(const struct teller *t, const struct alert *a, const struct alert_policy *p,
		enum notice_kind kind, struct err *e)
{
	const char *to = kind == NOTICE_RESOLVED ? a->told_to
		: kind == NOTICE_ESCALATED	 ? p->escalate_to
						 : p->to;
	int64_t n;
	int r = tell_list(t, a, kind, to, e);

	if (r >= 0 && kind == NOTICE_RESOLVED)
		r = tell_list(t, a, kind, a->escalated_to, e);
	if (r < 0)
		return r;
	n = pg_run(t->pg, SQL_TOLD[kind],
		   PG_PARAMS(PG_INT(t->now_us), PG_INT(a->id), PG_TEXT(to)), NULL, e);
	return n < 0 ? (int)n : 0;
}

static void read_alert(const struct pg_rows *rows, size_t i, struct alert *ret)
{
	*ret = (struct alert){
		.id = pg_int(rows, i, 0), .name = pg_text(rows, i, 1),
		.subject = pg_text(rows, i, 2), .level = pg_text(rows, i, 3),
		.message = pg_text(rows, i, 4), .first_us = pg_int(rows, i, 5),
		.told_us = pg_int(rows, i, 6), .last_told_us = pg_int(rows, i, 7),
		.escalated_us = pg_int(rows, i, 8), .acked_us = pg_int(rows, i, 9),
		.resolved_us = pg_int(rows, i, 10), .told = (int)pg_int(rows, i, 11),
		.silenced = pg_bool(rows, i, 12), .told_to = pg_text(rows, i, 13),
		.escalated_to = pg_text(rows, i, 14), .resolution = pg_text(rows, i, 15),
	};
}

static const struct conf_alert *rule_of(const struct conf *conf, const char *name)
{
	for (size_t i = 0; i < conf->nalerts; i++)
		if (strcmp(conf->alerts[i].name, name) == 0)
			return &conf->alerts[i];
	return NULL;
}

int alert_notices_make(struct pg *pg, const struct conf *conf, const char *node, int64_t now_us,
		       struct alert_lines *lines, struct err *e)
{
	const struct teller t = { pg, conf, node, now_us, lines };
	struct pg_rows *rows = NULL;
	int64_t n =
		pg_run(pg, SQL_ALERTS, PG_PARAMS(PG_INT(now_us), PG_INT(ALERTS_MOST)), &rows, e);
	int r = n < 0 ? (int)n : 0;

	for (size_t i = 0; r >= 0 && i < pg_rows_count(rows); i++) {
		struct alert_policy policy;
		enum notice_kind kind;
		struct alert a;

		read_alert(rows, i, &a);
		alert_policy_of(conf, a.level, rule_of(conf, a.name), &policy);
		kind = alert_due(&a, &policy, now_us);
		if (kind != NOTICE_NONE)
			r = tell(&t, &a, &policy, kind, e);
	}
	pg_rows_free(rows);
	return r;
}
