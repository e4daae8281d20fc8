/* SPDX-License-Identifier: MIT */
#include "common/base/err.h"
#include "common/base/json.h"
#include "common/base/mem.h"
#include "workers/drill/tasks.h"
#include "workers/drill/trace.h"

/* The members of a chord end one after the other: what befalls one befalls an open chord. */
enum { PART_BYTES = 32, MEMBER_MS = 80 };

/* run and root for those that follow, and what else stands in more, as in "\"i\": 1". */
static char *kwargs_of(const cJSON *args, const char *more)
{
	cJSON *run = mem_check(cJSON_CreateString(json_str(args, "run", "")));
	cJSON *root = mem_check(cJSON_CreateString(json_str(args, "root", "")));
	char *r = json_print(run), *t = json_print(root);
	char *text = mem_printf("{\"run\": %s, \"root\": %s%s%s}", r, t, *more ? ", " : "", more);

	free(r);
	free(t);
	cJSON_Delete(run);
	cJSON_Delete(root);
	return text;
}

static int begin(struct run *run, const cJSON *args, const char *part, int64_t value,
		 struct err *e)
{
	int r = trace_begin(run, args, part, e);

	return r < 0 ? r : trace_effect(run, args, part, value, e);
}

static int done(struct run *run, const cJSON *args, cJSON **ret, struct err *e)
{
	*ret = cJSON_CreateNumber(json_num(args, "n", 1));
	return begin(run, args, "done", json_int(args, "n", 1), e);
}

static int enqueue(struct run *run, const cJSON *args, const char *task, const char *more,
		   struct err *e)
{
	char *kwargs = kwargs_of(args, more);
	struct run_enqueue what = { .task = task, .kwargs = kwargs, .priority = -1 };
	int r = run_enqueue(run, &what, NULL, e);

	free(kwargs);
	return r;
}

int follow_spawn(struct run *run, const cJSON *args, cJSON **ret, struct err *e)
{
	int n = (int)json_int(args, "n", 1), r = done(run, args, ret, e);

	for (int i = 1; i <= n && r >= 0; i++) {
		char more[PART_BYTES * 2];

		snprintf(more, sizeof more, "\"i\": %d, \"word\": \"child\"", i);
		r = enqueue(run, args, "drill.member", more, e);
	}
	return r;
}

/* Each stage hands over to the next, as collection, processing and loading do. */
int follow_pipeline(struct run *run, const cJSON *args, cJSON **ret, struct err *e)
{
	int n = (int)json_int(args, "n", 1), stage = (int)json_int(args, "stage", 1), r;
	char part[PART_BYTES], more[PART_BYTES * 2];

	snprintf(part, sizeof part, "stage %d", stage);
	r = begin(run, args, part, stage, e);
	trace_work(run, args);
	*ret = cJSON_CreateNumber(n);
	if (r < 0 || stage >= n)
		return r;
	snprintf(more, sizeof more, "\"n\": %d, \"stage\": %d", n, stage + 1);
	return enqueue(run, args, "drill.pipeline", more, e);
}

/* A task's signature; i numbers it, value stands first if it is no negative number. */
static struct signature *one(struct run *run, const cJSON *args, const char *task, int value,
			     int i, int work_ms)
{
	char more[PART_BYTES * 2], first[PART_BYTES], *kwargs;
	struct signature *s;

	snprintf(more, sizeof more, "\"i\": %d%s%.0d", i, work_ms ? ", \"work_ms\": " : "",
		 work_ms);
	snprintf(first, sizeof first, "[%d]", value);
	kwargs = kwargs_of(args, i > 0 ? more : "");
	s = run_sig(run, task, value >= 0 ? first : NULL, kwargs);
	free(kwargs);
	return s;
}

int follow_chain(struct run *run, const cJSON *args, cJSON **ret, struct err *e)
{
	struct signature *chain = run_chain(run, one(run, args, "drill.link", 0, 1, 0), NULL);
	int n = (int)json_int(args, "n", 1), r = done(run, args, ret, e);

	for (int i = 2; i <= n; i++)
		run_add(run, chain, one(run, args, "drill.link", -1, i, 0));
	return r < 0 ? r : run_apply(run, chain, NULL, e);
}

static struct signature *members(struct run *run, const cJSON *args, int work_ms)
{
	struct signature *group = run_group(run, NULL);

	for (int i = 1; i <= (int)json_int(args, "n", 1); i++)
		run_add(run, group, one(run, args, "drill.member", -1, i, i * work_ms));
	return group;
}

int follow_group(struct run *run, const cJSON *args, cJSON **ret, struct err *e)
{
	int r = done(run, args, ret, e);

	return r < 0 ? r : run_apply(run, members(run, args, 0), NULL, e);
}

int follow_chord(struct run *run, const cJSON *args, cJSON **ret, struct err *e)
{
	int r = done(run, args, ret, e);
	struct signature *sum = one(run, args, "drill.sum", -1, 0, 0), *group;

	if (r < 0)
		return r;
	group = members(run, args, MEMBER_MS);
	return run_apply(run, run_chord(run, group, sum), NULL, e);
}

int follow_member(struct run *run, const cJSON *args, cJSON **ret, struct err *e)
{
	char part[PART_BYTES];
	int r;

	snprintf(part, sizeof part, "%.16s %d", json_str(args, "word", "member"),
		 (int)json_int(args, "i", 0));
	r = begin(run, args, part, json_int(args, "i", 0), e);
	trace_work(run, args);
	*ret = cJSON_CreateNumber(json_num(args, "i", 0));
	return r;
}

int follow_link(struct run *run, const cJSON *args, cJSON **ret, struct err *e)
{
	int64_t value = json_int(args, "value", 0) + 1;
	char part[PART_BYTES];

	snprintf(part, sizeof part, "link %d", (int)json_int(args, "i", 0));
	*ret = cJSON_CreateNumber((double)value);
	return begin(run, args, part, value, e);
}

int follow_sum(struct run *run, const cJSON *args, cJSON **ret, struct err *e)
{
	int64_t sum = 0;
	const cJSON *n;

	cJSON_ArrayForEach(n, json_get(args, "numbers")) {
		sum += cJSON_IsNumber(n) ? (int64_t)n->valuedouble : 0;
	}
	*ret = cJSON_CreateNumber((double)sum);
	return begin(run, args, "sum", sum, e);
}
