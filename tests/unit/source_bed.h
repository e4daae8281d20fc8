/* SPDX-License-Identifier: MIT */
/* source_bed: what the tests of sources share. An answer is judged, a file of one is read, and its
 * rows are spoilt in every place to see that nothing depends on what a provider promises. */
#ifndef TESTS_UNIT_SOURCE_BED_H
#define TESTS_UNIT_SOURCE_BED_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <glob.h>

#include "common/base/conf.h"
#include "common/base/err.h"
#include "common/base/json.h"
#include "common/base/mem.h"
#include "common/net/http.h"
#include "sources/listing.h"
#include "sources/source.h"

enum { BED_FILE_MAX = 1 << 20 };

static const struct source *bed_source;

/* What was asked, with nothing said; a test sets what it needs. */
#define BED_ASK \
	.query = "", .location = "", .country = "", .language = "", .date_posted = "", \
	.employment_types = "", .board = ""

static struct source_verdict bed_judge(int status, const char *headers, const char *text,
				       bool complete)
{
	struct http_response r = { .status = status, .complete = complete };
	struct source_verdict v = { .class = SOURCE_CLASS_COUNT };
	cJSON *body = NULL;

	buf_init(&r.headers, 10000);
	buf_init(&r.body, BED_FILE_MAX);
	buf_puts(&r.headers, headers);
	buf_puts(&r.body, text);
	json_parse(buf_text(&r.body), r.body.len, &body, NULL);
	bed_source->judge(&r, body, &v);
	cJSON_Delete(body);
	http_response_release(&r);
	return v;
}

struct bed_judged {
	int status;
	const char *headers, *body;
	enum source_class class;
	int64_t wait_s;
};

static inline void bed_judges(const struct bed_judged *cases, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct source_verdict v =
			bed_judge(cases[i].status, cases[i].headers, cases[i].body, true);

		if (v.class != cases[i].class || v.wait_s != cases[i].wait_s)
			fail_msg("%d %.200s: expected %s after %d s, got %s after %d s (%s)",
				 cases[i].status, cases[i].body, source_class_name(cases[i].class),
				 (int)cases[i].wait_s, source_class_name(v.class), (int)v.wait_s,
				 v.reason);
		assert_int_equal(v.reason[0] == '\0', v.class == SOURCE_OK);
	}
}

/* What every provider answers on a bad day; page is a good answer of it. */
static inline void bed_judges_bad_days(const char *page)
{
	const struct bed_judged cases[] = {
		{ 200, "", page, SOURCE_OK, 0 },
		{ 200, "", "<html><body>Scheduled maintenance.</body></html>", SOURCE_RETRY, 0 },
		{ 200, "", "", SOURCE_RETRY, 0 },
		{ 200, "", "null", SOURCE_RETRY, 0 },
		{ 200, "", "{}", SOURCE_RETRY, 0 },
		{ 200, "", "\"text\"", SOURCE_RETRY, 0 },
		{ 304, "", "", SOURCE_UNCHANGED, 0 },
		{ 302, "Location: https://elsewhere.example/\r\n", "", SOURCE_BAD_REQUEST, 0 },
		{ 400, "", "{\"x\":", SOURCE_BAD_REQUEST, 0 },
		{ 408, "", "", SOURCE_RETRY, 0 },
		{ 429, "", "<html><h1>429 Too Many Requests</h1></html>", SOURCE_LIMITED, 60 },
		{ 429, "Retry-After: 17\r\n", "", SOURCE_LIMITED, 17 },
		{ 500, "", "{\"message\":\"Internal server error\"}", SOURCE_RETRY, 0 },
		{ 502, "", "<html><h1>502 Bad Gateway</h1></html>", SOURCE_RETRY, 0 },
		{ 503, "Retry-After: 120\r\n", "", SOURCE_RETRY, 120 },
		{ 504, "", "", SOURCE_RETRY, 0 },
	};
	char *cut = mem_strdup(page);

	bed_judges(cases, sizeof cases / sizeof cases[0]);
	cut[strlen(cut) / 2] = '\0';
	assert_int_equal(bed_judge(200, "", cut, true).class, SOURCE_RETRY);
	assert_int_equal(bed_judge(200, "", page, false).class, SOURCE_RETRY);
	free(cut);
}

static inline bool bed_has_header(const struct source_request *r, const char *line)
{
	for (char *const *h = r->headers; *h; h++)
		if (strcmp(*h, line) == 0)
			return true;
	return false;
}

/* Builds and compares the URL; the key is nowhere but in headers. */
static inline void bed_builds(const struct conf_source *conf, const struct source_ask *ask,
			      const struct source_place *at, const char *url)
{
	struct source_request r;
	char *params;

	assert_int_equal(bed_source->build(conf, ask, at, &r, NULL), 0);
	assert_string_equal(buf_text(&r.url), url);
	params = json_print(r.params);
	if (ask->key)
		assert_null(strstr(params, ask->key));
	free(params);
	source_request_release(&r);
}

