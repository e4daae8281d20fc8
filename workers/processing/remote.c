/* SPDX-License-Identifier: MIT */
#include "workers/processing/remote.h"

#include <stdint.h>
#include <string.h>

#include "common/base/mem.h"
#include "workers/processing/pattern.h"

/* In a title or a place the bare word is enough. */
static struct pattern short_hybrid = { .expression = "\\b(?:h(?:y|í|i)|i)brid[aeo]?s?\\b" };
static struct pattern short_remote = { .expression =
	"\\bremot(?:e|o|a)\\b(?!\\s+(?:sensing|support|control|monitoring))|t[ée]l[ée]travail|"
	"teletrabajo|"
	"\\bhome[ -]?office\\b|\\bwfh\\b|work from (?:home|anywhere)|smart working" };
static struct pattern short_onsite = { .expression =
	"\\bon-?site\\b|\\bin[ -]office\\b|\\bvor ort\\b|\\bpr[ée]sentiel\\b|\\bpresencial\\b|"
	"\\bin presenza\\b" };

/* Said outright: whatever else speaks of remote in the text does not count. */
static struct pattern text_no_remote = { .expression =
	"\\b(?:not|no|without) (?:a |be )?remote|remote(?: work(?:ing)?)? is (?:not|"
	"unfortunately not)|"
	"\\b(?:kein|keine|ohne) (?:remote|home[ -]?office)|home[ -]?office (?:ist )?nicht|"
	"\\b(?:pas de|sans|aucun) t[ée]l[ée]travail|\\b(?:sin|no hay) (?:teletrabajo|trabajo "
	"remoto)|"
	"\\b(?:nessuno|no|niente|senza) (?:smart working|lavoro da remoto)" };

/* In running text the word must be about the job, not about clouds, cars or sensors. */
static struct pattern text_hybrid = { .expression =
	"\\bhybrid(?=[ -](?:role|position|work|working|schedule|model|remote|job|environment|"
	"setting|"
	"arrangement|basis|policy|office|opportunity|set-?up|team|\\(|from|in\\b|at\\b|out of))|"
	"\\bhybrid\\b(?=\\s*[(:,.;|)]|\\s*$|\\s+[-–]|\\s*\\n)|"
	"(?:location|work ?place|arrangement|type|mode|model)[^\\n.]{0,20}\\bhybrid\\b|"
	"\\bhybrides? (?:arbeit|arbeiten|arbeitsmodell|modell|arbeitsplatz)|\\bhybrider "
	"arbeitsplatz|hybrides arbeiten|"
	"\\b(?:mode|rythme|travail|poste|modèle|organisation) hybride|"
	"\\b(?:modalidad|modelo|trabajo|formato|esquema|puesto|contrato) h[íi]brid[ao]|"
	"\\b(?:modalità|lavoro|modello) ibrid[ao]" };
static struct pattern text_days = { .expression =
	"\\b[1-4](?:\\s*(?:-|–|to)\\s*[1-4])? days?(?: (?:a|per|each|/) ?week)?,? (?:on-?site|"
	"in[ -](?:the |our )?office|"
	"(?:working )?from home|remote|in person)|"
	"(?:on-?site|in[ -](?:the |our )?office|from home|remote(?:ly)?) (?:for )?(?:up to "
	")?[1-4](?:\\s*(?:-|–|to)\\s*[1-4])? days?|"
	"\\b[1-4](?:-[1-4])? tage?n?(?: (?:pro|die|in der) woche)? (?:im )?(?:home[ -]?office|"
	"büro|remote|mobil)|"
	"(?:home[ -]?office|remote) (?:an )?(?:bis zu )?[1-4] tage|"
	"\\b[1-4] jours?(?: (?:par semaine|/ ?semaine))? (?:de |en )?t[ée]l[ée]travail|"
	"t[ée]l[ée]travail [1-4] jours?|"
	"\\b[1-4] d[íi]as?(?: (?:a la|por) semana)? (?:de )?(?:teletrabajo|remoto|en (?:la "
	")?oficina|desde casa)|"
	"\\b[1-4] giorni(?: (?:a|alla) settimana)? (?:di |in )?(?:smart working|remoto|ufficio|"
	"da remoto)" };
