/* SPDX-License-Identifier: MIT */
#include "workers/processing/education.h"

#include <ctype.h>
#include <string.h>

#include "common/base/mem.h"
#include "workers/processing/lexicon.h"
#include "workers/processing/lexicon_private.h"

enum { AROUND = 120 };			/* bytes on either side that speak of the degree */

static const char *const NAMES[EDUCATION_COUNT] = {
#define X(id, text) text,
	EDUCATION_LIST(X)
#undef X
};

static const struct {
	enum education_level level;
	const char *phrases;		/* separated by '|', marked as in skills.tsv */
} PHRASES[] = {
	{ EDUCATION_HIGH_SCHOOL,
	  "high school diploma|high school degree|high school graduate|high school education|"
	  "high school equivalent|high school or|high school/ged|"
	  "high school, ged|highschool diploma|"
	  "secondary education|!GED|hs diploma|h.s. diploma|high school equivalency|hs/ged|"
	  "leaving certificate|gcse|gcses|a-levels|vocational training certificate|"
	  "high school level|graduate of high school|"
	  "abitur|fachabitur|fachhochschulreife|hochschulreife|mittlere reife|realschulabschluss|"
	  "hauptschulabschluss|schulabschluss|berufsausbildung|abgeschlossene ausbildung|"
	  "mittlerer schulabschluss|abgeschlossene kaufmännische ausbildung|berufsabschluss|"
	  "kaufmännische ausbildung|technische ausbildung|handwerkliche ausbildung|gesellenbrief|"
	  "lehrabschluss|abgeschlossener ausbildung|abgeschlossene technische ausbildung|"
	  "abgeschlossene handwerkliche ausbildung|ausbildung abgeschlossen|"
	  "baccalauréat|bac pro|bac professionnel|niveau bac|titulaire du bac|!CAP|!BEP|cap/bep|"
	  "niveau cap|bac général|"
	  "bachillerato|educación secundaria|estudios secundarios|preparatoria terminada|!ESO|"
	  "graduado escolar|formación profesional|grado medio|ciclo formativo|"
	  "preparatoria concluida|"
	  "diploma di maturità|diploma di scuola|scuola superiore|licenza media|diploma tecnico|"
	  "diploma di istruzione|diploma superiore|diploma di perito|qualifica professionale" },
	{ EDUCATION_ASSOCIATES,
	  "associates degree|associate degree|associate of arts|associate of science|"
	  "associate of applied science|2-year degree|two-year degree|"
	  "two year degree|!AAS|!AA degree|"
	  "!AS degree|a.a|foundation degree|hnd|associates or|"
	  "associate or bachelors|associate's/bachelor's|"
	  "associates, or|"
	  "bac+2|bac +2|bac + 2|!BTS|!DUT|deug|bts/dut|"
	  "grado superior|técnico superior|fp superior|formación profesional superior|"
	  "ciclo formativo de grado superior" },
	{ EDUCATION_BACHELORS,
	  "bachelor|bachelors|bachelor degree|bachelors degree|baccalaureate|"
	  "undergraduate degree|university degree|college degree|"
	  "4-year degree|four-year degree|four year degree|4 year degree|b.s|"
	  "b.a|bsc|b.sc|ba/bs|bs/ba|"
	  "btech|b.tech|beng|b.eng|bba|llb|b.com|honours degree|honors degree|degree in|"
	  "degree or equivalent|degree qualified|educated to degree|"
	  "related degree|technical degree|"
	  "relevant degree|degree required|engineering degree|science degree|university education|"
	  "!BS degree|!BA degree|!BS in|!BA in|!BS or|!BA or|!BS/MS|!BS/BA|"
	  "!BA/BS|!BS, MS|!BSN|!BSEE|"
	  "university graduate|college graduate|degree-level|degree level|degree preferred|"
	  "undergraduate or|college or university degree|graduate in|"
	  "hochschulabschluss|hochschulstudium|universitätsstudium|fachhochschulstudium|"
	  "akademischer abschluss|studienabschluss|bachelorabschluss|universitätsabschluss|"
	  "abgeschlossenes studium|studium der|studium im|studium in|studium mit|bachelorstudium|"
	  "abgeschlossenem studium|fh-abschluss|studium abgeschlossen|studium oder|"
	  "ingenieurstudium|wirtschaftsstudium|informatikstudium|"
	  "bac+3|bac +3|bac + 3|bac+4|bac +4|bac + 4|licence pro|licence professionnelle|"
	  "diplôme universitaire|bac+3/5|formation supérieure|diplôme d'état d'infirmier|"
	  "grado en|grado universitario|licenciatura|licenciado|título universitario|"
	  "titulación universitaria|ingeniería técnica|carrera universitaria|"
	  "estudios universitarios|"
	  "formación universitaria|diplomatura|titulación en|titulado en|titulado universitario|"
	  "ingeniería en|egresado de|"
	  "laurea triennale|laurea|titolo di laurea|laureato|diploma di laurea" },
	{ EDUCATION_POSTGRADUATE,
	  "advanced degree|postgraduate degree|post-graduate degree|"
	  "postgraduate|graduate-level degree|"
	  "postgraduate qualification|posgrado|postgrado" },
	{ EDUCATION_MASTERS,
	  "master degree|masters degree|masters|master of science|"
	  "master of arts|master of business|master of|mba|m.s|m.sc|"
	  "msc|m.a|master in|graduate degree|meng|m.eng|mphil|!MS degree|!MS in|"
	  "!MA in|!MS or|!MS/PhD|"
	  "!MA degree|!MSN|m.b.a|m.ed|!MS, PhD|!MSW|"
	  "masterabschluss|master-abschluss|masterstudium|diplom-ingenieur|dipl.-ing|magister|"
	  "diplomstudium|universitätsdiplom|"
	  "bac+5|bac +5|bac + 5|école d'ingénieur|école d'ingénieurs|diplôme d'ingénieur|master 2|"
	  "école de commerce|formation ingénieur|formation d'ingénieur|master en|diplôme de master|"
	  "maestría|máster en|máster universitario|máster oficial|estudios de máster|"
	  "laurea magistrale|laurea specialistica|laurea quinquennale" },
	{ EDUCATION_DOCTORATE,
	  "phd|ph.d|phds|doctorate degree|doctorate|doctoral degree|doctor of|"
	  "juris doctor|j.d|!JD|pharmd|dds|dvm|m.d|"
	  "medical degree|doctoral|pharm.d|!EdD|"
	  "abgeschlossene promotion|promovierte|promovierter|doktortitel|doktorgrad|approbation|"
	  "doctorat|thèse de doctorat|bac+8|bac +8|"
	  "doctorado|dottorato|dottorato di ricerca" },
};

