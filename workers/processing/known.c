/* SPDX-License-Identifier: MIT */
#include "workers/processing/known.h"

#include <inttypes.h>

#include "common/base/buf.h"
#include "common/base/err.h"
#include "common/base/mem.h"
#include "common/store/pg.h"
#include "workers/processing/alike.h"
#include "workers/processing/alike_set.h"
#include "workers/processing/dedupe.h"
#include "workers/processing/tokens.h"

enum { LIST_MAX_BYTES = 64 * 1024 * 1024 };
#define REPOST_US (KNOWN_REPOST_DAYS * INT64_C(86400000000))

/* A posting that comes again unchanged is not written; its sources know that it did. */
#define COLUMNS \
	"j.id, j.dedupe_key, coalesce(j.apply_key, ''), j.dedupe_title, j.dedupe_company," \
	" j.dedupe_location, j.title, j.remote = 'remote', (extract(epoch FROM greatest(j.last_seen," \
	" (SELECT max(o.last_seen) FROM public.job_sources o WHERE o.job_id = j.id))) * 1000000)::bigint"

/* Retired keys stay with postings that still have their link: the newest first. */
static const char SQL_KEYS[] =
	"SELECT " COLUMNS " FROM public.enhanced_jobs j"
	" WHERE j.is_demo = $3::bool AND j.dedupe_key = ANY ($1::text[])"
	" UNION ALL (SELECT " COLUMNS " FROM public.enhanced_jobs j"
	" WHERE j.is_demo = $3::bool AND j.apply_key = ANY ($2::text[])"
	" AND j.dedupe_key <> ALL ($1::text[]) ORDER BY j.last_seen DESC)";

static const char SQL_NEAR[] =
	"SELECT " COLUMNS ", c.n, j.description FROM jobfleet.near_candidates($1::text[]) c"
	" JOIN public.enhanced_jobs j ON j.id = c.job_id WHERE j.is_demo = $2::bool"
	" ORDER BY c.n, j.last_seen DESC";

void known_release(struct known *known, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free(known[i].key);
}

static void read_keys(const struct pg_rows *rows, size_t i, struct dedupe_keys *k)
{
	snprintf(k->key, sizeof k->key, "%s", pg_text(rows, i, 1));
	snprintf(k->link, sizeof k->link, "%s", pg_text(rows, i, 2));
	snprintf(k->title, sizeof k->title, "%s", pg_text(rows, i, 3));
	snprintf(k->company, sizeof k->company, "%s", pg_text(rows, i, 4));
	snprintf(k->place, sizeof k->place, "%s", pg_text(rows, i, 5));
	k->level = level_parse(pg_text(rows, i, 6));
	k->remote = pg_bool(rows, i, 7);
}

static void take(struct known *ret, const struct known_ask *ask, enum known_how how,
		 const struct pg_rows *rows, size_t i)
{
	ret->how = how;
	snprintf(ret->job_id, sizeof ret->job_id, "%s", pg_text(rows, i, 0));
	mem_replace(&ret->key, mem_strdup(pg_text(rows, i, 1)));
	ret->last_seen_us = pg_int(rows, i, 8);
	ret->repost = ask->has_posted && ask->posted_us > ret->last_seen_us + REPOST_US;
}

/* ---- by key and by link ---- */

/* An element of a PostgreSQL array's text form. */
static void put_element(struct buf *out, const char *text)
{
	buf_putc(out, out->len > 1 ? ',' : ' ');
	buf_putc(out, '"');
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			buf_putc(out, '\\');
		buf_putc(out, *text);
	}
	buf_putc(out, '"');
}

static void match_keys(const struct known_ask *asks, size_t n, const struct pg_rows *rows,
		       struct known *ret)
{
	struct dedupe_keys known;

	for (size_t i = 0; i < pg_rows_count(rows); i++) {
		read_keys(rows, i, &known);
		for (size_t k = 0; k < n; k++) {
			if (!strcmp(asks[k].keys->key, known.key))
				take(&ret[k], &asks[k], KNOWN_BY_KEY, rows, i);
			else if (!ret[k].how && dedupe_same_by_link(&known, asks[k].keys))
				take(&ret[k], &asks[k], KNOWN_BY_LINK, rows, i);
		}
	}
}

static int find_by_keys(struct pg *pg, const struct known_ask *asks, size_t n, const char *demo,
			struct known *ret, struct err *e)
{
	struct buf keys, links;
	struct pg_rows *rows = NULL;
	int64_t r;

