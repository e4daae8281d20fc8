/* SPDX-License-Identifier: MIT */
/* transform: one row of a provider's answer to a posting of the main schema.
 *
 * The source says what the row's members are called (sources/listing.h); what they mean is decided
 * here, by the same rules for every source. Required are title and company as texts that say
 * something. Everything else may be missing, null, of another type, or wrong, and then is left
 * out. Pure; never fails but by refusal. */
#ifndef WORKERS_PROCESSING_TRANSFORM_H
#define WORKERS_PROCESSING_TRANSFORM_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/base/raw.h"
#include "sources/source.h"

struct posting;
struct refusal;
struct steps;

struct transform_context {
	const struct source *source;
	const char *asked_country;	/* of the request, ISO code; NULL */
	struct source_answer from;
	int64_t reference_us;		/* when the answer was fetched: relative dates count from it */
	bool is_demo;
	bool skills;			/* enable_skill_extraction */
	double reject_below;		/* completeness, quality_reject; 0 = none is refused for it */
	const struct steps *steps;	/* NULL: none */
};

enum transformed { TRANSFORM_REFUSED = -1, TRANSFORM_POSTING, TRANSFORM_NOTICE };

/* text: the row as it came, kept as raw_data. ret is cleared first, and filled and finished for
 * TRANSFORM_POSTING. TRANSFORM_NOTICE: the row is no posting and wants no mention. */
enum transformed transform_row(const struct transform_context *ctx, struct raw text,
			       struct posting *ret, struct refusal *ret_refusal);

#endif
