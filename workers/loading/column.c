/* SPDX-License-Identifier: MIT */
#include "workers/loading/column.h"

#include "common/base/buf.h"
#include "common/base/mem.h"

const struct column COLUMNS[] = {
#define X(column, kind, merge, absent) { #column, COLUMN_##kind, MERGE_##merge, absent },
	COLUMN_LIST(X)
#undef X
};
const int COLUMNS_COUNT = COUNT(COLUMNS);

void column_put_names(struct buf *out, const char *prefix)
{
	for (int i = 0; i < COLUMNS_COUNT; i++)
		buf_printf(out, "%s%s%s", i ? ", " : "", prefix, COLUMNS[i].name);
}

void column_put_values(struct buf *out)
{
	for (int i = 0; i < COLUMNS_COUNT; i++) {
		const struct column *c = &COLUMNS[i];

		buf_puts(out, i ? ", " : "");
		if (c->absent)
			buf_printf(out, "coalesce(r.%s, '%s')", c->name, c->absent);
		else
			buf_printf(out, "r.%s", c->name);
	}
}
