/* SPDX-License-Identifier: MIT */
#include "workers/salary/source.h"

#include "common/base/err.h"
#include "workers/salary/fallback.h"

size_t source_areas(const struct area *asked, struct area out[SOURCE_LEVELS])
{
	size_t n = 0;

	out[n++] = *asked;
	while (out[n - 1].level != AREA_NATION && n < SOURCE_LEVELS) {
		out[n] = area_widen(&out[n - 1]);
		n++;
	}
	return n;
}

/* Trouble of a source is no trouble of the task; trouble of ours is. */
static bool ends_task(int code)
{
	return code == -ERR_CANCELLED || code == -ERR_SOFT_LIMIT || code == -ERR_DB ||
	       code == -ERR_SCHEMA || code == -ERR_INTERNAL;
}

int source_note(struct findings *f, const char *source, int code, struct err *e)
{
	if (code >= 0)
		return 0;
	if (ends_task(code))
		return code;
	findings_note(f, source, code == -ERR_PARKED || code == -ERR_QUOTA ? "skipped" : "failed",
		      e->msg);
	return 0;
}

int source_all(struct run *run, const struct request *r, struct findings *f, struct err *e)
{
	int (*const sources[])(struct run *, const struct request *, struct findings *,
			       struct err *) = {
		source_bls,
		source_fred,
		source_census,
	};
	int code = 0;

	for (size_t i = 0; code >= 0 && i < sizeof sources / sizeof *sources; i++)
		code = sources[i](run, r, f, e);
	if (code >= 0 && f->nbenchmarks == 0)
		fallback_add(r, f);
	return code;
}
