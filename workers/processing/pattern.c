/* SPDX-License-Identifier: MIT */
#include "workers/processing/pattern.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <assert.h>
#include <pcre2.h>

#include "common/base/mem.h"

enum { STEP_LIMIT = 1000000 };		/* no text of a posting may cost more than some ms */

static pcre2_match_data *match_data;
static pcre2_match_context *match_context;

static void compile(struct pattern *p)
{
	int error;
	PCRE2_SIZE offset;
	pcre2_code *code = pcre2_compile((PCRE2_SPTR)p->expression, PCRE2_ZERO_TERMINATED,
		PCRE2_CASELESS | PCRE2_UTF | PCRE2_NO_AUTO_CAPTURE, &error, &offset, NULL);

	assert(code);
	pcre2_jit_compile(code, PCRE2_JIT_COMPLETE);	/* without JIT it is slower, not wrong */
	if (!match_data) {
		match_data = mem_check(pcre2_match_data_create(1, NULL));
		match_context = mem_check(pcre2_match_context_create(NULL));
		pcre2_set_match_limit(match_context, STEP_LIMIT);
	}
	p->code = code;
}

bool pattern_matches(struct pattern *p, const char *text, size_t len)
{
	if (!p->code)
		compile(p);
	return pcre2_match(p->code, (PCRE2_SPTR)text, len, 0, PCRE2_NO_UTF_CHECK, match_data,
			   match_context) >= 0;
}
