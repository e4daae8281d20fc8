/* SPDX-License-Identifier: MIT */
#include "workers/processing/dedupe.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdint.h>
#include <xxhash.h>

#include "common/base/mem.h"
#include "common/base/text.h"

enum { FIRST_SLOTS = 256 };

static void place_key(const struct place *place, const char *workplace, char out[DEDUPE_PLACE_MAX])
{
	char city[128], region[96];
	size_t n = 0;

	text_fold(place->city, city, sizeof city);
	text_fold(place->region_code[0] ? place->region_code : place->region, region,
		  sizeof region);
	out[0] = '\0';
	if (city[0] || region[0])
		n = (size_t)snprintf(out, DEDUPE_PLACE_MAX, "%s,%s", city, region);
	if (n < DEDUPE_PLACE_MAX)
		snprintf(out + n, DEDUPE_PLACE_MAX - n, "%s%s%s", n ? "," : "", place->country,
			 n || strcmp(workplace, "remote") != 0 ? "" : ",remote");
	for (char *p = out; *p; p++)
		*p = (char)tolower((unsigned char)*p);
}

void dedupe_keys_fill(struct dedupe_keys *k, const char *title, const char *company,
		      const struct place *place, const char *workplace, const char *apply_link)
{
	title_match_key(title, k->title);
	company_match_key(company, k->company);
	place_key(place, workplace, k->place);
	weblink_match_key(apply_link, k->link);
	snprintf(k->key, sizeof k->key, "%s|%s|%s", k->title, k->company, k->place);
	k->level = level_parse(title);
	k->remote = !strcmp(workplace, "remote");
}

/* "austin,tx,us" against "us" or "": one says less, nothing else. */
static bool places_agree(const char *a, const char *b)
{
	const char *last_a = strrchr(a, ','), *last_b = strrchr(b, ',');

	if (!strcmp(a, b) || !a[0] || !b[0])
		return true;
	if (!last_a || !strcmp(last_a, ",remote"))
		return !last_b || !strcmp(last_b, ",remote") || !strncmp(last_b + 1, a, 2);
	return (!last_b || !strcmp(last_b, ",remote")) && !strncmp(last_a + 1, b, 2);
}

static bool share_word(const char *a, const char *b)
{
	for (const char *p = a; *p; p += strspn(p, " ")) {
		size_t n = strcspn(p, " ");
		char word[TITLE_MAX];

		snprintf(word, sizeof word, "%.*s", (int)n, p);
		if (n >= 3 && text_has_word(b, word))
			return true;
		p += n;
	}
	return false;
}

/* A run of four digits: the link is of one posting, not of a page for all of a company's. */
static bool has_number(const char *link)
{
	int run = 0;

	for (; *link && run < 4; link++)
		run = isdigit((unsigned char)*link) ? run + 1 : 0;
	return run == 4;
}

int dedupe_same_by_link(const struct dedupe_keys *a, const struct dedupe_keys *b)
{
	if (!a->link[0] || strcmp(a->link, b->link) != 0 || a->level != b->level ||
	    !places_agree(a->place, b->place))
		return false;
	if (!strcmp(a->title, b->title))
		return true;
	return !strcmp(a->company, b->company) &&
		(has_number(a->link) || share_word(a->title, b->title));
}

/* Two open hash tables over one list of remembered postings. */
struct entry {
	struct dedupe_keys keys;
	int index;
};

struct dedupe_set {
	struct entry *entries;
	size_t n, cap;
	uint32_t *by_key, *by_link;	/* entry number + 1; 0 = free */
	size_t slots;			/* power of two, at least twice n */
};

static uint64_t hash(const char *text)
{
	return XXH3_64bits(text, strlen(text));
}

struct dedupe_set *dedupe_set_open(void)
{
	struct dedupe_set *set = mem_zalloc(sizeof *set);

	set->slots = FIRST_SLOTS;
	set->by_key = mem_zalloc(set->slots * sizeof *set->by_key);
	set->by_link = mem_zalloc(set->slots * sizeof *set->by_link);
	return set;
}

void dedupe_set_close(struct dedupe_set *set)
{
	if (!set)
		return;
	free(set->entries);
	free(set->by_key);
	free(set->by_link);
	free(set);
}

static void insert(uint32_t *table, size_t slots, const char *key, size_t entry)
{
	size_t i = hash(key) & (slots - 1);

	while (table[i])
		i = (i + 1) & (slots - 1);
	table[i] = (uint32_t)entry + 1;
}

static void grow(struct dedupe_set *set)
{
	free(set->by_key);
	free(set->by_link);
	set->slots *= 2;
	set->by_key = mem_zalloc(set->slots * sizeof *set->by_key);
	set->by_link = mem_zalloc(set->slots * sizeof *set->by_link);
	for (size_t i = 0; i < set->n; i++) {
		insert(set->by_key, set->slots, set->entries[i].keys.key, i);
		if (set->entries[i].keys.link[0])
			insert(set->by_link, set->slots, set->entries[i].keys.link, i);
	}
}

static const struct entry *find(const struct dedupe_set *set, const struct dedupe_keys *keys)
{
	for (size_t i = hash(keys->key) & (set->slots - 1); set->by_key[i];
	     i = (i + 1) & (set->slots - 1))
		if (!strcmp(set->entries[set->by_key[i] - 1].keys.key, keys->key))
			return &set->entries[set->by_key[i] - 1];
	if (!keys->link[0])
		return NULL;
	for (size_t i = hash(keys->link) & (set->slots - 1); set->by_link[i];
	     i = (i + 1) & (set->slots - 1))
		if (dedupe_same_by_link(&set->entries[set->by_link[i] - 1].keys, keys))
			return &set->entries[set->by_link[i] - 1];
	return NULL;
}

int dedupe_set_add(struct dedupe_set *set, const struct dedupe_keys *keys, int index)
{
	const struct entry *known = find(set, keys);

	if (known)
		return known->index;
	if (set->n == set->cap) {
		set->cap = set->cap ? set->cap * 2 : 64;
		set->entries = mem_realloc(set->entries, set->cap * sizeof *set->entries);
	}
	set->entries[set->n++] = (struct entry){ .keys = *keys, .index = index };
	if (set->n * 2 > set->slots) {
		grow(set);
		return -1;
	}
	insert(set->by_key, set->slots, keys->key, set->n - 1);
	if (keys->link[0])
		insert(set->by_link, set->slots, keys->link, set->n - 1);
	return -1;
}
