/* SPDX-License-Identifier: MIT */
#include "workers/processing/words.h"

#include <ctype.h>

#define BASIS UINT64_C(0x9E3779B97F4A7C15)
#define PRIME UINT64_C(0xD6E8FEB86659FD93)

/* What a byte is hashed as; 0 ends a word, WIDE begins a character above ASCII. */
enum { WIDE = 1 };
#define AS_IS_10(c) [c] = (c), [(c) + 1] = (c) + 1, [(c) + 2] = (c) + 2, [(c) + 3] = (c) + 3, \
	[(c) + 4] = (c) + 4, [(c) + 5] = (c) + 5, [(c) + 6] = (c) + 6, [(c) + 7] = (c) + 7, \
	[(c) + 8] = (c) + 8, [(c) + 9] = (c) + 9
#define SMALL(c) [(c) - 32] = (c), [c] = (c)
static const unsigned char FOLDED[256] = {
	AS_IS_10('0'), ['+'] = '+', ['#'] = '#',
	SMALL('a'), SMALL('b'), SMALL('c'), SMALL('d'), SMALL('e'), SMALL('f'), SMALL('g'),
	SMALL('h'), SMALL('i'), SMALL('j'), SMALL('k'), SMALL('l'), SMALL('m'), SMALL('n'),
	SMALL('o'), SMALL('p'), SMALL('q'), SMALL('r'), SMALL('s'), SMALL('t'), SMALL('u'),
	SMALL('v'), SMALL('w'), SMALL('x'), SMALL('y'), SMALL('z'),
	[0x80 ... 0xFF] = WIDE,
};

/* U+00C0 to U+00FF without their marks; 0 for the two signs among them. */
static const char LATIN[] = "aaaaaaaceeeeiiiidnooooo\0ouuuuytsaaaaaaaceeeeiiiidnooooo\0ouuuuyty";

static bool goes_on(const char *p, const char *end)
{
	return p < end && FOLDED[(unsigned char)*p] > '#' && *p != '+';
}

static bool is_letter(const char *p, const char *end)
{
	return p < end && (isalpha((unsigned char)*p) || (unsigned char)*p >= 0x80);
}

/* The bytes of the character above ASCII at p; ret_letter: its folded letter, WIDE to be hashed as
 * it is, '\'' for an apostrophe, 0 for a mark that ends words. */
static size_t wide(const char *p, const char *end, unsigned char *ret_letter)
{
	const unsigned char *u = (const unsigned char *)p;
	size_t left = (size_t)(end - p);

	*ret_letter = WIDE;
	if (u[0] == 0xC3 && left > 1 && u[1] >= 0x80 && u[1] <= 0xBF) {
		*ret_letter = (unsigned char)LATIN[u[1] - 0x80];
		return 2;
	}
	if (u[0] == 0xC2 && left > 1) {
		*ret_letter = 0;
		return 2;
	}
	if (u[0] == 0xE2 && left > 2 && u[1] >= 0x80 && u[1] <= 0xAF) {
		*ret_letter = u[1] == 0x80 && (u[2] == 0x98 || u[2] == 0x99) ? '\'' : 0;
		return 3;
	}
	return 1;
}

/* After the mark at p: does the word go on? ".NET Core", "Node.js" and "Ph.D." do, "end.Begin"
 * does not; "l'anglais" and "d'un" do not, "driver's" does. */
static bool dot_inside(const char *start, const char *p, const char *end)
{
	if (!goes_on(p + 1, end))
		return false;
	return !(p - start > 1 && isupper((unsigned char)p[1]) &&
		 p + 3 < end && islower((unsigned char)p[2]) && islower((unsigned char)p[3]));
}

static bool apostrophe_inside(const char *start, const char *p, const char *after, const char *end)
{
	return p - start > 2 && is_letter(after, end);
}

