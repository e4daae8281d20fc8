/* SPDX-License-Identifier: MIT */
#include "workers/processing/batch.h"

#include <math.h>

#include "common/base/buf.h"
#include "common/base/err.h"
#include "common/base/mem.h"
#include "common/base/uuid.h"
#include "common/store/pg.h"
#include "workers/processing/dedupe.h"
#include "workers/processing/embed.h"
#include "workers/processing/outcome.h"
#include "workers/processing/posting.h"

enum { BATCH_MAX_BYTES = 256 * 1024 * 1024, EMBED_DIGITS = 5, EMBED_UNIT = 100000 };

/* One posting that waits for its batch. */
struct entry {
	int index;
	struct raw row;
	struct dedupe_keys keys;
	char duplicate_of[UUID_SIZE];	/* in the main table; "" none */
	char *merge_key;		/* NULL: its own */
	bool repeats;			/* one of this processing */
	struct buf json;		/* up to, not with, its last brace; merge_key comes behind */
	struct buf vector;
	size_t line, line_len;		/* in the batch's lines */
};

struct batch {
	struct pg *pg;
	struct outcome *outcome;
	struct dedupe_set *seen;
	char **merge_keys;		/* by sequence of the first postings of this processing */
	size_t nseen, cap;
	struct entry *entries;
	int n, size;
	bool is_demo, array_type;	/* the embedding column is real[], not vector */
	struct buf lines;
};

int batch_open(struct batch **ret, struct pg *pg, struct outcome *outcome, int batch_size,
	       bool is_demo, struct err *e)
{
	struct pg_rows *rows = NULL;
	int64_t r = pg_run(
		pg,
		"SELECT format_type(atttypid, NULL) = 'real[]' FROM pg_attribute WHERE attrelid ="
		" 'public.processed_job_data'::regclass AND attname = "
		"'embedding'",
		NULL, 0, &rows, e);
	struct batch *b;

	if (r < 0)
		return (int)r;
	b = mem_zalloc(sizeof *b);
	b->pg = pg;
	b->outcome = outcome;
	b->size = batch_size > 0 ? batch_size : 1;
	b->is_demo = is_demo;
	b->array_type = pg_bool(rows, 0, 0);
	b->seen = dedupe_set_open();
	b->entries = mem_zalloc((size_t)b->size * sizeof *b->entries);
	buf_init(&b->lines, BATCH_MAX_BYTES);
	for (int i = 0; i < b->size; i++) {
		buf_init(&b->entries[i].json, BATCH_MAX_BYTES);
		buf_init(&b->entries[i].vector, 64 * 1024);
	}
	pg_rows_free(rows);
	*ret = b;
	return 0;
}

void batch_close(struct batch *b)
{
	if (!b)
		return;
	for (int i = 0; i < b->size; i++) {
		buf_release(&b->entries[i].json);
		buf_release(&b->entries[i].vector);
		free(b->entries[i].merge_key);
	}
	for (size_t i = 0; i < b->nseen; i++)
		free(b->merge_keys[i]);
	free(b->merge_keys);
	free(b->entries);
	dedupe_set_close(b->seen);
	buf_release(&b->lines);
	free(b);
}

/* Five decimals, as integers: a printf of 1,536 floats would cost more than the whole transform. */
static void put_vector(struct buf *out, const float *v, bool array_type)
{
	char text[16 * EMBED_DIMENSIONS];
	size_t n = 0;

	for (int i = 0; i < EMBED_DIMENSIONS; i++) {
		int unit = (int)lroundf(fabsf(v[i]) * EMBED_UNIT);

		text[n++] = i ? ',' : array_type ? '{' : '[';
		if (unit == 0) {
			text[n++] = '0';
			continue;
		}
		if (v[i] < 0)
			text[n++] = '-';
		text[n++] = (char)('0' + unit / EMBED_UNIT);
		text[n++] = '.';
		for (int d = EMBED_DIGITS - 1; d >= 0; d--) {
			text[n + (size_t)d] = (char)('0' + unit % 10);
			unit /= 10;
		}
		n += EMBED_DIGITS;
	}
	text[n++] = array_type ? '}' : ']';
	buf_append(out, text, n);
}

static void embed_posting(const struct batch *b, const struct posting *p, struct buf *out)
{
	struct embed e;
	float vector[EMBED_DIMENSIONS];

	embed_init(&e);
	embed_add(&e, p->title, strlen(p->title), 3);
	embed_add(&e, p->company, strlen(p->company), 1);
	for (size_t i = 0; i < p->skills.n; i++)
		embed_add(&e, p->skills.names[i], strlen(p->skills.names[i]), 1);
	embed_add(&e, buf_text(&p->description), p->description.len, 1);
	embed_finish(&e, vector);
	put_vector(out, vector, b->array_type);
}

