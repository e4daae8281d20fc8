/* SPDX-License-Identifier: MIT */
/* dedupe: when two postings are one.
 *
 * Exact: equal dedupe keys, that is equal match keys of title (title.h), company (company.h) and
 * place. Another level or place in the words gives another key, so it is another posting.
 * By link: equal apply keys (weblink.h) where the places do not contradict and the levels are the
 * same; one of title and company must agree. Sources rename employers and shorten titles.
 * The set finds duplicates within one batch; the pipeline asks the main table by the same keys. */
#ifndef WORKERS_PROCESSING_DEDUPE_H
#define WORKERS_PROCESSING_DEDUPE_H

#include <stdbool.h>

#include "common/market/place.h"
#include "workers/processing/company.h"
#include "workers/processing/level.h"
#include "workers/processing/title.h"
#include "workers/processing/weblink.h"

enum { DEDUPE_PLACE_MAX = 256, DEDUPE_KEY_MAX = TITLE_MAX + COMPANY_MAX + DEDUPE_PLACE_MAX };

struct dedupe_keys {
	char title[TITLE_MAX], company[COMPANY_MAX], place[DEDUPE_PLACE_MAX];
	char key[DEDUPE_KEY_MAX];		/* "title|company|place" */
	char link[WEBLINK_KEY_MAX];		/* "" none */
	enum level level;
	bool remote;				/* the workplace, wherever it stands */
};

/* From clean parts. workplace "remote" stands for the place of a posting that has none. */
void dedupe_keys_fill(struct dedupe_keys *k, const char *title, const char *company,
		      const struct place *place, const char *workplace, const char *apply_link);

/* Do the two, whose link keys are equal, agree enough to be one? Of one company with different
 * titles they do where the link has a number or the titles a word in common. */
int dedupe_same_by_link(const struct dedupe_keys *a, const struct dedupe_keys *b);

struct dedupe_set;
struct dedupe_set *dedupe_set_open(void);
void dedupe_set_close(struct dedupe_set *set);
/* Remembers the posting number index (0, 1, …, in any order), or returns the index of the one
 * remembered before that it repeats; -1: it is new. */
int dedupe_set_add(struct dedupe_set *set, const struct dedupe_keys *keys, int index);

#endif