/* To where a word begins, or to the end. */
static const char *skip_marks(const char *p, const char *end)
{
	while (p < end) {
		unsigned char letter = FOLDED[(unsigned char)*p];

		if (letter == WIDE) {
			size_t n = wide(p, end, &letter);

			if (letter && letter != '\'')
				return p;
			p += n;
		} else if (letter > '+' || (*p == '.' && goes_on(p + 1, end) &&
					    isalpha((unsigned char)p[1]))) {
			return p;
		} else {
			p++;
		}
	}
	return p;
}

/* Letters are gathered eight at a time and mixed as one number: a multiplication for each would
 * cost more than everything else that is done to a word. */
struct letters {
	uint64_t hash, eight, full_hash, full;	/* the last two: before the last mixing */
	unsigned n;
};

static uint64_t mixed(uint64_t hash, uint64_t eight)
{
	hash = (hash ^ eight) * PRIME;
	return hash ^ hash >> 32;
}

static inline void add_letter(struct letters *l, unsigned char letter)
{
	l->eight = l->eight << 8 | letter;
	if (++l->n % 8)
		return;
	l->full_hash = l->hash;
	l->full = l->eight;
	l->hash = mixed(l->hash, l->eight);
	l->eight = 0;
}

static uint64_t hash_of(const struct letters *l)
{
	return mixed(l->hash, l->eight + 1);
}

/* As if the last letter had not come. */
static uint64_t hash_without_last(const struct letters *l)
{
	return l->n % 8 ? mixed(l->hash, (l->eight >> 8) + 1)
			: mixed(l->full_hash, (l->full >> 8) + 1);
}

/* The character at p that no plain letter is: a mark inside the word or one above ASCII. Returns
 * the bytes to take, 0 where the word ends. */
static size_t special(const char *start, const char *p, const char *end, struct letters *l)
{
	unsigned char letter = (unsigned char)*p;
	size_t n = 1;

	if (letter >= 0x80)
		n = wide(p, end, &letter);
	else if (letter == '.')
		letter = p == start || dot_inside(start, p, end) ? '.' : 0;
	if (letter == '\'')
		return apostrophe_inside(start, p, p + n, end) ? n : 0;
	if (!letter || (n == 1 && letter != '.' && letter != WIDE))
		return 0;
	add_letter(l, letter == WIDE ? (unsigned char)*p : letter);
	return n;
}

/* Plain letters from p on; the gathered ones live in registers meanwhile. */
static inline const char *plain_letters(const char *p, const char *end, struct letters *all)
{
	struct letters l = *all;
	unsigned char letter;

	while (p < end && (letter = FOLDED[(unsigned char)*p]) > WIDE) {
		add_letter(&l, letter);
		p++;
	}
	*all = l;
	return p;
}

static const char *read_one(const char *p, const char *end, struct word *ret)
{
	const char *start = p;
	struct letters l = { .hash = BASIS };

	if (end - p > WORDS_LONGEST)
		end = p + WORDS_LONGEST;
	for (;;) {
		size_t n;

		p = plain_letters(p, end, &l);
		if (p >= end || *p == ' ' || *p == ',' || !(n = special(start, p, end, &l)))
			break;
		p += n;
	}
	ret->at = start;
	ret->hash = hash_of(&l);
	ret->len = (uint16_t)(p - start);
	ret->stem = p - start > 3 && p[-1] == 's' ? hash_without_last(&l) : 0;
	return p;
}

size_t words_read(const char **p, const char *end, struct word *ret, size_t max)
{
	const char *q = *p;
	size_t n = 0;

	while (n < max) {
		/* One blank and a letter are what mostly stands between two words. */
		if (end - q > 1 && *q == ' ' && FOLDED[(unsigned char)q[1]] > '+')
			q++;
		else
			q = skip_marks(q, end);
		if (q >= end)
			break;
		q = read_one(q, end, &ret[n++]);
	}
	*p = q;
	return n;
}

uint64_t words_join(uint64_t left, uint64_t right)
{
	return mixed(left * 31 + 7, right);
}
