/* SPDX-License-Identifier: MIT */
#include "workers/processing/dates.h"

#include <ctype.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/err.h"
#include "common/base/mem.h"
#include "common/base/scan.h"
#include "common/base/text.h"

enum { WORDS_MAX = 12, YEARS_AHEAD = 10, COUNT_MAX = 1000, LINE_MAX_BYTES = 128 };

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
	{ " second seconds sec secs s sekunde sekunden seconde secondes segundo segundos secondo "
	  "secondi ",
	  SECOND_US },
	{ " minute minutes min mins minuten minuto minutos minuti ", MINUTE_US },
	{ " hour hours hr hrs h stunde stunden std heure heures hora horas ora ore ", HOUR_US },
	{ " day days d tag tage tagen jour jours j dia dias giorno giorni ", DAY_US },
	{ " week weeks w wk wks woche wochen semaine semaines semana semanas settimana settimane ",
	  7 * DAY_US },
	{ " month months mo mos monat monate monaten mois mes meses mese mesi ", 30 * DAY_US },
	{ " year years yr yrs jahr jahre jahren an ans annee annees ano anos anno anni ",
	  365 * DAY_US },
};

static const char ONE[] = " a an one ein eine einem einer einen un une uno una ";
static const char FEW[] =
	" few wenigen einigen quelques algunos pocos unos poche pochi alcune alcuni ";
static const char TODAY[] =
	" today heute aujourdhui hoy oggi now jetzt gerade just new ahora neu nouveau nuevo nuevo "
	"linstant instant momento recien adesso appena ";
static const char YESTERDAY[] = " yesterday gestern hier ayer ieri ";
static const char BEFORE_YESTERDAY[] = " vorgestern avanthier anteayer antier laltroieri ";
static const char LAST[] =
	" last letzte letzten letzter derniere dernier pasada pasado scorsa scorso ";

/* Folded beginnings (three letters at least) of month names, January first. */
static const char *const MONTHS[12] = {
	"january jan januar janvier enero ene gennaio gen janner",
	"february feb februar fevrier fev fevr febrero febbraio",
	"march mar marz maerz mrz mars marzo",
	"april apr avril avr abril abr aprile",
	"may mai mayo may maggio mag",
	"june jun juni juin junio giugno giu",
	"july jul juli juillet juil julio luglio lug",
	"august aug aout agosto ago",
	"september sep sept septembre septiembre set settembre",
	"october oct oktober okt octobre octubre ottobre ott",
	"november nov novembre noviembre",
	"december dec dezember dez decembre diciembre dic dicembre",
};

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

/* "5 days", "few hours" (two of them), "last week", "semaine dernière"; 0: none of it here. */
static int64_t age_at(char *const words[], size_t n, size_t i)
{
	const char *rest;
	int count = count_of(words[i], &rest);
	int64_t unit = 0;

	if (count > 0 && *rest)
		return count * unit_of(rest);
	if (i + 1 >= n)
		return 0;
	unit = unit_of(words[i + 1]);
	if (count > 0)
		return count * unit;
	if (among(FEW, words[i]))
		return 2 * unit;
	return among(LAST, words[i]) ? unit : among(LAST, words[i + 1]) ? unit_of(words[i]) : 0;
}

/* How long ago the words say; -1: they do not. */
static int64_t age_of(char *const words[], size_t n)
{
	for (size_t i = 0; i < n; i++) {
		int64_t age = age_at(words, n, i);

		if (age > 0)
			return age;
	}
	for (size_t i = 0; i < n; i++) {
		if (among(BEFORE_YESTERDAY, words[i]) ||
		    (i > 0 && among(YESTERDAY, words[i]) &&
		     among(" before avant altro laltro ", words[i - 1])))
			return 2 * DAY_US;
		if (among(YESTERDAY, words[i]))
			return DAY_US;
		if (among(TODAY, words[i]))
			return 0;
	}
	return -1;
}

/* 1 to 12; 0: no month's name. */
static int month_of(const char *word)
{
	for (int i = 0; i < 12; i++)
		if (text_has_word(MONTHS[i], word))
			return i + 1;
	return 0;
}

static bool is_number(const char *word, int min, int max, int *ret)
{
	return !scan_int(word, min, max, ret, NULL);
}

