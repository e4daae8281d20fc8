/* SPDX-License-Identifier: MIT */
/* pause, resume: queues, tasks or the fleet stand still until somebody says otherwise. */
#include "common/base/conf.h"
#include "common/base/json.h"
#include "common/base/mem.h"
#include "common/base/near.h"
#include "common/store/pg.h"
#include "common/store/redis.h"
#include "workers/ctl/action.h"
#include "workers/ctl/args.h"
#include "workers/ctl/ctl.h"
#include "workers/ctl/keep.h"
#include "workers/ctl/table.h"

enum { NAMES_MAX = 1000 };

struct pause {
	struct args_values queues, tasks;	/* lists split by commas */
	const char *reason;
	bool all, on;
};

static const char SQL_LIST[] =
	"SELECT p.kind, nullif(p.name, ''), to_char(p.ordered_at, 'YYYY-MM-DD HH24:MI:SS'),"
	" to_json(p.ordered_at)#>>'{}', nullif(p.ordered_by, ''), nullif(p.reason, ''),"
	" (SELECT count(*) FROM jobfleet.pending w WHERE w.state = 'waiting' AND w.reason = 'paused'"
	" AND (p.kind = 'fleet' OR p.kind = 'queue' AND w.queue = p.name"
	" OR p.kind = 'task' AND w.task = p.name))"
	" FROM jobfleet.pauses p WHERE p.paused ORDER BY p.kind, p.name";

static const struct table_column COLUMNS[] = {
	{ "paused", "kind", TABLE_TEXT },
	{ "name", "name", TABLE_TEXT },
	{ "since (UTC)", NULL, TABLE_TEXT },
	{ NULL, "since", TABLE_TEXT },
	{ "by", "by", TABLE_TEXT },
	{ "reason", "reason", TABLE_TEXT },
	{ "parked", "parked", TABLE_NUMBER },
};

static const char *kind_word(enum order_kind kind)
{
	return kind == ORDER_PAUSE_QUEUE ? "queue" : kind == ORDER_PAUSE_TASK ? "task" : "fleet";
}

static void put_from_redis(void *ctx, const struct order *o)
{
	struct table *t = ctx;

	if (!o->on || o->kind < ORDER_PAUSE_QUEUE)
		return;
	table_put(t, kind_word(o->kind));
	table_put(t, *o->name ? o->name : NULL);
	for (size_t i = 2; i < COUNT(COLUMNS); i++)
		table_put(t, NULL);
}

/* PostgreSQL knows all about them, Redis at least what is paused. */
static int list(struct ctl *c, struct err *e)
{
	struct table *t = NULL;
	struct redis *redis;
	int64_t counter = 0;
	int r = ctl_query_table(c, SQL_LIST, NULL, 0, COLUMNS, COUNT(COLUMNS), &t, e);

	if (r == 0)
		return ctl_show(c, t, "nothing is paused");
	if (!err_is_transient(e->code) || !c->conf)
		return r;
	ctl_note(c, "jobfleet: %s; as Redis has it:", e->msg);
	r = ctl_redis(c, &redis, e);
	if (r < 0)
		return r;
	t = table_new(COLUMNS, COUNT(COLUMNS));
	r = orders_read_redis(redis, c->conf->fleet.redis_prefix, &counter, put_from_redis, t, e);
	if (r >= 0)
		return ctl_show(c, t, "nothing is paused");
	table_free(t);
	return r;
}

/* A name that queues.conf does not have may still be right; it is worth a word. */
static void note_unknown(const struct ctl *c, enum order_kind kind, const char *name)
{
	const struct conf *conf = c->conf;
	struct near n;

	if (kind == ORDER_PAUSE_QUEUE ? conf_queue(conf, name) != NULL
				      : conf_task(conf, name) != NULL)
		return;
	near_init(&n, name);
	for (size_t i = 0; kind == ORDER_PAUSE_QUEUE && i < conf->nqueues; i++)
		near_offer(&n, conf->queues[i].name);
	for (size_t i = 0; kind == ORDER_PAUSE_TASK && i < conf->ntasks; i++)
		near_offer(&n, conf->tasks[i].name);
	ctl_note(c, "jobfleet: queues.conf has no %s %.100s%s%s%s", kind_word(kind), name,
		 n.word ? "; did you mean " : "", n.word ? n.word : "", n.word ? "?" : "");
}

static int order_one(struct keep *k, const struct pause *p, enum order_kind kind, const char *name,
		     struct err *e)
{
	struct order o = { .kind = kind, .name = name, .value = "", .on = p->on,
			   .reason = p->reason ? p->reason : "" };
	char *what;
	int r = keep_order(k, o, e);

	if (r < 0)
		return r;
	if (kind != ORDER_PAUSE_FLEET)
		note_unknown(k->ctl, kind, name);
	what = mem_printf("%s %s%s%s:", p->on ? "paused" : "resumed", kind_word(kind),
			  *name ? " " : "", name);
	r = keep_tell(k, what);
	free(what);
	return r;
}

