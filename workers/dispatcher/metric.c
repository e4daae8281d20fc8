/* SPDX-License-Identifier: MIT */
#include "workers/dispatcher/metric.h"

#include <math.h>
#include <string.h>
#include <xxhash.h>

#include "common/base/board.h"
#include "common/base/buf.h"
#include "common/base/mem.h"

enum { FAMILY_BYTES = 1 << 20, LABEL_BYTES = 512, BOUND_BYTES = 32, HASH_BYTES = 16 };

static const struct family {
	const char *name, *type, *unit, *labels, *board, *group, *help;
} FAMILIES[] = {
#include "metrics.inc"
};

struct metrics {
	struct buf samples[COUNT(FAMILIES)];
	size_t bytes, left_out[COUNT(FAMILIES)];
	struct buf work;		/* one sample, or those of one histogram */
};

struct metrics *metrics_new(void)
{
	struct metrics *m = mem_zalloc(sizeof *m);

	for (size_t i = 0; i < COUNT(FAMILIES); i++)
		buf_init(&m->samples[i], FAMILY_BYTES);
	buf_init(&m->work, FAMILY_BYTES);
	return m;
}

void metrics_free(struct metrics *m)
{
	for (size_t i = 0; i < COUNT(FAMILIES); i++)
		buf_release(&m->samples[i]);
	buf_release(&m->work);
	free(m);
}

/* ---- one sample ---- */

static void put_value(struct buf *b, const char *label, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (label[i] == '\\' || label[i] == '"')
			buf_putc(b, '\\');
		if (label[i] == '\n')
			buf_puts(b, "\\n");
		else
			buf_putc(b, label[i]);
	}
}

/* Cut at a whole character, for what is no UTF-8 would spoil the whole answer. Two long ones that
 * begin alike must not become one and the same, which would spoil it, too: a hash stands behind. */
static void put_label(struct buf *b, const char *label)
{
	size_t len = strnlen(label, LABEL_BYTES + 1);

	if (len <= LABEL_BYTES) {
		put_value(b, label, len);
		return;
	}
	len = LABEL_BYTES - HASH_BYTES - 1;
	while (len > 0 && ((unsigned char)label[len] & 0xc0) == 0x80)
		len--;
	put_value(b, label, len);
	buf_printf(b, "~%016llx", (unsigned long long)XXH3_64bits(label, strlen(label)));
}

/* {a="1",b="2"}; extra: one more as 'le="5.0"', or NULL. False: not as many as the family has. */
static bool put_labels(struct buf *b, const struct family *f, const char *const *labels,
		       const char *extra)
{
	const char *name = f->labels, *sep = "{";

	for (; *name; labels++) {
		size_t len = strcspn(name, ",");

		if (!*labels)
			return false;
		buf_puts(b, sep);
		buf_append(b, name, len);
		buf_puts(b, "=\"");
		put_label(b, *labels);
		buf_putc(b, '"');
		sep = ",";
		name += len + (name[len] == ',');
	}
	if (*labels)
		return false;
	if (extra)
		buf_printf(b, "%s%s", sep, extra);
	if (extra || *f->labels)
		buf_putc(b, '}');
	return true;
}

static void put_number(struct buf *b, double v)
{
	if (isnan(v))
		buf_puts(b, "NaN");
	else if (isinf(v))
		buf_puts(b, v > 0 ? "+Inf" : "-Inf");
	else if (fabs(v) < 1e15 && v == floor(v))
		buf_printf(b, "%.0f", v);
	else
		buf_printf(b, "%.9g", v);
}

static void put_sample(struct buf *b, const struct family *f, const char *suffix,
		       const char *const *labels, const char *extra, double v)
{
	size_t before = b->len;

	buf_printf(b, "%s%s", f->name, suffix);
	if (!put_labels(b, f, labels, extra)) {
		b->len = before;
		return;
	}
	buf_putc(b, ' ');
	put_number(b, v);
	buf_putc(b, '\n');
}

