/* SPDX-License-Identifier: MIT */
#include "workers/processing/skills.h"

#include <assert.h>
#include <ctype.h>
#include <stdbool.h>
#include <string.h>

#include "common/base/mem.h"

/* The file's bytes, as the assembler includes them. */
__asm__(".section .rodata\n"
	".global skills_file\nskills_file:\n.incbin \"workers/processing/skills.tsv\"\n"
	".global skills_file_end\nskills_file_end:\n.byte 0\n"
	".previous\n");
extern const char skills_file[], skills_file_end[];

enum { SLOTS = 8192, ALIAS_WORDS = 4, WORD_MAX = 40, WINDOW = 4 };

/* One alias, or the beginning of longer ones (skill < 0: only that). */
struct alias {
	uint64_t hash;
	int skill;
	bool begins;
	bool needs_context;
};

static struct {
	struct alias slots[SLOTS];
	char *names[SKILLS_TAXONOMY_MAX];
	size_t n;
} *taxonomy;

/* A word of the text: its place and the hash of its lower-case bytes. */
struct word {
	const char *at;
	size_t len;
	uint64_t hash;
	int skill;			/* matched as (part of) this one; -1 */
};

static bool is_inner(unsigned char c)
{
	return isalnum(c) || c >= 0x80 || c == '+' || c == '#';
}

/* Does the text go on with a letter or digit at p? */
static bool goes_on(const char *p, const char *end)
{
	return p < end && (isalnum((unsigned char)*p) || (unsigned char)*p >= 0x80);
}

static uint64_t hash_byte(uint64_t hash, unsigned char c)
{
	return (hash ^ (uint64_t)(c >= 'A' && c <= 'Z' ? c + 32 : c)) * UINT64_C(1099511628211);
}

#define HASH_BASIS UINT64_C(14695981039346656037)

/* U+2000 to U+20BF: dashes, quotes, bullets, currency signs. */
static bool is_wide_mark(const char *p, const char *end)
{
	return end - p > 2 && (unsigned char)p[0] == 0xE2 && (unsigned char)p[1] >= 0x80 &&
		(unsigned char)p[1] <= 0x82;
}

/* The next word at or after *p; false: none. A word has a byte at least, whatever the bytes are. */
static bool next_word(const char **p, const char *end, struct word *ret)
{
	const char *q = *p;
	uint64_t hash = HASH_BASIS;

	for (;;) {
		while (q < end && !goes_on(q, end) &&
		       !(*q == '.' && goes_on(q + 1, end) && isalpha((unsigned char)q[1])))
			q++;
		if (!is_wide_mark(q, end))
			break;
		q += 3;
	}
	if (q >= end)
		return false;
	ret->at = q;
	for (; q < end; q++) {
		bool mark = *q == '.' && goes_on(q + 1, end);

		if ((!is_inner((unsigned char)*q) && !mark) || is_wide_mark(q, end))
			break;
		hash = hash_byte(hash, (unsigned char)*q);
	}
	ret->len = (size_t)(q - ret->at);
	ret->hash = hash;
	ret->skill = -1;
	*p = q;
	return true;
}

static struct alias *slot_of(uint64_t hash)
{
	size_t i = (hash ^ hash >> 32) % SLOTS;

	while (taxonomy->slots[i].hash && taxonomy->slots[i].hash != hash)
		i = (i + 1) % SLOTS;
	return &taxonomy->slots[i];
}

static struct alias *add_slot(uint64_t hash)
{
	struct alias *a = slot_of(hash);

	if (!a->hash)
		*a = (struct alias){ .hash = hash, .skill = -1 };
	return a;
}

/* 64 bits over a few thousand aliases: equal hashes are taken for equal words. */
static uint64_t join(uint64_t left, uint64_t right)
{
	return (left * 31 + 7) ^ (right * UINT64_C(1099511628211));
}