static void remember(struct batch *b, const struct entry *e)
{
	if (b->nseen == b->cap) {
		b->cap = b->cap ? b->cap * 2 : 256;
		b->merge_keys = mem_realloc(b->merge_keys, b->cap * sizeof *b->merge_keys);
	}
	b->merge_keys[b->nseen++] = mem_strdup(e->keys.key);
}

int batch_add(struct batch *b, int index, const struct posting *p, struct raw row, struct err *e)
{
	struct entry *entry = &b->entries[b->n++];
	int known = dedupe_set_add(b->seen, &p->keys, (int)b->nseen);

	entry->index = index;
	entry->row = row;
	entry->keys = p->keys;
	entry->duplicate_of[0] = '\0';
	entry->repeats = known >= 0;
	mem_replace(&entry->merge_key, known >= 0 ? mem_strdup(b->merge_keys[known]) : NULL);
	if (known < 0)
		remember(b, entry);
	buf_clear(&entry->json);
	buf_clear(&entry->vector);
	posting_json(p, "", &entry->json);
	embed_posting(b, p, &entry->vector);
	return b->n == b->size ? batch_flush(b, e) : 0;
}

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

static const char SQL_KNOWN[] =
	"SELECT id, dedupe_key, coalesce(apply_key, ''), dedupe_title, dedupe_company, "
	"dedupe_location, seniority"
	" FROM public.enhanced_jobs WHERE is_demo = $3::bool AND dedupe_key = ANY ($1::text[])"
	" UNION ALL SELECT id, dedupe_key, apply_key, dedupe_title, dedupe_company, "
	"dedupe_location, seniority"
	" FROM public.enhanced_jobs WHERE is_demo = $3::bool AND apply_key = ANY ($2::text[])"
	" AND dedupe_key <> ALL ($1::text[])";

static enum level level_of(const char *name)
{
	for (int i = 0; i < LEVEL_COUNT; i++)
		if (!strcmp(level_name((enum level)i), name))
			return (enum level)i;
	return LEVEL_UNKNOWN;
}

static void read_keys(const struct pg_rows *rows, size_t i, struct dedupe_keys *k)
{
	snprintf(k->key, sizeof k->key, "%s", pg_text(rows, i, 1));
	snprintf(k->link, sizeof k->link, "%s", pg_text(rows, i, 2));
	snprintf(k->title, sizeof k->title, "%s", pg_text(rows, i, 3));
	snprintf(k->company, sizeof k->company, "%s", pg_text(rows, i, 4));
	snprintf(k->place, sizeof k->place, "%s", pg_text(rows, i, 5));
	k->level = level_of(pg_text(rows, i, 6));
}

static void mark_known(struct batch *b, const struct pg_rows *rows)
{
	struct dedupe_keys known;

	for (size_t i = 0; i < pg_rows_count(rows); i++) {
		read_keys(rows, i, &known);
		for (int k = 0; k < b->n; k++) {
			struct entry *e = &b->entries[k];
			bool equal = !strcmp(e->keys.key, known.key);

			if (e->duplicate_of[0] ||
			    (!equal && !dedupe_same_by_link(&known, &e->keys)))
				continue;
			snprintf(e->duplicate_of, sizeof e->duplicate_of, "%s",
				 pg_text(rows, i, 0));
			if (!equal)
				mem_replace(&e->merge_key, mem_strdup(known.key));
		}
	}
}

/* Asks the main table which of the batch it has. */
static int find_known(struct batch *b, struct err *e)
{
	struct buf keys, links;
	struct pg_rows *rows = NULL;
	int64_t r;

	buf_init(&keys, BATCH_MAX_BYTES);
	buf_init(&links, BATCH_MAX_BYTES);
	buf_putc(&keys, '{');
	buf_putc(&links, '{');
	for (int i = 0; i < b->n; i++) {
		put_element(&keys, b->entries[i].keys.key);
		if (b->entries[i].keys.link[0])
			put_element(&links, b->entries[i].keys.link);
	}
	buf_putc(&keys, '}');
	buf_putc(&links, '}');
	r = pg_run(b->pg, SQL_KNOWN, PG_PARAMS(PG_TEXT(buf_text(&keys)), PG_TEXT(buf_text(&links)),
		   PG_TEXT(b->is_demo ? "true" : "false")), &rows, e);
	if (r >= 0)
		mark_known(b, rows);
	pg_rows_free(rows);
	buf_release(&keys);
	buf_release(&links);
	return r < 0 ? (int)r : 0;
}

