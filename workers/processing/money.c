/* SPDX-License-Identifier: MIT */
#include "workers/processing/money.h"

#include <ctype.h>
#include <pthread.h>

#include "common/base/mem.h"
#include "common/market/country.h"

enum { DIGITS_MAX = 13 };

/* As many as DIGITS_MAX digits have; a few thousand times as many still fit. */
#define CENTS_MAX INT64_C(1000000000000000)

static bool codes[26 * 26 * 26];
static pthread_once_t codes_built = PTHREAD_ONCE_INIT;

static const int64_t FACTORS[] = { 1, 1000, 100000, 1000000 };

/* Longest first where one begins another. */
static const struct mark {
	const char *text, *currency;
} SYMBOLS[] = {
	{ "US$", "USD" }, { "CA$", "CAD" }, { "CAD$", "CAD" }, { "C$", "CAD" }, { "AU$", "AUD" }, { "A$", "AUD" },
	{ "NZ$", "NZD" }, { "SG$", "SGD" }, { "S$", "SGD" }, { "HK$", "HKD" }, { "MX$", "MXN" }, { "R$", "BRL" },
	{ "USD$", "USD" }, { "AUD$", "AUD" }, { "$", "$" }, { "€", "EUR" }, { "£", "GBP" }, { "₹", "INR" },
	{ "¥", "JPY" }, { "zł", "PLN" }, { "₪", "ILS" }, { "₺", "TRY" }, { "Rs.", "INR" }, { "Rs", "INR" },
};
/* Not "pounds": what postings weigh by them is boxes. */
static const struct mark WORDS[] = {
	{ "euros", "EUR" },  { "euro", "EUR" },	  { "dollars", "$" }, { "dollar", "$" },
	{ "rupees", "INR" }, { "francs", "CHF" }, { "kr", "SEK" },	{ "usd", "USD" }, { "eur", "EUR" },
	{ "gbp", "GBP" }, { "chf", "CHF" }, { "cad", "CAD" }, { "aud", "AUD" }, { "inr", "INR" },
};
static const struct {
	const char *text;
	enum money_scale scale;
} SCALES[] = {
	{ "k", MONEY_THOUSAND }, { "tsd", MONEY_THOUSAND }, { "teur", MONEY_THOUSAND },
	{ "thousand", MONEY_THOUSAND }, { "mil", MONEY_THOUSAND },
	{ "mila", MONEY_THOUSAND }, { "tausend", MONEY_THOUSAND }, { "mille", MONEY_THOUSAND }, { "lpa", MONEY_LAKH },
	{ "lakhs", MONEY_LAKH }, { "lakh", MONEY_LAKH }, { "lacs", MONEY_LAKH }, { "lac", MONEY_LAKH },
	{ "m", MONEY_MILLION }, { "mm", MONEY_MILLION }, { "mn", MONEY_MILLION }, { "mio", MONEY_MILLION },
	{ "million", MONEY_MILLION }, { "millions", MONEY_MILLION }, { "millionen", MONEY_MILLION },
	{ "millones", MONEY_MILLION }, { "b", MONEY_MILLION }, { "bn", MONEY_MILLION },
	{ "billion", MONEY_MILLION }, { "billions", MONEY_MILLION }, { "mrd", MONEY_MILLION },
	{ "milliards", MONEY_MILLION }, { "crore", MONEY_MILLION }, { "cr", MONEY_MILLION },
};

/* A reader over the text that never passes its end. */
struct cursor {
	const char *text;
	size_t len;
};

static int at(const struct cursor *c, size_t i)
{
	return i < c->len ? (unsigned char)c->text[i] : 0;
}

static size_t digits_at(const struct cursor *c, size_t i)
{
	size_t n = 0;

	while (isdigit(at(c, i + n)))
		n++;
	return n;
}

static bool starts(const struct cursor *c, size_t i, const char *what)
{
	size_t n = strlen(what);

	return i + n <= c->len && !memcmp(c->text + i, what, n);
}

