/* SPDX-License-Identifier: MIT */
#include "workers/processing/alike.h"

#include <string.h>
#include <xxhash.h>

#include "common/base/mem.h"
#include "workers/processing/dedupe.h"
#include "workers/processing/tokens.h"

enum { PHRASE = 4, SAMPLE_SHIFT = 61, STORED_PHRASES = 10, ASKED_PHRASES = 24, RUN = 3,
       COMPANY_NAMED = 4 };

/* ---- places ---- */

/* A place key in its parts: "city,region,country", "country", "country,remote"; any may be "". */
struct where {
	char parts[3][DEDUPE_PLACE_MAX];	/* city, region, country */
	bool remote;
};

static void where_read(struct where *w, const char *place)
{
	const char *first = strchr(place, ','), *last = strrchr(place, ',');

	*w = (struct where){ .remote = last && !strcmp(last, ",remote") };
	if (!first || first == last) {
		snprintf(w->parts[2], sizeof w->parts[2], "%.*s", (int)strcspn(place, ","), place);
		return;
	}
	snprintf(w->parts[0], sizeof w->parts[0], "%.*s", (int)(first - place), place);
	snprintf(w->parts[1], sizeof w->parts[1], "%.*s", (int)(last - first - 1), first + 1);
	snprintf(w->parts[2], sizeof w->parts[2], "%s", last + 1);
}

/* Does the place leave something open that another might say? */
static bool says_less(const char *place)
{
	struct where w;

	where_read(&w, place);
	return !w.parts[0][0] || !w.parts[1][0] || !w.parts[2][0];
}

/* Remote is a place too, unless the city of the other is only where a remote job is registered. */
static bool places_agree(const struct dedupe_keys *a, const struct dedupe_keys *b)
{
	struct where x, y;

	where_read(&x, a->place);
	where_read(&y, b->place);
	if ((x.remote && y.parts[0][0] && !b->remote) || (y.remote && x.parts[0][0] && !a->remote))
		return false;
	for (int i = 0; i < 3; i++)
		if (x.parts[i][0] && y.parts[i][0] && strcmp(x.parts[i], y.parts[i]) != 0)
			return false;
	return true;
}

/* ---- keys ---- */

static uint64_t seed_of(const char *kind, bool is_demo, const char *a, const char *b)
{
	char text[2 * DEDUPE_KEY_MAX];
	int n = snprintf(text, sizeof text, "%s%c|%s|%s", kind, is_demo ? 'd' : ' ', a, b);

	return XXH3_64bits(text, (size_t)n);
}

/* What must be equal above, the phrase below: a posting's keys stand together in the index, so that
 * writing and asking for them all touches a page or two. */
static int64_t key_of(uint64_t seed, uint64_t phrase)
{
	return (int64_t)((seed & ~(uint64_t)UINT32_MAX) | (phrase & UINT32_MAX));
}

static void add(struct alike_keys *k, int64_t key, bool stored, bool asked)
{
	if (stored && k->nstored < ALIKE_STORED)
		k->stored[k->nstored++] = key;
	if (asked && k->nasked < ALIKE_ASKED)
		k->asked[k->nasked++] = key;
}

void alike_keys_fill(struct alike_keys *ret, const struct dedupe_keys *k, const struct tokens *w,
		     bool is_demo)
{
	uint64_t by_title = seed_of("title", is_demo, k->title, k->place);
	uint64_t by_company = seed_of(level_name(k->level), is_demo, k->company, k->place);
	bool less = says_less(k->place);
	size_t taken = 0;

	ret->nstored = ret->nasked = 0;
	if (w->n < ALIKE_WORDS)
		return;
	for (size_t i = 0; i + PHRASE <= w->n && taken < ASKED_PHRASES; i++) {
		uint64_t phrase = XXH3_64bits(&w->hash[i], PHRASE * sizeof w->hash[0]);

		if (phrase >> SAMPLE_SHIFT)
			continue;
		add(ret, key_of(by_title, phrase), taken < STORED_PHRASES, true);
		add(ret, key_of(by_company, phrase), taken < STORED_PHRASES, true);
		taken++;
	}
	add(ret, key_of(seed_of("any", is_demo, k->title, k->company), 0), true, less);
	add(ret, key_of(seed_of("less", is_demo, k->title, k->company), 0), less, !less);
}

