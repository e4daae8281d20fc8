/* SPDX-License-Identifier: MIT */
#include "workers/processing/lexicon.h"

#include <assert.h>
#include <ctype.h>
#include <string.h>

#include "common/base/mem.h"
#include "workers/processing/education.h"
#include "workers/processing/lexicon_private.h"

/* Words of a text are read in batches; the next batch begins a phrase's length before the end of
 * the last one. */
enum { SLOTS = 16384, PHRASE_WORDS = 6, BATCH = 2048, SIEVE_BITS = 65536 };

/* A phrase, or the beginning of longer ones. */
struct slot {
	uint32_t check;			/* 0 = free */
	uint16_t cues;
	uint16_t id[LEXICON_KINDS];	/* + 1; 0 = not of this kind */
	uint8_t mark[LEXICON_KINDS], capitals;
	bool named, begins;		/* a phrase itself, of whatever kind */
};

static struct slot slots[SLOTS];
static size_t nslots;
/* Which first words are worth a look into the table: it fits the nearest cache, the table not. */
static uint64_t sieve[SIEVE_BITS / 64];
static bool prepared;

static uint32_t check_of(uint64_t hash)
{
	return (uint32_t)(hash >> 32) | 1;
}

/* The slot of this hash, or the free one where it would stand. */
static struct slot *slot_at(uint64_t hash)
{
	size_t i = (hash ^ hash >> 23) % SLOTS;
	uint32_t check = check_of(hash);

	while (slots[i].check && slots[i].check != check)
		i = (i + 1) % SLOTS;
	return &slots[i];
}

static bool is_sieved(uint64_t hash)
{
	size_t bit = (hash >> 13 ^ hash >> 40) % SIEVE_BITS;

	return sieve[bit / 64] >> bit % 64 & 1;
}

static struct slot *add_slot(uint64_t hash)
{
	struct slot *s = slot_at(hash);

	if (!s->check) {
		s->check = check_of(hash);
		nslots++;
		assert(nslots < SLOTS * 3 / 4);
	}
	return s;
}

static void let_through(uint64_t hash)
{
	size_t bit = (hash >> 13 ^ hash >> 40) % SIEVE_BITS;

	sieve[bit / 64] |= UINT64_C(1) << bit % 64;
}

static uint8_t capitals_of(const struct word *w)
{
	uint8_t bits = 0;

	for (unsigned i = 0; i < 8 && i < w->len; i++)
		bits |= (uint8_t)(isupper((unsigned char)w->at[i]) ? 1u << i : 0);
	return bits;
}

static enum lexicon_mark mark_of(char c)
{
	static const char MARKS[] = "!^?*~";
	const char *found = c ? strchr(MARKS, c) : NULL;

	return found ? (enum lexicon_mark)(found - MARKS + 1) : MARK_NONE;
}

void lexicon_add_alias(enum lexicon_kind kind, const char *text, size_t len, unsigned id)
{
	enum lexicon_mark mark = mark_of(len ? *text : '\0');
	const char *p = text + (mark != MARK_NONE);
	struct word words[PHRASE_WORDS];
	size_t n = words_read(&p, text + len, words, PHRASE_WORDS);
	uint64_t hash = 0;
	struct slot *s = NULL;

	for (size_t i = 0; i < n; i++) {
		if (s)
			s->begins = true;
		hash = i ? words_join(hash, words[i].hash) : words[i].hash;
		s = add_slot(hash);
	}
	if (!s)
		return;
	let_through(words[0].hash);
	/* The first one has it: an alias with a mark comes before the name, which has none. */
	if (s->id[kind])
		return;
	s->named = true;
	s->id[kind] = (uint16_t)(id + 1);
	s->mark[kind] = (uint8_t)mark;
	if (mark == MARK_EXACT)
		s->capitals = capitals_of(&words[0]);
}

void lexicon_add_cue(const char *words, enum lexicon_cue cue)
{
	const char *p = words, *end = words + strlen(words);
	struct word w;

	while (words_read(&p, end, &w, 1))
		add_slot(w.hash)->cues |= (uint16_t)cue;
}

static void add_line(enum lexicon_kind kind, const char *line, size_t len, unsigned id,
		     lexicon_name_fn *name)
{
	const char *end = line + len, *name_end = memchr(line, '\t', len);
	const char *p = name_end ? memchr(name_end + 1, '\t', (size_t)(end - name_end - 1)) : NULL;

	assert(p);
	name(line, (size_t)(name_end - line));
	for (p++; p < end;) {
		const char *bar = memchr(p, '|', (size_t)(end - p));

		if (!bar)
			bar = end;
		lexicon_add_alias(kind, p, (size_t)(bar - p), id);
		p = bar + 1;
	}
	lexicon_add_alias(kind, line, (size_t)(name_end - line), id);
}

