/* SPDX-License-Identifier: MIT */
#include "common/base/conf_fault.h"

#include <limits.h>
#include <stdarg.h>

#include "common/base/buf.h"
#include "common/base/err.h"
#include "common/base/mem.h"

enum { FAULT_BYTES = 1024, ALL_BYTES = (FAULT_BYTES + 8) * CONF_FAULTS_MAX + 256 };

void conf_faults_init(struct conf_faults *f)
{
	memset(f, 0, sizeof *f);
}

void conf_faults_release(struct conf_faults *f)
{
	conf_faults_rewind(f, 0);
}

static size_t kept(const struct conf_faults *f)
{
	return f->count < CONF_FAULTS_MAX ? f->count : CONF_FAULTS_MAX;
}

static int file_rank(const struct conf_faults *f, const char *path, size_t self)
{
	for (size_t i = 0; path && i < self; i++) {
		if (f->list[i].path && strcmp(f->list[i].path, path) == 0)
			return f->list[i].file;
	}
	return path ? (int)self : INT_MAX;
}

void conf_fault(struct conf_faults *f, const char *path, int line, const char *fmt, ...)
{
	size_t i = f->count++;
	struct buf text;
	char *what = NULL;
	va_list ap;
	int n;

	if (i >= CONF_FAULTS_MAX)
		return;
	va_start(ap, fmt);
	n = vasprintf(&what, fmt, ap);
	va_end(ap);
	mem_check(n < 0 ? NULL : what);
	buf_init(&text, SIZE_MAX / 2);
	if (path)
		buf_printf(&text, line ? "%s:%d: " : "%s: ", path, line);
	buf_printf(&text, "%.*s", FAULT_BYTES, what);
	free(what);
	f->list[i] = (struct conf_fault){ .text = buf_take(&text), .file = file_rank(f, path, i),
					  .line = line, .path = mem_strdup(path) };
}

void conf_faults_rewind(struct conf_faults *f, size_t count)
{
	for (size_t i = count; i < kept(f); i++) {
		free(f->list[i].text);
		free(f->list[i].path);
	}
	f->count = count;
}

/* Insertion: stable, and a hundred are few. */
static void sort(struct conf_fault *list, size_t n)
{
	for (size_t i = 1; i < n; i++) {
		struct conf_fault one = list[i];
		size_t j = i;

		for (; j > 0 &&
		     (list[j - 1].file > one.file ||
		      (list[j - 1].file == one.file && list[j - 1].line > one.line));
		     j--)
			list[j] = list[j - 1];
		list[j] = one;
	}
}

int conf_faults_err(struct conf_faults *f, char **ret_all, struct err *e)
{
	struct buf all;

	buf_init(&all, ALL_BYTES + kept(f) * 4096);
	sort(f->list, kept(f));
	for (size_t i = 0; i < kept(f); i++)
		buf_printf(&all, "%s\n", f->list[i].text);
	if (f->count > CONF_FAULTS_MAX)
		buf_printf(&all, "and %zu more\n", f->count - CONF_FAULTS_MAX);
	*ret_all = buf_take(&all);
	if (f->count == 1)
		return err_set(e, ERR_CONFIG, "%s", f->list[0].text);
	return err_set(e, ERR_CONFIG, "%.900s (and %zu more)", f->list[0].text, f->count - 1);
}
