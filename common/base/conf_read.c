/* SPDX-License-Identifier: MIT */
#include "common/base/conf_read.h"

#include <limits.h>

#include "common/base/conf_fault.h"
#include "common/base/conf_parse.h"
#include "common/base/conf_text.h"
#include "common/base/mem.h"

void conf_reading_truncate(struct conf_reading *r, size_t keep)
{
	while (r->nblocks > keep) {
		struct conf_block *b = &r->blocks[--r->nblocks];

		for (size_t i = 0; i < b->nentries; i++) {
			for (size_t v = 0; v < b->entries[i].nvalues; v++)
				free(b->entries[i].values[v]);
			free(b->entries[i].values);
		}
		free(b->entries);
		free(b->title);
	}
}

void conf_includes_truncate(struct conf_includes *list, size_t keep)
{
	while (list->n > keep)
		free(list->list[--list->n].path);
}

bool conf_includes_add(struct conf_includes *list, const char *path, const char *from, int line)
{
	const char *slash = path[0] == '/' ? NULL : strrchr(from, '/');

	if (list->n == CONF_READ_FILES)
		return false;
	list->list[list->n++] = (struct conf_include){
		.path = mem_printf("%.*s%s", slash ? (int)(slash + 1 - from) : 0, from, path),
		.from = from, .line = line };
	return true;
}

static bool is_read(const struct conf_reading *r, const char *path)
{
	char real[PATH_MAX], known[PATH_MAX];

	for (size_t i = 0; i < r->nfiles && realpath(path, real); i++) {
		if (realpath(r->files[i], known) && strcmp(real, known) == 0)
			return true;
	}
	return false;
}

static void read_file(struct conf_reading *r, struct conf_includes *includes, const char *path,
		      const char *from, int line, struct conf_faults *faults)
{
	char *text;

	if (is_read(r, path)) {
		conf_fault(faults, from, line, "include: %s is read already", path);
		return;
	}
	if (r->nfiles == CONF_READ_FILES) {
		conf_fault(faults, from, line, "include: more than %d files", CONF_READ_FILES);
		faults->unreadable = true;
		return;
	}
	text = conf_text_load(path, from, line, faults);
	if (!text)
		return;
	r->files[r->nfiles] = mem_strdup(path);
	if (conf_text_clean(text, path, faults))
		conf_parse(r, includes, text, r->files[r->nfiles], faults);
	r->nfiles++;
	free(text);
}

void conf_read(struct conf_reading *ret, const char *path, struct conf_faults *faults)
{
	struct conf_includes includes = { .n = 0 };

	memset(ret, 0, sizeof *ret);
	read_file(ret, &includes, path, NULL, 0, faults);
	for (size_t i = 0; i < includes.n; i++)
		read_file(ret, &includes, includes.list[i].path, includes.list[i].from,
			  includes.list[i].line, faults);
	conf_includes_truncate(&includes, 0);
	if (ret->nblocks == CONF_READ_BLOCKS) {
		conf_fault(faults, path, 0, "holds more than %d blocks", CONF_READ_BLOCKS - 1);
		faults->unreadable = true;
	}
}

void conf_reading_release(struct conf_reading *r)
{
	conf_reading_truncate(r, 0);
	free(r->blocks);
	for (size_t i = 0; i < r->nfiles; i++)
		free(r->files[i]);
	memset(r, 0, sizeof *r);
}
