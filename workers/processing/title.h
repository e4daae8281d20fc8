/* SPDX-License-Identifier: MIT */
/* title: a job title as people would write it.
 *
 * Dropped: requisition numbers, gender markers ((m/w/d), H/F, "*in"), places to work (remote,
 * hybrid; the noun remote reads those from the raw title), contract and clearance notes in
 * parentheses, parentheses that never close, ornaments. Titles all in capitals get lower case,
 * known abbreviations stay. Words of the level stay (the noun level reads them). Pure. */
#ifndef WORKERS_PROCESSING_TITLE_H
#define WORKERS_PROCESSING_TITLE_H

enum { TITLE_MAX = 256 };

/* "" only if raw has no letter or digit at all. */
void title_clean(const char *raw, char out[TITLE_MAX]);
/* For matching: folded, without words that sources add or drop at will. title is clean. */
void title_match_key(const char *title, char out[TITLE_MAX]);

#endif
