/* SPDX-License-Identifier: MIT */
#include "workers/processing/remote.h"

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
	"\\b(?:modalità|lavoro|modello) ibrid[ao]|"
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

/* One of these stands in whatever the patterns for running text could match. */
static bool is_hint(const char *p, size_t left)
{
	static const char *const HINTS[] = {
		"emot", "brid", "ffic", "fici", "home", "site", "pers", "pres", "pr\xC3\xA9", "t\xC3\xA9l",
		"tele", "b\xC3\xBC", "casa", "smar", "ortu", "orts", "vor ", "mobi", "sede", "ywhe",
	};
	char first = (char)(*p | 0x20);

	for (size_t i = 0; i < COUNT(HINTS); i++)
		if (HINTS[i][0] == first && left >= strlen(HINTS[i]) &&
		    !strncasecmp(p, HINTS[i], strlen(HINTS[i])))
			return true;
	return false;
}

/* Copies the surroundings of all hints, line ends between: the patterns are dear and a description
 * is long. Windows begin and end between words. */
static size_t focus(const char *text, size_t len, char out[FOCUS_MAX])
{
	static const char STARTS[] = "efhbpctsmyovEFHBPCTSMYOV";
	bool starts[256] = { false };
	size_t n = 0, done = 0;

	for (const char *s = STARTS; *s; s++)
		starts[(unsigned char)*s] = true;
	for (size_t i = 0; i + 4 <= len; i++) {
		size_t from, to;

		if (!starts[(unsigned char)text[i]] || !is_hint(text + i, len - i))
			continue;
		from = i > done + AROUND_BYTES ? i - AROUND_BYTES : done;
		to = i + AROUND_BYTES < len ? i + AROUND_BYTES : len;
		while (from > done && from < i && text[from] != ' ' && text[from] != '\n')
			from++;
		while (to < len && text[to] != ' ' && text[to] != '\n' && to - i < 2 * AROUND_BYTES)
			to++;
		while (to < len && ((unsigned char)text[to] & 0xC0) == 0x80)
			to++;
		if (n + to - from + 1 >= FOCUS_MAX)
			break;
		if (n > 0 && from > done)
			out[n++] = '\n';
		memcpy(out + n, text + from, to - from);
		n += to - from;
		done = to;
		i = to - 1;
	}
	return n;
}

enum remote remote_combine(bool flag, const char *title, const char *location, const char *text,
			   size_t len)
{
	char around[FOCUS_MAX];
	size_t n = text ? focus(text, len, around) : 0;
	bool denied = n > 0 && pattern_matches(&text_no_remote, around, n);

	if (says(&short_hybrid, title) || says(&short_hybrid, location) ||
	    (n > 0 && pattern_matches(&text_hybrid, around, n)))
		return REMOTE_HYBRID;
	if (says(&short_remote, title) || says(&short_remote, location) || flag ||
	    (n > 0 && !denied && pattern_matches(&text_remote, around, n)))
		return REMOTE_REMOTE;
	if (denied || says(&short_onsite, title) || says(&short_onsite, location) ||
	    (n > 0 && pattern_matches(&text_onsite, around, n)))
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
