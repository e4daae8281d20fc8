/* SPDX-License-Identifier: MIT */
/* occupation: free text about a job to its SOC 2018 code.
 *
 * Ways, in this order, so that the plainest reading wins: a SOC or O*NET code ("15-1252",
 * "15-1252.00"), the whole text as a title or alias, the longest alias among the words of the
 * text ("Senior Python Backend Engineer (m/w/d)"), close spelling ("sofware enginer"). Words of
 * rank and contract (senior, lead, II, remote, intern …) are dropped first: OEWS does not tell
 * them apart. Plural and singular are equal.
 * Source of codes and words: SOC 2018 (bls.gov/soc/2018), table of technology work.
 * Borrowed pointers are static. Pure functions. */
#ifndef COMMON_MARKET_OCCUPATION_H
#define COMMON_MARKET_OCCUPATION_H

#include <stdbool.h>
#include <stddef.h>

struct err;

#define OCCUPATION_NAME_SIZE 64
enum { OCCUPATION_ALTERNATIVES = 3 };

/* One row of the table. aliases: folded (fold.h), separated by '|', in plural where that is usual.
 * Those before "||" also count inside a longer text; those after it only as the whole text. */
struct occupation_row {
	const char *soc;	/* "15-1252" */
	const char *title;	/* "Software Developers" */
	const char *aliases;
};

struct occupation {
	const struct occupation_row *row;
	char name[OCCUPATION_NAME_SIZE];	/* "Software Engineer": the alias that matched */
	bool corrected;				/* by close spelling: worth a warning */
	bool partial;				/* words of the text beyond the alias were left aside */
	/* Other occupations that the text may mean ("Licensed Practical Nurse"), likeliest first;
	 * occupation_resolve reads each. "" behind the last. */
	char alternatives[OCCUPATION_ALTERNATIVES][OCCUPATION_NAME_SIZE];
	char warning[256];			/* "" unless OEWS has no figures under this very code */
};

/* -ERR_NOT_FOUND names up to three suggestions; -ERR_INVALID for an empty text. */
int occupation_resolve(const char *text, struct occupation *ret, struct err *e);
/* By code, with or without hyphen; NULL if the table has none. */
const struct occupation_row *occupation_by_soc(const char *soc);
/* The six digits of the code: "151252". */
void occupation_digits(const struct occupation_row *row, char out[7]);

extern const struct occupation_row OCCUPATIONS[];
extern const size_t OCCUPATIONS_COUNT;

#endif
