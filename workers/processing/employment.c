/* SPDX-License-Identifier: MIT */
#include "workers/processing/employment.h"

#include <stdbool.h>
#include <stdint.h>

#include "common/base/mem.h"
#include "common/base/text.h"
#include "workers/processing/words.h"

static const struct {
	const char *name, *words;
} KINDS[EMPLOYMENT_COUNT] = {
#define X(id, text, list) { text, list },
	EMPLOYMENT_LIST(X)
#undef X
};

/* Permanent, which for most is full-time. */
static const char PERMANENT[] =
	"permanent,regular,festanstellung,fest angestellt,unbefristet,unbefristete,unbefristeter,"
	"cdi,contrato indefinido,indefinido,contrato fijo,tempo indeterminato,indeterminato,"
	"vast dienstverband";

/* Words after which "contract" says nothing more. */
static const char *const TERMS[] = {
	"permanent contract", "term contract", "temporary contract", "time contract",
	"internship contract", "seasonal contract", "employment contract", "regular contract",
	"apprenticeship contract", "training contract",
};

/* Blots out such a "contract". */
static void blot(char *folded)
{
	static const char CONTRACT[] = "contract";

	if (!strstr(folded, CONTRACT))
		return;
	for (size_t i = 0; i < COUNT(TERMS); i++) {
		char *at = strstr(folded, TERMS[i]);

		if (at)
			memset(at + strlen(TERMS[i]) - strlen(CONTRACT), '.', strlen(CONTRACT));
	}
}

/* Phrases by the hash of their words; filled at first use. */
enum { SLOTS = 1024, PHRASE_WORDS = 4, TEXT_WORDS = 80, PERMANENT_SET = 1 << EMPLOYMENT_COUNT };
static struct phrase {
	uint64_t hash;
	unsigned set;
	bool begins;			/* longer ones */
} phrases[SLOTS];
static bool prepared;

static struct phrase *phrase_at(uint64_t hash)
{
	size_t i = (hash ^ hash >> 32) % SLOTS;

	while (phrases[i].hash && phrases[i].hash != hash)
		i = (i + 1) % SLOTS;
	return &phrases[i];
}

static void add_phrase(const char *p, const char *end, unsigned set)
{
	struct phrase *phrase = NULL;
	uint64_t hash = 0;
	struct word w;

	while (words_read(&p, end, &w, 1)) {
		if (phrase)
			phrase->begins = true;
		hash = phrase ? words_join(hash, w.hash) : w.hash;
		phrase = phrase_at(hash);
		phrase->hash = hash;
	}
	if (phrase)
		phrase->set |= set;
}

static void add_phrases(const char *words, unsigned set)
{
	while (*words) {
		size_t n = strcspn(words, ",");

		add_phrase(words, words + n, set);
		words += n + (words[n] == ',');
	}
}

static void prepare(void)
{
	for (unsigned i = 0; i < EMPLOYMENT_COUNT; i++)
		add_phrases(KINDS[i].words, 1u << i);
	add_phrases(PERMANENT, PERMANENT_SET);
	prepared = true;
}

/* What the phrases that begin at words[at] say. */
static unsigned set_at(const struct word *words, size_t n, size_t at)
{
	uint64_t hash = 0;
	unsigned set = 0;

	for (size_t i = at; i < n && i < at + PHRASE_WORDS; i++) {
		const struct phrase *phrase;

		hash = i > at ? words_join(hash, words[i].hash) : words[i].hash;
		phrase = phrase_at(hash);
		set |= phrase->set;
		if (!phrase->begins)
			break;
	}
	return set;
}

unsigned employment_parse(const char *text)
{
	char line[512], folded[512];
	struct word words[TEXT_WORDS];
	const char *p = folded;
	unsigned set = 0;
	size_t n;

	if (!text)
		return 0;
	if (!prepared)
		prepare();
	text_line(text, line, sizeof line);
	text_fold(line, folded, sizeof folded);
	blot(folded);
	n = words_read(&p, folded + strlen(folded), words, TEXT_WORDS);
	for (size_t i = 0; i < n; i++)
		set |= set_at(words, n, i);
	if (set == PERMANENT_SET)
		return EMPLOYMENT(FULLTIME);
	return set & ~(unsigned)PERMANENT_SET;
}

const char *employment_name(unsigned bit_index)
{
	return KINDS[bit_index].name;
}

const char *employment_main(unsigned set)
{
	for (unsigned i = 0; i < EMPLOYMENT_COUNT; i++)
		if (set & 1u << i)
			return KINDS[i].name;
	return NULL;
}
