/* SPDX-License-Identifier: MIT */
/* language: which language a text is written in, by its most common words.
 *
 * Knows en, de, fr, es, it, nl, pt, pl, sv, da, nb, fi, cs, tr, ro, hu, and by their scripts ja,
 * ko, zh, ru, uk, el, ar, he, hi, th. Looks at the first LANGUAGE_SAMPLE bytes only.
 * Deterministic, pure. A text that is too short or too mixed to tell has none. */
#ifndef WORKERS_PROCESSING_LANGUAGE_H
#define WORKERS_PROCESSING_LANGUAGE_H

#include <stddef.h>

enum { LANGUAGE_SAMPLE = 1024 };

/* ISO 639-1, static; "" when unsure. text is clean UTF-8. */
const char *language_guess(const char *text, size_t len);

#endif