/* "21st", "3rd" and "1er", too */
static bool is_day(const char *word, int *ret)
{
	char digits[3] = "";
	size_t n = strspn(word, "0123456789");

	if (n == 0 || n > 2 || (word[n] && !among(" st nd rd th er ", word + n)))
		return false;
	memcpy(digits, word, n);
	return is_number(digits, 1, 31, ret);
}

/* Three words from at on that are a time of day, perhaps with an offset such as +0200. */
static int64_t time_of_words(char *const words[], size_t n, size_t at)
{
	int h, m, s = 0, offset;
	int64_t us;

	if (at + 1 >= n || !is_number(words[at], 0, 23, &h) || !is_number(words[at + 1], 0, 59, &m))
		return -1;
	if (at + 2 < n && words[at + 2][0] != '+')
		is_number(words[at + 2], 0, 60, &s);
	us = h * HOUR_US + m * MINUTE_US + s * SECOND_US;
	if (words[n - 1][0] == '+' && is_number(words[n - 1] + 1, 0, 1400, &offset))
		us -= offset / 100 * HOUR_US + offset % 100 * MINUTE_US;
	return us;
}

static bool date_of(int year, int month, int day, int64_t *ret_us)
{
	char iso[16];

	snprintf(iso, sizeof iso, "%04d-%02d-%02d", year, month, day);
	return !clock_parse_iso(iso, ret_us, NULL);
}

/* "Mon, 21 Nov 2026 10:00:00 GMT", "November 21, 2026", "21. November 2026", "21 de noviembre de
 * 2026": a month's name between or before a day and a year of four digits. */
static bool named_date(char *const words[], size_t n, struct date *ret)
{
	int month = 0, day = 0, year = 0;
	size_t after = 0;
	int64_t time;

	for (size_t i = 0; i < n && !(month && day && year); i++) {
		int number;

		if (month_of(words[i]))
			month = month_of(words[i]);
		else if (!day && is_day(words[i], &number))
			day = number;
		else if (!year && strlen(words[i]) == 4 && is_number(words[i], 1900, 2999, &number))
			year = number;
		after = i + 1;
	}
	if (!month || !day || !year || !date_of(year, month, day, &ret->us))
		return false;
	time = time_of_words(words, n, after);
	ret->exact = time >= 0;
	ret->us += ret->exact ? time : 0;
	return true;
}

/* "21.11.2026", "2026/11/21", and "11/21/2026" where only one reading is a date. */
static bool numbered_date(const char *text, char *const words[], size_t n, struct date *ret)
{
	const char *mark = strpbrk(text, "./");
	int a, b, c;

	if (n != 3 || !mark || !is_number(words[0], 1, 2999, &a) ||
	    !is_number(words[1], 1, 31, &b) || !is_number(words[2], 1, 2999, &c))
		return false;
	ret->exact = false;
	if (a > 1000)
		return date_of(a, b, c, &ret->us);
	if (c < 1000 || (*mark == '/' && a <= 12 && b <= 12 && a != b))
		return false;
	return b > 12 ? date_of(c, a, b, &ret->us) : date_of(c, b, a, &ret->us);
}

/* Cuts line, which is folded in place into words. */
static size_t split(const char *text, char folded[LINE_MAX_BYTES], char *words[WORDS_MAX])
{
	char line[LINE_MAX_BYTES];
	size_t n = 0;

	text_line(text, line, sizeof line);
	text_fold(line, folded, LINE_MAX_BYTES);
	for (char *save = NULL, *w = strtok_r(folded, " ", &save); w && n < WORDS_MAX;
	     w = strtok_r(NULL, " ", &save))
		words[n++] = w;
	return n;
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
	char folded[LINE_MAX_BYTES], *words[WORDS_MAX];
	size_t n;

	if (text[0] && !scan_int64(text, 100000000, INT64_MAX, &number, NULL))
		return dates_from_epoch(number, reference_us, ret, e);
	if (!clock_parse_iso(text, &date.us, NULL)) {
		date.exact = strchr(text, ':') != NULL;
		return checked(date, reference_us, text, ret, e);
	}
	n = split(text, folded, words);
	if (numbered_date(text, words, n, &date) || named_date(words, n, &date))
		return checked(date, reference_us, text, ret, e);
	age = age_of(words, n);
	if (age < 0)
		return err_set(e, ERR_INVALID, "not a date: \"%.60s\"", text);
	date.us = reference_us - age;
	return checked(date, reference_us, text, ret, e);
}
