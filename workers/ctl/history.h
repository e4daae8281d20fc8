/* SPDX-License-Identifier: MIT */
/* history: the last few numbers of each of several names, as a line of small columns. Pure. */
#ifndef CTL_HISTORY_H
#define CTL_HISTORY_H

#include <stdbool.h>
#include <stddef.h>

struct history;

enum { HISTORY_NUMBERS = 12, HISTORY_NAMES_MAX = 256, HISTORY_TEXT_SIZE = 3 * HISTORY_NUMBERS + 1 };

/* blocks: "▁▄█" where the terminal knows them, else " .:|". */
struct history *history_new(bool blocks);
void history_free(struct history *h);

/* The newest number of a name; below 0 = not known, and left out. Of more names than
 * HISTORY_NAMES_MAX the later ones have no history. */
void history_put(struct history *h, const char *name, double v);
/* The newest last, the highest of them as high as can be; only zeros are a flat line. */
const char *history_text(const struct history *h, const char *name, char out[HISTORY_TEXT_SIZE]);

#endif
