/* SPDX-License-Identifier: MIT */
/* adjust: benchmark rows in the money of the newest year (request_data.adjust_for_inflation).
 *
 * What is stored stays as its source published it; only the answer is adjusted. Each row's amounts
 * are multiplied by the consumer prices of the newest full year over those of the row's own
 * (inflation.h), rounded to cents by PostgreSQL's numeric, and metadata.adjusted says from which
 * year to which, by what factor of which series. A row whose year has no factor stays as it is, and
 * the request gets a warning. The merged median is merged anew, by the same weights. */
#ifndef SALARY_ADJUST_H
#define SALARY_ADJUST_H

struct cache_doc;
struct err;
struct request;
struct run;

/* The document's rows and its meta's "merged" are replaced. A source of prices that is silent is a
 * warning, no error. */
int adjust_doc(struct run *run, struct request *r, struct cache_doc *d, struct err *e);

#endif
