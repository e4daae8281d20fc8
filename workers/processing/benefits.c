/* SPDX-License-Identifier: MIT */
#include "workers/processing/benefits.h"

#include <assert.h>

#include "common/base/mem.h"
#include "common/base/text.h"
#include "workers/processing/lexicon.h"
#include "workers/processing/lexicon_private.h"

enum { RAW_MAX = 256 };

/* The file's bytes, as the assembler includes them. */
__asm__(".section .rodata\n"
	".global benefits_file\nbenefits_file:\n.incbin \"workers/processing/benefits.tsv\"\n"
	".global benefits_file_end\nbenefits_file_end:\n.byte 0\n"
	".previous\n");
extern const char benefits_file[], benefits_file_end[];

static const char *names[BENEFITS_MAX];
static unsigned nnames;

/* "health_insurance" is a phrase too, as its words. */
static void add_name(const char *name, size_t len)
{
	assert(nnames < BENEFITS_MAX);
	names[nnames++] = mem_strndup(name, len);
}

void benefits_prepare(void)
{
	lexicon_add_file(LEXICON_BENEFIT, benefits_file, benefits_file_end, add_name);
}

static bool has_capitals(const struct word *w, uint8_t want)
{
	for (unsigned i = 0; i < 8 && i < w->len; i++)
		if ((want & 1u << i) && !(w->at[i] >= 'A' && w->at[i] <= 'Z'))
			return false;
	return true;
}

/* Does the benefit before the words end in them, or only list marks or an "and" before them? */
static bool follows_benefit(const struct benefits *b, const struct spot *spot)
{
	const char *at = spot->words[spot->at].at;

	if (!b->last || b->last < spot->begin || b->last > spot->end || at - b->last > 8)
		return false;
	for (const char *p = b->last; p < at; p++)
		if (!strchr(" ,/&;andorudety\n", *p))
			return false;
	return true;
}

void benefits_meet(struct benefits *b, const struct spot *spot)
{
	const struct word *w = &spot->words[spot->at + spot->taken - 1];

	if (spot->mark == MARK_EXACT && !has_capitals(&spot->words[spot->at], spot->capitals))
		return;
	if (spot->mark == MARK_SOFT && !follows_benefit(b, spot))
		return;
	b->set |= UINT64_C(1) << spot->id;
	if (!b->last || b->last < w->at + w->len)
		b->last = w->at + w->len;
}

void benefits_init(struct benefits *b)
{
	*b = (struct benefits){ 0 };
}

void benefits_find(struct benefits *b, const char *text, size_t len)
{
	b->last = NULL;
	lexicon_read(text, len, NULL, b, NULL);
}

void benefits_add(struct benefits *b, const char *text)
{
	char line[RAW_MAX];
	size_t n = text_line(text, line, sizeof line);

	for (size_t i = 0; i < n; i++)
		if (line[i] == '_')
			line[i] = ' ';
	benefits_find(b, line, n);
}

size_t benefits_count(const struct benefits *b)
{
	return (size_t)__builtin_popcountll(b->set);
}

const char *benefits_name(unsigned i)
{
	lexicon_prepare();
	return i < nnames ? names[i] : NULL;
}
