/* SPDX-License-Identifier: MIT */
#include "workers/loading/column.h"

#include <string.h>

#include "common/base/buf.h"
#include "common/base/json.h"
#include "common/base/mem.h"

const struct column COLUMNS[] = {
#define X(column, kind, merge, absent) { #column, COLUMN_##kind, MERGE_##merge, absent },
	COLUMN_LIST(X)
#undef X
};
const int COLUMNS_COUNT = COUNT(COLUMNS);

/* COPY's escapes; runs without any are copied whole. */
void column_put_text(struct buf *out, const char *text)
{
	static const char SPECIAL[] = "\\\t\n\r\b\f\v";
	static const char LETTERS[] = "\\tnrbfv";

	while (*text) {
		size_t n = strcspn(text, SPECIAL);

		buf_append(out, text, n);
		text += n;
		if (*text) {
			buf_putc(out, '\\');
			buf_putc(out, LETTERS[strchr(SPECIAL, *text) - SPECIAL]);
			text++;
		}
	}
}

/* An array's text form has its own quoting, and COPY's goes over it. */
static void put_texts(struct buf *out, const cJSON *list)
{
	struct buf array;
	const cJSON *item;

	buf_init(&array, out->max);
	buf_putc(&array, '{');
	cJSON_ArrayForEach(item, list) {
		if (!cJSON_IsString(item))
			continue;
		buf_puts(&array, array.len > 1 ? ",\"" : "\"");
		for (const char *p = item->valuestring; *p; p++) {
			if (*p == '"' || *p == '\\')
				buf_putc(&array, '\\');
			buf_putc(&array, *p);
		}
		buf_putc(&array, '"');
	}
	buf_putc(&array, '}');
	column_put_text(out, buf_text(&array));
	buf_release(&array);
}

static void put_absent(struct buf *out, const struct column *c)
{
	buf_puts(out, c->absent ? c->absent : "\\N");
}

static void put_json(struct buf *out, const cJSON *value)
{
	char *text = json_print(value);

	column_put_text(out, text);
	free(text);
}

static void put_number(struct buf *out, const struct column *c, const cJSON *value)
{
	if (cJSON_IsNumber(value))
		buf_printf(out, c->kind == COLUMN_MONEY ? "%.2f" : "%.15g", value->valuedouble);
	else
		put_absent(out, c);
}

static void put_value(struct buf *out, const struct column *c, const cJSON *value)
{
	switch (c->kind) {
	case COLUMN_TEXT:
		if (cJSON_IsString(value))
			column_put_text(out, value->valuestring);
		else
			put_absent(out, c);
		break;
	case COLUMN_MONEY:
	case COLUMN_NUMBER:
		put_number(out, c, value);
		break;
	case COLUMN_FLAG:
		buf_putc(out, cJSON_IsTrue(value) ? 't' : 'f');
		break;
	case COLUMN_TEXTS:
		put_texts(out, value);
		break;
	case COLUMN_JSON:
	case COLUMN_JSON_LIST:
		if (c->kind == COLUMN_JSON ? cJSON_IsObject(value) : cJSON_IsArray(value))
			put_json(out, value);
		else
			put_absent(out, c);
		break;
	}
}

/* Members are found by name once each; a posting has few more than there are columns. */
void column_put_all(struct buf *out, const cJSON *posting)
{
	const cJSON *values[COUNT(COLUMNS)] = { NULL }, *member;
	int next = 0;

	cJSON_ArrayForEach(member, posting)
		for (int i = 0; i < COLUMNS_COUNT; i++) {
			int k = (next + i) % COLUMNS_COUNT;	/* they come nearly in our order */

			if (member->string && !strcmp(COLUMNS[k].name, member->string)) {
				values[k] = member;
				next = k + 1;
				break;
			}
		}
	for (int i = 0; i < COLUMNS_COUNT; i++) {
		if (i)
			buf_putc(out, '\t');
		put_value(out, &COLUMNS[i], values[i]);
	}
}
