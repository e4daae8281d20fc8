/* SPDX-License-Identifier: MIT */
/* salary: one call of fetch_salary_data, its answer for people. Amounts are shown as their text, so
 * that none passes through floating point. */
#include "common/base/conf.h"
#include "common/base/err.h"
#include "common/base/json.h"
#include "common/base/mem.h"
#include "common/base/uuid.h"
#include "common/broker/message.h"
#include "workers/ctl/args.h"
#include "workers/ctl/await.h"
#include "workers/ctl/ctl.h"
#include "workers/ctl/meta.h"
#include "workers/ctl/outcome.h"
#include "workers/ctl/send.h"
#include "workers/ctl/table.h"

#define TASK "backend.tasks.salary_data_tasks.fetch_salary_data"

enum { ROWS_MOST = 64 };

struct texts {
	const char *year, *max_age, *strategy, *timeout;
	bool adjust;
};

static const struct table_column BENCHMARKS[] = {
	{ "source", NULL, TABLE_TEXT },	    { "year", NULL, TABLE_NUMBER },
	{ "median", NULL, TABLE_NUMBER },	    { "25 %", NULL, TABLE_NUMBER },
	{ "75 %", NULL, TABLE_NUMBER },	    { "90 %", NULL, TABLE_NUMBER },
	{ "confidence", NULL, TABLE_NUMBER },
};
static const char *const BENCHMARK_KEYS[] = {
	"data_source", "year", "median_salary", "percentile_25", "percentile_75", "percentile_90",
	"source_confidence_score",
};
static const struct table_column MARKETS[] = {
	{ "source", NULL, TABLE_TEXT },	      { "year", NULL, TABLE_NUMBER },
	{ "jobs", NULL, TABLE_NUMBER },	      { "growth %", NULL, TABLE_NUMBER },
	{ "unemployed %", NULL, TABLE_NUMBER }, { "cost of living", NULL, TABLE_NUMBER },
	{ "demand", NULL, TABLE_NUMBER },	      { "remote %", NULL, TABLE_NUMBER },
};
static const char *const MARKET_KEYS[] = {
	"data_source", "year", "job_count", "job_growth_rate", "unemployment_rate",
	"cost_of_living_index", "demand_score", "remote_work_percentage",
};

/* A number as it stands, a text without its quotes. */
static void put_cell(struct table *t, const char *row, const char *key)
{
	char *raw = NULL;
	cJSON *text = NULL;

	if (json_raw_member(row, strlen(row), key, &raw, NULL) < 1) {
		table_put(t, NULL);
		return;
	}
	if (*raw == '"' && json_parse(raw, strlen(raw), &text, NULL) == 0)
		table_put(t, text->valuestring);
	else
		table_put(t, raw);
	cJSON_Delete(text);
	free(raw);
}

static int print_rows(const char *result, const char *member, const struct table_column *columns,
		      const char *const *keys, size_t n, struct err *e)
{
	char *rows[ROWS_MOST], *list = NULL;
	struct table *t;
	int count = json_raw_member(result, strlen(result), member, &list, e);

	if (count <= 0)
		return count;
	count = json_split_array(list, strlen(list), rows, ROWS_MOST, e);
	free(list);
	if (count <= 0)
		return count;
	t = table_new(columns, n);
	for (int i = 0; i < count; i++) {
		for (size_t k = 0; k < n; k++)
			put_cell(t, rows[i], keys[k]);
		free(rows[i]);
	}
	table_print(t, "", stdout);
	table_free(t);
	return count;
}

static bool is_bound(const char *merged)
{
	cJSON *o = NULL;
	bool bound = json_parse(merged, strlen(merged), &o, NULL) == 0 &&
		json_bool(o, "lower_bound", false);

	cJSON_Delete(o);
	return bound;
}

static void print_merged(const char *result)
{
	char *merged = NULL, *median = NULL, *lowest = NULL, *highest = NULL;

	if (json_raw_member(result, strlen(result), "merged", &merged, NULL) > 0 &&
	    json_raw_member(merged, strlen(merged), "median_salary", &median, NULL) > 0 &&
	    json_raw_member(merged, strlen(merged), "lowest", &lowest, NULL) > 0 &&
	    json_raw_member(merged, strlen(merged), "highest", &highest, NULL) > 0)
		printf("merged: %s%s USD a year (%s to %s)\n", is_bound(merged) ? "at least " : "",
		       median, lowest, highest);
	free(merged);
	free(median);
	free(lowest);
	free(highest);
}

