/* SPDX-License-Identifier: MIT */
/* schedule add, set and remove: schedules and settings that the database has over queues.conf. */
#include "common/base/conf.h"
#include "common/base/err.h"
#include "common/base/json.h"
#include "common/base/mem.h"
#include "common/base/plan.h"
#include "common/store/pg.h"
#include "workers/ctl/action.h"
#include "workers/ctl/args.h"
#include "workers/ctl/operator.h"
#include "workers/ctl/plans.h"
#include "workers/ctl/schedules.h"

/* Each key of a schedule block, as an option. */
static const struct {
	const char *key, *option, *value, *help;
} KEYS[] = {
	{ "cron", "cron", "CRON", "5 fields, or 6 with seconds first; or @daily ..." },
	{ "every", "every", "DURATION", "a distance: 90s, 15m, 6h" },
	{ "at", "at", "TIME", "once: 2026-12-24T18:00, local to --timezone, or with Z" },
	{ "after", "after", "NAME", "when a run of that schedule or task ended well" },
	{ "delay", "delay", "DURATION", "how long after that" },
	{ "timezone", "timezone", "ZONE", "IANA name, for --cron and --at; UTC" },
	{ "task", "task", "NAME", "the task to enqueue" },
	{ "args", "args", "JSON", "its arguments, an array" },
	{ "kwargs", "kwargs", "JSON", "its arguments by name, an object" },
	{ "queue", "queue", "NAME", "instead of the task's own" },
	{ "priority", "priority", "N", "0 to 9" },
	{ "overlap", "overlap", "WORD", "while the last run goes on: skip, allow, queue, replace" },
	{ "catch_up", "catch-up", "WORD", "missed times: skip, last or all" },
	{ "catch_up_max", "catch-up-max", "N", "of all the newest N" },
	{ "jitter", "jitter", "DURATION", "at most so much later, the same for a name every time" },
	{ "condition", "condition", "TEXT", "\"age(postings) > 12h and quota(jsearch) > 9\"" },
	{ "max_retries", "max-retries", "N", "of its runs" },
	{ "retry_distance", "retry-distance", "DURATION", "between their tries" },
	{ "time_limit", "time-limit", "DURATION", "of its runs" },
	{ "enabled", "enabled", "yes|no", "no: defined, but nothing fires" },
};

/* The first so many of KEYS say when. */
enum { KINDS = 4, KEYS_MOST = COUNT(KEYS), KEYS_BYTES = 512 };

static const char SQL_PUT[] =
	"SELECT jobfleet.schedule_put($1, coalesce((SELECT s.settings FROM jobfleet.schedule_settings s"
	" WHERE s.name = $1), '{}') - CASE WHEN $4::boolean THEN ARRAY['cron', 'every', 'at', 'after', 'delay']"
	" ELSE '{}' END - $5::text[] || $2::jsonb, $3)";

/* What the database has of a schedule. */
static const char SQL_KEYS[] =
	"SELECT k.key, k.value FROM jobfleet.schedule_settings s, jsonb_each_text(s.settings) k"
	" WHERE s.name = $1 ORDER BY 1";

struct change {
	const char *texts[KEYS_MOST];
	struct args_values unset;	/* keys, several with commas between */
	bool gone[KEYS_MOST];		/* which of KEYS that is */
	struct plan_setting settings[KEYS_MOST];
	size_t n;
	bool kind;	/* one of cron, every, at, after is among them */
};

/* The options of add and set: the keys, then those that all commands have. */
static size_t fill_options(struct ctl *c, struct change *ch, struct args_option *out)
{
	const struct args_option common[] = { CTL_JSON_OPTION(c), CTL_QUIET_OPTION(c),
					      CTL_CONFIG_OPTION(c) };
	size_t n = 0;

	for (; n < KEYS_MOST; n++)
		out[n] = (struct args_option){ KEYS[n].option, KEYS[n].value, KEYS[n].help,
					       &ch->texts[n], NULL };
	for (size_t i = 0; i < COUNT(common); i++)
		out[n++] = common[i];
	return n;
}

