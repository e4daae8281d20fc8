/* SPDX-License-Identifier: MIT */
#include <ctype.h>
#include <string.h>

#include "common/base/mem.h"
#include "workers/processing/pay_context.h"
#include "workers/processing/pay_offer.h"
#include "workers/processing/pay_timing.h"

enum {
	BEFORE_BYTES = 140, AFTER_BYTES = 90, NEAR_WORDS = 4, BARE_WORDS = 3, CLAUSE_WORDS = 7,
	BARE_FROM_CENTS = 1000000, BARE_YEAR_FROM_CENTS = 1500000,
	YEAR_RATIO_MAX = 3,
};

/* What the words say of an amount. */
struct verdict {
	int before, behind;		/* 1 pay, -1 other money, 0 nothing */
	bool hint;			/* by a general word only: "range" */
	bool far;			/* it stands in another sentence */
	bool label;			/* "Salary: …" */
	bool attribute;			/* behind says "gross" only */
	bool apart;			/* a comma or more parts it from the amount */
	bool year;			/* it is a range as high as a year's pay */
	size_t distance;		/* in words; behind's where that alone tells */
	enum pay_language language;
};

/* "Customers pay …": a price. */
static bool is_price(const struct pay_context *c, size_t cue)
{
	if (!(c->words[cue].term.flags & PAY_WORD_PAYS))
		return false;
	for (size_t i = cue + 1; i < c->n && i <= cue + 2; i++)
		if (c->words[i].term.flags & PAY_WORD_PAYER)
			return true;
	return false;
}

/* "Bonus range", "differential rate": of the other money. */
static bool is_of_other(const struct pay_context *c, size_t i, bool year)
{
	return i + 1 < c->n && !(year && c->words[i].term.flags & PAY_WORD_CUE) &&
		c->words[i + 1].term.flags & PAY_WORD_OTHER &&
		!(c->words[i + 1].term.flags & PAY_WORD_STOP) &&
		c->words[i + 1].gap == PAY_GAP_NONE;
}

/* "We paid …": no offer. */
static bool is_past(const struct pay_context *c, size_t i)
{
	return pay_word_is(&c->words[i], "paid") && i + 1 < c->n &&
		pay_word_is(&c->words[i + 1], "we");
}

/* "Budget for the role: …" is pay. */
static bool is_for_role(const struct pay_context *c, size_t to)
{
	for (size_t i = 0; i < to; i++)
		if (c->words[i].term.flags & PAY_WORD_ROLE)
			return true;
	return false;
}

static int judge_word(const struct pay_context *c, size_t i, bool reaches, const struct verdict *v)
{
	unsigned flags = c->words[i].term.flags;

	if (is_past(c, i))
		return -1;
	if (flags & (PAY_WORD_CUE | PAY_WORD_HINT))
		return is_price(c, i) || is_of_other(c, i, v->year) ? -1 : 1;
	if (!(flags & PAY_WORD_OTHER) || (c->words[i].bracketed && !c->bracketed))
		return 0;
	if (flags & PAY_WORD_VARIABLE && c->words[i].gap == PAY_GAP_OPEN && !c->bracketed)
		return 0;
	if (flags & PAY_WORD_BUDGET && is_for_role(c, i))
		return 1;
	return reaches ? -1 : 0;
}

/* The nearest telling word before. Other money reaches over a line end only as a heading, and over
 * no sentence's end. */
static void judge_before(const struct pay_context *c, struct verdict *v)
{
	bool line = false, sentence = false, heading = false;
	size_t i;

	for (i = 0; i < c->n && !v->before; i++) {
		enum pay_gap gap = c->words[i].gap;

		if (gap >= PAY_GAP_LINE && line)
			return;
		line = line || gap >= PAY_GAP_LINE;
		heading = heading || gap == PAY_GAP_HEADING;
		sentence = sentence || gap == PAY_GAP_SENTENCE;
		v->apart = v->apart || gap >= PAY_GAP_COMMA;
		v->before = judge_word(c, i, !sentence && (!line || heading), v);
		if (v->before > 0) {
			v->language = c->words[i].term.language;
			v->hint = !(c->words[i].term.flags & PAY_WORD_CUE);
			v->far = sentence;
			v->distance = i;
			v->label = i <= 1 && c->words[i].gap == PAY_GAP_OPEN;
		}
	}
}

