/* SPDX-License-Identifier: MIT */
#include "workers/processing/level.h"

#include <ctype.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "common/base/mem.h"
#include "workers/processing/text.h"

enum { WORDS_MAX = 48, LINE_MAX_BYTES = 512 };

struct words {
	char text[LINE_MAX_BYTES];
	const char *at[WORDS_MAX];
	size_t n;
	bool slashed;
};

static bool is_in(const char *list, const char *word)
{
	size_t n = strlen(word);

	for (const char *p = n ? strstr(list + 1, word) : NULL; p; p = strstr(p + 1, word))
		if (p[-1] == ' ' && p[n] == ' ')
			return true;
	return false;
}

/* The first word that is in the list (" a b c "), or -1. */
static int find(const struct words *w, const char *list)
{
	for (size_t i = 0; i < w->n; i++)
		if (is_in(list, w->at[i]))
			return (int)i;
	return -1;
}

static const char *word_at(const struct words *w, int i)
{
	return i >= 0 && (size_t)i < w->n ? w->at[i] : "";
}

/* Two words in a row. */
static bool has_pair(const struct words *w, const char *first, const char *second)
{
	for (size_t i = 0; i + 1 < w->n; i++)
		if (is_in(first, w->at[i]) && is_in(second, w->at[i + 1]))
			return true;
	return false;
}

static bool is_intern(const struct words *w)
{
	int student = find(w, " student students studentische studentischer ");

	if (find(w, " intern interns internship praktikant praktikantin praktikum werkstudent "
		 "werkstudentin stagiaire becario becaria practicas apprentice trainee alternant "
		 "alternance stage tirocinio tirocinante vie azubi auszubildender ausbildung "
		 "") >= 0)
		return true;
	if (has_pair(w, " co ", " op ") || has_pair(w, " v ", " i ") ||
	    has_pair(w, " summer ", " analyst "))
		return true;
	/* "Student Assistant" and "Software Student" work beside their studies; student housing,
	 * services, success are what others work in. */
	return student >= 0 &&
		(is_in(" assistant worker aide ambassador intern ", word_at(w, student + 1)) ||
		 (student > 0 &&
		  is_in(" software research phd engineering graduate embedded ",
			word_at(w, student - 1))));
}

static bool is_executive(const struct words *w)
{
	int president = find(w, " president ");

	if (find(w,
		 " ceo cto cfo coo cio ciso cmo cpo chro evp svp geschaftsfuhrer geschaftsfuhrerin ") >=
	    0)
		return true;
	if (has_pair(w, " chief ", " executive technology financial operating information product "
		     "marketing people revenue data security medical officer legal "))
		return true;
	if (president >= 0)
		return !is_in(" assistant asst ", word_at(w, president - 2));
	return find(w, " vp ") >= 0 && !has_pair(w, " assistant asst ", " vp ");
}

static bool is_director(const struct words *w)
{
	return find(w, " director directora directeur directrice direktor direktorin ") >= 0 ||
		has_pair(w, " head ", " of ") || has_pair(w, " leiter leiterin ", " der des von ");
}

/* Kinds of managers that manage things, not people. */
static bool is_contributor_manager(const struct words *w, int manager)
{
	static const char THINGS[] =
		" project projects product products program programs programme marketing "
		"communications "
		"content media portfolio campaign release change category success partnerships "
		"engagement account accounts community event events proposal "
		"brand projekt produkt proyecto projet lifecycle ";
	bool support = find(w, " support service ") >= 0 && find(w, " project program ") < 0;

	for (int i = manager - 1; i >= 0 && i >= manager - 2; i--)
		if (is_in(THINGS, word_at(w, i)))
			return !support && !is_in(" management ", word_at(w, i + 1));
	return false;
}

static int find_manager(const struct words *w)
{
	return find(w, " manager mgr manger managers gerente responsable managerin ");
}

static bool is_manager(const struct words *w)
{
	int i = find_manager(w);

	if (i >= 0)
		return !is_contributor_manager(w, i);
	return find(w, " teamleiter teamleiterin abteilungsleiter filialleiter ") >= 0;
}

static bool is_lead(const struct words *w)
{
	int i = find(w, " lead leads leader tl techlead teamlead ");

	return i >= 0 &&
		!is_in(" generation gen qualification project abatement ", word_at(w, i + 1)) &&
		!is_in(" thought project sales ", word_at(w, i - 1));
}

