/* SPDX-License-Identifier: MIT */
/* role: the names that jobs go by, and the one that a title holds.
 *
 * soc.tsv has about 850 roles with 4,000 names in English, and some in German, French, Spanish,
 * Italian and Portuguese; the titles of SOC 2018 (occupation.tsv) are names too. The longest name
 * that a title holds counts; one word must head its part of the title ("Night Baker", not "Server
 * Administrator"); vague ones ("manager") must be all that the part says. Words of rank and
 * contract (senior, II, remote …) do not part a name. Plural and singular are equal, and so are
 * abbreviations ("mgr").
 * The index is made at the first call (a millisecond, 300 kB); a title costs some microseconds. */
#ifndef COMMON_MARKET_ROLE_H
#define COMMON_MARKET_ROLE_H

#include <stdbool.h>
#include <stddef.h>

enum { ROLE_NAME_SIZE = 64 };

/* Static but for name. */
struct role {
	const char *code;		/* SOC 2018, "15-1252"; of a major group "15-0000" */
	const char *role;		/* "software engineer"; "" for a title of SOC */
	char name[ROLE_NAME_SIZE];	/* the one found, as the table has it: "backend developer" */
};

/* found[0] is the role; behind it what other parts of the title name as well as the first, of
 * other codes. Returns how many, at most max. */
size_t role_find(const char *title, struct role found[], size_t max);
/* The role whose name comes nearest to a part of the title, within a slip in 6 letters, two in 10,
 * three in 18. */
bool role_mend(const char *title, struct role *ret);
/* Those whose names share most with the title, the likeliest first; of different codes. */
size_t role_suggest(const char *title, struct role found[], size_t max);
/* The first role of a code in soc.tsv; false: it has none. */
bool role_of_code(const char *code, struct role *ret);

#endif
