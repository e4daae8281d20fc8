/* SPDX-License-Identifier: MIT */
#include "workers/processing/remote.h"

#include <string.h>

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

enum remote remote_combine(bool flag, const char *title, const char *location, const char *text,
			   size_t len)
{
	bool has_text = text && len > 0;
	bool denied = has_text && pattern_matches(&text_no_remote, text, len);

	if (says(&short_hybrid, title) || says(&short_hybrid, location) ||
	    (has_text && pattern_matches(&text_hybrid, text, len)))
		return REMOTE_HYBRID;
	if (says(&short_remote, title) || says(&short_remote, location) || flag ||
	    (has_text && !denied && pattern_matches(&text_remote, text, len)))
		return REMOTE_REMOTE;
	if (denied || says(&short_onsite, title) || says(&short_onsite, location) ||
	    (has_text && pattern_matches(&text_onsite, text, len)))
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
