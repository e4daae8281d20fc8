/* SPDX-License-Identifier: MIT */
/* occupation: free text about a job to its SOC 2018 code.
 *
 * Ways, in this order, so that the plainest reading wins: a SOC or O*NET code ("15-1252",
 * "15-1252.00"), the name of a role in the text ("Senior Python Backend Engineer (m/w/d)"; the
 * noun role, which reads postings too, so both agree), close spelling ("sofware enginer"). Words of
 * rank and contract are left aside: OEWS does not tell them apart. Plural and singular are equal.
 *
 * - Words that the name does not explain are told ("forest" of "forest surgeon").
 * - A vague text ("engineer", "nurse") is its plainest occupation, with the others named.
 * - Codes of SOC 2010 and of groups become the nearest that statistics have, with a warning:
 *   OEWS has figures of the major groups ("15-0000") and of detailed occupations, and keeps some of
 *   those together ("31-1120", home health and personal care aides): occupation_digits gives the
 *   code to ask for. It has none of the armed forces.
 * Codes and titles: SOC 2018 (bls.gov/soc/2018), in occupation.tsv.
 * Borrowed pointers are static. Pure functions. */
#ifndef COMMON_MARKET_OCCUPATION_H
#define COMMON_MARKET_OCCUPATION_H

#include <stdbool.h>
#include <stddef.h>

struct err;

#define OCCUPATION_NAME_SIZE 64
enum { OCCUPATION_ALTERNATIVES = 3 };

/* A row of occupation.tsv. */
struct occupation_row {
	const char *soc;	/* "15-1252" */
	const char *title;	/* "Software Developers" */
	const char *oews;	/* the code in OEWS: NULL the same, "-" none */
};

struct occupation {
	const struct occupation_row *row;
	char name[OCCUPATION_NAME_SIZE];	/* "Software Engineer": the name that matched */
	bool corrected;				/* by close spelling: worth a warning */
	bool partial;				/* words of the text beyond the name were left aside */
	/* Other occupations that the text may mean ("Licensed Practical Nurse"), likeliest first;
	 * occupation_resolve reads each. "" behind the last. */
	char alternatives[OCCUPATION_ALTERNATIVES][OCCUPATION_NAME_SIZE];
	/* "" unless OEWS has no figures under this very code, or words that say more than a rank
	 * were left aside. */
	char warning[384];
};

/* -ERR_NOT_FOUND names up to three suggestions (found only for an e that wants them);
 * -ERR_INVALID for an empty text. */
int occupation_resolve(const char *text, struct occupation *ret, struct err *e);
/* By code, with or without hyphen; NULL if SOC 2018 has none. */
const struct occupation_row *occupation_by_soc(const char *soc);
/* SOC 2018 of six digits or more of SOC 2010 or O*NET 2010 ("15113200"); where one became several,
 * the largest of them. NULL: none. */
const struct occupation_row *occupation_by_soc2010(const char *digits);
/* The six digits of the code under which OEWS has its figures: "151252". */
void occupation_digits(const struct occupation_row *row, char out[7]);

extern const struct occupation_row OCCUPATIONS[];
extern const size_t OCCUPATIONS_COUNT;

#endif
