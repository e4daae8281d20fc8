/* SPDX-License-Identifier: MIT */
/* company: an employer's name, clean for people and reduced for matching. Pure. */
#ifndef WORKERS_PROCESSING_COMPANY_H
#define WORKERS_PROCESSING_COMPANY_H

enum { COMPANY_MAX = 256 };

/* One clean line; "" if nothing but white space or punctuation was there. */
void company_clean(const char *raw, char out[COMPANY_MAX]);

/* Folded, without a leading article, without legal suffixes (Inc, LLC, GmbH & Co. KG, S.p.A., …).
 * A name that consists of suffixes only stays as it is. name is clean. */
void company_match_key(const char *name, char out[COMPANY_MAX]);

#endif
