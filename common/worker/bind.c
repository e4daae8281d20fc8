/* SPDX-License-Identifier: MIT */
#include "common/worker/bind.h"

#include <math.h>

#include "common/base/err.h"
#include "common/base/json.h"
#include "common/base/mem.h"

enum { NAME_BYTES = 64 };

static const struct {
	const char *word;		/* in a table */
	const char *python;		/* in an error */
	int kinds;			/* cJSON's */
} TYPES[] = {
	{ "str", "str", cJSON_String },
	{ "int", "int", cJSON_Number },
	{ "number", "a number", cJSON_Number },
	{ "bool", "bool", cJSON_True | cJSON_False },
	{ "list", "list", cJSON_Array },
	{ "object", "dict", cJSON_Object },
};

/* One parameter of a table, taken apart. */
struct param {
	char name[NAME_BYTES];
	int type;			/* index in TYPES, -1 = any, -2 = no such type */
	bool optional;
	const char *fallback;		/* JSON, or NULL */
};

static int find_type(const char *word, size_t n)
{
	for (size_t i = 0; i < COUNT(TYPES); i++)
		if (strlen(TYPES[i].word) == n && strncmp(TYPES[i].word, word, n) == 0)
			return (int)i;
	return -2;
}

static struct param split(const char *spec)
{
	size_t n = strcspn(spec, ":?"), words = strcspn(spec, "?");
	struct param p = { .type = -1, .optional = spec[words] == '?' };

	snprintf(p.name, sizeof p.name, "%.*s", (int)n, spec);
	if (spec[n] == ':')
		p.type = find_type(spec + n + 1, words - n - 1);
	if (p.optional && spec[words + 1] == '=')
		p.fallback = spec + words + 2;
	return p;
}

static const char *python_type(const cJSON *v)
{
	switch (v->type & 0xff) {
	case cJSON_String: return "str";
	case cJSON_Array: return "list";
	case cJSON_Object: return "dict";
	case cJSON_NULL: return "NoneType";
	case cJSON_Number: return v->valuedouble == floor(v->valuedouble) ? "int" : "float";
	default: return "bool";
	}
}

static bool fits(const struct param *p, const cJSON *v)
{
	if (p->type < 0 || (p->optional && cJSON_IsNull(v)))
		return true;
	if (!(v->type & TYPES[p->type].kinds))
		return false;
	return strcmp(TYPES[p->type].word, "int") != 0 || v->valuedouble == floor(v->valuedouble);
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

	if ((size_t)given > nparams)
		return err_set(e, ERR_TYPE, "%s() takes %zu positional argument%s but %d %s given",
			       short_name(t), nparams, nparams == 1 ? "" : "s", given,
			       given == 1 ? "was" : "were");
	for (size_t i = 0; args->child; i++) {
		struct param p = split(t->params[i]);

		cJSON_AddItemToObject(bound, p.name,
				      cJSON_DetachItemViaPointer(args, args->child));
	}
	return 0;
}

static bool is_param(const struct task *t, size_t nparams, const char *key)
{
	for (size_t i = 0; i < nparams; i++) {
		struct param p = split(t->params[i]);

		if (strcmp(p.name, key) == 0)
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

static int fill_and_check(const struct task *t, size_t nparams, cJSON *bound, struct err *e)
{
	for (size_t i = 0; i < nparams; i++) {
		struct param p = split(t->params[i]);
		const cJSON *given = cJSON_GetObjectItemCaseSensitive(bound, p.name);

		if (given && !fits(&p, given))
			return err_set(e, ERR_TYPE, "%s() argument '%s' must be %s, not %s",
				       short_name(t), p.name, TYPES[p.type].python,
				       python_type(given));
		if (given)
			continue;
		if (!p.optional)
			return err_set(e, ERR_TYPE, "%s() missing 1 required positional argument: "
				       "'%s'", short_name(t), p.name);
		if (p.fallback)
			cJSON_AddItemToObject(bound, p.name, mem_check(cJSON_Parse(p.fallback)));
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
		r = fill_and_check(task, n, bound, e);
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
		struct param p = split(task->params[i]);
		cJSON *v = p.fallback ? cJSON_Parse(p.fallback) : NULL;
		bool wrong = p.type == -2 || (p.fallback && (!v || !fits(&p, v)));

		cJSON_Delete(v);
		if (wrong)
			return task->params[i];
	}
	return NULL;
}
