/* SPDX-License-Identifier: MIT */
#include "workers/processing/skills.h"

#include <assert.h>
#include <ctype.h>
#include <stdbool.h>
#include <string.h>

#include "common/base/mem.h"
#include "workers/processing/lexicon.h"
#include "workers/processing/lexicon_private.h"

/* The file's bytes, as the assembler includes them. */
__asm__(".section .rodata\n"
	".global skills_file\nskills_file:\n.incbin \"workers/processing/skills.tsv\"\n"
	".global skills_file_end\nskills_file_end:\n.byte 0\n"
	".previous\n");
extern const char skills_file[], skills_file_end[];

static const char *names[SKILLS_TAXONOMY_MAX];
static size_t nnames;

static const struct {
	enum lexicon_cue cue;
	const char *words;
} CUES[] = {
	{ CUE_BEFORE,
	  "in using language languages programming knowledge experience like including e.g code coding "
	  "stack tech write writing proficient framework frameworks kenntnisse erfahrung maitrise "
	  "connaissance conocimientos technologies tools senior junior lead as" },
	{ CUE_BEFORE_WEAK, "with of and or mit und oder et con y e avec und strong plus conoscenza" },
	{ CUE_AFTER,
	  "programming developer developers development engineer engineers programmer programmers "
	  "language lang code coding experience scripting backend services microservices entwickler "
	  "entwicklung kenntnisse kenntnissen framework certification apis api app apps stack database "
	  "databases library skills knowledge codebase developpeur desarrollador" },
	{ CUE_NEVER_BEFORE,
	  "series vitamin vitamins hepatitis grade grades class section appendix plan type level part group "
	  "category schedule form to we you they ready let a the an our your wing gate block building hall room "
	  "phase step item annex exhibit zone line lines visa klasse permis terminal unit grade point this that "
	  "no mr ms mrs dr team each every who please tier shift deck option figure table" },
	{ CUE_NEVER_AFTER,
	  "to level suite corp corporation d getter getters beyond through above live for back home ahead into "
	  "out on suites than intake at yourself" },
	{ CUE_AND, "and or und oder et ou y e o" },
	{ CUE_SOFT_BEFORE,
	  "in strong excellent good solid proven effective of experience expert outstanding exceptional "
	  "superior great knowledge with technical basic advanced using bedside clinical professional "
	  "commercial en von im into developing" },
	{ CUE_SOFT_AFTER,
	  "skills skill experience knowledge abilities ability expertise background kenntnisse software "
	  "capabilities certification techniques principles methods tools required licence license "
	  "certificate degree training competencies professional professionals manager managers specialist "
	  "clerk coordinator administrator analyst assistant associate representative consultant director "
	  "executive supervisor officer teacher technician intern" },
	{ CUE_SPOKEN,
	  "fluent fluency native bilingual trilingual multilingual speak speaks speaking speaker speakers "
	  "language languages proficiency proficient conversational mother tongue spoken written verbal oral "
	  "reading kenntnisse sprachkenntnisse fliessend verhandlungssicher verhandlungssichere "
	  "verhandlungssicheres muttersprache sprachen sprache gute gutes guten wort schrift a1 a2 b1 b2 c1 c2 "
	  "courant courante bilingue langue langues maitrise parlez parler professionnel niveau nivel fluido "
	  "avanzado alto idioma idiomas hablado dominio fluente lingua lingue ottima buona madrelingua "
	  "sprichst sprechen sie fluently command ecrit anglais deutsch englisch" },
};

static void add_name(const char *name, size_t len)
{
	assert(nnames < SKILLS_TAXONOMY_MAX);
	names[nnames++] = mem_strndup(name, len);
}

void skills_prepare(void)
{
	lexicon_add_file(LEXICON_SKILL, skills_file, skills_file_end, add_name);
	for (size_t i = 0; i < COUNT(CUES); i++)
		lexicon_add_cue(CUES[i].words, CUES[i].cue);
}

static const struct word *word_at(const struct spot *s, size_t i)
{
	return i < s->n ? &s->words[i] : NULL;
}

static unsigned cues_at(const struct spot *s, size_t i)
{
	return lexicon_cues(word_at(s, i));
}