/* NULL: there is no such file. */
static inline cJSON *bed_file(const char *path)
{
	FILE *f = fopen(path, "r");
	char *text;
	cJSON *value = NULL;
	size_t n;

	if (!f)
		return NULL;
	text = mem_zalloc(BED_FILE_MAX);
	n = fread(text, 1, BED_FILE_MAX - 1, f);
	fclose(f);
	if (json_parse(text, n, &value, NULL) < 0)
		fail_msg("%s is not JSON", path);
	free(text);
	return value;
}

/* The rows as processing finds them. */
static inline const cJSON *bed_rows(const cJSON *answer)
{
	char *text = json_print(answer);
	struct raw whole = RAW_NONE, found;
	const cJSON *rows = NULL;
	size_t bad;
	char path[64], *save = NULL;

	assert_true(raw_whole(text, strlen(text), &whole, &bad));
	found = source_rows(bed_source, whole);
	assert_non_null(found.at);
	free(text);
	snprintf(path, sizeof path, "%s", bed_source->rows_at);
	for (char *p = strtok_r(path, " ", &save); p && !cJSON_IsArray(rows);
	     p = strtok_r(NULL, " ", &save)) {
		char *inner = NULL;

		rows = answer;
		for (char *m = strtok_r(p, ".", &inner); m; m = strtok_r(NULL, ".", &inner))
			rows = json_get(rows, m);
	}
	assert_true(cJSON_IsArray(rows));
	return rows;
}

static inline bool bed_reads(const cJSON *query, const cJSON *row, struct listing *ret)
{
	struct source_answer from = { .query = query };

	listing_init(ret);
	return bed_source->read_row(&from, row, ret);
}

static inline void bed_touch(const cJSON *row)
{
	char room[SOURCE_ID];
	struct listing l;

	bed_reads(NULL, row, &l);
	bed_source->row_id(row, room);
	for (size_t i = 0; i < l.nparts; i++)
		assert_true(strlen(l.part[i]) > 0);
}

static inline cJSON *bed_wrong(int kind)
{
	switch (kind) {
	case 0: return cJSON_CreateNull();
	case 1: return cJSON_CreateNumber(-1.5e300);
	case 2: return cJSON_CreateString("");
	case 3: return cJSON_CreateString("x");
	case 4: return cJSON_CreateTrue();
	case 5: return cJSON_Parse("[]");
	case 6: return cJSON_Parse("[null,7,[{}],\"x\",{\"name\":7}]");
	case 7: return cJSON_CreateObject();
	default: return NULL;		/* the member is absent */
	}
}

/* In place: a member gets another value and its own again; for the last kind another name. */
static inline void bed_spoil(const cJSON *row, cJSON *holder)
{
	enum { KINDS = 9 };
	static char absent[] = "absent";
	cJSON *member;

	cJSON_ArrayForEach(member, holder) {
		const cJSON was = *member;

		for (int kind = 0; kind < KINDS; kind++) {
			cJSON *wrong = bed_wrong(kind);

			if (wrong) {
				member->type = wrong->type;
				member->child = wrong->child;
				member->valuestring = wrong->valuestring;
				member->valuedouble = wrong->valuedouble;
				member->valueint = wrong->valueint;
			} else {
				member->string = absent;
			}
			bed_touch(row);
			*member = was;
			cJSON_Delete(wrong);
		}
		bed_spoil(row, member);
	}
}

/* Every member of every row of a file, deep down: absent, null, of each wrong type. */
static inline void bed_survives_holes(const char *path)
{
	cJSON *answer = bed_file(path), *row;

	assert_non_null(answer);
	cJSON_ArrayForEach(row, bed_rows(answer)) {
		bed_spoil(row, row);
	}
	for (int kind = 0; kind < 8; kind++) {
		cJSON *wrong = bed_wrong(kind);

		bed_touch(wrong);
		cJSON_Delete(wrong);
	}
	cJSON_Delete(answer);
}

/* Every row of the files that pattern matches has title, company and id, or is a notice. Returns
 * how many were read; *ret_notices may be NULL. Skips the test where the samples are absent. */
static inline int bed_reads_samples(const char *pattern, int *ret_notices)
{
	int read = 0, notices = 0;
	char room[SOURCE_ID];
	glob_t found;

	if (glob(pattern, 0, NULL, &found) != 0)
		skip();
	for (size_t i = 0; i < found.gl_pathc; i++) {
		cJSON *answer = bed_file(found.gl_pathv[i]), *row;

		assert_non_null(answer);
		cJSON_ArrayForEach(row, bed_rows(answer)) {
			struct listing l;

			if (!bed_reads(NULL, row, &l)) {
				notices++;
				continue;
			}
			read++;
			if (!cJSON_IsString(l.title) ||
			    (!cJSON_IsString(l.company) && !l.company_default))
				fail_msg("%s: a row without title or company",
					 found.gl_pathv[i]);
			assert_non_null(bed_source->row_id(row, room));
			assert_non_null(l.external_id);
		}
		cJSON_Delete(answer);
	}
	globfree(&found);
	if (ret_notices)
		*ret_notices = notices;
	return read;
}

#endif
