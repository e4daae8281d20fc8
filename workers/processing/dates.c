/* SPDX-License-Identifier: MIT */
#include "workers/processing/dates.h"

#include <ctype.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/err.h"
#include "common/base/mem.h"
#include "common/base/scan.h"
#include "workers/processing/text.h"

enum { WORDS_MAX = 12, YEARS_AHEAD = 10, COUNT_MAX = 1000 };

#define SECOND_US INT64_C(1000000)
#define MINUTE_US (60 * SECOND_US)
#define HOUR_US (60 * MINUTE_US)
#define DAY_US (24 * HOUR_US)
#define YEAR_2000_US (INT64_C(946684800) * SECOND_US)
#define MILLISECONDS_FROM INT64_C(100000000000)

/* Folded words of units; "m" is left out on purpose (minutes or months). */
static const struct {
	const char *words;
	int64_t us;
} UNITS[] = {
	{ " second seconds sec secs sekunde sekunden seconde secondes segundo segundos secondo secondi ",
	  SECOND_US },
	{ " minute minutes min mins minuten minuto minutos minuti ", MINUTE_US },
	{ " hour hours hr hrs h stunde stunden std heure heures hora horas ora ore ", HOUR_US },
	{ " day days d tag tage tagen jour jours j dia dias giorno giorni ", DAY_US },
	{ " week weeks w wk wks woche wochen semaine semaines semana semanas settimana settimane ",
	  7 * DAY_US },
	{ " month months mo monat monate monaten mois mes meses mese mesi ", 30 * DAY_US },
	{ " year years yr yrs jahr jahre jahren an ans annee annees ano anos anno anni ", 365 * DAY_US },
};

static const char ONE[] = " a an one ein eine einem einer einen un une uno una ";
static const char TODAY[] = " today heute aujourdhui hoy oggi now jetzt gerade just new ahora ";
static const char YESTERDAY[] = " yesterday gestern hier ayer ieri ";

static bool among(const char *list, const char *word)
{
	char padded[36];

	if (strlen(word) > sizeof padded - 3)
		return false;
	snprintf(padded, sizeof padded, " %s ", word);
	return strstr(list, padded) != NULL;
}

static int64_t unit_of(const char *word)
{
	for (size_t i = 0; i < COUNT(UNITS); i++)
		if (among(UNITS[i].words, word))
			return UNITS[i].us;
	return 0;
}

/* A number, perhaps with its unit ("3d") or a plus ("30+"); 0 = not one. */
static int count_of(const char *word, const char **ret_rest)
{
	int n = 0;

	*ret_rest = "";
	if (among(ONE, word))
		return 1;
	if (!strncmp(word, "un", 2) && unit_of(word + 2)) {	/* "un'ora" */
		*ret_rest = word + 2;
		return 1;
	}
	while (isdigit((unsigned char)*word) && n < COUNT_MAX)
		n = n * 10 + *word++ - '0';
	*ret_rest = *word == '+' ? word + 1 : word;
	return n;
}

/* How long ago the words say; -1: they do not. */
static int64_t age_of(char *words[], size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const char *rest;
		int count = count_of(words[i], &rest);
		int64_t unit = 0;

		if (count > 0 && *rest)
			unit = unit_of(rest);
		else if (count > 0 && i + 1 < n)
			unit = unit_of(words[i + 1]);
		if (unit)
			return count * unit;
	}
	for (size_t i = 0; i < n; i++) {
		if (among(YESTERDAY, words[i]))
			return DAY_US;
		if (among(TODAY, words[i]))
			return 0;
	}
	return -1;
}

static int64_t relative_age(const char *text)
{
	char line[128], folded[128], *words[WORDS_MAX];
	size_t n = 0;

	text_line(text, line, sizeof line);
	text_fold(line, folded, sizeof folded);
	for (char *save = NULL, *w = strtok_r(folded, " ", &save); w && n < WORDS_MAX;
	     w = strtok_r(NULL, " ", &save))
		words[n++] = w;
	return age_of(words, n);
}

static int checked(struct date date, int64_t reference_us, const char *text, struct date *ret,
		   struct err *e)
{
	if (date.us < YEAR_2000_US || date.us > reference_us + YEARS_AHEAD * 365 * DAY_US)
		return err_set(e, ERR_INVALID, "date out of range: \"%.60s\"", text);
	*ret = date;
	return 0;
}

int dates_from_epoch(int64_t value, int64_t reference_us, struct date *ret, struct err *e)
{
	struct date date = { .exact = true };
	char text[24];

	snprintf(text, sizeof text, "%lld", (long long)value);
	if (value < 0 || value > INT64_MAX / SECOND_US)
		return err_set(e, ERR_INVALID, "date out of range: \"%s\"", text);
	date.us = value >= MILLISECONDS_FROM ? value * 1000 : value * SECOND_US;
	return checked(date, reference_us, text, ret, e);
}

int dates_parse(const char *text, int64_t reference_us, struct date *ret, struct err *e)
{
	struct date date = { 0 };
	int64_t number, age;

	if (text[0] && !scan_int64(text, 100000000, INT64_MAX, &number, NULL))
		return dates_from_epoch(number, reference_us, ret, e);
	if (!clock_parse_iso(text, &date.us, NULL)) {
		date.exact = strchr(text, ':') != NULL;
		return checked(date, reference_us, text, ret, e);
	}
	age = relative_age(text);
	if (age < 0)
		return err_set(e, ERR_INVALID, "not a date: \"%.60s\"", text);
	date.us = reference_us - age;
	return checked(date, reference_us, text, ret, e);
}