static void collect(struct change *ch)
{
	for (size_t i = 0; i < KEYS_MOST; i++) {
		if (!ch->texts[i])
			continue;
		ch->settings[ch->n++] = (struct plan_setting){ KEYS[i].key, ch->texts[i] };
		ch->kind = ch->kind || i < KINDS;
	}
}

/* "catch-up,jitter": as options or as keys are written. */
static int mark_unset(struct change *ch, const char *list, struct err *e)
{
	while (*list) {
		size_t n = strcspn(list, ","), i = 0;

		while (i < KEYS_MOST && (strncmp(KEYS[i].key, list, n) != 0 || KEYS[i].key[n]) &&
		       (strncmp(KEYS[i].option, list, n) != 0 || KEYS[i].option[n]))
			i++;
		if (i == KEYS_MOST)
			return err_set(e, ERR_USAGE, "--unset: a schedule has no key \"%.*s\"",
				       (int)(n > 60 ? 60 : n), list);
		ch->gone[i] = true;
		list += n + (list[n] == ',');
	}
	return 0;
}

static int read_unset(struct change *ch, struct err *e)
{
	int r = 0;

	for (int i = 0; r == 0 && i < ch->unset.n; i++)
		r = mark_unset(ch, ch->unset.texts[i], e);
	for (size_t i = 0; r == 0 && i < KEYS_MOST; i++) {
		if (ch->gone[i] && ch->texts[i])
			r = err_set(e, ERR_USAGE, "--unset=%s and --%s contradict each other",
				    KEYS[i].option, KEYS[i].option);
	}
	return r;
}

/* PostgreSQL's array of the keys that go. */
static const char *print_unset(const struct change *ch, char *out, size_t size)
{
	size_t n = (size_t)snprintf(out, size, "{");

	for (size_t i = 0; i < KEYS_MOST; i++) {
		if (ch->gone[i] && n < size)
			n += (size_t)snprintf(out + n, size - n, "%s%s", n > 1 ? "," : "",
					      KEYS[i].key);
	}
	snprintf(out + n, size - n, "}");
	return out;
}

static char *print_settings(const struct change *ch)
{
	cJSON *o = mem_check(cJSON_CreateObject());
	char *text;

	for (size_t i = 0; i < ch->n; i++)
		json_set_str(o, ch->settings[i].key, ch->settings[i].text);
	text = json_print(o);
	cJSON_Delete(o);
	return text;
}

static int put(struct ctl *c, const char *name, const struct change *ch, struct err *e)
{
	char *settings = print_settings(ch), by[OPERATOR_SIZE], unset[KEYS_BYTES];
	int r;

	operator_name(by);
	r = ctl_query(c, SQL_PUT,
		      PG_PARAMS(PG_TEXT(name), PG_TEXT(settings), PG_TEXT(by),
				PG_TEXT(ch->kind ? "t" : "f"),
				PG_TEXT(print_unset(ch, unset, sizeof unset))),
		      NULL, e);
	free(settings);
	return r;
}

static int tell(const struct ctl *c, const char *name, const char *what)
{
	cJSON *o = mem_check(cJSON_CreateObject());
	char *text;

	json_set_str(o, "schedule", name);
	json_set_str(o, "done", what);
	text = json_print(o);
	if (c->json)
		printf("%s\n", text);
	else
		printf("schedule %s is %s\n", name, what);
	free(text);
	cJSON_Delete(o);
	return CTL_OK;
}

static int check_new(const struct plan *plan, const char *name, struct err *e)
{
	if (!plan_find(plan, name))
		return 0;
	return err_set(e, ERR_CONFLICT, "schedule %s is there already; jobfleet schedule set "
		       "changes it", name);
}

static bool is_kind(const char *key)
{
	for (size_t i = 0; i < KINDS; i++) {
		if (strcmp(KEYS[i].key, key) == 0)
			return true;
	}
	return strcmp(key, "delay") == 0;
}

