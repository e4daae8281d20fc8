/* SPDX-License-Identifier: MIT */
#include "workers/processing/experience.h"

#include <ctype.h>
#include <stdint.h>
#include <string.h>

#include "common/base/mem.h"
#include "workers/processing/timespan.h"

enum {
	BEFORE = 140, AFTER = 140,	/* bytes of the sentence that are looked at */
	YEARS_MAX = 25, COMPANY_FROM = 10,
};

static const char *const SPEAKS[] = {
	"experien", "erfahrung", "expérience", "esperienza", "track record", "background in",
	"berufspraxis", "praxis im", "praxis in", "pqe", "post-qualif", "tenure",
};
static const char *const LEAST[] = {
	"minimum", "at least", "mindestens", "min.", "au moins", "mínimo", "minimo", "al menos", "almeno",
	"required", "requires", "minimale", "wenigstens", "no less than", "more than", "over", "mehr als",
	"plus de", "más de", "più di", "preferably", "ideally", "idealerweise", "idéalement",
	"you have", "you've", "you bring", "must have", "with", "approximately", "around", "circa", "ca.",
};
static const char *const GOES_ON[] = {
	" in ", " with ", " as ", " of ", " work", " build", " develop", " manag", " lead", " design", " using ",
	" prof", " in der", " im ", " als ", " mit ", " dans ", " en ", " como ", " con ", " come ", " nel",
	" hands-on", " relevant", " sur un", " comme", " sell", " teach", " driv", " cook", " industry",
	" on ", " at a", " practic", " supervis", " programm", " operat", " clinical", " commercial",
};
static const char *const WELCOME[] = {
	"preferred", "a plus", "nice to have", "desirable", "desired", "an advantage", "bonus points",
	"von vorteil", "wünschenswert", "un plus", "serait un", "souhaité", "deseable", "se valorar",
	"valorable", "preferibil", "gradit",
};
/* Right before the number, right after the unit: it is no experience that is counted. */
static const char *const NOT_AFTER[] = {
	"last", "past", "every", "next", "within", "since", "seit", "depuis", "letzten", "nächsten", "alle",
	"derniers", "últimos", "ultimi", "prossimi", "próximos", "aged", "age of", "age", "alter", "for the",
	"tous les", "cada", "ogni", "first", "ersten", "premiers", "after", "nach", "il y a", "hace",
	"the first", "über einen zeitraum von", "up to the", "founded", "edad", "laufzeit von", "dauer von",
	"durée de", "durée", "duración de", "contrato de", "contrat de", "für", "auf", "term of", "cdd de",
	"duration of", "befristet auf", "validity of", "period of", "contratto di", "over the",
};
static const char *const NOT_BEFORE[] = {
	"old", "of age", "ago", "alt", "in business", "of history", "anniversary", "degree", "program",
	"contract", "warranty", "vest", "tradition", "d'existence", "d’existence", "garant", "in a row",
	"later", "am markt", "lang", "of service", "de edad", "college", "university", "of college",
	"di età", "d'âge", "of growth", "course", "residency", "fixed", "befrist", "term", "of education",
	"of schooling", "clause", "successive", "of tradition", "firmengeschichte", "erfolgreich", "of tenure",
	"unternehmensgeschichte", "de antigüedad en el mercado", "di storia", "d'histoire", "de historia",
	"probation", "of university", "pto", "from date", "after", "employment contract", "vertrag",
	"of continuous service", "of federal", "of employment", "probezeit", "period", "lease", "year plan",
};
static const char *const COMPANY[] = {
	"we have", "we've", "we are", "our ", "wir ", "unser", "nous ", "notre", "nuestr", "company", "founded",
	"established", "gegründet", "fondé", "fundad", "fondat", "unternehmen", "empresa", "entreprise",
	"azienda", "family-owned", "familienunternehmen", "somos", "siamo", "for over", "depuis", "seit",
	"with over", "leader", "contamos", "llevamos", "has been", "have been", "firm ", "agency",
	"combined", "clients", "business with", "brand", "the team has", "operating",
};
static const char *const WANTED[] = {
	"you ", "your", "require", "must", "looking for", "suchen", "recherch", "buscamos", "cerchiamo",
	"candidate", "kandidat", "candidat", "minimum", "at least", "mindestens", "au moins", "mínimo",
	"minimo", "almeno", "al menos", "ideally", "qualification", "sie ", "du ", "vous", "prefer", "need",
	"proven", "nachweis", "justifi", "aport", "demostrable", "profil", "expect", "seek", "applicant",
};
static const char *const UP_TO[] = { "up to",	     "less than", "maximum",  "bis zu", "maximal",
				     "jusqu'à",	     "moins de",  "menos de", "hasta",	"meno di",
				     "no more than", "under",	  "fino a",   "max." };

