/* SPDX-License-Identifier: MIT */
/* The search for pay in running text. What is judged pay is spanned: ranges before single amounts,
 * base pay before totals, the country's currency before others, else the first one's period and
 * currency. */
#include "workers/processing/pay_find.h"

#include <ctype.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/market/country.h"
#include "workers/processing/pay_context.h"
#include "workers/processing/pay_offer.h"

enum {
	OFFERS_MAX = 64,
	JUDGED_MAX = 512,
	LARGE_CENTS = 100000,
	VOTES_BYTES = 400,
	CUE_VOTES = 3,
	FIELD_BYTES = 64
};

struct offers {
	struct pay_offer at[OFFERS_MAX];
	size_t n;
};

/* The offers that are pay, among the first of a text with very many amounts. What stands in
 * brackets behind another is that one in other words. */
static void collect(const char *text, size_t len, const struct pay_hint *hint, struct offers *all)
{
	struct pay_offer o;
	size_t pos = 0, judged = 0;

	all->n = 0;
	while (all->n < OFFERS_MAX && judged < JUDGED_MAX &&
	       pay_offer_next(text, len, &pos, hint && hint->is_pay, &o)) {
		judged += o.marked || o.max >= LARGE_CENTS;
		if (all->n && o.gloss && !o.range && o.start < all->at[all->n - 1].end + 24)
			continue;
		if (pay_offer_judge(&o, text, len, hint))
			all->at[all->n++] = o;
	}
}

static bool is_local(const struct pay_offer *o, const struct pay_hint *hint)
{
	const struct country *country = hint ? country_by_code(hint->country) : NULL;

	return country && !strcmp(o->currency, country->currency);
}

/* Keeps the offers that are so, if any is. */
static void prefer(struct offers *all, bool (*is_so)(const struct pay_offer *o))
{
	size_t n = 0;

	for (size_t i = 0; i < all->n; i++)
		n += is_so(&all->at[i]);
	if (n == 0 || n == all->n)
		return;
	n = 0;
	for (size_t i = 0; i < all->n; i++)
		if (is_so(&all->at[i]))
			all->at[n++] = all->at[i];
	all->n = n;
}

static bool is_range(const struct pay_offer *o)
{
	return o->range;
}

static bool is_base(const struct pay_offer *o)
{
	return !o->total;
}

static bool has_period(const struct pay_offer *o)
{
	return o->period != PAY_UNKNOWN;
}

static const struct pay_offer *leading(const struct offers *all, const struct pay_hint *hint)
{
	for (size_t i = 0; i < all->n; i++)
		if (is_local(&all->at[i], hint))
			return &all->at[i];
	return &all->at[0];
}

static bool is_like(const struct pay_offer *o, const struct pay_offer *first)
{
	return o->period == first->period &&
		(!strcmp(o->currency, first->currency) || !o->currency[0]);
}

/* The language of the words around, by its common words; the cue's own counts more. */
static enum pay_language language_of(const struct pay_offer *o, const char *text, size_t len)
{
	int votes[PAY_LANGUAGE_ES + 1] = { 0 };
	struct pay_context c;
	enum pay_language best = PAY_LANGUAGE_EN;

	if (o->language)
		votes[o->language] += CUE_VOTES;
	pay_context_before(&c, text, o->start, VOTES_BYTES);
	for (size_t i = 0; i < c.n; i++)
		votes[c.words[i].term.language]++;
	pay_context_after(&c, text, len, o->end, VOTES_BYTES);
	for (size_t i = 0; i < c.n; i++)
		votes[c.words[i].term.language]++;
	for (size_t i = PAY_LANGUAGE_EN; i < COUNT(votes); i++)
		if (votes[i] > votes[best])
			best = (enum pay_language)i;
	return best;
}

/* In these languages a single amount is where pay begins. */
static bool is_lower_bound(const struct pay_offer *o, const char *text, size_t len,
			   const struct pay_hint *hint)
{
	const char *lang = hint ? hint->lang : NULL;
	enum pay_language language;

	if (lang && lang[0])
		return !strncmp(lang, "de", 2) || !strncmp(lang, "es", 2) ||
			!strncmp(lang, "it", 2);
	language = language_of(o, text, len);
	return language == PAY_LANGUAGE_DE || language == PAY_LANGUAGE_ES;
}

static void span(struct pay *pay, const struct pay_offer *o)
{
	if (o->min && (!pay->min_cents || o->min < pay->min_cents))
		pay->min_cents = o->min;
	if (o->max > pay->max_cents)
		pay->max_cents = o->max;
	pay->open_top = pay->open_top || o->open_top;
	pay->ote = pay->ote || o->ote;
	pay->equity = pay->equity || o->equity;
	pay->contractor = pay->contractor || o->contractor;
	if (!pay->salaries)
		pay->salaries = o->salaries;
	pay->ranges++;
}

