/* SPDX-License-Identifier: MIT */
/* lookup: what it costs to ask the main table which postings it knows, and to make what is asked.
 *
 * usage: lookup BATCHES      on the database of JOBFLEET_DATABASE_URL, whose schema is there
 * Loads 1,000 postings of 300 words, then asks for batches of 100: half new ones, half copies of
 * those under another company's name, which only their descriptions tell. Prints one JSON line:
 * microseconds a posting (the median batch) of the question to the database, of making keys from a
 * description, and of embedding it; and the share of the copies that were found. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/base/buf.h"
#include "common/base/clock.h"
#include "common/base/err.h"
#include "common/base/mem.h"
#include "common/base/scan.h"
#include "common/store/pg.h"
#include "workers/processing/alike.h"
#include "workers/processing/dedupe.h"
#include "workers/processing/embed.h"
#include "workers/processing/known.h"
#include "workers/processing/tokens.h"

enum { BATCH = 100, PLANTED = 1000, WORDS = 300, VOCABULARY = 20000, BATCHES_MAX = 10000 };

struct made {
	struct dedupe_keys keys;
	struct tokens tokens;
	struct alike_keys near;
	struct buf text;
};

static struct err error;

static void check(int64_t r)
{
	if (r < 0) {
		fprintf(stderr, "lookup: %s\n", error.msg);
		exit(1);
	}
}

/* The same number gives the same posting. */
static void make(struct made *m, unsigned number, const char *company)
{
	char title[64], name[64];
	struct place place;
	uint64_t x = number * UINT64_C(2654435761) + 1;

	snprintf(title, sizeof title, "Fitter %u", number);
	snprintf(name, sizeof name, "Firm %u%s", number % 500, company);
	place_parse("Austin, TX", "US", &place);
	dedupe_keys_fill(&m->keys, title, name, &place, "unknown", NULL);
	buf_clear(&m->text);
	for (int i = 0; i < WORDS; i++) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		buf_printf(&m->text, "w%u ", (unsigned)(x % VOCABULARY));
	}
}

static void make_keys(struct made *m)
{
	tokens_clear(&m->tokens);
	tokens_add(&m->tokens, buf_text(&m->text), m->text.len);
	alike_keys_fill(&m->near, &m->keys, &m->tokens, false);
}

static void plant(struct pg *pg, struct made *m, unsigned number)
{
	struct buf keys;

	make(m, number, "");
	make_keys(m);
	buf_init(&keys, 4096);
	for (size_t i = 0; i < m->near.nstored; i++)
		buf_printf(&keys, "%c%" PRId64, i ? ',' : '{', m->near.stored[i]);
	buf_putc(&keys, '}');
	check(pg_run(
		pg,
		"INSERT INTO public.enhanced_jobs (title, company, dedupe_title,"
		" dedupe_company, dedupe_location, dedupe_key, api_provider, description, near_keys)"
		" VALUES ($1, $2, $1, $2, $3, $4, 'bench', $5, $6::bigint[])"
		" ON CONFLICT DO NOTHING",
		PG_PARAMS(PG_TEXT(m->keys.title), PG_TEXT(m->keys.company), PG_TEXT(m->keys.place),
			  PG_TEXT(m->keys.key), PG_TEXT(buf_text(&m->text)),
			  PG_TEXT(buf_text(&keys))),
		NULL, &error));
	buf_release(&keys);
}

static int ascending(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median(double *values, size_t n)
{
	qsort(values, n, sizeof *values, ascending);
	return values[n / 2];
}

struct times {
	double *ask, *keys, *embed;
	int found, copies;
};

static double per_posting(int64_t from_us)
{
	return (double)(clock_mono_us() - from_us) / BATCH;
}

static void embed_all(const struct made *made)
{
	float vector[EMBED_DIMENSIONS];
	struct embed e;

	for (int i = 0; i < BATCH; i++) {
		embed_init(&e);
		embed_add_tokens(&e, &made[i].tokens, 1);
		embed_finish(&e, vector);
	}
}

/* Even ones are copies of what was planted, odd ones new. */
static void ask_batch(struct pg *pg, struct made *made, unsigned number, struct times *t, int at)
{
	struct known_ask asks[BATCH];
	struct known known[BATCH];
	int64_t start;

	for (unsigned i = 0; i < BATCH; i++)
		make(&made[i],
		     i % 2 ? PLANTED + number * BATCH + i : (number * BATCH + i) % PLANTED,
		     i % 2 ? "" : " Careers");
	start = clock_mono_us();
	for (int i = 0; i < BATCH; i++)
		make_keys(&made[i]);
	t->keys[at] = per_posting(start);
	start = clock_mono_us();
	embed_all(made);
	t->embed[at] = per_posting(start);
	for (int i = 0; i < BATCH; i++)
		asks[i] = (struct known_ask){ .keys = &made[i].keys, .tokens = &made[i].tokens,
					      .near = &made[i].near };
	start = clock_mono_us();
	check(known_find(pg, asks, BATCH, false, known, &error));
	t->ask[at] = per_posting(start);
	for (int i = 0; i < BATCH; i++) {
		t->copies += i % 2 == 0;
		t->found += i % 2 == 0 && known[i].how == KNOWN_BY_TEXT;
	}
	known_release(known, BATCH);
}

int main(int argc, char **argv)
{
	const char *url = getenv("JOBFLEET_DATABASE_URL");
	struct made *made = mem_zalloc(BATCH * sizeof *made);
	struct times t = { 0 };
	struct pg *pg;
	int batches;

	if (argc != 2 || !url || scan_int(argv[1], 1, BATCHES_MAX, &batches, &error) < 0) {
		fprintf(stderr, "usage: JOBFLEET_DATABASE_URL=URL lookup BATCHES\n");
		return 100;
	}
	check(pg_open(&pg, url, "lookup", 10000, &error));
	t.ask = mem_zalloc((size_t)batches * sizeof *t.ask);
	t.keys = mem_zalloc((size_t)batches * sizeof *t.keys);
	t.embed = mem_zalloc((size_t)batches * sizeof *t.embed);
	for (int i = 0; i < BATCH; i++)
		buf_init(&made[i].text, 64 * 1024);
	for (unsigned i = 0; i < PLANTED; i++)
		plant(pg, &made[0], i);
	for (int i = 0; i < batches; i++)
		ask_batch(pg, made, (unsigned)i, &t, i);
	printf("{\"ask_us\": %.1f, \"keys_us\": %.1f, \"embed_us\": %.1f, \"found\": %.4f}\n",
	       median(t.ask, (size_t)batches), median(t.keys, (size_t)batches),
	       median(t.embed, (size_t)batches), (double)t.found / t.copies);
	pg_close(pg);
	return 0;
}
