/* SPDX-License-Identifier: MIT */
#include "common/worker/builtin.h"

#include "common/base/err.h"
#include "common/base/json.h"
#include "common/base/mem.h"
#include "common/worker/apply.h"
#include "common/worker/bind.h"
#include "common/worker/run_private.h"
#include "common/worker/signature.h"

enum { TUPLE_MAX = 16 << 20 };

/* By name, else by place; RAW_NONE when not given. */
static struct raw argument(struct run *run, const char *name, size_t place)
{
	struct raw args = { run->args_text, strlen(run->args_text) }, item;
	struct raw_walk w = raw_walk(args);
	size_t i = 0;

	for (; raw_next(&w, NULL, &item); i++)
		if (i == place)
			return raw_is_null(item) ? RAW_NONE : item;
	return raw_member((struct raw){ run->kwargs_text, strlen(run->kwargs_text) }, name);
}

static int wrong(struct run *run, struct err *e, const char *name, const char *want)
{
	return err_set(e, ERR_TYPE, "%s: argument '%s' is not %s", run_task(run), name, want);
}

/* The task that is called per item: of this program, since it is called here. */
static int find_task(struct run *run, const struct catalog_task **ret, struct err *e)
{
	struct signature *s;
	struct raw text = argument(run, "task", 0);
	int r;

	if (!text.at)
		return wrong(run, e, "task", "given");
	r = signature_read(&run_apply_of(run)->arena, text, &s, e);
	if (r < 0)
		return r;
	*ret = s->kind == SIGNATURE_TASK ? catalog_find(run->catalog, s->task) : NULL;
	if (*ret && !(*ret)->builtin)
		return 0;
	err_set(e, ERR_NOT_FOUND, "%s", s->task ? s->task : run_task(run));
	if (e)
		snprintf(e->exc_type, sizeof e->exc_type, "NotRegistered");
	return -ERR_NOT_FOUND;
}

static int call(struct run *run, const struct catalog_task *t, const char *args, cJSON *results,
		struct err *e)
{
	cJSON *bound = NULL, *result = NULL;
	int r = bind_arguments(t->task, args, "{}", &bound, e);

	if (r >= 0)
		r = t->task->fn(run, bound, &result, e);
	cJSON_Delete(bound);
	if (r >= 0)
		cJSON_AddItemToArray(results, result ? result : cJSON_CreateNull());
	else
		cJSON_Delete(result);
	return r;
}

/* star: each item is the list of the arguments. */
static int call_each(struct run *run, struct raw items, bool star, cJSON **ret, struct err *e)
{
	const struct catalog_task *t = NULL;
	cJSON *results = mem_check(cJSON_CreateArray());
	struct raw_walk w = raw_walk(items);
	struct raw item;
	int r = find_task(run, &t, e);

	if (r >= 0 && !raw_is_array(items))
		r = wrong(run, e, "it", "a list");
	while (r >= 0 && raw_next(&w, NULL, &item)) {
		char *args;

		if (star && !raw_is_array(item)) {
			r = wrong(run, e, "it", "a list of lists");
			break;
		}
		args = mem_printf(star ? "%.*s" : "[%.*s]", (int)item.len, item.at);
		r = call(run, t, args, results, e);
		free(args);
		if (r >= 0 && run_cancelled(run))
			r = run_cancel_error(run, e);
	}
	if (r < 0)
		cJSON_Delete(results);
	else
		*ret = results;
	return r;
}

static int map(struct run *run, const cJSON *args, cJSON **ret, struct err *e)
{
	(void)args;
	return call_each(run, argument(run, "it", 1), false, ret, e);
}

static int starmap(struct run *run, const cJSON *args, cJSON **ret, struct err *e)
{
	(void)args;
	return call_each(run, argument(run, "it", 1), true, ret, e);
}

static cJSON *cut_in(cJSON *flat, int n)
{
	cJSON *parts = mem_check(cJSON_CreateArray());

	while (flat->child) {
		cJSON *part = mem_check(cJSON_CreateArray());

		for (int i = 0; i < n && flat->child; i++)
			cJSON_AddItemToArray(part, cJSON_DetachItemViaPointer(flat, flat->child));
		cJSON_AddItemToArray(parts, part);
	}
	return parts;
}

static int chunks(struct run *run, const cJSON *args, cJSON **ret, struct err *e)
{
	cJSON *flat = NULL;
	double n = 0;
	int r;

	(void)args;
	if (!raw_number(argument(run, "n", 2), &n) || n < 1 || n > INT32_MAX)
		return wrong(run, e, "n", "a whole number above 0");
	r = call_each(run, argument(run, "it", 1), true, &flat, e);
	if (r < 0)
		return r;
	*ret = cut_in(flat, (int)n);
	cJSON_Delete(flat);
	return 0;
}

