/* SPDX-License-Identifier: MIT */
#include "workers/processing/pay_offer.h"

#include <ctype.h>
#include <string.h>

#include "common/base/mem.h"
#include "workers/processing/pay_context.h"

enum { CONNECTOR_MAX = 48, DASH_MAX = 8, SHARED_BELOW_CENTS = 100000, REACH = 96 };

static struct pay_offer offer_of(const struct money *m)
{
	struct pay_offer o = { .min = m->cents,
			       .max = m->cents,
			       .marked = m->marked,
			       .scale = m->scale,
			       .whole = m->whole,
			       .open_top = m->open_top,
			       .start = m->start,
			       .end = m->end,
			       .period = m->per_annum ? PAY_YEAR : PAY_UNKNOWN };

	memcpy(o.currency, m->currency, sizeof o.currency);
	return o;
}

struct marks {
	bool dash, slash, colon, line, bracket;
};

/* What stands between two amounts, judged by its characters: a dash, and nothing that parts. */
static bool read_marks(const char *text, size_t len, struct marks *m)
{
	*m = (struct marks){ 0 };
	for (size_t i = 0; i < len; i++) {
		bool long_dash = i + 2 < len && !memcmp(text + i, "\xE2\x80", 2) &&
			(unsigned char)text[i + 2] >= 0x90 && (unsigned char)text[i + 2] <= 0x95;
		bool last = i + 1 == len;

		if (text[i] == '-' || text[i] == '~' || long_dash)
			m->dash = true;
		else if (text[i] == '/')
			m->slash = true;
		else if (text[i] == '\n')
			m->line = true;
		else if (text[i] == ':')
			m->colon = true;
		else if (text[i] == '(')
			m->bracket = true;
		else if (strchr(";|!?[", text[i]) || (text[i] == ',' && !m->dash) ||
			 (text[i] == '.' && !last && isupper((unsigned char)text[i + 1])))
			return false;
	}
	return true;
}

/* Is it a dash or a range word, perhaps with a period, between two amounts? */
static bool connects(const char *text, size_t len, bool *ret_weak)
{
	struct pay_context c;
	struct marks m;
	bool link;

	*ret_weak = false;
	if (len == 0 || len >= CONNECTOR_MAX || !read_marks(text, len, &m))
		return false;
	pay_context_after(&c, text, len, 0, len);
	if (c.n == 0)
		return !m.colon && (!m.line || m.dash) &&
			((m.dash && len <= DASH_MAX) || (m.slash && len <= 3));
	link = m.dash && !m.bracket;
	for (size_t i = 0; i < c.n; i++) {
		unsigned flags = c.words[i].term.flags;

		if (!(flags & (PAY_WORD_LINK | PAY_WORD_FILLER)) && !c.words[i].term.unit &&
		    !c.words[i].term.rate && !(m.bracket && flags & PAY_WORD_LEAST))
			return false;		/* "$… (min) to $…" */
		if ((m.colon || (m.line && !m.dash)) && !(flags & PAY_WORD_MOST))
			return false;			/* but "min: … max: …" */
		link = link || (flags & PAY_WORD_LINK && !c.words[i].bracketed);
		link = link || (m.dash && m.bracket && i + 1 == c.n);
		*ret_weak = *ret_weak || (flags & PAY_WORD_WEAK_LINK && !m.dash);
	}
	return link;
}

static bool said_between(const char *text, size_t start)
{
	struct pay_context c;

	pay_context_before(&c, text, start, 48);
	for (size_t i = 0; i < c.n && i < 4; i++)
		if (c.words[i].term.flags & PAY_WORD_BETWEEN)
			return true;
	return false;
}

/* "90-110k": the scale of either bound holds for both; "90-110,000": so do the thousands. */
static void share_scale(struct money *a, struct money *b)
{
	static const int64_t FACTOR[] = { 1, 1000, 100000, 1000000 };
	struct money *small = a->scale ? b : a;
	enum money_scale scale = a->scale ? a->scale : b->scale;

	if (a->scale == b->scale && !a->scale && a->whole && a->cents < SHARED_BELOW_CENTS &&
	    b->cents >= 1000 * a->cents && b->cents <= 4000 * a->cents)
		a->cents *= 1000;
	if (a->scale == b->scale || small->scale || small->cents >= SHARED_BELOW_CENTS)
		return;
	small->cents *= FACTOR[scale];
	small->scale = scale;
}