static struct pattern text_remote = { .expression =
	"\\b(?:fully|100 ?%|completely|entirely|permanently) remote|\\bremote[ -](?:position|"
	"role|job|opportunity|"
	"first|only|friendly|full[ -]?time|contract|based|work(?:ing)? (?:from|opportunity|"
	"environment)|"
	"within|anywhere|\\((?:us|usa|uk|eu)|in the|from anywhere|across)|"
	"\\b(?:is|are|position|role|job|work|location|workplace)[ :]{1,2}(?:a |an )?(?:fully "
	")?remote\\b(?! (?:sensing|support|"
	"control|team|monitor|desktop|server|access|site|employee|location))|"
	"(?:^|\\n)\\W{0,3}(?:remote|remoto|homeoffice|home office)\\b\\W{0,4}(?:\\n|$|us\\b|"
	"usa\\b|-)|"
	"work(?:ing)? (?:fully |100% )?(?:remotely|from (?:home|anywhere))|"
	"\\b(?:100 ?%|vollständig|komplett|rein) (?:remote|home[ -]?office|mobil)|ortsunabhängig|"
	"(?:100 ?%|full|total(?:e|ement)?) (?:en )?t[ée]l[ée]travail|t[ée]l[ée]travail "
	"(?:complet|total|100 ?%)|full remote|"
	"(?:100 ?%|totalmente|completamente|trabajo) (?:en )?remoto|teletrabajo (?:100 ?%|total|"
	"completo)|"
	"(?:100 ?%|completamente|totalmente|full) (?:da |in )?remoto|lavoro da remoto|full "
	"smart working" };
static struct pattern text_onsite = { .expression =
	"\\b(?:fully|100 ?%|strictly) (?:on-?site|in[ -]office|in[ -]person)|\\bon-?site "
	"(?:position|role|job|only|work\\b|"
	"five|5)|\\bin[ -]office (?:position|role|job|only)|\\b(?:not|no|without) (?:a |be "
	")?remote|"
	"\\b(?:is|are|role|position|job|work|location|workplace)[ :]{1,2}(?:an )?(?:on-?site|"
	"in[ -]office|in[ -]person)\\b|"
	"(?:five|5) days (?:a|per) week (?:on-?site|in (?:the|our) office)|kein(?:e)? (?:remote|"
	"home[ -]?office)|"
	"\\b(?:arbeit|tätigkeit) vor ort|100 ?% (?:vor ort|en présentiel|presencial|in presenza)|"
	"\\b(?:trabajo|modalidad|puesto) presencial|\\b(?:poste|travail) (?:en )?présentiel|"
	"\\b(?:lavoro|modalità) in presenza" };

static bool says(struct pattern *p, const char *text)
{
	return text && *text && pattern_matches(p, text, strlen(text));
}

enum { AROUND_BYTES = 100, FOCUS_MAX = 8192 };

/* What the words around a hint may be about. */
enum { SAYS_HYBRID = 1, SAYS_REMOTE = 2, SAYS_PRESENCE = 4 };

/* The surroundings of all hints, line ends between. */
struct focus {
	char text[FOCUS_MAX];
	size_t n;
	unsigned says;
};

static uint32_t key_of(const char *p)
{
	uint32_t key;

	memcpy(&key, p, sizeof key);
	return key | 0x20202020u;	/* lower case; other bytes are compared in the same form */
}

/* One of these stands in whatever the patterns for running text could match. */
static const struct {
	char word[5];
	unsigned says;
} HINTS[] = {
	{ "emot", SAYS_REMOTE }, { "home", SAYS_REMOTE }, { "tele", SAYS_REMOTE },
	{ "t\xC3\xA9l", SAYS_REMOTE }, { "smar", SAYS_REMOTE }, { "mobi", SAYS_REMOTE },
	{ "orts", SAYS_REMOTE }, { "ywhe", SAYS_REMOTE }, { "casa", SAYS_REMOTE },
	{ "brid", SAYS_HYBRID }, { "ffic", SAYS_PRESENCE }, { "fici", SAYS_PRESENCE },
	{ "site", SAYS_PRESENCE }, { "pers", SAYS_PRESENCE }, { "pres", SAYS_PRESENCE },
	{ "pr\xC3\xA9", SAYS_PRESENCE }, { "b\xC3\xBCr", SAYS_PRESENCE },
	{ "uffi", SAYS_PRESENCE }, { "vor ", SAYS_PRESENCE },
};