static bool is_edge(int c)
{
	return isspace(c) || strchr(":-,;.(|*", c);
}

static void set_place(struct pay_range *r, const char *text, size_t len)
{
	while (len && is_edge((unsigned char)text[0])) {
		text++;
		len--;
	}
	while (len && is_edge((unsigned char)text[len - 1]))
		len--;
	if (len == 0 || len >= PAY_PLACE_SIZE)
		return;
	snprintf(r->place, sizeof r->place, "%.*s", (int)len, text);
}

static bool starts(const char *text, size_t len, size_t at, const char *word)
{
	size_t n = strlen(word);

	return at + n <= len && !memcmp(text + at, word, n);
}

/* Does a line, a sentence or an item end before this byte? "1. Level" is one item. */
static bool is_break(const char *text, size_t at)
{
	if (text[at - 1] == '\n')
		return true;
	return at > 2 && text[at - 1] == ' ' && strchr(".;|", text[at - 2]) &&
		!isdigit((unsigned char)text[at - 3]);
}

/* "New York, NY: $…" or "$… in Durham NC": from the line's begin, the sentence's or the last
 * offer's end to the colon; else behind it. */
static void find_place(struct pay_range *r, const struct pay_offer *o, size_t from,
		       const char *text, size_t len)
{
	size_t begin = o->start, colon = o->start, end = o->end, to;

	while (begin > from && o->start - begin < PAY_PLACE_SIZE && !is_break(text, begin))
		begin--;
	while (colon > begin && text[colon - 1] != ':')
		colon--;
	if (colon > begin) {
		if (o->start - begin < PAY_PLACE_SIZE)
			set_place(r, text + begin, colon - begin);
		return;
	}
	if (!starts(text, len, end, " in ") && !starts(text, len, end, " for "))
		return;
	for (to = end += 4; to < len && !strchr(".;\n|)", text[to]); to++)
		if (starts(text, len, to, " and "))
			break;
	set_place(r, text + end, to - end);
}

static void add_place(struct pay *pay, const struct pay_offer *o, size_t from, const char *text,
		      size_t len)
{
	struct pay_range *r = &pay->places[pay->nplaces];

	if (pay->nplaces == PAY_PLACES_MAX)
		return;
	r->min_cents = o->min;
	r->max_cents = o->max;
	find_place(r, o, from, text, len);
	pay->nplaces++;
}

static void set_single(struct pay *pay, const struct pay_offer *o, const char *text, size_t len,
		       const struct pay_hint *hint)
{
	if (!o->range && !o->bounded && is_lower_bound(o, text, len, hint))
		pay->max_cents = 0;
}

/* A salary field of a posting: a short text of amounts and the words of pay alone. */
static bool is_field(const char *text, size_t len)
{
	static const unsigned WORDS = PAY_WORD_CUE | PAY_WORD_HINT | PAY_WORD_FILLER |
		PAY_WORD_LINK | PAY_WORD_MOST | PAY_WORD_LEAST | PAY_WORD_BETWEEN | PAY_WORD_PER |
		PAY_WORD_EQUITY;
	struct pay_context c;
	struct money m;
	size_t pos = 0;

	if (len > FIELD_BYTES || !money_next(text, len, &pos, &m))
		return false;
	while (!m.marked)
		if (!money_next(text, len, &pos, &m))
			return false;
	pay_context_after(&c, text, len, 0, len);
	for (size_t i = 0; i < c.n; i++)
		if (!isdigit((unsigned char)c.words[i].text[0]) &&
		    (c.words[i].term.flags & PAY_WORD_OTHER ||
		     !(c.words[i].term.flags & WORDS || c.words[i].term.unit ||
		       c.words[i].term.rate)))
			return false;
	return c.n > 0 && c.n < PAY_CONTEXT_WORDS;
}

void pay_find(const char *text, size_t len, const struct pay_hint *hint, struct pay *pay)
{
	struct pay_hint field = hint ? *hint : (struct pay_hint){ 0 };
	struct offers all;
	const struct pay_offer *first;
	size_t from = 0;

	field.is_pay = field.is_pay || is_field(text, len);
	hint = &field;
	collect(text, len, hint, &all);
	prefer(&all, is_range);
	prefer(&all, is_base);
	prefer(&all, has_period);
	if (all.n == 0)
		return;
	first = leading(&all, hint);
	pay->period = first->period;
	pay->period_assumed = first->period && !first->stated;
	memcpy(pay->currency, first->currency, sizeof pay->currency);
	for (size_t i = 0; i < all.n; i++) {
		if (!is_like(&all.at[i], first))
			continue;
		span(pay, &all.at[i]);
		add_place(pay, &all.at[i], from, text, len);
		from = all.at[i].end;
	}
	if (pay->min_cents == pay->max_cents)
		set_single(pay, first, text, len, hint);
	if (pay->ranges == 1)
		pay->nplaces = 0;
}
