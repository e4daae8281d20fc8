/* SPDX-License-Identifier: MIT */
#include "common/base/proviso.h"

#include <string.h>

#include "common/base/err.h"
#include "common/base/mem.h"
#include "common/base/scan.h"

#define EXAMPLE "\"age(postings) > 12h and quota(jsearch) > 9\""

static const char *const DATA[] = { "raw", "postings", "benchmarks", "market", "scores", NULL };

const char *const *proviso_data(void)
{
	return DATA;
}

static char *trim(char *text)
{
	size_t n;

	text += strspn(text, " \t");
	n = strlen(text);
	while (n > 0 && strchr(" \t", text[n - 1]))
		text[--n] = '\0';
	return text;
}

static int parse_least(struct proviso_term *t, const char *text, struct err *e)
{
	if (t->kind == PROVISO_QUOTA)
		return scan_int64(text, 0, INT32_MAX, &t->least, e);
	return scan_duration_ms(text, &t->least, e);
}

/* "age(postings) > 12h"; text is cut up. */
static int parse_term(char *text, struct proviso_term *t, struct err *e)
{
	char *open = strchr(text, '('), *close = open ? strchr(open, ')') : NULL;
	char *more = close ? trim(close + 1) : NULL, *name;

	if (!close || *more != '>')
		return err_set(e, ERR_INVALID, "\"%.60s\" is not a condition such as " EXAMPLE,
			       text);
	*open = *close = '\0';
	text = trim(text);
	name = trim(open + 1);
	if (strcmp(text, "age") == 0)
		t->kind = PROVISO_AGE;
	else if (strcmp(text, "quota") == 0)
		t->kind = PROVISO_QUOTA;
	else
		return err_set(e, ERR_INVALID, "\"%.40s\" is neither age nor quota, as in " EXAMPLE,
			       text);
	if (!*name || strlen(name) >= sizeof t->name)
		return err_set(e, ERR_INVALID, "%s() names nothing, as in " EXAMPLE, text);
	snprintf(t->name, sizeof t->name, "%s", name);
	if (parse_least(t, trim(more + 1), e) < 0)
		return err_prefix(e, "%s(%s)", text, name);
	return 0;
}

int proviso_parse(const char *text, struct proviso *ret, struct err *e)
{
	char *copy = mem_strdup(text), *rest = trim(copy), *term;
	struct proviso p = { 0 };
	int r = 0;

	while (r == 0 && rest && *rest) {
		char *next = strstr(rest, " and ");

		term = rest;
		rest = next ? next + strlen(" and ") : NULL;
		if (next)
			*next = '\0';
		if (p.n == PROVISO_MOST)
			r = err_set(e, ERR_INVALID, "more than %d conditions", PROVISO_MOST);
		else
			r = parse_term(trim(term), &p.terms[p.n++], e);
	}
	free(copy);
	if (r == 0)
		*ret = p;
	return r;
}