static void print_notes(const struct ctl *c, const char *result)
{
	const cJSON *place, *w;
	cJSON *o = NULL;

	if (json_parse(result, strlen(result), &o, NULL) < 0)
		return;
	place = json_get(o, "resolved");
	ctl_note(c, "%s (%s) in %s (%s %s)%s", json_str(o, "occupation", ""),
		 json_str(place, "soc", ""), json_str(o, "location", ""),
		 json_str(place, "level", ""), json_str(place, "area_code", ""),
		 json_bool(o, "cache_hit", false) ? ", from the cache" : "");
	cJSON_ArrayForEach(w, json_get(o, "warnings")) {
		ctl_note(c, "note: %s", cJSON_GetStringValue(w));
	}
	cJSON_Delete(o);
}

static int print_answer(struct ctl *c, const struct meta *m, struct err *e)
{
	int r;

	print_notes(c, m->result);
	r = print_rows(m->result, "salary_benchmarks", BENCHMARKS, BENCHMARK_KEYS,
		       COUNT(BENCHMARKS), e);
	if (r >= 0)
		print_merged(m->result);
	if (r >= 0)
		r = print_rows(m->result, "market_data", MARKETS, MARKET_KEYS, COUNT(MARKETS), e);
	return r < 0 ? r : CTL_OK;
}

static char *args_of(char **operands, const struct texts *t)
{
	cJSON *list = mem_check(cJSON_CreateArray()), *o = mem_check(cJSON_CreateObject());
	char *text;

	json_set_str(o, "occupation", operands[0]);
	json_set_str(o, "location", operands[1]);
	if (t->year)
		json_set_str(o, "year", t->year);
	if (t->max_age)
		json_set_str(o, "max_age", t->max_age);
	if (t->strategy)
		json_set_str(o, "cache_strategy", t->strategy);
	if (t->adjust)
		json_set_bool(o, "adjust_for_inflation", true);
	cJSON_AddItemToArray(list, o);
	text = json_print(list);
	cJSON_Delete(list);
	return text;
}

int salary_main(struct ctl *c, int argc, char **argv, struct err *e)
{
	struct texts t = { 0 };
	const struct args_option options[] = {
		{ "year", "YYYY", "the figures of this year, where a source has them", &t.year, NULL },
		{ "adjust", NULL, "to the money of the newest year, by consumer prices", NULL,
		  &t.adjust },
		{ "max-age", "DURATION", "no older answer of the cache; 0 asks the sources",
		  &t.max_age, NULL },
		{ "strategy", "WORD", "standard, aggressive or conservative", &t.strategy, NULL },
		{ "timeout", "DURATION", "how long to wait; 5m, 0 for ever", &t.timeout, NULL },
		CTL_JSON_OPTION(c), CTL_QUIET_OPTION(c), CTL_CONFIG_OPTION(c),
	};
	const struct args args = {
		.usage = "salary OCCUPATION LOCATION [OPTION...]",
		.about =
			"Salary figures, from the cache or the sources: jobfleet salary \"Software"
			" Engineer\" NYC.\n"
			"A line a source, the merged median, the labour market; notes go to stderr.",
		.options = options,
		.noptions = COUNT(options),
		.least = 2,
		.most = 2,
	};
	struct send s = { .task = TASK, .priority = MESSAGE_NO_PRIORITY };
	const struct conf *conf;
	struct await *a = NULL;
	char **operands, *text, id[UUID_SIZE];
	int64_t timeout_ms = 0;
	int r = args_parse(&args, argc, argv, &operands, e);

	if (r != 0)
		return r < 0 ? r : CTL_OK;
	if ((r = outcome_timeout(t.timeout, &timeout_ms, e)) < 0 || (r = ctl_conf(c, &conf, e)) < 0)
		return r;
	uuid_v4(id);
	s.id = id;
	s.args = text = args_of(operands, &t);
	r = await_open(&a, conf->fleet.redis_url, id, e);
	if (r == 0)
		r = send_task(c, &s, e);
	if (r >= 0)
		r = outcome_wait_with(c, a, id, timeout_ms, print_answer, e);
	await_close(a);
	free(text);
	return r;
}
