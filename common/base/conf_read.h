/* SPDX-License-Identifier: MIT */
/* conf_read: queues.conf and what it includes, as blocks of keys and texts with their lines.
 *
 * include("FILE") stands outside blocks, FILE is relative to the including file; a file is read
 * once, at most CONF_READ_FILES in all. */
#ifndef COMMON_BASE_CONF_READ_H
#define COMMON_BASE_CONF_READ_H

#include <stdbool.h>
#include <stddef.h>

struct conf_faults;
struct conf_kind;

enum { CONF_READ_FILES = 64, CONF_READ_BLOCKS = 4096 };

struct conf_entry {
	int key;		/* index in the kind's keys */
	int line;
	char **values;
	size_t nvalues;
};

struct conf_block {
	const struct conf_kind *kind;
	char *title;		/* "" for a kind without */
	const char *file;	/* owned by the reading */
	int line;
	struct conf_entry *entries;
	size_t nentries;
};

struct conf_reading {
	struct conf_block *blocks;
	size_t nblocks;
	char *files[CONF_READ_FILES];
	size_t nfiles;
};

/* Files that still have to be read, in the order they were met. */
struct conf_include {
	char *path;
	const char *from;	/* owned by the reading */
	int line;
};

struct conf_includes {
	struct conf_include list[CONF_READ_FILES];
	size_t n;
};

/* false: the list is full. path is taken relative to the file that includes it. */
bool conf_includes_add(struct conf_includes *list, const char *path, const char *from, int line);
void conf_includes_truncate(struct conf_includes *list, size_t keep);

/* Faults are added; what could be understood is in *ret whatever happened. */
void conf_read(struct conf_reading *ret, const char *path, struct conf_faults *faults);
void conf_reading_truncate(struct conf_reading *r, size_t keep);	/* to the first blocks */
void conf_reading_release(struct conf_reading *r);

#endif
