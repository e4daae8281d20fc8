/* SPDX-License-Identifier: MIT */
/* table: rows for people (aligned columns) or for programs (a JSON array of objects).
 *
 * Cells are copied. A cell of NULL is shown as "-" and is null in JSON. Control characters in cells
 * are shown as spaces, so that no stored text can move the terminal's cursor. */
#ifndef CTL_TABLE_H
#define CTL_TABLE_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct pg_rows;
struct table;

enum table_kind { TABLE_TEXT, TABLE_NUMBER, TABLE_BOOL, TABLE_JSON };

struct table_column {
	const char *title;	/* "due"; NULL: only in JSON */
	const char *key;	/* "due_at"; NULL: only for people */
	enum table_kind kind;
};

/* columns is borrowed and must stay. */
struct table *table_new(const struct table_column *columns, size_t n);
void table_free(struct table *t);

/* One cell after the other; a row is complete when every column has one. */
void table_put(struct table *t, const char *cell);
void table_put_int(struct table *t, long long cell);
/* All rows of a result, whose columns are the table's. */
void table_put_rows(struct table *t, const struct pg_rows *rows);
size_t table_rows(const struct table *t);

/* empty is what people read when there are no rows. */
void table_print(const struct table *t, const char *empty, FILE *out);
cJSON *table_json(const struct table *t);	/* an array; the caller's */
void table_print_json(const struct table *t, FILE *out);

#endif
