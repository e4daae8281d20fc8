/* SPDX-License-Identifier: MIT */
#include "workers/processing/company.h"

#include <stdbool.h>

#include "common/base/mem.h"
#include "workers/processing/text.h"

/* Folded. Longer ones first where one ends another; what follows a space only. */
static const char *const SUFFIXES[] = {
	"gmbh co "
	"kgaa", "gmbh co kg", "gmbh und co kg", "ag co kg", "se co kg", "inc", "incorporated",
	"llc", "l l c", "ltd", "limited", "corp", "corporation", "co", "company", "plc", "llp", "lp",
	"l "
	"p", "pllc", "pbc", "gmbh", "mbh", "ag", "se", "kg", "kgaa", "ohg", "ug", "e v", "ev", "gbr",
	"haftungsbeschrankt", "sa", "s a", "sas", "s a s", "sarl", "s a r l", "sasu", "eurl", "srl",
	"s r "
	"l", "srls", "spa", "s p a", "sl", "s l", "slu", "s l u", "sau", "bv", "b v", "nv", "n v",
	"ab", "oy", "oyj", "as", "asa", "aps", "a s", "pty", "pte", "pvt", "private", "sp z o o", "spzoo",
	"kft", "sro", "s r o", "doo", "d o o", "lda", "ltda", "sa de cv", "s a de c v", "de cv", "kk",
	"co ltd", "group inc", "usa inc", "na", "n a",
};

void company_clean(const char *raw, char out[COMPANY_MAX])
{
	char folded[COMPANY_MAX];

	text_line(raw, out, COMPANY_MAX);
	if (text_fold(out, folded, sizeof folded) == 0)
		out[0] = '\0';
}

/* The length without one suffix, or len when there is none. */
static size_t without_suffix(const char *key, size_t len)
{
	for (size_t i = 0; i < COUNT(SUFFIXES); i++) {
		size_t n = strlen(SUFFIXES[i]);

		if (len > n + 1 && key[len - n - 1] == ' ' &&
		    !memcmp(key + len - n, SUFFIXES[i], n))
			return len - n - 1;
	}
	return len;
}

void company_match_key(const char *name, char out[COMPANY_MAX])
{
	size_t len = text_fold(name, out, COMPANY_MAX);

	for (;;) {
		size_t shorter = without_suffix(out, len);

		if (shorter == len)
			break;
		len = shorter;
		out[len] = '\0';
	}
	if (len > 4 && !memcmp(out, "the ", 4))
		memmove(out, out + 4, len - 3);
}