/* ---- texts ---- */

static uint64_t run_at(const struct tokens *w, size_t i)
{
	return XXH3_64bits(&w->hash[i], RUN * sizeof w->hash[0]);
}

/* An open table of all runs of a text; 0 = free, so no run may hash to it. */
static uint64_t *runs_of(const struct tokens *w, size_t *ret_mask)
{
	size_t slots = 64;
	uint64_t *table;

	while (slots < 2 * w->n)
		slots *= 2;
	table = mem_zalloc(slots * sizeof *table);
	for (size_t i = 0; i + RUN <= w->n; i++) {
		uint64_t h = run_at(w, i) | 1;
		size_t at = (h >> 1) & (slots - 1);

		while (table[at] && table[at] != h)
			at = (at + 1) & (slots - 1);
		table[at] = h;
	}
	*ret_mask = slots - 1;
	return table;
}

static bool has_run(const uint64_t *table, size_t mask, uint64_t h)
{
	for (size_t at = (h >> 1) & mask; table[at]; at = (at + 1) & mask)
		if (table[at] == h)
			return true;
	return false;
}

/* Marks the words of the shorter text that stand in the longer one. */
static void mark_common(const struct tokens *s, const struct tokens *l, bool *common)
{
	size_t mask;
	uint64_t *table = runs_of(l, &mask);

	for (size_t i = 0; i + RUN <= s->n; i++)
		if (has_run(table, mask, run_at(s, i) | 1))
			for (size_t k = i; k < i + RUN; k++)
				common[k] = true;
	free(table);
}

double alike_share(const struct tokens *a, const struct tokens *b)
{
	const struct tokens *s = a->n <= b->n ? a : b, *l = s == a ? b : a;
	size_t frame, head = 0, tail = 0, kept = 0;
	bool *common;

	if (s->n < ALIKE_WORDS)
		return 0;
	common = mem_zalloc(s->n * sizeof *common);
	mark_common(s, l, common);
	frame = s->n / 4 < ALIKE_FRAME ? s->n / 4 : ALIKE_FRAME;
	while (head < frame && !common[head])
		head++;
	while (head + tail < frame && !common[s->n - 1 - tail])
		tail++;
	for (size_t i = head; i < s->n - tail; i++)
		kept += common[i];
	free(common);
	return (double)kept / (double)(s->n - head - tail);
}

/* ---- titles and companies ---- */

/* The next word of folded text into out; false at its end. Commas part words too. */
static bool next_word(const char **at, char out[64])
{
	size_t n = 0;

	while (**at == ' ' || **at == ',')
		(*at)++;
	for (; **at && **at != ' ' && **at != ','; (*at)++)
		if (n < 63)
			out[n++] = **at;
	out[n] = '\0';
	return n > 0;
}

static bool holds_word(const char *text, const char *word)
{
	char other[64];

	while (next_word(&text, other))
		if (!strcmp(word, other))
			return true;
	return false;
}

/* "Buyer at Acme", "Buyer in Dallas", "Käufer bei Acme" */
static bool joins(const char *word)
{
	static const char *const WORDS[] = { "at", "in", "for", "with", "the", "by", "bei", "im",
					     "chez", "en", "a", "presso", "per", "para", "de" };

	for (size_t i = 0; i < COUNT(WORDS); i++)
		if (!strcmp(WORDS[i], word))
			return true;
	return false;
}

