/* SPDX-License-Identifier: MIT */
#include "common/base/mem.h"

#include <stdarg.h>

#include "common/base/fault.h"

void *mem_check(void *p)
{
	if (!p) {
		static const char text[] = "out of memory\n";

		fwrite(text, 1, sizeof text - 1, stderr);
		abort();
	}
	return p;
}

void *mem_alloc(size_t n)
{
	return mem_check(FAULT_ALLOC() ? NULL : malloc(n ? n : 1));
}

void *mem_zalloc(size_t n)
{
	return mem_check(FAULT_ALLOC() ? NULL : calloc(1, n ? n : 1));
}

void *mem_realloc(void *p, size_t n)
{
	return mem_check(FAULT_ALLOC() ? NULL : realloc(p, n ? n : 1));
}

void *mem_dup(const void *p, size_t n)
{
	char *copy = mem_alloc(n + 1);

	if (n)
		memcpy(copy, p, n);
	copy[n] = '\0';
	return copy;
}

char *mem_strdup(const char *s)
{
	return s ? mem_dup(s, strlen(s)) : NULL;
}

char *mem_strndup(const char *s, size_t n)
{
	return mem_dup(s, strnlen(s, n));
}

char *mem_printf(const char *fmt, ...)
{
	char *s = NULL;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vasprintf(&s, fmt, ap);
	va_end(ap);
	return mem_check(n < 0 ? NULL : s);
}

void mem_replace(char **slot, char *owned)
{
	free(*slot);
	*slot = owned;
}
