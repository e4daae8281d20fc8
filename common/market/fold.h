/* SPDX-License-Identifier: MIT */
/* fold: names as people write them, brought to one spelling for comparing.
 *
 * Folded text is lower-case ASCII or Unicode letters without accents, digits, '+' and '#' (C++,
 * C#), words separated by one blank: "  Sr. Développeur—C++ " becomes "sr developpeur c++".
 * Bytes that are no UTF-8 count as separators. Pure functions. */
#ifndef COMMON_MARKET_FOLD_H
#define COMMON_MARKET_FOLD_H

#include <stdbool.h>
#include <stddef.h>

#define FOLD_SIZE 256

/* Longer results are cut at a word's end. Returns the length. NULL is "". */
size_t fold_text(const char *text, char out[FOLD_SIZE]);
/* The same with '_' between the words and only [a-z0-9_]: a part of a cache key. */
size_t fold_slug(const char *text, char *out, size_t size);
/* "san jose" -> "San Jose": every word with a capital. */
void fold_title(const char *folded, char *out, size_t size);
/* Is `part` a run of whole words of `whole`? Both folded. */
bool fold_has_words(const char *whole, const char *part);
/* Optimal string alignment (insert, delete, replace, swap neighbours), limit + 1 at most. */
int fold_distance(const char *a, const char *b, int limit);

#endif
