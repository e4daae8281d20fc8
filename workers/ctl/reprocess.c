/* SPDX-License-Identifier: MIT */
/* reprocess: stored answers go through today's rules again, at no call. */
#include "common/base/conf.h"
#include "common/base/err.h"
#include "common/base/json.h"
#include "common/base/mem.h"
#include "common/base/scan.h"
#include "common/base/uuid.h"
#include "common/broker/message.h"
#include "workers/ctl/args.h"
#include "workers/ctl/await.h"
#include "workers/ctl/ctl.h"
#include "workers/ctl/outcome.h"
#include "workers/ctl/send.h"

enum { MOST = 100000 };

/* Which collections. */
struct which {
	const char *id;
	bool failed, pending, outdated;
};

static char *kwargs_of(const struct which *w, int limit)
{
	cJSON *o = mem_check(cJSON_CreateObject());
	char *text;

	if (w->id)
		json_set_str(o, "collection_id", w->id);
	if (w->failed)
		json_set_bool(o, "failed", true);
	if (w->pending)
		json_set_bool(o, "pending", true);
	if (w->outdated)
		json_set_bool(o, "outdated", true);
	if (limit > 0)
		json_set_num(o, "limit", limit);
	text = json_print(o);
	cJSON_Delete(o);
	return text;
}

/* Sends it, and waits for its answer if wait says so: how many were enqueued. */
static int carry_out(struct ctl *c, const char *kwargs, bool wait, int64_t timeout_ms,
		     struct err *e)
{
	char id[UUID_SIZE];
	struct send s = { .task = "jobfleet.reprocess", .priority = MESSAGE_NO_PRIORITY,
			  .id = id, .kwargs = kwargs };
	const struct conf *conf;
	struct await *a = NULL;
	int r = ctl_conf(c, &conf, e);

	uuid_v4(id);
	if (r == 0 && wait)
		r = await_open(&a, conf->fleet.redis_url, id, e);
	if (r == 0)
		r = send_task(c, &s, e);
	if (r >= 0 && wait)
		r = outcome_wait(c, a, id, timeout_ms, e);
	else if (r >= 0)
		printf(c->json ? "{\"task_id\": \"%s\"}\n" : "%s\n", id);
	await_close(a);
	return r;
}

static int check(const struct which *w, struct err *e)
{
	bool chooses = w->failed || w->pending || w->outdated;

	if (!w->id && !chooses)
		return err_set(e, ERR_USAGE,
			       "which ones? give an id, or --failed, --pending or --outdated");
	if (w->id && chooses)
		return err_set(e, ERR_USAGE, "give an id, or options that choose, not both");
	if (w->id && !uuid_is_valid(w->id))
		return err_set(e, ERR_USAGE, "\"%.60s\" is not a collection's id", w->id);
	return 0;
}

int reprocess_main(struct ctl *c, int argc, char **argv, struct err *e)
{
	const char *limit = NULL, *timeout = NULL;
	struct which w = { NULL };
	bool wait = false;
	const struct args_option options[] = {
		{ "failed", NULL, "all that failed, or of which postings were refused", NULL,
		  &w.failed },
		{ "pending", NULL, "all that were left behind", NULL, &w.pending },
		{ "outdated", NULL, "all that the rules of another version made", NULL, &w.outdated },
		{ "limit", "N", "at most so many, oldest first; 1000. --outdated: at a time", &limit,
		  NULL },
		{ "wait", NULL, "wait until they are enqueued and print how many", NULL, &wait },
		{ "timeout", "DURATION", "how long to wait; 5m, 0 for ever", &timeout, NULL },
		CTL_JSON_OPTION(c), CTL_QUIET_OPTION(c), CTL_CONFIG_OPTION(c),
	};
	const struct args args = {
		.usage = "reprocess ID | --failed | --pending | --outdated [OPTION...]",
		.about = "Lets stored answers of providers go through today's rules again, behind"
			 " all that is\n"
			 "new and without a call. Prints the task's id, or with --wait how many"
			 " were enqueued.",
		.options = options, .noptions = COUNT(options), .least = 0, .most = 1,
	};
	char **operands, *kwargs;
	int64_t timeout_ms = 0;
	int n = 0, r = args_parse(&args, argc, argv, &operands, e);

	if (r != 0)
		return r < 0 ? r : CTL_OK;
	if (limit && scan_int(limit, 1, MOST, &n, e) < 0) {
		e->code = ERR_USAGE;
		return err_prefix(e, "--limit");
	}
	w.id = operands[0];
	r = check(&w, e);
	if (r == 0)
		r = outcome_timeout(timeout, &timeout_ms, e);
	if (r < 0)
		return r;
	kwargs = kwargs_of(&w, n);
	r = carry_out(c, kwargs, wait, timeout_ms, e);
	free(kwargs);
	return r;
}
