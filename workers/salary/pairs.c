/* SPDX-License-Identifier: MIT */
#include "workers/salary/pairs.h"

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
	p->items[p->count++] = (struct pair){ .request = r, .at = r.area };
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

static const char SQL_FRESH[] =
	"SELECT DISTINCT location, occupation FROM salary_benchmarks WHERE data_source = 'bls'"
	" AND updated_at > now() - interval '7 days' AND industry IS NULL AND experience_level IS NULL"
	" AND education_level IS NULL LIMIT 100000";

int pairs_mark_fresh(struct pairs *p, struct pg *pg, struct err *e)
{
	struct pg_rows *rows = NULL;
	int64_t n = pg_run(pg, SQL_FRESH, NULL, 0, &rows, e);
	int fresh = 0;

	for (size_t i = 0; n >= 0 && i < p->count; i++) {
		struct pair *pair = &p->items[i];

		for (size_t k = 0; k < pg_rows_count(rows) && !pair->fresh; k++)
			pair->fresh = strcmp(pg_text(rows, k, 0), pair->request.area.label) == 0 &&
				strcmp(pg_text(rows, k, 1), pair->request.occupation.name) == 0;
		fresh += pair->fresh;
	}
	pg_rows_free(rows);
	return n < 0 ? (int)n : fresh;
}
