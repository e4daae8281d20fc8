/* SPDX-License-Identifier: MIT */
/* transform: how fast rows become postings, beside cJSON parsing alone of the same bytes.
 *
 * usage: transform SOURCE SECONDS FILE...   answers of SOURCE, in its format
 * Prints one JSON line: postings and bytes of the files, then for each side its fastest pass over
 * all of them in seconds. Both run in turn, so that a slow moment of the machine meets both. */
#include <stdio.h>
#include <stdlib.h>

#include "common/base/clock.h"
#include "common/base/json.h"
#include "common/base/mem.h"
#include "common/base/scan.h"
#include "workers/processing/answer.h"
#include "workers/processing/transform.h"

enum { FILES_MAX = 256 };

struct file {
	char *text;
	size_t len;
};

static struct file read_file(const char *path)
{
	FILE *f = fopen(path, "re");
	struct file ret = { 0 };
	struct buf b;
	char chunk[65536];
	size_t n;

	if (!f) {
		perror(path);
		exit(1);
	}
	buf_init(&b, ANSWER_MAX_BYTES);
	while ((n = fread(chunk, 1, sizeof chunk, f)) > 0)
		buf_append(&b, chunk, n);
	fclose(f);
	ret.len = b.len;
	ret.text = buf_take(&b);
	return ret;
}

static double parse_all(const struct file *files, int n)
{
	int64_t began = clock_mono_us();

	for (int i = 0; i < n; i++)
		cJSON_Delete(cJSON_ParseWithLength(files[i].text, files[i].len));
	return (double)(clock_mono_us() - began) / 1e6;
}

static int take_answer(const struct source *source, const struct file *file, struct posting *p,
		       struct buf *out)
{
	struct transform_context ctx = { .source = source, .skills = true,
					 .reference_us = clock_wall_us() };
	struct answer a = { .source = source };
	struct refusal why;
	struct raw_walk w;
	struct raw row;
	int n = 0;

	answer_parse(&a, file->text, file->len);
	w = raw_walk(a.rows);
	while (a.rows.at && raw_next(&w, NULL, &row)) {
		if (transform_row(&ctx, row, p, &why) != TRANSFORM_POSTING)
			continue;
		buf_clear(out);
		posting_json(p, NULL, out);
		n++;
	}
	answer_close(&a);
	return n;
}

static double transform_all(const struct source *source, const struct file *files, int n,
			    int *ret_postings)
{
	int64_t began = clock_mono_us();
	struct posting p;
	struct buf out;

	posting_init(&p);
	buf_init(&out, 8 << 20);
	*ret_postings = 0;
	for (int i = 0; i < n; i++)
		*ret_postings += take_answer(source, &files[i], &p, &out);
	buf_release(&out);
	posting_release(&p);
	return (double)(clock_mono_us() - began) / 1e6;
}

int main(int argc, char **argv)
{
	static struct file files[FILES_MAX];
	const struct source *source = argc > 3 ? source_find(argv[1]) : NULL;
	double seconds, parse = 1e9, transform = 1e9;
	int n = 0, postings = 0;
	size_t bytes = 0;
	int64_t until;

	if (!source || argc - 3 > FILES_MAX || scan_double(argv[2], 0, 3600, &seconds, NULL) < 0) {
		fprintf(stderr, "usage: transform SOURCE SECONDS FILE...\n");
		return 100;
	}
	for (int i = 3; i < argc; i++, n++) {
		files[n] = read_file(argv[i]);
		bytes += files[n].len;
	}
	until = clock_mono_ms() + (int64_t)(seconds * 1000);
	do {
		double t = parse_all(files, n);

		parse = t < parse ? t : parse;
		t = transform_all(source, files, n, &postings);
		transform = t < transform ? t : transform;
	} while (clock_mono_ms() < until);
	printf("{\"postings\": %d, \"bytes\": %zu, \"cjson_s\": %.6f, \"transform_s\": %.6f}\n",
	       postings, bytes, parse, transform);
	return 0;
}
