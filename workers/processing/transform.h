/* SPDX-License-Identifier: MIT */
/* transform: one row of a provider's answer to a posting of the main schema.
 *
 * JSearch's three generations (2023, 2025, v5) are one union of optional members; required are
 * job_title and employer_name as texts that say something. Everything else may be missing, null,
 * of another type, or wrong, and then is left out. Pure; never fails but by refusal. */
#ifndef WORKERS_PROCESSING_TRANSFORM_H
#define WORKERS_PROCESSING_TRANSFORM_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stdint.h>

struct posting;
struct refusal;

struct transform_context {
	const char *provider;		/* "jsearch" */
	const char *asked_country;	/* of the request, ISO code; NULL */
	int64_t reference_us;		/* when the answer was fetched: relative dates count from it */
	bool is_demo;
	bool skills;			/* enable_skill_extraction */
};

/* ret is cleared first. 0: filled and finished; -1: refused. */
int transform_row(const struct transform_context *ctx, const cJSON *row, struct posting *ret,
		  struct refusal *ret_refusal);

/* The list of rows in an answer: {"data": […]}, {"data": {"jobs": […]}} or a bare array;
 * NULL: it has none. */
const cJSON *transform_rows(const cJSON *answer);

#endif