static int order_list(struct keep *k, const struct pause *p, enum order_kind kind,
		      const char *names, cJSON *done, struct err *e)
{
	char *save = NULL, *copy = mem_strdup(names);
	int r = names[strspn(names, ",")] ? CTL_OK :
		err_set(e, ERR_USAGE, "--%s names none", kind_word(kind));

	for (char *one = strtok_r(copy, ",", &save); one && r == CTL_OK;
	     one = strtok_r(NULL, ",", &save)) {
		cJSON *o = mem_check(cJSON_CreateObject());

		r = order_one(k, p, kind, one, e);
		json_set_str(o, "kind", kind_word(kind));
		json_set_str(o, "name", one);
		cJSON_AddItemToArray(done, o);
	}
	free(copy);
	return r;
}

/* Each of the names between commas, of every value. */
static int order_lists(struct keep *k, const struct pause *p, enum order_kind kind,
		       const struct args_values *lists, cJSON *done, struct err *e)
{
	int r = CTL_OK;

	for (int i = 0; i < lists->n && r == CTL_OK; i++)
		r = order_list(k, p, kind, lists->texts[i], done, e);
	return r;
}

static void print_json(const struct pause *p, const struct keep *k, cJSON *done)
{
	cJSON *o = mem_check(cJSON_CreateObject());
	char *text;

	json_set(o, p->on ? "paused" : "resumed", done);
	json_set_raw(o, "kept", keep_json(k));
	text = json_print(o);
	printf("%s\n", text);
	free(text);
	cJSON_Delete(o);
}

static int carry_out(struct ctl *c, const struct pause *p, struct err *e)
{
	cJSON *done = mem_check(cJSON_CreateArray());
	struct keep k;
	int r = action_begin(c, p->on ? "pause" : "resume", e);

	keep_init(&k, c);
	if (r == 0 && p->all) {
		cJSON *o = mem_check(cJSON_CreateObject());

		r = order_one(&k, p, ORDER_PAUSE_FLEET, "", e);
		json_set_str(o, "kind", "fleet");
		json_set_str(o, "name", NULL);
		cJSON_AddItemToArray(done, o);
	}
	if (r == CTL_OK)
		r = order_lists(&k, p, ORDER_PAUSE_QUEUE, &p->queues, done, e);
	if (r == CTL_OK)
		r = order_lists(&k, p, ORDER_PAUSE_TASK, &p->tasks, done, e);
	if (r < 0 || !c->json)
		cJSON_Delete(done);
	else
		print_json(p, &k, done);
	return r;
}

static bool says_what(const struct pause *p)
{
	return p->all || p->queues.n > 0 || p->tasks.n > 0;
}

int pause_main(struct ctl *c, int argc, char **argv, struct err *e)
{
	struct pause p = { .on = true };
	const struct args_option options[] = {
		{ "queue", "NAME,...", "nothing of these queues starts", NULL, NULL, &p.queues },
		{ "task", "NAME,...", "none of these tasks starts", NULL, NULL, &p.tasks },
		{ "all", NULL, "nothing starts", NULL, &p.all },
		{ "reason", "TEXT", "why, for who looks at it later", &p.reason, NULL },
		CTL_JSON_OPTION(c), CTL_QUIET_OPTION(c), CTL_CONFIG_OPTION(c),
	};
	const struct args args = {
		.usage = "pause [--queue=NAME | --task=NAME | --all] [OPTION...]",
		.about =
			"Keeps queues, tasks or the whole fleet from starting anything, seen by"
			" all workers within\n"
			"a second; what runs goes on. It survives every restart, until jobfleet"
			" resume. Without\n"
			"a name: lists what is paused, since when, by whom and why.",
		.options = options, .noptions = COUNT(options), .least = 0, .most = 0,
	};
	char **operands;
	int r = args_parse(&args, argc, argv, &operands, e);

	if (r != 0)
		return r < 0 ? r : CTL_OK;
	if (says_what(&p))
		return carry_out(c, &p, e);
	if (p.reason)
		return err_set(e, ERR_USAGE, "a reason for what? give --queue, --task or --all");
	return list(c, e);
}

int resume_main(struct ctl *c, int argc, char **argv, struct err *e)
{
	struct pause p = { .on = false };
	const struct args_option options[] = {
		{ "queue", "NAME,...", "these queues go on", NULL, NULL, &p.queues },
		{ "task", "NAME,...", "these tasks go on", NULL, NULL, &p.tasks },
		{ "all", NULL, "undoes pause --all; single pauses stay", NULL, &p.all },
		CTL_JSON_OPTION(c), CTL_QUIET_OPTION(c), CTL_CONFIG_OPTION(c),
	};
	const struct args args = {
		.usage = "resume --queue=NAME | --task=NAME | --all [OPTION...]",
		.about =
			"Undoes a pause of the same kind; what was parked meanwhile becomes due"
			" at once.",
		.options = options, .noptions = COUNT(options), .least = 0, .most = 0,
	};
	char **operands;
	int r = args_parse(&args, argc, argv, &operands, e);

	if (r != 0)
		return r < 0 ? r : CTL_OK;
	if (!says_what(&p))
		return err_set(e, ERR_USAGE, "resume what? usage: jobfleet %s", args.usage);
	return carry_out(c, &p, e);
}
