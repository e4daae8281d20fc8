/* SPDX-License-Identifier: MIT */
#include "workers/salary/shelf.h"

#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/err.h"
#include "common/base/mem.h"
#include "common/store/pg.h"

#define TROUBLES 8

struct trouble {
	char source[SHELF_SOURCE_SIZE];
	enum err_code code;
	char text[256];
};

struct shelf {
	void *tree;			/* of parts, by source and name */
	struct part **items;
	size_t count, missed, ntroubles;
	struct trouble troubles[TROUBLES];
};

struct shelf *shelf_new(void)
{
	return mem_zalloc(sizeof(struct shelf));
}

static void leave(void *node)
{
	(void)node;
}

void shelf_free(struct shelf *s)
{
	if (!s)
		return;
	tdestroy(s->tree, leave);
	for (size_t i = 0; i < s->count; i++) {
		free(s->items[i]->name);
		free(s->items[i]->text);
		free(s->items[i]->key_parameter);
		free(s->items[i]);
	}
	free(s->items);
	free(s);
}

static int by_name(const void *a, const void *b)
{
	const struct part *x = a, *y = b;
	int r = strcmp(x->name, y->name);

	return r ? r : strcmp(x->source, y->source);
}

static struct part *look(const struct shelf *s, const char *source, const char *name)
{
	struct part wanted = { .name = (char *)name }, **found;

	snprintf(wanted.source, sizeof wanted.source, "%s", source);
	found = tfind(&wanted, (void *const *)&s->tree, by_name);
	return found ? *found : NULL;
}

static struct part *add(struct shelf *s, const char *source, const char *name)
{
	struct part *p = mem_zalloc(sizeof *p);

	snprintf(p->source, sizeof p->source, "%s", source);
	p->name = mem_strdup(name);
	s->items = mem_realloc(s->items, (s->count + 1) * sizeof *s->items);
	s->items[s->count++] = p;
	mem_check(tsearch(p, &s->tree, by_name));
	return p;
}

struct part *shelf_want(struct shelf *s, const char *source, const char *name)
{
	struct part *p = look(s, source, name);

	if (!p)
		p = add(s, source, name);
	if (!p->text) {
		p->wanted = true;
		s->missed += shelf_trouble(s, source, NULL) == 0;
	}
	return p;
}

void shelf_put(struct part *p, const char *text, size_t len)
{
	mem_replace(&p->text, mem_strndup(text, len));
	p->wanted = false;
}

size_t shelf_missed(struct shelf *s)
{
	size_t n = s->missed;

	s->missed = 0;
	return n;
}

size_t shelf_count(const struct shelf *s)
{
	return s->count;
}

struct part *shelf_at(struct shelf *s, size_t i)
{
	return s->items[i];
}

void shelf_set_trouble(struct shelf *s, const char *source, int code, const char *text)
{
	struct trouble *t = &s->troubles[s->ntroubles];

	if (s->ntroubles == TROUBLES || shelf_trouble(s, source, NULL))
		return;
	s->ntroubles++;
	snprintf(t->source, sizeof t->source, "%s", source);
	snprintf(t->text, sizeof t->text, "%s", text);
	t->code = (enum err_code)abs(code);
}

int shelf_trouble(const struct shelf *s, const char *source, struct err *e)
{
	for (size_t i = 0; i < s->ntroubles; i++)
		if (strcmp(s->troubles[i].source, source) == 0)
			return err_set(e, s->troubles[i].code, "%s", s->troubles[i].text);
	return 0;
}

const char *shelf_trouble_text(const struct shelf *s, size_t i)
{
	return i < s->ntroubles ? s->troubles[i].text : NULL;
}

/* Half a day less than the distance of the syncs that should find it stale. */
static const char SQL_LOAD[] =
	"SELECT source, name, said FROM jobfleet.salary_parts WHERE asked_at >= to_timestamp($1)"
	" AND asked_at > now() - CASE WHEN source = 'census' OR (source = 'bls' AND name LIKE 'OE%')"
	" THEN interval '156 hours' ELSE interval '12 hours' END";

int shelf_load(struct shelf *s, struct pg *pg, int64_t since_s, struct err *e)
{
	struct pg_rows *rows = NULL;
	int64_t n = pg_run(pg, SQL_LOAD, PG_PARAMS(PG_INT(since_s)), &rows, e);

	for (size_t i = 0; n >= 0 && i < pg_rows_count(rows); i++) {
		const char *source = pg_text(rows, i, 0), *name = pg_text(rows, i, 1);
		struct part *p = look(s, source, name);

		if (!p)
			p = add(s, source, name);
		if (!p->text)
			shelf_put(p, pg_text(rows, i, 2), strlen(pg_text(rows, i, 2)));
	}
	pg_rows_free(rows);
	return n < 0 ? (int)n : 0;
}

int shelf_save(struct pg *pg, const struct part *p, struct err *e)
{
	int64_t n = pg_run(pg,
			   "INSERT INTO jobfleet.salary_parts AS p (source, name, said, asked_at)"
			   " VALUES ($1, $2, $3, now()) ON CONFLICT (source, name) DO UPDATE"
			   " SET said = excluded.said, asked_at = excluded.asked_at",
			   PG_PARAMS(PG_TEXT(p->source), PG_TEXT(p->name), PG_TEXT(p->text)), NULL,
			   e);

	return n < 0 ? (int)n : 0;
}

int shelf_prune(struct pg *pg, struct err *e)
{
	int64_t n = pg_run(pg,
			   "DELETE FROM jobfleet.salary_parts WHERE asked_at < now() - interval '30 days'",
			   NULL, 0, NULL, e);

	return n < 0 ? (int)n : 0;
}
