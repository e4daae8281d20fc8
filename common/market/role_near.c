/* SPDX-License-Identifier: MIT */
/* Names that come near one that nobody knows. */
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/market/fold.h"
#include "common/market/role_private.h"

enum { PARTS = 6 };

static int slips(size_t len)
{
	return len < 6 ? 0 : len < 10 ? 1 : len < 18 ? 2 : 3;
}

/* Folds the title without its ranks. */
static size_t fold_telling(const char *title, char out[FOLD_SIZE])
{
	char folded[FOLD_SIZE];
	size_t n = 0;

	fold_text(title, folded);
	for (char *save = NULL, *p = strtok_r(folded, " ", &save); p;
	     p = strtok_r(NULL, " ", &save))
		if (!role_is_rank(p))
			n += (size_t)snprintf(out + n, FOLD_SIZE - n, "%s%s", n ? " " : "", p);
	out[n] = '\0';
	return n;
}

static void fold_name(const struct role_name *name, char out[FOLD_SIZE])
{
	char text[ROLE_NAME_SIZE];

	snprintf(text, sizeof text, "%.*s", (int)name->len, name->text);
	fold_text(text, out);
}

/* A slip changes a letter into another: two bits at most. */
static bool may_be(const struct role_name *name, const char *text, size_t len, uint32_t letters,
		   int limit)
{
	return (name->text[0] | 0x20) == text[0] && abs((int)name->len - (int)len) <= limit + 2 &&
		__builtin_popcount(name->letters ^ letters) <= 2 * limit;
}

static const struct role_name *nearest(const struct role_index *index, const char *text,
				       int *ret_far)
{
	size_t len = strlen(text);
	uint32_t letters = role_letters(text, len);
	const struct role_name *found = NULL;
	int limit = slips(len);
	char own[FOLD_SIZE];

	*ret_far = limit + 1;
	for (size_t i = 1; limit > 0 && i < index->nnames; i++) {
		const struct role_name *name = &index->names[i];
		int far;

		if (!may_be(name, text, len, letters, limit))
			continue;
		fold_name(name, own);
		far = fold_distance(text, own, limit);
		if (far < *ret_far) {
			*ret_far = far;
			found = name;
		}
	}
	return found;
}

bool role_mend(const char *title, struct role *ret)
{
	const struct role_index *index = role_index();
	char copy[FOLD_SIZE], text[FOLD_SIZE];
	const struct role_name *best = NULL;
	int far, least = 100, parts = 0;

	snprintf(copy, sizeof copy, "%s", title);
	for (char *save = NULL, *p = strtok_r(copy, ",|()[]:;/", &save); p && parts < PARTS;
	     p = strtok_r(NULL, ",|()[]:;/", &save), parts++) {
		const struct role_name *name;

		fold_telling(p, text);
		name = nearest(index, text, &far);
		if (name && far < least) {
			least = far;
			best = name;
		}
	}
	if (best)
		role_give(index, best, ret);
	return best != NULL;
}

/* How alike: shared words first, then letters. */
static int likeness(const char *text, const char *name)
{
	int score = 0;

	for (const char *p = text; *p;) {
		size_t len = strcspn(p, " ");
		char word[FOLD_SIZE];

		snprintf(word, sizeof word, "%.*s", (int)len, p);
		score += fold_has_words(name, word) ? 40 : 0;
		p += len;
		p += strspn(p, " ");
	}
	return score - fold_distance(text, name, 30);
}

struct candidate {
	int score;
	const struct role_name *name;
};

static bool has_code(const struct role_index *index, const struct candidate *list, size_t n,
		     const char *code)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(index->rows[list[i].name->row].code, code) == 0)
			return true;
	return false;
}

static int by_score(const void *a, const void *b)
{
	const struct candidate *x = a, *y = b;

	return x->score != y->score ? (x->score < y->score) - (x->score > y->score)
				    : (x->name > y->name) - (x->name < y->name);
}

size_t role_suggest(const char *title, struct role found[], size_t max)
{
	const struct role_index *index = role_index();
	struct candidate *all = mem_alloc(index->nnames * sizeof *all), best[8];
	char text[FOLD_SIZE], own[FOLD_SIZE];
	size_t n = 0, kept = 0;

	fold_telling(title, text);
	for (size_t i = 1; i < index->nnames; i++) {
		const struct role_name *name = &index->names[i];

		if (index->rows[name->row].whole)
			continue;
		fold_name(name, own);
		all[n++] = (struct candidate){ likeness(text, own), name };
	}
	qsort(all, n, sizeof *all, by_score);
	for (size_t i = 0; i < n && kept < max && kept < COUNT(best); i++) {
		const char *code = index->rows[all[i].name->row].code;

		if (has_code(index, best, kept, code))
			continue;
		best[kept] = all[i];
		role_give(index, all[i].name, &found[kept++]);
	}
	free(all);
	return kept;
}
