/* SPDX-License-Identifier: MIT */
/* secrets: what this process knows and nobody is to learn from what it keeps, logs or passes on.
 *
 * Keys come in as they are read (conf_secret), and whatever a peer sends goes through secrets_hide
 * before anybody looks at it: there are providers that quote the key in their error. */
#ifndef COMMON_BASE_SECRETS_H
#define COMMON_BASE_SECRETS_H

#include <stdbool.h>
#include <stddef.h>

/* Shorter ones are not looked for: they stand in any text by chance. */
#define SECRETS_LEAST 8

/* Copies value, and its percent-encoded form, once; the first 32 different ones count. */
void secrets_add(const char *value);

/* Puts asterisks over each secret in data, letter for letter, so that lengths and JSON stay as they
 * are; true when there was one. */
bool secrets_hide(char *data, size_t len);

/* From now on this process and its children leave no core dump, which would hold them all. Whoever
 * needs one attaches a debugger. */
void secrets_no_core(void);

#endif
