/* SPDX-License-Identifier: MIT */
/* scale: how many children worker nodes have, before and after. */
#include <poll.h>
#include <stdlib.h>

#include "common/base/buf.h"
#include "common/base/clock.h"
#include "common/base/conf.h"
#include "common/base/err.h"
#include "common/base/json.h"
#include "common/base/mem.h"
#include "common/base/near.h"
#include "common/base/scan.h"
#include "common/store/pg.h"
#include "workers/ctl/action.h"
#include "workers/ctl/args.h"
#include "workers/ctl/ctl.h"
#include "workers/ctl/instances.h"
#include "workers/ctl/pidbox.h"
#include "workers/ctl/remote.h"
#include "workers/ctl/table.h"

enum { CHILDREN_MAX = 10000, SETTLE_MS = 3000, AGAIN_MS = 100, NODES_BYTES = 1 << 20 };

struct bounds {
	int min, max;			/* 0, 0 = not known */
};

struct node {
	const char *name;		/* of the before replies */
	struct bounds before, after;
	char *answer;
	bool failed;
};

static const char SQL_NODES[] =
	"SELECT node FROM jobfleet.workers WHERE state IN ('starting', 'running')"
	" AND seen_at >= now() - 3 * $2::int * interval '1 s'"
	" AND (program = $1 OR $1 = ANY(queues)) ORDER BY node";

static int read_bounds(const char *text, struct bounds *ret, struct err *e)
{
	const char *comma = strchr(text, ',');
	char *first = mem_strndup(text, comma ? (size_t)(comma - text) : strlen(text));
	int r = scan_int(first, 1, CHILDREN_MAX, &ret->min, e);

	free(first);
	if (r == 0)
		r = scan_int(comma ? comma + 1 : text, 1, CHILDREN_MAX, &ret->max, e);
	if (r == 0 && ret->min > ret->max)
		r = err_set(e, ERR_USAGE, "%s: the first number is the smaller one", text);
	if (r < 0 && e->code != ERR_USAGE) {
		e->code = ERR_USAGE;
		return err_prefix(e, "children, as N or MIN,MAX");
	}
	return r;
}

static int nobody(const struct ctl *c, const char *target, struct err *e)
{
	const struct conf *conf = c->conf;
	struct near n;

	near_init(&n, target);
	for (size_t i = 0; i < conf->nqueues; i++) {
		near_offer(&n, conf->queues[i].name);
		if (conf->queues[i].program)
			near_offer(&n, conf->queues[i].program);
	}
	if (n.word && n.distance > 0)
		return err_set(e, ERR_NOT_FOUND,
			       "no running worker serves %.100s; did you mean %s?", target, n.word);
	return err_set(e, ERR_NOT_FOUND, "no running worker serves %.100s; jobfleet workers lists "
					 "them", target);
}

/* The nodes' names between commas; malloc'ed. */
static int find_nodes(struct ctl *c, const char *target, char **ret, struct err *e)
{
	struct pg_rows *rows = NULL;
	const struct conf *conf;
	struct buf names;
	int r = ctl_conf(c, &conf, e);

	if (r == 0 && strchr(target, '@')) {
		*ret = mem_strdup(target);
		return 0;
	}
	if (r == 0)
		r = ctl_query(c, SQL_NODES,
			      PG_PARAMS(PG_TEXT(target), PG_INT(conf->fleet.heartbeat_s)), &rows,
			      e);
	if (r < 0)
		return r;
	buf_init(&names, NODES_BYTES);
	for (size_t i = 0; i < pg_rows_count(rows); i++)
		buf_printf(&names, "%s%s", i ? "," : "", pg_text(rows, i, 0));
	pg_rows_free(rows);
	if (names.len == 0)
		return nobody(c, target, e);
	*ret = buf_take(&names);
	return 0;
}

/* stats → bounds; a fixed pool has both alike. Celery's max-concurrency is what the pool started
 * with, whatever it has grown to. */