/* Does whole hold every word of part? more and more2, if given, help out, with words that join. */
static bool holds_all(const char *whole, const char *more, const char *more2, const char *part)
{
	char word[64];
	bool any = false;

	while (next_word(&part, word)) {
		any = true;
		if (!holds_word(whole, word) &&
		    !(more && (joins(word) || holds_word(more, word) || holds_word(more2, word))))
			return false;
	}
	return any;
}

static bool same_without_spaces(const char *a, const char *b)
{
	for (;; a++, b++) {
		while (*a == ' ')
			a++;
		while (*b == ' ')
			b++;
		if (*a != *b)
			return false;
		if (!*a)
			return true;
	}
}

static bool names_agree(const char *a, const char *b)
{
	return holds_all(a, NULL, NULL, b) || holds_all(b, NULL, NULL, a) ||
		same_without_spaces(a, b);
}

/* Names whole a level in a word that part has not? "Senior Nurse Trainee" is no "Nurse Trainee". */
static bool adds_level(const char *whole, const char *part)
{
	char word[64];

	while (next_word(&whole, word))
		if (!holds_word(part, word) && level_parse(word) != LEVEL_UNKNOWN)
			return true;
	return false;
}

static bool titles_agree(const char *a, const char *b)
{
	return names_agree(a, b) && !adds_level(a, b) && !adds_level(b, a);
}

/* Two links to one host: who posts a job there once for each place means each of them. */
static bool one_host_twice(const struct dedupe_keys *a, const struct dedupe_keys *b)
{
	size_t n = strcspn(a->link, "/");

	return n > 0 && n == strcspn(b->link, "/") && !strncmp(a->link, b->link, n) &&
		strcmp(a->link, b->link) != 0;
}

bool alike_may_be(const struct dedupe_keys *a, const struct dedupe_keys *b)
{
	bool title = !strcmp(a->title, b->title), company = !strcmp(a->company, b->company);
	bool place = !strcmp(a->place, b->place);

	return a->level == b->level && title + company + place >= 2 &&
		(title || titles_agree(a->title, b->title)) &&
		(place || (places_agree(a, b) && !one_host_twice(a, b)));
}

/* Does the text name the company, its words one after the other? */
static bool is_named(const struct tokens *text, const char *company)
{
	struct tokens name;
	bool found = false;

	tokens_init(&name);
	tokens_add(&name, company, strlen(company));
	for (size_t i = 0; name.n > 0 && i + name.n <= text->n && !found; i++)
		found = !memcmp(&text->hash[i], name.hash, name.n * sizeof *name.hash);
	tokens_release(&name);
	return found && strlen(company) >= COMPANY_NAMED;
}

/* Of one name, or one advertises for the other, which its text names. */
static bool companies_agree(const struct dedupe_keys *a, const struct tokens *at,
			    const struct dedupe_keys *b, const struct tokens *bt)
{
	return names_agree(a->company, b->company) || is_named(at, b->company) ||
		is_named(bt, a->company);
}

/* The company if the title names it, that is begins to: "energy" alone may be a team. */
static const char *named_company(const char *title, const char *company)
{
	const char *at = company;
	char first[64];

	return next_word(&at, first) && holds_word(title, first) ? company : "";
}

/* Equal, but for words of place and company in either. */
static bool titles_equal(const struct dedupe_keys *a, const struct dedupe_keys *b)
{
	return !strcmp(a->title, b->title) ||
		(holds_all(a->title, a->place, named_company(b->title, a->company), b->title) &&
		 holds_all(b->title, b->place, named_company(a->title, b->company), a->title));
}

double alike_same(const struct dedupe_keys *a, const struct tokens *at, const struct dedupe_keys *b,
		  const struct tokens *bt)
{
	double share;

	if (!alike_may_be(a, b))
		return 0;
	if ((2 * at->n < bt->n || 2 * bt->n < at->n) && !titles_equal(a, b))
		return 0;
	share = alike_share(at, bt);
	return share >= ALIKE_SHARE && companies_agree(a, at, b, bt) ? share : 0;
}