/* A telling word behind, in the same clause: other money before pay, "gross" last. German says what
 * an amount is before it: what stands behind is the next thing of a list, as it is behind the
 * period of what a label or a sentence calls pay. */
static void judge_behind(const struct pay_context *c, struct verdict *v)
{
	bool called = v->before > 0 && !v->hint && !v->far && v->distance < BARE_WORDS;
	bool german = called && !v->apart && v->distance <= 1 &&
		v->language == PAY_LANGUAGE_DE;
	size_t near = (v->year && called) || german ? 0 : v->label || v->year ? 1 : NEAR_WORDS;
	size_t content = 0;
	bool timed = false;

	for (size_t i = 0; i < c->n && i < CLAUSE_WORDS; i++) {
		const struct pay_word *w = &c->words[i];
		unsigned flags = w->term.flags;

		if (w->gap >= PAY_GAP_COMMA || isdigit((unsigned char)w->text[0]) ||
		    (flags & PAY_WORD_STOP && !(i == 0 && flags & PAY_WORD_OTHER && v->before < 0)))
			return;
		if (flags & PAY_WORD_OTHER && content < near &&
		    !(timed && v->before > 0 && v->distance < NEAR_WORDS)) {
			v->behind = -1;
			return;
		}
		timed = timed || w->term.unit || w->term.rate;
		content += !(flags & PAY_WORD_FILLER) && !w->term.unit;
		if (flags & PAY_WORD_PAYS ||
		    !(flags & PAY_WORD_CUE || (flags & PAY_WORD_HINT && i < 2)))
			continue;
		v->attribute = (!v->behind || v->attribute) &&
			(flags & PAY_WORD_FILLER || !(flags & PAY_WORD_CUE));
		if (!v->behind && !v->before)
			v->distance = i;
		v->behind = 1;
		if (!v->language)
			v->language = w->term.language;
	}
}

static bool any(const struct pay_context *c, size_t n, unsigned flags)
{
	for (size_t i = 0; i < c->n && i < n; i++)
		if (c->words[i].term.flags & flags)
			return true;
	return false;
}

/* "from $50,000", "minimum salary: …", "pay starts at", "ab", "50.000 € y más". */
static bool is_least(const struct pay_context *before, const struct pay_context *after)
{
	for (size_t i = 0; i < before->n && i < 4; i++) {
		const struct pay_word *w = &before->words[i];

		if (w->gap >= PAY_GAP_SENTENCE)
			break;
		if (w->term.flags & PAY_WORD_LEAST && !pay_word_is(w, "starting"))
			return i < 2 || pay_word_is(w, "minimum") || pay_word_is(w, "minimal") ||
				w->term.flags & PAY_WORD_CUE || w->term.flags & PAY_WORD_BETWEEN ||
				pay_word_is(&before->words[i - 1], "bei");
		if (pay_word_is(w, "starting") && i == 1)
			return pay_word_is(&before->words[0], "at") ||
				pay_word_is(&before->words[0], "from");
		if (pay_word_is(w, "least") || pay_word_is(w, "than") || pay_word_is(w, "als"))
			return true;
		if (!(w->term.flags & (PAY_WORD_FILLER | PAY_WORD_CUE | PAY_WORD_LINK)) && i > 1)
			break;
	}
	return after->n > 1 && (pay_word_is(&after->words[1], "up") ||
				pay_word_is(&after->words[1], "more") ||
				pay_word_is(&after->words[1], "mehr")) &&
		after->words[0].term.flags & (PAY_WORD_LINK | PAY_WORD_STOP);
}

static bool is_most(const struct pay_context *c)
{
	for (size_t i = 0; i < c->n && i < 3; i++) {
		const struct pay_word *w = &c->words[i];

		if (w->gap >= PAY_GAP_COMMA)
			return false;
		if (w->term.flags & PAY_WORD_MOST)
			return true;
		if (pay_word_is(w, "bis") && i < 2)
			return true;
		if (pay_word_is(w, "to") && i + 1 < c->n && pay_word_is(w + 1, "up"))
			return true;
		if (pay_word_is(w, "than") && i + 2 < c->n && pay_word_is(w + 2, "no"))
			return true;
	}
	return false;
}

static void set_bounds(struct pay_offer *o, const struct pay_context *before,
		       const struct pay_context *after)
{
	if (o->range)
		return;
	o->bounded = true;
	if (is_most(before))
		o->min = 0;
	else if (o->open_top || is_least(before, after))
		o->max = 0;
	else
		o->bounded = false;
}