static size_t code_index(const char *code)
{
	return (size_t)(code[0] - 'A') * 676 + (size_t)(code[1] - 'A') * 26 +
		(size_t)(code[2] - 'A');
}

static void build_codes(void)
{
	for (size_t i = 0; i < COUNTRIES_COUNT; i++)
		if (strlen(COUNTRIES[i].currency) == 3)
			codes[code_index(COUNTRIES[i].currency)] = true;
}

bool money_is_code(const char *code)
{
	pthread_once(&codes_built, build_codes);
	for (int i = 0; i < 3; i++)
		if (code[i] < 'A' || code[i] > 'Z')
			return false;
	return codes[code_index(code)];
}

/* A thousands mark at i with its three digits behind: returns the mark's width, else 0. Indian
 * grouping puts two digits between marks. */
static size_t thousands_mark(const struct cursor *c, size_t i)
{
	size_t n = strchr(",.' ", at(c, i)) && at(c, i) ? 1 : starts(c, i, "’") ? 3 : 0;
	size_t digits = n ? digits_at(c, i + n) : 0;

	if (digits == 3)
		return n;
	return digits == 2 && at(c, i) == ',' && at(c, i + 3) == ',' && digits_at(c, i + 4) >= 2
		? n
		: 0;
}

static void push(int64_t *value, size_t *ndigits, const struct cursor *c, size_t i, size_t n)
{
	for (size_t k = 0; k < n; k++, (*ndigits)++)
		if (*ndigits < DIGITS_MAX)
			*value = *value * 10 + (at(c, i + k) - '0');
}

/* "80.000,- €", "85'000.-", "50.000,--": returns the width of the mark, 0: none. */
static size_t no_cents(const struct cursor *c, size_t i)
{
	size_t n = 1;

	if (at(c, i) != ',' && at(c, i) != '.')
		return 0;
	if (starts(c, i + 1, "–") || starts(c, i + 1, "—"))
		return 4;
	while (at(c, i + n) == '-' && n < 3)
		n++;
	return n > 1 && !isdigit(at(c, i + n)) ? n : 0;
}

/* Reads digits at i into cents; returns where the number ends, 0 if it is none worth having. */
static size_t read_number(const struct cursor *c, size_t i, struct money *m)
{
	size_t n = digits_at(c, i), mark, ndigits = 0;
	int64_t value = 0, cents = 0;

	m->whole = true;
	push(&value, &ndigits, c, i, n);
	i += n;
	while (n <= 3 && (mark = thousands_mark(c, i)) && ndigits < DIGITS_MAX) {
		n = digits_at(c, i + mark);
		push(&value, &ndigits, c, i + mark, n);
		i += mark + n;
		m->whole = false;
	}
	if ((at(c, i) == '.' || at(c, i) == ',') && digits_at(c, i + 1)) {
		n = digits_at(c, i + 1);
		cents = (at(c, i + 1) - '0') * 10 + (n > 1 ? at(c, i + 2) - '0' : 0);
		i += 1 + n;
		m->whole = false;
	} else {
		i += no_cents(c, i);
	}
	if (ndigits > DIGITS_MAX)
		return 0;
	m->cents = value * 100 + cents;
	return i;
}

static size_t word_length(const struct cursor *c, size_t i)
{
	size_t n = 0;

	while (isalpha(at(c, i + n)))
		n++;
	return n;
}

/* What is too large to be scaled is too large to be anything but a million. */
static void set_scale(struct money *m, enum money_scale scale)
{
	m->scale = m->cents > CENTS_MAX / FACTORS[scale] ? MONEY_MILLION : scale;
	if (m->cents <= CENTS_MAX / FACTORS[scale])
		m->cents *= FACTORS[scale];
}

