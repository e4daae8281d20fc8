/* SPDX-License-Identifier: MIT */
#include "common/market/occupation.h"

#include <ctype.h>

#include "common/base/err.h"
#include "common/base/mem.h"
#include "common/market/fold.h"

#define SUGGESTIONS 3

/* Rank, contract and place of work: no statistics tell them apart. */
static const char *const NOISE[] = {
	"senior", "sr", "junior", "jr", "lead", "principal", "staff", "mid", "level", "entry",
	"midlevel", "associate", "intern", "internship", "trainee", "graduate", "i", "ii", "iii",
	"iv", "v", "1", "2", "3", "remote", "hybrid", "onsite", "contract", "contractor", "freelance",
	"full", "part", "time", "m", "w", "f", "d", "x", "h", "all", "genders",
};
static const char *const KEEP_CAPITAL[] = {
	"it", "qa", "ui", "ux", "cto", "dba", "sre", "sdet", "sde", "swe", "ml", "ai", "nlp", "bi",
	"etl", "gis", "seo", "fpga", "asic", "rf", "vlsi", "php", "soc", "vp", "fp", "erp", "sql",
	"vfx", "c++", "c#", "3d", "cobol",
};

static bool in_list(const char *const *list, size_t n, const char *word, size_t len)
{
	for (size_t i = 0; i < n; i++)
		if (strlen(list[i]) == len && memcmp(list[i], word, len) == 0)
			return true;
	return false;
}

/* "systems" and "system" compare equal; "business", "gis" and "c++" stay as they are. */
static size_t singular_length(const char *word, size_t len)
{
	if (len > 3 && word[len - 1] == 's' && !strchr("suis", word[len - 2]))
		return len - 1;
	return len;
}

typedef bool keep_fn(const char *word, size_t len);

static bool keep_all(const char *word, size_t len)
{
	(void)word;
	(void)len;
	return true;
}

/* "full" is noise in "full time" alone: "full stack" is a kind of developer. */
static bool keep_telling(const char *word, size_t len)
{
	if (len == 4 && memcmp(word, "full", 4) == 0)
		return strncmp(word + 4, " stack", 6) == 0;
	return !in_list(NOISE, COUNT(NOISE), word, len);
}

/* Copies the words that `keep` keeps, in singular. */
static void reduce(const char *folded, keep_fn *keep, char out[FOLD_SIZE])
{
	size_t n = 0;

	for (const char *p = folded; *p;) {
		size_t len = strcspn(p, " "), used = singular_length(p, len);

		if (keep(p, len)) {
			if (n > 0)
				out[n++] = ' ';
			memcpy(out + n, p, used);
			n += used;
		}
		p += len;
		p += strspn(p, " ");
	}
	out[n] = '\0';
}

/* Walks the aliases of a row, then its title. whole_only: this one stands after "||". */
struct alias {
	const char *next;
	bool whole_only, title_done;
	char text[FOLD_SIZE];		/* as written in the table */
	char singular[FOLD_SIZE];
};

static bool alias_next(struct alias *a, const struct occupation_row *row)
{
	size_t len;

	if (a->title_done)
		return false;
	if (*a->next == '\0') {
		a->title_done = true;
		a->whole_only = false;
		fold_text(row->title, a->text);
	} else {
		if (*a->next == '|') {
			a->whole_only = true;
			a->next++;
		}
		len = strcspn(a->next, "|");
		memcpy(a->text, a->next, len);
		a->text[len] = '\0';
		a->next += len + (a->next[len] == '|');
	}
	reduce(a->text, keep_all, a->singular);
	return true;
}

static struct alias alias_first(const struct occupation_row *row)
{
	return (struct alias){ .next = row->aliases };
}

static void name_alias(const char *alias, char out[OCCUPATION_NAME_SIZE])
{
	fold_title(alias, out, OCCUPATION_NAME_SIZE);
	for (char *p = out; *p;) {
		size_t len = strcspn(p, " ");
		char word[OCCUPATION_NAME_SIZE];

		for (size_t i = 0; i < len; i++)
			word[i] = (char)tolower((unsigned char)p[i]);
		if (in_list(KEEP_CAPITAL, COUNT(KEEP_CAPITAL), word, len))
			for (size_t i = 0; i < len; i++)
				p[i] = (char)toupper((unsigned char)p[i]);
		p += len;
		p += strspn(p, " ");
	}
}

static void settle(struct occupation *o, const struct occupation_row *row, const char *alias)
{
	o->row = row;
	name_alias(alias, o->name);
}

static bool match_whole(const char *text, struct occupation *ret)
{
	for (size_t i = 0; i < OCCUPATIONS_COUNT; i++)
		for (struct alias a = alias_first(&OCCUPATIONS[i]);
		     alias_next(&a, &OCCUPATIONS[i]);)
			if (strcmp(a.singular, text) == 0) {
				settle(ret, &OCCUPATIONS[i], a.text);
				return true;
			}
	return false;
}

