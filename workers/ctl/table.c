/* SPDX-License-Identifier: MIT */
#include "workers/ctl/table.h"

#include "common/base/json.h"
#include "common/base/mem.h"
#include "common/store/pg.h"

enum { MAX_WIDTH = 72, COLUMNS_MAX = 32 };

struct table {
	const struct table_column *columns;
	size_t ncolumns;
	char **cells;
	size_t ncells, room;
};

struct table *table_new(const struct table_column *columns, size_t n)
{
	struct table *t = mem_zalloc(sizeof *t);

	t->columns = columns;
	t->ncolumns = n < COLUMNS_MAX ? n : COLUMNS_MAX;
	return t;
}

void table_free(struct table *t)
{
	if (!t)
		return;
	for (size_t i = 0; i < t->ncells; i++)
		free(t->cells[i]);
	free(t->cells);
	free(t);
}

void table_put(struct table *t, const char *cell)
{
	if (t->ncells == t->room) {
		t->room = t->room ? 2 * t->room : 64;
		t->cells = mem_realloc(t->cells, t->room * sizeof *t->cells);
	}
	t->cells[t->ncells++] = mem_strdup(cell);
}

void table_put_int(struct table *t, long long cell)
{
	char text[24];

	snprintf(text, sizeof text, "%lld", cell);
	table_put(t, text);
}

void table_put_rows(struct table *t, const struct pg_rows *rows)
{
	for (size_t i = 0; i < pg_rows_count(rows); i++) {
		for (size_t c = 0; c < t->ncolumns; c++)
			table_put(t, pg_cell(rows, i, (int)c));
	}
}

size_t table_rows(const struct table *t)
{
	return t->ncells / t->ncolumns;
}

/* Characters, not bytes: columns must line up under names with accents. */
static int width_of(const char *s)
{
	int n = 0;

	for (; *s; s++)
		n += ((unsigned char)*s & 0xC0) != 0x80;
	return n;
}

/* At most MAX_WIDTH characters, without control characters; cut ones end in "…". */
static void shown(const char *cell, char *out, size_t size)
{
	size_t n = 0;
	int characters = 0;

	if (!cell || !*cell)
		cell = "-";
	for (; *cell && n + 5 < size; cell++) {
		if (((unsigned char)*cell & 0xC0) != 0x80 && ++characters > MAX_WIDTH) {
			n += (size_t)snprintf(out + n, size - n, "…");
			break;
		}
		out[n++] = (unsigned char)*cell < 0x20 || *cell == 0x7F ? ' ' : *cell;
	}
	out[n] = '\0';
}

static void measure(const struct table *t, int widths[COLUMNS_MAX])
{
	char text[4 * MAX_WIDTH + 16];

	for (size_t c = 0; c < t->ncolumns; c++)
		widths[c] = t->columns[c].title ? width_of(t->columns[c].title) : 0;
	for (size_t i = 0; i < t->ncells; i++) {
		size_t c = i % t->ncolumns;
		int w;

		shown(t->cells[i], text, sizeof text);
		w = width_of(text);
		if (w > widths[c])
			widths[c] = w;
	}
}

static void print_cell(const struct table *t, size_t c, const char *text, int width, bool last,
		       FILE *out)
{
	int pad = width - width_of(text);

	if (t->columns[c].kind == TABLE_NUMBER)
		fprintf(out, "%*s%s", pad, "", text);
	else
		fprintf(out, "%s%*s", text, last ? 0 : pad, "");
	fputs(last ? "\n" : "  ", out);
}

static size_t last_column(const struct table *t)
{
	size_t last = 0;

	for (size_t c = 0; c < t->ncolumns; c++)
		last = t->columns[c].title ? c : last;
	return last;
}

void table_print(const struct table *t, const char *empty, FILE *out)
{
	char text[4 * MAX_WIDTH + 16];
	int widths[COLUMNS_MAX];
	size_t last = last_column(t);

	if (table_rows(t) == 0) {
		fprintf(out, "%s\n", empty);
		return;
	}
	measure(t, widths);
	for (size_t c = 0; c <= last; c++) {
		if (t->columns[c].title)
			print_cell(t, c, t->columns[c].title, widths[c], c == last, out);
	}
	for (size_t i = 0; i < t->ncells; i++) {
		size_t c = i % t->ncolumns;

		if (!t->columns[c].title)
			continue;
		shown(t->cells[i], text, sizeof text);
		print_cell(t, c, text, widths[c], c == last, out);
	}
}

/* "-12", "0.5": what JSON takes for a number as it stands. */
static bool is_number(const char *cell)
{
	size_t whole, n = cell[0] == '-';

	whole = strspn(cell + n, "0123456789");
	n += whole;
	if (whole == 0 || (whole > 1 && cell[n - whole] == '0'))
		return false;
	if (cell[n] == '.')
		n += strspn(cell + n + 1, "0123456789") + 1;
	return cell[n] == '\0' && cell[n - 1] != '.';
}

static cJSON *json_cell(enum table_kind kind, const char *cell)
{
	if (!cell)
		return cJSON_CreateNull();
	if (kind == TABLE_BOOL)
		return cJSON_CreateBool(cell[0] == 't');
	/* as text, so that digits beyond a double's survive */
	if (kind == TABLE_NUMBER && is_number(cell))
		return cJSON_CreateRaw(cell);
	if (kind == TABLE_JSON && *cell)
		return cJSON_CreateRaw(cell);
	return cJSON_CreateString(cell);
}

cJSON *table_json(const struct table *t)
{
	cJSON *array = mem_check(cJSON_CreateArray()), *object = NULL;

	for (size_t i = 0; i < t->ncells; i++) {
		const struct table_column *c = &t->columns[i % t->ncolumns];

		if (i % t->ncolumns == 0) {
			object = mem_check(cJSON_CreateObject());
			cJSON_AddItemToArray(array, object);
		}
		if (c->key)
			json_set(object, c->key, mem_check(json_cell(c->kind, t->cells[i])));
	}
	return array;
}

void table_print_json(const struct table *t, FILE *out)
{
	cJSON *array = table_json(t);
	char *text = json_print(array);

	fprintf(out, "%s\n", text);
	free(text);
	cJSON_Delete(array);
}
