/* SPDX-License-Identifier: MIT */
#include "workers/processing/employment.h"

#include <stdbool.h>

#include "workers/processing/text.h"

static const struct {
	const char *name, *words;
} KINDS[EMPLOYMENT_COUNT] = {
#define X(id, text, list) { text, list },
	EMPLOYMENT_LIST(X)
#undef X
};

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
	for (unsigned i = 0; i < EMPLOYMENT_COUNT; i++)
		if (says(folded, KINDS[i].words))
			set |= 1u << i;
	return set;
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
