/* SPDX-License-Identifier: MIT */
/* The search for pay in running text. Each amount (or two with a range word between) is an offer to
 * be judged by its surroundings: the nearest telling word before it, or a few words behind it, says
 * whether it is pay; what is judged pay gets a period from behind, from before, else from its size;
 * the offers of the first one's period and currency are then spanned. */
#include <ctype.h>
#include <string.h>

#include "common/base/mem.h"
#include "workers/processing/money.h"
#include "workers/processing/pay_words.h"
#include "workers/processing/text.h"

enum {
	BEFORE_BYTES = 110, AFTER_BYTES = 60, WORDS_MAX = 40, CONNECTOR_MAX = 40, OFFERS_MAX = 64,
	NEAR_WORDS = 4, BARE_WORDS = 3,
	DAY_FROM_CENTS = 10000,
};

struct words {
	char text[BEFORE_BYTES + 40];
	const char *at[WORDS_MAX];
	size_t n;
};

struct offer {
	int64_t min, max;		/* cents; 0 = open */
	bool range, marked, open_top, whole;
	enum money_scale scale;
	char currency[4];
	enum pay_period period;
	enum pay_language language;
	size_t start, end;
};

static void split(struct words *w, const char *text, size_t len)
{
	char piece[BEFORE_BYTES + 40];

	w->n = 0;
	if (len >= sizeof piece)
		len = sizeof piece - 1;
	memcpy(piece, text, len);
	piece[len] = '\0';
	text_fold(piece, w->text, sizeof w->text);
	for (char *save = NULL, *p = strtok_r(w->text, " ", &save); p && w->n < WORDS_MAX;
	     p = strtok_r(NULL, " ", &save))
		w->at[w->n++] = p;
}

/* The text before an amount, back over one line end at most (a heading). */
static void words_before(struct words *w, const char *text, size_t start)
{
	size_t from = start > BEFORE_BYTES ? start - BEFORE_BYTES : 0;
	int lines = 0;

	for (size_t i = start; i > from; i--)
		if (text[i - 1] == '\n' && i < start && ++lines == 2) {
			from = i;
			break;
		}
	while (from < start && ((unsigned char)text[from] & 0xC0) == 0x80)
		from++;
	split(w, text + from, start - from);
}

/* The text behind an amount to the end of its clause; at most to the next digit. */
static void words_after(struct words *w, const char *text, size_t len, size_t end, bool clause)
{
	size_t to = end;

	while (to < len && to - end < AFTER_BYTES && text[to] != '\n' &&
	       !isdigit((unsigned char)text[to]) && !(clause && strchr(",;(+", text[to])) &&
	       !(text[to] == '.' && to + 1 < len && text[to + 1] == ' '))
		to++;
	split(w, text + end, to - end);
}

static enum pay_period period_after(const struct words *w)
{
	for (size_t i = 0; i < w->n && i < 6; i++) {
		enum pay_period found = pay_word_rate(w->at[i]);

		if (!strcmp(w->at[i], "a") && i + 1 < w->n && !strcmp(w->at[i + 1], "week"))
			return PAY_WEEK;
		if (!strcmp(w->at[i], "p") && i + 1 < w->n && strlen(w->at[i + 1]) == 1)
			return w->at[i + 1][0] == 'a'	 ? PAY_YEAR
				: w->at[i + 1][0] == 'h' ? PAY_HOUR
				: w->at[i + 1][0] == 'm' ? PAY_MONTH
							 : PAY_UNKNOWN;
		if (!found && !(pay_word_filler(w->at[i]) && i + 1 < w->n))
			found = pay_word_period(w->at[i]);
		if (found)
			return found;
		if (!pay_word_filler(w->at[i]) && pay_word_cue(w->at[i]) == PAY_LANGUAGE_NONE)
			return PAY_UNKNOWN;
	}
	return PAY_UNKNOWN;
}

