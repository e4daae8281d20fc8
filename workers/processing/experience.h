/* SPDX-License-Identifier: MIT */
/* experience: how many years of work a posting asks for.
 *
 * Read from sentences in English, German, French, Spanish and Italian: "5+ years of experience",
 * "3-5 Jahre Berufserfahrung", "au moins 2 ans d'expérience", "mínimo tres años", "almeno 2 anni",
 * numbers as digits or words. A span of time counts only when its sentence speaks of experience
 * and not of the employer's past, an age, a contract's or a course's length, or a guarantee.
 * Of several mentions the longest minimum counts; those that are only welcome ("preferred", "von
 * Vorteil") count when there is nothing else. "No experience needed" is 0 months.
 * Pure, linear in the text, no memory of its own. */
#ifndef WORKERS_PROCESSING_EXPERIENCE_H
#define WORKERS_PROCESSING_EXPERIENCE_H

#include <stdbool.h>
#include <stddef.h>

enum { EXPERIENCE_MONTHS_MAX = 480 };

struct experience {
	int min_months;			/* 0 = none needed; -1 = only a maximum is stated */
	int max_months;			/* -1 = open */
};

/* text is clean UTF-8. false: nothing stated, ret untouched. */
bool experience_find(const char *text, size_t len, struct experience *ret);

#endif
