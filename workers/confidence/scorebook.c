/* SPDX-License-Identifier: MIT */
#include "workers/confidence/scorebook.h"

#include "common/base/err.h"
#include "common/base/json.h"
#include "common/base/mem.h"
#include "common/store/pg.h"

/* What a page can come to: a kibibyte of reasons a row, twice that escaped, keys of four bytes a
 * character; titles of one code that are lent do not add rows. */
enum { COLUMN_MAX_BYTES = 32 << 20 };

static const char SQL_WRITE[] =
	"INSERT INTO confidence_scores AS c (data_type, location, occupation, industry, sample_size_score,"
	" data_freshness_score, source_reliability_score, methodology_score, consistency_score,"
	" overall_confidence_score, year, cache_key, metadata)"
	" SELECT $1, u.* FROM unnest($2::text[], $3::text[], $4::text[], $5::numeric[], $6::numeric[],"
	" $7::numeric[], $8::numeric[], $9::numeric[], $10::numeric[], $11::integer[], $12::text[],"
	" $13::jsonb[]) AS u (location, occupation, industry, sample, fresh, reliable, method, consistent,"
	" overall, year, cache_key, metadata) ORDER BY u.location, u.occupation, u.industry, u.year"
	" ON CONFLICT (data_type, location, occupation, industry, year, quarter) DO UPDATE SET"
	" sample_size_score = excluded.sample_size_score,"
	" data_freshness_score = excluded.data_freshness_score,"
	" source_reliability_score = excluded.source_reliability_score,"
	" methodology_score = excluded.methodology_score, consistency_score = excluded.consistency_score,"
	" overall_confidence_score = excluded.overall_confidence_score, cache_key = excluded.cache_key,"
	" metadata = excluded.metadata, updated_at = now()"
	" WHERE (c.sample_size_score, c.data_freshness_score, c.source_reliability_score,"
	" c.methodology_score, c.consistency_score, c.overall_confidence_score, c.cache_key, c.metadata)"
	" IS DISTINCT FROM (excluded.sample_size_score, excluded.data_freshness_score,"
	" excluded.source_reliability_score, excluded.methodology_score, excluded.consistency_score,"
	" excluded.overall_confidence_score, excluded.cache_key, excluded.metadata)";

/* From the evidence to its scores, so that what is shown first is found first, however many. */
#define SHOW(table, same_occupation) \
	"SELECT to_jsonb(c) FROM (SELECT DISTINCT location, occupation FROM " table \
	" WHERE ($3::text = '*' OR location = $3) AND ($4::text = '' OR occupation IN ($4, $5))" \
	" ORDER BY location, occupation LIMIT $2::bigint) b" \
	" CROSS JOIN LATERAL (SELECT DISTINCT ON (industry) s.* FROM confidence_scores s" \
	" WHERE s.data_type = $1 AND s.location = b.location AND " same_occupation \
	" ORDER BY industry, year DESC) c" \
	" ORDER BY c.location, c.occupation, c.industry LIMIT $2::bigint"

static const char *const SQL_SHOW[] = {
	[EVIDENCE_SALARY] = SHOW("salary_benchmarks", "s.occupation = b.occupation"),
	[EVIDENCE_MARKET] = SHOW("market_data", "(s.occupation = b.occupation"
				 " OR (s.occupation IS NULL AND b.occupation IS NULL))"),
};

void scorebook_init(struct scorebook *b)
{
	*b = (struct scorebook){ .rows = 0 };
	for (int i = 0; i < SCOREBOOK_COLUMNS; i++)
		buf_init(&b->columns[i], COLUMN_MAX_BYTES);
}

void scorebook_release(struct scorebook *b)
{
	for (int i = 0; i < SCOREBOOK_COLUMNS; i++)
		buf_release(&b->columns[i]);
}

