/* SPDX-License-Identifier: MIT */
/* step: what an installation does to its postings beyond the rules of all.
 *
 * A step is one file that fills a struct step and registers it with STEP(name), and its name in
 * the key processing_steps of queues.conf; no list names it (the linker collects the entries).
 * Steps run in the order of that key, after the rules and before keys and completeness are made.
 * A step may change any member, note something of its own (step_note, kept in the posting's
 * metadata), or refuse the posting with a reason. It is called for every posting, so it asks no
 * service; it must be pure, or a reprocessing would not give the same. */
#ifndef WORKERS_PROCESSING_STEP_H
#define WORKERS_PROCESSING_STEP_H

#include <stdbool.h>
#include <stddef.h>

struct err;
struct posting;

enum { STEPS_MAX = 32, STEP_REASON = 200 };

struct step {
	const char *name;		/* as in processing_steps */
	/* false: the posting is refused, and reason says why. */
	bool (*run)(struct posting *p, char reason[STEP_REASON]);
};

#define STEP(s) \
	static const struct step *const step_entry_##s \
		__attribute__((used, section("jobfleet_steps"))) = &(s)

struct steps {
	const struct step *at[STEPS_MAX];
	size_t n;
};

/* names: by comma, in their order. -ERR_CONFIG names one that no file serves. */
int steps_choose(struct steps *ret, const char *names, struct err *e);
bool steps_run(const struct steps *s, struct posting *p, char reason[STEP_REASON]);

/* A member of the posting's metadata; value is the text of a JSON value. */
void step_note(struct posting *p, const char *name, const char *value);

#endif
