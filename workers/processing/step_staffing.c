/* SPDX-License-Identifier: MIT */
/* The step "staffing": notes which postings an agency placed for an employer it does not name, by
 * the words of its own name; their company says nothing about where the work is done. */
#include "common/base/mem.h"
#include "common/base/text.h"
#include "workers/processing/posting.h"
#include "workers/processing/step.h"

static bool note_staffing(struct posting *p, char reason[STEP_REASON])
{
	static const char *const WORDS[] = {
		"staffing", "recruiting", "recruitment", "recruiters", "headhunters", "personnel",
		"personaldienstleistungen", "personalservice", "zeitarbeit", "interim", "interimaire",
		"recrutement", "trabajo temporal", "lavoro interinale", "talent solutions",
		"employment agency", "executive search",
	};
	char folded[COMPANY_MAX];

	(void)reason;
	text_fold(p->company, folded, sizeof folded);
	for (size_t i = 0; i < COUNT(WORDS); i++)
		if (text_has_word(folded, WORDS[i])) {
			step_note(p, "staffing", "true");
			break;
		}
	return true;
}

static const struct step staffing = { "staffing", note_staffing };
STEP(staffing);