void lexicon_add_file(enum lexicon_kind kind, const char *file, const char *end,
		      lexicon_name_fn *name)
{
	unsigned id = 0;

	while (file < end) {
		const char *stop = memchr(file, '\n', (size_t)(end - file));

		if (!stop)
			stop = end;
		if (stop > file && *file != '#')
			add_line(kind, file, (size_t)(stop - file), id++, name);
		file = stop + 1;
	}
}

void lexicon_prepare(void)
{
	if (prepared)
		return;
	prepared = true;
	skills_prepare();
	benefits_prepare();
	education_prepare();
}

unsigned lexicon_cues(const struct word *w)
{
	return w ? slot_at(w->hash)->cues : 0;
}

/* Words of one name stand together. "Spark, SQL" are two skills, but "medical, dental" and
 * "BS, MS" are phrases of the other kinds: a comma is told. */
static bool is_joined(const struct word *a, const struct word *b, bool *comma)
{
	const char *p = a->at + a->len;

	if (b->at - p > 3)
		return false;
	for (; p < b->at; p++) {
		if (*p == ',')
			*comma = true;
		else if (!strchr(" -/.&'\n(+", *p))
			return false;
	}
	return true;
}

/* Phrases found at one word, the longest of each kind. */
struct found {
	const struct slot *slot[LEXICON_KINDS];
	size_t taken[LEXICON_KINDS];
	bool any;
};

static void note(struct found *f, const struct slot *s, size_t taken, bool comma)
{
	if (!s->named)
		return;
	for (int k = comma ? LEXICON_SKILL + 1 : LEXICON_SKILL; k < LEXICON_KINDS; k++) {
		if (!s->id[k])
			continue;
		f->slot[k] = s;
		f->taken[k] = taken;
		f->any = true;
	}
}

static void match(const struct word *words, size_t n, size_t at, struct found *ret)
{
	uint64_t hash = 0;
	bool comma = false;

	*ret = (struct found){ 0 };
	for (size_t i = 0; i < PHRASE_WORDS && at + i < n; i++) {
		const struct word *w = &words[at + i];
		const struct slot *s;

		if (i > 0 && !is_joined(w - 1, w, &comma))
			break;
		if (w->stem && (i || is_sieved(w->stem)))
			note(ret, slot_at(i ? words_join(hash, w->stem) : w->stem), i + 1, comma);
		hash = i ? words_join(hash, w->hash) : w->hash;
		s = slot_at(hash);
		note(ret, s, i + 1, comma);
		if (!s->check || !s->begins)
			break;
	}
}

static void fill_spot(const struct found *f, enum lexicon_kind kind, size_t at, struct spot *ret)
{
	const struct slot *s = f->slot[kind];

	ret->at = at;
	ret->taken = f->taken[kind];
	ret->id = s->id[kind] - 1u;
	ret->mark = s->mark[kind];
	ret->capitals = s->capitals;
}

bool lexicon_match(enum lexicon_kind kind, const struct word *words, size_t n, size_t at,
		   struct spot *ret)
{
	struct found f;

	if (at >= n)
		return false;
	match(words, n, at, &f);
	if (!f.slot[kind])
		return false;
	*ret = (struct spot){ .words = words, .n = n };
	fill_spot(&f, kind, at, ret);
	return true;
}

struct reader {
	struct skills *skills;
	struct benefits *benefits;
	struct education *education;
	size_t busy;			/* words before this one are part of a skill found */
};

static void meet(struct reader *r, const struct found *f, size_t at, struct spot *spot)
{
	if (f->slot[LEXICON_SKILL] && r->skills && at >= r->busy) {
		fill_spot(f, LEXICON_SKILL, at, spot);
		if (skills_meet(r->skills, spot))
			r->busy = at + spot->taken;
	}
	if (f->slot[LEXICON_BENEFIT] && r->benefits) {
		fill_spot(f, LEXICON_BENEFIT, at, spot);
		benefits_meet(r->benefits, spot);
	}
	if (f->slot[LEXICON_DEGREE] && r->education) {
		fill_spot(f, LEXICON_DEGREE, at, spot);
		education_meet(r->education, spot);
	}
}

static void read_batch(struct reader *r, struct spot *spot)
{
	for (size_t i = 0; i < spot->n; i++) {
		const struct word *w = &spot->words[i];
		struct found f;

		if (!is_sieved(w->hash) && (!w->stem || !is_sieved(w->stem)))
			continue;
		match(spot->words, spot->n, i, &f);
		if (f.any)
			meet(r, &f, i, spot);
	}
}

void lexicon_read(const char *text, size_t len, struct skills *skills, struct benefits *benefits,
		  struct education *education)
{
	struct word words[BATCH];
	struct reader r = { .skills = skills, .benefits = benefits, .education = education };
	struct spot spot = { .words = words, .begin = text, .end = text + len };
	const char *p = text;

	lexicon_prepare();
	while ((spot.n = words_read(&p, spot.end, words, BATCH)) > 0) {
		r.busy = 0;
		read_batch(&r, &spot);
		if (spot.n < BATCH)
			break;
		p = words[BATCH - PHRASE_WORDS].at;
	}
}