static struct bounds bounds_of(const char *stats)
{
	struct bounds b = { 0 };
	const cJSON *pool, *scaler;
	cJSON *o = NULL;

	if (!stats || json_parse(stats, strlen(stats), &o, NULL) < 0)
		return b;
	pool = json_get(o, "pool");
	b.max = strcmp(json_str(pool, "implementation", ""), "jobfleet") == 0 ?
			(int)json_int(pool, "max-concurrency", 0) :
			cJSON_GetArraySize(json_get(pool, "processes"));
	b.min = b.max;
	scaler = json_get(o, "autoscaler");
	if (scaler) {
		b.max = (int)json_int(scaler, "max", b.max);
		b.min = (int)json_int(scaler, "min", b.min);
	}
	cJSON_Delete(o);
	return b;
}

/* One request to one node: 1 = it agrees, 0 = it does not or is silent; what it said is kept. */
static int tell(struct ctl *c, const struct remote *remote, struct node *n, const char *method,
		const char *arguments, struct err *e)
{
	struct remote one = { .nodes = { { n->name }, 1 }, .timeout = remote->timeout };
	struct pidbox_replies replies = { 0 };
	cJSON *o = NULL;
	const char *json;
	int r = remote_ask(c, &one, method, arguments, &replies, e);

	if (r < 0)
		return r;
	json = pidbox_reply_of(&replies, n->name);
	if (json && json_parse(json, strlen(json), &o, NULL) == 0 && json_str(o, "ok", NULL))
		r = 1;
	mem_replace(&n->answer, mem_strdup(json ? json_str(o, r ? "ok" : "error", json) :
						  "did not answer"));
	cJSON_Delete(o);
	pidbox_replies_release(&replies);
	return r;
}

/* A pool that was started with a fixed size refuses bounds, and grows and shrinks instead. */
static int resize(struct ctl *c, const struct remote *remote, struct node *n, struct bounds want,
		  struct err *e)
{
	char arguments[64];
	int by = want.max - n->before.max, r;

	snprintf(arguments, sizeof arguments, "{\"max\": %d, \"min\": %d}", want.max, want.min);
	r = tell(c, remote, n, "autoscale", arguments, e);
	if (r == 0 && want.min == want.max && n->before.max == n->before.min && by != 0) {
		snprintf(arguments, sizeof arguments, "{\"n\": %d}", abs(by));
		r = tell(c, remote, n, by > 0 ? "pool_grow" : "pool_shrink", arguments, e);
	} else if (r == 0 && want.min == n->before.min && want.max == n->before.max) {
		mem_replace(&n->answer, mem_strdup("as before"));
		r = 1;
	}
	n->failed = r == 0;
	return r < 0 ? r : 0;
}

/* Until every node that agreed shows it. */
static int look_after(struct ctl *c, const struct remote *remote, struct node *nodes, size_t count,
		      struct bounds want, struct err *e)
{
	int64_t end = clock_mono_ms() + SETTLE_MS;
	bool settled = false;

	while (!settled) {
		struct pidbox_replies replies = { 0 };
		int r = remote_ask(c, remote, "stats", NULL, &replies, e);

		if (r < 0)
			return r;
		settled = true;
		for (size_t i = 0; i < count; i++) {
			nodes[i].after = bounds_of(pidbox_reply_of(&replies, nodes[i].name));
			settled &= nodes[i].failed || nodes[i].after.max == want.max;
		}
		pidbox_replies_release(&replies);
		if (clock_mono_ms() >= end)
			break;
		poll(NULL, 0, settled ? 0 : AGAIN_MS);
	}
	return 0;
}

static const struct table_column COLUMNS[] = {
	{ "node", "node", TABLE_TEXT },
	{ "min before", "min_before", TABLE_NUMBER },
	{ "max before", "max_before", TABLE_NUMBER },
	{ "min after", "min_after", TABLE_NUMBER },
	{ "max after", "max_after", TABLE_NUMBER },
	{ "answer", "answer", TABLE_TEXT },
};

