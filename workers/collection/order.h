/* SPDX-License-Identifier: MIT */
/* order: what one call of jobfleet.collect_jobs asks for, checked.
 *
 * query and location are a text or a list of texts each; lists stand for every pair of them.
 * priority is "low", "normal", "high" or 0 to 9. Texts are at most 500 bytes, lists at most 50,
 * pairs at most 500, pages at most 100 a pair. A wrong value is -ERR_INVALID, a wrong type
 * -ERR_TYPE, naming the argument and what would be right.
 * page counts only where a source is paged by number; one that is paged by cursor has no way to
 * begin in the middle, and begins at its start.
 * job_ids are postings to be asked for again, by comma, where a source can do that; query may then
 * be "".
 * source is one name or a list of them; "", "all" or none is every source that queues.conf enables.
 * Ownership: texts are borrowed from the arguments. */
#ifndef WORKERS_COLLECTION_ORDER_H
#define WORKERS_COLLECTION_ORDER_H

#include <cjson/cJSON.h>
#include <stdbool.h>

struct err;

enum { ORDER_LIST = 50, ORDER_SOURCES = 20, ORDER_PAGES = 100, ORDER_PAGE_ROWS = 10 };

struct order {
	const char *queries[ORDER_LIST], *locations[ORDER_LIST];
	int nqueries, nlocations;	/* at least 1; a location may be "" */
	int first_page;			/* 1 … */
	int pages;			/* budget of a pair; 0 = the source's */
	int results;			/* enough once so many postings came; 0 = no such end */
	const char *job_ids;		/* "a==,b_-": these instead of a search; "" */
	int njob_ids;
	const char *sources[ORDER_SOURCES];
	int nsources;			/* 0 = every one that is enabled */
	bool refresh;			/* ask, however fresh the last answer is */
	const char *strategy;		/* on_demand, scheduled, batch, incremental */
	const char *country, *language, *date_posted, *employment_types;	/* "" = not said */
	bool remote_only;
	int priority;			/* 0 to 9; -1 = the task's */
	int max_retries;		/* -1 = as configured */
	int retry_count;		/* retries that a plain message had behind it */
	const char *run_id;		/* "" = the task's own id */
};

int order_read(struct order *ret, const cJSON *args, struct err *e);
/* ISO 3166 code, lower case, of the country that a place ends with; "" if it names none. */
const char *order_country(const char *location);

#endif