/* "k", " million", "LPA" behind the number; a lone letter must touch it. */
static size_t read_scale(const struct cursor *c, size_t i, struct money *m)
{
	size_t gap = at(c, i) == ' ' ? 1 : 0, n = word_length(c, i + gap);

	if (n == 1 && (at(c, i + gap) == 'T' || at(c, i + gap) == 't') &&
	    starts(c, i + gap + 1, "€")) {
		set_scale(m, MONEY_THOUSAND);
		return i + gap + 1;
	}
	for (size_t k = 0; n > 0 && k < COUNT(SCALES); k++) {
		const char *text = SCALES[k].text;
		bool eur = n > strlen(text) && n == strlen(text) + 3 &&
			starts(c, i + gap + n - 3, "EUR");

		if ((strlen(text) != n && !eur) ||
		    strncasecmp(c->text + i + gap, text, strlen(text)) != 0)
			continue;
		if (gap && strlen(text) == 1 && at(c, i + gap) != 'k' && at(c, i + gap) != 'K')
			return i;
		set_scale(m, SCALES[k].scale);
		m->per_annum = !strcmp(text, "lpa");
		if (m->scale == MONEY_LAKH && !m->currency[0]) {
			memcpy(m->currency, "INR", 4);
			m->marked = true;
		}
		if (!strcmp(text, "teur"))
			memcpy(m->currency, "EUR", 4);
		i += gap + strlen(text);
		return i + (m->scale == MONEY_THOUSAND && n == 3 && at(c, i) == '.');
	}
	return i;
}

static void set_currency(struct money *m, const char *code)
{
	bool known = m->currency[0] && m->currency[0] != '$';

	m->marked = true;
	if (!known || code[0] != '$')
		snprintf(m->currency, sizeof m->currency, "%s", code);
}

/* Can a symbol or code end in this byte? */
static bool may_end_mark(int byte)
{
	return byte >= 0x80 || isalpha(byte) || byte == '$' || byte == '.';
}

/* A code in capitals, or one of the common ones in any case. */
static void read_code_before(const struct cursor *c, size_t end, struct money *m)
{
	char code[4] = "";

	if (end < 3 || !isalpha(at(c, end - 1)) || (end > 3 && isalpha(at(c, end - 4))))
		return;
	memcpy(code, c->text + end - 3, 3);
	for (size_t k = 0; islower((unsigned char)code[0]) && k < COUNT(WORDS); k++)
		if (!strcmp(code, WORDS[k].text))
			memcpy(code, WORDS[k].currency, sizeof code);
	if (!money_is_code(code))
		return;
	set_currency(m, code);
	m->start = end - 3;
}

/* The symbol or code that ends at i (where the number begins); moves m->start. */
static void read_mark_before(const struct cursor *c, size_t i, struct money *m)
{
	size_t end = i > 0 && at(c, i - 1) == ' ' ? i - 1 : i;

	if (end == 0 || !may_end_mark(at(c, end - 1)))
		return;
	for (size_t k = 0; k < COUNT(SYMBOLS); k++) {
		size_t n = strlen(SYMBOLS[k].text);

		if (end < n || strncasecmp(c->text + end - n, SYMBOLS[k].text, n) != 0 ||
		    (isalpha((unsigned char)SYMBOLS[k].text[0]) && end > n &&
		     isalpha(at(c, end - n - 1))))
			continue;
		set_currency(m, SYMBOLS[k].currency);
		m->start = end - n;
		end = m->start > 0 && at(c, m->start - 1) == ' ' ? m->start - 1 : m->start;
		break;
	}
	read_code_before(c, end, m);
}

static bool may_begin_mark(int byte)
{
	return byte >= 0x80 || isupper(byte) || byte == '$' || byte == 'z';
}