static bool match_part(const char *text, struct occupation *ret)
{
	size_t best = 0;

	for (size_t i = 0; i < OCCUPATIONS_COUNT; i++)
		for (struct alias a = alias_first(&OCCUPATIONS[i]);
		     alias_next(&a, &OCCUPATIONS[i]);) {
			size_t len = strlen(a.singular);

			if (!a.whole_only && len > best && fold_has_words(text, a.singular)) {
				settle(ret, &OCCUPATIONS[i], a.text);
				best = len;
			}
		}
	ret->partial = best > 0;
	return best > 0;
}

/* One slip in a short text, two from 8 letters, three from 16: "sofware enginer" is two. */
static int slips(size_t len)
{
	return len < 5 ? 0 : len < 8 ? 1 : len < 16 ? 2 : 3;
}

static bool match_close(const char *text, struct occupation *ret)
{
	int limit = slips(strlen(text)), best = limit + 1;

	for (size_t i = 0; i < OCCUPATIONS_COUNT; i++)
		for (struct alias a = alias_first(&OCCUPATIONS[i]);
		     alias_next(&a, &OCCUPATIONS[i]);) {
			int far = fold_distance(text, a.singular, limit);

			if (far < best) {
				settle(ret, &OCCUPATIONS[i], a.text);
				best = far;
			}
		}
	ret->corrected = best <= limit;
	return best <= limit;
}

/* How alike, for suggestions: shared words first, then letters. */
static int likeness(const char *text, const char *alias)
{
	int score = 0;

	for (const char *p = text; *p;) {
		size_t len = strcspn(p, " ");
		char word[FOLD_SIZE];

		memcpy(word, p, len);
		word[len] = '\0';
		if (fold_has_words(alias, word))
			score += 40;
		p += len;
		p += strspn(p, " ");
	}
	return score - fold_distance(text, alias, 30);
}

static int unknown(const char *given, const char *text, struct err *e)
{
	char names[SUGGESTIONS][OCCUPATION_NAME_SIZE] = { "" };
	int scores[SUGGESTIONS] = { -1000, -1000, -1000 };

	for (size_t i = 0; i < OCCUPATIONS_COUNT; i++) {
		struct alias a = alias_first(&OCCUPATIONS[i]), best = a;
		int score = -1000;

		while (alias_next(&a, &OCCUPATIONS[i]))
			if (!a.whole_only && likeness(text, a.singular) > score) {
				score = likeness(text, a.singular);
				best = a;
			}
		for (int k = 0; k < SUGGESTIONS; k++)
			if (score > scores[k]) {
				for (int m = SUGGESTIONS - 1; m > k; m--) {
					scores[m] = scores[m - 1];
					memcpy(names[m], names[m - 1], sizeof names[m]);
				}
				scores[k] = score;
				name_alias(best.text, names[k]);
				break;
			}
	}
	return err_set(e, ERR_NOT_FOUND,
		       "occupation \"%.80s\" is unknown; did you mean \"%s\", \"%s\" or \"%s\"? "
		       "A SOC 2018 code such as 15-1252 is understood too", given, names[0], names[1], names[2]);
}

/* "15-1252", "151252", "15-1252.00" */
static bool code_digits(const char *text, char out[7])
{
	size_t n = 0;
	const char *p = text + strspn(text, " ");

	for (; *p && n < 6; p++)
		if (isdigit((unsigned char)*p))
			out[n++] = *p;
		else if (*p != '-' || n != 2)
			return false;
	out[n] = '\0';
	p += strspn(p, ".0123456789");
	return n == 6 && p[strspn(p, " ")] == '\0' && p - text < 16;
}

void occupation_digits(const struct occupation_row *row, char out[7])
{
	snprintf(out, 7, "%.2s%.4s", row->soc, row->soc + 3);
}

const struct occupation_row *occupation_by_soc(const char *soc)
{
	char wanted[7], digits[7];

	if (!soc || !code_digits(soc, wanted))
		return NULL;
	for (size_t i = 0; i < OCCUPATIONS_COUNT; i++) {
		occupation_digits(&OCCUPATIONS[i], digits);
		if (strcmp(digits, wanted) == 0)
			return &OCCUPATIONS[i];
	}
	return NULL;
}

static bool resolve_code(const char *text, struct occupation *ret)
{
	const struct occupation_row *row = occupation_by_soc(text);
	char title[FOLD_SIZE];

	if (!row)
		return false;
	fold_text(row->title, title);
	settle(ret, row, title);
	return true;
}

int occupation_resolve(const char *text, struct occupation *ret, struct err *e)
{
	char folded[FOLD_SIZE], all[FOLD_SIZE], telling[FOLD_SIZE];
	struct occupation o = { 0 };

	fold_text(text, folded);
	if (!*folded)
		return err_set(e, ERR_INVALID, "occupation is empty: give a job title such as "
			       "\"Software Engineer\" or a SOC 2018 code such as 15-1252");
	reduce(folded, keep_all, all);
	reduce(folded, keep_telling, telling);
	if (!resolve_code(text, &o) && !match_whole(all, &o) && !match_whole(telling, &o) &&
	    !match_part(all, &o) && !match_part(telling, &o) && !match_close(telling, &o))
		return unknown(text, *telling ? telling : all, e);
	*ret = o;
	return 0;
}
