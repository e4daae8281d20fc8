/* SPDX-License-Identifier: MIT */
/* company: an employer's name, clean for people and reduced for matching. Pure. */
#ifndef WORKERS_PROCESSING_COMPANY_H
#define WORKERS_PROCESSING_COMPANY_H

#include <stdbool.h>

enum { COMPANY_MAX = 256 };

/* One clean line without quotes and marks around it; "" if nothing but white space or punctuation
 * was there. Capitals and the legal form stay as the employer writes them ("ACME CORP", "IBM"):
 * which of them are wrong nobody can tell from the name alone. */
void company_clean(const char *raw, char out[COMPANY_MAX]);

/* Is it what sources write where there is no name ("Confidential", "N/A")? */
bool company_is_nobody(const char *name);

/* Folded, without a leading article, without legal forms of any country (Inc, LLC, GmbH & Co. KG,
 * S.p.A., Sp. z o.o., Pty Ltd, K.K., 株式会社 …). A name that consists of forms only stays as it
 * is. name is clean. */
void company_match_key(const char *name, char out[COMPANY_MAX]);

#endif
