/* SPDX-License-Identifier: MIT */
/* search: postings for a text, by words and by meaning, as search_jobs (sql/010_duplicates.sql)
 * finds them. The text is embedded as the postings were: by the endpoint where one is set, here
 * otherwise or while the endpoint does not answer. */
#include <stdio.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/base/conf.h"
#include "common/base/err.h"
#include "common/base/mem.h"
#include "common/base/scan.h"
#include "common/store/pg.h"
#include "workers/ctl/args.h"
#include "workers/ctl/ctl.h"
#include "workers/ctl/table.h"
#include "workers/processing/embed.h"
#include "workers/processing/endpoint.h"

enum { SEARCH_MOST = 200, TEXT_MOST = 4000, VECTOR_BYTES = 32 * EMBED_DIMENSIONS };

static const struct table_column COLUMNS[] = {
	{ NULL, "id", TABLE_TEXT },
	{ "title", "title", TABLE_TEXT },
	{ "company", "company", TABLE_TEXT },
	{ "place", "location", TABLE_TEXT },
	{ "remote", "remote", TABLE_TEXT },
	{ "pay a year", NULL, TABLE_TEXT },
	{ NULL, "salary_annual_min", TABLE_NUMBER },
	{ NULL, "salary_annual_max", TABLE_NUMBER },
	{ NULL, "salary_currency", TABLE_TEXT },
	{ "posted", NULL, TABLE_TEXT },
	{ NULL, "posted_at", TABLE_TEXT },
	{ NULL, "apply_url", TABLE_TEXT },
	{ NULL, "text_rank", TABLE_NUMBER },
	{ "alike", "cosine", TABLE_NUMBER },
	{ "score", "score", TABLE_NUMBER },
};

/* A statement without a row for a text of stop words only: that is what it says then. */
static const char SQL_SEARCH[] =
	"SELECT id, title, company, location, remote,"
	" nullif(concat_ws(' - ', round(salary_annual_min), nullif(round(salary_annual_max),"
	" round(salary_annual_min))), '') || coalesce(' ' || salary_currency, ''),"
	" salary_annual_min, salary_annual_max, salary_currency, to_char(posted_at, 'YYYY-MM-DD'),"
	" to_char(posted_at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'), apply_url,"
	" round(text_rank::numeric, 4), round(cosine::numeric, 3), round(score::numeric, 5)"
	" FROM public.search_jobs($1, $2::real[], $3::int, $4)";

static const char *embed_text(const struct ctl *c, const struct conf *conf, const char *text,
			      float vector[EMBED_DIMENSIONS])
{
	struct err why = { 0 };
	struct embed e;

	if (endpoint_is_set(conf)) {
		if (endpoint_one(conf, text, vector, &why) == 0)
			return conf->fleet.embedding_model;
		ctl_note(c, "%s; searching with vectors made here", why.msg);
	}
	embed_init(&e);
	embed_add(&e, text, strlen(text), 1);
	embed_finish(&e, vector);
	return EMBED_MODEL;
}

static void put_vector(struct buf *out, const float vector[EMBED_DIMENSIONS])
{
	for (int i = 0; i < EMBED_DIMENSIONS; i++)
		buf_printf(out, "%s%.7g", i ? "," : "{", (double)vector[i]);
	buf_putc(out, '}');
}

static int search(struct ctl *c, const char *text, int n, struct err *e)
{
	const struct conf *conf;
	float vector[EMBED_DIMENSIONS];
	struct buf numbers;
	const char *model;
	struct table *t;
	int r = ctl_conf(c, &conf, e);

	if (r < 0)
		return r;
	model = embed_text(c, conf, text, vector);
	buf_init(&numbers, VECTOR_BYTES);
	put_vector(&numbers, vector);
	r = ctl_query_table(c, SQL_SEARCH,
			    PG_PARAMS(PG_TEXT(text), PG_TEXT(buf_text(&numbers)), PG_INT(n),
				      PG_TEXT(model)), COLUMNS, COUNT(COLUMNS), &t, e);
	buf_release(&numbers);
	return r < 0 ? r : ctl_show(c, t, "no posting has these words");
}

int search_main(struct ctl *c, int argc, char **argv, struct err *e)
{
	const char *number = "10";
	const struct args_option options[] = {
		{ "number", "N", "at most so many, 10; also -n N", &number, NULL },
		CTL_JSON_OPTION(c), CTL_QUIET_OPTION(c), CTL_CONFIG_OPTION(c),
	};
	const struct args args = {
		.usage = "search TEXT... [-n N] [--json]",
		.about =
			"Finds active postings by the words of a text and by how alike their vectors"
			" are, best\n"
			"first. As in search engines: \"quoted words\" stand together, or, -not.",
		.options = options,
		.noptions = COUNT(options),
		.least = 1,
		.most = -1,
	};
	char **operands, text[TEXT_MOST] = "", dashes[] = "--number";
	size_t len = 0;
	int n, r;

	for (int i = 1; i < argc; i++)		/* the one short option there is */
		if (!strcmp(argv[i], "-n"))
			argv[i] = dashes;
	r = args_parse(&args, argc, argv, &operands, e);
	if (r != 0)
		return r < 0 ? r : CTL_OK;
	if (scan_int(number, 1, SEARCH_MOST, &n, e) < 0)
		return err_set(e, ERR_USAGE, "--number=%.40s is no number from 1 to %d", number,
			       SEARCH_MOST);
	for (; *operands && len < sizeof text; operands++)
		len += (size_t)snprintf(text + len, sizeof text - len, "%s%s", len ? " " : "",
					*operands);
	if (len >= sizeof text)
		return err_set(e, ERR_USAGE, "the text is longer than %d bytes", TEXT_MOST - 1);
	return search(c, text, n, e);
}