static bool stays(const struct change *ch, const char *key)
{
	if (ch->kind && is_kind(key))
		return false;
	for (size_t i = 0; i < KEYS_MOST; i++) {
		if (strcmp(KEYS[i].key, key) == 0)
			return !ch->gone[i] && !ch->texts[i];
	}
	return true;
}

static int must_have(const struct change *ch, const struct pg_rows *rows, const char *name,
		     struct err *e)
{
	for (size_t i = 0; i < KEYS_MOST; i++) {
		size_t k = 0;

		while (ch->gone[i] && k < pg_rows_count(rows) &&
		       strcmp(pg_text(rows, k, 0), KEYS[i].key) != 0)
			k++;
		if (ch->gone[i] && k == pg_rows_count(rows))
			return err_set(e, ERR_NOT_FOUND, "the database sets no %s of schedule %s",
				       KEYS[i].key, name);
	}
	return 0;
}

/* With something taken back: what is left of the database's settings, and the new ones, over the
 * file's. */
static int check_unset(struct ctl *c, struct plan *plan, const char *name, const struct change *ch,
		       struct err *e)
{
	struct plan_setting all[2 * KEYS_MOST];
	struct pg_rows *rows = NULL;
	size_t n = 0;
	int r = ctl_query(c, SQL_KEYS, PG_PARAMS(PG_TEXT(name)), &rows, e);

	if (r == 0)
		r = must_have(ch, rows, name, e);
	for (size_t i = 0; r == 0 && i < pg_rows_count(rows) && n < KEYS_MOST; i++) {
		const char *key = pg_text(rows, i, 0);

		if (stays(ch, key))
			all[n++] = (struct plan_setting){ key, pg_text(rows, i, 1) };
	}
	for (size_t i = 0; r == 0 && i < ch->n; i++)
		all[n++] = ch->settings[i];
	if (r == 0)
		r = plan_replace(plan, name, all, n, e);
	pg_rows_free(rows);
	return r;
}

/* The whole plan is checked with the change in it before anything is written. */
static int change(struct ctl *c, const char *name, struct change *ch, bool fresh, struct err *e)
{
	const struct conf_schedule *known;
	struct plan *plan = NULL;
	int r;

	collect(ch);
	r = read_unset(ch, e);
	if (r == 0)
		r = plans_load(c, &plan, e);
	if (r == 0)
		r = fresh ? check_new(plan, name, e) : plans_find(plan, name, &known, e);
	if (r == 0 && ch->n == 0 && ch->unset.n == 0)
		r = err_set(e, ERR_USAGE,
			    "nothing is said of it; jobfleet schedule %s --help lists "
			    "the options",
			    fresh ? "add" : "set");
	if (r == 0)
		r = ch->unset.n > 0 ? check_unset(c, plan, name, ch, e)
				    : plan_put(plan, name, ch->settings, ch->n, e);
	if (r == 0)
		r = action_begin(c, fresh ? "schedule add" : "schedule set", e);
	if (r == 0)
		r = put(c, name, ch, e);
	plan_free(plan);
	return r < 0 ? r : tell(c, name, fresh ? "added" : "changed");
}

int schedules_add(struct ctl *c, int argc, char **argv, struct err *e)
{
	struct change ch = { 0 };
	struct args_option options[KEYS_MOST + 8];
	size_t n = fill_options(c, &ch, options);
	const struct args args = {
		.usage = "schedule add NAME --cron=CRON|--every=D|--at=TIME|--after=NAME"
			 " --task=NAME [OPTION...]",
		.about =
			"Adds a schedule to the database; every dispatcher fires it within seconds,"
			" without a\n"
			"restart. The options are the keys of a schedule block (queues.conf(5)). Needs"
			" the role\n"
			"jobfleet_admin. Exit status 1: there is one of that name; 100: a setting is"
			" wrong.",
		.options = options, .noptions = n, .least = 1, .most = 1,
	};
	char **operands;
	int r = args_parse(&args, argc, argv, &operands, e);

	if (r != 0)
		return r < 0 ? r : CTL_OK;
	return change(c, operands[0], &ch, true, e);
}