static cJSON *raw_result(struct raw r)
{
	char *text = raw_dup(r);
	cJSON *v = cJSON_CreateRaw(text ? text : "null");

	free(text);
	return v;
}

static int accumulate(struct run *run, const cJSON *args, cJSON **ret, struct err *e)
{
	struct raw all = { run->args_text, strlen(run->args_text) };
	struct raw kwargs = { run->kwargs_text, strlen(run->kwargs_text) };
	struct raw index = raw_member(kwargs, "index"), item;
	struct raw_walk w = raw_walk(all);
	double n;

	(void)args;
	if (!index.at) {
		*ret = raw_result(all);
		return 0;
	}
	if (!raw_number(index, &n) || n < 0)
		return wrong(run, e, "index", "a whole number");
	for (; raw_next(&w, NULL, &item); n--)
		if (n < 1) {
			*ret = raw_result(item);
			return 0;
		}
	err_set(e, ERR_INVALID, "tuple index out of range");
	if (e)
		snprintf(e->exc_type, sizeof e->exc_type, "IndexError");
	return -ERR_INVALID;
}

/* Results expire by themselves in Redis. */
static int cleanup(struct run *run, const cJSON *args, cJSON **ret, struct err *e)
{
	(void)run;
	(void)args;
	(void)ret;
	(void)e;
	return 0;
}

static int no_task(struct run *run, const cJSON *args, cJSON **ret, struct err *e)
{
	(void)args;
	(void)ret;
	err_set(e, ERR_INVALID, "%s is not a real task here: %s", run_task(run),
		strstr(run_task(run), "unlock") ? "chords are joined in Redis" :
						  "chains travel in messages");
	if (e)
		snprintf(e->exc_type, sizeof e->exc_type, "NotImplementedError");
	return -ERR_INVALID;
}

static int publish(struct run *run, struct signature *s, struct raw partial, cJSON **ret,
		   struct err *e)
{
	size_t before = run->children.len;
	int r;

	if (partial.at && !raw_is_array(partial))
		return wrong(run, e, "partial_args", "a list");
	if (partial.at)
		s->args = partial;
	r = run_apply(run, s, NULL, e);
	if (r < 0)
		return r;
	before += before ? strlen(", ") : 0;
	*ret = cJSON_CreateRaw(run->children.data + before);
	return 0;
}

static int group(struct run *run, const cJSON *args, cJSON **ret, struct err *e)
{
	struct signature *s = signature_new(&run_apply_of(run)->arena, SIGNATURE_GROUP), **list;
	struct raw id = argument(run, "group_id", 2);
	size_t n = 0;
	int r = signature_read_list(&run_apply_of(run)->arena, argument(run, "tasks", 0), &list, &n,
				    e);

	(void)args;
	for (size_t i = 0; i < n && r >= 0; i++)
		run_add(run, s, list[i]);
	if (raw_is_string(id))
		signature_set(&run_apply_of(run)->arena, s, "task_id", id);
	return r < 0 ? r : publish(run, s, argument(run, "partial_args", 3), ret, e);
}

static int chord(struct run *run, const cJSON *args, cJSON **ret, struct err *e)
{
	struct raw header = argument(run, "header", 0), body = argument(run, "body", 1);
	char *text = mem_printf("{\"task\": \"celery.chord\", \"subtask_type\": \"chord\", "
				"\"kwargs\": {\"header\": %.*s, \"body\": %.*s}}",
				(int)(header.at ? header.len : 4), header.at ? header.at : "null",
				(int)(body.at ? body.len : 4), body.at ? body.at : "null");
	struct signature *s;
	int r = run_sig_read(run, text, &s, e);

	(void)args;
	free(text);
	return r < 0 ? r : publish(run, s, argument(run, "partial_args", 2), ret, e);
}

const struct task BUILTIN_TASKS[] = {
	{ "celery.map", PARAMS(NULL), map },
	{ "celery.starmap", PARAMS(NULL), starmap },
	{ "celery.chunks", PARAMS(NULL), chunks },
	{ "celery.accumulate", PARAMS(NULL), accumulate },
	{ "celery.backend_cleanup", PARAMS(NULL), cleanup, .no_ledger = true },
	{ "celery.chord_unlock", PARAMS(NULL), no_task, .no_ledger = true },
	{ "celery.group", PARAMS(NULL), group },
	{ "celery.chain", PARAMS(NULL), no_task, .no_ledger = true },
	{ "celery.chord", PARAMS(NULL), chord },
};
const size_t BUILTIN_COUNT = COUNT(BUILTIN_TASKS);