/* Only list marks between two words ("Python, R and C"): they are neighbours in a list. */
static bool is_listed(const char *from, const char *to)
{
	if (to - from > 5)
		return false;
	for (const char *p = from; p < to; p++)
		if (!strchr(" ,/;|&()\n", *p) && (unsigned char)*p < 0x80)
			return false;
	return true;
}

static const char *word_end(const struct word *w)
{
	return w->at + w->len;
}

/* Does the skill before the words end right before words[i], or before an "and"? */
static bool follows_skill(const struct skills *s, const struct spot *spot)
{
	const struct word *w = &spot->words[spot->at];

	if (!s->last || s->last < spot->begin || s->last > w->at)
		return false;
	if (is_listed(s->last, w->at))
		return true;
	return spot->at > 0 && cues_at(spot, spot->at - 1) & CUE_AND &&
		is_listed(s->last, w[-1].at) && is_listed(word_end(&w[-1]), w->at);
}

static bool has_capital(const struct word *w)
{
	return isupper((unsigned char)w->at[0]);
}

/* Does another skill follow, after list marks or an "and"? also: one with this mark will do. */
static bool precedes_skill(const struct spot *spot, enum lexicon_mark also)
{
	size_t next = spot->at + spot->taken;
	const struct word *w = word_at(spot, next);
	struct spot other;

	if (!w)
		return false;
	if (cues_at(spot, next) & CUE_AND && is_listed(word_end(w - 1), w->at))
		w = word_at(spot, ++next);
	if (!w || !is_listed(word_end(w - 1), w->at) ||
	    !lexicon_match(LEXICON_SKILL, spot->words, spot->n, next, &other))
		return false;
	return other.mark <= MARK_CAPITAL ||
		(other.mark == also && (also == MARK_SOFT || has_capital(w)));
}

static bool ends_item(const char *p, const char *end)
{
	return p >= end || strchr(",;)/\n|", *p) ||
		(*p == '.' && (p + 1 >= end || isspace((unsigned char)p[1])));
}

/* "C. Jones": a letter, a full stop and a capital are somebody's initial. */
static bool is_initial(const struct word *w, const char *end)
{
	const char *p = word_end(w);

	return w->len == 1 && end - p > 2 && p[0] == '.' && p[1] == ' ' &&
		isupper((unsigned char)p[2]) && islower((unsigned char)p[3 < end - p ? 3 : 2]);
}

static const char *spot_end(const struct spot *s)
{
	return word_end(&s->words[s->at + s->taken - 1]);
}

/* "Developer (Spring)"; "(C)" and "(R)" alone are signs. */
static bool is_bracketed(const struct word *w, const struct spot *spot, unsigned before)
{
	return w->at > spot->begin && w->at[-1] == '(' && (w->len > 1 || before & CUE_AFTER) &&
		ends_item(spot_end(spot), spot->end);
}

static unsigned cues_before(const struct spot *spot)
{
	const struct word *w = &spot->words[spot->at];

	return spot->at > 0 && w->at - word_end(w - 1) <= 2 ? cues_at(spot, spot->at - 1) : 0;
}

static bool is_strict_skill(const struct skills *s, const struct spot *spot)
{
	const struct word *w = &spot->words[spot->at];
	const char *end = spot_end(spot);
	unsigned before = cues_before(spot), after = cues_at(spot, spot->at + spot->taken);
	bool capital = has_capital(w), near = end < spot->end && strchr(" /", *end);

	if ((end < spot->end && strchr("&'-", *end)) ||
	    (!capital && near && after & CUE_NEVER_AFTER))
		return false;
	if (follows_skill(s, spot) || precedes_skill(spot, capital ? MARK_STRICT : MARK_NONE))
		return (capital || w->len > 1) && !(before & CUE_NEVER_BEFORE && w->len == 1);
	if (!capital || before & CUE_NEVER_BEFORE || (near && after & CUE_NEVER_AFTER))
		return false;
	if ((near && after & CUE_AFTER) || is_bracketed(w, spot, before))
		return true;
	if (before & CUE_BEFORE && w->len <= 2 && near && after & CUE_AND)
		return true;
	if (!ends_item(end, spot->end))
		return false;
	return before & CUE_BEFORE || (before & CUE_BEFORE_WEAK && !is_initial(w, spot->end));
}

