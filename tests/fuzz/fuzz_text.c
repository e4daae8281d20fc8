/* SPDX-License-Identifier: MIT */
/* Any bytes as a description: the input is the text. What comes out is UTF-8 without controls,
 * runs of blanks or empty lines, and whoever looks for something in it bears it. */
#include <string.h>

#include "common/base/buf.h"
#include "common/base/mem.h"
#include "common/base/text.h"
#include "tests/fuzz/fuzz.h"
#include "workers/processing/benefits.h"
#include "workers/processing/company.h"
#include "workers/processing/education.h"
#include "workers/processing/employment.h"
#include "workers/processing/experience.h"
#include "workers/processing/language.h"
#include "workers/processing/lexicon.h"
#include "workers/processing/skills.h"

enum { MOST = 8 << 20 };

static void look_for_everything(const char *text, size_t len)
{
	struct skills skills;
	struct benefits benefits;
	struct education education = { .level = EDUCATION_UNKNOWN };
	struct experience experience;

	skills_init(&skills);
	benefits_init(&benefits);
	lexicon_read(text, len, &skills, &benefits, &education);
	fuzz_want(skills.n <= SKILLS_MAX, "skills fit");
	fuzz_want(education.level < EDUCATION_COUNT, "a degree has a name");
	if (experience_find(text, len, &experience))
		fuzz_want(experience.min_months <= EXPERIENCE_MONTHS_MAX, "nobody works that long");
	fuzz_want(strlen(language_guess(text, len)) <= 2, "a language has two letters");
}

static void check_clean(const struct buf *clean)
{
	const char *text = buf_text(clean);
	struct buf again;

	buf_init(&again, MOST);
	text_to_utf8(text, clean->len, &again);
	fuzz_want(again.len == clean->len && !memcmp(buf_text(&again), text, again.len),
		  "clean text is UTF-8");
	buf_release(&again);
	fuzz_want(strlen(text) == clean->len, "clean text has no NUL");
	fuzz_want(!strstr(text, "\n\n\n") && !strstr(text, "  ") && !strchr(text, '\r') &&
			  !strchr(text, '\t'),
		  "white space is single");
}

static void check_lines(const char *text)
{
	char line[COMPANY_MAX], key[COMPANY_MAX];

	text_line(text, line, sizeof line);
	fuzz_want(!strchr(line, '\n'), "a line is one");
	company_clean(text, line);
	company_match_key(line, key);
	fuzz_want(strlen(key) < sizeof key, "a key ends");
	employment_parse(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = mem_strndup((const char *)data, size);
	struct buf clean;

	buf_init(&clean, MOST);
	text_clean((const char *)data, size, &clean);
	check_clean(&clean);
	look_for_everything(buf_text(&clean), clean.len);
	look_for_everything((const char *)data, size);
	check_lines(text);
	buf_release(&clean);
	free(text);
	return 0;
}
