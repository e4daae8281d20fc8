/* SPDX-License-Identifier: MIT */
/* education: the lowest degree that a posting asks for.
 *
 * Words and abbreviations in English, German, French, Spanish and Italian, levels by ISCED 2011:
 * upper secondary and vocational (high school, Abitur, Berufsausbildung, CAP, bachillerato) is
 * high_school; short tertiary (associate's, BTS, bac+2, grado superior) is associates; then
 * bachelors, masters, doctorate. A degree without its level ("university degree", "Studium",
 * "bac+3") is bachelors. "postgraduate" is what JSearch calls anything above bachelors.
 * Of several that are required the lowest counts ("Bachelor's or Master's"); one that is only
 * preferred counts when no other is named. Pure, linear in the text. */
#ifndef WORKERS_PROCESSING_EDUCATION_H
#define WORKERS_PROCESSING_EDUCATION_H

#include <stdbool.h>
#include <stddef.h>

#define EDUCATION_LIST(X) \
	X(UNKNOWN, "") \
	X(HIGH_SCHOOL, "high_school") \
	X(ASSOCIATES, "associates") \
	X(BACHELORS, "bachelors") \
	X(POSTGRADUATE, "postgraduate") \
	X(MASTERS, "masters") \
	X(DOCTORATE, "doctorate")

enum education_level {
#define X(id, text) EDUCATION_##id,
	EDUCATION_LIST(X)
#undef X
	EDUCATION_COUNT
};

struct education {
	enum education_level level;
	bool or_experience;		/* "or equivalent experience" */
	bool preferred;			/* welcome, not required */
	const char *last;		/* where the text's last degree ends; for education.c only */
};

/* text is clean UTF-8. ret is always set; level is EDUCATION_UNKNOWN when nothing is said. */
void education_find(const char *text, size_t len, struct education *ret);
/* NULL for EDUCATION_UNKNOWN */
const char *education_name(enum education_level level);
/* "bachelors", as above; UNKNOWN for anything else and NULL */
enum education_level education_of(const char *name);

#endif