static bool begins_sentence(const struct word *w, const char *begin)
{
	const char *p = w->at;

	while (p > begin && p[-1] == ' ')
		p--;
	return p == begin || strchr(".!?\n:", p[-1]) || (unsigned char)p[-1] >= 0x80;
}

static bool is_capital_skill(const struct skills *s, const struct spot *spot)
{
	const struct word *w = &spot->words[spot->at];
	const char *end = spot_end(spot);

	if (!has_capital(w))
		return follows_skill(s, spot) || precedes_skill(spot, MARK_NONE) ||
			cues_at(spot, spot->at + spot->taken) & CUE_AFTER;
	if (end < spot->end && *end == ' ' &&
	    cues_at(spot, spot->at + spot->taken) & CUE_NEVER_AFTER)
		return false;
	return !begins_sentence(w, spot->begin) || ends_item(end, spot->end) ||
		precedes_skill(spot, MARK_STRICT) ||
		cues_at(spot, spot->at + spot->taken) & CUE_AFTER;
}

static bool is_soft_skill(const struct skills *s, const struct spot *spot)
{
	const char *end = spot_end(spot);
	bool near = end < spot->end && strchr(" -", *end);

	if (near && cues_at(spot, spot->at + spot->taken) & CUE_SOFT_AFTER)
		return true;
	if (follows_skill(s, spot) || precedes_skill(spot, MARK_SOFT))
		return true;
	return cues_before(spot) & CUE_SOFT_BEFORE && ends_item(end, spot->end);
}

static bool is_apart(const struct word *a, const struct word *b)
{
	for (const char *p = word_end(a); p < b->at; p++)
		if (strchr(";!?\n", *p) || (*p == '.' && p[1] == ' '))
			return true;
	return false;
}

/* Within some words on either side, in the same sentence, something speaks of speaking. */
static bool is_spoken(const struct spot *spot)
{
	size_t i = spot->at;

	while (i > 0 && spot->at - i < 5 && !is_apart(&spot->words[i - 1], &spot->words[i]))
		if (cues_at(spot, --i) & CUE_SPOKEN)
			return true;
	i = spot->at + spot->taken;
	while (i < spot->n && i < spot->at + spot->taken + 4 &&
	       !is_apart(&spot->words[i - 1], &spot->words[i]))
		if (cues_at(spot, i++) & CUE_SPOKEN)
			return true;
	return false;
}

static bool has_capitals(const struct word *w, uint8_t want)
{
	for (unsigned i = 0; i < 8 && i < w->len; i++)
		if (!isupper((unsigned char)w->at[i]) != !(want & 1u << i))
			return false;
	return true;
}

static bool counts(const struct skills *s, const struct spot *spot)
{
	switch (spot->mark) {
	case MARK_NONE:
		return true;
	case MARK_EXACT:
		return has_capitals(&spot->words[spot->at], spot->capitals);
	case MARK_CAPITAL:
		return is_capital_skill(s, spot);
	case MARK_STRICT:
		return is_strict_skill(s, spot);
	case MARK_SOFT:
		return is_soft_skill(s, spot);
	case MARK_SPOKEN:
		return is_spoken(spot);
	}
	return false;
}

bool skills_meet(struct skills *s, const struct spot *spot)
{
	uint8_t bit = (uint8_t)(1u << spot->id % 8);

	if (!counts(s, spot))
		return false;
	s->last = spot_end(spot);
	if (s->seen[spot->id / 8] & bit)
		return true;
	s->seen[spot->id / 8] |= bit;
	if (s->n < SKILLS_MAX)
		s->names[s->n++] = names[spot->id];
	return true;
}

void skills_init(struct skills *s)
{
	memset(s, 0, sizeof *s);
}

void skills_find(struct skills *s, const char *text, size_t len)
{
	s->last = NULL;
	lexicon_read(text, len, s, NULL, NULL);
}

size_t skills_taxonomy_size(void)
{
	lexicon_prepare();
	return nnames;
}
