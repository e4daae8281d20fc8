/* SPDX-License-Identifier: MIT */
#include "workers/processing/timespan.h"

#include <assert.h>
#include <ctype.h>
#include <stdint.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/base/utf8.h"

enum { WORD_MAX = 20, LIST_MAX = 96 };

/* Folded words; the position in its language tells the number. */
static const char *const NUMBERS[] = {
	"one two three four five six seven eight nine ten",
	"ein zwei drei vier funf sechs sieben acht neun zehn",
	"eine zwei drei vier fuenf sechs sieben acht neun zehn",
	"un deux trois quatre cinq six sept huit neuf dix",
	"une dos tres cuatro cinco seis siete ocho nueve diez",
	"uno due tre quattro cinque sei sette otto nove dieci",
	"a two", "una two", "einem two", "einer two", "einen two", "eines two",
};

static const char YEARS[] =
	" years year yrs yr yr y jahre jahren jahr ans an annees annee anos ano anni anno year's ";
static const char MONTHS[] = "months month mos monate monaten monat mois meses mes mesi mese";
static const char TO[] = "to bis a or ou o oder und and y hasta al till";
static const char MORE[] = "plus more mehr mas piu above or oder ou o and und y e";
static const char FILLER[] = "full complete consecutive relevant solid volle ganze good";

/* The letters of the word at p in lower case, without the accents that matter here. */
static const char *read_word(const char *p, const char *end, char out[WORD_MAX + 1])
{
	size_t n = 0;

	while (p < end && n < WORD_MAX) {
		size_t step;
		uint32_t cp = utf8_next(p, end, &step);

		if (cp < 0x80 && !isalpha((int)cp))
			break;
		if (cp >= 0x80 && (cp < 0xC0 || cp > 0x17F))
			break;
		out[n++] = cp < 0x80 ? (char)tolower((int)cp) :
			cp == 0xFC ? 'u' : cp == 0xE9 ? 'e' : cp == 0xF1 ? 'n' : cp == 0xE1 ? 'a' :
			cp == 0xE0 ? 'a' : cp == 0xF9 ? 'u' : '?';
		p += step;
	}
	out[n] = '\0';
	return p;
}

/* A word's first eight letters as a number: lists are compared without a call. */
static uint64_t packed(const char *word)
{
	uint64_t eight = 0;

	for (unsigned i = 0; i < 8 && word[i] && word[i] != ' '; i++)
		eight = eight << 8 | (unsigned char)word[i];
	return eight;
}

struct list {
	uint64_t words[LIST_MAX];
	size_t n;
};

static struct list years, months, to, more, filler, numbers;
static unsigned char values[LIST_MAX];
static bool prepared;

static void fill(struct list *list, const char *words)
{
	for (const char *p = words; *p;) {
		size_t n = strcspn(p, " ");

		assert(list->n < LIST_MAX);
		list->words[list->n++] = packed(p);
		p += n + (p[n] == ' ');
	}
}

static void prepare(void)
{
	fill(&years, YEARS);
	fill(&months, MONTHS);
	fill(&to, TO);
	fill(&more, MORE);
	fill(&filler, FILLER);
	for (size_t i = 0; i < COUNT(NUMBERS); i++) {
		size_t before = numbers.n;

		fill(&numbers, NUMBERS[i]);
		for (size_t k = before; k < numbers.n; k++)
			values[k] = (unsigned char)(k - before + 1);
	}
	prepared = true;
}

static bool among(const struct list *list, const char *word)
{
	uint64_t eight = packed(word);

	for (size_t i = 0; i < list->n; i++)
		if (list->words[i] == eight)
			return eight != 0;
	return false;
}

static const char *skip_blanks(const char *p, const char *end)
{
	while (p < end && (*p == ' ' || *p == '\t'))
		p++;
	return p;
}

static int number_word(const char *word)
{
	uint64_t eight = packed(word);

	for (size_t i = 0; i < numbers.n; i++)
		if (numbers.words[i] == eight)
			return values[i];
	return 0;
}

/* A number of at most two digits with perhaps a tenth, or a word. Twelfths are returned: months
 * when the unit is a year. NULL: none. */
