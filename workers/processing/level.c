/* SPDX-License-Identifier: MIT */
#include "workers/processing/level.h"

#include <ctype.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/base/text.h"

enum { WORDS_MAX = 48, LINE_MAX_BYTES = 512 };

struct words {
	char text[LINE_MAX_BYTES];
	const char *at[WORDS_MAX];
	bool parted[WORDS_MAX];		/* a comma, dash, bar or parenthesis stands in front */
	bool either[WORDS_MAX];		/* a slash or ampersand does */
	size_t n, used;
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

/* Two words in a row; where the second stands, or -1. */
static int find_pair(const struct words *w, const char *first, const char *second)
{
	for (size_t i = 0; i + 1 < w->n; i++)
		if (is_in(first, w->at[i]) && is_in(second, w->at[i + 1]) && !w->parted[i + 1])
			return (int)i + 1;
	return -1;
}

static bool has_pair(const struct words *w, const char *first, const char *second)
{
	return find_pair(w, first, second) >= 0;
}

/* Beginners who already work: a trainee for management, a manager in training. */
static bool is_management_trainee(const struct words *w)
{
	return has_pair(w, " management manager executive ", " trainee trainees ") ||
		has_pair(w, " in ", " training ");
}

/* Words that mean something else in English: the stage of a theatre, the placement of patients;
 * or in French: life insurance. */
static bool is_foreign_intern(const struct words *w)
{
	int stage = find(w, " stage "), vie = find(w, " vie ");

	if (stage >= 0 &&
	    !is_in(" manager technician hand hands crew door lighting carpenter director "
		   "gate clinical company startup ",
		   word_at(w, stage + 1)) &&
	    !is_in(" early late on main center mid seed growth back ", word_at(w, stage - 1)))
		return true;
	if (vie >= 0 && (vie == 0 || w->parted[vie]))
		return true;
	return has_pair(w, " industrial summer work year student ", " placement placements ") ||
		has_pair(w, " placement ", " student year ");
}

static bool is_intern(const struct words *w)
{
	int student = find(w, " student students studentische studentischer ");

	if (find(w, " intern interns internship internships praktikant praktikantin praktikum "
		 "pflichtpraktikum werkstudent werkstudentin werkstudenten stagiaire stagiaires "
		 "becario becaria becarios practicas practicante apprentice apprentices "
		 "apprenticeship alternant alternante alternance stagista apprenti apprentie "
		 "apprendista tirocinio tirocinante azubi azubis auszubildender auszubildende "
		 "auszubildenden ausbildung volontar volontariat estagio estagiario estagiaria "
		 "stagiair afstudeerstage meewerkstage aprendiz pasante extern externship stazysta "
		 "praktykant ") >= 0 || is_foreign_intern(w))
		return true;
	if (find(w, " trainee trainees ") >= 0 && !is_management_trainee(w))
		return true;
	if (has_pair(w, " co ", " op ops ") || has_pair(w, " v ", " i ") ||
	    has_pair(w, " summer ", " analyst associate ") || has_pair(w, " work ", " study ") ||
	    has_pair(w, " duales dualer dual ", " studium student study ") ||
	    has_pair(w, " graduate ", " assistant assistants assistantship ") ||
	    has_pair(w, " graduate ", " teaching research "))
		return true;
	/* "Student Assistant" and "Software Student" work beside their studies; student housing,
	 * services, success are what others work in. */
	return student >= 0 &&
		(is_in(" assistant worker workers aide ambassador nurse trainee employee "
		       "technician tutor teacher ",
		       word_at(w, student + 1)) ||
		 (student > 0 &&
		  is_in(" software research phd engineering graduate embedded master masters "
			"bachelor working work doctoral ",
			word_at(w, student - 1))));
}

static bool is_executive(const struct words *w)
{
	int president = find(w, " president ");

	if (find(w,
		 " ceo cto cfo coo cio ciso cmo cpo chro evp svp geschaftsfuhrer "
		 "geschaftsfuhrerin geschaftsfuhrung vorstand ") >= 0)
		return true;
	if (has_pair(w, " chief ", " executive technology financial operating information product "
		     "marketing people revenue data security medical officer legal digital "
		     "commercial risk compliance strategy human growth customer investment "
		     "administrative privacy nursing accounting "))
		return true;
	if (president >= 0)
		return !is_in(" assistant asst ", word_at(w, president - 2));
	return find(w, " vp ") >= 0 && !has_pair(w, " assistant asst ", " vp ");
}

static bool is_director(const struct words *w)
{
	int head = find(w, " head leitung leiter leiterin bereichsleiter bereichsleiterin ");

	if (find(w, " director directora directeur directrice direktor direktorin direttore "
		 "direttrice diretor diretora directors bereichsleitung dyrektor direktoer ") >= 0)
		return true;
	/* "Head of Design", "Head, Design", "Leiter Einkauf"; no head nurse */
	return has_pair(w, " head ", " of ") || has_pair(w, " chef cheffe ", " departement ") ||
		(head == 0 && (!is_in(" head ", w->at[0]) || (w->n > 1 && w->parted[1])));
}

/* Kinds of managers whose title says nothing of rank. */
static bool is_any_manager(const struct words *w, int manager)
{
	return !w->parted[manager] &&
		is_in(" case care relationship assistant asst wealth ", word_at(w, manager - 1));
}

/* Kinds of managers that manage things, not people. */
static bool is_contributor_manager(const struct words *w, int manager)
{
	static const char THINGS[] =
		" project projects product products program programs programme marketing "
		"communications "
		"content media portfolio campaign release change category success partnerships "
		"partner partners engagement account accounts community event events proposal "
		"brand projekt produkt proyecto projet lifecycle kundenprojekt projekte ";
	bool support = find(w, " support service ") >= 0 && find(w, " project program ") < 0;

	for (int i = manager - 1; i >= 0 && i >= manager - 2; i--)
		if (is_in(THINGS, word_at(w, i)))
			return !support && !is_in(" management ", word_at(w, i + 1));
	return false;
}

static bool is_jefe_of_things(const struct words *w)
{
	return find(w, " jefe jefa ") >= 0 &&
		has_pair(w, " de ", " proyecto proyectos producto productos ");
}

static int find_manager(const struct words *w)
{
	return find(w, " manager mgr manger managers gerente responsable managerin responsabile "
		    "kierownik gerenta ");
}

static bool is_manager(const struct words *w)
{
	int i = find_manager(w);

	if (i >= 0)
		return !is_contributor_manager(w, i) && !is_any_manager(w, i);
	if (is_jefe_of_things(w))
		return false;
	return find(w, " teamleiter teamleiterin abteilungsleiter abteilungsleiterin filialleiter "
		    "filialleiterin marktleiter marktleiterin standortleiter werkleiter werksleiter "
		    "betriebsleiter abteilungsleitung teamleitung filialleitung jefe jefa "
		    "vertriebsleiter verkaufsleiter kuchenchef ") >= 0;
}

static bool is_lead(const struct words *w)
{
	int i = find(w, " lead leads leader tl techlead teamlead lider schichtleiter "
			"schichtleiterin vorarbeiter vorarbeiterin teamleider teamcoach ");

	if (has_pair(w, " chef cheffe capo jefe ",
		     " d dequipe equipe squadra equipo reparto turno "))
		return true;
	return i >= 0 &&
		!is_in(" generation gen qualification project abatement time free ",
		       word_at(w, i + 1)) &&
		!is_in(" thought project sales ", word_at(w, i - 1));
}

static bool is_staff(const struct words *w)
{
	static const char CRAFTS[] =
		" engineer scientist developer architect designer analyst researcher programmer ";
	int i = find(w, " staff ");

	if (i < 0 || is_in(" of ", word_at(w, i - 1)))
		return false;
	if (i > 0 && is_in(" engineer scientist developer architect ", word_at(w, i - 1)))
		return true;
	if (is_in(" accountant assistant nurse attorney member members pharmacist writer physician "
		  "rn officer auditor support consultant therapist psychologist services trainer "
		  "development counsel technician associate chaplain photographer reporter "
		  "interpreter sergeant scheduler ",
		  word_at(w, i + 1)))
		return false;
	if (i > 0)
		return is_in(" senior sr ", word_at(w, i - 1)) && !w->parted[i];
	return w->n > 2 || is_in(CRAFTS, word_at(w, 1));
}

/* "Engineer/Sr Engineer", "Tax Clerk / Senior Tax Clerk": one posting for two levels names none. */
static bool is_alternative(const struct words *w, int senior)
{
	size_t at = (size_t)senior;

	if (senior <= 0 || !w->either[at])
		return false;
	for (size_t len = 1; len <= at && at + len < w->n; len++) {
		size_t same = 0;

		while (same < len && !strcmp(w->at[at - len + same], w->at[at + 1 + same]))
			same++;
		if (same == len)
			return true;
	}
	return false;
}

/* Of old people, or for those in the upper ranks: no rank. */
static bool is_of_others(const struct words *w, int senior)
{
	return !w->parted[senior + 1 < (int)w->n ? senior + 1 : senior] &&
		is_in(" living care support services housing center centre citizen citizens "
		      "community leadership executives home homes ",
		      word_at(w, senior + 1));
}

/* "Senior/Principal", "Senior – Principal": whoever is the one may apply, so the lower counts. */
static bool is_senior_or_more(const struct words *w)
{
	int senior = find(w, " senior sr snr "), i = find(w, " principal staff distinguished ");

	for (int k = senior + 1; senior >= 0 && i > senior && k <= i; k++)
		if (w->either[k] || is_in(" or to oder ", w->at[k]) ||
		    (k == i && w->parted[k] && i == senior + 1))
			return true;
	return false;
}

static bool is_senior(const struct words *w)
{
	int i = find(w, " senior sr snr ");

	if (i >= 0 && (is_alternative(w, i) || is_of_others(w, i)))
		return false;
	return find(w, " senior sr snr sse seniors confirme confirmee experimente experimentee "
		    "experienced erfahrener erfahrene starszy ") >= 0;
}

/* A graduate, not one who serves them ("Graduate Admissions Clerk", "Graduate Program Advisor"). */
static bool is_graduate(const struct words *w)
{
	int i = find(w, " graduate graduates ");

	return i >= 0 &&
		!is_in(" admissions admission school schools studies education medical student "
		       "students enrollment council college advising level degree ",
		       word_at(w, i + 1)) &&
		!is_in(" coordinator manager director assistant specialist administrator advisor "
		       "recruiter ",
		       word_at(w, i + 2));
}

/* Said outright, so it holds for managers of things too. */
static bool is_beginner(const struct words *w)
{
	return is_graduate(w) ||
		find(w, " junior jr jnr berufseinsteiger berufseinsteigerin "
		    "einsteiger debutant debutante absolvent absolventen absolventin fresher "
		    "freshers neolaureato neolaureata neolaureati młodszy młodsza ") >= 0 ||
		has_pair(w, " entry ", " level ") || has_pair(w, " einstiegs ", " position ") ||
		has_pair(w, " new early ", " grad grads graduates career careers ") ||
		is_management_trainee(w);
}

static bool is_entry(const struct words *w)
{
	int associate = find(w, " associate associates assoc associe ");

	return is_beginner(w) ||
		(associate >= 0 && find(w, " professor dean ") < 0 &&
		 find(w, " partner principal ") < 0 &&
		 !is_in(" care nursing ", word_at(w, associate - 1)));
}

/* "Clerk 2" and "Clerk 2 - Nights", not "Clerk 2 Days", "Level 2", "WCAG 2.1". */
static bool is_grade(const struct words *w, size_t i)
{
	const char *next = word_at(w, (int)i + 1);

	if (is_in(" level tier phase grade shift unit type class series building bldg site area "
		  "zone region district line plant store floor week weeks room group team q ",
		  w->at[i - 1]) ||
	    isdigit((unsigned char)w->at[i - 1][0]) || isdigit((unsigned char)next[0]))
		return false;
	return !isdigit((unsigned char)w->at[i][0]) ||
		(!w->parted[i] &&
		 (!*next || w->parted[i + 1] || w->either[i + 1] || strlen(next) == 2));
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
			if (is_in(GRADES[g].list, w->at[i]) && is_grade(w, i))
				return GRADES[g].level;
	/* trades count in letters, and B is the middle */
	for (size_t i = 1; i < w->n; i++)
		if (is_in(" b ", w->at[i]) && (i + 1 == w->n || w->parted[i + 1]) &&
		    is_in(" technician mechanic welder machinist operator electrician assembler ",
			  w->at[i - 1]))
			return LEVEL_MID;
	return LEVEL_UNKNOWN;
}

static bool is_mid(const struct words *w)
{
	int manager = find_manager(w);

	int intermediate = find(w, " intermediate ");

	return (manager >= 0 && is_contributor_manager(w, manager)) ||
		find(w,
		     " avp medior pleno ssr projektmanager projektmanagerin produktmanager "
		     "produktmanagerin projektleiter projektleiterin projektleitung "
		     "projectleider mellemniveau ") >= 0 ||
		(intermediate >= 0 && (size_t)intermediate + 1 < w->n) ||
		has_pair(w, " chef cheffe ", " de du produit projet ") ||
		has_pair(w, " mid ", " level senior weight ") ||
		has_pair(w, " semi ", " senior ") || is_jefe_of_things(w) ||
		has_pair(w, " assistant asst ", " vp vice ");
}

/* Folds the words of a part of the title and appends them. */
static void add_part(struct words *w, char *part, bool parted, bool either)
{
	char *folded = w->text + w->used;
	size_t first = w->n, left = sizeof w->text - w->used;

	if (left < 8)
		return;
	w->used += text_fold(part, folded, left) + 1;
	for (char *save = NULL, *p = strtok_r(folded, " ", &save); p && w->n < WORDS_MAX;
	     p = strtok_r(NULL, " ", &save)) {
		w->parted[w->n] = parted && w->n == first;
		w->either[w->n] = either && w->n == first;
		w->at[w->n++] = p;
	}
}

/* Length of what parts the words at p, 0: nothing does. "R&D" and "Co-op" are one part. */
static size_t mark_at(const char *line, const char *p)
{
	if (strchr(",|()[]:;/", *p))
		return 1;
	if (*p == '&' && p > line && p[-1] == ' ' && p[1] == ' ')
		return 1;
	if (*p == '-' && p > line && (p[-1] == ' ' || p[1] == ' '))
		return 1;
	return !strncmp(p, "–", 3) || !strncmp(p, "—", 3) ? 3 : 0;
}

/* "Assistant to the CEO": what stands behind "to" is another's rank. */
static void drop_superiors(struct words *w)
{
	int to = find_pair(w, " assistant asst secretary aide assistenz support ",
			   " to der des fur ");

	if (to > 0)
		w->n = (size_t)to;
}

static void split(struct words *w, const char *title)
{
	char line[LINE_MAX_BYTES], *start = line;
	bool parted = false, either = false;
	char mark;

	text_line(title, line, sizeof line);
	w->n = w->used = 0;
	for (char *p = line; *p; p++) {
		size_t n = mark_at(line, p);

		if (*p == '&' && !n)
			memmove(p, p + 1, strlen(p));
		if (!n)
			continue;
		mark = *p;
		*p = '\0';
		add_part(w, start, parted, either);
		parted = mark != '/' && mark != '&';
		either = !parted;
		p += n - 1;
		start = p + 1;
	}
	add_part(w, start, parted, either);
	drop_superiors(w);
}

enum level level_parse(const char *title)
{
	struct words w;
	enum level grade;

	split(&w, title);
	if (is_intern(&w))
		return LEVEL_INTERN;
	if (is_executive(&w) && !is_director(&w))
		return LEVEL_EXECUTIVE;
	if (is_director(&w))
		return LEVEL_DIRECTOR;
	if (is_senior_or_more(&w))
		return LEVEL_SENIOR;
	if (find(&w, " principal distinguished ") >= 0 &&
	    !has_pair(&w, " assistant vice ", " principal "))
		return LEVEL_PRINCIPAL;
	if (is_staff(&w))
		return LEVEL_STAFF;
	grade = graded(&w);
	if (is_manager(&w) && (grade == LEVEL_UNKNOWN || is_senior(&w)) && !is_beginner(&w))
		return LEVEL_MANAGER;
	if (is_mid(&w) && has_pair(&w, " semi mid ", " senior "))
		return LEVEL_MID;
	if (is_senior(&w))
		return LEVEL_SENIOR;
	if (is_lead(&w))
		return LEVEL_LEAD;
	if (is_beginner(&w))
		return LEVEL_ENTRY;
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
