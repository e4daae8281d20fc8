/* SPDX-License-Identifier: MIT */
/* Many rows of pending in one statement: arrays for what differs, one block of bytes for all props
 * and bodies, from which each row cuts its own. */
#include "common/store/pending.h"

#include "common/base/buf.h"
#include "common/base/err.h"
#include "common/store/pg.h"

enum { SLICE_ROWS = 5000, SLICE_BYTES = 32 << 20, TEXT_MAX = 64 << 20 };

enum column {
	TASK_ID, GENERATION, NESTING, RETRIES, HOP, TASK, QUEUE, KIND, PROPS_LEN, BODY_LEN, DELAY,
	CLAIM, COLUMNS
};

struct arrays {
	struct buf column[COLUMNS], bytes;
};

static void arrays_init(struct arrays *a)
{
	for (int i = 0; i < COLUMNS; i++) {
		buf_init(&a->column[i], TEXT_MAX);
		buf_putc(&a->column[i], '{');
	}
	buf_init(&a->bytes, 2 * SLICE_BYTES);
}

static void arrays_release(struct arrays *a)
{
	for (int i = 0; i < COLUMNS; i++)
		buf_release(&a->column[i]);
	buf_release(&a->bytes);
}

static struct buf *next(struct arrays *a, enum column c)
{
	if (a->column[c].len > 1)
		buf_putc(&a->column[c], ',');
	return &a->column[c];
}

/* As PostgreSQL's manual 8.15.6 quotes an element. */
static void put_text(struct arrays *a, enum column c, const char *s)
{
	struct buf *b = next(a, c);

	buf_putc(b, '"');
	for (; *s; s++) {
		if (*s == '"' || *s == '\\')
			buf_putc(b, '\\');
		buf_putc(b, *s);
	}
	buf_putc(b, '"');
}

static void put_int(struct arrays *a, enum column c, int64_t v)
{
	char text[24];

	buf_puts(next(a, c), pg_int_text(text, v));
}

static void put_key(struct arrays *a, const struct pending_row *x)
{
	put_text(a, TASK_ID, x->task_id);
	put_int(a, GENERATION, x->generation);
	put_int(a, NESTING, x->nesting);
	put_int(a, RETRIES, x->retries);
	put_int(a, HOP, x->hop);
}

static void put_row(struct arrays *a, const struct pending_row *x)
{
	put_key(a, x);
	put_text(a, TASK, x->task);
	put_text(a, QUEUE, x->queue);
	put_text(a, KIND, x->kind);
	put_int(a, PROPS_LEN, (int64_t)x->props_len);
	put_int(a, BODY_LEN, (int64_t)x->body_len);
	put_int(a, DELAY, x->delay_ms);
	put_int(a, CLAIM, x->claim_ms);
	buf_append(&a->bytes, x->props, x->props_len);
	buf_append(&a->bytes, x->body, x->body_len);
}

static void arrays_end(struct arrays *a)
{
	for (int i = 0; i < COLUMNS; i++)
		buf_putc(&a->column[i], '}');
}

static const char SQL_INSERT[] =
	"INSERT INTO jobfleet.pending (task_id, generation, nesting, retries, hop, task, queue, kind,"
	" props, body, due, claimed_until)"
	" SELECT id, generation, nesting, retries, hop, task, queue, kind,"
	" substring($13::bytea FROM (ends - bl - pl + 1)::int FOR pl),"
	" substring($13::bytea FROM (ends - bl + 1)::int FOR bl),"
	" clock_timestamp() + delay * interval '1 ms',"
	" CASE WHEN claim > 0 THEN clock_timestamp() + claim * interval '1 ms' END"
	" FROM (SELECT *, sum(pl + bl) OVER (ORDER BY n) AS ends"
	" FROM unnest($1::text[], $2::int[], $3::int[], $4::int[], $5::int[], $6::text[],"
	" $7::text[], $8::text[], $9::int[], $10::int[], $11::bigint[], $12::bigint[])"
	" WITH ORDINALITY AS r (id, generation, nesting, retries, hop, task, queue, kind, pl, bl,"
	" delay, claim, n)) AS rows ORDER BY n ON CONFLICT DO NOTHING";