static bool is_staff(const struct words *w)
{
	int i = find(w, " staff ");

	if (i < 0)
		return false;
	if (i > 0 && is_in(" engineer scientist developer architect ", word_at(w, i - 1)))
		return true;
	if (is_in(" accountant assistant nurse attorney member members pharmacist writer physician "
		  "rn officer auditor support consultant therapist psychologist services trainer "
		  "development ",
		  word_at(w, i + 1)))
		return false;
	return i == 0 && w->n > 2;
}

/* "Engineer/Sr Engineer": one posting for two levels names none. */
static bool is_alternative(const struct words *w, int senior)
{
	return senior > 0 && (size_t)senior + 1 < w->n && w->slashed &&
		!strcmp(w->at[senior - 1], w->at[senior + 1]);
}

static bool is_senior(const struct words *w)
{
	int i = find(w, " senior sr snr ");

	if (i >= 0 && is_alternative(w, i))
		return false;
	return find(w, " senior sr snr sse seniors confirme confirmee experienced erfahrener ") >=
		0;
}

static bool is_entry(const struct words *w)
{
	int associate = find(w, " associate associates assoc associe ");

	if (find(w,
		 " junior jr jnr graduate berufseinsteiger berufseinsteigerin einsteiger debutant "
		 "debutante absolvent fresher freshers ") >= 0)
		return true;
	if (has_pair(w, " entry ", " level ") ||
	    has_pair(w, " new early ", " grad graduates career "))
		return true;
	return associate >= 0 && find(w, " professor ") < 0 && find(w, " partner principal ") < 0;
}

/* The grade that stands behind the role: "Analyst II", "Technician 3 - Nights". */
static enum level graded(const struct words *w)
{
	static const struct {
		const char *list;
		enum level level;
	} GRADES[] = {
		{ " i 1 ", LEVEL_ENTRY }, { " ii 2 ", LEVEL_MID },
		{ " iii iv v 3 4 5 ", LEVEL_SENIOR },
	};

	for (size_t i = 1; i < w->n; i++)
		for (size_t g = 0; g < COUNT(GRADES); g++)
			if (is_in(GRADES[g].list, w->at[i]) &&
			    !is_in(" level tier phase grade shift unit type class series ",
				   w->at[i - 1]) &&
			    !isdigit((unsigned char)word_at(w, (int)i + 1)[0]))
				return GRADES[g].level;
	return LEVEL_UNKNOWN;
}

static bool is_mid(const struct words *w)
{
	int manager = find_manager(w);

	return (manager >= 0 && is_contributor_manager(w, manager)) ||
		find(w, " avp intermediate ") >= 0 ||
		has_pair(w, " mid ", " level senior weight ") ||
		has_pair(w, " assistant asst ", " vp vice ");
}

static void split(struct words *w, const char *title)
{
	char line[LINE_MAX_BYTES];

	text_line(title, line, sizeof line);
	text_fold(line, w->text, sizeof w->text);
	w->n = 0;
	w->slashed = strchr(line, '/') != NULL;
	for (char *save = NULL, *p = strtok_r(w->text, " ", &save); p && w->n < WORDS_MAX;
	     p = strtok_r(NULL, " ", &save))
		w->at[w->n++] = p;
}

enum level level_parse(const char *title)
{
	struct words w;
	enum level grade;

	split(&w, title);
	if (is_intern(&w))
		return LEVEL_INTERN;
	if (is_executive(&w) && find(&w, " director ") < 0)
		return LEVEL_EXECUTIVE;
	if (is_director(&w))
		return LEVEL_DIRECTOR;
	if (find(&w, " principal ") >= 0)
		return LEVEL_PRINCIPAL;
	if (is_staff(&w))
		return LEVEL_STAFF;
	if (is_manager(&w) && graded(&w) == LEVEL_UNKNOWN)
		return LEVEL_MANAGER;
	if (is_senior(&w))
		return LEVEL_SENIOR;
	if (is_lead(&w))
		return LEVEL_LEAD;
	grade = graded(&w);
	if (grade != LEVEL_UNKNOWN && !is_mid(&w))
		return grade;
	if (is_mid(&w))
		return LEVEL_MID;
	return is_entry(&w) ? LEVEL_ENTRY : grade;
}

const char *level_name(enum level level)
{
	static const char *const NAMES[LEVEL_COUNT] = {
#define X(id, text) text,
		LEVEL_LIST(X)
#undef X
	};

	return NAMES[level];
}