static const char *const PREFERRED[] = {
	"preferred", "a plus", "desired", "desirable", "ideally", "nice to have",
	"bonus point", "an advantage", "advantageous", "von vorteil", "wünschenswert",
	"idealerweise", "gerne", "un plus", "souhait", "idéalement", "apprécié", "deseable",
	"preferible", "se valorar", "valorable", "preferibil", "gradit", "un asset",
	"preference", "titolo preferenziale", "helpful", "would be",
};

static const char *const OR_EXPERIENCE[] = {
	"or equivalent", "or comparable", "or commensurate", "equivalent experience",
	"equivalent work experience", "equivalent combination", "or relevant experience",
	"or related experience", "or experience", "in lieu of", "or similar experience",
	"or work experience", "or relevant work", "equivalent practical", "or an equivalent",
	"oder vergleichbar", "oder gleichwertig", "oder eine vergleichbare", "oder entsprechende",
	"ou équivalent", "ou expérience", "ou une expérience", "o equivalente", "o experiencia",
	"o similar", "o esperienza", "o titolo equivalente", "vergleichbare qualifikation",
	"or the equivalent", "experience equivalent",
};

void education_prepare(void)
{
	for (size_t i = 0; i < COUNT(PHRASES); i++)
		for (const char *p = PHRASES[i].phrases; *p;) {
			size_t n = strcspn(p, "|");

			lexicon_add_alias(LEXICON_DEGREE, p, n, PHRASES[i].level);
			p += n + (p[n] == '|');
		}
}

/* A piece of text in lower case (ASCII only) that ends within its line or sentence. */
struct piece {
	char text[2 * AROUND + 1];
	size_t len;
};

static bool ends_sentence(const char *begin, const char *p, const char *end)
{
	return *p == '\n' || *p == ';' ||
		(*p == '.' && p > begin && end - p > 2 && p[1] == ' ' &&
		 isupper((unsigned char)p[2]) && islower((unsigned char)p[-1]));
}

static void take(const char *from, const char *to, struct piece *ret)
{
	ret->len = 0;
	for (; from < to && ret->len < sizeof ret->text - 1; from++)
		ret->text[ret->len++] = (char)tolower((unsigned char)*from);
	ret->text[ret->len] = '\0';
}

static bool says_one(const struct piece *piece, const char *const *phrases, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (memmem(piece->text, piece->len, phrases[i], strlen(phrases[i])))
			return true;
	return false;
}

/* The sentence around the degree, and what of it stands after. */
static void take_around(const struct spot *s, struct piece *sentence, struct piece *after)
{
	const char *start = s->words[s->at].at, *from = start, *to = start;

	while (from > s->begin && start - from < AROUND &&
	       !ends_sentence(s->begin, from - 1, s->end))
		from--;
	while (to < s->end && to - start < AROUND && !ends_sentence(s->begin, to, s->end))
		to++;
	take(from, to, sentence);
	take(start, to, after);
}

static bool has_capitals(const struct word *w, uint8_t want)
{
	for (unsigned i = 0; i < 8 && i < w->len; i++)
		if ((want & 1u << i) && !isupper((unsigned char)w->at[i]))
			return false;
	return true;
}

void education_meet(struct education *e, const struct spot *spot)
{
	struct piece sentence, after;
	const char *from = spot->words[spot->at].at;
	const struct word *last = &spot->words[spot->at + spot->taken - 1];
	bool preferred;

	/* "Master's degree in": the degree is the master's. */
	if (e->last && e->last > from && e->last <= spot->end && from >= spot->begin)
		return;
	if (spot->mark == MARK_EXACT && !has_capitals(&spot->words[spot->at], spot->capitals))
		return;
	e->last = last->at + last->len;
	take_around(spot, &sentence, &after);
	preferred = says_one(&sentence, PREFERRED, COUNT(PREFERRED));
	if (e->level == EDUCATION_UNKNOWN || (e->preferred && !preferred) ||
	    (e->preferred == preferred && spot->id < e->level)) {
		e->level = spot->id;
		e->preferred = preferred;
	}
	e->or_experience =
		e->or_experience || says_one(&after, OR_EXPERIENCE, COUNT(OR_EXPERIENCE));
}

void education_find(const char *text, size_t len, struct education *ret)
{
	*ret = (struct education){ .level = EDUCATION_UNKNOWN };
	lexicon_read(text, len, NULL, NULL, ret);
}

const char *education_name(enum education_level level)
{
	return level == EDUCATION_UNKNOWN ? NULL : NAMES[level];
}

enum education_level education_of(const char *name)
{
	for (unsigned i = 1; name && i < EDUCATION_COUNT; i++)
		if (!strcmp(name, NAMES[i]))
			return i;
	return EDUCATION_UNKNOWN;
}
