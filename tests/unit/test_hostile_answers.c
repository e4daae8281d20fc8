/* SPDX-License-Identifier: MIT */
/* Every allocation fails in turn, ours and those inside libraries, while the answers of the
 * providers of postings and of salary figures are read (tests/hostile/famine.h). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/conf.h"
#include "common/base/err.h"
#include "common/base/json.h"
#include "common/base/mem.h"
#include "common/net/http.h"
#include "sources/listing.h"
#include "sources/source.h"
#include "tests/hostile/famine.h"
#include "workers/salary/bls.h"
#include "workers/salary/cacheentry.h"
#include "workers/salary/census.h"
#include "workers/salary/fred.h"

enum { SOURCES = 13 };

/* ---- providers ---- */

static const char *text_of(const cJSON *v)
{
	return cJSON_IsString(v) ? v->valuestring : "";
}

static void tell_row(const struct source *s, const cJSON *row)
{
	struct source_answer from = { .query = NULL };
	char room[SOURCE_ID];
	struct listing l;

	listing_init(&l);
	if (!s->read_row(&from, row, &l))
		return;
	tell("%s|%s|%s|%s|%s|%d|%g|%g\n", s->row_id ? s->row_id(row, room) : "", text_of(l.title),
	     text_of(l.company), l.external_id, l.apply_url, (int)l.remote,
	     l.pay_min ? l.pay_min->valuedouble : 0, l.pay_max ? l.pay_max->valuedouble : 0);
	for (size_t i = 0; i < l.nparts; i++)
		tell("part %s\n", l.part[i]);
	for (size_t i = 0; i < l.nplaces; i++)
		tell("place %s %s %s\n", l.place[i].text, l.place[i].city, l.place[i].country);
	for (size_t i = 0; i < l.skills.n; i++)
		tell("skill %s\n", l.skills.text[i]);
}

/* A source's name with its NUL, then the body. */
static void read_postings(const struct input *in)
{
	static const struct conf_source CONF = { .name = "x", .base_url = "https://x.test",
						 .path = "", .boards = "", .key_variable = "",
						 .id_variable = "", .page_budget = 3 };
	const struct source *s = source_find(in->bytes);
	const char *body = in->bytes + strlen(in->bytes) + 1;
	struct http_response r = { .status = 200, .complete = true };
	struct source_verdict verdict = { 0 };
	struct source_page page = { 0 };
	cJSON *root = NULL;
	const cJSON *row;
	struct err e = { 0 };

	if (json_parse(body, in->len - (size_t)(body - in->bytes), &root, &e) < 0) {
		tell_error(&e);
		return;
	}
	s->judge(&r, root, &verdict);
	s->read_page(&CONF, &(struct source_place){ .page = 2 }, root, &page);
	famine_end();
	tell("%s %s %s\n", source_class_name(verdict.class), verdict.reason, page.token);
	cJSON_ArrayForEach(row, page.rows) {
		tell_row(s, row);
	}
}

static const char *const NAMES[SOURCES] = { "adzuna", "arbeitnow", "ashby", "greenhouse",
					    "himalayas", "indeed", "jobicy", "jsearch", "lever",
					    "remoteok", "remotive", "themuse", "usajobs" };

/* Of the seeds of fuzz_sources (a byte whose, a byte status below 3 = 200, headers, an empty line,
 * the body) the largest of each source. */
static void offer(struct input largest[SOURCES], struct input in)
{
	size_t whose = (unsigned char)in.bytes[0] % SOURCES;
	const char *body = in.bytes[2] == '\n' ? in.bytes + 3 : strstr(in.bytes + 2, "\n\n");

	if (body && in.bytes[2] != '\n')
		body += 2;
	if (body && (unsigned char)in.bytes[1] < 3 && in.len > largest[whose].len &&
	    in.len < INPUT_MOST) {
		size_t rest = in.len - (size_t)(body - in.bytes), name = strlen(NAMES[whose]) + 1;
		char *bytes = mem_zalloc(name + rest + 1);

		memcpy(bytes, NAMES[whose], name);
		memcpy(bytes + name, body, rest);
		free(largest[whose].bytes);
		largest[whose] = (struct input){ bytes, name + rest };
	}
}