/* A symbol, code or word that begins at i or one space on; returns where it ends. */
static size_t read_mark_after(const struct cursor *c, size_t i, struct money *m)
{
	size_t p = at(c, i) == ' ' ? i + 1 : i, n = word_length(c, p);

	if (n == 3 && isupper(at(c, p)) && isupper(at(c, p + 1)) && isupper(at(c, p + 2)) &&
	    money_is_code(c->text + p)) {
		set_currency(m,
			     (char[]){ (char)at(c, p), (char)at(c, p + 1), (char)at(c, p + 2), 0 });
		return p + 3;
	}
	for (size_t k = 0; n > 1 && k < COUNT(WORDS); k++)
		if (n == strlen(WORDS[k].text) && !strncasecmp(c->text + p, WORDS[k].text, n)) {
			set_currency(m, WORDS[k].currency);
			return p + n;
		}
	for (size_t k = 0; k < COUNT(SYMBOLS) && may_begin_mark(at(c, p)); k++) {
		size_t width = strlen(SYMBOLS[k].text);

		if (!starts(c, p, SYMBOLS[k].text) || SYMBOLS[k].text[0] == 'R')
			continue;
		/* "$90,000 $110,000": the second sign belongs to the second amount. */
		if (isdigit(at(c, p + width)) ||
		    (at(c, p + width) == ' ' && isdigit(at(c, p + width + 1)) &&
		     SYMBOLS[k].text[width - 1] == '$'))
			return i;
		set_currency(m, SYMBOLS[k].currency);
		return p + width;
	}
	return i;
}

static bool continues_word(const struct cursor *c, size_t i)
{
	int before = i > 0 ? at(c, i - 1) : 0;

	return isdigit(before) || before == '_' || before == '#' || before == '@' ||
		(i > 1 && (before == '.' || before == ',') && isdigit(at(c, i - 2))) ||
		(isalpha(before) &&
		 !(i >= 3 && isupper(before) && money_is_code(c->text + i - 3)) && before != 's');
}

/* One amount whose first digit is at i; returns where to go on. */
static size_t read_amount(const struct cursor *c, size_t i, struct money *m)
{
	size_t end;

	*m = (struct money){ .start = i };
	if (continues_word(c, i))
		return i + digits_at(c, i);
	read_mark_before(c, i, m);
	end = read_number(c, i, m);
	if (!end)
		return i + digits_at(c, i);
	if (at(c, end) == '%' || (at(c, end) == ' ' && at(c, end + 1) == '%'))
		return end;
	end = read_scale(c, end, m);
	if (m->scale == MONEY_THOUSAND && !m->marked && m->cents == 40100000)
		return end;			/* 401k */
	end = read_mark_after(c, end, m);
	if (at(c, end) == '+' ||
	    (at(c, end) == ' ' && at(c, end + 1) == '+' && at(c, end + 2) != ' ')) {
		m->open_top = true;
		end += at(c, end) == '+';
	}
	if (isalnum(at(c, end)) && !m->marked)
		return end;			/* "24h", "5G" */
	m->end = end;
	return end;
}

/* Eight bytes at once, as a posting is mostly letters: from '0' on a byte plus 0x50 has its high
 * bit, and one plus 0x46 has it from ':' on. */
static size_t next_digit(const char *text, size_t len, size_t i)
{
	const uint64_t high = UINT64_C(0x8080808080808080);
	uint64_t word;

	for (; i + sizeof word <= len; i += sizeof word) {
		memcpy(&word, text + i, sizeof word);
		if (((word & ~high) + UINT64_C(0x5050505050505050)) &
		    ~((word & ~high) + UINT64_C(0x4646464646464646)) & ~word & high)
			break;
	}
	while (i < len && !isdigit((unsigned char)text[i]))
		i++;
	return i;
}

bool money_next(const char *text, size_t len, size_t *pos, struct money *ret)
{
	struct cursor c = { text, len };
	size_t i = *pos;

	while ((i = next_digit(text, len, i)) < len) {
		i = read_amount(&c, i, ret);
		if (ret->end) {
			*pos = i;
			return true;
		}
	}
	*pos = len;
	return false;
}

int64_t money_cents(const char *text)
{
	struct money m = { 0 };
	struct cursor c = { text, strlen(text) };
	size_t end = isdigit(at(&c, 0)) ? read_number(&c, 0, &m) : 0;

	return end && end == c.len ? m.cents : -1;
}
