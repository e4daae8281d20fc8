/* SPDX-License-Identifier: MIT */
#include "workers/processing/earlier.h"

#include <stdlib.h>

#include "common/base/err.h"
#include "common/base/mem.h"
#include "common/store/pg.h"

static const char SQL_ROWS[] =
	"SELECT DISTINCT ON (p.job_index) p.job_index, j.id, j.dedupe_key"
	" FROM public.job_processing_log l JOIN public.processed_job_data p USING (processing_id)"
	" JOIN public.enhanced_jobs j ON j.id = p.job_id"
	" WHERE l.collection_id = $1::uuid ORDER BY p.job_index, l.started_at DESC";

int earlier_load(struct earlier *ret, struct pg *pg, const char *collection_id, struct err *e)
{
	struct pg_rows *rows = NULL;
	int64_t n = pg_run(pg, SQL_ROWS, PG_PARAMS(PG_TEXT(collection_id)), &rows, e);

	*ret = (struct earlier){ .n = n > 0 ? (size_t)n : 0 };
	if (n > 0)
		ret->rows = mem_zalloc((size_t)n * sizeof *ret->rows);
	for (size_t i = 0; i < ret->n; i++) {
		ret->rows[i].index = (int)pg_int(rows, i, 0);
		snprintf(ret->rows[i].job_id, sizeof ret->rows[i].job_id, "%s",
			 pg_text(rows, i, 1));
		ret->rows[i].key = mem_strdup(pg_text(rows, i, 2));
	}
	pg_rows_free(rows);
	return n < 0 ? (int)n : 0;
}

void earlier_release(struct earlier *e)
{
	for (size_t i = 0; i < e->n; i++)
		free(e->rows[i].key);
	free(e->rows);
	*e = (struct earlier){ .n = 0 };
}

static int compare(const void *index, const void *row)
{
	return *(const int *)index - ((const struct earlier_row *)row)->index;
}

const struct earlier_row *earlier_find(const struct earlier *e, int index)
{
	return e->n ? bsearch(&index, e->rows, e->n, sizeof *e->rows, compare) : NULL;
}
