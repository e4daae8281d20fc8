/* SPDX-License-Identifier: MIT */
#include "workers/salary/pairs.h"

#include "common/base/buf.h"
#include "common/base/conf.h"
#include "common/base/err.h"
#include "common/base/mem.h"
#include "common/market/watched.h"
#include "common/store/pg.h"

static int check_list(const cJSON *list, const char *name, struct err *e)
{
	const cJSON *item;

	if (!list)
		return 0;
	if (!cJSON_IsArray(list) || !list->child)
		return err_set(e, ERR_INVALID, "%s must be a list of texts, not empty", name);
	cJSON_ArrayForEach(item, list) {
		if (!cJSON_IsString(item) || strlen(item->valuestring) > 255)
			return err_set(e, ERR_INVALID,
				       "%s must be a list of texts of at most 255 bytes", name);
	}
	return 0;
}

static bool is_there(const struct pairs *p, const struct request *r)
{
	for (size_t i = 0; i < p->count; i++)
		if (strcmp(p->items[i].request.area.label, r->area.label) == 0 &&
		    strcmp(p->items[i].request.occupation.name, r->occupation.name) == 0)
			return true;
	return false;
}

static int add_pair(struct pairs *p, const char *location, const char *occupation, struct err *e)
{
	struct request r;
	int code = request_make(location, occupation, &r, e);

	if (code < 0)
		return code;
	if (r.area.level == AREA_FOREIGN) {
		request_release(&r);
		return err_set(e, ERR_NOT_FOUND,
			       "location \"%.80s\" is outside the United States: the sources have no "
			       "figures for it",
			       location);
	}
	if (is_there(p, &r)) {
		request_release(&r);
		return 0;
	}
	if (p->count == PAIRS_MAX) {
		request_release(&r);
		return err_set(e, ERR_TOO_BIG, "more than %d pairs of occupation and location",
			       PAIRS_MAX);
	}
	p->items = mem_realloc(p->items, (p->count + 1) * sizeof *p->items);
	p->items[p->count] = (struct pair){ .request = r };
	cachekey_make(CACHEKEY_SALARY, &r, p->items[p->count++].key);
	return 0;
}

static int cross(const cJSON *occupations, const cJSON *locations, struct pairs *p, struct err *e)
{
	const cJSON *o, *l;
	int r;

	cJSON_ArrayForEach(l, locations) {
		cJSON_ArrayForEach(o, occupations) {
			r = add_pair(p, l->valuestring, o->valuestring, e);
			if (r < 0)
				return r;
		}
	}
	return 0;
}

static int by_name(const void *a, const void *b)
{
	const struct pair *x = a, *y = b;
	int places = strcmp(x->request.area.label, y->request.area.label);

	return places ? places : strcmp(x->request.occupation.name, y->request.occupation.name);
}

int pairs_make(const struct conf *conf, const cJSON *occupations, const cJSON *locations,
	       struct pairs *ret, struct err *e)
{
	cJSON *jobs = watched_list(conf->fleet.salary_occupations);
	cJSON *places = watched_list(conf->fleet.salary_locations);
	struct pairs p = { 0 };
	int r = check_list(occupations, "occupations", e);

	if (r == 0)
		r = check_list(locations, "locations", e);
	if (r == 0 && !(occupations && locations))
		r = watched_check(conf, e);
	if (r == 0)
		r = cross(occupations ? occupations : jobs, locations ? locations : places, &p, e);
	cJSON_Delete(jobs);
	cJSON_Delete(places);
	if (r < 0) {
		pairs_release(&p);
		return r;
	}
	if (p.count > 0)
		qsort(p.items, p.count, sizeof *p.items, by_name);
	*ret = p;
	return r;
}

void pairs_release(struct pairs *p)
{
	for (size_t i = 0; i < p->count; i++)
		request_release(&p->items[i].request);
	free(p->items);
	*p = (struct pairs){ 0 };
}

bool pair_is_open(const struct pair *p)
{
	return !p->done && !p->fresh && !p->given_up;
}

static const char SQL_FRESH[] =
	"SELECT cache_key FROM salary_data_cache WHERE cache_key = ANY ($1::text[]) AND is_active"
	" AND expires_at > now() AND metadata ->> 'fallback' = 'false'"
	" AND to_timestamp((metadata ->> 'stored_at')::float8) > now() - interval '12 hours'"
	" AND NOT jsonb_path_exists(metadata, '$.source_details.* ? (@.status != \"ok\""
	" && !(exists (@.key_missing)))')";

static char *list_keys(const struct pairs *p)
{
	struct buf list;

	buf_init(&list, PAIRS_MAX * (CACHEKEY_SIZE + 3) + 3);
	buf_putc(&list, '{');
	for (size_t i = 0; i < p->count; i++)
		if (pair_is_open(&p->items[i]))
			buf_printf(&list, "%s\"%s\"", list.len > 1 ? "," : "", p->items[i].key);
	buf_putc(&list, '}');
	return buf_take(&list);
}

static int by_key(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

int pairs_mark_fresh(struct pairs *p, struct pg *pg, struct err *e)
{
	char *list = list_keys(p);
	const char **keys;
	struct pg_rows *rows = NULL;
	int64_t n = pg_run(pg, SQL_FRESH, PG_PARAMS(PG_TEXT(list)), &rows, e);
	size_t count = pg_rows_count(rows);
	int fresh = 0;

	free(list);
	if (n < 0)
		return (int)n;
	keys = mem_alloc((count + 1) * sizeof *keys);
	for (size_t i = 0; i < count; i++)
		keys[i] = pg_text(rows, i, 0);
	qsort(keys, count, sizeof *keys, by_key);
	for (size_t i = 0; i < p->count; i++) {
		const char *key = p->items[i].key;

		if (pair_is_open(&p->items[i]) && bsearch(&key, keys, count, sizeof *keys, by_key))
			p->items[i].fresh = true;
		fresh += p->items[i].fresh;
	}
	free(keys);
	pg_rows_free(rows);
	return fresh;
}
