/* SPDX-License-Identifier: MIT */
/* signature: a Celery signature (celery-wire 3.1) as a tree over its own text.
 *
 *	{"task": "t.add", "args": [10], "kwargs": {}, "options": {…}, "subtask_type": null,
 *	 "immutable": false}
 *
 * chain: kwargs.tasks are its steps in forward order; group: kwargs.tasks; chord: kwargs.header (a
 * list, or a group) and kwargs.body. Explicit nulls count as absent. Values stay raw text; options
 * may be set, and a tree that was changed is printed anew, an unchanged one as it came.
 * Ownership: everything lives in the arena; the text that was read must stay as long.
 * Limits: 32 levels, 100,000 signatures in one.
 * Errors: -ERR_PROTOCOL, a text that says which part is wrong; -ERR_TYPE for an id among the
 * options that is not a string (or has a NUL in it). */
#ifndef COMMON_WORKER_SIGNATURE_H
#define COMMON_WORKER_SIGNATURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/raw.h"

struct arena;
struct buf;
struct err;

enum { SIGNATURE_DEPTH = 32, SIGNATURE_MEMBERS = 100000 };

enum signature_kind { SIGNATURE_TASK, SIGNATURE_CHAIN, SIGNATURE_GROUP, SIGNATURE_CHORD };

struct signature_option {
	struct raw key, value;		/* key with its quotes; value RAW_NONE = taken out */
};

struct signature_options {
	struct signature_option *list;
	size_t n, room;
};

struct signature {
	enum signature_kind kind;
	bool immutable, changed;
	const char *task;
	struct raw args, kwargs;	/* [] and {} when absent; kwargs of a task only */
	struct signature_options options;
	struct signature **steps;	/* of a chain; members of a group */
	size_t nsteps;
	struct signature *header, *body;	/* of a chord; header is a group */
	struct raw text;		/* as it came */
};

int signature_read(struct arena *a, struct raw text, struct signature **ret, struct err *e);
/* A list of them, or one alone (as link may be): *ret has n. null: n = 0. */
int signature_read_list(struct arena *a, struct raw text, struct signature ***ret, size_t *ret_n,
			struct err *e);
void signature_print(struct buf *out, const struct signature *s);
char *signature_text(struct arena *a, const struct signature *s);

struct signature *signature_new(struct arena *a, enum signature_kind kind);
struct signature *signature_new_chord(struct arena *a, struct signature *header,
				      struct signature *body);
struct signature *signature_copy(struct arena *a, const struct signature *s);	/* options apart */
void signature_add_step(struct arena *a, struct signature *s, struct signature *step);

/* RAW_NONE: absent or null. */
struct raw signature_option(const struct signature *s, const char *name);
bool signature_has(const struct signature *s, const char *name);
struct raw options_get(const struct signature_options *o, const char *name);
void options_set(struct arena *a, struct signature_options *o, const char *name, struct raw value);
void signature_set(struct arena *a, struct signature *s, const char *name, struct raw value);
void signature_set_string(struct arena *a, struct signature *s, const char *name,
			  const char *value);
void signature_set_int(struct arena *a, struct signature *s, const char *name, int64_t value);
/* Adds to a list option (link, link_error); a single signature there becomes a list. */
void signature_extend(struct arena *a, struct signature *s, const char *name, struct raw more);
/* The content of a string option in the arena, or NULL. */
const char *signature_string(struct arena *a, const struct signature *s, const char *name);

/* The next step of a chain is the last element of its list (celery-wire 3.2): takes it off, of text
 * that is known to be JSON (raw_last). false: none is left, or no list. */
bool signature_pop(struct arena *a, struct raw chain, struct raw *ret_last, struct raw *ret_rest);

/* How many completions of it a chord waits for (celery-wire 2.6). */
int64_t signature_size(const struct signature *s);

#endif