/* Ways to say that none is needed; each begins with one of the words. */
static const char *const NONE[] = {
	"no experience", "no prior experience", "no previous experience", "no work experience",
	"no relevant experience", "no prior work experience", "without experience",
	"without prior experience", "experience not required", "experience not necessary",
	"experience is not required", "experience is not necessary", "keine erfahrung",
	"keine berufserfahrung", "keine vorkenntnisse", "ohne berufserfahrung", "ohne erfahrung",
	"ohne vorkenntnisse", "sans expérience", "débutant accepté", "débutants acceptés",
	"débutant(e) accepté", "débutants bienvenus", "aucune expérience", "sin experiencia",
	"no se requiere experiencia", "no es necesaria experiencia", "no es necesario experiencia",
	"no necesaria experiencia", "experiencia no necesaria", "senza esperienza", "nessuna esperienza",
	"anche senza esperienza", "anche prima esperienza", "anche alla prima esperienza",
	"no se necesita experiencia", "expérience non exigée", "expérience non requise",
	"quereinsteiger willkommen", "quereinsteiger sind willkommen", "no necessary experience",
};

/* The first two letters of the words that begin a mention. */
static uint64_t starts[65536 / 64];
static bool prepared;

static unsigned pair_of(const char *p, const char *end)
{
	unsigned char a = (unsigned char)p[0], b = p + 1 < end ? (unsigned char)p[1] : ' ';

	a = (unsigned char)(a >= 'A' && a <= 'Z' ? a + 32 : a);
	b = (unsigned char)(b >= 'A' && b <= 'Z' ? b + 32 : b);
	return (unsigned)a << 8 | b;
}

static void let_start(const char *word, size_t len)
{
	unsigned pair = pair_of(word, word + len);

	starts[pair / 64] |= UINT64_C(1) << pair % 64;
	/* "fünf" is folded in the list, not in the text */
	if (!strncmp(word, "fu", 2)) {
		pair = 'f' << 8 | 0xC3;
		starts[pair / 64] |= UINT64_C(1) << pair % 64;
	}
}

static void prepare(void)
{
	timespan_each_word(let_start);
	for (size_t i = 0; i < COUNT(NONE); i++)
		let_start(NONE[i], strlen(NONE[i]));
	prepared = true;
}

static bool may_start(const char *p, const char *end)
{
	unsigned pair = pair_of(p, end);

	return starts[pair / 64] >> pair % 64 & 1;
}

/* A piece of the text in lower case (ASCII only). */
struct piece {
	char text[BEFORE + AFTER + 64];
	size_t len;
};

static void take(const char *from, const char *to, struct piece *ret)
{
	ret->len = 0;
	for (; from < to && ret->len < sizeof ret->text - 1; from++)
		ret->text[ret->len++] = (char)tolower((unsigned char)*from);
	ret->text[ret->len] = '\0';
}

static bool says(const struct piece *piece, const char *const *phrases, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (memmem(piece->text, piece->len, phrases[i], strlen(phrases[i])))
			return true;
	return false;
}

static bool ends_with(const struct piece *piece, const char *const *phrases, size_t n)
{
	size_t len = piece->len;

	while (len > 0 && strchr(" (-", piece->text[len - 1]))
		len--;
	for (size_t i = 0; i < n; i++) {
		size_t k = strlen(phrases[i]);

		if (len >= k && !memcmp(piece->text + len - k, phrases[i], k) &&
		    (len == k || !isalpha((unsigned char)piece->text[len - k - 1])))
			return true;
	}
	return false;
}

static bool begins_with(const struct piece *piece, const char *const *phrases, size_t n)
{
	size_t at = 0;

	while (at < piece->len && strchr(" -(", piece->text[at]))
		at++;
	for (size_t i = 0; i < n; i++)
		if (!strncmp(piece->text + at, phrases[i], strlen(phrases[i])))
			return true;
	return false;
}

