/* SPDX-License-Identifier: MIT */
#include "workers/processing/alike_set.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "common/base/mem.h"
#include "workers/processing/alike.h"
#include "workers/processing/dedupe.h"
#include "workers/processing/tokens.h"

enum { FIRST_SLOTS = 4096, CANDIDATES_MAX = 16 };

struct member {
	size_t number;
	struct dedupe_keys keys;
	struct tokens words;
};

/* Keys in an open table; equal keys stand behind each other. */
struct slot {
	int64_t key;
	uint32_t member;		/* + 1; 0 = free */
};

struct alike_set {
	struct member *members;
	size_t n, cap;
	struct slot *slots;
	size_t nslots, used;		/* nslots is a power of two, at least twice used */
};

struct alike_set *alike_set_open(void)
{
	struct alike_set *set = mem_zalloc(sizeof *set);

	set->nslots = FIRST_SLOTS;
	set->slots = mem_zalloc(set->nslots * sizeof *set->slots);
	return set;
}

void alike_set_close(struct alike_set *set)
{
	if (!set)
		return;
	for (size_t i = 0; i < set->n; i++)
		tokens_release(&set->members[i].words);
	free(set->members);
	free(set->slots);
	free(set);
}

static void put(struct slot *slots, size_t nslots, int64_t key, uint32_t member)
{
	size_t at = (uint64_t)key & (nslots - 1);

	while (slots[at].member)
		at = (at + 1) & (nslots - 1);
	slots[at] = (struct slot){ key, member };
}

static void grow(struct alike_set *set)
{
	size_t nslots = 2 * set->nslots;
	struct slot *slots = mem_zalloc(nslots * sizeof *slots);

	for (size_t i = 0; i < set->nslots; i++)
		if (set->slots[i].member)
			put(slots, nslots, set->slots[i].key, set->slots[i].member);
	free(set->slots);
	set->slots = slots;
	set->nslots = nslots;
}

void alike_set_add(struct alike_set *set, size_t number, const struct dedupe_keys *keys,
		   const struct tokens *words, const struct alike_keys *near)
{
	struct member *m;

	if (near->nstored == 0 || set->n == ALIKE_SET_MAX)
		return;
	if (set->n == set->cap) {
		set->cap = set->cap ? 2 * set->cap : 128;
		set->members = mem_realloc(set->members, set->cap * sizeof *set->members);
	}
	m = &set->members[set->n++];
	*m = (struct member){ .number = number, .keys = *keys };
	m->words.hash = mem_dup(words->hash, words->n * sizeof *words->hash);
	m->words.n = m->words.cap = words->n;
	for (size_t i = 0; i < near->nstored; i++) {
		if (2 * ++set->used > set->nslots)
			grow(set);
		put(set->slots, set->nslots, near->stored[i], (uint32_t)set->n);
	}
}

/* Adds those that stand under the key and are not yet among the found. */
static size_t collect(const struct alike_set *set, int64_t key, uint32_t *found, size_t n)
{
	size_t mask = set->nslots - 1;

	for (size_t at = (uint64_t)key & mask; set->slots[at].member && n < CANDIDATES_MAX;
	     at = (at + 1) & mask) {
		bool known = set->slots[at].key != key;

		for (size_t i = 0; i < n && !known; i++)
			known = found[i] == set->slots[at].member;
		if (!known)
			found[n++] = set->slots[at].member;
	}
	return n;
}

long alike_set_find(const struct alike_set *set, const struct dedupe_keys *keys,
		    const struct tokens *words, const struct alike_keys *near)
{
	struct alike_choice choice = { .best = -1 };
	uint32_t found[CANDIDATES_MAX];
	size_t n = 0;

	for (size_t i = 0; i < near->nasked; i++)
		n = collect(set, near->asked[i], found, n);
	for (size_t i = 0; i < n; i++) {
		const struct member *m = &set->members[found[i] - 1];
		double share = alike_same(keys, words, &m->keys, &m->words);

		if (share > 0)
			alike_choose(&choice, (long)m->number, share, keys->place, m->keys.place);
	}
	return alike_chosen(&choice);
}

void alike_choose(struct alike_choice *c, long candidate, double share, const char *own_place,
		  const char *place)
{
	int own = !strcmp(own_place, place);

	if (c->best >= 0 && !own && strcmp(c->place, place) != 0)
		c->several = 1;
	if (c->best >= 0 && (own < c->own_place || (own == c->own_place && share <= c->share)))
		return;
	c->best = candidate;
	c->share = share;
	c->own_place = own;
	snprintf(c->place, sizeof c->place, "%s", place);
}

long alike_chosen(const struct alike_choice *c)
{
	return c->own_place || !c->several ? c->best : -1;
}
