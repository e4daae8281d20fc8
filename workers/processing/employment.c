/* SPDX-License-Identifier: MIT */
#include "workers/processing/employment.h"

#include <stdbool.h>

#include "common/base/mem.h"
#include "workers/processing/text.h"

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
static const char *const TERMS[] = { "permanent", "term", "temporary", "time", "internship",
	"seasonal", "employment", "regular", "zero hours", "apprenticeship", "training" };

/* Blots out such a "contract". */
static void blot(char *folded)
{
	char phrase[40];

	for (size_t i = 0; i < COUNT(TERMS); i++) {
		int n = snprintf(phrase, sizeof phrase, "%s contract", TERMS[i]);
		char *at = strstr(folded, phrase);

		if (at)
			memset(at + n - (int)strlen("contract"), '.', strlen("contract"));
	}
}

static bool says(const char *folded, const char *words)
{
	char word[40];

	while (*words) {
		size_t n = strcspn(words, ",");

		snprintf(word, sizeof word, "%.*s", (int)n, words);
		if (text_has_word(folded, word))
			return true;
		words += n + (words[n] == ',');
	}
	return false;
}

unsigned employment_parse(const char *text)
{
	char line[512], folded[512];
	unsigned set = 0;

	text_line(text, line, sizeof line);
	text_fold(line, folded, sizeof folded);
	blot(folded);
	for (unsigned i = 0; i < EMPLOYMENT_COUNT; i++)
		if (says(folded, KINDS[i].words))
			set |= 1u << i;
	return set ? set : says(folded, PERMANENT) ? EMPLOYMENT(FULLTIME) : 0;
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
