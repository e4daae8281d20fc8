/* SPDX-License-Identifier: MIT */
#include "common/worker/bind.h"

#include "common/base/err.h"
#include "common/base/json.h"
#include "common/base/mem.h"

enum { NAME_BYTES = 64 };

/* "name?=JSON" split: the name into out, the default text or NULL. */
static const char *split(const char *spec, char out[NAME_BYTES], bool *ret_optional)
{
	size_t n = strcspn(spec, "?");

	snprintf(out, NAME_BYTES, "%.*s", (int)n, spec);
	*ret_optional = spec[n] == '?';
	return *ret_optional && spec[n + 1] == '=' ? spec + n + 2 : NULL;
}

static const char *short_name(const struct task *t)
{
	const char *dot = strrchr(t->name, '.');

	return dot ? dot + 1 : t->name;
}

static size_t named_params(const struct task *t, bool *ret_open)
{
	size_t n = 0;

	*ret_open = false;
	for (; n < TASK_MAX_PARAMS && t->params[n]; n++) {
		if (strcmp(t->params[n], "*") == 0) {
			*ret_open = true;
			break;
		}
	}
	return n;
}

static int take_positional(const struct task *t, cJSON *args, size_t nparams, cJSON *bound,
			   struct err *e)
{
	int given = cJSON_GetArraySize(args);
	char name[NAME_BYTES];
	bool optional;

	if ((size_t)given > nparams)
		return err_set(e, ERR_TYPE, "%s() takes %zu positional argument%s but %d %s given",
			       short_name(t), nparams, nparams == 1 ? "" : "s", given,
			       given == 1 ? "was" : "were");
	for (size_t i = 0; args->child; i++) {
		split(t->params[i], name, &optional);
		cJSON_AddItemToObject(bound, name, cJSON_DetachItemViaPointer(args, args->child));
	}
	return 0;
}

static bool is_param(const struct task *t, size_t nparams, const char *key)
{
	char name[NAME_BYTES];
	bool optional;

	for (size_t i = 0; i < nparams; i++) {
		split(t->params[i], name, &optional);
		if (strcmp(name, key) == 0)
			return true;
	}
	return false;
}

static int take_keywords(const struct task *t, cJSON *kwargs, size_t nparams, bool open,
			 cJSON *bound, struct err *e)
{
	while (kwargs->child) {
		cJSON *item = cJSON_DetachItemViaPointer(kwargs, kwargs->child);
		int r = 0;

		if (!open && !is_param(t, nparams, item->string))
			r = err_set(e, ERR_TYPE, "%s() got an unexpected keyword argument '%.60s'",
				    short_name(t), item->string);
		else if (cJSON_GetObjectItemCaseSensitive(bound, item->string))
			r = err_set(e, ERR_TYPE, "%s() got multiple values for argument '%.60s'",
				    short_name(t), item->string);
		if (r < 0) {
			cJSON_Delete(item);
			return r;
		}
		cJSON_AddItemToObject(bound, item->string, item);
	}
	return 0;
}

static int fill_defaults(const struct task *t, size_t nparams, cJSON *bound, struct err *e)
{
	for (size_t i = 0; i < nparams; i++) {
		char name[NAME_BYTES];
		bool optional;
		const char *text = split(t->params[i], name, &optional);

		if (cJSON_GetObjectItemCaseSensitive(bound, name))
			continue;
		if (!optional)
			return err_set(e, ERR_TYPE, "%s() missing 1 required positional argument: "
				       "'%s'", short_name(t), name);
		if (text)
			cJSON_AddItemToObject(bound, name, mem_check(cJSON_Parse(text)));
	}
	return 0;
}

static int parse(const char *text, bool array, const char *what, cJSON **ret, struct err *e)
{
	int r = json_parse(text, strlen(text), ret, e);

	if (r < 0)
		return err_prefix(e, "%s", what);
	if (array ? !cJSON_IsArray(*ret) : !cJSON_IsObject(*ret))
		return err_set(e, ERR_PROTOCOL, "%s is not a JSON %s", what,
			       array ? "array" : "object");
	return 0;
}

int bind_arguments(const struct task *task, const char *args, const char *kwargs, cJSON **ret,
		   struct err *e)
{
	cJSON *list = NULL, *map = NULL, *bound = mem_check(cJSON_CreateObject());
	bool open;
	size_t n = named_params(task, &open);
	int r = parse(args, true, "args", &list, e);

	if (r >= 0)
		r = parse(kwargs, false, "kwargs", &map, e);
	if (r >= 0)
		r = take_positional(task, list, n, bound, e);
	if (r >= 0)
		r = take_keywords(task, map, n, open, bound, e);
	if (r >= 0)
		r = fill_defaults(task, n, bound, e);
	cJSON_Delete(list);
	cJSON_Delete(map);
	if (r < 0)
		cJSON_Delete(bound);
	else
		*ret = bound;
	return r;
}

const char *bind_check(const struct task *task)
{
	for (size_t i = 0; i < TASK_MAX_PARAMS && task->params[i]; i++) {
		char name[NAME_BYTES];
		bool optional;
		const char *text = split(task->params[i], name, &optional);
		cJSON *v = text ? cJSON_Parse(text) : NULL;

		if (text && !v)
			return task->params[i];
		cJSON_Delete(v);
	}
	return NULL;
}