static int insert_slice(struct pg *p, const struct pending_row *rows, size_t n, struct err *e)
{
	struct pg_param params[COLUMNS + 1];
	struct arrays a;
	int64_t r;

	arrays_init(&a);
	for (size_t i = 0; i < n; i++)
		put_row(&a, &rows[i]);
	arrays_end(&a);
	for (int i = 0; i < COLUMNS; i++)
		params[i] = PG_TEXT(buf_text(&a.column[i]));
	params[COLUMNS] = PG_BYTES(a.bytes.data, a.bytes.len);
	r = pg_run(p, SQL_INSERT, params, COLUMNS + 1, NULL, e);
	arrays_release(&a);
	return r < 0 ? (int)r : 0;
}

static size_t slice_of(const struct pending_row *rows, size_t n)
{
	size_t i = 0, bytes = 0;

	while (i < n && i < SLICE_ROWS) {
		bytes += rows[i].props_len + rows[i].body_len;
		if (i > 0 && bytes > SLICE_BYTES)
			break;
		i++;
	}
	return i;
}

int pending_insert_many(struct pg *p, const struct pending_row *rows, size_t n, struct err *e)
{
	int r = 0;

	while (n > 0 && r >= 0) {
		size_t slice = slice_of(rows, n);

		r = slice == 1 ? pending_insert(p, rows, e) : insert_slice(p, rows, slice, e);
		rows += slice;
		n -= slice;
	}
	return r;
}

/* set_config: of this statement's own transaction only. */
static const char SQL_SENT[] =
	"WITH fast AS MATERIALIZED (SELECT set_config('synchronous_commit', 'off', true))"
	" UPDATE jobfleet.pending AS p SET state = 'sent', sent_at = now(), claimed_until = NULL"
	" FROM fast, unnest($1::text[], $2::int[], $3::int[], $4::int[], $5::int[])"
	" AS r (id, generation, nesting, retries, hop)"
	" WHERE p.task_id = r.id AND p.generation = r.generation AND p.nesting = r.nesting"
	" AND p.retries = r.retries AND p.hop = r.hop AND p.state = 'waiting'";

static const char SQL_GONE[] =
	"WITH fast AS MATERIALIZED (SELECT set_config('synchronous_commit', 'off', true))"
	" DELETE FROM jobfleet.pending AS p"
	" USING fast, unnest($1::text[], $2::int[], $3::int[], $4::int[], $5::int[])"
	" AS r (id, generation, nesting, retries, hop)"
	" WHERE p.task_id = r.id AND p.generation = r.generation AND p.nesting = r.nesting"
	" AND p.retries = r.retries AND p.hop = r.hop AND p.state = 'waiting'";

static int for_keys(struct pg *p, const char *sql, const struct pending_row *rows, size_t n,
		    struct err *e)
{
	int64_t r = 0;

	while (n > 0 && r >= 0) {
		size_t slice = n < SLICE_ROWS ? n : SLICE_ROWS;
		struct arrays a;

		arrays_init(&a);
		for (size_t i = 0; i < slice; i++)
			put_key(&a, &rows[i]);
		arrays_end(&a);
		r = pg_run(p, sql,
			   PG_PARAMS(PG_TEXT(buf_text(&a.column[TASK_ID])),
				     PG_TEXT(buf_text(&a.column[GENERATION])),
				     PG_TEXT(buf_text(&a.column[NESTING])),
				     PG_TEXT(buf_text(&a.column[RETRIES])),
				     PG_TEXT(buf_text(&a.column[HOP]))), NULL, e);
		arrays_release(&a);
		rows += slice;
		n -= slice;
	}
	return r < 0 ? (int)r : 0;
}

int pending_mark_sent(struct pg *p, const struct pending_row *rows, size_t n, struct err *e)
{
	return for_keys(p, SQL_SENT, rows, n, e);
}

int pending_forget(struct pg *p, const struct pending_row *rows, size_t n, struct err *e)
{
	return for_keys(p, SQL_GONE, rows, n, e);
}