void scorebook_clear(struct scorebook *b, enum evidence_kind kind)
{
	b->kind = kind;
	b->rows = 0;
	for (int i = 0; i < SCOREBOOK_COLUMNS; i++)
		buf_clear(&b->columns[i]);
}

/* ---- array literals ---- */

static void put_next(struct buf *b)
{
	buf_putc(b, b->len == 0 ? '{' : ',');
}

/* NULL gives NULL. */
static void put_text(struct buf *b, const char *text)
{
	put_next(b);
	if (!text) {
		buf_puts(b, "NULL");
		return;
	}
	buf_putc(b, '"');
	for (size_t n; *text; text += n) {
		n = strcspn(text, "\"\\");
		if (n == 0) {
			buf_putc(b, '\\');
			n = 1;
		}
		buf_append(b, text, n);
	}
	buf_putc(b, '"');
}

static void put_score(struct buf *b, double v)
{
	put_next(b);
	buf_printf(b, "%.2f", v);
}

/* ---- rows ---- */

static char *reasons(const struct evidence_group *g, const struct score *s)
{
	cJSON *why = score_explain(s, g->evidence), *lent;
	char *text;

	json_set_num(why, "sources", (double)g->count);
	if (g->lent > 0) {
		lent = mem_check(cJSON_CreateArray());
		for (size_t i = g->count - g->lent; i < g->count; i++)
			cJSON_AddItemToArray(lent, mem_check(cJSON_CreateString(
							   g->evidence[i].source)));
		json_set(why, "of_other_titles", lent);
	}
	text = json_print(why);
	cJSON_Delete(why);
	return text;
}

void scorebook_add(struct scorebook *b, const struct evidence_group *g)
{
	struct buf *c = b->columns;
	struct score s;
	char *why;

	score_compute(g->evidence, g->count, &s);
	why = reasons(g, &s);
	put_text(c++, g->location);
	put_text(c++, g->occupation);
	put_text(c++, g->industry);
	put_score(c++, s.sample_size);
	put_score(c++, s.freshness);
	put_score(c++, s.reliability);
	put_score(c++, s.methodology);
	put_score(c++, s.consistency);
	put_score(c++, s.overall);
	put_next(c);
	buf_printf(c++, "%d", g->year);
	put_text(c++, g->cache_key);
	put_text(c, why);
	free(why);
	b->rows++;
}

int64_t scorebook_write(struct scorebook *b, struct pg *pg, struct err *e)
{
	struct pg_param params[1 + SCOREBOOK_COLUMNS] = { PG_TEXT(evidence_kind_name(b->kind)) };

	if (b->rows == 0)
		return 0;
	for (int i = 0; i < SCOREBOOK_COLUMNS; i++) {
		buf_putc(&b->columns[i], '}');
		if (buf_overflowed(&b->columns[i]))
			return err_set(e, ERR_TOO_BIG, "scores of one page are over %d MiB",
				       COLUMN_MAX_BYTES >> 20);
		params[1 + i] = PG_TEXT(buf_text(&b->columns[i]));
	}
	return pg_run(pg, SQL_WRITE, params, COUNT(params), NULL, e);
}

int scorebook_show(struct pg *pg, enum evidence_kind kind, const struct evidence_query *q, int most,
		   cJSON *list, struct err *e)
{
	const struct pg_param params[] = {
		PG_TEXT(evidence_kind_name(kind)), PG_INT(most - cJSON_GetArraySize(list)),
		PG_TEXT(q->location), PG_TEXT(q->occupation), PG_TEXT(q->occupation_given),
	};
	struct pg_rows *rows = NULL;
	int64_t r = pg_run(pg, SQL_SHOW[kind], params, COUNT(params), &rows, e);

	for (size_t i = 0; r >= 0 && i < pg_rows_count(rows); i++)
		cJSON_AddItemToArray(list, mem_check(cJSON_CreateRaw(pg_text(rows, i, 0))));
	pg_rows_free(rows);
	return r < 0 ? (int)r : 0;
}
