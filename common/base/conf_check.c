/* SPDX-License-Identifier: MIT */
#include <stdarg.h>

#include "common/base/conf_private.h"
#include "common/base/mem.h"
#include "common/base/near.h"

void conf_fault_at(struct conf_faults *faults, const struct conf *c, enum conf_kind_id kind,
		   size_t i, const char *key, const char *fmt, ...)
{
	const struct conf_kind *k = &CONF_SCHEMA[kind];
	const char *name = conf_block_name(c, kind, i), *file = c->private->places[kind][i].file;
	int line = c->private->places[kind][i].line, n = conf_key_find(k, key);
	const struct conf_origin *o = n < 0 ? NULL : conf_origin_at(c, kind, i, (size_t)n);
	char *what = NULL;
	va_list ap;

	if (o && o->file) {
		file = o->file;
		line = o->line;
	} else if (o && o->variable) {
		file = NULL;
	}
	va_start(ap, fmt);
	mem_check(vasprintf(&what, fmt, ap) < 0 ? NULL : what);
	va_end(ap);
	conf_fault(faults, file, line, "%s%s%s: %s: %s", k->name, *name ? " " : "", name, key, what);
	free(what);
}

void conf_check(const struct conf *c, struct conf_faults *faults)
{
	for (size_t i = 0; i < c->nqueues; i++) {
		if (!*c->queues[i].program)
			conf_fault_at(faults, c, CONF_QUEUE, i, "program", "is missing: a queue names "
				      "the worker program that serves it");
	}
}
