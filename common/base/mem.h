/* SPDX-License-Identifier: MIT */
/* mem: small allocations that cannot fail.
 *
 * Out of memory aborts the process: the broker redelivers what it held and the ledger keeps
 * effects single, so one tested path replaces hundreds of untested ones. Whatever a peer can
 * size is bounded before it gets here (buf, message, http have limits and return errors).
 * Free with free(). */
#ifndef COMMON_BASE_MEM_H
#define COMMON_BASE_MEM_H

#include <stddef.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

void *mem_alloc(size_t n);
void *mem_zalloc(size_t n);
void *mem_realloc(void *p, size_t n);
void *mem_dup(const void *p, size_t n);		/* NUL-terminated after n bytes */
char *mem_strdup(const char *s);		/* NULL gives NULL */
char *mem_strndup(const char *s, size_t n);
char *mem_printf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void *mem_check(void *p);			/* aborts on NULL, else returns p */
void mem_replace(char **slot, char *owned);	/* frees *slot, stores owned */

#endif
