/* SPDX-License-Identifier: MIT */
/* pattern: a PCRE2 expression, compiled with JIT at its first use and kept for the process.
 * Caseless, UTF-8; the text must be clean (text_clean). Declare one as
 * `static struct pattern x = { .expression = "…" };`. A wrong expression aborts: it is our bug. */
#ifndef WORKERS_PROCESSING_PATTERN_H
#define WORKERS_PROCESSING_PATTERN_H

#include <stdbool.h>
#include <stddef.h>

struct pattern {
	const char *expression;
	void *code;			/* pcre2_code; NULL until first used */
};

bool pattern_matches(struct pattern *p, const char *text, size_t len);

#endif
