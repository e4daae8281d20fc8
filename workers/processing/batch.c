/* SPDX-License-Identifier: MIT */
#include "workers/processing/batch.h"

#include "common/base/buf.h"
#include "common/base/err.h"
#include "common/base/mem.h"
#include "common/base/uuid.h"
#include "common/store/pg.h"
#include "workers/processing/alike.h"
#include "workers/processing/alike_set.h"
#include "workers/processing/copy.h"
#include "workers/processing/dedupe.h"
#include "workers/processing/earlier.h"
#include "workers/processing/embed.h"
#include "workers/processing/known.h"
#include "workers/processing/outcome.h"
#include "workers/processing/posting.h"
#include "workers/processing/tokens.h"

enum { BATCH_MAX_BYTES = 256 * 1024 * 1024 };

/* One posting that waits for its batch. */
struct entry {
	int index;
	struct raw row;
	struct dedupe_keys keys;
	struct alike_keys near;
	struct tokens tokens;		/* of the description */
	bool has_posted;
	int64_t posted_us;
	size_t group;			/* which posting of this processing it is or repeats */
	bool repeats, alike;		/* one of this processing; told by its description */
	struct buf json;		/* up to, not with, its last brace; merge_key comes behind */
	float vector[EMBED_DIMENSIONS];
	size_t line, line_len;		/* in the batch's lines */
};

/* What one dedupe key of this processing stands for: a posting and all that repeat it. */
struct group {
	size_t same_as;			/* itself, or the group whose text it repeats */
	char *merge_key;		/* NULL: that of same_as */
	bool written;			/* its merge_key can change no more */
};

struct batch {
	struct pg *pg;
	struct outcome *outcome;
	struct dedupe_set *seen;
	struct alike_set *alike;
	struct group *groups;
	size_t ngroups, cap;
	struct entry *entries;
	struct known *known;		/* of the entries, while they are written */
	int n, size;
	bool is_demo, array_type;	/* the embedding column is real[], not vector */
	bool near;
	const struct earlier *earlier;	/* NULL: processed for the first time */
	struct tokens head;		/* of title, company, skills */
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
	b->near = true;
	b->seen = dedupe_set_open();
	b->alike = alike_set_open();
	b->entries = mem_zalloc((size_t)b->size * sizeof *b->entries);
	b->known = mem_zalloc((size_t)b->size * sizeof *b->known);
	tokens_init(&b->head);
	buf_init(&b->lines, BATCH_MAX_BYTES);
	for (int i = 0; i < b->size; i++) {
		buf_init(&b->entries[i].json, BATCH_MAX_BYTES);
		tokens_init(&b->entries[i].tokens);
	}
	pg_rows_free(rows);
	*ret = b;
	return 0;
}

void batch_skip_near(struct batch *b)
{
	b->near = false;
}

void batch_remember(struct batch *b, const struct earlier *earlier)
{
	b->earlier = earlier;
}

void batch_close(struct batch *b)
{
	if (!b)
		return;
	for (int i = 0; i < b->size; i++) {
		buf_release(&b->entries[i].json);
		tokens_release(&b->entries[i].tokens);
	}
	for (size_t i = 0; i < b->ngroups; i++)
		free(b->groups[i].merge_key);
	free(b->groups);
	free(b->entries);
	free(b->known);
	dedupe_set_close(b->seen);
	alike_set_close(b->alike);
	tokens_release(&b->head);
	buf_release(&b->lines);
	free(b);
}

static void embed_posting(struct batch *b, const struct posting *p, struct entry *entry)
{
	struct embed e;

	embed_init(&e);
	embed_add(&e, p->title, strlen(p->title), 3);
	tokens_clear(&b->head);
	tokens_add(&b->head, p->company, strlen(p->company));
	for (size_t i = 0; i < p->skills.n; i++)
		tokens_add(&b->head, p->skills.names[i], strlen(p->skills.names[i]));
	embed_add_tokens(&e, &b->head, 1);
	embed_add_tokens(&e, &entry->tokens, 1);
	embed_finish(&e, entry->vector);
}

static size_t open_group(struct batch *b, long same_as, const char *merge_key)
{
	struct group g = { .same_as = b->ngroups };

	if (b->ngroups == b->cap) {
		b->cap = b->cap ? b->cap * 2 : 256;
		b->groups = mem_realloc(b->groups, b->cap * sizeof *b->groups);
	}
	if (same_as >= 0)
		g.same_as = (size_t)same_as;
	else
		g.merge_key = mem_strdup(merge_key);
	b->groups[b->ngroups++] = g;
	return g.same_as;
}

/* By key or link, else by description. What is new by key is remembered there even if its
 * description is known: the next copy may have only the key in common. */
static void find_within(struct batch *b, struct entry *e)
{
	int known = dedupe_set_add(b->seen, &e->keys, (int)b->ngroups);
	long alike = -1;

	e->near.nstored = e->near.nasked = 0;
	if (b->near)
		alike_keys_fill(&e->near, &e->keys, &e->tokens, b->is_demo);
	if (known < 0 && b->near)
		alike = alike_set_find(b->alike, &e->keys, &e->tokens, &e->near);
	e->repeats = known >= 0 || alike >= 0;
	e->alike = alike >= 0;
	if (known >= 0) {
		e->group = b->groups[known].same_as;
		return;
	}
	e->group = open_group(b, alike, e->keys.key);
	alike_set_add(b->alike, e->group, &e->keys, &e->tokens, &e->near);
}

