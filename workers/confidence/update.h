/* SPDX-License-Identifier: MIT */
/* update: the task update_confidence_scores(location, occupation=None).
 *
 * Scores what the tables hold for the place (all its occupations when none is given) by
 * common/market/score.h and writes one row of confidence_scores a kind of data, occupation,
 * industry and year: the five parts, the whole, and the reasons in words as metadata. A repeat
 * replaces. Answer: {"status", "location", "occupation", "scores_updated", "confidence_scores":
 * [the first 100 rows], "processing_time_ms", "warnings"}. A place without any figure is a success
 * with 0 and a warning, since figures may come later. */
#ifndef CONFIDENCE_UPDATE_H
#define CONFIDENCE_UPDATE_H

#include <cjson/cJSON.h>

struct err;
struct run;

int update_confidence_scores(struct run *run, const cJSON *args, cJSON **ret_result, struct err *e);

#endif