/* Which first two bytes a hint can have: nearly every place of a text is passed by this alone. */
struct pairs {
	uint8_t bits[UINT16_MAX / 8 + 1];
};

static const struct pairs *pairs(void)
{
	static struct pairs known;
	static bool filled;

	for (size_t i = 0; !filled && i < COUNT(HINTS); i++) {
		uint32_t pair = key_of(HINTS[i].word) & UINT16_MAX;

		known.bits[pair >> 3] |= (uint8_t)(1u << (pair & 7));
	}
	filled = true;
	return &known;
}

static unsigned hint_at(const struct pairs *pairs, const char *p)
{
	uint32_t key = key_of(p), pair = key & UINT16_MAX;

	if (!(pairs->bits[pair >> 3] >> (pair & 7) & 1))
		return 0;
	for (size_t i = 0; i < COUNT(HINTS); i++)
		if (key_of(HINTS[i].word) == key)
			return HINTS[i].says;
	return 0;
}

static void add_window(struct focus *f, const char *text, size_t from, size_t to, bool apart)
{
	if (f->n + to - from + 1 >= FOCUS_MAX)
		return;
	if (f->n > 0 && apart)
		f->text[f->n++] = '\n';
	memcpy(f->text + f->n, text + from, to - from);
	f->n += to - from;
}

/* The patterns are dear and a description is long: they see only what stands around hints, from
 * word to word. */
static void focus(const char *text, size_t len, struct focus *f)
{
	const struct pairs *known = pairs();
	size_t done = 0;

	f->n = 0;
	f->says = 0;
	for (size_t i = 0; i + 4 <= len; i++) {
		unsigned says = hint_at(known, text + i);
		size_t from, to;

		f->says |= says;
		if (!says || i < done)
			continue;
		from = i > done + AROUND_BYTES ? i - AROUND_BYTES : done;
		to = i + AROUND_BYTES < len ? i + AROUND_BYTES : len;
		while (from > done && from < i && text[from] != ' ' && text[from] != '\n')
			from++;
		while (to < len && text[to] != ' ' && text[to] != '\n' && to - i < 2 * AROUND_BYTES)
			to++;
		while (to < len && ((unsigned char)text[to] & 0xC0) == 0x80)
			to++;
		add_window(f, text, from, to, from > done);
		done = to;
	}
}

static bool matches(const struct focus *f, unsigned says, struct pattern *p)
{
	return f->says & says && pattern_matches(p, f->text, f->n);
}

static bool has_days(const struct focus *f)
{
	for (char digit = '1'; digit <= '4'; digit++)
		if (memchr(f->text, digit, f->n))
			return matches(f, SAYS_REMOTE | SAYS_PRESENCE, &text_days);
	return false;
}

enum remote remote_combine(bool flag, const char *title, const char *location, const char *text,
			   size_t len)
{
	struct focus f;
	bool denied;

	focus(text ? text : "", text ? len : 0, &f);
	denied = matches(&f, SAYS_REMOTE, &text_no_remote);
	if (says(&short_hybrid, title) || says(&short_hybrid, location) ||
	    matches(&f, SAYS_HYBRID, &text_hybrid) || has_days(&f))
		return REMOTE_HYBRID;
	if (says(&short_remote, title) || says(&short_remote, location) || flag ||
	    (!denied && matches(&f, SAYS_REMOTE, &text_remote)))
		return REMOTE_REMOTE;
	if (denied || says(&short_onsite, title) || says(&short_onsite, location) ||
	    matches(&f, SAYS_PRESENCE | SAYS_REMOTE, &text_onsite))
		return REMOTE_ONSITE;
	return REMOTE_UNKNOWN;
}

const char *remote_name(enum remote remote)
{
	static const char *const NAMES[REMOTE_COUNT] = {
#define X(id, text) text,
		REMOTE_LIST(X)
#undef X
	};

	return NAMES[remote];
}