static bool ends_sentence(const char *p, const char *begin, const char *end)
{
	if (*p == '\n' || *p == '!' || *p == '?' || *p == ';')
		return true;
	return *p == '.' && p > begin && isalpha((unsigned char)p[-1]) &&
		(p + 1 >= end || (p[1] == ' ' && p + 2 < end && !islower((unsigned char)p[2]) &&
				  p - begin > 3 && islower((unsigned char)p[-2])));
}

/* Does the sentence ask for the span as experience? */
static bool is_asked(const char *begin, const char *end, const struct timespan *span,
		     bool *ret_welcome)
{
	const char *from = span->from, *to = span->to;
	struct piece before, after, all;
	bool speaks;

	while (from > begin && span->from - from < BEFORE && !ends_sentence(from - 1, begin, end))
		from--;
	while (to < end && to - span->to < AFTER && !ends_sentence(to, begin, end))
		to++;
	take(from, span->from, &before);
	take(span->to, to, &after);
	take(from, to, &all);
	if (ends_with(&before, NOT_AFTER, COUNT(NOT_AFTER)) ||
	    begins_with(&after, NOT_BEFORE, COUNT(NOT_BEFORE)))
		return false;
	speaks = says(&all, SPEAKS, COUNT(SPEAKS));
	if (says(&before, COMPANY, COUNT(COMPANY)) && !says(&all, WANTED, COUNT(WANTED)))
		return false;
	if (span->min >= 12 * COMPANY_FROM && !speaks)
		return false;
	*ret_welcome = says(&all, WELCOME, COUNT(WELCOME));
	return speaks || ((before.len < 24 || says(&before, LEAST, COUNT(LEAST))) &&
			  says(&after, GOES_ON, COUNT(GOES_ON)));
}

static bool is_up_to(const char *begin, const char *p)
{
	struct piece before;

	take(p - begin > 20 ? p - 20 : begin, p, &before);
	return ends_with(&before, UP_TO, COUNT(UP_TO));
}

static bool says_none(const char *p, const char *end)
{
	for (size_t i = 0; i < COUNT(NONE); i++) {
		size_t n = strlen(NONE[i]);

		if ((size_t)(end - p) >= n && !strncasecmp(p, NONE[i], n))
			return true;
	}
	return false;
}

struct finding {
	struct experience asked, welcome;
	bool has_asked, has_welcome, none;
};

static void keep(struct experience *kept, bool *has, const struct timespan *span, bool up_to)
{
	struct experience one = { .min_months = up_to ? -1 : span->min,
				  .max_months = up_to ? span->min : span->max };

	if (!*has || one.min_months > kept->min_months)
		*kept = one;
	*has = true;
}

/* Returns where to go on. */
static const char *look_at(const char *begin, const char *p, const char *end, struct finding *f)
{
	struct timespan span;
	bool welcome;

	if (!isdigit((unsigned char)*p) && says_none(p, end)) {
		f->none = true;
		return p + 1;
	}
	if (!timespan_read(p, end, &span))
		return p + 1;
	if (span.min <= 12 * YEARS_MAX && is_asked(begin, end, &span, &welcome)) {
		if (welcome)
			keep(&f->welcome, &f->has_welcome, &span, is_up_to(begin, p));
		else
			keep(&f->asked, &f->has_asked, &span, is_up_to(begin, p));
	}
	return span.to;
}

static bool is_inside(const char *begin, const char *p)
{
	unsigned char c = p > begin ? (unsigned char)p[-1] : ' ';

	return isalnum(c) || c >= 0x80 || c == '$' || c == '.' || c == ',' || c == '\'';
}

bool experience_find(const char *text, size_t len, struct experience *ret)
{
	struct finding f = { 0 };
	const char *p = text, *end = text + len;

	if (!prepared)
		prepare();
	while (p < end) {
		bool starting = isdigit((unsigned char)*p) || may_start(p, end);

		if (starting && !is_inside(text, p)) {
			p = look_at(text, p, end, &f);
		} else {
			p++;
		}
	}
	if (f.has_asked)
		*ret = f.asked;
	else if (f.has_welcome)
		*ret = f.welcome;
	else if (f.none)
		*ret = (struct experience){ .min_months = 0, .max_months = -1 };
	return f.has_asked || f.has_welcome || f.none;
}