static void add_alias(const char *text, size_t len, int skill)
{
	const char *p = text, *end = text + len;
	bool context = len > 0 && *text == '?';
	struct word w;
	struct alias *a = NULL;
	uint64_t hash = 0;

	p += context;
	for (int n = 0; n < ALIAS_WORDS && next_word(&p, end, &w); n++) {
		if (a)
			a->begins = true;
		hash = n ? join(hash, w.hash) : w.hash;
		a = add_slot(hash);
	}
	if (a && (a->skill < 0 || context)) {
		a->skill = skill;
		a->needs_context = context;
	}
}

static void add_line(const char *line, size_t len)
{
	const char *name_end = memchr(line, '\t', len);
	const char *kind_end =
		name_end ? memchr(name_end + 1, '\t', len - (size_t)(name_end + 1 - line)) : NULL;
	const char *p, *end = line + len;
	int skill = (int)taxonomy->n;

	assert(kind_end && taxonomy->n < SKILLS_TAXONOMY_MAX);
	taxonomy->names[taxonomy->n++] = mem_strndup(line, (size_t)(name_end - line));
	add_alias(line, (size_t)(name_end - line), skill);
	for (p = kind_end + 1; p < end;) {
		const char *bar = memchr(p, '|', (size_t)(end - p));

		if (!bar)
			bar = end;
		add_alias(p, (size_t)(bar - p), skill);
		p = bar + 1;
	}
}

static void fill(void)
{
	const char *p = skills_file;

	taxonomy = mem_zalloc(sizeof *taxonomy);
	while (p < skills_file_end) {
		const char *end = memchr(p, '\n', (size_t)(skills_file_end - p));

		if (!end)
			end = skills_file_end;
		if (end > p && *p != '#')
			add_line(p, (size_t)(end - p));
		p = end + 1;
	}
}

/* Words of one text as they are read: a ring, so that context on both sides is at hand. */
struct reader {
	const char *p, *end;
	struct word ring[16];
	size_t head, filled;		/* ring[head] is the next word to match */
};

static struct word *ahead(struct reader *r, size_t n)
{
	while (r->filled <= n && next_word(&r->p, r->end, &r->ring[(r->head + r->filled) % 16]))
		r->filled++;
	return n < r->filled ? &r->ring[(r->head + n) % 16] : NULL;
}

static bool is_one_of(const struct word *w, const char *list)
{
	char padded[WORD_MAX + 2];

	if (!w || w->len > WORD_MAX - 1)
		return false;
	padded[0] = ' ';
	for (size_t i = 0; i < w->len; i++)
		padded[i + 1] = (char)tolower((unsigned char)w->at[i]);
	padded[w->len + 1] = '\0';
	for (const char *p = strstr(list, padded); p; p = strstr(p + 1, padded))
		if (p[w->len + 1] == ' ')
			return true;
	return false;
}

static const char SPEAKS_BEFORE[] =
	" in with using language languages programming knowledge experience of like including "
	"e.g and or proficient "
	"code coding stack tech skills strong write writing mit und oder en avec et con y ";
static const char SPEAKS_AFTER[] =
	" programming developer developers development engineer engineers programmer language "
	"lang code coding "
	"experience scripting backend services microservices entwickler kenntnisse or and "
	"framework ";
static const char NEVER_BEFORE[] =
	" series vitamin hepatitis grade class section appendix plan type level part group "
	"category schedule form to we you they ready let a the ";
static const char NEVER_AFTER[] =
	" to level suite corp corporation d getter getters beyond through above live for "
	"back home ahead into out on with suites ";

/* Only list marks between two words ("Python, R and C"): they are neighbours in a list. */
static bool in_one_list(const struct word *a, const struct word *b)
{
	for (const char *p = a->at + a->len; p < b->at; p++)
		if (!strchr(" ,/;|&()", *p) && (unsigned char)*p < 0x80)
			return false;
	return b->at - (a->at + a->len) <= 4;
}

static bool is_clear_skill(const struct word *w)
{
	const struct alias *a = w ? slot_of(w->hash) : NULL;

	return a && a->hash && a->skill >= 0 && !a->needs_context;
}

static bool is_skill_like(const struct word *w)
{
	const struct alias *a = w ? slot_of(w->hash) : NULL;

	return a && a->hash && a->skill >= 0;
}

