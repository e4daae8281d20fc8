/* SPDX-License-Identifier: MIT */
/* page: an HTML document that needs nothing but itself: no script, no other file, and a policy in
 * its head that forbids both. Light or dark as the reader's system is, one column on narrow
 * screens. Every text may be hostile (workers/ctl/markup.h).
 *
 * The order: page_open, page_tiles_open, page_tile…, page_tiles_close, then sections: page_section,
 * whatever it holds, page_section_close; page_close.
 * Looks (classes that plots and legends share): good, bad, again, other, first, second. */
#ifndef CTL_PAGE_H
#define CTL_PAGE_H

#include <stdbool.h>
#include <stddef.h>

struct buf;
struct pg_rows;

void page_open(struct buf *out, const char *title, const char *about);
void page_close(struct buf *out);

void page_tiles_open(struct buf *out);
/* look: "bad" for what needs somebody, else "". */
void page_tile(struct buf *out, const char *name, const char *value, const char *note,
	       const char *look);
void page_tiles_close(struct buf *out);

/* wide: takes all columns. about NULL: nothing more is to be said. */
void page_section(struct buf *out, const char *id, const char *title, const char *about, bool wide);
void page_section_close(struct buf *out);
void page_note(struct buf *out, const char *text);
/* There is nothing to show. */
void page_empty(struct buf *out, const char *text);

/* What the colours of a plot mean. */
void page_legend_open(struct buf *out);
void page_legend(struct buf *out, const char *look, const char *name);
void page_legend_close(struct buf *out);

struct page_column {
	const char *title;
	bool number;	/* aligned to the right */
};

/* The numbers behind a plot; folded: shown when it is asked for. Then cells, row by row. */
void page_table_open(struct buf *out, const char *caption, const struct page_column *columns,
		     size_t n, bool folded);
void page_row(struct buf *out);
void page_cell(struct buf *out, const struct page_column *column, const char *text);
void page_row_close(struct buf *out);
void page_table_close(struct buf *out, bool folded);
/* All of that from a result, whose first columns are the table's. */
void page_table(struct buf *out, const char *caption, const struct page_column *columns, size_t n,
		const struct pg_rows *rows, bool folded);

#endif