/* "£65,000 plus bonus": what is paid besides makes it pay. */
static bool has_extras(const struct pay_context *c)
{
	bool plus = false;

	for (size_t i = 0; i < c->n && i < 5 && c->words[i].gap < PAY_GAP_SENTENCE; i++) {
		plus = plus || c->words[i].gap == PAY_GAP_COMMA ||
			pay_word_is(&c->words[i], "plus") || pay_word_is(&c->words[i], "zzgl");
		if (c->words[i].term.flags & PAY_WORD_EXTRA)
			return plus;
	}
	return false;
}

static int64_t most_of(const struct pay_offer *o)
{
	return o->max ? o->max : o->min;
}

/* A number without a currency: a large one right behind a word for pay, or one with its period. */
static bool is_bare_pay(const struct pay_offer *o, const struct verdict *v,
			const struct pay_context *after, bool is_pay)
{
	bool said = v->before > 0 && !v->hint && !v->far && v->distance < BARE_WORDS;
	bool behind = o->range && v->behind > 0 && v->distance < 2;
	bool called = v->before > 0 && !v->far && v->distance < BARE_WORDS;
	bool timed = after->n &&
		(after->words[0].gap == PAY_GAP_SLASH ||
		 after->words[0].term.flags & PAY_WORD_PER) &&
		o->stated;

	if (o->scale == MONEY_THOUSAND)
		return is_pay || behind ||
			(v->before > 0 && !any(after, 1, PAY_WORD_PAYER) &&
			 v->distance <= (o->range && !v->far ? CLAUSE_WORDS : BARE_WORDS));
	if (is_pay)
		return true;
	if (o->whole && !timed)
		return ((said && v->distance < 2) || behind) && o->min >= BARE_YEAR_FROM_CENTS &&
			o->max % 50000 == 0;
	return (called && timed) ||
		(said && o->min >= BARE_FROM_CENTS && (o->range || v->label || v->distance == 0)) ||
		(v->before > 0 && v->distance <= BARE_WORDS && o->range &&
		 o->min >= BARE_FROM_CENTS) ||
		(behind && o->min >= BARE_FROM_CENTS);
}

/* Numbers that are no money even among words for pay, told before any word is read: most are. */
static bool is_a_count(const struct pay_offer *o, const char *text, size_t len)
{
	size_t next = o->end + (o->end < len && text[o->end] == ' ');

	return !o->marked && o->scale == MONEY_ONE && o->max < BARE_FROM_CENTS &&
		!(next < len && strchr("/pP", text[next]));
}

static bool is_year_range(const struct pay_offer *o)
{
	return o->range && o->marked && o->max <= YEAR_RATIO_MAX * o->min &&
		o->min >= BARE_YEAR_FROM_CENTS && o->max < 100000000;
}

/* "Our typical project is …", "renovations of …", "Contract: …": a thing's price. */
static bool is_worth(const struct pay_context *c)
{
	for (size_t i = 0; i < c->n && i < 3 && c->words[i].gap < PAY_GAP_COMMA; i++)
		if (c->words[i].term.flags & PAY_WORD_PAYER)
			return true;
	return c->n > 1 && c->words[0].term.flags & PAY_WORD_PREPOSITION &&
		c->words[0].gap == PAY_GAP_NONE && c->words[1].gap == PAY_GAP_NONE &&
		!(c->words[1].term.flags & (PAY_WORD_ROLE | PAY_WORD_LEAST));
}

/* Without a word for pay: what is stated with its period and paid for that, or a year's range. */
static bool is_pay_by_form(const struct pay_offer *o, const struct pay_context *before)
{
	static const int64_t LEAST[PAY_PERIOD_COUNT] = {
		[PAY_HOUR] = 600,	   [PAY_DAY] = 8000,	[PAY_WEEK] = 30000,
		[PAY_TWO_WEEKS] = 60000, [PAY_MONTH] = 90000, [PAY_YEAR] = 1500000,
	};
	int64_t value = most_of(o);

	if (o->open_top && !o->range)
		return false;
	if (o->period >= PAY_MONTH && is_worth(before))
		return false;
	if (o->stated)
		return value >= LEAST[o->period] &&
			(!o->range || o->max <= YEAR_RATIO_MAX * o->min);
	return o->period == PAY_YEAR && is_year_range(o) &&
		!(before->n && before->words[0].term.flags &
			  (PAY_WORD_BETWEEN | PAY_WORD_LEAST | PAY_WORD_PREPOSITION));
}

