/* SPDX-License-Identifier: MIT */
#include "workers/ctl/outline.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/json.h"
#include "common/base/mem.h"

enum { STEP = 2 };

static void put_text(const char *text, FILE *out)
{
	for (; *text; text++)
		fputc((unsigned char)*text < 0x20 || *text == 0x7F ? ' ' : *text, out);
}

static void put_scalar(const cJSON *value, FILE *out)
{
	char *text = cJSON_IsString(value) ? mem_strdup(value->valuestring) : json_print(value);

	put_text(cJSON_IsNull(value) ? "-" : text, out);
	free(text);
}

static bool is_scalar(const cJSON *value)
{
	return (!cJSON_IsObject(value) && !cJSON_IsArray(value)) || !value->child;
}

/* A text of several lines stands below its title. */
static bool is_block(const cJSON *value)
{
	return cJSON_IsString(value) && strchr(value->valuestring, '\n');
}

static void put_block(const char *text, int depth, FILE *out)
{
	while (*text) {
		size_t n = strcspn(text, "\n");
		char *line = mem_strndup(text, n);

		if (n > 0) {
			fprintf(out, "%*s", depth * STEP, "");
			put_text(line, out);
			fputc('\n', out);
		}
		free(line);
		text += n + (text[n] == '\n');
	}
}

/* A list of scalars takes one line. */
static bool is_flat(const cJSON *value)
{
	const cJSON *item;

	if (!cJSON_IsArray(value))
		return false;
	cJSON_ArrayForEach(item, value) {
		if (!is_scalar(item) || cJSON_IsString(item))
			return false;
	}
	return true;
}

static void print(const cJSON *value, int depth, FILE *out)
{
	const cJSON *item;

	cJSON_ArrayForEach(item, value) {
		bool plain = (is_scalar(item) && !is_block(item)) || is_flat(item);

		fprintf(out, "%*s", depth * STEP, "");
		if (item->string) {
			put_text(item->string, out);
			fputs(plain ? ": " : ":\n", out);
		} else {
			fputs(plain ? "- " : "-\n", out);
		}
		if (plain) {
			put_scalar(item, out);
			fputc('\n', out);
		} else if (is_block(item)) {
			put_block(item->valuestring, depth + 1, out);
		} else {
			print(item, depth + 1, out);
		}
	}
}

void outline_print(const char *title, const cJSON *value, FILE *out)
{
	put_text(title, out);
	if (is_block(value)) {
		fputs(":\n", out);
		put_block(value->valuestring, 1, out);
		return;
	}
	if (is_scalar(value)) {
		fputs(": ", out);
		if (cJSON_IsArray(value) || cJSON_IsObject(value))
			fputs("none", out);
		else
			put_scalar(value, out);
		fputc('\n', out);
		return;
	}
	fputs(":\n", out);
	print(value, 1, out);
}
