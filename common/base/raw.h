/* SPDX-License-Identifier: MIT */
/* raw: JSON as text, walked without being parsed (RFC 8259).
 *
 * What passes through (arguments, signatures, results) keeps its text: no number goes through a
 * double, nothing is printed again. A walk only finds where values begin and end, and refuses what
 * is no JSON; whoever wants a value's content gives its text to cJSON. Beside RFC 8259 the tokens
 * NaN, Infinity and -Infinity pass, which Python writes (celery-wire 1.4).
 * Ownership: a struct raw points into its text, which the caller keeps.
 * Limits: 1,000 levels, as cJSON. */
#ifndef COMMON_BASE_RAW_H
#define COMMON_BASE_RAW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The text of one value, without white space around it; at = NULL: absent. */
struct raw {
	const char *at;
	size_t len;
};
#define RAW(literal) ((struct raw){ (literal), sizeof(literal) - 1 })
#define RAW_NONE ((struct raw){ NULL, 0 })

/* The text must be one value and nothing else. false: it is not, *ret_bad (may be NULL) says from
 * which byte on. */
bool raw_whole(const char *text, size_t len, struct raw *ret, size_t *ret_bad);

/* Over the members of an object or the elements of an array (key is RAW_NONE then):
 *	struct raw_walk w = raw_walk(value);
 *	while (raw_next(&w, &key, &item)) … ; if (w.bad) …
 * bad: malformed, or neither object nor array. at: how far it came. */
struct raw_walk {
	const char *at, *end;
	char close;			/* ']', '}' or 0 = over */
	bool bad;
};
struct raw_walk raw_walk(struct raw value);
bool raw_next(struct raw_walk *w, struct raw *ret_key, struct raw *ret_item);

bool raw_is(struct raw r, const char *text);	/* the same text? */
/* Is this member's key spelled so? A key with escapes never is. */
bool raw_key_is(struct raw key, const char *name);
bool raw_is_null(struct raw r);			/* null or absent */
bool raw_is_string(struct raw r);
bool raw_is_array(struct raw r);
bool raw_is_object(struct raw r);
/* The first member of that name in an object: its value; RAW_NONE if absent or null. */
struct raw raw_member(struct raw object, const char *name);
/* What stands between the brackets of an array or object; len 0 = it is empty. */
struct raw raw_inside(struct raw container);
/* The last element of an array, and what stands between the bracket and the comma before it. Found
 * from the end, so that a long array is not gone over: only of one that was walked before, whose
 * text is known to be JSON. false: empty, or no array. */
bool raw_last(struct raw array, struct raw *ret_last, struct raw *ret_before);
/* The content of a string, malloc'ed; NULL: no string, or it has a NUL inside. */
char *raw_string(struct raw r);
bool raw_number(struct raw r, double *ret);	/* false: not a finite number */
char *raw_dup(struct raw r);			/* malloc'ed text; NULL for RAW_NONE */

#endif