static void answers_of_providers_are_read_as_they_are_or_not_at_all(void **state)
{
	struct input largest[SOURCES] = { { NULL, 0 } };
	DIR *dir = opendir("tests/fuzz/seeds/sources");
	struct dirent *d;

	(void)state;
	assert_non_null(dir);
	while ((d = readdir(dir))) {
		if (d->d_name[0] != '.') {
			struct input in = seed("sources", d->d_name);

			if (in.len > 2)
				offer(largest, in);
			free(in.bytes);
		}
	}
	closedir(dir);
	for (size_t i = 0; i < SOURCES; i++) {
		if (!largest[i].bytes)
			fail_msg("no seed of %s", NAMES[i]);
		starve(NAMES[i], read_postings, &largest[i], false);
		free(largest[i].bytes);
	}
}

static void tell_amount(struct amount a)
{
	tell("%d %lld\n", (int)a.kind, (long long)a.e4);
}

static void read_bls(const struct input *in)
{
	const struct bls_cell *cell;
	struct bls_reply *r = NULL;
	struct err e = { 0 };

	if (bls_parse(200, "application/json", in->bytes + 1, in->len - 1, &r, &e) < 0) {
		tell_error(&e);
		return;
	}
	cell = bls_cell(r, "OEUM003562000000015125213");
	tell("%p\n", (void *)(cell ? (intptr_t)1 : 0));
	for (size_t i = 0; cell && i < cell->nrows; i++)
		tell_amount(cell->rows[i].value);
	bls_reply_free(r);
}

static void read_census(const struct input *in)
{
	struct census_table *t = NULL;
	struct err e = { 0 };
	struct amount a;

	if (census_parse(200, "application/json", in->bytes + 1, in->len - 1, &t, &e) < 0) {
		tell_error(&e);
		return;
	}
	tell("%zu rows\n", census_rows(t));
	for (size_t i = 0; i < census_rows(t); i++)
		if (census_amount(t, i, "B24011_013E", &a, NULL) == 0)
			tell_amount(a);
	census_table_free(t);
}

static void read_fred(const struct input *in)
{
	struct fred_point points[64];
	struct err e = { 0 };
	size_t n = 0;

	if (fred_parse_all(200, in->bytes + 1, in->len - 1, points, COUNT(points), &n, &e) < 0)
		tell_error(&e);
	for (size_t i = 0; i < n; i++)
		tell_amount(points[i].value);
}

/* An entry of the cache, packed and unpacked. */
static void keep_document(const struct input *in)
{
	struct cacheentry_head head = { 1, 2, 3 };
	size_t len = 0, packed = 0;
	char *bytes = cacheentry_pack(&head, in->bytes, in->len, true, &packed), *text;

	text = bytes ? cacheentry_unpack(bytes, packed, &head, &len) : NULL;
	famine_end();
	if (!text)
		tell("error transient MISS: no entry\n");	/* asked for again, as when it is not there */
	else
		tell("%zu %d\n", len, memcmp(text, in->bytes, len));
}

static void figures_of_salaries_too(void **state)
{
	struct input document = seed("figures", "bls");

	(void)state;
	starve_seed(read_bls, "figures", "bls");
	starve_seed(read_census, "figures", "census");
	starve_seed(read_fred, "figures", "fred");
	starve("a document", keep_document, &document, true);	/* zstd 1.5.4, with a dictionary */
	free(document.bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answers_of_providers_are_read_as_they_are_or_not_at_all),
		cmocka_unit_test(figures_of_salaries_too),
	};

	return cmocka_run_group_tests(tests, famine_open, NULL);
}
