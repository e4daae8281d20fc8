/* SPDX-License-Identifier: MIT */
/* ids: which postings of a page are new, by the ids that its source gives them.
 *
 * Sets of ids are JSON objects, {"id": true, …}, so that a step can keep them; every cost is
 * n log n, as a provider chooses how many rows a page has. */
#ifndef WORKERS_COLLECTION_IDS_H
#define WORKERS_COLLECTION_IDS_H

#include <cjson/cJSON.h>
#include <stdbool.h>

struct err;
struct run;
struct source;
struct source_page;

/* How many rows of the page are not in seen and stand in it for the first time; rows without an id
 * are new. Adds the ids of the others to ids. */
int ids_count_new(const cJSON *seen, const struct source *source, const struct source_page *page,
		  cJSON *ids);
/* Does job_sources have all of them? nrows: rows of the page; without an id for each the answer is
 * no, without a question. */
int ids_all_known(struct run *run, const char *provider, const cJSON *ids, int nrows, bool *ret,
		  struct err *e);

#endif