int schedules_set(struct ctl *c, int argc, char **argv, struct err *e)
{
	struct change ch = { 0 };
	struct args_option options[KEYS_MOST + 8] = {
		{ "unset", "KEY,...", "takes back what the database has of them", NULL, NULL,
		  &ch.unset },
	};
	size_t n = 1 + fill_options(c, &ch, options + 1);
	const struct args args = {
		.usage = "schedule set NAME [OPTION...]",
		.about =
			"Changes settings of a schedule; what is not given stays. For one of"
			" queues.conf they stand in\n"
			"the database over the file's, until --unset or schedule remove; without them"
			" the file's hold\n"
			"again. What it had missed is not caught up. Needs the role jobfleet_admin."
			" Exit status 1:\n"
			"there is no such schedule, or the database has no such key.",
		.options = options, .noptions = n, .least = 1, .most = 1,
	};
	char **operands;
	int r = args_parse(&args, argc, argv, &operands, e);

	if (r != 0)
		return r < 0 ? r : CTL_OK;
	return change(c, operands[0], &ch, false, e);
}

/* ---- remove ---- */

/* 0: nothing comes after it any more, or something of its name stays. */
static int check_followers(const struct plan *plan, const char *name, enum plan_origin origin,
			   struct err *e)
{
	for (size_t i = 0; origin == PLAN_DATABASE && i < plan_count(plan); i++) {
		if (strcmp(plan_at(plan, i)->after, name) == 0)
			return err_set(e, ERR_CONFLICT,
				       "schedule %s comes after it; change or remove "
				       "that first",
				       plan_at(plan, i)->name);
	}
	return 0;
}

static int check_remove(const struct plan *plan, const char *name, struct err *e)
{
	const struct conf_schedule *known;
	enum plan_origin origin;
	int r = plans_find(plan, name, &known, e);

	if (r < 0)
		return r;
	origin = plan_origin(plan, (size_t)(known - plan_at(plan, 0)));
	if (origin == PLAN_FILE)
		return err_set(e, ERR_CONFLICT, "schedule %s stands in queues.conf: take it out "
			       "there, or jobfleet schedule set %s --enabled=no", name, name);
	return check_followers(plan, name, origin, e);
}

/* A row that is wrong has no place in the plan; it can be removed all the same. */
static bool is_left_out(struct ctl *c, const struct plan *plan, const char *name)
{
	struct pg_rows *rows = NULL;
	bool there = !plan_find(plan, name) &&
		ctl_query(c, "SELECT FROM jobfleet.schedule_settings WHERE name = $1",
			  PG_PARAMS(PG_TEXT(name)), &rows, NULL) == 0 && pg_rows_count(rows) > 0;

	pg_rows_free(rows);
	return there;
}

int schedules_remove(struct ctl *c, int argc, char **argv, struct err *e)
{
	const struct args_option options[] = { CTL_JSON_OPTION(c), CTL_QUIET_OPTION(c),
					       CTL_CONFIG_OPTION(c) };
	const struct args args = {
		.usage = "schedule remove NAME [OPTION...]",
		.about =
			"Takes out what the database has of a schedule: one that stands in queues.conf"
			" too is then as\n"
			"it is there. Runs that were fired go on. Needs the role jobfleet_admin. Exit"
			" status 1: there\n"
			"is none, it stands in queues.conf only, or another comes after it.",
		.options = options, .noptions = COUNT(options), .least = 1, .most = 1,
	};
	struct plan *plan = NULL;
	char **operands;
	int r = args_parse(&args, argc, argv, &operands, e);

	if (r != 0)
		return r < 0 ? r : CTL_OK;
	r = plans_load(c, &plan, e);
	if (r == 0 && !is_left_out(c, plan, operands[0]))
		r = check_remove(plan, operands[0], e);
	if (r == 0)
		r = action_begin(c, "schedule remove", e);
	if (r == 0)
		r = ctl_query(c, "SELECT jobfleet.schedule_remove($1)",
			      PG_PARAMS(PG_TEXT(operands[0])), NULL, e);
	plan_free(plan);
	return r < 0 ? r : tell(c, operands[0], "removed");
}
