/* SPDX-License-Identifier: MIT */
#include "common/base/board.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <xxhash.h>

#include "common/base/buf.h"
#include "common/base/mem.h"

#define DROPPED "board_dropped"

const double BOARD_BOUNDS[BOARD_BUCKETS - 1] = { 0.005, 0.025, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30,
						 60, 300, 1800 };

/* ready is set last: a process that dies while it fills one in leaves it out for good. Two that
 * meet over a new key make two entries of it, which board_put adds up. */
struct entry {
	_Atomic bool ready;
	bool is_time;
	uint64_t hash;
	char key[BOARD_KEY_BYTES];
	_Atomic int64_t n[1 + BOARD_BUCKETS];
};

struct board {
	_Atomic uint32_t used;
	struct entry entries[BOARD_ENTRIES];
};

static struct board *board;

void board_open(void)
{
	if (board)
		return;
	board = mmap(NULL, sizeof *board, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		     0);
	if (board == MAP_FAILED)
		board = NULL;
}

void board_close(void)
{
	if (board)
		munmap(board, sizeof *board);
	board = NULL;
}

static uint32_t used(void)
{
	uint32_t n = atomic_load_explicit(&board->used, memory_order_acquire);

	return n < BOARD_ENTRIES ? n : BOARD_ENTRIES;
}

static struct entry *find(const char *key, uint64_t hash, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		struct entry *e = &board->entries[i];

		if (atomic_load_explicit(&e->ready, memory_order_acquire) && e->hash == hash &&
		    strcmp(e->key, key) == 0)
			return e;
	}
	return NULL;
}

static struct entry *get(const char *key, bool is_time)
{
	uint64_t hash = XXH3_64bits(key, strlen(key));
	struct entry *e = find(key, hash, used());
	uint32_t at;

	if (e)
		return e;
	/* the last place is kept for the count of what had none */
	if (used() >= BOARD_ENTRIES - 1 && strcmp(key, DROPPED) != 0)
		return get(DROPPED, false);
	at = atomic_fetch_add(&board->used, 1);
	if (at >= BOARD_ENTRIES)
		return NULL;
	e = &board->entries[at];
	e->is_time = is_time;
	e->hash = hash;
	snprintf(e->key, sizeof e->key, "%s", key);
	atomic_store_explicit(&e->ready, true, memory_order_release);
	return e;
}

/* Name and labels, a tab between them; control characters in them become '?'. */
static bool write_key(char out[BOARD_KEY_BYTES], const char *name, va_list labels)
{
	size_t n = 0;

	for (const char *part = name; part; part = va_arg(labels, const char *)) {
		if (n > 0)
			out[n++] = '\t';
		for (; *part; part++) {
			if (n + 2 >= BOARD_KEY_BYTES)
				return false;
			out[n++] = (unsigned char)*part < ' ' ? '?' : *part;
		}
	}
	out[n] = '\0';
	return true;
}

void board_add(int64_t n, const char *name, ...)
{
	char key[BOARD_KEY_BYTES];
	struct entry *e;
	va_list labels;

	if (!board || n == 0)
		return;
	va_start(labels, name);
	e = get(write_key(key, name, labels) ? key : DROPPED, false);
	va_end(labels);
	if (e)
		atomic_fetch_add_explicit(&e->n[0], n, memory_order_relaxed);
}

void board_time(int64_t us, const char *name, ...)
{
	char key[BOARD_KEY_BYTES];
	struct entry *e;
	va_list labels;
	int bucket = 0;

	if (!board)
		return;
	if (us < 0)
		us = 0;
	va_start(labels, name);
	e = get(write_key(key, name, labels) ? key : DROPPED, true);
	va_end(labels);
	if (!e)
		return;
	if (!e->is_time) {
		atomic_fetch_add_explicit(&e->n[0], 1, memory_order_relaxed);
		return;
	}
	while (bucket < BOARD_BUCKETS - 1 && (double)us / 1e6 > BOARD_BOUNDS[bucket])
		bucket++;
	atomic_fetch_add_explicit(&e->n[0], us, memory_order_relaxed);
	atomic_fetch_add_explicit(&e->n[1 + bucket], 1, memory_order_relaxed);
}

/* ---- as JSON ---- */

static bool is_first(uint32_t i)
{
	return find(board->entries[i].key, board->entries[i].hash, i) == NULL;
}

static int64_t sum(uint32_t i, uint32_t n, int slot)
{
	const struct entry *of = &board->entries[i];
	int64_t total = 0;

	for (; i < n; i++) {
		struct entry *e = &board->entries[i];

		if (atomic_load_explicit(&e->ready, memory_order_acquire) &&
		    e->hash == of->hash && strcmp(e->key, of->key) == 0)
			total += atomic_load_explicit(&e->n[slot], memory_order_relaxed);
	}
	return total;
}

static void put_numbers(struct buf *out, uint32_t i, uint32_t n)
{
	if (!board->entries[i].is_time) {
		buf_printf(out, "[%lld]", (long long)sum(i, n, 0));
		return;
	}
	buf_printf(out, "[%.6f", (double)sum(i, n, 0) / 1e6);
	for (int b = 0; b < BOARD_BUCKETS; b++)
		buf_printf(out, ",%lld", (long long)sum(i, n, 1 + b));
	buf_putc(out, ']');
}

static size_t name_len(const char *key)
{
	return strcspn(key, "\t");
}

static bool same_name(const char *a, const char *b)
{
	return name_len(a) == name_len(b) && strncmp(a, b, name_len(a)) == 0;
}

static bool is_shown(uint32_t i)
{
	return atomic_load_explicit(&board->entries[i].ready, memory_order_acquire) && is_first(i);
}

static bool name_was_before(uint32_t i)
{
	for (uint32_t j = 0; j < i; j++)
		if (is_shown(j) && same_name(board->entries[j].key, board->entries[i].key))
			return true;
	return false;
}

static void put_name(struct buf *out, uint32_t first, uint32_t n)
{
	const char *key = board->entries[first].key, *sep = "";
	char name[BOARD_KEY_BYTES];

	snprintf(name, sizeof name, "%.*s", (int)name_len(key), key);
	buf_put_json_string(out, name);
	buf_puts(out, ":{");
	for (uint32_t i = first; i < n; i++) {
		const char *labels = board->entries[i].key + name_len(key);

		if (!is_shown(i) || !same_name(board->entries[i].key, key))
			continue;
		buf_puts(out, sep);
		buf_put_json_string(out, *labels ? labels + 1 : labels);
		buf_putc(out, ':');
		put_numbers(out, i, n);
		sep = ",";
	}
	buf_putc(out, '}');
}

void board_put(struct buf *out)
{
	uint32_t n = board ? used() : 0;
	const char *sep = "";

	buf_putc(out, '{');
	for (uint32_t i = 0; i < n; i++) {
		if (!is_shown(i) || name_was_before(i))
			continue;
		buf_puts(out, sep);
		put_name(out, i, n);
		sep = ",";
	}
	buf_putc(out, '}');
}