/* COPY's text form: JSON has no raw control characters, so only backslashes are doubled. */
static void put_copy(struct buf *out, const char *text, size_t len)
{
	const char *p = text, *end = text + len;

	while (p < end) {
		const char *mark = memchr(p, '\\', (size_t)(end - p));

		if (!mark)
			mark = end;
		buf_append(out, p, (size_t)(mark - p));
		if (mark < end)
			buf_append(out, "\\\\", 2);
		p = mark + (mark < end);
	}
}

static void put_merge_key(struct buf *out, const struct entry *e)
{
	struct buf text;

	buf_init(&text, 8 * DEDUPE_KEY_MAX);
	buf_puts(&text, ",\"merge_key\":");
	buf_put_json_string(&text, e->merge_key ? e->merge_key : e->keys.key);
	buf_putc(&text, '}');
	put_copy(out, text.data, text.len);
	buf_release(&text);
}

static void put_line(struct batch *b, struct entry *e)
{
	e->line = b->lines.len;
	buf_printf(&b->lines, "%s\t%d\t", b->outcome->processing_id, e->index);
	put_copy(&b->lines, e->json.data, e->json.len - 1);
	put_merge_key(&b->lines, e);
	buf_printf(&b->lines, "\t%s\t", e->duplicate_of[0] ? e->duplicate_of : "\\N");
	buf_append(&b->lines, e->vector.data, e->vector.len);
	buf_putc(&b->lines, '\n');
	e->line_len = b->lines.len - e->line;
}

static int copy_range(struct batch *b, int from, int to, struct err *e)
{
	const struct entry *first = &b->entries[from], *last = &b->entries[to - 1];
	int r = pg_copy_start(
		b->pg,
		"COPY public.processed_job_data (processing_id, job_index, processed_data,"
		" duplicate_of, embedding) FROM STDIN",
		e);
	int64_t n;

	if (r == 0)
		r = pg_copy_data(b->pg, b->lines.data + first->line,
				 last->line + last->line_len - first->line, e);
	if (r < 0)
		return r;
	n = pg_copy_end(b->pg, NULL, e);
	return n < 0 ? (int)n : 0;
}

static bool is_rows_fault(int r)
{
	return r == -ERR_INVALID || r == -ERR_CONFLICT || r == -ERR_TOO_BIG;
}

static void count(struct batch *b, int from, int to)
{
	for (int i = from; i < to; i++) {
		b->outcome->processed++;
		b->outcome->embeddings++;
		b->outcome->repeats += b->entries[i].repeats;
		b->outcome->duplicates += b->entries[i].repeats || b->entries[i].duplicate_of[0];
	}
}

/* Writes entries from..to; halves down to the rows that PostgreSQL refuses. */
static int write_range(struct batch *b, int from, int to, struct err *e)
{
	struct refusal why = { .type = REFUSAL_DATABASE };
	int r = pg_exec(b->pg, "SAVEPOINT batch", e), middle = from + (to - from) / 2;

	if (r == 0)
		r = copy_range(b, from, to, e);
	if (r == 0) {
		count(b, from, to);
		return pg_exec(b->pg, "RELEASE SAVEPOINT batch", e);
	}
	if (!is_rows_fault(r) || !pg_is_alive(b->pg))
		return r;
	snprintf(why.message, sizeof why.message, "%.250s", e ? e->msg : "refused by PostgreSQL");
	r = pg_exec(b->pg, "ROLLBACK TO SAVEPOINT batch; RELEASE SAVEPOINT batch", e);
	if (r < 0)
		return r;
	if (to - from == 1) {
		outcome_refuse(b->outcome, b->entries[from].index, &why, b->entries[from].row);
		return 0;
	}
	r = write_range(b, from, middle, e);
	return r < 0 ? r : write_range(b, middle, to, e);
}

int batch_flush(struct batch *b, struct err *e)
{
	struct err own = { 0 };
	int r;

	if (b->n == 0)
		return 0;
	r = find_known(b, &own);
	buf_clear(&b->lines);
	for (int i = 0; i < b->n; i++)
		put_line(b, &b->entries[i]);
	if (r == 0)
		r = write_range(b, 0, b->n, &own);
	b->n = 0;
	if (r < 0 && e)
		*e = own;
	return r;
}