	buf_init(&keys, LIST_MAX_BYTES);
	buf_init(&links, LIST_MAX_BYTES);
	buf_putc(&keys, '{');
	buf_putc(&links, '{');
	for (size_t i = 0; i < n; i++) {
		put_element(&keys, asks[i].keys->key);
		if (asks[i].keys->link[0])
			put_element(&links, asks[i].keys->link);
	}
	buf_putc(&keys, '}');
	buf_putc(&links, '}');
	r = pg_run(pg, SQL_KEYS, PG_PARAMS(PG_TEXT(buf_text(&keys)), PG_TEXT(buf_text(&links)),
		   PG_TEXT(demo)), &rows, e);
	if (r >= 0)
		match_keys(asks, n, rows, ret);
	pg_rows_free(rows);
	buf_release(&keys);
	buf_release(&links);
	return r < 0 ? (int)r : 0;
}

/* ---- by description ---- */

static bool is_asked(const struct known_ask *ask, const struct known *known)
{
	return !known->how && ask->near && ask->near->nasked > 0;
}

/* One array of keys a posting, '{}' for those that need no answer, so that places stay equal. */
static bool put_sets(struct buf *out, const struct known_ask *asks, size_t n,
		     const struct known *known)
{
	bool any = false;

	for (size_t i = 0; i < n; i++) {
		buf_puts(out, i ? ",\"{" : "{\"{");
		for (size_t k = 0; is_asked(&asks[i], &known[i]) && k < asks[i].near->nasked; k++)
			buf_printf(out, "%s%" PRId64, k ? "," : "", asks[i].near->asked[k]);
		any = any || is_asked(&asks[i], &known[i]);
		buf_puts(out, "}\"");
	}
	buf_putc(out, '}');
	return any;
}

/* The rows from..to are the candidates of one posting. */
static void choose(const struct known_ask *ask, const struct pg_rows *rows, size_t from, size_t to,
		   struct tokens *words, struct known *ret)
{
	struct alike_choice choice = { .best = -1 };
	struct dedupe_keys known;
	long best;

	for (size_t i = from; i < to; i++) {
		const char *text = pg_text(rows, i, 10);
		double share;

		read_keys(rows, i, &known);
		if (!alike_may_be(ask->keys, &known))
			continue;
		tokens_clear(words);
		tokens_add(words, text, strlen(text));
		share = alike_same(ask->keys, ask->tokens, &known, words);
		if (share > 0)
			alike_choose(&choice, (long)i, share, ask->keys->place, known.place);
	}
	best = alike_chosen(&choice);
	if (best >= 0)
		take(ret, ask, KNOWN_BY_TEXT, rows, (size_t)best);
}

static void match_near(const struct known_ask *asks, size_t n, const struct pg_rows *rows,
		       struct known *ret)
{
	size_t count = pg_rows_count(rows), to;
	struct tokens words;

	tokens_init(&words);
	for (size_t from = 0; from < count; from = to) {
		size_t ask = (size_t)pg_int(rows, from, 9);

		for (to = from + 1; to < count && (size_t)pg_int(rows, to, 9) == ask; to++)
			;
		if (ask >= 1 && ask <= n)
			choose(&asks[ask - 1], rows, from, to, &words, &ret[ask - 1]);
	}
	tokens_release(&words);
}

static int find_near(struct pg *pg, const struct known_ask *asks, size_t n, const char *demo,
		     struct known *ret, struct err *e)
{
	struct pg_rows *rows = NULL;
	struct buf sets;
	int64_t r = 0;

	buf_init(&sets, LIST_MAX_BYTES);
	if (put_sets(&sets, asks, n, ret))
		r = pg_run(pg, SQL_NEAR, PG_PARAMS(PG_TEXT(buf_text(&sets)), PG_TEXT(demo)), &rows,
			   e);
	if (r >= 0 && rows)
		match_near(asks, n, rows, ret);
	pg_rows_free(rows);
	buf_release(&sets);
	return r < 0 ? (int)r : 0;
}

int known_find(struct pg *pg, const struct known_ask *asks, size_t n, bool is_demo,
	       struct known *ret, struct err *e)
{
	const char *demo = is_demo ? "true" : "false";
	int r;

	for (size_t i = 0; i < n; i++)
		ret[i] = (struct known){ 0 };
	r = find_by_keys(pg, asks, n, demo, ret, e);
	return r == 0 ? find_near(pg, asks, n, demo, ret, e) : r;
}