/* What was put together goes in whole or not at all. */
static void take_work(struct metrics *m, size_t family)
{
	struct buf *to = &m->samples[family];

	if (buf_overflowed(&m->work) || m->bytes + m->work.len > METRIC_BYTES ||
	    to->len + m->work.len > FAMILY_BYTES) {
		m->left_out[family]++;
	} else {
		buf_append(to, m->work.data, m->work.len);
		m->bytes += m->work.len;
	}
	buf_clear(&m->work);
}

static const char *suffix_of(const struct family *f)
{
	return strcmp(f->type, "counter") == 0 ? "_total" : strcmp(f->type, "info") == 0 ? "_info" :
	       "";
}

void metrics_add(struct metrics *m, const char *name, const char *const *labels, double value)
{
	for (size_t i = 0; i < COUNT(FAMILIES); i++)
		if (strcmp(FAMILIES[i].name, name) == 0) {
			put_sample(&m->work, &FAMILIES[i], suffix_of(&FAMILIES[i]), labels, NULL,
				   value);
			take_work(m, i);
		}
}

/* The format wants a bound as Go prints it: "0.25", "5.0". */
static void put_bound(char out[BOUND_BYTES], size_t i)
{
	double bound = i < BOARD_BUCKETS - 1 ? BOARD_BOUNDS[i] : INFINITY;

	if (isinf(bound))
		snprintf(out, BOUND_BYTES, "le=\"+Inf\"");
	else
		snprintf(out, BOUND_BYTES, "le=\"%g%s\"", bound, bound == floor(bound) ? ".0" : "");
}

/* Buckets are kept apart on the board and are sums here. */
static void add_histogram(struct buf *b, const struct family *f, const char *const *labels,
			  const double *n, size_t count)
{
	double sum = 0;
	char le[BOUND_BYTES];

	if (count != 1 + BOARD_BUCKETS)
		return;
	for (size_t i = 0; i < BOARD_BUCKETS; i++) {
		sum += n[1 + i];
		put_bound(le, i);
		put_sample(b, f, "_bucket", labels, le, sum);
	}
	put_sample(b, f, "_count", labels, NULL, sum);
	put_sample(b, f, "_sum", labels, NULL, n[0]);
}

void metrics_add_total(struct metrics *m, const char *board, const char *const *labels,
		       const double *n, size_t count)
{
	for (size_t i = 0; i < COUNT(FAMILIES); i++) {
		if (!*board || strcmp(FAMILIES[i].board, board) != 0 || count == 0)
			continue;
		if (strcmp(FAMILIES[i].type, "histogram") == 0)
			add_histogram(&m->work, &FAMILIES[i], labels, n, count);
		else
			put_sample(&m->work, &FAMILIES[i], suffix_of(&FAMILIES[i]), labels, NULL,
				   n[0]);
		take_work(m, i);
	}
}

/* ---- all of them ---- */

static void count_left_out(struct metrics *m)
{
	for (size_t i = 0; i < COUNT(FAMILIES); i++) {
		const char *family[] = { FAMILIES[i].name, NULL };

		if (m->left_out[i])
			metrics_add(m, "jobfleet_scrape_left_out", family, (double)m->left_out[i]);
	}
}

void metrics_print(struct metrics *m, struct buf *out)
{
	count_left_out(m);
	for (size_t i = 0; i < COUNT(FAMILIES); i++) {
		const struct family *f = &FAMILIES[i];

		buf_printf(out, "# TYPE %s %s\n", f->name, f->type);
		if (*f->unit)
			buf_printf(out, "# UNIT %s %s\n", f->name, f->unit);
		buf_printf(out, "# HELP %s ", f->name);
		put_value(out, f->help, strlen(f->help));
		buf_putc(out, '\n');
		buf_append(out, m->samples[i].data, m->samples[i].len);
	}
	buf_puts(out, "# EOF\n");
}
