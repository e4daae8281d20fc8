/* SPDX-License-Identifier: MIT */
#include "workers/ctl/history.h"

#include <math.h>
#include <stdio.h>

#include "common/base/mem.h"

enum { LEVELS = 8 };

struct line {
	char *name;
	double numbers[HISTORY_NUMBERS];	/* the oldest first */
	int n;
};

struct history {
	struct line lines[HISTORY_NAMES_MAX];
	int n;
	bool blocks;
};

struct history *history_new(bool blocks)
{
	struct history *h = mem_zalloc(sizeof *h);

	h->blocks = blocks;
	return h;
}

void history_free(struct history *h)
{
	for (int i = 0; h && i < h->n; i++)
		free(h->lines[i].name);
	free(h);
}

static const struct line *find(const struct history *h, const char *name)
{
	for (int i = 0; i < h->n; i++) {
		if (strcmp(h->lines[i].name, name) == 0)
			return &h->lines[i];
	}
	return NULL;
}

void history_put(struct history *h, const char *name, double v)
{
	const struct line *known = find(h, name);
	struct line *line = known ? &h->lines[known - h->lines] : NULL;

	if (v < 0 || (!line && h->n == HISTORY_NAMES_MAX))
		return;
	if (!line) {
		line = &h->lines[h->n++];
		line->name = mem_strdup(name);
	}
	if (line->n == HISTORY_NUMBERS) {
		memmove(line->numbers, line->numbers + 1, sizeof line->numbers - sizeof v);
		line->n--;
	}
	line->numbers[line->n++] = v;
}

const char *history_text(const struct history *h, const char *name, char out[HISTORY_TEXT_SIZE])
{
	static const char *const blocks[LEVELS] = { "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█" };
	static const char *const plain[LEVELS] = { ".", ".", ":", ":", "+", "+", "|", "|" };
	const struct line *line = find(h, name);
	double most = 0;
	size_t n = 0;

	out[0] = '\0';
	for (int i = 0; line && i < line->n; i++)
		most = fmax(most, line->numbers[i]);
	for (int i = 0; line && i < line->n; i++) {
		int level = most > 0 ? (int)ceil(line->numbers[i] / most * LEVELS) - 1 : 0;

		level = level < 0 ? 0 : level;
		n += (size_t)snprintf(out + n, HISTORY_TEXT_SIZE - n, "%s",
				      h->blocks ? blocks[level] : plain[level]);
	}
	return out;
}
