/* SPDX-License-Identifier: MIT */
#include "workers/collection/ids.h"

#include <search.h>
#include <stdlib.h>

#include "common/base/err.h"
#include "common/base/json.h"
#include "common/base/mem.h"
#include "common/store/pg.h"
#include "common/worker/run.h"
#include "sources/source.h"

static int compare(const void *a, const void *b)
{
	return strcmp(a, b);
}

static void keep(void *id)
{
	(void)id;	/* the tree borrows them */
}

int ids_count_new(const cJSON *seen, const struct source *source, const struct source_page *page,
		  cJSON *ids)
{
	void *tree = NULL;
	const cJSON *row, *known;
	int n = 0;

	cJSON_ArrayForEach(known, seen) {
		mem_check(tsearch(known->string, &tree, compare));
	}
	cJSON_ArrayForEach(row, page->rows) {
		char room[SOURCE_ID];
		const char *id = source->row_id(row, room);

		if (id && tfind(id, &tree, compare))
			continue;
		if (id) {
			known = mem_check(cJSON_AddTrueToObject(ids, id));
			mem_check(tsearch(known->string, &tree, compare));
		}
		n++;
	}
	tdestroy(tree, keep);
	return n;
}

int ids_all_known(struct run *run, const char *provider, const cJSON *ids, int nrows, bool *ret,
		  struct err *e)
{
	int nids = cJSON_GetArraySize(ids);
	struct pg_rows *rows = NULL;
	struct pg *pg;
	char *text;
	int64_t n;

	*ret = false;
	if (nids == 0 || nids < nrows)
		return 0;
	n = run_db_read(run, &pg, e);
	if (n < 0)
		return (int)n;
	text = json_print(ids);
	n = pg_run(pg, "SELECT count(*) FROM jsonb_object_keys($2::jsonb) AS k WHERE EXISTS"
		   " (SELECT 1 FROM public.job_sources s WHERE s.api_provider = $1 AND s.external_id = k)",
		   PG_PARAMS(PG_TEXT(provider), PG_TEXT(text)), &rows, e);
	*ret = n > 0 && pg_int(rows, 0, 0) == nids;
	pg_rows_free(rows);
	free(text);
	return n < 0 ? (int)n : 0;
}