static void put_node(struct table *t, const struct node *n)
{
	const int numbers[] = { n->before.min, n->before.max, n->after.min, n->after.max };

	table_put(t, n->name);
	for (size_t i = 0; i < COUNT(numbers); i++) {
		if (numbers[i] > 0)
			table_put_int(t, numbers[i]);
		else
			table_put(t, NULL);
	}
	table_put(t, n->answer);
}

static int scale(struct ctl *c, const struct remote *remote, struct bounds want, struct err *e)
{
	struct table *t = table_new(COLUMNS, COUNT(COLUMNS));
	struct pidbox_replies before = { 0 };
	int code, r = remote_ask(c, remote, "stats", NULL, &before, e);
	struct node *nodes = mem_zalloc((before.n + 1) * sizeof *nodes);
	bool failed = false;

	for (size_t i = 0; r >= 0 && i < before.n; i++) {
		nodes[i].name = before.items[i].node;
		nodes[i].before = bounds_of(before.items[i].json);
		r = resize(c, remote, &nodes[i], want, e);
	}
	if (r >= 0 && before.n > 0)
		r = look_after(c, remote, nodes, before.n, want, e);
	for (size_t i = 0; i < before.n; i++) {
		if (r >= 0)
			put_node(t, &nodes[i]);
		failed |= nodes[i].failed;
		free(nodes[i].answer);
	}
	code = r < 0 ? r : remote_silent(c, remote, &before) ? CTL_TIMEOUT :
	       failed ? CTL_FAILED : CTL_OK;
	if (r >= 0)
		ctl_show(c, t, "no node answered");
	else
		table_free(t);
	free(nodes);
	pidbox_replies_release(&before);
	return code;
}

static int scale_children(struct ctl *c, struct remote *remote, char **operands, struct err *e)
{
	struct bounds want = { 0 };
	char *nodes = NULL;
	int r = read_bounds(operands[1], &want, e);

	if (r == 0)
		r = find_nodes(c, operands[0], &nodes, e);
	remote->nodes = (struct args_values){ { nodes }, 1 };
	if (r == 0)
		r = action_begin(c, "scale", e);
	if (r == 0)
		r = scale(c, remote, want, e);
	free(nodes);
	return r;
}

int scale_main(struct ctl *c, int argc, char **argv, struct err *e)
{
	struct remote remote = { 0 };
	const char *instances = NULL;
	const struct args_option options[] = {
		{ "instances", "N", "so many units of this host's systemd instead", &instances,
		  NULL },
		REMOTE_TIMEOUT_OPTION(&remote),
		CTL_JSON_OPTION(c), CTL_QUIET_OPTION(c), CTL_CONFIG_OPTION(c),
	};
	const struct args args = {
		.usage = "scale NODE|QUEUE|PROGRAM N|MIN,MAX [OPTION...], or scale QUEUE|PROGRAM"
			 " --instances=N",
		.about =
			"Gives one node, or each node that serves a queue or runs a program, N"
			" children, or MIN to\n"
			"MAX by backlog where the worker was started with a range. Shows before"
			" and after. It holds\n"
			"until the worker ends; queues.conf says what it starts with. With"
			" --instances systemd starts\n"
			"or stops units jobfleet-worker@PROGRAM:2 and so on until N of them run;"
			" one that stops ends\n"
			"its tasks first. Exit status 1: a node refused, or there is none, or no"
			" systemd; 2: a node\n"
			"did not answer; 100: systemd does not let this user.",
		.options = options, .noptions = COUNT(options), .least = 1, .most = 2,
	};
	char **operands;
	int r = args_parse(&args, argc, argv, &operands, e);

	if (r != 0)
		return r < 0 ? r : CTL_OK;
	if (!instances == !operands[1])
		return err_set(e, ERR_USAGE, "how many: N or MIN,MAX children of each node, or "
					     "--instances=N");
	return instances ? instances_scale(c, operands[0], instances, e) :
			   scale_children(c, &remote, operands, e);
}
