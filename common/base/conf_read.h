/* SPDX-License-Identifier: MIT */
/* conf_read: queues.conf and what it includes, as blocks of keys and texts with their lines.
 *
 * libconfuse scans and parses; this asks it for nothing but texts, since it would stop at the
 * first wrong value. Nothing is known here of types. Unknown blocks and keys are faults, each
 * with its line and the nearest known word; repeated ones too. A syntax error ends its file.
 * include("FILE") stands outside blocks, FILE is relative to the including file; a file is read
 * once, at most CONF_READ_FILES in all. */
#ifndef COMMON_BASE_CONF_READ_H
#define COMMON_BASE_CONF_READ_H

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

/* Faults are added; what could be understood is in *ret whatever happened. */
void conf_read(struct conf_reading *ret, const char *path, struct conf_faults *faults);
void conf_reading_release(struct conf_reading *r);

#endif
