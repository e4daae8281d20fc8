/* SPDX-License-Identifier: MIT */
#include "common/market/role_private.h"

#include <assert.h>
#include <ctype.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/base/text.h"
#include "common/market/occupation.h"

/* The file's bytes, as the assembler includes them. */
__asm__(".section .rodata\n"
	".global soc_file\nsoc_file:\n.incbin \"common/market/soc.tsv\"\n"
	".global soc_file_end\nsoc_file_end:\n.byte 0\n"
	".previous\n");
extern const char soc_file[], soc_file_end[];

enum { ROWS_MAX = 2048, NAMES_MAX = 8192, SLOTS = 16384 };

static struct role_index *table;

static uint64_t hash_more(uint64_t hash, const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		hash = (hash ^ (unsigned char)text[i]) * UINT64_C(1099511628211);
	return hash;
}

uint64_t role_hash_start(void)
{
	return UINT64_C(14695981039346656037);
}

uint64_t role_hash_word(uint64_t hash, const char *word, size_t len)
{
	static const char *const FULL[][2] = {
		{ "mgr", "manager" }, { "asst", "assistant" }, { "dev", "developer" }, { "eng", "engineer" },
		{ "engr", "engineer" }, { "supv", "supervisor" }, { "spec", "specialist" },
		{ "coord", "coordinator" }, { "rep", "representative" }, { "admin", "administrative" },
	};

	hash = hash_more(hash, " ", 1);
	for (size_t i = 0; i < COUNT(FULL); i++)
		if (strlen(FULL[i][0]) == len && !memcmp(word, FULL[i][0], len))
			return hash_more(hash, FULL[i][1], strlen(FULL[i][1]));
	if (len > 4 && !memcmp(word + len - 3, "ies", 3))
		return hash_more(hash_more(hash, word, len - 3), "y", 1);
	if (len > 3 && word[len - 1] == 's' && !strchr("sui", word[len - 2]))
		len--;
	return hash_more(hash, word, len);
}

uint64_t role_hash_words(const char *words)
{
	uint64_t hash = role_hash_start();

	while (*words) {
		size_t len = strcspn(words, " ");

		hash = role_hash_word(hash, words, len);
		words += len + (words[len] == ' ');
	}
	return hash;
}

uint32_t role_letters(const char *text, size_t len)
{
	uint32_t letters = 0;

	for (size_t i = 0; i < len; i++)
		letters |= isalpha((unsigned char)text[i]) ? UINT32_C(1) << (text[i] & 31)
							   : UINT32_C(1);
	return letters;
}

const struct role_name *role_look_up(const struct role_index *index, uint64_t hash)
{
	unsigned i = index->slots[hash % SLOTS];

	while (i && index->names[i].hash != hash)
		i = index->names[i].next;
	return i ? &index->names[i] : NULL;
}

/* Goes by the first `full` bytes, and is given as the first len. The first to come has a name. */
static void add_name(const char *name, size_t len, size_t full, size_t row)
{
	char text[160], folded[160];
	uint64_t hash;
	uint16_t *slot;

	snprintf(text, sizeof text, "%.*s", (int)full, name);
	text_fold(text, folded, sizeof folded);
	hash = role_hash_words(folded);
	if (role_look_up(table, hash))
		return;
	slot = &table->slots[hash % SLOTS];
	assert(table->nnames < NAMES_MAX);
	table->names[table->nnames] = (struct role_name){
		.hash = hash, .text = name, .len = (uint16_t)len, .row = (uint16_t)row,
		.letters = role_letters(folded, strlen(folded)), .next = *slot,
	};
	*slot = (uint16_t)table->nnames++;
}

static struct role_row *add_row(const char *code, const char *role, bool whole)
{
	assert(table->nrows < ROWS_MAX);
	table->rows[table->nrows] = (struct role_row){ code, role, whole };
	return &table->rows[table->nrows++];
}

/* "code role names": the tabs and bars part. */
static void add_line(const char *line, size_t len)
{
	const char *end = line + len, *role = memchr(line, '\t', len);
	bool whole = *line == '?';
	struct role_row *row;

	if (!role || *line == '#')
		return;
	line += whole;
	row = add_row(mem_strndup(line, (size_t)(role - line)), "", whole);
	for (const char *p = ++role; p < end; p++) {
		size_t n = 0;

		while (p + n < end && p[n] != '|' && p[n] != '\t')
			n++;
		if (p == role)
			row->role = mem_strndup(role, n);
		add_name(p, n, n, table->nrows - 1);
		p += n;
	}
}

/* Names of roles are cut at a word; the titles of SOC go by that too. */
static size_t short_length(const char *title)
{
	size_t len = strlen(title);

	if (len < ROLE_NAME_SIZE)
		return len;
	for (len = ROLE_NAME_SIZE - 1; len > 0 && title[len] != ' ';)
		len--;
	while (len > 0 && strchr(" ,", title[len - 1]))
		len--;
	return len;
}

const struct role_index *role_index(void)
{
	if (table)
		return table;
	table = mem_zalloc(sizeof *table);
	table->rows = mem_zalloc(ROWS_MAX * sizeof *table->rows);
	table->names = mem_zalloc(NAMES_MAX * sizeof *table->names);
	table->slots = mem_zalloc(SLOTS * sizeof *table->slots);
	table->nnames = 1;
	for (const char *p = soc_file; p < soc_file_end;) {
		size_t len = strcspn(p, "\n");

		add_line(p, len);
		p += len + (p[len] == '\n');
	}
	for (size_t i = 0; i < OCCUPATIONS_COUNT; i++) {
		const struct occupation_row *o = &OCCUPATIONS[i];

		add_row(o->soc, "", false);
		add_name(o->title, short_length(o->title), strlen(o->title), table->nrows - 1);
		add_name(o->title, short_length(o->title), short_length(o->title),
			 table->nrows - 1);
	}
	return table;
}