static int currency_rank(const struct money *m)
{
	return !m->currency[0] ? 0 : m->currency[0] == '$' ? 1 : 2;
}

static void share_currency(struct money *a, struct money *b)
{
	struct money *to = currency_rank(a) < currency_rank(b) ? a : b;
	const struct money *from = to == a ? b : a;

	if (currency_rank(to) < currency_rank(from))
		memcpy(to->currency, from->currency, sizeof to->currency);
	a->marked = b->marked = a->marked || b->marked;
}

/* The period that stands at the first bound: "$20/hr - $25". */
static enum pay_period period_between(const char *text, size_t len)
{
	struct pay_context c;
	enum pay_period found = PAY_UNKNOWN;

	pay_context_after(&c, text, len, 0, len);
	for (size_t i = 0; i < c.n && !found; i++)
		if (strcmp(c.words[i].text, "a") != 0)
			found = c.words[i].term.rate ? c.words[i].term.rate : c.words[i].term.unit;
	return found;
}

static void join(struct pay_offer *o, struct money *a, struct money *b, const char *text)
{
	share_scale(a, b);
	share_currency(a, b);
	*o = offer_of(b);
	o->range = true;
	o->whole = a->whole && b->whole;
	o->start = a->start;
	o->min = a->cents < b->cents ? a->cents : b->cents;
	o->max = a->cents < b->cents ? b->cents : a->cents;
	if (!o->period)
		o->period = period_between(text + a->end, b->start - a->end);
	o->stated = o->period != PAY_UNKNOWN;
}

/* "31/35 K€" is a range; "24/7" and dates are not. */
static bool is_slashed(const char *text, const struct money *a, const struct money *b)
{
	return memchr(text + a->end, '/', b->start - a->end) &&
		!(b->scale == MONEY_THOUSAND || (a->marked && b->cents >= SHARED_BELOW_CENTS &&
						 b->cents <= 2 * a->cents));
}

static bool are_one(const char *text, size_t len, bool is_pay, const struct money *a,
		    const struct money *b)
{
	bool weak;

	return b->start > a->end && b->start - a->end < CONNECTOR_MAX &&
		(a->marked || b->marked || a->scale || b->scale || (!a->whole && !b->whole) ||
		 (a->cents >= SHARED_BELOW_CENTS && b->cents >= SHARED_BELOW_CENTS) ||
		 (b->end < len && text[b->end] == '/')) &&
		connects(text + a->end, b->start - a->end, &weak) &&
		(!weak || is_pay || said_between(text, a->start)) && !is_slashed(text, a, b);
}

/* "$104,000 - $130,000 - $156,000": the middle is no bound. */
static void extend(struct pay_offer *o, const char *text, size_t len, size_t *pos)
{
	struct money c;
	size_t ahead = *pos;
	bool weak;

	if (!money_next(text, len, &ahead, &c) || c.start < o->end || c.start - o->end > DASH_MAX ||
	    !c.marked || c.scale != o->scale || c.cents <= o->max || c.cents > 4 * o->min ||
	    memchr(text + o->end, '/', c.start - o->end) ||
	    !connects(text + o->end, c.start - o->end, &weak))
		return;
	o->max = c.cents;
	o->end = c.end;
	*pos = ahead;
}

bool pay_offer_next(const char *text, size_t len, size_t *pos, bool is_pay, struct pay_offer *ret)
{
	struct money a, b;
	size_t ahead, to;

	if (!money_next(text, len, pos, &a))
		return false;
	ahead = *pos;
	to = ahead + REACH < len ? ahead + REACH : len;
	*ret = offer_of(&a);
	ret->gloss = a.start > 0 && text[a.start - 1] == '(';
	if (!money_next(text, to, &ahead, &b) || !are_one(text, len, is_pay, &a, &b))
		return true;
	join(ret, &a, &b, text);
	ret->gloss = a.start > 0 && text[a.start - 1] == '(';
	extend(ret, text, ahead + REACH < len ? ahead + REACH : len, &ahead);
	*pos = ahead;
	return true;
}