/* The nearest rate word before, but not across other money ("annual bonus … 20 $"). */
static enum pay_period period_before(const struct words *w)
{
	for (size_t i = w->n; i > 0; i--) {
		enum pay_period found = pay_word_rate(w->at[i - 1]);

		if (found)
			return found;
		if (i >= 2 && i < w->n &&
		    (!strcmp(w->at[i - 1], "per") || !strcmp(w->at[i - 1], "pro")) &&
		    pay_word_period(w->at[i]))
			return pay_word_period(w->at[i]);
		if (pay_word_negative(w->at[i - 1]))
			return PAY_UNKNOWN;
	}
	return PAY_UNKNOWN;
}

static bool is_among(const char *list, const char *word)
{
	char padded[32];

	if (!word || strlen(word) > 28)
		return false;
	snprintf(padded, sizeof padded, " %s ", word);
	return strstr(list, padded) != NULL;
}

/* "up to" and "from" before a single amount say which bound it is. */
static void set_bounds(struct offer *o, const struct words *before)
{
	static const char MOST[] =
		" to zu max maximum jusqua jusqu hasta maximal until under capped fino ";
	static const char LEAST[] =
		" from ab mindestens partir desde least starting starts minimum min over dessus de "
		"minimo above minimal von da ";
	const char *last = before->n ? before->at[before->n - 1] : NULL;
	const char *second = before->n > 1 ? before->at[before->n - 2] : NULL;

	if (o->range)
		return;
	if (is_among(MOST, last) && (strcmp(last, "to") || is_among(" up ", second)) &&
	    (strcmp(last, "zu") || is_among(" bis ", second)))
		o->min = 0;
	else if (o->open_top ||
		 is_among(" from ab mindestens desde minimum min over above minimo minimal ",
			  last) ||
		 (is_among(LEAST, last) && is_among(LEAST, second)) ||
		 (is_among(" at of ", last) && is_among(" least starting starts minimum ", second)))
		o->max = 0;
	else if (o->language == PAY_LANGUAGE_DE || o->language == PAY_LANGUAGE_ES)
		o->max = 0;
}

/* Nearest telling word before: 1 pay, -1 other money, 0 none; *ret_distance in words. */
static int judge_before(const struct words *w, enum pay_language *ret_language,
			size_t *ret_distance)
{
	for (size_t i = w->n; i > 0; i--) {
		enum pay_language language = pay_word_cue(w->at[i - 1]);

		*ret_distance = w->n - i;
		if (pay_word_negative(w->at[i - 1]))
			return -1;
		if (language != PAY_LANGUAGE_NONE) {
			*ret_language = language;
			return 1;
		}
	}
	*ret_distance = w->n;
	return 0;
}

static int judge_after(const struct words *w, enum pay_language *ret_language)
{
	for (size_t i = 0; i < w->n; i++) {
		enum pay_language language = pay_word_cue(w->at[i]);

		if (!strcmp(w->at[i], "plus") || !strcmp(w->at[i], "and") ||
		    !strcmp(w->at[i], "et") || !strcmp(w->at[i], "und"))
			return 0;
		if (i < NEAR_WORDS && pay_word_negative(w->at[i]))
			return -1;
		if (language != PAY_LANGUAGE_NONE && strcmp(w->at[i], "a")) {
			*ret_language = language;
			return 1;
		}
	}
	return 0;
}

/* Would anybody be paid this? In cents of the larger currencies; INR and JPY are larger numbers. */
static bool is_plausible(const struct offer *o)
{
	static const int64_t BOUNDS[PAY_PERIOD_COUNT][2] = {
		[PAY_UNKNOWN] = { 500, 200000000 },   [PAY_HOUR] = { 300, 150000 },
		[PAY_DAY] = { 3000, 1000000 },	      [PAY_WEEK] = { 10000, 4000000 },
		[PAY_TWO_WEEKS] = { 20000, 8000000 }, [PAY_MONTH] = { 20000, 15000000 },
		[PAY_YEAR] = { 500000, 500000000 },
	};
	int64_t value = o->max ? o->max : o->min;
	int64_t wide = !strcmp(o->currency, "INR") || !strcmp(o->currency, "JPY") ? 100 : 1;

	return value >= BOUNDS[o->period][0] && value <= BOUNDS[o->period][1] * wide;
}

