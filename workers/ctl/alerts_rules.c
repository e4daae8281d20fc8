/* SPDX-License-Identifier: MIT */
/* alerts rules: the rules of queues.conf beside what the leading dispatcher saw of them. */
#include <string.h>

#include "common/base/conf.h"
#include "common/base/err.h"
#include "common/base/measure.h"
#include "common/base/mem.h"
#include "common/store/pg.h"
#include "workers/ctl/alerts.h"
#include "workers/ctl/args.h"
#include "workers/ctl/table.h"

static const char SQL_STATES[] =
	"SELECT s.rule, s.subject, s.phase, s.value, to_json(s.since)#>>'{}', to_json(s.seen)#>>'{}',"
	" s.fired, jobfleet.alert_silenced(s.rule, s.subject, now()),"
	" s.seen > now() - interval '5 minutes'"
	" FROM jobfleet.alert_states s ORDER BY s.rule, s.subject";

enum { RULE, SUBJECT, PHASE, VALUE, SINCE, SEEN, FIRED, SILENCED, FRESH };

static const struct table_column COLUMNS[] = {
	{ "rule", "rule", TABLE_TEXT },
	{ "subject", "subject", TABLE_TEXT },
	{ "condition", "condition", TABLE_TEXT },
	{ "level", "level", TABLE_TEXT },
	{ "value", NULL, TABLE_TEXT },
	{ NULL, "value", TABLE_NUMBER },
	{ "state", NULL, TABLE_TEXT },
	{ NULL, "state", TABLE_TEXT },
	{ NULL, "since", TABLE_TEXT },
	{ NULL, "seen", TABLE_TEXT },
	{ NULL, "flapping", TABLE_BOOL },
	{ NULL, "silenced", TABLE_BOOL },
	{ NULL, "for_ms", TABLE_NUMBER },
	{ NULL, "to", TABLE_TEXT },
	{ "to", NULL, TABLE_TEXT },
};

static const char *level_word(enum conf_alert_level level)
{
	static const char *const WORDS[] = { "INFO", "WARNING", "ERROR", "CRITICAL" };

	return WORDS[level];
}

static void put_value(struct table *t, const struct conf_alert *rule, const struct pg_rows *rows,
		      size_t i)
{
	struct condition cond;
	char text[64];

	if (!pg_cell(rows, i, VALUE) || condition_parse(rule->condition, &cond, NULL) < 0) {
		table_put(t, NULL);
		table_put(t, NULL);
		return;
	}
	measure_print(cond.measure, pg_num(rows, i, VALUE), text, sizeof text);
	table_put(t, text);
	table_put(t, pg_cell(rows, i, VALUE));
}

static void put_state(struct table *t, const struct pg_rows *rows, size_t i)
{
	bool flapping = pg_int(rows, i, FIRED) > 2;
	char *words = mem_printf("%s%s%s%s", pg_text(rows, i, PHASE), flapping ? ", flapping" : "",
				 pg_bool(rows, i, SILENCED) ? ", silenced" : "",
				 pg_bool(rows, i, FRESH) ? "" : ", not seen lately");

	table_put(t, words);
	table_put(t, pg_text(rows, i, PHASE));
	table_put(t, pg_text(rows, i, SINCE));
	table_put(t, pg_cell(rows, i, SEEN));
	table_put(t, flapping ? "t" : "f");
	table_put(t, pg_text(rows, i, SILENCED));
	free(words);
}

static void put_rule(struct table *t, const struct conf *conf, const struct conf_alert *rule,
		     const struct pg_rows *rows, size_t i)
{
	const char *to = *rule->to ? rule->to : conf->fleet.alert_to[rule->level];

	table_put(t, rule->name);
	table_put(t, rows ? pg_text(rows, i, SUBJECT) : NULL);
	table_put(t, rule->condition);
	table_put(t, level_word(rule->level));
	if (rows) {
		put_value(t, rule, rows, i);
		put_state(t, rows, i);
	} else {
		table_put(t, NULL);
		table_put(t, NULL);
		table_put(t, rule->enabled ? "no figure" : "off");
		table_put(t, rule->enabled ? "unknown" : "off");
		for (int k = 0; k < 4; k++)
			table_put(t, NULL);
	}
	table_put_int(t, rule->for_ms);
	table_put(t, to);
	table_put(t, to);
}

static void put_all(struct table *t, const struct conf *conf, const struct pg_rows *rows)
{
	for (size_t k = 0; k < conf->nalerts; k++) {
		const struct conf_alert *rule = &conf->alerts[k];
		bool some = false;

		for (size_t i = 0; i < pg_rows_count(rows) && rule->enabled; i++)
			if (strcmp(pg_text(rows, i, RULE), rule->name) == 0) {
				put_rule(t, conf, rule, rows, i);
				some = true;
			}
		if (!some)
			put_rule(t, conf, rule, NULL, 0);
	}
}

int alerts_rules(struct ctl *c, int argc, char **argv, struct err *e)
{
	const struct args_option options[] = { CTL_JSON_OPTION(c), CTL_CONFIG_OPTION(c) };
	const struct args args = {
		.usage = "alerts rules [OPTION...]",
		.about =
			"Lists the rules of queues.conf, for each subject of each: the figure that the"
			" leading\n"
			"dispatcher saw last, and how it stands: ok, pending (it holds, not yet for"
			" long enough)\n"
			"or firing. \"no figure\": too few samples, or nobody has looked.",
		.options = options, .noptions = COUNT(options), .least = 0, .most = 0,
	};
	struct pg_rows *rows = NULL;
	const struct conf *conf;
	struct table *t;
	char **operands;
	int r = args_parse(&args, argc, argv, &operands, e);

	if (r != 0)
		return r < 0 ? r : CTL_OK;
	r = ctl_conf(c, &conf, e);
	if (r == 0)
		r = ctl_query(c, SQL_STATES, NULL, 0, &rows, e);
	if (r < 0)
		return r;
	t = table_new(COLUMNS, COUNT(COLUMNS));
	put_all(t, conf, rows);
	pg_rows_free(rows);
	return ctl_show(c, t, "queues.conf has no alert block");
}