static void find_period(struct pay_offer *o, const struct pay_context *before,
			const struct pay_context *after, bool english)
{
	if (!o->period)
		o->period = pay_timing_after(after, most_of(o));
	o->stated = o->period != PAY_UNKNOWN;
	if (!o->period) {
		o->period = pay_timing_before(before);
		if (o->period && !pay_offer_is_plausible(most_of(o), o->currency, o->period))
			o->period = PAY_UNKNOWN;
		o->stated = o->period != PAY_UNKNOWN;
	}
	if (!o->period)
		o->period = pay_offer_guess(most_of(o), o->currency, english);
}

/* In the same clause, and before the next number. */
static bool says(const struct pay_context *c, size_t n, unsigned flags)
{
	for (size_t i = 0; i < c->n && i < n; i++) {
		if (c->words[i].gap >= PAY_GAP_COMMA || isdigit((unsigned char)c->words[i].text[0]))
			return false;
		if (c->words[i].term.flags & flags)
			return true;
	}
	return false;
}

/* "On-target earnings": OTE in words. */
static bool says_target(const struct pay_context *c)
{
	for (size_t i = 0; i + 1 < c->n && i < 6; i++)
		if (pay_word_is(&c->words[i], "earnings") &&
		    pay_word_is(&c->words[i + 1], "target"))
			return true;
	return false;
}

static void set_flags(struct pay_offer *o, const struct pay_context *before,
		      const struct pay_context *after)
{
	o->ote = says_target(before) || says(before, 6, PAY_WORD_OTE) ||
		says(after, 6, PAY_WORD_OTE);
	o->equity = any(before, 4, PAY_WORD_EQUITY) || any(after, 10, PAY_WORD_EQUITY);
	o->contractor = any(before, 12, PAY_WORD_CONTRACTOR) || any(after, 12, PAY_WORD_CONTRACTOR);
	o->total = o->ote || says(before, 4, PAY_WORD_TOTAL) || says(after, 2, PAY_WORD_TOTAL);
	o->salaries = pay_timing_salaries(after);
}

static bool is_english(const struct verdict *v, const struct pay_hint *hint)
{
	if (hint && hint->lang && hint->lang[0])
		return !strncmp(hint->lang, "en", 2);
	return v->language == PAY_LANGUAGE_EN;
}

bool pay_offer_judge(struct pay_offer *o, const char *text, size_t len, const struct pay_hint *hint)
{
	struct pay_context before, after;
	struct verdict v = { 0 };
	bool is_pay = hint && hint->is_pay, telling;

	if (o->scale == MONEY_MILLION || (!is_pay && is_a_count(o, text, len)))
		return false;
	pay_context_before(&before, text, o->start, BEFORE_BYTES);
	pay_context_after(&after, text, len, o->end, AFTER_BYTES);
	v.year = is_year_range(o);
	judge_before(&before, &v);
	judge_behind(&after, &v);
	if (v.behind < 0 ||
	    (v.before < 0 && (v.behind <= 0 || (v.attribute && !(v.year && v.apart)))))
		return false;
	if (!v.before && !v.behind && o->marked && has_extras(&after))
		v.behind = most_of(o) >= BARE_YEAR_FROM_CENTS;
	find_period(o, &before, &after, is_english(&v, hint));
	if (!o->marked && !is_bare_pay(o, &v, &after, is_pay))
		return false;
	telling = is_pay || v.behind > 0 ||
		(v.before > 0 && !(v.far && o->range && !o->stated) &&
		 (o->stated || o->range ||
		  (!v.far && (!v.hint || most_of(o) >= BARE_YEAR_FROM_CENTS))));
	if (pay_timing_is_thing(&after) &&
	    !(telling && o->min >= BARE_YEAR_FROM_CENTS && !o->stated))
		return false;
	if (!telling && !is_pay_by_form(o, &before))
		return false;
	if (!o->period && !is_pay && !(o->range && v.before > 0 && !v.hint))
		return false;
	o->language = v.language;
	set_bounds(o, &before, &after);
	set_flags(o, &before, &after);
	return pay_offer_is_plausible(most_of(o), o->currency, o->period);
}
