/* SPDX-License-Identifier: MIT */
/* evidence: what the tables hold, page by page, grouped for scoring.
 *
 * A group is all sources' newest figures for one location, occupation and industry; each source
 * once. An occupation matches by the name the salary program stores and by the text as given, so
 * rows of other programs are found too; "*" as location is every place there is.
 * One occupation has many titles: the salary program stores "Software Engineer", loading stores
 * what postings pay under the title of the SOC code, "Software Developers". Titles of one code in
 * one place (metadata soc or soc_code) therefore lend each other the sources that they lack
 * themselves; bundled figures are lent to nobody.
 * A page is read in the order of location and occupation and ends between two occupations, so its
 * memory is bounded by its rows and a walk can go on from its mark later, in another process.
 * The evidence of a group is borrowed during the call of see(). Errors: pg's. */
#ifndef CONFIDENCE_EVIDENCE_H
#define CONFIDENCE_EVIDENCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/market/score.h"

struct err;
struct pg;

#define EVIDENCE_EVERYWHERE "*"
/* Memory grows with it, and the time for which a page's rows are locked; the way to the server and
 * back is lost in it from some hundreds on. */
#define EVIDENCE_PAGE_ROWS 2500

enum evidence_kind { EVIDENCE_SALARY, EVIDENCE_MARKET, EVIDENCE_KIND_COUNT };
const char *evidence_kind_name(enum evidence_kind kind);	/* data_type: "salary", "market" */

struct evidence_query {
	const char *location;		/* "*": all */
	const char *occupation, *occupation_given;	/* "" = all */
};

/* Up to where a walk has come; zero = the beginning. Owned. */
struct evidence_mark {
	char *location, *occupation;		/* occupation NULL: past those without one, too */
};
void evidence_mark_set(struct evidence_mark *m, const char *location, const char *occupation);
void evidence_mark_release(struct evidence_mark *m);

struct evidence_group {
	const char *location, *occupation, *industry;	/* occupation, industry: NULL = none */
	const char *cache_key;		/* of the newest own row; may be NULL */
	int year;			/* the newest of its own */
	const struct score_evidence *evidence;
	size_t count, lent;		/* lent: the last so many are of other titles of its code */
};

typedef int evidence_fn(void *ctx, const struct evidence_group *g, struct err *e);

struct evidence_page {
	size_t figures;		/* newest ones, that were looked at */
	bool more;
	bool crowded;		/* one occupation alone fills a page; its rest was left out */
};

/* How many rows the tables hold for q, older years included. */
int evidence_count(struct pg *pg, enum evidence_kind kind, const struct evidence_query *q,
		   int64_t *ret, struct err *e);
/* Calls see() for each group behind the mark, one page of them, and moves the mark; ends with see's
 * first negative answer. */
int evidence_page(struct pg *pg, enum evidence_kind kind, const struct evidence_query *q,
		  struct evidence_mark *mark, evidence_fn *see, void *ctx,
		  struct evidence_page *ret, struct err *e);

#endif
