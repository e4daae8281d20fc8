/* SPDX-License-Identifier: MIT */
#include "workers/processing/language.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/base/utf8.h"
#include "workers/processing/words.h"

enum { LANGUAGES = 16, BATCH = 64, LEAST_POINTS = 3, SLOTS = 2048, SCRIPT_LEAST = 8 };

/* The most common words of running text. One that several languages share counts for each. */
static const struct {
	const char code[3], *words;
} COMMON[LANGUAGES] = {
	{ "en",
	  "the of and to in is you that it for on are as with they be at this have from or "
	  "had by but what we all were your can our will their which an must other who more "
	  "if into has its about any such not work team role experience skills join looking" },
	{ "de",
	  "der die und in den von zu das mit sich des auf für ist im dem nicht ein eine als "
	  "auch es an werden aus er hat dass sie nach wird bei einer um am sind noch wie "
	  "einem über einen so zum haben nur oder aber vor zur bis mehr durch wir unser "
	  "unsere ihre ihr du dich dein deine sowie bereich erfahrung suchen uns" },
	{ "fr",
	  "de la le et les des en un du une que est pour qui dans a par plus pas au sur ne "
	  "se ce il sont avec ou nous vous votre notre nos vos aux être cette ces leur son "
	  "sa d l poste travail équipe expérience chez recherchons afin ainsi" },
	{ "es",
	  "de la que el en y a los del se las por un para con no una su al lo como más o "
	  "pero sus le ha este sí porque esta son entre cuando muy sin sobre también hasta "
	  "hay donde trabajo experiencia equipo nuestro nuestra buscamos empresa ofrecemos "
	  "años" },
	{ "it",
	  "di e il la che in un a per è una sono del con non della si da al le dei nel alla "
	  "più i gli come anche delle ha o lavoro nostra nostro azienda esperienza ricerca "
	  "siamo presso dal degli nella cui lo ai sul dalla suo" },
	{ "nl",
	  "de van het een en in is dat op te zijn met voor niet aan er om ook als dan maar "
	  "bij of uit nog naar wij je jij jouw onze ons werk bent hebt ben functie ervaring "
	  "zoek wordt kun deze binnen heb" },
	{ "pt",
	  "de a o que e do da em um para com não uma os no se na por mais as dos como mas "
	  "ao das à seu sua ou quando muito nos já também pelo pela até isso empresa "
	  "trabalho experiência equipe você são nossa nosso área anos" },
	{ "pl",
	  "i w na z do się nie jest to że za o jak po od dla przez oraz pracy praca lub "
	  "przy jako są ci twoje nasz naszym naszej firmy doświadczenie oferujemy "
	  "poszukujemy umiejętność znajomość czy także będzie" },
	{ "sv",
	  "och i att det som en på är av för med till den har de inte om ett men var så vi "
	  "du dig din vår våra arbeta arbete erfarenhet söker hos eller kan oss från även "
	  "inom kommer" },
	{ "da",
	  "og i at det som en på er af for med til den har de ikke om et men var så vi du "
	  "dig din vores arbejde erfaring søger hos eller kan os fra også inden bliver vil" },
	{ "nb",
	  "og i at det som en på er av for med til den har de ikke om et men var så vi du "
	  "deg din vår våre arbeid erfaring søker hos eller kan oss fra også innen blir vil" },
	{ "fi",
	  "ja on ei se että oli hän mutta kuin tai myös sekä ovat olet sinulla meillä työ "
	  "työtä kokemusta etsimme tarjoamme voit sinun me joka jos ole kun hyvä" },
	{ "cs",
	  "a v na je se že s z do to pro o i jako k by po ve jsou ale nebo za od práce "
	  "práci nabízíme hledáme zkušenosti požadujeme naše vás jste které také při" },
	{ "tr",
	  "ve bir bu için ile olan de da çok daha olarak gibi en olması iş deneyim "
	  "ekibimize aranan sahip tecrübe konusunda arkadaşları çalışma şirketi iyi bilen" },
	{ "ro",
	  "și în de la cu a pe o un care nu pentru din că sau mai este sunt ce se al ale "
	  "lucru experiență echipa noastră căutăm oferim cunoștințe fi vei" },
	{ "hu",
	  "a az és hogy nem is egy van meg ez de vagy csak mint már el ha volt munka "
	  "tapasztalat keresünk kínálunk cégünk feladatok elvárások amit számára ismeretek" },
};

