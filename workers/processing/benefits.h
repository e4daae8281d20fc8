/* SPDX-License-Identifier: MIT */
/* benefits: what an employer offers beside pay, as a set from a closed vocabulary.
 *
 * Names are those of JSearch where it has one (health_insurance, dental_coverage, paid_time_off,
 * retirement_savings …). The phrases that say them, in English, German, French, Spanish and
 * Italian, stand in benefits.tsv, marked as in skills.h: !PTO counts with these capitals, *vision
 * after another benefit in a list ("medical, dental and vision"). Pure, linear in the text. */
#ifndef WORKERS_PROCESSING_BENEFITS_H
#define WORKERS_PROCESSING_BENEFITS_H

#include <stddef.h>
#include <stdint.h>

enum { BENEFITS_MAX = 64 };

struct benefits {
	uint64_t set;			/* bit i: benefits_name(i) */
	const char *last;		/* where the text's last one ends; for benefits.c only */
};

void benefits_init(struct benefits *b);
/* Adds what the text offers. text is clean UTF-8. */
void benefits_find(struct benefits *b, const char *text, size_t len);
/* Adds one that a source names itself ("health_insurance", "Dental coverage"); what is neither a
 * name nor a phrase of the vocabulary is left out. text may be raw. */
void benefits_add(struct benefits *b, const char *text);
size_t benefits_count(const struct benefits *b);
/* Of the vocabulary; NULL past its end. */
const char *benefits_name(unsigned i);

#endif
