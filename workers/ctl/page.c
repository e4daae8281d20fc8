/* SPDX-License-Identifier: MIT */
#include "workers/ctl/page.h"

#include "common/base/buf.h"
#include "common/store/pg.h"
#include "workers/ctl/markup.h"
#include "workers/ctl/page_style.h"

void page_open(struct buf *out, const char *title, const char *about)
{
	buf_puts(out,
		 "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
		 "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none';"
		 " style-src 'unsafe-inline'\">\n"
		 "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
		 "<meta name=\"color-scheme\" content=\"light dark\">\n"
		 "<meta name=\"generator\" content=\"jobfleet " JOBFLEET_VERSION "\">\n<title>");
	markup_text(out, title);
	buf_puts(out, "</title>\n<style>\n" PAGE_STYLE "</style>\n</head>\n<body>\n<header>\n<h1>");
	markup_text(out, title);
	buf_puts(out, "</h1>\n<p>");
	markup_text(out, about);
	buf_puts(out, "</p>\n</header>\n<main>\n");
}

void page_close(struct buf *out)
{
	buf_puts(out, "</main>\n<footer><p>Written by jobfleet " JOBFLEET_VERSION
		 ". Each plot has its numbers in a table below it.</p></footer>\n</body>\n</html>\n");
}

void page_tiles_open(struct buf *out)
{
	buf_puts(out, "<dl class=\"tiles\">\n");
}

void page_tile(struct buf *out, const char *name, const char *value, const char *note,
	       const char *look)
{
	buf_puts(out, "<div><dt>");
	markup_text(out, name);
	buf_printf(out, "</dt><dd class=\"%s\">", look);
	markup_text(out, value);
	buf_puts(out, "</dd><dd class=\"small\">");
	markup_text(out, note);
	buf_puts(out, "</dd></div>\n");
}

void page_tiles_close(struct buf *out)
{
	buf_puts(out, "</dl>\n");
}

static void put_paragraph(struct buf *out, const char *class, const char *text)
{
	buf_printf(out, "<p class=\"%s\">", class);
	markup_text(out, text);
	buf_puts(out, "</p>\n");
}

void page_section(struct buf *out, const char *id, const char *title, const char *about, bool wide)
{
	buf_printf(out,
		   "<section id=\"%s\" class=\"%s\" aria-labelledby=\"%s-h\"><h2 id=\"%s-h\">", id,
		   wide ? "all" : "one", id, id);
	markup_text(out, title);
	buf_puts(out, "</h2>\n");
	if (about)
		put_paragraph(out, "about", about);
}

void page_section_close(struct buf *out)
{
	buf_puts(out, "</section>\n");
}

void page_note(struct buf *out, const char *text)
{
	put_paragraph(out, "note", text);
}

void page_empty(struct buf *out, const char *text)
{
	put_paragraph(out, "empty", text);
}

void page_legend_open(struct buf *out)
{
	buf_puts(out, "<ul class=\"legend\">");
}

void page_legend(struct buf *out, const char *look, const char *name)
{
	buf_printf(out, "<li><span class=\"swatch %s\"></span>", look);
	markup_text(out, name);
	buf_puts(out, "</li>");
}

void page_legend_close(struct buf *out)
{
	buf_puts(out, "</ul>\n");
}

/* ---- tables ---- */

static const char *class_of(const struct page_column *column)
{
	return column->number ? " class=\"number\"" : "";
}

void page_table_open(struct buf *out, const char *caption, const struct page_column *columns,
		     size_t n, bool folded)
{
	if (folded) {
		buf_puts(out, "<details><summary>Numbers: ");
		markup_text(out, caption);
		buf_puts(out, "</summary>\n");
	}
	buf_puts(out, "<div class=\"scroll\" role=\"region\" tabindex=\"0\" aria-label=\"");
	markup_text(out, caption);
	buf_puts(out, "\"><table><caption>");
	markup_text(out, caption);
	buf_puts(out, "</caption>\n<thead><tr>");
	for (size_t i = 0; i < n; i++) {
		buf_printf(out, "<th scope=\"col\"%s>", class_of(&columns[i]));
		markup_text(out, columns[i].title);
		buf_puts(out, "</th>");
	}
	buf_puts(out, "</tr></thead>\n<tbody>\n");
}

void page_row(struct buf *out)
{
	buf_puts(out, "<tr>");
}

void page_cell(struct buf *out, const struct page_column *column, const char *text)
{
	buf_printf(out, "<td%s>", class_of(column));
	markup_text(out, text && *text ? text : "-");
	buf_puts(out, "</td>");
}

void page_row_close(struct buf *out)
{
	buf_puts(out, "</tr>\n");
}

void page_table_close(struct buf *out, bool folded)
{
	buf_puts(out, "</tbody></table></div>\n");
	if (folded)
		buf_puts(out, "</details>\n");
}

void page_table(struct buf *out, const char *caption, const struct page_column *columns, size_t n,
		const struct pg_rows *rows, bool folded)
{
	page_table_open(out, caption, columns, n, folded);
	for (size_t i = 0; i < pg_rows_count(rows); i++) {
		page_row(out);
		for (size_t c = 0; c < n; c++)
			page_cell(out, &columns[c], pg_cell(rows, i, (int)c));
		page_row_close(out);
	}
	page_table_close(out, folded);
}