static void guess_period(struct offer *o)
{
	int64_t value = o->max ? o->max : o->min;
	bool local = !strcmp(o->currency, "EUR") && o->language != PAY_LANGUAGE_EN;

	if (!strcmp(o->currency, "INR") || !strcmp(o->currency, "JPY"))
		return;
	if (value >= 1500000)
		o->period = PAY_YEAR;
	else if (local && value >= 40000 && value < 1000000)
		o->period = PAY_MONTH;
	else if (value >= 700 && value <= 15000)
		o->period = PAY_HOUR;
}

static bool accept(struct offer *o, const char *text, size_t len, bool is_pay)
{
	struct words before, after, clause;
	enum pay_language language = PAY_LANGUAGE_NONE;
	size_t distance = 0;
	int verdict, behind;
	bool stated;

	if (o->scale == MONEY_MILLION)
		return false;
	words_before(&before, text, o->start);
	words_after(&after, text, len, o->end, false);
	words_after(&clause, text, len, o->end, true);
	verdict = judge_before(&before, &language, &distance);
	behind = judge_after(&clause, &language);
	if (behind < 0 || (verdict < 0 && behind <= 0))
		return false;
	if (!o->marked && o->scale != MONEY_THOUSAND && (o->whole || o->min < 1000000))
		return false;
	if (!o->marked && !is_pay && (verdict <= 0 || distance > BARE_WORDS))
		return false;
	o->language = language;
	if (!o->period)
		o->period = period_after(&after);
	if (!o->period)
		o->period = period_before(&before);
	stated = o->period != PAY_UNKNOWN;
	if (!stated && (is_pay || verdict > 0 || behind > 0 || o->range))
		guess_period(o);
	set_bounds(o, &before);
	/* A day's small sum without a word for pay is a meal. */
	if (!is_pay && verdict == 0 && behind == 0 &&
	    !(stated && (o->period != PAY_DAY || o->max >= DAY_FROM_CENTS)) &&
	    !(o->range && o->period == PAY_YEAR))
		return false;
	return is_plausible(o) && (o->min || o->max);
}

/* What stands between two amounts of a range: a dash or word, perhaps behind a period. */
static bool connects(const char *text, size_t len, bool *ret_weak)
{
	static const char LINKS[] = " to bis a und and et y e through through up jusqua hasta - ";
	struct words w;
	char piece[CONNECTOR_MAX];
	bool dash = false;
	size_t n = 0;

	if (len == 0 || len >= sizeof piece || memchr(text, '\n', len))
		return false;
	for (size_t i = 0; i < len; i++) {
		bool long_dash =
			i + 2 < len && (!memcmp(text + i, "–", 3) || !memcmp(text + i, "—", 3));

		if (text[i] == '-' || text[i] == '~' || long_dash)
			dash = true;
		else if (strchr(".;:(,", text[i]))
			return false;
		n++;
	}
	split(&w, text, len);
	*ret_weak = false;
	if (dash && w.n == 0)
		return n <= 5;
	for (size_t i = 0; i < w.n; i++) {
		if (!is_among(LINKS, w.at[i]) && !pay_word_period(w.at[i]) &&
		    !pay_word_filler(w.at[i]))
			return false;
		dash = dash || is_among(LINKS, w.at[i]);
		*ret_weak = *ret_weak || is_among(" and und et y e ", w.at[i]);
	}
	return dash;
}

