/* SPDX-License-Identifier: MIT */
/* update: the task update_confidence_scores(location, occupation=None).
 *
 * Scores what the tables hold for the place by common/market/score.h and writes one row of
 * confidence_scores a kind of data, occupation, industry and year: the five parts, the whole, and
 * the reasons in words as metadata. A repeat replaces, and leaves alone what stays as it is.
 * The location is what is resolved by area.h, "New York, NY" for "NYC", and figures stored under
 * that name or the text as given are its figures: "United States" are those of the nation, no sum
 * of its places. "*" is every place. Without an occupation all occupations there are scored.
 * Many rows go page by page, each page a step: memory does not grow with the tables, a run that was
 * killed goes on behind its last page, and progress counts the figures looked at.
 * Answer: {"status", "location", "occupation", "scores_updated": scored, "scores_changed": of these
 * new or different, "figures": looked at, "confidence_scores": [the first 100 rows],
 * "processing_time_ms", "warnings"}. A place without any figure is a success with 0 and a warning,
 * since figures may come later; one that nobody knows either is -ERR_NOT_FOUND, with suggestions.
 */
#ifndef CONFIDENCE_UPDATE_H
#define CONFIDENCE_UPDATE_H

#include <cjson/cJSON.h>

struct err;
struct run;

int update_confidence_scores(struct run *run, const cJSON *args, cJSON **ret_result, struct err *e);

#endif