static const char *read_number(const char *p, const char *end, int *ret_twelfths)
{
	char word[WORD_MAX + 1];
	int n = 0, digits = 0;

	if (p >= end || !isdigit((unsigned char)*p)) {
		const char *after = read_word(p, end, word);

		*ret_twelfths = 12 * number_word(word);
		return *ret_twelfths ? after : NULL;
	}
	for (; p < end && isdigit((unsigned char)*p); p++, digits++)
		n = digits < 3 ? n * 10 + *p - '0' : n;
	if (digits > 2)
		return NULL;
	*ret_twelfths = 12 * n;
	if (end - p > 1 && (*p == '.' || *p == ',') && isdigit((unsigned char)p[1])) {
		*ret_twelfths += 12 * (p[1] - '0') / 10;
		p += 2;
		if (p < end && isdigit((unsigned char)*p))
			return NULL;
	}
	return p;
}

/* "(5)" after "five", '+', "or more": nothing that changes the number. */
static const char *skip_additions(const char *p, const char *end)
{
	char word[WORD_MAX + 1];
	const char *q = skip_blanks(p, end);

	if (q < end && *q == '(') {
		const char *r = q + 1;

		while (r < end && isdigit((unsigned char)*r))
			r++;
		if (r > q + 1 && r < end && *r == '+')
			r++;
		if (r > q + 1 && r < end && *r == ')')
			p = r + 1;
	}
	while (p < end && *p == '+')
		p++;
	for (int i = 0; i < 2; i++) {
		q = read_word(skip_blanks(p, end), end, word);
		if (!strcmp(word, "plus") || !strcmp(word, "more") || !strcmp(word, "mehr") ||
		    !strcmp(word, "mas") || among(&filler, word)) {
			p = q;
		} else if (among(&more, word)) {
			char next[WORD_MAX + 1];
			const char *r = read_word(skip_blanks(q, end), end, next);

			if (!strcmp(next, "more") || !strcmp(next, "mehr") ||
			    !strcmp(next, "plus") || !strcmp(next, "mas") || !strcmp(next, "piu"))
				p = r;
		}
	}
	return p;
}

/* "-", an en or em dash, "to" between two numbers; NULL: none. */
static const char *skip_to(const char *p, const char *end)
{
	char word[WORD_MAX + 1];
	const char *q;

	p = skip_blanks(p, end);
	if (p < end && (*p == '-' || *p == '/'))
		return skip_blanks(p + 1, end);
	if (end - p > 2 && !memcmp(p, "\xE2\x80", 2) && (p[2] == '\x93' || p[2] == '\x94'))
		return skip_blanks(p + 3, end);
	q = read_word(p, end, word);
	return among(&to, word) ? skip_blanks(q, end) : NULL;
}

/* 12 for years, 1 for months, 0 for anything else. */
static int read_unit(const char **p, const char *end)
{
	char word[WORD_MAX + 1];
	const char *q = skip_blanks(*p, end), *after;

	if (q < end && *q == '-')
		q++;
	after = read_word(q, end, word);
	if (!among(&years, word) && !among(&months, word))
		return 0;
	*p = after;
	return among(&years, word) ? 12 : 1;
}

bool timespan_read(const char *p, const char *end, struct timespan *ret)
{
	int low, high = -12, unit = 0;
	const char *q, *r;

	if (!prepared)
		prepare();
	q = read_number(p, end, &low);
	if (!q)
		return false;
	ret->from = p;
	q = skip_additions(q, end);
	r = q;
	unit = read_unit(&r, end);
	if (unit)
		q = r;
	r = skip_to(q, end);
	if (r && (r = read_number(r, end, &high))) {
		int second;

		r = skip_additions(r, end);
		second = read_unit(&r, end);
		if (second)
			unit = second, q = r;
		else if (unit)
			high = -12;
	} else {
		high = -12;
	}
	if (!unit)
		return false;
	ret->to = q;
	ret->min = low * unit / 12;
	ret->max = high < low ? -1 : high * unit / 12;
	return true;
}

void timespan_each_word(void (*word)(const char *word, size_t len))
{
	for (size_t i = 0; i < COUNT(NUMBERS); i++)
		for (const char *p = NUMBERS[i]; *p;) {
			size_t n = strcspn(p, " ");

			word(p, n);
			p += n + (p[n] == ' ');
		}
}
