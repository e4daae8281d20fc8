/* SPDX-License-Identifier: MIT */
#include "common/base/conf_fault.h"

#include <stdarg.h>

#include "common/base/err.h"
#include "common/base/mem.h"

enum { TEXT_BYTES = 256 * 1024 };

void conf_faults_init(struct conf_faults *f)
{
	*f = (struct conf_faults){ 0 };
	buf_init(&f->text, TEXT_BYTES);
}

void conf_faults_release(struct conf_faults *f)
{
	buf_release(&f->text);
	free(f->first);
	f->first = NULL;
}

void conf_fault(struct conf_faults *f, const char *file, int line, const char *fmt, ...)
{
	char *what = NULL, *text;
	va_list ap;
	int n;

	if (f->count++ >= CONF_FAULTS_MAX)
		return;
	va_start(ap, fmt);
	n = vasprintf(&what, fmt, ap);
	va_end(ap);
	mem_check(n < 0 ? NULL : what);
	if (file && line)
		text = mem_printf("%s:%d: %s", file, line, what);
	else
		text = mem_printf("%s%s%s", file ? file : "", file ? ": " : "", what);
	buf_printf(&f->text, "%s\n", text);
	if (!f->first)
		f->first = mem_strdup(text);
	free(text);
	free(what);
}

void conf_faults_rewind(struct conf_faults *f, size_t count, size_t len)
{
	f->count = count;
	f->text.len = len;
	if (f->text.data)
		f->text.data[len] = '\0';
	if (count == 0)
		mem_replace(&f->first, NULL);
}

int conf_faults_err(const struct conf_faults *f, struct err *e)
{
	if (f->count == 1)
		return err_set(e, ERR_CONFIG, "%s", f->first);
	return err_set(e, ERR_CONFIG, "%.800s (and %zu more)", f->first, f->count - 1);
}
