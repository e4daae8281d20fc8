/* SPDX-License-Identifier: MIT */
/* collect: one call of jobfleet.collect_jobs in the words of an operator. */
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

enum { MAX_PAGES = 100, MAX_RESULTS = 1000 };

struct texts {
	const char *source, *pages, *results, *priority, *timeout, *country, *strategy, *ids;
	bool refresh;
};

/* "jsearch,adzuna" is a list. */
static void put_source(cJSON *o, const char *text)
{
	cJSON *list;

	if (!strchr(text, ',')) {
		json_set_str(o, "source", text);
		return;
	}
	list = mem_check(cJSON_CreateArray());
	for (const char *p = text; *p; p += strspn(p, ", ")) {
		size_t n = strcspn(p, ", ");
		char *name = mem_strndup(p, n);

		if (n > 0)
			cJSON_AddItemToArray(list, mem_check(cJSON_CreateString(name)));
		free(name);
		p += n;
	}
	json_set(o, "source", list);
}

static char *kwargs_of(char **operands, const struct texts *t, int pages, int results)
{
	cJSON *o = mem_check(cJSON_CreateObject());
	char *text;

	json_set_str(o, "query", operands[0]);
	if (operands[1])
		json_set_str(o, "location", operands[1]);
	if (t->source)
		put_source(o, t->source);
	if (t->strategy)
		json_set_str(o, "strategy", t->strategy);
	if (t->refresh)
		json_set_bool(o, "refresh", true);
	if (t->country)
		json_set_str(o, "country", t->country);
	if (t->ids)
		json_set_str(o, "job_ids", t->ids);
	if (t->priority)
		json_set_str(o, "priority", t->priority);
	if (pages > 0)
		json_set_num(o, "num_pages", pages);
	if (results > 0)
		json_set_num(o, "results", results);
	text = json_print(o);
	cJSON_Delete(o);
	return text;
}

static int read_number(const char *name, const char *text, int most, int *ret, struct err *e)
{
	*ret = 0;
	if (!text || scan_int(text, 1, most, ret, e) == 0)
		return 0;
	e->code = ERR_USAGE;
	return err_prefix(e, "%s", name);
}

int collect_main(struct ctl *c, int argc, char **argv, struct err *e)
{
	struct texts t = { 0 };
	bool wait = false;
	const struct args_option options[] = {
		{ "source", "NAME,...", "ask these sources, not all enabled ones", &t.source, NULL },
		{ "pages", "N", "at most so many pages of about ten postings", &t.pages, NULL },
		{ "results", "N", "enough once so many postings came", &t.results, NULL },
		{ "strategy", "WORD", "on_demand, batch, scheduled or incremental", &t.strategy,
		  NULL },
		{ "refresh", NULL, "ask again, however fresh the last answer is", NULL,
		  &t.refresh },
		{ "country", "CODE", "two letters, if the place does not tell", &t.country, NULL },
		{ "ids", "ID,...", "these postings again, by their source's ids; QUERY is \"\"",
		  &t.ids, NULL },
		{ "priority", "WORD", "low, normal, high or 0-9", &t.priority, NULL },
		{ "wait", NULL, "wait for the collection and print its answer", NULL, &wait },
		{ "timeout", "DURATION", "how long to wait; 5m, 0 for ever", &t.timeout, NULL },
		CTL_JSON_OPTION(c), CTL_QUIET_OPTION(c), CTL_CONFIG_OPTION(c),
	};
	const struct args args = {
		.usage = "collect QUERY [LOCATION] [OPTION...]",
		.about =
			"Collects postings: jobfleet collect \"Python Developer\" \"New York\"."
			" Processing and\n"
			"loading follow by themselves. Prints the task's id, or with --wait its"
			" answer.",
		.options = options,
		.noptions = COUNT(options),
		.least = 1,
		.most = 2,
	};
	struct send s = { .task = "jobfleet.collect_jobs", .priority = MESSAGE_NO_PRIORITY };
	const struct conf *conf;
	struct await *a = NULL;
	char **operands, *kwargs = NULL, id[UUID_SIZE];
	int64_t timeout_ms = 0;
	int pages, results, r = args_parse(&args, argc, argv, &operands, e);

	if (r != 0)
		return r < 0 ? r : CTL_OK;
	r = read_number("--pages", t.pages, MAX_PAGES, &pages, e);
	if (r == 0)
		r = read_number("--results", t.results, MAX_RESULTS, &results, e);
	if (r == 0)
		r = outcome_timeout(t.timeout, &timeout_ms, e);
	if (r == 0)
		r = ctl_conf(c, &conf, e);
	if (r < 0)
		return r;
	kwargs = kwargs_of(operands, &t, pages, results);
	uuid_v4(id);
	s.id = id;
	s.kwargs = kwargs;
	if (wait)
		r = await_open(&a, conf->fleet.redis_url, id, e);
	if (r == 0)
		r = send_task(c, &s, e);
	if (r >= 0 && wait) {
		r = outcome_wait(c, a, id, timeout_ms, e);
	} else if (r >= 0) {
		printf(c->json ? "{\"task_id\": \"%s\"}\n" : "%s\n", id);
	}
	await_close(a);
	free(kwargs);
	return r;
}
