/* SPDX-License-Identifier: MIT */
/* level: the seniority that a job title names, from intern to executive; unknown when it names
 * none. Pure.
 *
 * The strongest word wins, with the exceptions that titles are full of: a project or product
 * manager leads no people (mid), a case or assistant manager says nothing, an assistant vice
 * president is no executive (mid), "staff accountant" names no grade, "lead generation" is no lead,
 * "assistant to the CEO" tells another's rank. Of two grades for one posting the lower counts
 * ("Senior/Principal"); a role with and without its grade names none ("Clerk / Senior Clerk").
 * A grade behind the role counts: I or 1 is entry, II or 2 mid, III to V or 3 to 5 senior.
 * English, German, French, Spanish, Italian, Portuguese, Dutch. */
#ifndef WORKERS_PROCESSING_LEVEL_H
#define WORKERS_PROCESSING_LEVEL_H

#define LEVEL_LIST(X) \
	X(UNKNOWN, "unknown") X(INTERN, "intern") X(ENTRY, "entry") X(MID, "mid") \
	X(SENIOR, "senior") X(STAFF, "staff") X(PRINCIPAL, "principal") X(LEAD, "lead") \
	X(MANAGER, "manager") X(DIRECTOR, "director") X(EXECUTIVE, "executive")

enum level {
#define X(id, text) LEVEL_##id,
	LEVEL_LIST(X)
#undef X
	LEVEL_COUNT
};

enum level level_parse(const char *title);
const char *level_name(enum level level);

#endif