int batch_add(struct batch *b, int index, const struct posting *p, struct raw row, struct err *e)
{
	struct entry *entry = &b->entries[b->n++];

	entry->index = index;
	entry->row = row;
	entry->keys = p->keys;
	entry->has_posted = p->has_posted;
	entry->posted_us = p->posted.us;
	tokens_clear(&entry->tokens);
	tokens_add(&entry->tokens, buf_text(&p->description), p->description.len);
	find_within(b, entry);
	buf_clear(&entry->json);
	posting_json(p, "", &entry->json);
	embed_posting(b, p, entry);
	return b->n == b->size ? batch_flush(b, e) : 0;
}

/* A posting under the same key is known, whatever the row was before. */
static void recall(struct batch *b)
{
	for (int i = 0; b->earlier && i < b->n; i++) {
		const struct earlier_row *row = earlier_find(b->earlier, b->entries[i].index);

		if (!row || b->known[i].how == KNOWN_BY_KEY)
			continue;
		b->known[i].how = KNOWN_BY_ROW;
		b->known[i].repost = false;
		memcpy(b->known[i].job_id, row->job_id, sizeof row->job_id);
		mem_replace(&b->known[i].key, mem_strdup(row->key));
	}
}

/* Asks the main table which of the batch it has. The first of a group that it has, and of which
 * nothing is written yet, says under which key all of them go. */
static int find_known(struct batch *b, struct err *e)
{
	struct known_ask *asks = mem_zalloc((size_t)b->n * sizeof *asks);
	int r;

	for (int i = 0; i < b->n; i++) {
		const struct entry *entry = &b->entries[i];

		asks[i] = (struct known_ask){ &entry->keys, &entry->tokens,
					      b->near ? &entry->near : NULL, entry->has_posted,
					      entry->posted_us };
	}
	r = known_find(b->pg, asks, (size_t)b->n, b->is_demo, b->known, e);
	free(asks);
	if (r == 0)
		recall(b);
	for (int i = 0; r == 0 && i < b->n; i++) {
		struct group *group = &b->groups[b->entries[i].group];

		if (b->known[i].how && !b->known[i].repost && !group->written)
			mem_replace(&group->merge_key, mem_strdup(b->known[i].key));
		group->written = group->written || b->known[i].how;
	}
	for (int i = 0; i < b->n; i++)
		b->groups[b->entries[i].group].written = true;
	return r;
}

static void put_json(struct buf *out, const struct batch *b, const struct entry *e)
{
	struct buf key;

	buf_init(&key, 8 * DEDUPE_KEY_MAX);
	buf_puts(&key, ",\"merge_key\":");
	buf_put_json_string(&key, b->groups[e->group].merge_key);
	buf_putc(&key, '}');
	copy_jsonb(out, e->json.data, e->json.len - 1, key.data, key.len);
	buf_release(&key);
}

static const char COPY[] =
	"COPY public.processed_job_data (processing_id, job_index, processed_data, duplicate_of,"
	" repost_of, near_keys, embedding, embedding_model) FROM STDIN (FORMAT binary)";

static void put_line(struct batch *b, struct entry *e)
{
	const struct known *known = &b->known[e - b->entries];

	e->line = b->lines.len;
	copy_row(&b->lines, 8);
	copy_uuid(&b->lines, b->outcome->processing_id);
	copy_int4(&b->lines, e->index);
	put_json(&b->lines, b, e);
	copy_uuid(&b->lines, known->repost ? "" : known->job_id);
	copy_uuid(&b->lines, known->repost ? known->job_id : "");
	copy_int8_array(&b->lines, e->near.stored, e->near.nstored);
	copy_vector(&b->lines, e->vector, EMBED_DIMENSIONS, b->array_type);
	copy_text(&b->lines, EMBED_MODEL);
	e->line_len = b->lines.len - e->line;
}

static int copy_range(struct batch *b, int from, int to, struct err *e)
{
	const struct entry *first = &b->entries[from], *last = &b->entries[to - 1];
	int r = pg_copy_start(b->pg, COPY, e);
	int64_t n;

	if (r == 0)
		r = pg_copy_data(b->pg, COPY_HEADER, COPY_HEADER_LEN, e);
	if (r == 0)
		r = pg_copy_data(b->pg, b->lines.data + first->line,
				 last->line + last->line_len - first->line, e);
	if (r == 0)
		r = pg_copy_data(b->pg, COPY_TRAILER, COPY_TRAILER_LEN, e);
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
	struct outcome *o = b->outcome;

	for (int i = from; i < to; i++) {
		const struct known *known = &b->known[i];
		const struct entry *e = &b->entries[i];
		bool again = known->how && !known->repost;

		o->processed++;
		o->embeddings++;
		o->repeats += e->repeats;
		o->duplicates += e->repeats || again;
		o->near += e->alike || (again && known->how == KNOWN_BY_TEXT);
		o->reposts += known->repost;
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
	for (int i = 0; r == 0 && i < b->n; i++)
		put_line(b, &b->entries[i]);
	if (r == 0)
		r = write_range(b, 0, b->n, &own);
	known_release(b->known, (size_t)b->n);
	b->n = 0;
	if (r < 0 && e)
		*e = own;
	return r;
}