static struct slot {
	uint64_t hash;
	uint32_t languages;		/* set */
} slots[SLOTS];
static bool prepared;

static struct slot *slot_at(uint64_t hash)
{
	size_t i = (hash ^ hash >> 29) % SLOTS;

	while (slots[i].hash && slots[i].hash != hash)
		i = (i + 1) % SLOTS;
	return &slots[i];
}

static void prepare(void)
{
	for (size_t i = 0; i < LANGUAGES; i++) {
		const char *p = COMMON[i].words, *end = p + strlen(p);
		struct word w;

		while (words_read(&p, end, &w, 1)) {
			struct slot *s = slot_at(w.hash);

			s->hash = w.hash;
			s->languages |= UINT32_C(1) << i;
		}
	}
	prepared = true;
}

/* Those that their script tells. */
static const struct {
	uint32_t from, to;
	const char *code;
} SCRIPTS[] = {
	{ 0x370, 0x3FF, "el" }, { 0x590, 0x5FF, "he" }, { 0x600, 0x6FF, "ar" }, { 0x900, 0x97F, "hi" },
	{ 0xE00, 0xE7F, "th" }, { 0xAC00, 0xD7AF, "ko" }, { 0x3040, 0x30FF, "ja" },
	{ 0x4E00, 0x9FFF, "zh" }, { 0x400, 0x4FF, "ru" },
};

/* Kana among Chinese characters make it Japanese; і, ї, є make Cyrillic Ukrainian. */
static const char *script_of(const char *p, const char *end)
{
	size_t counts[COUNT(SCRIPTS)] = { 0 }, latin = 0, best = 0, ukrainian = 0;

	while (p < end) {
		size_t step;
		uint32_t cp = utf8_next(p, end, &step);

		p += step;
		latin += (cp | 32) >= 'a' && (cp | 32) <= 'z';
		ukrainian += cp == 0x456 || cp == 0x457 || cp == 0x454;
		for (size_t i = 0; cp >= 0x370 && i < COUNT(SCRIPTS); i++)
			counts[i] += cp >= SCRIPTS[i].from && cp <= SCRIPTS[i].to;
	}
	for (size_t i = 1; i < COUNT(SCRIPTS); i++)
		if (counts[i] > counts[best])
			best = i;
	if (counts[best] < SCRIPT_LEAST || 2 * counts[best] < latin)
		return NULL;
	if (!strcmp(SCRIPTS[best].code, "zh") && counts[6] > SCRIPT_LEAST / 2)
		return "ja";
	if (!strcmp(SCRIPTS[best].code, "ru") && ukrainian > SCRIPT_LEAST / 4)
		return "uk";
	return SCRIPTS[best].code;
}

static bool has_wide(const char *p, const char *end)
{
	for (; p < end; p++)
		if ((unsigned char)*p >= 0xCD && (unsigned char)*p != 0xE2)
			return true;
	return false;
}

/* A word of one language alone says as much as several that it shares. */
static size_t count(const char *p, const char *end, unsigned points[LANGUAGES])
{
	struct word words[BATCH];
	size_t n, total = 0;

	while ((n = words_read(&p, end, words, BATCH)) > 0) {
		for (size_t i = 0; i < n; i++) {
			uint32_t set = slot_at(words[i].hash)->languages;
			unsigned each = set & (set - 1) ? 1 : 3;

			for (; set; set &= set - 1)
				points[__builtin_ctz(set)] += each;
		}
		total += n;
	}
	return total;
}

const char *language_guess(const char *text, size_t len)
{
	unsigned points[LANGUAGES] = { 0 }, best = 0, second = 0;
	const char *end = text + (len > LANGUAGE_SAMPLE ? LANGUAGE_SAMPLE : len), *script;
	size_t total;

	if (!prepared)
		prepare();
	script = has_wide(text, end) ? script_of(text, end) : NULL;
	if (script)
		return script;
	total = count(text, end, points);
	for (unsigned i = 1; i < LANGUAGES; i++)
		if (points[i] > points[best])
			best = i;
	for (unsigned i = 0; i < LANGUAGES; i++)
		if (i != best && points[i] > second)
			second = points[i];
	if (points[best] < LEAST_POINTS || points[best] * 8 < total ||
	    points[best] * 10 < second * 11 || points[best] == second)
		return "";
	return COMMON[best].code;
}