static bool follows_mark(const struct word *w, const struct reader *r, const char *marks)
{
	const char *p = w->at + w->len;

	return p < r->end && *p && strchr(marks, *p);
}

/* Does the first word ahead, an ambiguous one, stand where a skill would? before: the last words
 * read, nearest first (NULL: none). */
static bool in_context(struct reader *r, const struct word *const before[2], const char *name)
{
	const struct word *w = ahead(r, 0), *next = ahead(r, 1), *after = ahead(r, 2);
	bool listed, capital;

	if (strncmp(w->at, name, w->len) && !(w->len > 3 && islower((unsigned char)w->at[0])))
		return false;
	if (follows_mark(w, r, "&'-") || is_one_of(next, NEVER_AFTER))
		return false;
	capital = isupper((unsigned char)w->at[0]);
	listed = (before[0] && (before[0]->skill >= 0 || (capital && is_skill_like(before[0]))) &&
		  in_one_list(before[0], w)) ||
		(next && (capital ? is_skill_like(next) : is_clear_skill(next)) &&
		 in_one_list(w, next)) ||
		(before[1] && before[1]->skill >= 0 &&
		 is_one_of(before[0], " and or und oder et y e ")) ||
		(after && is_clear_skill(after) && is_one_of(next, " and or und oder et y e "));
	if (listed)
		return capital || w->len > 1;
	if (!capital || is_one_of(before[0], NEVER_BEFORE))
		return false;
	return is_one_of(next, SPEAKS_AFTER) ||
		(is_one_of(before[0], SPEAKS_BEFORE) &&
		 (w->len == 1 || follows_mark(w, r, ",.;)/\n") || !next));
}

static void add_skill(struct skills *s, int skill)
{
	if (s->seen[skill / 8] & 1 << skill % 8)
		return;
	s->seen[skill / 8] |= (uint8_t)(1 << skill % 8);
	if (s->n < SKILLS_MAX)
		s->names[s->n++] = taxonomy->names[skill];
}

/* Words of one name stand together; "Spark, SQL" are two. */
static bool is_joined(const struct word *a, const struct word *b)
{
	const char *p = a->at + a->len;

	if (b->at - p > 2)
		return false;
	for (; p < b->at; p++)
		if (!strchr(" -/.&\n", *p))
			return false;
	return true;
}

/* The longest alias at the first word ahead; returns how many words it takes, 0 for none. */
static size_t match(struct reader *r, const struct alias **ret)
{
	size_t words = 0;
	uint64_t hash = 0;

	for (size_t n = 0; n < ALIAS_WORDS; n++) {
		const struct word *w = ahead(r, n);
		const struct alias *a;

		if (!w || (n > 0 && !is_joined(ahead(r, n - 1), w)))
			break;
		hash = n ? join(hash, w->hash) : w->hash;
		a = slot_of(hash);
		if (!a->hash)
			break;
		if (a->skill >= 0) {
			*ret = a;
			words = n + 1;
		}
		if (!a->begins)
			break;
	}
	return words;
}

void skills_init(struct skills *s)
{
	memset(s, 0, sizeof *s);
}

void skills_find(struct skills *s, const char *text, size_t len)
{
	struct reader r = { .p = text, .end = text + len };
	struct word past[2] = { { .skill = -1 }, { .skill = -1 } };
	const struct word *before[2] = { NULL, NULL };

	if (!taxonomy)
		fill();
	while (ahead(&r, 0)) {
		const struct alias *a = NULL;
		size_t n = match(&r, &a);
		bool found = n > 0 &&
			(!a->needs_context || in_context(&r, before, taxonomy->names[a->skill]));

		if (found)
			add_skill(s, a->skill);
		if (!found)
			n = 1;
		past[1] = n > 1 ? *ahead(&r, n - 2) : past[0];
		past[0] = *ahead(&r, n - 1);
		past[0].skill = found ? a->skill : -1;
		before[1] = past[1].at ? &past[1] : NULL;
		before[0] = &past[0];
		r.head = (r.head + n) % 16;
		r.filled -= n;
	}
}

size_t skills_taxonomy_size(void)
{
	if (!taxonomy)
		fill();
	return taxonomy->n;
}