static bool said_between(const char *text, size_t start)
{
	struct words w;
	static const char BETWEEN[] = " between zwischen entre tra from von de ";

	words_before(&w, text, start);
	for (size_t i = w.n; i > 0 && w.n - i < 3; i--)
		if (is_among(BETWEEN, w.at[i - 1]))
			return true;
	return false;
}

/* "90-110k": the scale of either bound holds for both. */
static void share_scale(struct money *a, struct money *b)
{
	static const int64_t FACTOR[] = { 1, 1000, 100000, 1000000 };
	struct money *small = a->scale ? b : a;
	enum money_scale scale = a->scale ? a->scale : b->scale;

	if (a->scale == b->scale || small->scale || small->cents >= 100000)
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

static struct offer offer_of(const struct money *m)
{
	struct offer o = { .min = m->cents,
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

static void join(struct offer *o, struct money *a, struct money *b, const char *text)
{
	struct words between;

	share_scale(a, b);
	share_currency(a, b);
	split(&between, text + a->end, b->start - a->end);
	*o = offer_of(b);
	o->range = true;
	o->whole = a->whole && b->whole;
	o->start = a->start;
	o->min = a->cents < b->cents ? a->cents : b->cents;
	o->max = a->cents < b->cents ? b->cents : a->cents;
	if (!o->period)
		o->period = period_after(&between);
}

/* The next offer at *pos: one amount, or two that are connected. */
static bool next_offer(const char *text, size_t len, size_t *pos, struct offer *ret)
{
	struct money a, b;
	size_t ahead;
	bool weak;

	if (!money_next(text, len, pos, &a))
		return false;
	ahead = *pos;
	*ret = offer_of(&a);
	if (money_next(text, len, &ahead, &b) && b.start >= a.end &&
	    b.start - a.end < CONNECTOR_MAX && connects(text + a.end, b.start - a.end, &weak) &&
	    (!weak || said_between(text, a.start)) &&
	    (a.marked || b.marked || a.scale || b.scale || (!a.whole && !b.whole))) {
		join(ret, &a, &b, text);
		*pos = ahead;
	}
	return true;
}

static void span(struct pay *pay, const struct offer *o)
{
	if (!pay->ranges) {
		pay->min_cents = o->min;
		pay->max_cents = o->max;
		pay->period = o->period;
		memcpy(pay->currency, o->currency, sizeof pay->currency);
	} else {
		if (o->min && (!pay->min_cents || o->min < pay->min_cents))
			pay->min_cents = o->min;
		if (o->max > pay->max_cents)
			pay->max_cents = o->max;
	}
	pay->open_top = pay->open_top || o->open_top;
	pay->ranges++;
}

static bool same_kind(const struct pay *pay, const struct offer *o)
{
	return !pay->ranges || (pay->period == o->period &&
		(!strcmp(pay->currency, o->currency) || !o->currency[0]));
}

static void set_flags(struct pay *pay, const char *text, size_t len, const struct offer *o)
{
	struct words w;
	size_t from = o->start > 30 ? o->start - 30 : 0, to = o->end + 60 < len ? o->end + 60 : len;

	split(&w, text + from, to - from);
	for (size_t i = 0; i < w.n; i++) {
		pay->ote = pay->ote || !strcmp(w.at[i], "ote");
		pay->equity = pay->equity || !strcmp(w.at[i], "equity");
	}
}

void pay_find(const char *text, size_t len, bool is_pay, struct pay *pay)
{
	struct offer offers[OFFERS_MAX];
	size_t pos = 0, n = 0;
	bool ranges = false;

	while (n < OFFERS_MAX && next_offer(text, len, &pos, &offers[n]))
		if (accept(&offers[n], text, len, is_pay)) {
			ranges = ranges || offers[n].range;
			n++;
		}
	for (size_t i = 0; i < n; i++) {
		if ((ranges && !offers[i].range) || !same_kind(pay, &offers[i]))
			continue;
		span(pay, &offers[i]);
		set_flags(pay, text, len, &offers[i]);
	}
}
