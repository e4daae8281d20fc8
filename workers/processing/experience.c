/* SPDX-License-Identifier: MIT */
#include "workers/processing/experience.h"

#include <ctype.h>
#include <stdint.h>
#include <string.h>

#include "common/base/mem.h"
#include "workers/processing/timespan.h"
#include "workers/processing/words.h"

enum {
	BEFORE = 140, AFTER = 140,	/* bytes of the sentence that are looked at */
	YEARS_MAX = 25, COMPANY_FROM = 10, SENTENCE_WORDS = 80, EDGE = 24,
};

/* What words of the sentence say. */
enum cue {
	SPEAKS = 1,			/* of experience */
	LEAST = 2,			/* of a minimum */
	GOES_ON = 4,			/* of what is done in that time */
	WELCOME = 8,			/* of what is not required */
	COMPANY = 16,			/* of the employer */
	WANTED = 32,			/* of who is looked for */
};

static const struct {
	enum cue cue;
	const char *words;
} CUES[] = {
	{ SPEAKS,
	  "experience experiences experienced expérience expériences experiencia esperienza esperienze "
	  "erfahrung erfahrungen berufserfahrung berufspraxis praxis praxiserfahrung track pqe pqr "
	  "post-qualification expérimenté experiencias background" },
	{ LEAST,
	  "minimum least mindestens min moins mínimo mínima minimo menos almeno required requires minimale "
	  "wenigstens more mehr plus más preferably ideally idealerweise idéalement with have bring "
	  "approximately around circa ca" },
	{ GOES_ON,
	  "in with as of work working worked building developing managing leading designing using "
	  "professional der im als mit dans en como con come nel nella hands-on relevant sur comme selling "
	  "teaching driving cooking industry on practical supervising programming operating clinical "
	  "commercial" },
	{ WELCOME,
	  "preferred preferable desirable desired advantage advantageous vorteil wünschenswert souhaité "
	  "souhaitée deseable valorará valorable preferibile gradita gradito asset appréciée valorara" },
	{ COMPANY,
	  "we our wir unser unsere unseren unserer nous notre nuestra nuestro company founded established "
	  "gegründet fondée fondé fundada fondata unternehmen empresa entreprise azienda family-owned "
	  "familienunternehmen somos siamo leader contamos llevamos been firm agency combined clients brand "
	  "operating we've" },
	{ WANTED,
	  "you your require requires must looking suchen recherche recherchons buscamos cerchiamo candidate "
	  "candidates kandidat candidat candidato minimum least mindestens moins mínimo minimo almeno menos "
	  "ideally qualification qualifications sie du vous prefer preferred need proven nachweisbare "
	  "justifiez aportar demostrable profil expect seek seeking applicant applicants requirements "
	  "required perfil requisitos anforderungen profilo tu" },
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

/* Which first three letters begin a mention, and what words of a sentence say: filled once. */
enum { STARTS_BITS = 8192, CUE_SLOTS = 1024 };
static uint64_t starts[STARTS_BITS / 64];
static struct {
	uint64_t hash;
	unsigned cues;
} cue_slots[CUE_SLOTS];
static bool prepared;

/* Digits as themselves, letters in lower case, anything above ASCII as it is; 0 for the rest. */
static unsigned char lower[256];

static void fill_lower(void)
{
	for (int c = 0; c < 256; c++)
		lower[c] = (unsigned char)(c >= 0x80 || isalnum(c) ? tolower(c) : 0);
}

static bool is_letter(unsigned char c)
{
	return lower[c] > '9';
}

static inline unsigned start_of(const char *p, const char *end)
{
	uint32_t three = 0;

	for (int i = 0; i < 3 && p < end && is_letter((unsigned char)*p); i++, p++)
		three = three << 8 | lower[(unsigned char)*p];
	return three * UINT32_C(2654435761) >> 19;
}

static void let_start(const char *word, size_t len)
{
	unsigned bit = start_of(word, word + len);

	starts[bit / 64] |= UINT64_C(1) << bit % 64;
}

static size_t cue_slot(uint64_t hash)
{
	size_t i = hash % CUE_SLOTS;

	while (cue_slots[i].hash && cue_slots[i].hash != hash)
		i = (i + 1) % CUE_SLOTS;
	return i;
}

static void prepare(void)
{
	fill_lower();
	timespan_each_word(let_start);
	let_start("fünf", strlen("fünf"));
	for (size_t i = 0; i < COUNT(NONE); i++)
		let_start(NONE[i], strlen(NONE[i]));
	for (size_t i = 0; i < COUNT(CUES); i++) {
		const char *p = CUES[i].words, *end = p + strlen(p);
		struct word w;

		while (words_read(&p, end, &w, 1)) {
			size_t slot = cue_slot(w.hash);

			cue_slots[slot].hash = w.hash;
			cue_slots[slot].cues |= CUES[i].cue;
		}
	}
	prepared = true;
}

static bool may_start(const char *p, const char *end)
{
	unsigned bit = start_of(p, end);

	return starts[bit / 64] >> bit % 64 & 1;
}

/* "Führungserfahrung" */
static bool is_compound(const struct word *w)
{
	return (w->len > 9 && !strncasecmp(w->at + w->len - 9, "erfahrung", 9)) ||
		(w->len > 11 && !strncasecmp(w->at + w->len - 11, "erfahrungen", 11));
}

static unsigned cues_in(const char *from, const char *to)
{
	struct word words[SENTENCE_WORDS];
	size_t n = words_read(&from, to, words, SENTENCE_WORDS);
	unsigned cues = 0;

	for (size_t i = 0; i < n; i++)
		cues |= cue_slots[cue_slot(words[i].hash)].cues |
			(is_compound(&words[i]) ? SPEAKS : 0u);
	return cues;
}

/* A piece of the text in lower case (ASCII only). */
struct piece {
	char text[2 * EDGE];
	size_t len;
};

static void take(const char *from, const char *to, struct piece *ret)
{
	ret->len = 0;
	for (; from < to && ret->len < sizeof ret->text - 1; from++)
		ret->text[ret->len++] = (char)tolower((unsigned char)*from);
	ret->text[ret->len] = '\0';
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
	struct piece before, after;
	unsigned left, right, all;

	while (from > begin && span->from - from < BEFORE && !ends_sentence(from - 1, begin, end))
		from--;
	while (to < end && to - span->to < AFTER && !ends_sentence(to, begin, end))
		to++;
	take(span->from - from > EDGE ? span->from - EDGE : from, span->from, &before);
	take(span->to, to - span->to > EDGE ? span->to + EDGE : to, &after);
	if (ends_with(&before, NOT_AFTER, COUNT(NOT_AFTER)) ||
	    begins_with(&after, NOT_BEFORE, COUNT(NOT_BEFORE)))
		return false;
	left = cues_in(from, span->from);
	right = cues_in(span->to, to);
	all = left | right;
	if ((span->min >= 12 * COMPANY_FROM ? all : left) & COMPANY && !(all & WANTED))
		return false;
	*ret_welcome = all & WELCOME;
	if (all & SPEAKS)
		return true;
	return span->min < 12 * COMPANY_FROM && right & GOES_ON &&
		(span->from - from < EDGE || left & LEAST);
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
		const char *none = NONE[i];

		if (lower[(unsigned char)*p] == (unsigned char)none[0] && end - p > 1 &&
		    lower[(unsigned char)p[1]] == (unsigned char)none[1] &&
		    (size_t)(end - p) >= strlen(none) && !strncasecmp(p, none, strlen(none)))
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

/* "a", "un" and "ein" are everywhere: only before a word that may be a unit do they count. */
static bool is_idle(const char *p, const char *end)
{
	const char *q = p;

	while (q < end && is_letter((unsigned char)*q))
		q++;
	return (q - p == 1 || !strncasecmp(p, "un", 2) || !strncasecmp(p, "ein", 3)) &&
		(end - q < 2 || !strchr("yjamb\xC3(/", tolower((unsigned char)q[1])));
}

static bool is_inside(const char *begin, const char *p)
{
	unsigned char c = p > begin ? (unsigned char)p[-1] : ' ';

	return c == '$' || c == '.' || c == ',' || c == '\'' || c == '-' || c == '/';
}

bool experience_find(const char *text, size_t len, struct experience *ret)
{
	struct finding f = { 0 };
	const char *p = text, *end = text + len;

	if (!prepared)
		prepare();
	while (p < end) {
		const char *start = p;

		if (isdigit((unsigned char)*p)) {
			if (!is_inside(text, p))
				p = look_at(text, p, end, &f);
		} else if (!is_letter((unsigned char)*p)) {
			p++;
			continue;
		} else if (may_start(p, end) && !is_idle(p, end)) {
			p = look_at(text, p, end, &f);
		}
		if (p > start + 1)
			continue;
		while (p < end && lower[(unsigned char)*p])
			p++;
	}
	if (f.has_asked)
		*ret = f.asked;
	else if (f.has_welcome)
		*ret = f.welcome;
	else if (f.none)
		*ret = (struct experience){ .min_months = 0, .max_months = -1 };
	return f.has_asked || f.has_welcome || f.none;
}
