/* SPDX-License-Identifier: MIT */
/* What the files of role share: the index of names. */
#ifndef COMMON_MARKET_ROLE_PRIVATE_H
#define COMMON_MARKET_ROLE_PRIVATE_H

#include <stdint.h>

#include "common/market/role.h"

struct role_name {
	uint64_t hash;
	const char *text;		/* len bytes, as in the table */
	uint32_t letters;		/* a bit for each that it holds */
	uint16_t row, len;
	uint16_t next;			/* of the same slot; 0 the last. Number 0 stands for none */
};

struct role_row {
	const char *code, *role;
	bool whole;			/* only when a part of the title says no more */
};

struct role_index {
	struct role_row *rows;
	struct role_name *names;
	uint16_t *slots;
	size_t nrows, nnames;		/* nnames counts from 1 */
};

const struct role_index *role_index(void);
/* Folded words; each without the s of a plural, abbreviations spelled out. */
uint64_t role_hash_start(void);
uint64_t role_hash_word(uint64_t hash, const char *word, size_t len);
uint64_t role_hash_words(const char *words);
const struct role_name *role_look_up(const struct role_index *index, uint64_t hash);
uint32_t role_letters(const char *text, size_t len);
void role_give(const struct role_index *index, const struct role_name *name, struct role *ret);
bool role_is_rank(const char *word);

#endif
