/* SPDX-License-Identifier: MIT */
#include "common/market/role.h"

#include <string.h>

#include "common/base/mem.h"
#include "common/base/text.h"
#include "common/market/role_private.h"

enum { NAME_WORDS = 6, TITLE_WORDS = 40, TITLE_BYTES = 512, RIVALS = 4 };

/* What has been found so far, and how much of the title it explains. */
struct best {
	const struct role_name *name;
	size_t words, bytes;
};

struct search {
	const struct role_index *index;
	struct best best;
	struct best rivals[RIVALS];	/* the best of each part */
	size_t nrivals;
};

void role_give(const struct role_index *index, const struct role_name *name, struct role *ret)
{
	const struct role_row *row = &index->rows[name->row];

	ret->code = row->code;
	ret->role = row->role;
	snprintf(ret->name, sizeof ret->name, "%.*s", (int)name->len, name->text);
}

static bool joins(const char *word)
{
	static const char *const WORDS[] = { "de", "du", "d", "des", "en", "di", "da", "do", "der",
					     "im", "in", "fur", "para", "pour", "for", "h", "m" };

	for (size_t i = 0; i < COUNT(WORDS); i++)
		if (!strcmp(word, WORDS[i]))
			return true;
	return false;
}

/* Does one word head its part? The last one, or the first of "Infirmier de nuit". */
static bool heads(const char *const words[], size_t n, size_t at)
{
	return at + 1 == n || (at == 0 && joins(words[1]));
}

bool role_is_rank(const char *word)
{
	static const char *const RANKS[] = {
		"senior", "sr",		 "junior", "jr",      "lead",	  "principal", "staff",
		"i",	  "ii",		 "iii",	   "iv",      "v",	  "1",	       "2",
		"3",	  "4",		 "intern", "trainee", "graduate", "entry",     "level",
		"mid",	  "experienced", "part",   "full",    "time",	  "remote"
	};

	for (size_t i = 0; i < COUNT(RANKS); i++)
		if (!strcmp(word, RANKS[i]))
			return true;
	return false;
}

static void match(const struct role_index *index, const char *const words[], size_t n, size_t at,
		  struct best *best)
{
	uint64_t hash = role_hash_start();
	size_t bytes = 0;

	for (size_t k = 0; k < NAME_WORDS && at + k < n; k++) {
		size_t len = strlen(words[at + k]);
		const struct role_name *name;

		hash = role_hash_word(hash, words[at + k], len);
		bytes += len;
		name = role_look_up(index, hash);
		if (!name || k + 1 < best->words ||
		    (k + 1 == best->words && bytes <= best->bytes))
			continue;
		if ((index->rows[name->row].whole && k + 1 < n) || (k == 0 && !heads(words, n, at)))
			continue;
		*best = (struct best){ name, k + 1, bytes };
	}
}

static bool is_better(const struct best *a, const struct best *b)
{
	return a->words > b->words || (a->words == b->words && a->bytes > b->bytes);
}

/* One part of a title: up to a comma, dash, bar or parenthesis. */
static void match_part(const char *part, struct search *s)
{
	char folded[TITLE_BYTES];
	const char *words[TITLE_WORDS], *without[TITLE_WORDS];
	size_t n = 0, rankless = 0;
	struct best best = { 0 };

	text_fold(part, folded, sizeof folded);
	for (char *save = NULL, *p = strtok_r(folded, " ", &save); p && n < TITLE_WORDS;
	     p = strtok_r(NULL, " ", &save)) {
		words[n++] = p;
		if (!role_is_rank(p))
			without[rankless++] = p;
	}
	for (size_t i = 0; i < n; i++)
		match(s->index, words, n, i, &best);
	for (size_t i = 0; i < rankless && rankless < n; i++)
		match(s->index, without, rankless, i, &best);
	if (best.name && s->nrivals < RIVALS)
		s->rivals[s->nrivals++] = best;
	if (best.name && is_better(&best, &s->best))
		s->best = best;
}

/* Whole texts, which may hold a comma ("Cooks, Private Household") or many words. */
static void match_whole(const char *title, struct search *s)
{
	char folded[TITLE_BYTES];

	text_fold(title, folded, sizeof folded);
	s->best.name = role_look_up(s->index, role_hash_words(folded));
	s->best.words = s->best.name ? TITLE_WORDS : 0;
}

/* Ends the part at start; the next begins where the answer points, NULL: it was the last. */
static char *end_part(char *start)
{
	for (char *p = start;; p++) {
		bool dash = *p == '-' && p > start && (p[-1] == ' ' || p[1] == ' ');

		if (*p && !dash && !strchr(",|()[]:;/", *p))
			continue;
		if (!*p)
			return NULL;
		*p = '\0';
		return p + 1;
	}
}

size_t role_find(const char *title, struct role found[], size_t max)
{
	struct search s = { .index = role_index() };
	char copy[TITLE_BYTES];
	size_t n = 0;

	snprintf(copy, sizeof copy, "%s", title);
	match_whole(copy, &s);
	for (char *p = copy, *next; p && !(s.best.words == TITLE_WORDS); p = next) {
		next = end_part(p);
		match_part(p, &s);
	}
	if (!s.best.name || max == 0)
		return 0;
	role_give(s.index, s.best.name, &found[n++]);
	for (size_t i = 0; i < s.nrivals && n < max; i++) {
		const char *code = s.index->rows[s.rivals[i].name->row].code;

		if (s.rivals[i].words == s.best.words && strcmp(code, found[0].code) != 0)
			role_give(s.index, s.rivals[i].name, &found[n++]);
	}
	return n;
}

bool role_of_code(const char *code, struct role *ret)
{
	const struct role_index *index = role_index();

	for (size_t i = 1; i < index->nnames; i++) {
		const struct role_row *row = &index->rows[index->names[i].row];

		if (strcmp(row->code, code) != 0 || !*row->role)
			continue;
		role_give(index, &index->names[i], ret);
		return true;
	}
	return false;
}
