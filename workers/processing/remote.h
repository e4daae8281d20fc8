/* SPDX-License-Identifier: MIT */
/* remote: where the work is done, combined from the provider's flag, the title, the place and the
 * text. The flag lies both ways, so it only ever adds "remote": any word for a mixed arrangement
 * wins over it, then any word for remote, then the flag, then a word for presence; else unknown.
 * English, German, French, Spanish, Italian. Texts are clean UTF-8. Pure. */
#ifndef WORKERS_PROCESSING_REMOTE_H
#define WORKERS_PROCESSING_REMOTE_H

#include <stdbool.h>
#include <stddef.h>

#define REMOTE_LIST(X) \
	X(UNKNOWN, "unknown") X(ONSITE, "onsite") X(REMOTE, "remote") X(HYBRID, "hybrid")

enum remote {
#define X(id, text) REMOTE_##id,
	REMOTE_LIST(X)
#undef X
	REMOTE_COUNT
};

/* NULL texts are absent. */
enum remote remote_combine(bool flag, const char *title, const char *location, const char *text,
			   size_t len);
const char *remote_name(enum remote remote);

#endif
